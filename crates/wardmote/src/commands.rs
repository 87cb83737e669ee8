//! One function a command: open the house, sign in, call the engine, give the answer.

use crate::answer::Answers;
use crate::args::{
    CardArgs, CharterCommand, Cli, Command, CredentialCommand, DataCommand, InitArgs, KeyCommand,
    LabelsCommand, LogArgs, LogCommand, ModelCommand, MonitorArgs, Part, VersionArgs,
};
use crate::aws::HouseSettings;
use crate::failure::{Exit, Failure};
use crate::house::{House, write_private};
use crate::{demo, remediate, render, serve};
use clap::CommandFactory;
use engine::{Engine, ImportRequest, KeyChange, ReadRequest, TrainRequest, View};
use facts::{Actor, KeyId, SnapshotName};
use registry::VersionNumber;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

/// The charter that `init` writes.
const TEMPLATE: &str = include_str!("../../../examples/credit-scoring/charter.yaml");

pub(crate) type Run = Result<ExitCode, Failure>;

pub(crate) fn run(cli: &Cli, answers: &Answers) -> Run {
    let house = House::at(cli.dir.as_deref().unwrap_or(Path::new("."))).telling(!answers.json());
    let at = At { cli, answers, house: &house };
    match &cli.command {
        Command::Demo(args) => demo::run(cli, args, answers),
        Command::Init(args) => at.init(args),
        Command::Plan(args) if args.aws => crate::blueprint::plan(&house, args, answers),
        Command::Plan(_) => at.plan(),
        Command::Apply(args) if args.aws => {
            let at = crate::blueprint::At { house: &house, act_as: cli.act_as.as_ref(), answers };
            crate::blueprint::apply(&at, args)
        }
        Command::Apply(_) => at.apply(),
        Command::Schema => answers.line(&format!("{:#}", charter::schema())).map(|()| ExitCode::SUCCESS),
        Command::Data(command) => at.data(command),
        Command::Key(command) => at.key(command),
        Command::Credential(CredentialCommand::Issue { holder }) => at.with(|engine, actor| {
            let done = engine.issue_credential(actor, holder, &mut |issued| house.deliver(issued))?;
            answers.give(&done, |done| {
                format!("issued a new access key to {}; it is in `credentials.json`", done.answer.holder)
            })
        }),
        Command::Model(command) => at.model(command),
        Command::Serve(args) => serve::run(&house, args, answers),
        Command::Labels(LabelsCommand::Import { model, file }) => at.with(|engine, actor| {
            let done = engine.import_labels(actor, model, &name_of(file), &read_file(file)?)?;
            answers.give(&done, |done| render::labels(&done.answer, &done.evidence))
        }),
        Command::Monitor(args) => at.monitor(args),
        Command::Card(args) => at.card(args),
        Command::History(args) => at.history(args),
        Command::Lineage(args) => crate::lineage::run(&house, args, answers),
        Command::WhoApproved { version, proof } => at.who_approved(version, proof),
        Command::Charter(CharterCommand::Rehearse { files }) => at.rehearse(files),
        Command::Log(args) => at.log(args),
        Command::Verify(args) => at.verify(args),
        Command::Iam(command) => crate::iam::run(command, answers),
        Command::Audit(args) => crate::audit::run(&house, args, answers),
        Command::Remediate(command) => {
            let at = remediate::At { house: &house, act_as: cli.act_as.as_ref(), answers };
            remediate::run(&at, command)
        }
        Command::Watch(args) => crate::watch::run(&house, cli.act_as.as_ref(), args, answers),
        Command::Incident(command) => crate::watch::incidents(&house, cli.act_as.as_ref(), command, answers),
        Command::Waiver(command) => crate::waiver::run(&house, cli.act_as.as_ref(), command, answers),
        Command::Aws(command) => crate::aws::run(&house, cli.act_as.as_ref(), command, answers),
        Command::Controls(command) => crate::audit::controls(command, answers),
        Command::Completions { shell } => {
            clap_complete::generate(*shell, &mut Cli::command(), "wardmote", &mut std::io::stdout());
            Ok(ExitCode::SUCCESS)
        }
        Command::Man { out } => man(out, answers),
    }
}

/// Everything that a command needs to know of where it runs.
pub(crate) struct At<'a> {
    pub(crate) cli: &'a Cli,
    pub(crate) answers: &'a Answers,
    pub(crate) house: &'a House,
}

impl At<'_> {
    /// Opens the house, signs in, and does something.
    pub(crate) fn with(&self, work: impl FnOnce(&mut Engine, &Actor) -> Result<(), Failure>) -> Run {
        let mut engine = self.house.open()?;
        let actor = self.house.sign_in(&engine, self.cli.act_as.as_ref())?;
        work(&mut engine, &actor)?;
        Ok(ExitCode::SUCCESS)
    }

    fn init(&self, args: &InitArgs) -> Run {
        let path = self.house.dir().join("charter.yaml");
        if path.exists() || self.house.dir().join("charter").exists() {
            return Err(Failure::new(
                Exit::Conflict,
                format!("there is a charter in `{}` already", self.house.dir().display()),
            )
            .with_help("edit it, then `wardmote plan` shows what it means"));
        }
        let settings = HouseSettings::typed(&args.stores)?;
        let quote = |text: &str| serde_json::to_string(text).unwrap_or_default();
        let text = TEMPLATE
            .replace("command: [\"./trainer\"]", &format!("command: [{}]", quote(&args.trainer)))
            .replace("      code: .\n", &format!("      code: {}\n", quote(&args.code)));
        fs::create_dir_all(self.house.dir())
            .map_err(|error| Failure::io(format!("make `{}`", self.house.dir().display()), error))?;
        settings.write(self.house.dir())?;
        write_private(&path, text.as_bytes())?;
        let path = path.display().to_string();
        self.answers.give(&serde_json::json!({ "charter": path }), |_| {
            format!("wrote {path}\nread it, change it, then `wardmote plan` shows what it means and `wardmote apply --as carla` puts it in force")
        })?;
        Ok(ExitCode::SUCCESS)
    }

    fn read_charter(&self) -> Result<charter::Checked, Failure> {
        self.house.charter(&mut |warning| self.answers.remark(&warning.to_string()))
    }

    fn plan(&self) -> Run {
        let charter = self.read_charter()?;
        let plan = if self.house.has_ledger() {
            self.house.open_read_only()?.plan_charter(&charter)
        } else {
            charter::plan(None, &charter)
        };
        self.answers.give(&plan, ToString::to_string)?;
        Ok(ExitCode::SUCCESS)
    }

    fn apply(&self) -> Run {
        let charter = self.read_charter()?;
        let governor = self.cli.act_as.clone().ok_or_else(|| {
            Failure::new(Exit::Usage, "somebody has to answer for the charter, and nobody was named")
                .with_help("add `--as ID` with the id of a compliance officer")
        })?;
        let origin = format!("{}.wardmote", charter.charter().organisation.id);
        let mut engine = self.house.open_or_found(&origin)?;
        if engine.state().credentials().has(&governor) {
            self.house.sign_in(&engine, Some(&governor))?;
        }
        let signers = engine.state().checkpoint_signers().len();
        let done = engine.apply_charter(&governor, &charter, &mut |issued| self.house.deliver(issued))?;
        if engine.state().checkpoint_signers().len() > signers {
            // Whoever signs checkpoints is known from here on; opened again, the ledger has the last one signed.
            drop(engine);
            drop(self.house.open()?);
        }
        self.answers.give(&done, |done| render::applied(&done.answer, &done.evidence))?;
        Ok(ExitCode::SUCCESS)
    }

    fn data(&self, command: &DataCommand) -> Run {
        match command {
            DataCommand::List => {
                let engine = self.house.open_read_only()?;
                let list: Vec<_> = engine.state().snapshots().iter().map(|recorded| &recorded.what).collect();
                self.answers.give(&list, |list| render::snapshots(list))?;
                Ok(ExitCode::SUCCESS)
            }
            DataCommand::Import { dataset, file, label } => self.with(|engine, actor| {
                let bytes = read_file(file)?;
                let request = ImportRequest { dataset: dataset.clone(), file: name_of(file), bytes, label: label.clone() };
                let done = engine.import(actor, request)?;
                self.answers.give(&done, |done| render::snapshot(&done.answer.snapshot, &done.evidence))
            }),
            DataCommand::Pseudonymise { dataset } => self.with(|engine, actor| {
                let done = engine.pseudonymise(actor, dataset)?;
                self.answers.give(&done, |done| render::snapshot(&done.answer.snapshot, &done.evidence))
            }),
            DataCommand::Read { snapshot, out, part, purpose } => self.with(|engine, actor| {
                let request = read_request(engine, snapshot, *part, purpose)?;
                let done = engine.read(actor, &request)?;
                let csv = done.answer.to_csv().map_err(|error| Failure::new(Exit::Damaged, error.to_string()))?;
                match out {
                    Some(path) => {
                        write_private(path, &csv)?;
                        let answer = serde_json::json!({ "rows": done.answer.rows().len(), "out": path, "evidence": done.evidence });
                        self.answers.give(&answer, |_| format!("wrote {} rows to {}", done.answer.rows().len(), path.display()))
                    }
                    None => self.answers.line(String::from_utf8_lossy(&csv).trim_end()),
                }
            }),
        }
    }

    fn key(&self, command: &KeyCommand) -> Run {
        let change = |key: &KeyId, change: KeyChange| {
            self.with(|engine, actor| {
                let done = engine.administer_key(actor, key, change)?;
                self.answers.give(&done, |done| render::key(&done.answer, &done.evidence))
            })
        };
        match command {
            KeyCommand::Disable { key } => change(key, KeyChange::Disabled),
            KeyCommand::Enable { key } => change(key, KeyChange::Enabled),
            KeyCommand::Rotate { key } => change(key, KeyChange::Rotated),
            KeyCommand::Grant(args) => self.grant(args),
            KeyCommand::Grants(args) => self.grants(args),
            KeyCommand::RevokeGrant(args) => self.revoke_grant(args),
            KeyCommand::RetireGrant(args) => self.retire_grant(args),
            KeyCommand::New { out, replaces } => self.new_key(out.as_deref(), replaces.as_deref()),
            KeyCommand::Approvers => self.approvers(),
            KeyCommand::Confirm { holder, key } => {
                self.with(|engine, actor| self.signing_key(&engine.confirm_signing_key(actor, holder, key)?))
            }
            KeyCommand::Withdraw { holder, reason } => self
                .with(|engine, actor| self.signing_key(&engine.withdraw_signing_key(actor, holder, reason)?)),
            KeyCommand::List => {
                let keys = self.house.open_read_only()?.list_keys()?;
                self.answers.give(&keys, |keys| {
                    keys.iter().map(|key| render::key(key, &[])).collect::<Vec<_>>().join("\n")
                })?;
                Ok(ExitCode::SUCCESS)
            }
        }
    }

    fn model(&self, command: &ModelCommand) -> Run {
        match command {
            ModelCommand::List => {
                let engine = self.house.open_read_only()?;
                self.answers.give(&render::model_list(engine.state())?, render::models)?;
                Ok(ExitCode::SUCCESS)
            }
            ModelCommand::Requests => {
                let engine = self.house.open_read_only()?;
                let waiting: Vec<_> = engine.waiting_requests().collect();
                self.answers.give(&waiting, |waiting| render::requests(waiting))?;
                Ok(ExitCode::SUCCESS)
            }
            ModelCommand::Show(version) => self.show(version),
            ModelCommand::Train { model, set, snapshot } => self.with(|engine, actor| {
                let request = TrainRequest {
                    model: model.clone(),
                    hyperparameters: set.iter().cloned().collect(),
                    snapshot: snapshot.clone(),
                    cause: None,
                };
                let spinner = render::spinner(self.answers, "training");
                let done = engine.train(actor, &request);
                spinner.finish_and_clear();
                let done = done?;
                self.answers.give(&done, |done| render::trained(&done.answer, &done.evidence))
            }),
            ModelCommand::Import(args) => crate::import::run(self, args),
            ModelCommand::Validate(version) => self.validate(version),
            ModelCommand::Approve { version, key } => self.approve(version, key.as_deref()),
            ModelCommand::RevokeApproval { version, of, reason } => self.with(|engine, actor| {
                let which = (&version.model, VersionNumber(version.version));
                self.decided(&engine.revoke_approval(
                    actor,
                    which,
                    of.as_ref().unwrap_or(&actor.id),
                    reason,
                )?)
            }),
            ModelCommand::Reject { version, reason } => self.with(|engine, actor| {
                self.decided(&engine.reject(actor, &version.model, VersionNumber(version.version), reason)?)
            }),
            ModelCommand::Retire { version, reason } => self.with(|engine, actor| {
                self.decided(&engine.retire(actor, &version.model, VersionNumber(version.version), reason)?)
            }),
            ModelCommand::Export { version, out } => self.with(|engine, actor| {
                let done = engine.export(actor, &version.model, VersionNumber(version.version))?;
                self.write_files(&done, out)
            }),
            ModelCommand::Document { version, kind, file } => self.document(version, kind, file),
            ModelCommand::Reproduce { version, tolerance } => self.reproduce(version, *tolerance),
            ModelCommand::Verify(args) => crate::signature::verify(args, self.answers),
            ModelCommand::Diff { model, from, to, proof } => self.diff(model, (*from, *to), proof),
            ModelCommand::Deploy(args) => self.deploy(args),
            ModelCommand::Serving(args) => self.serving(args),
            ModelCommand::Fallback(version) => self.fallback(version),
            ModelCommand::Reviews { model } => self.reviews(model.as_ref()),
            ModelCommand::Review { model, of, upheld, not_upheld: _, note } => {
                self.review((model, of.as_ref()), (*upheld, note))
            }
            ModelCommand::Quarantine { version, reason } => self.quarantine(version, reason),
            ModelCommand::Release { version, finding } => self.release(version, finding),
            ModelCommand::Rollback { model, reason } => self.with(|engine, actor| {
                let done = engine.rollback(actor, model, reason)?;
                self.answers.give(&done, |done| render::deployed(&done.answer, &done.evidence))
            }),
        }
    }

    fn show(&self, VersionArgs { model, version }: &VersionArgs) -> Run {
        let engine = self.house.open_read_only()?;
        let known = engine.state().registry().version(model, VersionNumber(*version)).ok_or_else(|| {
            Failure::new(Exit::NotFound, format!("there is no version {version} of `{model}`"))
                .with_help("`wardmote model list` shows the versions")
        })?;
        let places = engine.places(model, VersionNumber(*version));
        let shown = crate::serving::VersionShown { version: known, serving: places };
        self.answers.give(&shown, |shown| render::version(shown.version) + &shown.places())?;
        Ok(ExitCode::SUCCESS)
    }

    fn validate(&self, VersionArgs { model, version }: &VersionArgs) -> Run {
        let mut passed = true;
        self.with(|engine, actor| {
            let done = engine.validate(actor, model, VersionNumber(*version))?;
            passed = done.answer.passes();
            self.answers.give(&done, |done| render::validated(&done.answer, &done.evidence))
        })?;
        // The answer is whole, and a pipeline that asks must hear "no" all the same.
        Ok(if passed { ExitCode::SUCCESS } else { ExitCode::from(Exit::Refused as u8) })
    }

    pub(crate) fn decided(&self, done: &engine::Done<engine::Decision>) -> Result<(), Failure> {
        self.answers.give(done, |done| render::decision(&done.answer, &done.evidence))
    }

    fn monitor(&self, args: &MonitorArgs) -> Run {
        self.with(|engine, actor| {
            let report = engine.monitor(actor, &args.model)?;
            let acted = match (args.look_only, report.evidence.last().cloned()) {
                (false, Some(evidence)) => engine.act_on(&report.answer, &evidence)?,
                _ => Vec::new(),
            };
            let mut evidence = report.evidence.clone();
            evidence.extend(acted.iter().flat_map(|done| done.evidence.iter().cloned()));
            let answer =
                serde_json::json!({ "report": report.answer, "actions": acted, "evidence": evidence });
            match &args.emf {
                Some(namespace) => self.answers.line(&crate::aws::line(namespace, &report))?,
                None => {
                    self.answers.give(&answer, |_| render::monitored(&report.answer, &acted, &evidence))?;
                }
            }
            let days = ::blueprint::log_days(engine.charter()?.charter());
            crate::aws::send(self.house, (&report, &acted), days)
        })
    }

    fn card(&self, args: &CardArgs) -> Run {
        self.with(|engine, actor| {
            let done = engine.model_card(actor, &args.model, args.version.map(VersionNumber))?;
            let folder = args.out.clone().unwrap_or_else(|| self.house.dir().join("cards"));
            self.write_files(&done, &folder)
        })
    }

    fn write_files(&self, done: &engine::Done<engine::CardFiles>, folder: &Path) -> Result<(), Failure> {
        for (name, bytes) in &done.answer.files {
            write_private(&folder.join(name), bytes)?;
        }
        let names: Vec<String> =
            done.answer.files.keys().map(|name| folder.join(name).display().to_string()).collect();
        let answer =
            serde_json::json!({ "files": names, "version": done.answer.version, "evidence": done.evidence });
        self.answers.give(&answer, |_| {
            format!("wrote\n  {}\n{}", names.join("\n  "), crate::answer::evidence(&done.evidence))
        })
    }

    fn log(&self, args: &LogArgs) -> Run {
        if let Some(LogCommand::VerifyProof { folder, vkey }) = &args.command {
            return self.verify_proof(folder, vkey.as_deref());
        }
        if let Some(LogCommand::Export { tiles }) = &args.command {
            let exported = local::export_tiles(&self.house.ledger_dir(), tiles)
                .map_err(|error| self.without_ledger(error))?;
            self.answers.give(&exported, |exported| render::exported(exported, tiles))?;
            return Ok(ExitCode::SUCCESS);
        }
        let ledger = local::SqliteLedger::open_read_only(&self.house.ledger_dir())?;
        let entries = render::log_entries(&ledger, args)?;
        self.answers.give(&entries, |entries| render::log(entries))?;
        Ok(ExitCode::SUCCESS)
    }

    /// A failure to open the ledger, in the words of who named a house.
    pub(crate) fn without_ledger(&self, error: world::PortError) -> Failure {
        if self.house.has_ledger() {
            return error.into();
        }
        let text = format!("there is no ledger in `{}`", self.house.dir().display());
        Failure::new(Exit::NotFound, text).with_help("name the folder of the house with `--dir`")
    }
}

fn read_request(
    engine: &Engine,
    snapshot: &SnapshotName,
    part: Part,
    purpose: &str,
) -> Result<ReadRequest, Failure> {
    let view = match part {
        Part::Whole => View::Whole,
        Part::Training => View::Training,
        Part::Validation => View::Validation,
    };
    let dataset = engine.state().snapshot(snapshot).map(|recorded| recorded.what.dataset.clone());
    let models = &engine.charter()?.charter().models;
    let share = models
        .iter()
        .find(|model| Some(&model.training.dataset) == dataset.as_ref())
        .map(|model| model.training.validation_share);
    let validation_share = match (view, share) {
        (View::Whole, _) => 0.0,
        (_, Some(share)) => share,
        (_, None) => {
            let text = format!(
                "no model is trained on the data set of `{snapshot}`, so it has no training and validation part"
            );
            return Err(Failure::new(Exit::Input, text));
        }
    };
    Ok(ReadRequest { snapshot: snapshot.clone(), view, validation_share, purpose: purpose.to_owned() })
}

fn man(out: &Path, answers: &Answers) -> Run {
    fs::create_dir_all(out).map_err(|error| Failure::io(format!("make `{}`", out.display()), error))?;
    clap_mangen::generate_to(Cli::command(), out)
        .map_err(|error| Failure::io(format!("write to `{}`", out.display()), error))?;
    answers.line(&format!("wrote man pages to {}", out.display()))?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| Failure::io(format!("read `{}`", path.display()), error))
}

fn name_of(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}
