//! What each command does with what a house may keep on AWS. The emulator's tests hold this: what a command calls there
//! is what its policy allows.

use crate::args::Cli;
use crate::failure::{Exit, Failure};
use aws::signals::SignalUse;
use aws::{KeyUse, ObjectUse};
use clap::CommandFactory;

use KeyUse::{
    Create, CreateGrant, CreateSigning, DeriveSecret, GenerateDataKey, ListGrants, PublicKey, RetireGrant,
    RevokeGrant, Rotate, SetState, Sign, State, UnwrapDataKey,
};
use ObjectUse::{Get, Lifecycle, Put, PutLifecycle};

/// What a command does.
#[derive(Debug, Clone, Copy)]
pub(super) struct Needs {
    pub(super) objects: &'static [ObjectUse],
    pub(super) keys: &'static [KeyUse],
    pub(super) reads: Option<Reads>,
    pub(super) signals: &'static [SignalUse],
    /// Whether it looks at, or changes, what serves on platforms of AWS.
    pub(super) fleet: bool,
}

/// How much of an account is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reads {
    /// Packages of model registries, and their model data.
    Packages,
    /// All principals and one resource.
    One,
    /// All principals, buckets and keys.
    Account,
    /// What controls are about.
    Posture,
    /// That, and messages that tell of changes, and whoever is told of verdicts.
    Watch,
    /// What controls are about, and the parts that are to be put right.
    Looks,
    /// That, and putting it right.
    Remedies,
}

const NOTHING: Needs = Needs { objects: &[], keys: &[], reads: None, signals: &[], fleet: false };
/// The charters that were in force are objects, so whoever opens the house reads objects.
const OPEN: Needs = Needs { objects: &[Get], ..NOTHING };

const fn reading(keys: &'static [KeyUse]) -> Needs {
    Needs { keys, ..OPEN }
}

const fn writing(keys: &'static [KeyUse]) -> Needs {
    Needs { objects: &[Put, Get], keys, ..NOTHING }
}

/// Every command; a test holds that none is missing.
const COMMANDS: &[(&str, Needs)] = &[
    ("demo", Needs { signals: &LOOK, ..writing(&ALL_BUT_ROTATION) }),
    ("init", NOTHING),
    ("plan", OPEN),
    ("apply", writing(&[State, Create, CreateSigning, PublicKey])),
    ("schema", NOTHING),
    ("data list", OPEN),
    ("data import", writing(&[GenerateDataKey])),
    ("data pseudonymise", writing(&[UnwrapDataKey, GenerateDataKey, DeriveSecret])),
    ("data read", reading(&[UnwrapDataKey])),
    ("key list", reading(&[State])),
    ("key disable", reading(&[SetState])),
    ("key enable", reading(&[SetState])),
    ("key rotate", reading(&[Rotate])),
    ("key grant", reading(&[CreateGrant])),
    ("key grants", reading(&[ListGrants, RevokeGrant])),
    ("key revoke-grant", reading(&[ListGrants, RevokeGrant])),
    ("key retire-grant", reading(&[RetireGrant])),
    ("key new", OPEN),
    ("key approvers", OPEN),
    ("key confirm", OPEN),
    ("key withdraw", OPEN),
    ("credential issue", OPEN),
    ("model list", OPEN),
    ("model requests", OPEN),
    ("model show", OPEN),
    ("model train", writing(&[UnwrapDataKey, GenerateDataKey])),
    ("model import", Needs { reads: Some(Reads::Packages), ..writing(&[UnwrapDataKey, GenerateDataKey]) }),
    ("model validate", writing(&[UnwrapDataKey])),
    ("model approve", writing(&[UnwrapDataKey, Sign, PublicKey])),
    ("model revoke-approval", OPEN),
    ("model reject", OPEN),
    ("model deploy", Needs { fleet: true, ..writing(&[UnwrapDataKey, Sign, PublicKey]) }),
    ("model fallback", OPEN),
    ("model serving", Needs { fleet: true, ..writing(&[UnwrapDataKey, PublicKey]) }),
    ("model reviews", OPEN),
    ("model review", OPEN),
    ("model rollback", Needs { fleet: true, ..reading(&[UnwrapDataKey, PublicKey]) }),
    ("model quarantine", Needs { fleet: true, ..reading(&[UnwrapDataKey, PublicKey]) }),
    ("model release", Needs { fleet: true, ..OPEN }),
    ("model document", OPEN),
    ("model export", reading(&[UnwrapDataKey, PublicKey])),
    ("model reproduce", reading(&[UnwrapDataKey])),
    ("model verify", NOTHING),
    ("model retire", OPEN),
    ("serve", Needs { signals: &LOOK, fleet: true, ..writing(&[UnwrapDataKey, GenerateDataKey, PublicKey]) }),
    ("labels import", writing(&[GenerateDataKey])),
    (
        "monitor",
        Needs { signals: &LOOK, fleet: true, ..writing(&[UnwrapDataKey, GenerateDataKey, PublicKey]) },
    ),
    ("card", OPEN),
    ("history", OPEN),
    ("lineage", OPEN),
    ("who-approved", OPEN),
    ("model diff", OPEN),
    ("charter rehearse", OPEN),
    ("log verify-proof", NOTHING),
    ("log", NOTHING),
    ("log export", NOTHING),
    ("verify", OPEN),
    ("iam evaluate", NOTHING),
    ("iam prove", NOTHING),
    ("iam lint", NOTHING),
    ("iam operation", NOTHING),
    ("iam who-can", Needs { reads: Some(Reads::One), ..NOTHING }),
    ("iam what-can", Needs { reads: Some(Reads::Account), ..NOTHING }),
    ("iam matrix", Needs { reads: Some(Reads::Account), ..NOTHING }),
    ("iam inventory", Needs { reads: Some(Reads::Account), ..NOTHING }),
    ("iam batch", NOTHING),
    ("controls", NOTHING),
    ("audit", Needs { reads: Some(Reads::Posture), ..NOTHING }),
    ("remediate plan", Needs { reads: Some(Reads::Looks), ..writing(&[]) }),
    ("remediate approve", OPEN),
    ("remediate apply", Needs { reads: Some(Reads::Remedies), ..writing(&[]) }),
    ("remediate undo", Needs { reads: Some(Reads::Remedies), ..writing(&[]) }),
    ("remediate list", NOTHING),
    ("watch", Needs { reads: Some(Reads::Watch), signals: &LOOK, ..writing(&[]) }),
    ("incident list", OPEN),
    ("incident acknowledge", OPEN),
    ("incident resolve", reading(&[UnwrapDataKey, PublicKey])),
    ("waiver grant", OPEN),
    ("waiver withdraw", OPEN),
    ("waiver list", OPEN),
    ("aws", NOTHING),
    ("aws lifecycle", Needs { objects: &[Put, Get, Lifecycle, PutLifecycle], ..NOTHING }),
    ("aws alarms", Needs { signals: &[SignalUse::Alarms], ..OPEN }),
    ("completions", NOTHING),
    ("man", NOTHING),
];

const ALL_BUT_ROTATION: [KeyUse; 8] =
    [State, Create, CreateSigning, GenerateDataKey, UnwrapDataKey, DeriveSecret, Sign, PublicKey];

/// Commands that print their policy themselves.
const OWN: [&str; 3] = ["aws archive", "aws registry", "aws trail fetch"];

const LOOK: [SignalUse; 2] = [SignalUse::Metrics, SignalUse::Alerts];

/// What a command needs, by the words that name it.
pub(super) fn of(command: &str) -> Result<Needs, Failure> {
    if OWN.contains(&command) {
        let text = format!("what `wardmote {command}` may need depends on its arguments");
        return Err(Failure::new(Exit::Usage, text)
            .with_help(format!("add `--permissions` to it: `wardmote {command} ... --permissions`")));
    }
    let named = |(name, _): &&(&str, Needs)| {
        *name == command || command.strip_prefix(name).is_some_and(|rest| rest.starts_with(' '))
    };
    // `log export` before `log`.
    let found = COMMANDS.iter().filter(named).max_by_key(|(name, _)| name.len());
    if let Some((_, needs)) = found {
        return Ok(*needs);
    }
    if Cli::command().find_subcommand(command).is_some() {
        let under: Vec<String> = COMMANDS
            .iter()
            .filter(|(name, _)| name.starts_with(&format!("{command} ")))
            .map(|(name, _)| format!("`{name}`"))
            .collect();
        return Err(Failure::new(Exit::Usage, format!("`wardmote {command}` is several commands"))
            .with_help(format!("name one of {}", under.join(", "))));
    }
    Err(Failure::new(Exit::Usage, format!("there is no command `wardmote {}`", command.escape_debug()))
        .with_help("name a command as `wardmote --help` lists them, for example `model train`"))
}

/// What all commands of a house need.
pub(super) fn of_house() -> Needs {
    let signals = &[SignalUse::Metrics, SignalUse::Alerts, SignalUse::Alarms];
    Needs { signals, fleet: true, ..writing(&KeyUse::ALL) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_in_the_table_and_nothing_else() {
        let (mut missing, mut known) = (Vec::new(), Vec::new());
        leaves(&Cli::command(), "", &mut |name| {
            known.push(name.to_owned());
            if !OWN.contains(&name) && of(name).is_err() {
                missing.push(name.to_owned());
            }
        });
        assert!(missing.is_empty(), "not in the table: {missing:?}");
        for (name, _) in COMMANDS {
            let there = known.iter().any(|one| one == name || one.starts_with(&format!("{name} ")));
            assert!(there, "`{name}` is in the table and is no command");
        }
    }

    fn leaves(command: &clap::Command, path: &str, see: &mut impl FnMut(&str)) {
        for sub in command.get_subcommands() {
            let name = format!("{path} {}", sub.get_name()).trim_start().to_owned();
            if sub.has_subcommands() {
                leaves(sub, &name, see);
            }
            if !sub.has_subcommands() || !sub.is_subcommand_required_set() {
                see(&name);
            }
        }
    }
}
