//! Programs on this machine: in a process group of their own, with private folders, a clean environment and a time limit.

mod checkout;

use crate::files;
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use world::{Finished, Kind, PortError, Program, ProgramRunner};

/// What a program may print before the beginning of it is forgotten.
const KEPT_OUTPUT_BYTES: usize = 64 * 1024;
/// What a program may leave behind.
const MAX_OUTPUTS_BYTES: u64 = 1 << 30;
const MEMORY_DIR: &str = "/dev/shm";

/// Runs programs.
#[derive(Debug, Clone)]
pub struct LocalPrograms {
    scratch: PathBuf,
}

impl LocalPrograms {
    /// Private folders are made in memory where the system offers that, else in `scratch`.
    pub fn open(scratch: &Path) -> Result<Self, PortError> {
        let scratch =
            if fs::metadata(MEMORY_DIR).is_ok_and(|meta| meta.is_dir() && !meta.permissions().readonly()) {
                PathBuf::from(MEMORY_DIR)
            } else {
                files::private_dir(scratch)?;
                scratch.to_owned()
            };
        Ok(Self { scratch })
    }
}

impl ProgramRunner for LocalPrograms {
    fn run(&self, program: &Program) -> Result<Finished, PortError> {
        // Removed when it goes out of scope, whatever happens.
        let folder =
            tempfile::Builder::new().prefix("wardmote-run-").tempdir_in(&self.scratch).map_err(|error| {
                PortError::io(format!("make a private folder in `{}`", self.scratch.display()), error)
            })?;
        let (input, output) = (folder.path().join("input"), folder.path().join("output"));
        for dir in [&input, &output.join("model"), &output.join("data")] {
            files::private_dir(dir)?;
        }
        for (name, bytes) in &program.inputs {
            let path = input.join(name);
            path.parent().map_or(Ok(()), files::private_dir)?;
            files::replace(&path, bytes)?;
        }
        let start_in = match &program.at_commit {
            None => program.folder.clone(),
            Some(commit) => checkout::folder(&program.folder, commit, &folder.path().join("code"))?,
        };
        let mut child = start(program, &start_in, &input, &output)?;
        let printed = Arc::new(Mutex::new(Vec::new()));
        let readers = [listen(child.stdout.take(), &printed), listen(child.stderr.take(), &printed)];
        let (exit_code, timed_out) = wait(&mut child, program.time_limit_seconds)?;
        if !timed_out {
            readers.into_iter().flatten().for_each(|reader| drop(reader.join()));
        }
        let output_text =
            printed.lock().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
        let mut outputs = BTreeMap::new();
        let mut room = MAX_OUTPUTS_BYTES;
        gather(&output, "", &mut outputs, &mut room)?;
        Ok(Finished { exit_code, timed_out, output: output_text, outputs })
    }
}

fn start(program: &Program, start_in: &Path, input: &Path, output: &Path) -> Result<Child, PortError> {
    let (name, arguments) = program
        .command
        .split_first()
        .ok_or_else(|| PortError::new(Kind::Invalid, "the command of the program is empty"))?;
    // A path is meant from the folder of the charter, as everything in it.
    let path = if name.contains('/') { start_in.join(name) } else { PathBuf::from(name) };
    let folder = if start_in.as_os_str().is_empty() { Path::new(".") } else { start_in };
    let mut command = Command::new(fs::canonicalize(&path).unwrap_or(path));
    command.args(arguments).current_dir(folder).env_clear().envs(&program.environment);
    for inherited in ["PATH", "HOME", "LANG", "LC_ALL"] {
        if let Some(value) = std::env::var_os(inherited) {
            command.env(inherited, value);
        }
    }
    command
        .env("SM_CHANNEL_TRAINING", input)
        .env("SM_MODEL_DIR", output.join("model"))
        .env("SM_OUTPUT_DATA_DIR", output.join("data"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    command.spawn().map_err(|error| {
        let failed = PortError::io(format!("start the program `{name}`"), error);
        let help = match failed.kind() {
            Kind::Absent => "check the command in the charter; a path is meant from the charter's folder",
            _ => "check that the file can be executed",
        };
        failed.with_help(help)
    })
}

/// Collects what a stream says, the last part of it, on a thread of its own so that the program never blocks.
fn listen(
    stream: Option<impl Read + Send + 'static>,
    printed: &Arc<Mutex<Vec<u8>>>,
) -> Option<thread::JoinHandle<()>> {
    let mut stream = stream?;
    let printed = Arc::clone(printed);
    Some(thread::spawn(move || {
        let mut buffer = [0; 8192];
        while let Ok(count @ 1..) = stream.read(&mut buffer) {
            let Ok(mut all) = printed.lock() else { return };
            all.extend_from_slice(&buffer[..count]);
            let surplus = all.len().saturating_sub(KEPT_OUTPUT_BYTES);
            all.drain(..surplus);
        }
    }))
}

fn wait(child: &mut Child, limit_seconds: u32) -> Result<(Option<i32>, bool), PortError> {
    let end = Instant::now() + Duration::from_secs(u64::from(limit_seconds));
    let failed = |error| PortError::io("wait for a program", error);
    loop {
        if let Some(status) = child.try_wait().map_err(failed)? {
            return Ok((status.code(), false));
        }
        if Instant::now() >= end {
            kill_group(child);
            child.wait().map_err(failed)?;
            return Ok((None, true));
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// The whole group: a training program may have started others.
fn kill_group(child: &mut Child) {
    let group = format!("-{}", child.id());
    let killed = Command::new("kill")
        .args(["-KILL", "--", &group])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !killed.is_ok_and(|status| status.success()) {
        drop(child.kill());
    }
}

fn gather(
    dir: &Path,
    prefix: &str,
    found: &mut BTreeMap<String, Vec<u8>>,
    room: &mut u64,
) -> Result<(), PortError> {
    let failed = |error| PortError::io("read what the program left behind", error);
    for entry in fs::read_dir(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let meta = fs::symlink_metadata(entry.path()).map_err(failed)?;
        if meta.is_dir() {
            gather(&entry.path(), &format!("{name}/"), found, room)?;
        } else if meta.is_file() {
            *room = room.checked_sub(meta.len()).ok_or_else(|| {
                PortError::new(
                    Kind::Invalid,
                    format!("the program left more than {MAX_OUTPUTS_BYTES} bytes behind"),
                )
            })?;
            found.insert(name, files::read(&entry.path())?);
        } else {
            let text = format!("the program left `{name}`, which is neither a file nor a folder");
            return Err(
                PortError::new(Kind::Invalid, text).with_help("copy the file instead of linking to it")
            );
        }
    }
    Ok(())
}
