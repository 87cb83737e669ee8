//! Running the binary as a user would.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The binary under test.
pub(crate) fn wardmote(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wardmote"));
    command
        .arg("--dir")
        .arg(dir)
        .env_remove("WARDMOTE_ACCESS_KEY")
        .env_remove("WARDMOTE_DIR")
        .env_remove("WARDMOTE_KEY_PASSPHRASE");
    command
}

/// Runs one command.
pub(crate) fn run(dir: &Path, words: &[&str]) -> Output {
    wardmote(dir).args(words).output().unwrap()
}

/// Runs one command that must end well, with its answer as JSON.
pub(crate) fn json(dir: &Path, words: &[&str]) -> serde_json::Value {
    let output = wardmote(dir).arg("--json").args(words).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{words:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(text.lines().last().unwrap()).unwrap()
}

/// The example's folder.
pub(crate) fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/credit-scoring")
}

/// The example's training program. It is built on the first call if it is not there.
pub(crate) fn trainer() -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_wardmote")).with_file_name("credit-scoring-trainer");
    if !path.exists() {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let status = Command::new(cargo)
            .args(["build", "--locked", "--quiet", "--package", "credit-scoring-trainer", "--target-dir"])
            .arg(path.parent().unwrap().parent().unwrap())
            .status()
            .unwrap();
        assert!(status.success() && path.exists());
    }
    path
}

/// A house with a charter in force.
pub(crate) fn founded(dir: &Path) {
    let trainer = trainer();
    json(dir, &["init", "--trainer", trainer.to_str().unwrap()]);
    json(dir, &["apply", "--as", "carla"]);
}

/// Output with everything left out that differs from run to run.
pub(crate) fn stable(dir: &Path, text: &str) -> String {
    let text = text.replace(dir.to_str().unwrap(), "DIR").replace(example().to_str().unwrap(), "EXAMPLE");
    let mut out = String::new();
    for line in text.lines() {
        let words: Vec<String> = line.split(' ').map(mask).collect();
        out.push_str(words.join(" ").trim_end());
        out.push('\n');
    }
    out
}

/// Evidence ids and dates are replaced by what they are.
fn mask(word: &str) -> String {
    let core = word.trim_end_matches([',', '.', ')', '`']);
    if core.starts_with('e') && core.parse::<facts::EvidenceId>().is_ok() {
        return word.replace(core, "EVIDENCE");
    }
    let bytes = word.as_bytes();
    let date = (0..bytes.len().saturating_sub(9)).find(|at| {
        let part = &bytes[*at..at + 10];
        part.iter().enumerate().all(|(n, b)| if n == 4 || n == 7 { *b == b'-' } else { b.is_ascii_digit() })
    });
    date.map_or_else(|| word.to_owned(), |at| format!("{}DATE{}", &word[..at], &word[at + 10..]))
}
