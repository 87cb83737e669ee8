//! Answers as text for people. Programs get the same values as JSON.

use crate::answer::{Answers, evidence};
use crate::approvals::{Approvals, Verified};
use crate::args::LogArgs;
use crate::failure::Failure;
use engine::{
    AlertAction, Decision, Deployed, Done, Founded, KeyView, LabelsImported, MonitorReport, Origin, Snapshot,
    State, Trained, Validated,
};
use facts::{EvidenceId, Verdict};
use indicatif::{ProgressBar, ProgressStyle};
use local::{Exported, VerifyReport};
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use world::LedgerStore;

/// A sign of life for long work; nothing where nobody watches.
pub(crate) fn spinner(answers: &Answers, what: &str) -> ProgressBar {
    use std::io::IsTerminal;
    if answers.json() || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner().with_message(what.to_owned());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

pub(crate) fn applied(founded: &Founded, ids: &[EvidenceId]) -> String {
    let mut text = format!("the charter {} is in force\n", founded.charter.short());
    if !founded.keys_created.is_empty() {
        let keys: Vec<String> = founded.keys_created.iter().map(ToString::to_string).collect();
        text.push_str(&format!("made the keys {}\n", keys.join(", ")));
    }
    if !founded.issued.is_empty() {
        text.push_str(&format!(
            "issued {} access keys, in `credentials.json` for their holders\n",
            founded.issued.len()
        ));
    }
    text + &evidence(ids)
}

pub(crate) fn snapshot(snapshot: &Snapshot, ids: &[EvidenceId]) -> String {
    let mut text = format!(
        "{}: {} rows, {} columns, {}, encrypted under {}\n",
        snapshot.name,
        snapshot.rows,
        snapshot.columns.len(),
        snapshot.digest.short(),
        snapshot.key
    );
    if let Origin::Pseudonymised { source, risk, .. } = &snapshot.origin {
        let (before, after) = (&risk.before, &risk.after);
        text.push_str(&format!("made from {source}\n"));
        text.push_str(&format!(
            "re-identification risk   before: k = {}, {:.1} % unique   after: k = {}, {:.1} % unique\n",
            before.k,
            before.unique_share * 100.0,
            after.k,
            after.unique_share * 100.0
        ));
    }
    text + &evidence(ids)
}

pub(crate) fn snapshots(list: &[&Snapshot]) -> String {
    if list.is_empty() {
        return "there are no snapshots yet".to_owned();
    }
    let line = |s: &&Snapshot| {
        let from = match &s.origin {
            Origin::File { file } => format!("imported from {file}"),
            Origin::Pseudonymised { source, .. } => format!("pseudonymised from {source}"),
            Origin::Feedback { base, labelled_requests, .. } => {
                format!("{base} and {labelled_requests} labelled requests")
            }
        };
        format!("{:<32} {:>7} rows  {}  {from}", s.name.to_string(), s.rows, s.digest.short())
    };
    list.iter().map(line).collect::<Vec<_>>().join("\n")
}

pub(crate) fn key(view: &KeyView, ids: &[EvidenceId]) -> String {
    let roles = |list: &[facts::RoleId]| list.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let text = format!(
        "{:<16} {:<9} administered by {}; used by {}",
        view.key.to_string(),
        view.state,
        roles(&view.administrators),
        roles(&view.users)
    );
    if ids.is_empty() { text } else { format!("{text}\n{}", evidence(ids)) }
}

pub(crate) fn model_list(state: &State) -> Result<Value, Failure> {
    let models = state.registry().models().map(|(name, model)| {
        let serving = model.serving().map(|stretch| stretch.version);
        let versions: Vec<Value> = model
            .versions
            .iter()
            .map(|v| json!({ "version": v.version, "status": v.status, "text": v.status.to_string(), "artefact": v.registration.artefact, "snapshot": v.registration.snapshot(), "registered": v.registered, "tampered": v.tampered().next().is_some(), "quarantine": v.quarantined(), "own_work": v.own_work().map(ToString::to_string).collect::<Vec<_>>() }))
            .collect();
        json!({ "model": name, "serving": serving, "fallback": model.fallback, "versions": versions })
    });
    Ok(models.collect())
}

pub(crate) fn models(list: &Value) -> String {
    let mut text = String::new();
    for model in list.as_array().into_iter().flatten() {
        text.push_str(&format!("{}\n", model["model"].as_str().unwrap_or_default()));
        for v in model["versions"].as_array().into_iter().flatten() {
            let (status, snapshot) = (
                v["text"].as_str().unwrap_or_default(),
                v["snapshot"].as_str().unwrap_or("data that is not on record"),
            );
            let fallback = if model["fallback"] == v["version"] { ", the fallback" } else { "" };
            text.push_str(&format!(
                "  {:>3}  {status:<14} trained on {snapshot}{fallback}\n",
                v["version"].to_string()
            ));
            if v["tampered"].as_bool() == Some(true) {
                text.push_str("       its bytes are NOT what was registered\n");
            }
            if let Ok(held) = registry::Quarantine::deserialize(&v["quarantine"]) {
                text.push_str(&format!("       {held}\n"));
            }
            for own in v["own_work"].as_array().into_iter().flatten() {
                text.push_str(&format!("       {}\n", own.as_str().unwrap_or_default()));
            }
        }
    }
    if text.is_empty() { "no version is registered yet".to_owned() } else { text }
}

pub(crate) fn requests(waiting: &[engine::WaitingRequest]) -> String {
    if waiting.is_empty() {
        return "no request for approval waits".to_owned();
    }
    let line = |one: &engine::WaitingRequest| {
        format!(
            "{:<6} {} {} for {}, asked by {} on {} ({})\n       {}\n",
            one.request, one.model, one.version, one.wanted, one.by, one.time, one.evidence, one.missing
        )
    };
    waiting.iter().map(line).collect()
}

pub(crate) fn version(version: &registry::Version) -> String {
    let r = &version.registration;
    let mut text = format!("{} {}: {}\n", r.model, version.version, version.status);
    let mut line = |name: &str, value: String| text.push_str(&format!("  {name:<14} {value}\n"));
    line("artefact", format!("{} ({} bytes)", r.artefact, r.size_bytes));
    match &r.data {
        Some(data) => line("snapshot", format!("{} ({})", data.snapshot, data.snapshot_digest.short())),
        None => line("snapshot", "not on record: nobody can approve it".to_owned()),
    }
    if let Some(run) = &r.run {
        line("MLflow run", format!("{} by {}", run.run_id, run.by));
    }
    line(
        "code",
        r.code.git_commit.clone().unwrap_or_else(|| "not in Git".to_owned())
            + if r.code.dirty { " with changes that are in no commit" } else { "" },
    );
    if let Some(missing) = r.code.committers.as_ref().and_then(|_| r.code.committers_missing()) {
        line("committers", format!("not all known: {missing}"));
    }
    made_with(r).into_iter().for_each(|(name, value)| line(name, value));
    line("registered", format!("{} ({})", version.registered, version.registered_by));
    if let Some((report, id)) = &version.validation {
        for result in &report.criteria {
            line("criterion", format!("{}: {}", result.criterion, measured(result)));
        }
        line("validated", id.to_string());
    }
    for (result, id) in &version.gates {
        line("gate", format!("{} at {}: {} ({id})", result.gate, result.stage, gate(result)));
    }
    for given in &version.approvals {
        line(
            "approved by",
            format!(
                "{} as {} on {}, {} ({})",
                given.approver.id,
                given.role,
                given.time,
                signed(given.signed.is_some()),
                given.evidence
            ),
        );
        if let Some(own) = &given.own_work {
            line("", own.to_string());
        }
        if let Some(revoked) = &given.revoked {
            line("taken back", format!("on {}: {} ({})", revoked.time, revoked.reason, revoked.evidence));
        }
    }
    if let Some((digest, _, id)) = &version.signature {
        line("signed", format!("{} ({id})", digest.short()));
    }
    troubles(version).into_iter().for_each(|(name, value)| line(name, value));
    text
}

/// What a version was made with and by whom, line by line.
fn made_with(r: &registry::Registration) -> Vec<(&'static str, String)> {
    let locks = r.environment.lock_files.iter();
    let locks = locks.map(|(path, digest)| ("lock file", format!("{path} ({})", digest.short())));
    let image = r.environment.image.iter().map(|image| ("image", format!("{image}, as claimed")));
    let parameters = r.hyperparameters.iter().map(|(name, value)| ("parameter", format!("{name} = {value}")));
    let hands = r.involved.iter().map(|hand| ("involved", format!("{}: {}", hand.person, hand.how)));
    locks.chain(image).chain(parameters).chain(hands).collect()
}

/// What was not as it should be with a version, line by line.
fn troubles(version: &registry::Version) -> Vec<(&'static str, String)> {
    let emergency = version.emergency.iter();
    let emergency = emergency.map(|(_, _, id)| ("emergency", format!("served WITHOUT approvals ({id})")));
    let bytes = version.tampering.iter().map(|one| ("bytes", tampering(one)));
    let losses = version.losses.iter().map(|loss| {
        ("without", format!("its evidence from {}: {} ({})", loss.time, loss.missing, loss.evidence))
    });
    let held = version.quarantines.iter().map(|one| ("quarantine", crate::quarantine::told(one)));
    emergency.chain(bytes).chain(losses).chain(held).collect()
}

/// That the bytes of a version are not what was registered, and whether that was put right.
pub(crate) fn tampering(one: &registry::Tampering) -> String {
    let after = one.restored.as_ref().map_or_else(
        || ": it is not deployed until that is put right".to_owned(),
        |entry| format!(", and were again what was registered in {entry}"),
    );
    format!("NOT what was registered, found on {} ({}): {}{after}", one.time, one.evidence, one.cause)
}

/// Whether an approval is signed, in words.
pub(crate) fn signed(signed: bool) -> &'static str {
    if signed { "signed with their own key" } else { "not signed by the approver" }
}

fn measured(result: &registry::CriterionResult) -> String {
    let value = result.measured.map_or_else(|| "not measured".to_owned(), |value| format!("{value:.4}"));
    match &result.verdict {
        Verdict::Holds => format!("{value}  holds"),
        verdict => format!("{value}  {verdict}"),
    }
}

pub(crate) fn trained(trained: &Trained, ids: &[EvidenceId]) -> String {
    let code = trained.git_commit.as_ref().map_or("not in Git", |commit| &commit[..12]);
    format!(
        "registered version {} of {}: artefact {}, trained on {}, code {code}\n{}",
        trained.version,
        trained.model,
        trained.artefact.short(),
        trained.snapshot,
        evidence(ids)
    )
}

pub(crate) fn validated(validated: &Validated, ids: &[EvidenceId]) -> String {
    let by = match &validated.report.claimed_by_run {
        Some(run) => format!("judged by the figures of the run {run} itself, which nobody measured"),
        None => format!("measured on {} held-back rows", validated.report.rows),
    };
    let mut text =
        format!("version {} of {}: {}; {by}\n", validated.version, validated.model, validated.status);
    for result in &validated.report.criteria {
        text.push_str(&format!("  {:<48} {}\n", result.criterion.to_string(), measured(result)));
    }
    for result in &validated.gates {
        text.push_str(&format!("  {:<48} {}\n", format!("gate {}", result.gate), gate(result)));
    }
    text + &evidence(ids)
}

/// What a gate said, with its figures.
fn gate(result: &registry::GateResult) -> String {
    // A program's figures as it gave them; the house's own as everywhere.
    let figure = |value: f64| match result.incumbent {
        Some(_) => format!("{value:.4}"),
        None => value.to_string(),
    };
    let figures: Vec<String> =
        result.figures.iter().map(|(name, value)| format!("{name} {}", figure(*value))).collect();
    let figures = if figures.is_empty() { String::new() } else { format!("  ({})", figures.join(", ")) };
    let compared =
        result.incumbent.as_ref().map_or_else(String::new, |with| format!("; compared with {with}"));
    format!("{}{figures}{compared}", result.verdict)
}

pub(crate) fn decision(decision: &Decision, ids: &[EvidenceId]) -> String {
    let signed =
        decision.signature.map_or_else(String::new, |digest| format!(", signed as {}", digest.short()));
    format!(
        "version {} of {} is {}{signed}\n{}",
        decision.version,
        decision.model,
        decision.status,
        evidence(ids)
    )
}

pub(crate) fn deployed(deployed: &Deployed, ids: &[EvidenceId]) -> String {
    let replaced =
        deployed.replaced.map_or_else(String::new, |number| format!(", in place of version {number}"));
    let (version, model, endpoint) = (deployed.version, &deployed.model, &deployed.endpoint);
    let place = match &deployed.on {
        None => format!("at /endpoints/{endpoint}/invocations"),
        Some(on) => format!("on {} at `{endpoint}`, as `{}`", on.platform, on.release),
    };
    format!("version {version} of {model} serves {place}{replaced}\n{}", evidence(ids))
}

pub(crate) fn labels(labels: &LabelsImported, ids: &[EvidenceId]) -> String {
    format!("{} labels of {} arrived\n{}", labels.labels, labels.model, evidence(ids))
}

pub(crate) fn monitored(report: &MonitorReport, acted: &[Done<AlertAction>], ids: &[EvidenceId]) -> String {
    let mut text = format!(
        "{} {}: {} requests, {} labelled, {} to {}\n",
        report.model, report.version, report.requests, report.labelled, report.from, report.to
    );
    for name in ["model_accuracy", "model_auc", "positive_rate", "demographic_parity_difference"] {
        if let Some(m) = report.measurements.get(name) {
            let interval =
                m.interval.map_or_else(String::new, |(low, high)| format!("  ({low:.3} to {high:.3})"));
            text.push_str(&format!("  {name:<32} {:.3}{interval}\n", m.value));
        }
    }
    text.push_str(&format!(
        "  features that have drifted: {} of {}\n",
        report.drift.drifted(),
        report.drift.features.len()
    ));
    for feature in report.drift.features.iter().filter(|feature| feature.drifted()) {
        text.push_str(&format!(
            "    {:<28} PSI {:.3} (chance: {:.3}), {} p = {:.1e}\n",
            feature.feature.to_string(),
            feature.psi,
            feature.psi_noise,
            feature.test,
            feature.p_value
        ));
    }
    for feature in &report.drift.features {
        if let Some(known) = &feature.approximate {
            text.push_str(&format!(
                "    {} is approximate: {}; PSI {:.3} to {:.3}, p {:.1e} to {:.1e}\n",
                feature.feature, known.why, known.psi.0, known.psi.1, known.p_value.0, known.p_value.1
            ));
        }
    }
    for note in &report.notes {
        text.push_str(&format!("  note: {note}\n"));
    }
    for one in &report.rules {
        let said = match &one.outcome {
            monitor::rules::Outcome::Quiet { why } => format!("quiet: {why}"),
            monitor::rules::Outcome::Unknown { missing } => format!("unknown: {missing}"),
            monitor::rules::Outcome::CoolingDown { until } => {
                format!("fired already; cooling down until {until}")
            }
            monitor::rules::Outcome::Fire { sentence, .. } => format!("FIRES: {sentence}"),
        };
        text.push_str(&format!("  rule {said}\n"));
    }
    for done in acted {
        text.push_str(&format!("  alert {}\n", did(&done.answer)));
    }
    text + &evidence(ids)
}

/// What an alert did.
fn did(action: &AlertAction) -> String {
    match action {
        AlertAction::Notified { .. } => "noted".to_owned(),
        AlertAction::Retrained { trained, validated, .. } => {
            format!("trained version {} on {}; it is {}", trained.version, trained.snapshot, validated.status)
        }
        AlertAction::RolledBack { deployed, .. } => {
            format!("rolled back to version {}", deployed.version)
        }
        AlertAction::Quarantined { held, .. } => {
            format!("put version {} in quarantine; {}", held.version, crate::quarantine::vacated(&held.place))
        }
        AlertAction::Failed { reason, .. } => format!("could not act: {reason}"),
    }
}

pub(crate) fn log_entries(ledger: &dyn LedgerStore, args: &LogArgs) -> Result<Vec<Value>, Failure> {
    let mut list = Vec::new();
    let mut from = 0;
    loop {
        let batch = ledger.read(from, 1024)?;
        let Some(last) = batch.last() else { break };
        from = last.evidence.index() + 1;
        for receipt in batch {
            let e = receipt.entry;
            let stream = args.stream.as_ref().is_none_or(|stream| e.stream.as_str() == stream);
            if stream && (!args.refused || e.outcome == ledger::Outcome::Refused) {
                list.push(json!({ "evidence": receipt.evidence, "time": e.time, "actor": e.actor, "action": e.action, "resource": e.resource, "outcome": e.outcome, "body": e.body }));
            }
        }
    }
    let surplus = list.len().saturating_sub(args.limit);
    list.drain(..surplus);
    Ok(list)
}

pub(crate) fn log(entries: &[Value]) -> String {
    let mut text = String::new();
    for e in entries {
        let word = |key: &str| e[key].as_str().unwrap_or_default().to_owned();
        let reason = e["body"]["reason"].as_str().map_or_else(String::new, |reason| format!("  {reason}"));
        let line = format!(
            "{:<18} {} {:<20} {:<20} {:<32} {}{reason}",
            word("evidence"),
            word("time"),
            e["actor"]["id"].as_str().unwrap_or_default(),
            word("action"),
            word("resource"),
            word("outcome")
        );
        text.push_str(line.trim_end());
        text.push('\n');
    }
    if text.is_empty() { "there are no such entries".to_owned() } else { text }
}

pub(crate) fn exported(exported: &Exported, out: &Path) -> String {
    format!(
        "`{}` holds the ledger `{}` up to entry {}: {} files, {} of them new\n",
        out.display(),
        exported.origin,
        exported.entries.saturating_sub(1),
        exported.files,
        exported.written
    )
}

pub(crate) fn verified(verified: &Verified) -> String {
    let mut text = ledger_verified(&verified.ledger);
    for one in &verified.checkpoint {
        let signed = match &one.verdict {
            Verdict::Holds => {
                format!("the checkpoint over {} entries is signed by", one.entries.unwrap_or_default())
            }
            other => format!("the checkpoint is NOT signed as it should be ({other}) by"),
        };
        text.push_str(&format!("{signed} {}: {}\n", one.key, one.verifier));
    }
    match &verified.approvals {
        Approvals::Unknown(why) => text.push_str(&format!("the approvals were not checked: {why}\n")),
        Approvals::Checked(audit) => {
            if audit.signed + audit.unsigned > 0 {
                let withdrawn = match audit.withdrawn {
                    0 => String::new(),
                    count => format!(" ({count} with a key that was withdrawn since)"),
                };
                text.push_str(&format!(
                    "approvals: {} signed by their approvers{withdrawn}, {} not signed\n",
                    audit.signed, audit.unsigned
                ));
            }
            for finding in &audit.findings {
                text.push_str(&format!("  {}: {}\n", finding.entry, finding.what));
            }
        }
    }
    text
}

fn ledger_verified(report: &VerifyReport) -> String {
    let mut text = if report.ok() {
        format!(
            "the ledger `{}` is whole: {} entries in {} streams",
            report.origin, report.entries, report.streams
        )
    } else {
        format!("the ledger `{}` is DAMAGED: {} findings", report.origin, report.findings.len())
    };
    if let Some(root) = report.root.filter(|_| report.ok()) {
        text.push_str(&format!(", root {}", root.short()));
    }
    text.push('\n');
    for finding in report.findings.iter().take(20) {
        text.push_str(&format!("  entry {}: {}\n", finding.entry, finding.what));
    }
    if report.findings.len() > 20 {
        text.push_str(&format!("  and {} more\n", report.findings.len() - 20));
    }
    if !report.sealed {
        text.push_str(
            "the last stop was not a clean one: every entry was checked, unused bytes of the file were not\n",
        );
    }
    text
}
