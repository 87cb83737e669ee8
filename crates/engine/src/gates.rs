//! Gates that programs decide, after the house's own comparison with what serves. A program gets facts about a version and its files, and answers with a verdict; whatever
//! else happens (it cannot be started, fails, takes too long, says nothing or something else) is unknown, and unknown is
//! no pass. What it got and what it said is kept, and recorded by digest.

use crate::approval::ARTEFACT;
use crate::record::Refused;
use crate::{Engine, Error};
use charter::model::{Gate, Model};
use facts::{Actor, Digest, EvidenceId, GateId, ModelName, Verdict};
use guard::Action;
use registry::{Command, GateResult, Stage, Version, VersionNumber};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use world::{Finished, Program, ProgramRunner};

/// The facts, as the program finds them.
const FACTS_FILE: &str = "version.json";
/// The files of an artefact that is a folder, below this name.
const ARTEFACT_FOLDER: &str = "model/";
/// What a program can be given of an artefact.
const MAX_ARTEFACT_BYTES: u64 = 512 * 1024 * 1024;
/// The answer, as the program leaves it.
const VERDICT_FILE: &str = "data/verdict.json";
const MAX_VERDICT_BYTES: usize = 16 * 1024;
const MAX_FIGURES: usize = 100;

/// What a program answers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    verdict: Word,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    figures: BTreeMap<String, f64>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Holds,
    Broken,
    Unknown,
}

/// What programs are to be asked about a version, with all that they are given.
pub struct Asking {
    asked: Asked,
    gates: Vec<Gate>,
    /// The files, or why there are none.
    files: Result<BTreeMap<String, Vec<u8>>, String>,
    programs: Arc<dyn ProgramRunner>,
    folder: PathBuf,
}

/// What they were asked about.
struct Asked {
    model: ModelName,
    version: VersionNumber,
    stage: Stage,
    artefact: Digest,
    charter: Digest,
    inputs: BTreeMap<String, Digest>,
    /// The object with the facts.
    kept: String,
}

/// An answer, and the bytes that it was read from.
type Read = (Answer, Vec<u8>);

/// What programs said, not yet on record.
pub struct Said {
    asked: Asked,
    /// By gate: the answer and its bytes, or why there is none.
    answers: Vec<(GateId, Result<Read, String>)>,
}

impl Engine {
    /// Asks every gate of the charter and records what each says. Without gates nothing is recorded.
    pub(crate) fn run_gates(
        &mut self,
        model: &Model,
        number: VersionNumber,
        stage: Stage,
    ) -> Result<(Vec<GateResult>, Vec<EvidenceId>), Error> {
        let (mut results, mut evidence) = (Vec::new(), Vec::new());
        if let Some(result) = self.compare_with_incumbent(model, number, stage)? {
            evidence.extend(self.answered(model, number, &result)?);
            results.push(result);
        }
        let Some(asking) = self.asking(model, number, stage)? else { return Ok((results, evidence)) };
        let (said, recorded) = self.keep_answers(model, asking.ask())?;
        results.extend(said);
        evidence.extend(recorded);
        Ok((results, evidence))
    }

    /// What the programs at the gates are to be asked about a version that was just registered; none if the charter names
    /// none, or not the model. They are asked without the engine, which is free for others meanwhile.
    ///
    /// # Errors
    /// If the version cannot be read.
    pub fn asking_at_registration(&mut self, name: &str, number: u32) -> Result<Option<Asking>, Error> {
        let Some(model) = name.parse().ok().and_then(|name| self.model(&name).ok().cloned()) else {
            return Ok(None);
        };
        self.asking(&model, VersionNumber(number), Stage::Registration)
    }

    /// Records what the programs said of a version that was just registered.
    ///
    /// # Errors
    /// The refusal that names the first gate that is not open: the version is registered, and cannot be approved.
    pub fn answered_at_registration(&mut self, actor: &Actor, said: Said) -> Result<(), Error> {
        let (model, number) = (self.model(&said.asked.model)?.clone(), said.asked.version);
        let (results, _) = self.keep_answers(&model, said)?;
        let Some(closed) = results.iter().find(|result| !result.opens()) else { return Ok(()) };
        let why = Refused {
            reason: format!(
                "version {number} of `{}` is registered and does not pass the gate `{}`: {}",
                model.name, closed.gate, closed.verdict
            ),
            help: Some(format!(
                "it cannot be approved as it is: register a better one, or ask the gate again with `wardmote model validate {} {number}`",
                model.name
            )),
            policies: Vec::new(),
        };
        let resource = self.version_resource(&model, number).name();
        Err(self.refuse(actor, Action::ModelRegister.as_str(), &resource, why))
    }

    /// Everything that programs need to answer about a version.
    fn asking(
        &mut self,
        model: &Model,
        number: VersionNumber,
        stage: Stage,
    ) -> Result<Option<Asking>, Error> {
        if model.gates.is_empty() {
            return Ok(None);
        }
        let automation = self.automation()?;
        let version = self.version(&model.name, number)?;
        let (charter, artefact) = (self.charter()?.digest(), version.registration.artefact);
        let facts = self.facts_for_gates(model, &version, stage)?;
        let inputs = BTreeMap::from([
            (FACTS_FILE.to_owned(), Digest::of(&facts)),
            (version_file(&version).to_owned(), artefact),
        ]);
        let kept = self.archive(&facts)?;
        let files = self.files_for_gates(&automation, model, &version, facts)?;
        let (programs, folder) = (Arc::clone(&self.ports.programs), self.ports.folder.clone());
        let asked =
            Asked { model: model.name.clone(), version: number, stage, artefact, charter, inputs, kept };
        Ok(Some(Asking { asked, gates: model.gates.clone(), files, programs, folder }))
    }

    /// Records what programs said.
    fn keep_answers(
        &mut self,
        model: &Model,
        said: Said,
    ) -> Result<(Vec<GateResult>, Vec<EvidenceId>), Error> {
        let (mut results, mut evidence) = (Vec::new(), Vec::new());
        let Said { asked, answers } = said;
        for (gate, said) in answers {
            let (verdict, figures, output) = match said {
                Ok((answer, bytes)) => (verdict(answer.verdict, answer.reason), answer.figures, Some(bytes)),
                Err(missing) => (Verdict::Unknown { missing }, BTreeMap::new(), None),
            };
            let mut archived = vec![asked.kept.clone()];
            archived.extend(output.as_deref().map(|bytes| self.archive(bytes)).transpose()?);
            let result = GateResult {
                gate,
                stage: asked.stage,
                artefact: asked.artefact,
                charter: asked.charter,
                verdict,
                figures,
                inputs: asked.inputs.clone(),
                output: output.as_deref().map(Digest::of),
                archived,
                incumbent: None,
            };
            evidence.extend(self.answered(model, asked.version, &result)?);
            results.push(result);
        }
        Ok((results, evidence))
    }

    /// Records what was said at a gate.
    fn answered(
        &mut self,
        model: &Model,
        number: VersionNumber,
        result: &GateResult,
    ) -> Result<Vec<EvidenceId>, Error> {
        let automation = self.automation()?;
        let command = Command::AskGate(&model.name, number, Box::new(result.clone()));
        let event = self.decide(&automation, &command, model)?;
        self.record_event(&automation, Action::ModelValidate, event)
    }

    /// Keeps what went in or came out, under its digest.
    fn archive(&self, bytes: &[u8]) -> Result<String, Error> {
        let name = format!("gates/{}", Digest::of(bytes).to_hex());
        self.ports.objects.put(&name, bytes)?;
        Ok(name)
    }

    /// What a program finds, or why it cannot be given that.
    fn files_for_gates(
        &mut self,
        automation: &Actor,
        model: &Model,
        version: &Version,
        facts: Vec<u8>,
    ) -> Result<Result<BTreeMap<String, Vec<u8>>, String>, Error> {
        let size = version.registration.size_bytes;
        if size > MAX_ARTEFACT_BYTES {
            return Ok(Err(format!(
                "the artefact has {size} bytes, and a program is given {MAX_ARTEFACT_BYTES} at most"
            )));
        }
        let files = self.artefact_files(automation, model, version)?.into_iter();
        let mut all: BTreeMap<String, Vec<u8>> = match version.registration.files {
            None => files.collect(),
            Some(_) => files.map(|(name, bytes)| (format!("{ARTEFACT_FOLDER}{name}"), bytes)).collect(),
        };
        all.insert(FACTS_FILE.to_owned(), facts);
        Ok(Ok(all))
    }

    fn facts_for_gates(&self, model: &Model, version: &Version, stage: Stage) -> Result<Vec<u8>, Error> {
        let r = &version.registration;
        let report = version.validation.as_ref().map(|(report, _)| report);
        let facts = json!({
            "contract": 1,
            "stage": stage,
            "model": model.name,
            "version": version.version,
            "risk_tier": model.risk_tier,
            "artefact": r.artefact,
            "charter": self.charter()?.digest(),
            "snapshot": r.snapshot(),
            "snapshot_digest": r.data.as_ref().map(|data| data.snapshot_digest),
            "git_commit": r.code.git_commit,
            "dirty": r.code.dirty,
            "hyperparameters": r.hyperparameters,
            "metrics": report.map(|report| &report.metrics),
            "criteria": report.map(|report| &report.criteria),
        });
        serde_json_canonicalizer::to_vec(&facts).map_err(|error| Error::damaged(error.to_string()))
    }
}

impl Asking {
    /// Runs the programs, one after the other.
    #[must_use]
    pub fn ask(self) -> Said {
        let said = |gate: &Gate| match &self.files {
            Ok(files) => self.run(gate, files),
            Err(missing) => Err(missing.clone()),
        };
        let answers = self.gates.iter().map(|gate| (gate.id.clone(), said(gate))).collect();
        Said { asked: self.asked, answers }
    }

    /// The answer of a program, or why there is none.
    fn run(&self, gate: &Gate, inputs: &BTreeMap<String, Vec<u8>>) -> Result<Read, String> {
        let program = Program {
            command: gate.command.clone(),
            folder: self.folder.clone(),
            environment: BTreeMap::new(),
            inputs: inputs.clone(),
            time_limit_seconds: gate.time_limit_seconds,
            at_commit: None,
        };
        let finished = self.programs.run(&program).map_err(|error| error.to_string())?;
        answer(gate, &finished)
    }
}

fn verdict(word: Word, reason: String) -> Verdict {
    match word {
        Word::Holds => Verdict::Holds,
        Word::Broken => Verdict::Broken { reason },
        Word::Unknown => Verdict::Unknown { missing: reason },
    }
}

/// Under which name a program finds the artefact.
fn version_file(version: &Version) -> &'static str {
    if version.registration.files.is_some() { ARTEFACT_FOLDER } else { ARTEFACT }
}

/// What a program said, or why it said nothing.
fn answer(gate: &Gate, finished: &Finished) -> Result<Read, String> {
    if finished.timed_out {
        return Err(format!("its program was stopped after {} s", gate.time_limit_seconds));
    }
    match finished.exit_code {
        Some(0) => {}
        Some(code) => return Err(format!("its program failed with exit code {code}")),
        None => return Err("its program was killed".to_owned()),
    }
    let bytes = finished.outputs.get(VERDICT_FILE).ok_or("its program left no `verdict.json`")?;
    if bytes.len() > MAX_VERDICT_BYTES {
        return Err(format!(
            "its `verdict.json` has {} bytes; at most {MAX_VERDICT_BYTES} are read",
            bytes.len()
        ));
    }
    let answer: Answer = serde_json::from_slice(bytes)
        .map_err(|error| format!("its `verdict.json` is not an answer: {error}"))?;
    if answer.figures.len() > MAX_FIGURES {
        return Err(format!(
            "its `verdict.json` has {} figures; at most {MAX_FIGURES} are kept",
            answer.figures.len()
        ));
    }
    if !matches!(answer.verdict, Word::Holds) && answer.reason.trim().is_empty() {
        return Err("its `verdict.json` gives no reason".to_owned());
    }
    Ok((answer, bytes.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: Option<&str>, exit_code: Option<i32>, timed_out: bool) -> String {
        let gate =
            Gate { id: "robustness".parse().unwrap(), command: vec!["x".into()], time_limit_seconds: 5 };
        let outputs =
            text.map(|text| (VERDICT_FILE.to_owned(), text.as_bytes().to_vec())).into_iter().collect();
        let finished = Finished { exit_code, timed_out, output: String::new(), outputs };
        answer(&gate, &finished).map_or_else(|why| why, |(answer, _)| format!("{:?}", answer.verdict))
    }

    #[test]
    fn whatever_is_no_answer_is_no_pass() {
        let holds = r#"{"verdict":"holds","figures":{"worst_case":0.71}}"#;
        assert_eq!(said(Some(holds), Some(0), false), "Holds");
        let mut all = String::new();
        for (text, exit, late) in [
            (Some(holds), Some(1), false),
            (Some(holds), None, false),
            (Some(holds), None, true),
            (None, Some(0), false),
            (Some(""), Some(0), false),
            (Some("[]"), Some(0), false),
            (Some(r#"{"verdict":"Holds"}"#), Some(0), false),
            (Some(r#"{"verdict":"holds","note":1}"#), Some(0), false),
            (Some(r#"{"verdict":"broken"}"#), Some(0), false),
            (Some(r#"{"verdict":"holds","figures":{"x":"high"}}"#), Some(0), false),
            (Some(&" ".repeat(20_000)), Some(0), false),
        ] {
            all.push_str(&said(text, exit, late));
            all.push('\n');
        }
        insta::assert_snapshot!(all);
    }
}
