//! `wardmote aws token`: a token that proves an AWS identity to one server, and to nobody else.

use super::args::TokenArgs;
use super::failure;
use crate::answer::Answers;
use crate::failure::{Exit, Failure};
use crate::house::House;
use guard::door::aws::{SERVER_HEADER, is_server_name, not_a_server_name, token};
use std::process::ExitCode;

pub(super) fn run(house: &House, args: &TokenArgs, answers: &Answers) -> Result<ExitCode, Failure> {
    if !is_server_name(&args.server) {
        return Err(Failure::new(Exit::Input, not_a_server_name(&args.server))
            .with_help("who runs the server knows its name: `doors.aws.server` in its `house.json`"));
    }
    let client = house.settings()?.client()?;
    let header = (SERVER_HEADER, args.server.as_str());
    let url = aws::signed_identity(&client, header, args.seconds).map_err(failure)?;
    let answer = serde_json::json!({ "token": token(&url), "seconds": args.seconds });
    answers.give(&answer, |_| token(&url))?;
    Ok(ExitCode::SUCCESS)
}
