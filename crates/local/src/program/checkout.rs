//! A clean copy of a repository as it was at a commit. The repository itself is only read.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use world::{Kind, PortError};

/// Copies the repository around `folder` to `place`, as it was at `commit`, and names the copy of `folder` in it.
pub(super) fn folder(folder: &Path, commit: &str, place: &Path) -> Result<PathBuf, PortError> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let said = |what: &str| {
        git(folder, ["rev-parse", what]).ok_or_else(|| {
            PortError::new(Kind::Absent, format!("`{}` is in no Git repository", folder.display()))
        })
    };
    let (top, inside) = (said("--show-toplevel")?, said("--show-prefix")?);
    let absent = || {
        PortError::new(
            Kind::Absent,
            format!("the repository of `{}` has no commit {commit}", folder.display()),
        )
        .with_help("fetch the branch that has it")
    };
    // Objects are borrowed, not copied; no hook of anybody runs.
    let copied = git(
        folder,
        [
            OsStr::new("clone"),
            "--shared".as_ref(),
            "--no-checkout".as_ref(),
            "--quiet".as_ref(),
            top.as_ref(),
            place.as_ref(),
        ],
    );
    copied.ok_or_else(|| PortError::new(Kind::Failed, format!("cannot copy the repository `{top}`")))?;
    git(place, ["checkout", "--quiet", "--detach", commit, "--"]).ok_or_else(absent)?;
    let start_in = place.join(inside);
    if start_in.is_dir() { Ok(start_in) } else { Err(absent()) }
}

/// What Git says; nothing if it fails.
fn git<S: AsRef<OsStr>>(folder: &Path, arguments: impl IntoIterator<Item = S>) -> Option<String> {
    let output = Command::new("git")
        .args(["-c", "core.hooksPath=/dev/null", "-c", "advice.detachedHead=false"])
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}
