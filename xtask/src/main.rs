//! Repository checks and generators: `cargo xtask tidy`.

mod scan;
mod tidy;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut out = std::io::stdout();
    let mut say = |text: &str| writeln!(out, "{text}").is_ok();
    if std::env::args().nth(1).as_deref() != Some("tidy") {
        say("usage: cargo xtask tidy");
        return ExitCode::from(2);
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    match tidy::check(&root) {
        Ok(findings) if findings.is_empty() => {
            say("tidy: nothing to complain about");
            ExitCode::SUCCESS
        }
        Ok(findings) => {
            say(&format!("{}\ntidy: {} findings", findings.join("\n"), findings.len()));
            ExitCode::FAILURE
        }
        Err(error) => {
            say(&format!("tidy: {error}"));
            ExitCode::FAILURE
        }
    }
}
