//! Houses whose models serve elsewhere than on their gateway, and what their commands say.

use super::candidate::with_candidate;
use super::common::stable;
use super::on_aws::{json, said};
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

const KEY: &str = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555";
const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// The charter of the example, with its endpoint somewhere else and emergencies allowed.
pub(crate) fn serving_on(text: &str, endpoint: &str, on: &str) -> String {
    let endpoint_of = "    endpoint:\n      name: credit-scoring\n";
    let glass =
        "    break_glass: {roles: [ml-engineer], max_hours: 4, review: {role: auditor, within_hours: 24}}\n";
    assert!(text.contains(endpoint_of));
    text.replacen(
        endpoint_of,
        &format!("{glass}    endpoint:\n      name: {endpoint}\n      serve_on: {on}\n"),
        1,
    )
}

/// A house with two versions, both approved.
pub(crate) fn two_approved(dir: &Path, at: SocketAddr, endpoint: &str, on: &str) {
    with_candidate(dir, |text| serving_on(text, endpoint, on));
    json(dir, at, &["model", "train", "credit-scoring", "--set", "l2=2.0", "--as", "ada"]);
    json(dir, at, &["model", "validate", "credit-scoring", "2", "--as", "ada"]);
    for version in ["1", "2"] {
        json(dir, at, &["model", "approve", "credit-scoring", version, "--as", "bruno"]);
    }
}

/// What is said, with what differs from run to run left out.
pub(crate) struct Told {
    pub(crate) text: String,
    pub(crate) at: SocketAddr,
}

impl Told {
    pub(crate) fn say(&mut self, dir: &Path, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        self.text.push_str(&said(dir, self.at, &words));
    }

    /// Where a version serves, as `model show` says, in text and for programs.
    pub(crate) fn places(&mut self, dir: &Path, version: &str) {
        let words = ["model", "show", "credit-scoring", version];
        let text = said(dir, self.at, &words);
        let lines = text.lines().filter(|line| line.starts_with("  serves "));
        lines.for_each(|line| self.text.push_str(&format!("{version}: {line}\n")));
        let shown = json(dir, self.at, &words);
        for place in shown["serving"].as_array().unwrap() {
            let (state, percent) = (&place["state"], &place["at_most_percent"]);
            self.text.push_str(&format!("{version}: {state} {percent}\n"));
        }
    }

    pub(crate) fn remark(&mut self, text: &str) {
        self.text.push_str(&format!("--- {text}\n\n"));
    }

    pub(crate) fn stable(&self, dir: &Path) -> String {
        masked(&stable(dir, &self.text))
    }
}

/// Names of releases end in a digest over everything in them; times and roots differ from run to run.
pub(crate) fn masked(text: &str) -> String {
    let line = |line: &str| {
        let words: Vec<String> = line
            .split(' ')
            .map(|word| {
                let core = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
                match word.find("DATET") {
                    Some(at) => format!("{}TIME", &word[..at]),
                    None if core.parse::<facts::EvidenceId>().is_ok() => word.replace(core, "EVIDENCE"),
                    None => word.to_owned(),
                }
            })
            .collect();
        let line = words.join(" ");
        line.split(" root ").next().unwrap().to_owned()
    };
    let text: String = text.lines().map(|one| line(one) + "\n").collect();
    let hex = |text: &str| text.len() >= 12 && text.bytes().take(12).all(|b| b.is_ascii_hexdigit());
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find("-v") {
        let (before, after) = rest.split_at(at + 2);
        out.push_str(before);
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        rest = after;
        if digits > 0 && after[digits..].starts_with('-') && hex(&after[digits + 1..]) {
            out.push_str(&format!("{}-HASH", &after[..digits]));
            rest = &after[digits + 13..];
        }
    }
    out + rest
}

pub(crate) fn link(dir: &Path) -> String {
    fs::read_link(dir.join("serving/current")).unwrap().display().to_string()
}

pub(crate) fn sagemaker(endpoint: &str) -> String {
    format!(
        "{{sagemaker: {{image: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/scorer@{DIGEST}, instance_type: ml.m5.large, \
         instances: 2, role: \"arn:aws:iam::123456789012:role/serving\", subnets: [subnet-0a1b2c3d], security_groups: \
         [sg-0a1b2c3d], artefacts: s3://{endpoint}/models/, capture: s3://{endpoint}/capture/, key: \"{KEY}\", \
         alarms: [{endpoint}-5xx], traffic: {{canary: {{percent: 10, minutes: 10}}}}}}}}"
    )
}

/// The permission that a request of SageMaker or S3 needs.
pub(crate) fn called(request: &str) -> Option<String> {
    let target = request.lines().find_map(|line| line.strip_prefix("x-amz-target: SageMaker."));
    if let Some(target) = target {
        return Some(format!("sagemaker:{}", target.trim()));
    }
    let line = request.lines().next()?;
    match line.split(' ').next()? {
        "PUT" => Some("s3:PutObject".to_owned()),
        "GET" if line.contains("list-type") => Some("s3:ListBucket".to_owned()),
        "GET" => Some("s3:GetObject".to_owned()),
        _ => None,
    }
}
