//! An account with principals, policies, buckets and keys in it, to be asked about.

use super::{Emulator, folder, python};
use std::process::Command;
use std::sync::OnceLock;

/// The account, made once; the ARN of its key.
pub(crate) fn key() -> &'static str {
    static ARN: OnceLock<String> = OnceLock::new();
    ARN.get_or_init(|| {
        let url = format!("http://{}", Emulator::get().address);
        let output = Command::new(python()).arg(folder().join("account.py")).arg(url).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    })
}
