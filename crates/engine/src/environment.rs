//! What a version was made in: the lock files of its libraries with their digests, and the container image, which is a claim
//! of whoever ran the training.

use crate::notebook::{FileRecord, Notebook};
use crate::{Engine, Error};
use charter::model::Model;
use facts::Digest;
use mlflow::catalogue::Files;
use mlflow::entity::{Run, value_of};
use registry::Environment;
use serde::Deserialize;
use std::collections::BTreeMap;
use world::{Finished, Program};

/// Files that pin every library of a training program to bytes. `requirements.txt` does only if every line has a hash.
const LOCK_FILES: [&str; 11] = [
    "Cargo.lock",
    "Pipfile.lock",
    "conda-lock.yml",
    "package-lock.json",
    "pdm.lock",
    "pixi.lock",
    "poetry.lock",
    "pylock.toml",
    "renv.lock",
    REQUIREMENTS,
    "uv.lock",
];
const REQUIREMENTS: &str = "requirements.txt";
/// The largest lock file that is looked at.
const MAX_LOCK_BYTES: u64 = 16 << 20;
/// Copies the lock files of the folder, or else of the repository around it.
const GATHER: &str = r#"
    take() { for f in "$@"; do [ -f "$f" ] && [ "$(wc -c < "$f")" -le 16777216 ] && cp -- "$f" "$SM_OUTPUT_DATA_DIR/$f"; done; }
    take "$@"
    [ -n "$(ls -A "$SM_OUTPUT_DATA_DIR")" ] || { top=$(git rev-parse --show-toplevel) && cd "$top" && take "$@"; }
    exit 0"#;
/// Tags of an MLflow run that name the container image it ran in.
pub(crate) const IMAGE_TAGS: [&str; 3] =
    ["mlflow.docker.image.uri", "mlflow.docker.image.name", "mlflow.docker.image.id"];
/// What a training program says of itself.
const LINEAGE_FILE: &str = "data/lineage.json";
const MAX_LINEAGE_BYTES: usize = 16 * 1024;
const MAX_IMAGE_LETTERS: usize = 500;

/// What a training program may say of where it runs.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    image: String,
}

impl Engine {
    /// The lock files beside a model's training program as they are now, or of the repository around it; none if there are
    /// none, or the folder cannot be read.
    pub(crate) fn lock_files(&self, model: &Model) -> BTreeMap<String, Digest> {
        let mut command = vec!["sh".to_owned(), "-c".to_owned(), GATHER.to_owned(), "sh".to_owned()];
        command.extend(LOCK_FILES.map(str::to_owned));
        let program = Program {
            command,
            folder: self.code_folder(model),
            environment: BTreeMap::new(),
            inputs: BTreeMap::new(),
            time_limit_seconds: 20,
            at_commit: None,
        };
        let Ok(finished) = self.ports.programs.run(&program) else { return BTreeMap::new() };
        let named =
            finished.outputs.iter().filter_map(|(path, bytes)| Some((path.strip_prefix("data/")?, bytes)));
        named
            .filter(|(name, bytes)| pins(name, bytes))
            .map(|(name, bytes)| (name.to_owned(), Digest::of(bytes)))
            .collect()
    }

    /// What an MLflow run was made in: lock files that lie with the model or were logged to the run, and the image that
    /// its tags name.
    pub(crate) fn logged_environment(
        &mut self,
        notebook: &Notebook,
        run: &Run,
        files: &Files,
    ) -> Result<Environment, Error> {
        let mut found: BTreeMap<String, FileRecord> = BTreeMap::new();
        let root = run.info.artifact_uri.strip_prefix("mlflow-artifacts:").unwrap_or_default();
        let root = root.trim_matches('/').to_owned();
        for name in LOCK_FILES {
            found.extend(notebook.file(&format!("{root}/{name}")).ok().map(|file| (name.to_owned(), file)));
        }
        let manifest = self.manifest(&files.object, &files.digest)?;
        let with_model = manifest.files.into_iter().filter(|(path, _)| LOCK_FILES.contains(&last_part(path)));
        found.extend(with_model);
        let mut lock_files = BTreeMap::new();
        for (path, file) in found.into_iter().filter(|(_, file)| file.size_bytes <= MAX_LOCK_BYTES) {
            let digest = file.digest;
            if last_part(&path) != REQUIREMENTS || pins(REQUIREMENTS, &self.read_file(file)?) {
                lock_files.insert(path, digest);
            }
        }
        let of = |image: &str| Environment { image: short(image), ..Environment::default() };
        let images = IMAGE_TAGS.iter().filter_map(|tag| value_of(&run.data.tags, tag)).map(of);
        // The one that names bytes says most.
        let image = images.max_by_key(|one| one.image_by_digest().is_some()).and_then(|one| one.image);
        Ok(Environment { lock_files, image })
    }
}

/// The image that a training program says it ran in.
pub(crate) fn image_of(finished: &Finished) -> Result<Option<String>, Error> {
    let Some(bytes) = finished.outputs.get(LINEAGE_FILE) else { return Ok(None) };
    let wrong = |why: &dyn std::fmt::Display| {
        Error::input(format!("the training program's `lineage.json` cannot be read: {why}")).with_help(
            "write `{\"image\": \"NAME@sha256:DIGEST\"}` to `$SM_OUTPUT_DATA_DIR/lineage.json`, or nothing",
        )
    };
    if bytes.len() > MAX_LINEAGE_BYTES {
        return Err(wrong(&format!(
            "it has {} bytes, and at most {MAX_LINEAGE_BYTES} are read",
            bytes.len()
        )));
    }
    let said: Said = serde_json::from_slice(bytes).map_err(|error| wrong(&error))?;
    short(&said.image).map(Some).ok_or_else(|| wrong(&"`image` is no name of an image"))
}

/// The name of an image as it can be kept: one line that is not too long.
fn short(image: &str) -> Option<String> {
    let image = image.trim();
    let plain = !image.is_empty() && image.len() <= MAX_IMAGE_LETTERS && !image.contains(char::is_control);
    plain.then(|| image.to_owned())
}

/// Whether a file pins libraries to bytes.
fn pins(name: &str, bytes: &[u8]) -> bool {
    if name != REQUIREMENTS {
        return LOCK_FILES.contains(&name);
    }
    // A requirement goes on in the next line after a backslash.
    let text = String::from_utf8_lossy(bytes).replace("\\\r\n", " ").replace("\\\n", " ");
    let requirements =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', '-']));
    let mut count = 0;
    requirements.inspect(|_| count += 1).all(|line| line.contains("--hash=")) && count > 0
}

pub(crate) fn last_part(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_pin_only_with_hashes() {
        let hashed = b"# made by a tool\n--index-url x\nnumpy==2.1 \\\n  --hash=sha256:aa \\\n  --hash=sha256:bb\n\nscipy==1 --hash=sha256:cc\n";
        assert!(pins("requirements.txt", hashed));
        assert!(!pins("requirements.txt", b"numpy==2.1 --hash=sha256:aa\nscipy==1\n"));
        assert!(!pins("requirements.txt", b"# nothing\n"));
        assert!(pins("uv.lock", b"") && !pins("conda.yaml", b""));
    }

    #[test]
    fn what_a_program_says_of_its_image_is_one_line() {
        let said = |text: &str| {
            let outputs = BTreeMap::from([(LINEAGE_FILE.to_owned(), text.as_bytes().to_vec())]);
            let finished = Finished { exit_code: Some(0), timed_out: false, output: String::new(), outputs };
            image_of(&finished).map_or_else(|error| error.to_string(), Option::unwrap_or_default)
        };
        let texts = [
            r#"{"image": "bank/trainer@sha256:aa"}"#,
            r#"{"image": " "}"#,
            r#"{"image": "a\nb"}"#,
            r#"{"images": "a"}"#,
            "",
            &" ".repeat(20_000),
        ];
        insta::assert_snapshot!(texts.map(said).join("\n"));
    }
}
