//! `wardmote iam prove`.

use super::args::{GrantedArgs, LayerArgs, ProveCommand};
use super::{files, no};
use crate::answer::Answers;
use crate::failure::{Exit, Failure};
use iam::prove::{
    Grants, Proof, access_not_granted, no_new_access, no_new_access_within, no_public_access_within,
};
use iam::{Layers, Policy, PolicyKind, Program};
use serde_json::json;
use std::process::ExitCode;

pub(super) fn run(command: &ProveCommand, answers: &Answers) -> Result<ExitCode, Failure> {
    match command {
        ProveCommand::NoPublicAccess { policy, rcp, s3 } => {
            let args = LayerArgs { rcp: rcp.clone(), s3: s3.clone(), ..LayerArgs::default() };
            let layers = files::layers(&args, "s3")?;
            let policy = files::policy(policy)?;
            let by_s3 = iam::is_public_by_s3(&policy);
            let note = about_s3(&policy).then(|| {
                format!("by S3's own test the policy is {}", if by_s3 { "public" } else { "not public" })
            });
            let ask = |policy: &Policy| no_public_access_within(policy, &layers);
            let proof = ask(&policy);
            let hint = hint(&policy, &proof, &ask);
            give(answers, ("no-public-access", "nobody outside gets in"), &proof, (note, hint))
        }
        ProveCommand::NoNewAccess { old, new, layers } => {
            let (old, new) = (files::policy(old)?, files::policy(new)?);
            let alone = **layers == LayerArgs::default();
            let service = service_of(&new).to_owned();
            let layers = files::layers(layers, &service)?;
            let ask = |policy: &Policy| match alone {
                true => no_new_access(&old, policy),
                false => no_new_access_within(&old, policy, files::resource_kind(&service), &layers),
            };
            let proof = ask(&new);
            let hint = hint(&new, &proof, &ask);
            let sentence = "the new policy lets nothing through that the old one did not";
            give(answers, ("no-new-access", sentence), &proof, (None, hint))
        }
        ProveCommand::AccessNotGranted(args) => granted(args, answers),
    }
}

/// The service of which a policy speaks first.
fn service_of(policy: &Policy) -> &str {
    let mut actions = policy.statements.iter().flat_map(|statement| &statement.action.items);
    actions.find_map(|action| action.text.split_once(':')).map_or("", |(service, _)| service)
}

/// Whether S3 is what a policy is about.
fn about_s3(policy: &Policy) -> bool {
    let mut actions = policy.statements.iter().flat_map(|statement| &statement.action.items);
    actions.any(|action| action.text == "*" || action.text.to_ascii_lowercase().starts_with("s3:"))
}

fn granted(args: &GrantedArgs, answers: &Answers) -> Result<ExitCode, Failure> {
    let service =
        args.actions.first().and_then(|action| action.split_once(':')).map_or("", |(service, _)| service);
    let mut layers = files::layers(&args.layers, service)?;
    if let Some(path) = &args.policy {
        add(&mut layers, files::policy(path)?, service);
    }
    if args.policy.is_none() && is_empty(&args.layers) {
        return Err(Failure::new(Exit::Usage, "no policy was given")
            .with_help("give a policy, or layers such as `--identity FILE` and `--resource-policy FILE`"));
    }
    let grants = Grants {
        actions: args.actions.clone(),
        resources: args.resources.clone(),
        except: args.except.clone(),
    };
    let ask = |layers: &Layers| access_not_granted(layers, &grants, args.account.as_deref());
    let proof = ask(&layers);
    let hint = layers.resource.as_ref().or(layers.identity.first()).and_then(|program| {
        hint(program.source(), &proof, &|policy| {
            let mut layers = layers.clone();
            let changed = Program::new(policy.clone(), program.kind());
            match layers.resource.is_some() {
                true => layers.resource = Some(changed),
                false => layers.identity.splice(..1, [changed]).for_each(drop),
            }
            ask(&layers)
        })
    });
    give(answers, ("access-not-granted", "no such access is granted"), &proof, (None, hint))
}

/// Which statements to change so that a check holds.
fn hint(policy: &Policy, proof: &Proof, check: &dyn Fn(&Policy) -> Proof) -> Option<String> {
    let Proof::Witness(_) = proof else { return None };
    let name = |at: &usize| {
        let sid = policy.statements.get(*at).and_then(|statement| statement.sid.as_ref());
        sid.map_or_else(|| format!("statement {at}"), |sid| format!("statement {at} (`{}`)", sid.text))
    };
    let gone: Vec<String> = iam::prove::repair(policy, check)?.iter().map(name).collect();
    Some(format!("narrow or remove {}; without it the check holds", gone.join(" and ")))
}

fn is_empty(layers: &LayerArgs) -> bool {
    layers.identity.is_empty() && layers.resource_policy.is_none()
}

fn add(layers: &mut Layers, policy: Policy, service: &str) {
    if policy.statements.iter().any(|statement| statement.principal.is_some()) {
        layers.resource = Some(Program::new(policy, files::resource_kind(service)));
    } else {
        layers.identity.push(Program::new(policy, PolicyKind::Identity));
    }
}

fn give(
    answers: &Answers,
    (check, sentence): (&str, &str),
    proof: &Proof,
    (note, hint): (Option<String>, Option<String>),
) -> Result<ExitCode, Failure> {
    let (result, code) = match proof {
        Proof::Proved => ("proved", ExitCode::SUCCESS),
        Proof::Witness(_) => ("refuted", no()),
        Proof::Unknown(_) => ("unknown", ExitCode::FAILURE),
    };
    let witness = if let Proof::Witness(request) = proof { Some(iam::request_json(request)) } else { None };
    let cause = if let Proof::Unknown(cause) = proof { Some(*cause) } else { None };
    let answer = json!({ "check": check, "result": result, "witness": witness, "cause": cause, "note": note, "hint": hint });
    answers.give(&answer, |_| {
        let mut text = match (proof, &witness) {
            (Proof::Unknown(cause), _) => format!("unknown: {cause}"),
            (_, Some(witness)) => format!("refuted: this request is let through\n{witness:#}"),
            _ => format!("proved: {sentence}"),
        };
        if let Some(hint) = &hint {
            text.push_str(&format!("\nhelp: {hint}"));
        }
        if let Some(note) = &note {
            text.push_str(&format!("\nnote: {note}"));
        }
        text
    })?;
    Ok(code)
}
