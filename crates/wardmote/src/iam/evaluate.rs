//! `wardmote iam evaluate`.

use super::args::EvaluateArgs;
use super::{files, no};
use crate::answer::Answers;
use crate::failure::{Exit, Failure};
use iam::{Outcome, decide};
use std::process::ExitCode;

pub(super) fn run(args: &EvaluateArgs, answers: &Answers) -> Result<ExitCode, Failure> {
    let request = iam::read_request(&files::text(&args.request)?).map_err(|message| {
        Failure::new(Exit::Input, format!("`{}`: {message}", args.request.display()))
            .with_help("a request is {\"principal\": ARN, \"action\": \"s3:GetObject\", \"resource\": ARN, \"resourceAccount\": ID, \"context\": {...}}")
    })?;
    let layers = files::layers(&args.layers, request.service())?;
    if args.explain {
        let explanation = iam::explain(&layers, &request);
        answers.give(&explanation, ToString::to_string)?;
        return Ok(code(explanation.decision.outcome));
    }
    let decision = decide(&layers, &request);
    let blocked: Vec<String> = decision.blocked_by().map(|layer| layer.to_string()).collect();
    let answer = serde_json::json!({ "decision": decision.outcome, "blockedBy": blocked });
    answers.give(&answer, |_| {
        let word = match decision.outcome {
            Outcome::Allowed => "allowed",
            Outcome::ExplicitlyDenied => "denied: a statement forbids it",
            Outcome::ImplicitlyDenied => "denied: nothing allows it",
        };
        if blocked.is_empty() {
            word.to_owned()
        } else {
            format!("{word}\nblocked by: {}", blocked.join(", "))
        }
    })?;
    Ok(code(decision.outcome))
}

fn code(outcome: Outcome) -> ExitCode {
    if outcome == Outcome::Allowed { ExitCode::SUCCESS } else { no() }
}
