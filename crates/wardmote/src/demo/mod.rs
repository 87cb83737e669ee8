//! The demo: the whole life of one model, by the ordinary commands. Every step runs this very program as a user would
//! and shows the command, so nothing here can do what a user cannot.

mod http;
mod stage;
mod story;
mod traffic;

use crate::answer::Answers;
use crate::args::{Cli, DemoArgs};
use crate::failure::{Exit, Failure};
use stage::Stage;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Remembers how far the demo came, so that a second start can say so.
const PROGRESS: &str = "demo.json";

pub(crate) fn run(cli: &Cli, args: &DemoArgs, answers: &Answers) -> Result<ExitCode, Failure> {
    let dir = cli.dir.clone().unwrap_or_else(|| PathBuf::from("wardmote-demo"));
    make_room(&dir, args.again, answers)?;
    let repository = repository()?;
    let trainer = match &args.trainer {
        Some(path) => fs::canonicalize(path)
            .map_err(|error| Failure::io(format!("find `{}`", path.display()), error))?,
        None => build_trainer(&repository, answers)?,
    };
    fs::create_dir_all(&dir)
        .map_err(|error| Failure::io(format!("make the folder `{}`", dir.display()), error))?;
    let dir =
        fs::canonicalize(&dir).map_err(|error| Failure::io(format!("find `{}`", dir.display()), error))?;
    let mut stage = Stage::open(&dir, answers)?;
    let stores = args.stores.words();
    story::tell(&mut stage, &repository.join("examples/credit-scoring"), (&trainer, &stores))?;
    Ok(ExitCode::SUCCESS)
}

/// A demo begins in an empty folder. What is there already is never touched, only set aside if that is asked for.
fn make_room(dir: &Path, again: bool, answers: &Answers) -> Result<(), Failure> {
    let occupied = fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some());
    if !occupied {
        return Ok(());
    }
    let progress = fs::read(dir.join(PROGRESS))
        .ok()
        .and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
    let shown = dir.display();
    let Some(progress) = progress else {
        return Err(Failure::new(
            Exit::Conflict,
            format!("the folder `{shown}` is not empty, and holds no demo"),
        )
        .with_help("choose another folder with `--dir`"));
    };
    if !again {
        let text = if progress["finished"] == true {
            format!("the folder `{shown}` holds a demo that ran to its end")
        } else {
            format!(
                "the folder `{shown}` holds a demo that was interrupted after step {}; its ledger is safe",
                progress["step"]
            )
        };
        return Err(Failure::new(Exit::Conflict, text).with_help(format!(
            "look at it with `wardmote --dir {shown} log`, or set it aside and start afresh with `--again`"
        )));
    }
    let aside = (1..)
        .map(|n| dir.with_extension(format!("{n}")))
        .find(|path| !path.exists())
        .unwrap_or_else(|| dir.with_extension("aside"));
    fs::rename(dir, &aside).map_err(|error| Failure::io(format!("set `{shown}` aside"), error))?;
    answers.remark(&format!("set the earlier demo aside as {}", aside.display()));
    Ok(())
}

/// The clone that this program was built from: data and training program of the demo are there.
fn repository() -> Result<PathBuf, Failure> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    if root.join("examples/credit-scoring/german-credit.csv").is_file() {
        return fs::canonicalize(&root)
            .map_err(|error| Failure::io(format!("find `{}`", root.display()), error));
    }
    Err(Failure::new(
        Exit::NotFound,
        "the demo needs the folder `examples` of the repository that this program was built from",
    )
    .with_help("run it in a clone: `cargo run --release -- demo`"))
}

/// The training program is an ordinary program of its own, so it is built like one.
fn build_trainer(repository: &Path, answers: &Answers) -> Result<PathBuf, Failure> {
    answers.remark("building the training program of the example (the first time only)");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "build",
            "--release",
            "--locked",
            "--package",
            "credit-scoring-trainer",
            "--message-format",
            "json-render-diagnostics",
        ])
        .current_dir(repository)
        .output()
        .map_err(|error| Failure::io("start `cargo`", error))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        let last =
            text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("nothing was said").to_owned();
        return Err(Failure::new(Exit::Failed, format!("the training program could not be built: {last}"))
            .with_help("build it by hand with `cargo build --release -p credit-scoring-trainer`, and name it with `--trainer`"));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let executable = text
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
        .next_back();
    executable.ok_or_else(|| {
        Failure::new(Exit::Failed, "cargo built the training program and did not say where it is")
    })
}
