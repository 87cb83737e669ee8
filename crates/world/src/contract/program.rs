//! The contract of the program port, for adapters that run commands of a Unix shell.

use crate::{Finished, Kind, Program, ProgramRunner};
use std::collections::BTreeMap;
use std::path::Path;

/// Checks a runner; `folder` exists and is the programs' folder.
///
/// # Panics
/// When the runner does not keep the contract.
pub fn check(runner: &dyn ProgramRunner, folder: &Path) {
    let run = |script: &str, seconds: u32| -> Finished {
        let program = Program {
            command: vec!["sh".to_owned(), "-c".to_owned(), script.to_owned()],
            folder: folder.to_owned(),
            environment: BTreeMap::from([("GIVEN".to_owned(), "word".to_owned())]),
            inputs: BTreeMap::from([("training.csv".to_owned(), b"a\n1\n".to_vec())]),
            time_limit_seconds: seconds,
            at_commit: None,
        };
        runner.run(&program).unwrap_or_else(|error| unreachable!("`sh` starts: {error}"))
    };
    let copied = run(
        "cp \"$SM_CHANNEL_TRAINING/training.csv\" \"$SM_MODEL_DIR/model.onnx\"; echo $GIVEN; echo x > \"$SM_OUTPUT_DATA_DIR/m\"",
        20,
    );
    assert_eq!((copied.exit_code, copied.output.as_str()), (Some(0), "word\n"), "it sees what it is given");
    assert_eq!(
        copied.outputs.get("model/model.onnx").map(Vec::as_slice),
        Some(b"a\n1\n".as_slice()),
        "what it leaves comes back"
    );
    assert!(copied.outputs.contains_key("data/m"));
    let failed = run("echo no >&2; exit 7", 20);
    assert_eq!((failed.exit_code, failed.output.as_str()), (Some(7), "no\n"), "a failure is an answer");
    assert!(
        run("env", 20).output.lines().all(|line| !line.starts_with("CARGO")),
        "nothing else of our environment is handed down"
    );
    let late = run("sleep 60 & sleep 60", 1);
    assert!(late.timed_out && late.exit_code.is_none(), "a program that takes too long is stopped");
    let place = run("echo \"$SM_MODEL_DIR\"", 20).output;
    assert!(!Path::new(place.trim()).exists(), "its folders are gone afterwards");
    let much = run("yes 0123456789 | head -c 1000000", 20);
    assert!(much.output.len() <= 64 * 1024, "only the last of what it prints is kept");
    let none = Program {
        command: vec!["./no-such-program".to_owned()],
        folder: folder.to_owned(),
        environment: BTreeMap::new(),
        inputs: BTreeMap::new(),
        time_limit_seconds: 1,
        at_commit: None,
    };
    assert_eq!(
        runner.run(&none).err().map(|error| error.kind()),
        Some(Kind::Absent),
        "a program that is not there is absent"
    );
    runs_what_was_committed(runner, folder);
}

/// A folder of a repository, changed since its first commit.
const REPOSITORY: &str = "
    cd \"$0\" && mkdir -p repository/code && cd repository && git init -q . && echo 'echo first' > code/program.sh &&
    git -c user.name=a -c user.email=a@b.example add . && git -c user.name=a -c user.email=a@b.example commit -qm first &&
    git rev-parse HEAD && echo 'echo second' > code/program.sh";

fn runs_what_was_committed(runner: &dyn ProgramRunner, folder: &Path) {
    let program = |command: &[&str], folder: &Path, commit: Option<&str>| Program {
        command: command.iter().map(|word| (*word).to_owned()).collect(),
        folder: folder.to_owned(),
        environment: BTreeMap::new(),
        inputs: BTreeMap::new(),
        time_limit_seconds: 20,
        at_commit: commit.map(str::to_owned),
    };
    let said =
        |program: &Program| runner.run(program).map(|finished| finished.output).map_err(|error| error.kind());
    let place = folder.display().to_string();
    let made = said(&program(&["sh", "-ec", REPOSITORY, &place], folder, None)).unwrap_or_default();
    let commit = made.trim();
    let code = folder.join("repository/code");
    let now = ["sh", "program.sh"];
    assert_eq!(said(&program(&now, &code, None)).as_deref(), Ok("second\n"), "what is there: {made}");
    let then = said(&program(&now, &code, Some(commit)));
    assert_eq!(then.as_deref(), Ok("first\n"), "what was there at the commit");
    assert_eq!(said(&program(&now, &code, None)).as_deref(), Ok("second\n"), "the folder is left as it was");
    let unknown = said(&program(&now, &code, Some(&"0".repeat(40))));
    assert_eq!(unknown, Err(Kind::Absent), "there is no such commit");
    assert_eq!(
        said(&program(&now, folder, Some(commit))),
        Err(Kind::Absent),
        "the folder is in no repository"
    );
}
