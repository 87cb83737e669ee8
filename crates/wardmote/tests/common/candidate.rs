//! A house with a candidate, and what its commands say.

use super::common::{example, json, run, stable, trainer};
use std::path::Path;

/// What is said, and the exit code; keys are masked, since each run makes its own.
pub(crate) fn said(dir: &Path, words: &[&str]) -> String {
    let output = run(dir, words);
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let exit = output.status.code().unwrap_or(-1);
    masked(&stable(dir, &format!("$ wardmote {}\n{text}exit {exit}\n", words.join(" "))))
}

/// Verifier keys, their fingerprints, times and evidence ids differ from run to run, digests of artefacts do not matter.
fn masked(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let words: Vec<String> = line
            .split(' ')
            .map(|word| {
                if let Some((name, _)) = word.split_once('+').filter(|_| word.contains("/")) {
                    return format!("{name}+KEY");
                }
                if let Some(at) = word.find("DATET") {
                    let end = word.rfind('Z').map_or(word.len(), |end| end + 1);
                    return format!("{}TIME{}", &word[..at], &word[end..]);
                }
                let core = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
                let digest = core.strip_prefix("sha256:").unwrap_or(core);
                if digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_hexdigit()) {
                    return word.replace(core, "DIGEST");
                }
                if core.parse::<facts::EvidenceId>().is_ok() {
                    return word.replace(core, "EVIDENCE");
                }
                let hex =
                    (core.len() == 8 || core.len() == 12) && core.bytes().all(|b| b.is_ascii_hexdigit());
                if hex && core.bytes().any(|b| b.is_ascii_digit()) {
                    word.replace(core, "HASH")
                } else {
                    word.to_owned()
                }
            })
            .collect();
        out.push_str(&words.join(" "));
        out.push('\n');
    }
    out
}

/// A house with a version that passed its gates. `edit` changes the charter before it comes in force.
pub(crate) fn with_candidate(dir: &Path, edit: impl Fn(&str) -> String) {
    let trainer = trainer();
    json(dir, &["init", "--trainer", trainer.to_str().unwrap()]);
    let path = dir.join("charter.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, edit(&text)).unwrap();
    json(dir, &["apply", "--as", "carla"]);
    let file = example().join("german-credit.csv");
    json(dir, &["data", "import", "credit-raw", file.to_str().unwrap(), "--label", "first", "--as", "diego"]);
    json(dir, &["data", "pseudonymise", "credit-training", "--as", "diego"]);
    json(dir, &["model", "train", "credit-scoring", "--as", "ada"]);
    json(dir, &["model", "validate", "credit-scoring", "1", "--as", "ada"]);
}
