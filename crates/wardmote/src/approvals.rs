//! Signing approvals: the private half of an approver's key is made, kept and used here, on the approver's side, and never
//! enters the house.

use crate::args::{VerifyArgs, VersionArgs};
use crate::checkpoints::{self, CheckpointSigned};
use crate::commands::{At, Run, read_file};
use crate::failure::{Exit, Failure};
use crate::house::write_private;
use crate::render;
use engine::{ApprovalAudit, Done, Engine, KeyBinding, RegisteredKey};
use facts::{Actor, PersonId, VerifierKey};
use ledger::Signer;
use local::{SystemEntropy, VerifyReport};
use registry::VersionNumber;
use serde::Serialize;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use world::Entropy;
use zeroize::Zeroizing;

/// A private key is one line; what is longer is none.
const MAX_KEY_BYTES: u64 = 1024;

/// What `verify` found: of the ledger, and of the approvals in it.
#[derive(Serialize)]
pub(crate) struct Verified {
    #[serde(flatten)]
    pub(crate) ledger: VerifyReport,
    /// What became of the approvals in it.
    pub(crate) approvals: Approvals,
    /// Who else should have signed the checkpoint that was given out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) checkpoint: Vec<CheckpointSigned>,
}

/// What became of the check of approvals.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Approvals {
    /// All were looked at.
    Checked(ApprovalAudit),
    /// They could not be looked at, and why.
    Unknown(String),
}

impl At<'_> {
    /// Makes a signing key. The file comes first, so that no key is registered whose private half is nowhere.
    pub(crate) fn new_key(&self, out: Option<&Path>, replaces: Option<&Path>) -> Run {
        self.with(|engine, actor| {
            let name = engine.signing_key_name(&actor.id)?;
            let path = match out {
                Some(path) => path.to_owned(),
                None => default_path(&name).ok_or_else(|| {
                    Failure::new(Exit::Usage, "there is no home folder to keep the private key in")
                        .with_help("name a file with `--out`")
                })?,
            };
            if path.exists() {
                return Err(Failure::new(Exit::Conflict, format!("`{}` is there already", path.display()))
                    .with_help("a private key is never written over: name another file with `--out`"));
            }
            let mut seed = Zeroizing::new([0; 32]);
            SystemEntropy.fill(seed.as_mut_slice())?;
            let private = ledger::private_key(&name, &seed)
                .map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
            let signer =
                Signer::parse(&private).map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
            let old = replaces.map(read_key).transpose()?;
            let binding =
                KeyBinding::new(actor.id.clone(), public(&signer)?, old.as_ref().map(public).transpose()?);
            let mut note = signer.sign(&binding.text()?);
            if let Some(old) = &old {
                note = old.cosign(&note).map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
            }
            write_private(&path, private.as_bytes())?;
            let done = engine.register_signing_key(actor, &note).inspect_err(|_| {
                // Not registered, so it is worth nothing; the reason is what counts.
                drop(std::fs::remove_file(&path));
            })?;
            let answer =
                serde_json::json!({ "key": done.answer, "private": path, "evidence": done.evidence });
            self.answers.give(&answer, |_| {
                format!(
                    "{}\nthe private half is in `{}` and nowhere else\n{}",
                    done.answer.key,
                    path.display(),
                    crate::answer::evidence(&done.evidence)
                )
            })
        })
    }

    pub(crate) fn approvers(&self) -> Run {
        let engine = self.house.open_read_only()?;
        let keys = engine.state().approver_keys().all();
        let pinned: Vec<_> = engine
            .charter()?
            .charter()
            .people
            .iter()
            .filter_map(|person| Some((person.id.clone(), person.public_key.clone()?)))
            .collect();
        let answer = serde_json::json!({
            "registered": keys,
            "pinned": pinned.iter().map(|(person, key)| serde_json::json!({ "person": person, "key": key })).collect::<Vec<_>>(),
        });
        self.answers.give(&answer, |_| {
            let mut lines: Vec<String> = keys.iter().map(key_line).collect();
            lines.extend(
                pinned.iter().map(|(person, key)| format!("{person:<12} {key}  named by the charter")),
            );
            if lines.is_empty() { "nobody has a signing key".to_owned() } else { lines.join("\n") }
        })?;
        Ok(ExitCode::SUCCESS)
    }

    pub(crate) fn signing_key(&self, done: &Done<RegisteredKey>) -> Result<(), Failure> {
        self.answers.give(done, |done| {
            format!("{}\n{}", key_line(&done.answer), crate::answer::evidence(&done.evidence))
        })
    }

    /// Approves, signed if the approver has a key.
    pub(crate) fn approve(&self, which: &VersionArgs, key: Option<&Path>) -> Run {
        self.with(|engine, actor| {
            let number = VersionNumber(which.version);
            let done = match signer_of(engine, actor, key)? {
                // Whether it may be approved at all is decided, and a refusal recorded, without a signature.
                None => engine.approve(actor, &which.model, number)?,
                Some(signer) => match engine.approval_statement(actor, &which.model, number) {
                    Ok(statement) => {
                        let note = signer.sign(&statement.text());
                        engine.approve_signed(actor, (&which.model, number), &note)?
                    }
                    Err(_) => engine.approve(actor, &which.model, number)?,
                },
            };
            self.decided(&done)
        })
    }

    pub(crate) fn verify(&self, args: &VerifyArgs) -> Run {
        let trusted = args.approvers.as_deref().map(read_approvers).transpose()?;
        let ledger =
            local::verify_ledger(&self.house.ledger_dir()).map_err(|error| self.without_ledger(error))?;
        let engine = self.opened(&ledger)?;
        let (approvals, unread) = match &engine {
            Ok(engine) => audited(engine, trusted.as_deref()),
            Err((why, exit)) => (Approvals::Unknown(why.clone()), *exit),
        };
        let checkpoint = checkpoints::signed(self.house, engine.as_ref().ok(), args.log_keys.as_deref())?;
        let believed = match &approvals {
            Approvals::Checked(audit) => audit.findings.is_empty(),
            // Who brings keys asks about approvals; who brings none has a copy of the ledger alone, perhaps.
            Approvals::Unknown(_) => trusted.is_none(),
        };
        let whole = ledger.ok() && believed && checkpoint.iter().all(|one| one.verdict.passes());
        self.answers.give(&Verified { ledger, approvals, checkpoint }, render::verified)?;
        Ok(match (whole, unread) {
            (false, _) => ExitCode::from(Exit::Damaged as u8),
            // What should be there and cannot be read is not whole, and not said to be.
            (true, Some(exit)) => ExitCode::from(exit as u8),
            (true, None) => ExitCode::SUCCESS,
        })
    }

    /// The house behind a ledger that is whole, or why it cannot be opened.
    fn opened(&self, ledger: &VerifyReport) -> Result<Result<Engine, Unread>, Failure> {
        if !ledger.ok() {
            return Ok(Err(("the ledger is damaged".to_owned(), None)));
        }
        // Opening a house makes its folders, and verification changes nothing.
        if self.house.settings()?.objects()?.is_none() && !self.house.dir().join("objects").is_dir() {
            return Ok(Err(("the charters in force then are not beside the ledger".to_owned(), None)));
        }
        Ok(self.house.open_read_only().map_err(|failure| unread(&failure)))
    }
}

/// Why something was not read; with an exit if it should have been there.
type Unread = (String, Option<Exit>);

fn unread(failure: &Failure) -> Unread {
    (failure.message().to_owned(), Some(failure.exit()))
}

fn audited(engine: &Engine, trusted: Option<&[VerifierKey]>) -> (Approvals, Option<Exit>) {
    if engine.state().charters().is_empty() {
        return (Approvals::Checked(ApprovalAudit::default()), None);
    }
    match engine.audit_approvals(trusted) {
        Ok(audit) => (Approvals::Checked(audit), None),
        Err(error) => {
            let (why, exit) = unread(&Failure::from(error));
            (Approvals::Unknown(why), exit)
        }
    }
}

/// The key to sign with: the one named, or the one that `key new` wrote if this approver has registered one.
fn signer_of(engine: &Engine, actor: &Actor, named: Option<&Path>) -> Result<Option<Signer>, Failure> {
    if let Some(path) = named {
        return read_key(path).map(Some);
    }
    let pinned = engine.charter()?.person(&actor.id).is_some_and(|person| person.public_key.is_some());
    if !pinned && engine.state().approver_keys().of(&actor.id).is_none() {
        return Ok(None);
    }
    match default_path(&engine.signing_key_name(&actor.id)?).filter(|path| path.exists()) {
        Some(path) => read_key(&path).map(Some),
        None => Ok(None),
    }
}

/// `~/.config/wardmote/first-example-bank/bruno.key`, as the XDG base directories have it.
fn default_path(name: &str) -> Option<PathBuf> {
    let set =
        |variable: &str| std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = set("XDG_CONFIG_HOME").or_else(|| set("HOME").map(|home| home.join(".config")))?;
    Some(base.join("wardmote").join(format!("{name}.key")))
}

/// Reads a private key; one that others can read is no longer private.
fn read_key(path: &Path) -> Result<Signer, Failure> {
    let shown = path.display();
    let meta = std::fs::metadata(path).map_err(|error| Failure::io(format!("read `{shown}`"), error))?;
    let wrong = || {
        Failure::new(Exit::Input, format!("`{shown}` holds no private key"))
            .with_help("name the file that `wardmote key new` wrote")
    };
    if !meta.is_file() || meta.len() > MAX_KEY_BYTES {
        return Err(wrong());
    }
    if meta.permissions().mode() & 0o077 != 0 {
        return Err(Failure::new(Exit::Input, format!("the private key `{shown}` can be read by others"))
            .with_help(format!(
                "if nobody has it yet: `chmod 600 {shown}`; else withdraw it and make a new one"
            )));
    }
    let bytes = Zeroizing::new(read_file(path)?);
    let text = std::str::from_utf8(&bytes).map_err(|_| wrong())?;
    Signer::parse(text).map_err(|_| wrong())
}

fn public(signer: &Signer) -> Result<VerifierKey, Failure> {
    signer
        .verifier()
        .vkey()
        .parse()
        .map_err(|error: facts::ParseError| Failure::new(Exit::Input, error.to_string()))
}

fn read_approvers(path: &Path) -> Result<Vec<VerifierKey>, Failure> {
    let text = String::from_utf8(read_file(path)?)
        .map_err(|_| Failure::new(Exit::Input, format!("`{}` is not UTF-8 text", path.display())))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            line.parse().map_err(|error: facts::ParseError| {
                Failure::new(Exit::Input, format!("`{}`: {error}", path.display()))
            })
        })
        .collect()
}

fn key_line(key: &RegisteredKey) -> String {
    let by = |person: &PersonId, what: &str, evidence: &facts::EvidenceId| {
        format!("{what} by {person} ({evidence})")
    };
    let standing = match (&key.withdrawn, &key.confirmed, &key.replaces) {
        (Some((time, reason, evidence)), _, _) => {
            format!("withdrawn on {}: {reason} ({evidence})", time.date())
        }
        (None, Some((person, evidence)), _) => by(person, "confirmed", evidence),
        (None, None, Some(old)) => format!("signed for by {}", old.fingerprint()),
        (None, None, None) => "nobody stands for it yet".to_owned(),
    };
    format!(
        "{:<12} {}  registered on {} ({}), {standing}",
        key.person.to_string(),
        key.key,
        key.since.date(),
        key.evidence
    )
}
