//! `wardmote iam`: questions about AWS IAM policies in files. Needs no house and writes nothing.

mod args;
mod ask;
mod evaluate;
mod files;
mod lint;
mod live;
mod operation;
mod prove;

pub(crate) use args::IamCommand;

use crate::answer::Answers;
use crate::failure::{Exit, Failure};
use std::io::{BufRead, Read, Write};
use std::path::Path;
use std::process::ExitCode;

/// Lines longer than this are no cases.
const MAX_LINE_BYTES: u64 = 17 << 20;

pub(crate) fn run(command: &IamCommand, answers: &Answers) -> Result<ExitCode, Failure> {
    match command {
        IamCommand::Evaluate(args) => evaluate::run(args, answers),
        IamCommand::Prove(command) => prove::run(command, answers),
        IamCommand::Lint(args) => lint::run(args, answers),
        IamCommand::Operation(args) => operation::run(args, answers),
        IamCommand::WhoCan(args) => ask::who_can(args, answers),
        IamCommand::WhatCan(args) => ask::what_can(args, answers),
        IamCommand::Matrix(args) => ask::matrix(args, answers),
        IamCommand::Inventory => live::print(answers),
        IamCommand::Batch { cases } => batch(cases),
    }
}

/// Answers cases line by line, as they come.
fn batch(cases: &Path) -> Result<ExitCode, Failure> {
    let mut input: Box<dyn BufRead> = if cases == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        let file = std::fs::File::open(cases).map_err(|error| files::unreadable(cases, &error))?;
        Box::new(std::io::BufReader::new(file))
    };
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = input.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line);
        if read.map_err(|error| files::unreadable(cases, &error))? == 0 {
            break;
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let answer = iam::answer_line(&String::from_utf8_lossy(&line));
        match writeln!(out, "{answer}") {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(ExitCode::SUCCESS),
            Err(error) => return Err(Failure::io("write to standard output", error)),
            Ok(()) => {}
        }
    }
    out.flush().map_err(|error| Failure::io("write to standard output", error))?;
    Ok(ExitCode::SUCCESS)
}

/// The exit code of an answer that is `no`.
fn no() -> ExitCode {
    ExitCode::from(Exit::Refused as u8)
}
