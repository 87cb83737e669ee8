//! `wardmote aws trail verify`: a copied folder, and what the room `trail` says of it.

use super::args::{TrailCommand, VerifyArgs};
use crate::answer::Answers;
use crate::commands::read_file;
use crate::failure::{Exit, Failure};
use crate::house::House;
use facts::{Digest, Verdict};
use serde_json::json;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;
use trail::{Finding, Folder, PublicKeys, Report, Window, verify};

/// No file of a trail is larger.
const LARGEST_FILE: u64 = 512 << 20;
/// So many findings are shown to people; programs get all.
const SHOWN: usize = 40;

pub(super) fn run(house: &House, command: &TrailCommand, answers: &Answers) -> Result<ExitCode, Failure> {
    match command {
        TrailCommand::Verify(args) => verified(args, answers),
        TrailCommand::Fetch(args) => super::fetch::run(house, args, answers),
    }
}

fn verified(args: &VerifyArgs, answers: &Answers) -> Result<ExitCode, Failure> {
    let window = Window { from: args.from, to: args.to };
    if let (Some(from), Some(to)) = (args.from, args.to)
        && from >= to
    {
        return Err(Failure::new(Exit::Usage, format!("there is no time from `{from}` to `{to}`"))
            .with_help("name the earlier one with `--from`"));
    }
    let bytes = read_file(&args.public_keys)?;
    let keys = PublicKeys::parse(&bytes).map_err(|wrong| {
        let text = format!("`{}` holds no public keys: {wrong}", args.public_keys.display());
        Failure::new(Exit::Input, text).with_help(
            "get them with `aws cloudtrail list-public-keys --start-time TIME --end-time TIME --output json`",
        )
    })?;
    let mut names = BTreeSet::new();
    list(&args.folder, "", &mut names)?;
    let read = |name: &str| read(&args.folder.join(name));
    let report = verify(&Folder { names: &names, read: &read }, &keys, &window);
    // Whoever trusts the answer trusts these keys, so it says which they are.
    let digest = Digest::of(&bytes);
    let answer = json!({ "report": report, "public_keys": { "count": keys.count(), "digest": digest } });
    answers.give(&answer, |_| format!("{}\npublic keys: {} in {digest}", text(&report), keys.count()))?;
    Ok(match report.verdict {
        Verdict::Holds | Verdict::NotApplicable { .. } => ExitCode::SUCCESS,
        Verdict::Broken { .. } => ExitCode::from(Exit::Damaged as u8),
        Verdict::Unknown { .. } => ExitCode::from(Exit::Failed as u8),
    })
}

/// All files under a folder, by their paths in it. Links are not followed.
fn list(root: &Path, within: &str, names: &mut BTreeSet<String>) -> Result<(), Failure> {
    let folder = root.join(within);
    let failed = |error| Failure::io(format!("read `{}`", folder.display()), error);
    for entry in fs::read_dir(&folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let kind = entry.file_type().map_err(failed)?;
        let file = entry.file_name().into_string().map_err(|name| {
            let text =
                format!("`{}` in `{}` is no name that CloudTrail gives", name.display(), folder.display());
            Failure::new(Exit::Input, text).with_help("copy the trail into a folder of its own")
        })?;
        let name = if within.is_empty() { file } else { format!("{within}/{file}") };
        if kind.is_dir() {
            list(root, &name, names)?;
        } else if kind.is_file() {
            names.insert(name);
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let cannot = |error: std::io::Error| format!("it cannot be read: {}", error.kind());
    let mut bytes = Vec::new();
    File::open(path).map_err(cannot)?.take(LARGEST_FILE + 1).read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(format!("it has more than {LARGEST_FILE} bytes"));
    }
    Ok(bytes)
}

fn text(report: &Report) -> String {
    let mut lines = Vec::new();
    for chain in &report.chains {
        lines.push(chain.name.clone());
        lines.push(format!(
            "  {} digests, {} log files as they were delivered",
            chain.digests, chain.log_files
        ));
        let stretches = chain.proved.iter();
        lines.extend(stretches.map(|stretch| format!("  proved from {} to {}", stretch.from, stretch.to)));
    }
    lines.extend(report.findings.iter().take(SHOWN).map(finding));
    if report.findings.len() > SHOWN {
        lines.push(format!("and {} more; `--json` shows all", report.findings.len() - SHOWN));
    }
    lines.push(match &report.verdict {
        Verdict::Holds => {
            "holds: in these times everything that CloudTrail delivered is there, and unchanged".to_owned()
        }
        Verdict::Broken { .. } => {
            "broken: this is not all that CloudTrail delivered, as it was delivered".to_owned()
        }
        _ => "unknown: not all of it is proved".to_owned(),
    });
    lines.join("\n")
}

fn finding(finding: &Finding) -> String {
    let mut text = finding.verdict.to_string();
    if !finding.file.is_empty() {
        text.push_str(&format!("\n  file {}", finding.file));
    }
    if let Some(stretch) = finding.stretch {
        text.push_str(&format!("\n  from {} to {}", stretch.from, stretch.to));
    }
    text
}
