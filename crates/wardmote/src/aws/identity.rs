//! `wardmote aws identity`: what is in force of profiles, variables and endpoints.

use super::failure;
use crate::answer::Answers;
use crate::failure::Failure;
use crate::house::House;
use std::process::ExitCode;

pub(super) fn run(house: &House, answers: &Answers) -> Result<ExitCode, Failure> {
    let identity = aws::identity(&house.settings()?.client()?).map_err(failure)?;
    answers.give(&identity, |identity| {
        let mut lines = vec![
            format!("account    {}", identity.account),
            format!("caller     {}", identity.arn),
            format!("region     {} (partition {})", identity.region, identity.partition),
            format!("profile    {}", identity.profile),
        ];
        let mut title = "endpoints";
        for (service, url) in &identity.endpoints {
            lines.push(format!("{title:<10} {service:<13} {url}"));
            title = "";
        }
        lines.join("\n")
    })?;
    Ok(ExitCode::SUCCESS)
}
