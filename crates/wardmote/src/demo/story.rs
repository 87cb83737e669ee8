//! The story: bank credit scoring with personal data, from the raw table to governed production.

use super::http::Client;
use super::stage::{Ends, Gateway, Stage};
use super::traffic::{Applications, Weather, wait_for_capture, wait_for_variant};
use crate::failure::{Exit, Failure};
use crate::house::{House, write_private};
use facts::Timestamp;
use local::SystemClock;
use serde_json::{Value, json};
use std::path::Path;
use world::Clock;

use Ends::{Damaged, Done, Refused};

const MODEL: &str = "credit-scoring";
/// How many applications are played in one stretch.
const REQUESTS: usize = 400;

/// `stores` are the words after `init` that say where objects and keys are.
pub(super) fn tell(
    stage: &mut Stage<'_>,
    example: &Path,
    (trainer, stores): (&Path, &[String]),
) -> Result<(), Failure> {
    charter(stage, example, (trainer, stores))?;
    let pseudonymised = data(stage, example)?;
    let before = SystemClock.now();
    candidates(stage)?;
    approval(stage)?;
    let (gateway, mut applications) = serving(stage, &pseudonymised)?;
    let second = SystemClock.now();
    watching(stage, &gateway, &mut applications)?;
    let third = retrained(stage, &gateway, &mut applications)?;
    rolled_back(stage, &gateway, &mut applications)?;
    drop(gateway);
    proof(
        stage,
        &[
            ("before anything served", before),
            ("while version 2 served", second),
            ("while version 3 served", third),
        ],
    )?;
    summary(stage)
}

fn charter(
    stage: &mut Stage<'_>,
    example: &Path,
    (trainer, stores): (&Path, &[String]),
) -> Result<(), Failure> {
    stage.chapter("The charter says who there is, what is demanded, and what happens when")?;
    let (trainer, code) = (trainer.display().to_string(), example.display().to_string());
    let mut init = vec!["init", "--trainer", &trainer, "--code", &code];
    init.extend(stores.iter().map(String::as_str));
    stage.run("A charter to start from is written", &init, Done)?;
    let plan = stage.run("What it means, in sentences", &["plan"], Done)?;
    for change in plan["changes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|change| change["area"] == "data" || change["area"] == "models")
    {
        stage.say(change["sentence"].as_str().unwrap_or_default())?;
    }
    stage.run("Carla, the compliance officer, puts it in force", &["apply", "--as", "carla"], Done)?;
    Ok(())
}

fn data(stage: &mut Stage<'_>, example: &Path) -> Result<String, Failure> {
    stage
        .chapter("Personal data comes in encrypted, and only the role that the charter names can read it")?;
    let file = example.join("german-credit.csv").display().to_string();
    let raw = stage.run(
        "Diego, the data steward, imports 1,000 real credit applications",
        &["data", "import", "credit-raw", &file, "--as", "diego"],
        Done,
    )?;
    let raw = text(&raw, "name");
    stage.run(
        "Ada, an ML engineer, wants to read them and may not",
        &["data", "read", &raw, "--as", "ada"],
        Refused,
    )?;
    stage.chapter("Training gets a pseudonymised snapshot")?;
    let made = stage.run(
        "Diego makes it as the charter says",
        &["data", "pseudonymise", "credit-training", "--as", "diego"],
        Done,
    )?;
    let risk = &made["origin"]["risk"];
    for (word, risk) in [("before", &risk["before"]), ("after ", &risk["after"])] {
        let share = risk["unique_share"].as_f64().unwrap_or_default() * 100.0;
        stage.say(&format!(
            "re-identification risk {word}: k = {}, {share:.1} % of the records unique",
            risk["k"]
        ))?;
    }
    Ok(text(&made, "name"))
}

fn candidates(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.chapter("An ordinary training program runs under the training role")?;
    let two = ["model", "train", MODEL, "--set", "features=duration_in_month,credit_amount", "--as", "ada"];
    let first = stage.run("Ada trains a quick candidate on two features", &two, Done)?;
    show_version(stage, &first)?;
    stage.chapter("Gates judge by what is measured, not by what is claimed")?;
    let judged = stage.run(
        "The candidate is measured on rows that training never saw, and fails",
        &["model", "validate", MODEL, "1", "--as", "ada"],
        Refused,
    )?;
    show_criteria(stage, &judged)?;
    stage.run("Nobody can approve it now", &["model", "approve", MODEL, "1", "--as", "bruno"], Refused)?;
    let second = stage.run(
        "Ada trains a candidate on all features",
        &["model", "train", MODEL, "--as", "ada"],
        Done,
    )?;
    show_version(stage, &second)?;
    let judged = stage.run("It passes", &["model", "validate", MODEL, "2", "--as", "ada"], Done)?;
    show_criteria(stage, &judged)
}

fn approval(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.chapter("People approve, and never their own work")?;
    stage.run(
        "Ada tries to approve what she submitted",
        &["model", "approve", MODEL, "2", "--as", "ada"],
        Refused,
    )?;
    let approved = stage.run(
        "Bruno, the business owner, approves; the version is signed",
        &["model", "approve", MODEL, "2", "--as", "bruno"],
        Done,
    )?;
    stage.say(&format!("signature bundle {}", text(&approved, "signature")))
}

fn serving(stage: &mut Stage<'_>, snapshot: &str) -> Result<(Gateway, Applications), Failure> {
    stage.chapter("It is deployed, and served behind authentication and quotas")?;
    stage.run("Ada deploys version 2", &["model", "deploy", MODEL, "2", "--as", "ada"], Done)?;
    let file = stage.dir().join("applications.csv");
    let shown = file.display().to_string();
    let command = [
        "data",
        "read",
        snapshot,
        "--part",
        "validation",
        "--purpose",
        "to play traffic",
        "--out",
        &shown,
        "--as",
        "wardmote-automation",
    ];
    stage.run("Applications that the model has never seen are taken for traffic", &command, Done)?;
    let mut applications = Applications::read(&file)?;
    std::fs::remove_file(&file).map_err(|error| Failure::io(format!("remove `{shown}`"), error))?;
    let gateway = stage.serve()?;
    let body = {
        let row = applications.draw(Weather::Usual);
        applications.body(&row)
    };
    call(stage, &gateway, "A call without an access key is refused", (None, &body, 401))?;
    let kiosk = key(stage, "branch-kiosk")?;
    for _ in 0..3 {
        send(&gateway, Some(&kiosk), &body)?;
    }
    call(
        stage,
        &gateway,
        "The kiosk's fourth call at once is over its quota of three",
        (Some(&kiosk), &body, 429),
    )?;
    let app = key(stage, "credit-app")?;
    call(stage, &gateway, "A call by the credit application is answered", (Some(&app), &body, 200))?;
    Ok((gateway, applications))
}

fn watching(
    stage: &mut Stage<'_>,
    gateway: &Gateway,
    applications: &mut Applications,
) -> Result<(), Failure> {
    stage.chapter("Traffic is played, labels arrive later, and the population shifts")?;
    play(stage, gateway, applications, Weather::Usual)?;
    let report = look(stage, "The monitor sees nothing unusual")?;
    expect(&report, "version", &json!(2))?;
    play(stage, gateway, applications, Weather::Inflation)?;
    let report = look(stage, "Prices have risen: amounts and terms are larger, and people repay as before")?;
    let retrained =
        report["actions"].as_array().into_iter().flatten().find(|action| action["did"] == "retrained");
    let Some(retrained) = retrained else {
        return Err(Failure::new(
            Exit::Failed,
            format!("the alert did not start a retraining: {}", report["report"]["rules"]),
        ));
    };
    stage.say("the retraining pipeline ran by itself: labelled traffic joined the training data")?;
    show_version(stage, &retrained["trained"])?;
    show_criteria(stage, &retrained["validated"])
}

fn retrained(
    stage: &mut Stage<'_>,
    gateway: &Gateway,
    applications: &mut Applications,
) -> Result<Timestamp, Failure> {
    stage.run(
        "Nadia, another business owner, approves version 3",
        &["model", "approve", MODEL, "3", "--as", "nadia"],
        Done,
    )?;
    stage.run("Ada deploys it", &["model", "deploy", MODEL, "3", "--as", "ada"], Done)?;
    wait_for_variant(gateway, "v3")?;
    let third = SystemClock.now();
    play(stage, gateway, applications, Weather::Inflation)?;
    look(stage, "With version 3 the accuracy is back")?;
    Ok(third)
}

fn rolled_back(
    stage: &mut Stage<'_>,
    gateway: &Gateway,
    applications: &mut Applications,
) -> Result<(), Failure> {
    let key = key(stage, "credit-app")?;
    drop(applications.play(gateway, &key, REQUESTS, Weather::Cents)?);
    stage.show(
        "A release of the branch software sends amounts in cents; no labels yet",
        None,
        &json!({ "requests": REQUESTS }),
    )?;
    wait_for_capture(stage)?;
    let report = look(stage, "Hardly anybody would get a loan: the alert puts version 2 back")?;
    let back =
        report["actions"].as_array().into_iter().flatten().find(|action| action["did"] == "rolled_back");
    match back {
        Some(back) if back["deployed"]["version"] == 2 => wait_for_variant(gateway, "v2"),
        _ => Err(Failure::new(
            Exit::Failed,
            format!("the alert did not roll back: {}", report["report"]["rules"]),
        )),
    }
}

fn proof(stage: &mut Stage<'_>, times: &[(&str, Timestamp)]) -> Result<(), Failure> {
    stage.chapter("Everything can be proved afterwards")?;
    let card =
        stage.run("A model card is written from the record", &["card", MODEL, "--as", "priya"], Done)?;
    for file in card["files"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        stage.say(file)?;
    }
    for (what, time) in times {
        let answer = stage.run(
            &format!("What served {what}?"),
            &["history", "--model", MODEL, "--as-of", &time.to_string()],
            Done,
        )?;
        let served = &answer["serving"];
        let approved = served["approved_by"][0]["person"].as_str().unwrap_or_default();
        stage.say(&match served.is_null() {
            true => "nothing".to_owned(),
            false => format!(
                "version {}, approved by {approved} on the evidence of {}",
                served["version"],
                text(served, "validation")
            ),
        })?;
    }
    let refusals = stage.run("Every refusal is on record, the gateway's too", &["log", "--refused"], Done)?;
    for refusal in refusals.as_array().into_iter().flatten() {
        let body = &refusal["body"];
        let count = body["count"].as_u64().map_or_else(String::new, |count| format!(" ({count} calls)"));
        stage.say(&format!("{}{count}: {}", text(refusal, "evidence"), text(body, "reason")))?;
    }
    let report = stage.run("The whole ledger is verified", &["verify"], Done)?;
    stage.say(&format!("{} entries in {} streams are whole", report["entries"], report["streams"]))?;
    let copy = tampered_copy(stage.dir())?;
    let report = stage.run_in(
        &copy,
        "One bit is flipped in a copy of the ledger, and verification names the entry",
        &["verify"],
        Damaged,
    )?;
    for finding in report["findings"].as_array().into_iter().flatten().take(3) {
        stage.say(finding["what"].as_str().unwrap_or_default())?;
    }
    Ok(())
}

fn summary(stage: &mut Stage<'_>) -> Result<(), Failure> {
    let dir = stage.dir().display().to_string();
    let lines = [
        "What you saw, on real data, by the ordinary commands:".to_owned(),
        "  personal data stayed encrypted; a read outside the charter was refused and recorded".to_owned(),
        "  version 1 failed a gate; version 2 passed, was approved by somebody else, signed and deployed"
            .to_owned(),
        "  calls without a key and over quota were refused; every good call was captured and sealed"
            .to_owned(),
        "  a shift of the population was found, a new version trained, approved and deployed".to_owned(),
        "  an anomaly put the previous version back".to_owned(),
        "Where to look next:".to_owned(),
        format!("  {dir}/cards/credit-scoring-v2.html  the model card, made from the record"),
        format!("  wardmote --dir {dir} log  every decision, refusals and key uses included"),
        format!("  {dir}/charter.yaml  change a line, then `wardmote --dir {dir} plan`"),
    ];
    stage.end(&lines)
}

/// A copy of the ledger with one bit of an entry flipped.
fn tampered_copy(dir: &Path) -> Result<std::path::PathBuf, Failure> {
    let copy = dir.join("tampered");
    let target = copy.join("ledger");
    std::fs::create_dir_all(&target)
        .map_err(|error| Failure::io(format!("make `{}`", target.display()), error))?;
    for file in ["ledger.db", "checkpoint", "seal", "log.vkey"] {
        let mut bytes = crate::commands::read_file(&dir.join("ledger").join(file))?;
        if file == "ledger.db" {
            let word = b"model.approve";
            let at = bytes.windows(word.len()).position(|window| window == word).unwrap_or(bytes.len() / 2);
            bytes[at] ^= 1;
        }
        write_private(&target.join(file), &bytes)?;
    }
    Ok(copy)
}

fn play(
    stage: &mut Stage<'_>,
    gateway: &Gateway,
    applications: &mut Applications,
    weather: Weather,
) -> Result<(), Failure> {
    let key = key(stage, "credit-app")?;
    let labels = applications.play(gateway, &key, REQUESTS, weather)?;
    wait_for_capture(stage)?;
    let file = stage.dir().join("labels.jsonl");
    write_private(&file, labels.as_bytes())?;
    let path = file.display().to_string();
    let what = format!("{REQUESTS} applications were answered; months later it is known who repaid");
    stage.run(&what, &["labels", "import", MODEL, &path, "--as", "wardmote-automation"], Done)?;
    std::fs::remove_file(&file).map_err(|error| Failure::io(format!("remove `{path}`"), error))
}

fn look(stage: &mut Stage<'_>, what: &str) -> Result<Value, Failure> {
    let answer = stage.run(what, &["monitor", MODEL, "--as", "wardmote-automation"], Done)?;
    let report = &answer["report"];
    let number = |name: &str| report["measurements"][name]["value"].as_f64();
    let show = |name: &str| {
        number(name).map_or_else(|| "unknown (no labels)".to_owned(), |value| format!("{value:.3}"))
    };
    stage.say(&format!(
        "version {}: accuracy {}, share of good answers {}",
        report["version"],
        show("model_accuracy"),
        show("positive_rate")
    ))?;
    for feature in report["drift"]["features"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|f| f["verdict"]["verdict"] == "broken")
    {
        stage.say(&format!(
            "drifted: {} {}",
            text(feature, "feature"),
            text(&feature["verdict"], "reason")
        ))?;
    }
    for action in answer["actions"].as_array().into_iter().flatten() {
        stage.say(&format!("ALERT {}", text(action, "sentence")))?;
        if action["did"] == "failed" {
            stage.say(&format!("  could not act: {}", text(action, "reason")))?;
        }
    }
    Ok(answer)
}

fn show_version(stage: &Stage<'_>, trained: &Value) -> Result<(), Failure> {
    let commit =
        trained["git_commit"].as_str().map_or("not in Git", |commit| commit.get(..12).unwrap_or(commit));
    let artefact = text(trained, "artefact");
    let artefact = artefact.get(..19).unwrap_or(&artefact);
    stage.say(&format!(
        "version {}: {artefact}…, trained on {}, commit {commit}",
        trained["version"],
        text(trained, "snapshot")
    ))
}

fn show_criteria(stage: &Stage<'_>, validated: &Value) -> Result<(), Failure> {
    for result in validated["report"]["criteria"].as_array().into_iter().flatten() {
        let (verdict, criterion) = (&result["verdict"], &result["criterion"]);
        let reason = verdict["reason"].as_str().map_or_else(String::new, |reason| format!(": {reason}"));
        let measured =
            result["measured"].as_f64().map_or_else(|| "unknown".to_owned(), |value| format!("{value:.4}"));
        stage.say(&format!(
            "{:<32} {measured}  {}{reason}",
            text(criterion, "metric"),
            text(verdict, "verdict")
        ))?;
    }
    Ok(())
}

fn send(gateway: &Gateway, key: Option<&str>, body: &str) -> Result<super::http::Answer, Failure> {
    let authorization = key.map(|key| format!("Bearer {key}"));
    let mut headers = vec![("content-type", "application/json")];
    if let Some(authorization) = &authorization {
        headers.push(("authorization", authorization));
    }
    Client::connect(&gateway.address)?.send("POST", "/endpoints/credit-scoring/invocations", &headers, body)
}

fn call(
    stage: &mut Stage<'_>,
    gateway: &Gateway,
    what: &str,
    (key, body, expected): (Option<&str>, &str, u16),
) -> Result<(), Failure> {
    let answer = send(gateway, key, body)?;
    if answer.status != expected {
        return Err(Failure::new(
            Exit::Failed,
            format!("the gateway answered {} where {expected} was due: {}", answer.status, answer.body),
        ));
    }
    let header = |name: &str| answer.headers.get(name).cloned();
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let shown = json!({
        "status": answer.status, "request_id": header("x-amzn-requestid"), "retry_after": header("retry-after"), "body": body,
    });
    let authorization = if key.is_some() { " -H 'authorization: Bearer wmk_…'" } else { "" };
    let command = format!(
        "curl{authorization} -d @application.json http://{}/endpoints/credit-scoring/invocations",
        gateway.address
    );
    stage.show(what, Some(&command), &shown)?;
    let retry = header("retry-after").map_or_else(String::new, |seconds| format!(", Retry-After: {seconds}"));
    let said = body["message"].as_str().map_or_else(
        || {
            format!(
                "{} with probability {:.3}",
                text(&body["predictions"][0], "predicted_label"),
                body["predictions"][0]["probability"].as_f64().unwrap_or_default()
            )
        },
        str::to_owned,
    );
    stage.say(&format!(
        "{}{retry}: {said} (request {})",
        answer.status,
        header("x-amzn-requestid").unwrap_or_default()
    ))
}

fn key(stage: &Stage<'_>, holder: &str) -> Result<String, Failure> {
    let id =
        holder.parse().map_err(|error: facts::ParseError| Failure::new(Exit::Failed, error.to_string()))?;
    House::at(stage.dir()).credential(&id)
}

fn expect(answer: &Value, key: &str, value: &Value) -> Result<(), Failure> {
    if answer["report"][key] == *value {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Failed,
        format!("the monitor looked at {key} {}, not at {value}", answer["report"][key]),
    ))
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}
