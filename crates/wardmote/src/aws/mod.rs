//! `wardmote aws`: who calls and where, what each command may need there, and the house's part in it.

mod archive;
mod args;
mod fetch;
mod identity;
mod incidents;
mod lifecycle;
mod needs;
mod permissions;
mod registry;
mod settings;
mod signals;
mod token;
mod trail;
mod waiting;

pub(crate) use args::{AwsCommand, StoreArgs};
pub(crate) use incidents::send as send_incidents;
pub(crate) use settings::{CALLS, HouseSettings, ObjectPlace, failure};
pub(crate) use signals::{line, send};

use crate::answer::Answers;
use crate::failure::Failure;
use crate::house::House;
use facts::PersonId;
use std::process::ExitCode;

pub(crate) fn run(
    house: &House,
    act_as: Option<&PersonId>,
    command: &AwsCommand,
    answers: &Answers,
) -> Result<ExitCode, Failure> {
    match command {
        AwsCommand::Identity => identity::run(house, answers),
        AwsCommand::Token(args) => token::run(house, args, answers),
        AwsCommand::Permissions(args) => permissions::run(house, args, answers),
        AwsCommand::Archive(args) => archive::run(house, args, answers),
        AwsCommand::Alarms(args) => signals::alarms(house, args, answers),
        AwsCommand::Lifecycle(args) => lifecycle::run(house, act_as, args, answers),
        AwsCommand::Registry(args) => registry::run(house, act_as, args, answers),
        AwsCommand::Trail(command) => trail::run(house, command, answers),
    }
}
