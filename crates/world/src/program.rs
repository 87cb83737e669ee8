//! Programs outside the product: training, for one.

use crate::PortError;
use std::{collections::BTreeMap, path::PathBuf};

/// A program to run.
#[derive(Debug, Clone)]
pub struct Program {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// The folder it starts in.
    pub folder: PathBuf,
    /// Its whole environment beyond PATH, HOME and the locale: nothing else is handed down, so no secret leaks.
    pub environment: BTreeMap<String, String>,
    /// Files that it finds: name relative to its private input folder, and content.
    pub inputs: BTreeMap<String, Vec<u8>>,
    /// Seconds after which it is killed with all its children.
    pub time_limit_seconds: u32,
    /// Not what is in the folder now, but a clean copy of its Git repository at an earlier commit.
    pub at_commit: Option<String>,
}

/// A program that has ended.
#[derive(Debug, Clone)]
pub struct Finished {
    /// Its exit code; none if it was killed.
    pub exit_code: Option<i32>,
    /// Whether the time limit killed it.
    pub timed_out: bool,
    /// The last 64 KiB of what it printed, both streams.
    pub output: String,
    /// The files that it left: name relative to its private output folder, and content.
    pub outputs: BTreeMap<String, Vec<u8>>,
}

/// Runs programs. The private folders exist only while the program runs.
pub trait ProgramRunner: Send + Sync {
    /// Runs one to its end. An error means that it could not be started; a failing program is a [`Finished`]. If the folder
    /// is in no repository that has the commit that is asked for, that is an error of kind Absent.
    fn run(&self, program: &Program) -> Result<Finished, PortError>;
}
