//! Where a model serves, as charters say it: what passes, what it means, and every mistake with its place and a way out.

use charter::{SourceFile, plan, read};

const EXAMPLE: &str = include_str!("../../../examples/credit-scoring/charter.yaml");
const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// The example, with its endpoint somewhere else.
fn charter(serve_on: &str) -> Vec<SourceFile> {
    let from = "      capture_share: 1\n";
    assert!(EXAMPLE.contains(from), "the example says what is captured");
    let lines: String = serve_on.lines().map(|line| format!("        {line}\n")).collect();
    let text = EXAMPLE.replacen(from, &format!("{from}      serve_on:\n{lines}"), 1);
    vec![SourceFile { name: "charter.yaml".into(), text }]
}

fn sagemaker() -> String {
    format!(
        "sagemaker:
  image: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/scorer@{DIGEST}
  instance_type: ml.m5.large
  instances: 2
  role: arn:aws:iam::123456789012:role/serving
  subnets: [subnet-0a1b2c3d]
  security_groups: [sg-0a1b2c3d]
  artefacts: s3://bank-artefacts/serving/
  capture: s3://bank-capture/
  key: arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555
  alarms: [credit-scoring-5xx]
  traffic: {{canary: {{percent: 10, minutes: 10}}}}
"
    )
}

fn ecs() -> String {
    format!(
        "ecs:
  cluster: models
  image: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/scorer@{DIGEST}
  execution_role: arn:aws:iam::123456789012:role/starting
  task_role: arn:aws:iam::123456789012:role/serving
  cpu: 1024
  memory: 2048
  artefacts: s3://bank-artefacts/serving/
  key: arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555
"
    )
}

fn eks() -> String {
    format!(
        "eks:
  cluster: models
  namespace: scoring
  image: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/scorer@{DIGEST}
  service_account: scorer
  cpu_millis: 500
  memory: 1024
  artefacts: s3://bank-artefacts/serving/
  key: arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555
  clients: [apps]
"
    )
}

#[test]
fn what_it_means_is_in_the_plan() {
    let mut sentences = Vec::new();
    let weights = "directory: {path: serving, traffic: {weights: {percent: 20, minutes: 60}}}".to_owned();
    let weighed = sagemaker().replace("canary", "weights");
    for on in ["directory: {path: serving}".to_owned(), weights, sagemaker(), weighed, ecs(), eks()] {
        let (checked, warnings) = read(&charter(&on)).unwrap_or_else(|errors| panic!("{errors}"));
        assert!(warnings.is_empty(), "{warnings:?}");
        assert_eq!(charter::Checked::from_json(checked.canonical_json()).ok().as_ref(), Some(&checked));
        let said = plan(None, &checked).sentences().into_iter();
        sentences.extend(said.filter(|sentence| sentence.contains(" serves ")));
    }
    insta::assert_snapshot!(sentences.join("\n"));
}

#[test]
fn every_mistake_has_its_words() {
    let mut all = String::new();
    let (sagemaker, ecs, eks) = (sagemaker(), ecs(), eks());
    let directory = "directory: {path: serving}".to_owned();
    for (text, from, to) in [
        (&sagemaker, "sagemaker:", "sagemakr:"),
        (&sagemaker, &format!("@{DIGEST}") as &str, ":latest"),
        (&sagemaker, "ml.m5.large", "m5.large"),
        (&sagemaker, "instances: 2", "instances: 0"),
        (&sagemaker, "role/serving", "user/ada"),
        (&sagemaker, "[subnet-0a1b2c3d]", "[]"),
        (&sagemaker, "[sg-0a1b2c3d]", "[default]"),
        (&sagemaker, "s3://bank-capture/", "s3://bank-capture"),
        (
            &sagemaker,
            "arn:aws:kms:eu-central-1:123456789012:key/",
            "arn:aws:kms:eu-central-1:123456789012:alias/",
        ),
        (&sagemaker, "  alarms: [credit-scoring-5xx]\n", ""),
        (&sagemaker, "[credit-scoring-5xx]", "[a, b, c, d, e, f, g, h, i, j, k]"),
        (&sagemaker, "percent: 10, minutes: 10", "percent: 60, minutes: 10"),
        (&sagemaker, "percent: 10, minutes: 10", "percent: 10, minutes: 55"),
        (&sagemaker, "{canary: {percent: 10, minutes: 10}}", "sudden"),
        (&sagemaker, "canary: {percent: 10, minutes: 10}", "weights: {percent: 10, minutes: 2000}"),
        (&directory, "serving", "serving, traffic: {linear: {percent: 10, minutes: 1}}"),
        (&directory, "serving", "serving, traffic: {weights: {percent: 60, minutes: 1}}"),
        (&sagemaker, "  capture: s3://bank-capture/\n", ""),
        (&ecs, "memory: 2048", "memory: 1536"),
        (&ecs, "cluster: models", "cluster: ../models"),
        (&ecs, "cpu: 1024", "cpu: 1024\n  time_limit_minutes: 5"),
        (&ecs, "cpu: 1024", "cpu: 1024\n  traffic: {weights: {percent: 10, minutes: 10}}"),
        (&eks, "clients: [apps]", "clients: [apps]\n  traffic: {weights: {percent: 10, minutes: 10}}"),
        (&eks, "clients: [apps]", "clients: []"),
        (&eks, "memory: 1024", "memory: 0"),
        (&eks, "namespace: scoring", "namespace: Scoring"),
    ] {
        assert!(text.contains(from), "`{from}` is there");
        let said = read(&charter(&text.replacen(from, to, 1)));
        let said = said.map_or_else(|errors| errors.to_string(), |_| "no complaint".into());
        all.push_str(&format!("=== `{}` for `{}`\n{said}\n", to.trim(), from.trim()));
    }
    insta::assert_snapshot!(all);
}
