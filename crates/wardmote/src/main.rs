//! `wardmote`: the command line. Arguments, the choice of adapters, rendering of answers and errors, exit codes; every
//! decision is the engine's.

mod answer;
mod approvals;
mod args;
mod audit;
mod aws;
mod blueprint;
mod checkpoints;
mod commands;
mod demo;
mod doors;
mod failure;
mod files;
mod fleet;
mod grants;
mod house;
mod iam;
mod import;
mod lineage;
mod proofs;
mod quarantine;
mod questions;
mod remediate;
mod render;
mod reproduce;
mod reviews;
mod serve;
mod serving;
mod signature;
mod waiver;
mod watch;

use answer::Answers;
use args::Cli;
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let answers = Answers::new(cli.json);
    match commands::run(&cli, &answers) {
        Ok(code) => code,
        Err(failure) => {
            answers.failure(&failure);
            failure.exit_code()
        }
    }
}
