//! `wardmote aws permissions`: the smallest IAM policy with which a command works, from the declarations of the
//! operations that it calls.

use super::args::PermissionsArgs;
use super::needs::{self, Needs, Reads};
use super::settings::{HouseSettings, failure};
use crate::answer::Answers;
use crate::failure::{Exit, Failure};
use crate::house::House;
use aws::watch::WatchUse;
use aws::{KeyUse, ObjectUse, PolicyDocument};
use std::process::ExitCode;

pub(super) fn run(house: &House, args: &PermissionsArgs, answers: &Answers) -> Result<ExitCode, Failure> {
    let settings = house.settings()?;
    let command = args.command.join(" ");
    let needs = if command.is_empty() { needs::of_house() } else { needs::of(&command)? };
    if args.administration && !settings.administered_apart() {
        let text = "in this house keys are administered by whoever uses them";
        return Err(Failure::new(Exit::Usage, text)
            .with_help("leave `--administration` out: the one policy has everything in it"));
    }
    let mut document = document(&settings, &needs, args.administration)?;
    if needs.fleet && !args.administration {
        document = PolicyDocument::join([document, serving(house, &settings)?]);
    }
    if !args.administration && needs.objects.contains(&ObjectUse::Get) {
        document = PolicyDocument::join([document, checkpoints(house, &settings)?]);
    }
    if document.actions().is_empty() {
        let command =
            if command.is_empty() { "this house".to_owned() } else { format!("`wardmote {command}`") };
        answers.remark(&format!("note: {command} needs no permission of AWS here"));
        if !house.dir().exists() {
            let dir = house.dir().display();
            answers.remark(&format!("note: there is no folder `{dir}`: name that of the house with `--dir`"));
        }
    }
    answers.give(&document.to_json(), |document| format!("{document:#}"))?;
    Ok(ExitCode::SUCCESS)
}

/// What the endpoints need that the charter in force has on AWS; nothing if none is in force.
fn serving(house: &House, settings: &HouseSettings) -> Result<PolicyDocument, Failure> {
    if !house.has_ledger() {
        return Ok(PolicyDocument::join([]));
    }
    let sites = house.open_read_only()?.sites()?;
    if !sites.iter().any(aws::fleet::AwsFleet::serves) {
        return Ok(PolicyDocument::join([]));
    }
    Ok(aws::fleet::AwsFleet::new(settings.client()?).permissions(&sites)?)
}

/// What whoever opens the house and writes into its ledger needs, if a key of KMS signs its checkpoints.
fn checkpoints(house: &House, settings: &HouseSettings) -> Result<PolicyDocument, Failure> {
    let Some(keys) = settings.keys()? else { return Ok(PolicyDocument::join([])) };
    if !house.has_ledger() || house.open_read_only()?.state().checkpoint_signers().is_empty() {
        return Ok(PolicyDocument::join([]));
    }
    Ok(keys.permissions_to_use(&[KeyUse::Sign])?)
}

fn document(
    settings: &HouseSettings,
    needs: &Needs,
    administration: bool,
) -> Result<PolicyDocument, Failure> {
    let mut documents = Vec::new();
    if let Some(keys) = settings.keys()? {
        if !administration {
            documents.push(keys.permissions_to_use(needs.keys)?);
        }
        if administration || !settings.administered_apart() {
            documents.push(keys.permissions_to_administer(needs.keys)?);
        }
    }
    if !administration {
        if let Some(objects) = settings.objects()? {
            documents.push(objects.permissions(needs.objects)?);
        }
        if let Some(signals) = settings.signals()? {
            documents.push(signals.permissions(needs.signals).map_err(failure)?);
        }
        documents.extend(needs.reads.map(|reads| match reads {
            Reads::Packages => aws::model_data::permissions(),
            Reads::One => aws::inventory::permissions_for_one(),
            Reads::Account => aws::inventory::permissions(),
            Reads::Posture => aws::posture::permissions(),
            Reads::Watch => {
                let uses = [WatchUse::Queue, WatchUse::SecurityHub, WatchUse::Config];
                PolicyDocument::join([aws::posture::permissions(), aws::watch::permissions(&uses)])
            }
            Reads::Looks => aws::remedy::permissions(false),
            Reads::Remedies => aws::remedy::permissions(true),
        }));
    }
    Ok(PolicyDocument::join(documents))
}
