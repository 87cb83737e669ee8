//! Programs in Python that tests compare with, each with its packages in a folder of the build that later runs find again.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// An environment of this name with the packages of a list.
pub(crate) fn of(name: &str, list: &Path) -> PathBuf {
    made(name, &[list], |_| vec![vec!["-r".to_owned(), list.display().to_string()]])
}

/// An environment of this name, made anew if one of the lists changed; `installs` says with which arguments `pip install`
/// is called for it, one time after the other. Other tests wait while one makes it.
pub(crate) fn made(name: &str, lists: &[&Path], installs: impl FnOnce(&Path) -> Vec<Vec<String>>) -> PathBuf {
    let wanted: String = lists.iter().map(|list| fs::read_to_string(list).unwrap()).collect();
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let lock = File::create(place.with_extension("lock")).unwrap();
    lock.lock().unwrap();
    let ready = place.join("ready");
    if fs::read_to_string(&ready).is_ok_and(|found| found == wanted) {
        return place;
    }
    let venv = ["-m", "venv", "--clear", place.to_str().unwrap()].map(str::to_owned);
    run(Path::new("python3"), &venv, "install the packages `python3` and `python3-venv`");
    for more in installs(&place) {
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"].map(str::to_owned);
        let words: Vec<String> = pip.into_iter().chain(more).collect();
        run(&place.join("bin/python"), &words, "the packages of the list must be reachable");
    }
    fs::write(ready, wanted).unwrap();
    place
}

fn run(program: &Path, words: &[String], advice: &str) {
    let output = Command::new(program).args(words).output();
    let output =
        output.unwrap_or_else(|error| panic!("cannot run `{}`: {error}; {advice}", program.display()));
    let said = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
    let line = words.join(" ");
    assert!(output.status.success(), "`{} {line}` failed; {advice}\n{said}", program.display());
}
