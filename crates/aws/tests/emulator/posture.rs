//! What there is in an account is read for controls, and what could not be read is never taken for good or for absent.

use crate::support::proxy::{Fate, Memory, Proxy, json_error, operation, xml_error};
use crate::support::{Emulator, client, folder, python, settings, variables};
use aws::Client;
use controls::{Finding, Selection, live, scan};
use facts::inventory::{Difference, Inventory, Status};
use facts::remediation::Target;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The account, made once.
fn account() {
    static MADE: Once = Once::new();
    MADE.call_once(|| {
        let url = format!("http://{}", Emulator::get().address);
        let output = Command::new(python()).arg(folder().join("posture.py")).arg(url).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    });
}

/// What was read and is ours; other tests use the same account.
fn collect(client: &Client) -> Inventory {
    let mut inventory = aws::posture::collect(client).unwrap();
    inventory.resources.retain(|item| {
        let own = |text: &str| text.contains("posture");
        own(&item.id)
            || item.kind == "AWS::S3::AccountPublicAccessBlock"
            || item.kind == "AWS::Bedrock::ModelInvocationLoggingConfiguration"
            || item.names.iter().any(|name| own(name))
            || item.properties.values().any(|value| own(&value.to_string()))
    });
    inventory
}

/// The text with names in the place of identifiers that are others in each run.
fn stable(text: String, inventory: &Inventory) -> String {
    let mut out = text;
    let mut ids: Vec<(&str, &str)> = Vec::new();
    for item in &inventory.resources {
        let made = item.id.split('|').filter(|part| part.len() >= 6 && !part.starts_with("arn:"));
        let digits = |part: &&str| part.bytes().any(|b| b.is_ascii_digit()) || !part.contains('-');
        ids.extend(made.filter(digits).map(|part| (part, item.kind.rsplit("::").next().unwrap())));
    }
    ids.retain(|(id, _)| {
        !matches!(*id, "posture" | "123456789012" | "POSTURE001" | "POSTURE002" | "POSTURE003")
    });
    ids.sort_by_key(|(id, _)| std::cmp::Reverse(id.len()));
    for (id, kind) in ids {
        out = out.replace(id, kind);
    }
    out
}

/// Verdicts by control and resource.
fn verdicts(inventory: &Inventory) -> BTreeMap<(String, String), &'static str> {
    let report = scan(&live(inventory), &Selection::default());
    let word = |finding: &Finding| {
        let resource = format!("{} {}", finding.subject.kind, finding.subject.id);
        ((finding.control().to_owned(), resource), finding.word())
    };
    report.findings().iter().map(word).collect()
}

#[test]
fn an_account_is_read_in_the_shape_of_cloudformation() {
    account();
    let inventory = collect(&client(Emulator::get().address));
    let mut seen = String::new();
    for item in &inventory.resources {
        let known = item.provenance.iter().filter(|(_, told)| !told.status.is_known());
        let unknown: Vec<_> = known.map(|(name, told)| format!("{name}: {:?}", told.status)).collect();
        let facts: Vec<&String> = item.derived.keys().collect();
        let shown =
            json!({"type": item.kind, "properties": item.properties, "derived": facts, "unknown": unknown});
        seen.push_str(&format!("{shown:#}\n"));
    }
    let seen = stable(seen, &inventory);
    insta::assert_snapshot!(seen);
    let unread: Vec<&String> = inventory.unread.keys().collect();
    // The emulator does not know these calls.
    assert_eq!(unread, ["AWS::SageMaker::FeatureGroup", "AWS::SageMaker::MonitoringSchedule"]);
}

#[test]
fn controls_see_what_is_there() {
    account();
    let inventory = collect(&client(Emulator::get().address));
    let found = verdicts(&inventory);
    let lines: Vec<String> = found
        .iter()
        .filter(|((control, resource), _)| !control.contains('.') && !resource.starts_with("AWS::KMS"))
        .map(|((control, resource), word)| format!("{control} {resource}: {word}"))
        .filter(|line| !line.contains("AccessKey"))
        .collect();
    insta::assert_snapshot!(stable(lines.join("\n"), &inventory));
}

/// A member of an organisation, whose policies the emulator would show to nobody but the account that manages it.
#[test]
fn policies_of_the_organization_bind_a_member() {
    account();
    let proxy = Proxy::before(Some(Emulator::get().address));
    let answer = |value: serde_json::Value| {
        Fate::Answer(200, "content-type: application/x-amz-json-1.1\r\n".to_owned(), value.to_string())
    };
    let of = |name: &str| format!("AWSOrganizationsV20161128.{name}");
    let organization = json!({"Organization": {"Id": "o-1", "MasterAccountId": "999999999999"}});
    proxy.always_of(&of("DescribeOrganization"), answer(organization));
    proxy.always_of(&of("ListParents"), answer(json!({"Parents": [{"Id": "r-root", "Type": "ROOT"}]})));
    proxy.always(
        "SERVICE_CONTROL_POLICY",
        answer(json!({"Policies": [{"Id": "p-models", "Name": "models"}]})),
    );
    proxy.always("RESOURCE_CONTROL_POLICY", answer(json!({"Policies": []})));
    let denied = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "bedrock:InvokeModel*",
        "NotResource": "arn:aws:bedrock:*::foundation-model/amazon.titan-embed-text-v2:0"}]});
    proxy.always_of(&of("DescribePolicy"), answer(json!({"Policy": {"Content": denied.to_string()}})));
    let inventory = aws::posture::collect(&client(proxy.address)).unwrap();
    let policy = inventory.resources.iter().find(|one| one.kind == "AWS::Organizations::Policy").unwrap();
    assert_eq!(policy.properties["TargetIds"], json!(["r-root", inventory.account]));
    let bounded = ("BR-08".to_owned(), "AWS::IAM::Role posture-trainer".to_owned());
    assert_eq!(verdicts(&inventory)[&bounded], "holds");
    // Who may not see them knows nothing.
    proxy.always_of(&of("DescribePolicy"), json_error(400, "AccessDeniedException"));
    let inventory = aws::posture::collect(&client(proxy.address)).unwrap();
    assert!(inventory.unread["AWS::Organizations::Policy"].contains("organizations:DescribePolicy"));
    assert_eq!(verdicts(&inventory)[&bounded], "unknown");
}

/// How a service says no to an operation.
fn refused(operation: &str, status: u16, code: &str) -> Fate {
    let json = operation.contains('.') || operation.contains(' ') && !operation.starts_with("s3 ");
    // Services with targets say everything but their own failures with 400.
    match (json, operation.contains('.'), status) {
        (true, true, 403) => json_error(400, &format!("{code}Exception")),
        (true, ..) => json_error(status, &format!("{code}Exception")),
        _ => xml_error(status, code),
    }
}

/// The account as a proxy with a memory shows it, and every operation that was called for it.
struct Known {
    memory: Memory,
    verdicts: BTreeMap<(String, String), &'static str>,
    operations: Vec<String>,
}

impl Known {
    fn get() -> Self {
        account();
        let memory = Memory::default();
        let proxy = Proxy::remembering(Emulator::get().address, &memory);
        let verdicts = verdicts(&aws::posture::collect(&client(proxy.address)).unwrap());
        let operations: BTreeSet<String> = proxy.seen().iter().map(|request| operation(request)).collect();
        let operations: Vec<String> =
            operations.into_iter().filter(|operation| operation != "GetCallerIdentity").collect();
        assert!(operations.len() >= 110, "{operations:?}");
        Self { memory, verdicts, operations }
    }

    /// The account when these operations fail in this way, always.
    fn without(&self, fates: impl IntoIterator<Item = (String, Fate)>, timeout: Duration) -> Inventory {
        let proxy = Proxy::remembering(Emulator::get().address, &self.memory);
        fates.into_iter().for_each(|(operation, fate)| proxy.always_of(&operation, fate));
        let settings = settings(variables(proxy.address)).with_timeout(timeout);
        aws::posture::collect(&Client::new(settings).unwrap()).unwrap()
    }
}

/// Nothing that holds was not shown to hold, nothing is missing, and nothing is called broken for want of an answer.
fn compare(before: &BTreeMap<(String, String), &str>, inventory: &Inventory, word: &str) -> usize {
    let after = verdicts(inventory);
    let mut undecided = 0;
    for ((control, resource), was) in before {
        let kind = resource.split(' ').next().unwrap();
        let every = format!("{kind} every {kind}");
        let now = after
            .get(&(control.clone(), resource.clone()))
            .or_else(|| after.get(&(control.clone(), every)))
            .unwrap_or_else(|| panic!("{word}: no verdict of {control} on {resource}"));
        assert!(now == was || *now == "unknown", "{word}: {control} on {resource} was {was} and is {now}");
        undecided += usize::from(now != was);
    }
    undecided
}

/// Does something with each of a list, four at a time.
fn each<T: Sync>(all: &[T], work: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(one) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    work(one);
                }
            });
        }
    });
}

const PATIENT: Duration = Duration::from_secs(30);

#[test]
fn what_is_denied_is_unknown_never_good_and_never_forgotten() {
    let known = Known::get();
    // Without aliases only names are lost; the others the emulator does not know, so they are missing anyway.
    let spared = ["ListAliases", "ListFeatureGroups", "ListMonitoringSchedules"];
    let bites = AtomicUsize::new(0);
    each(&known.operations, |operation| {
        let fate = refused(operation, 403, "AccessDenied");
        let inventory = known.without([(operation.clone(), fate)], PATIENT);
        let denied = inventory.resources.iter().flat_map(|item| item.provenance.values());
        let denied = denied.filter(|told| told.status == Status::Denied).count();
        let spared = spared.iter().any(|spared| operation.contains(spared));
        assert!(denied > 0 || inventory.unread.len() > 2 || spared, "{operation} was not noticed");
        if compare(&known.verdicts, &inventory, operation) > 0 {
            bites.fetch_add(1, Ordering::Relaxed);
        }
    });
    let bites = bites.into_inner();
    assert!(bites >= 50, "{bites}");
}

#[test]
fn what_fails_always_is_unknown_never_good_and_never_forgotten() {
    let known = Known::get();
    each(&known.operations, |operation| {
        let fate = refused(operation, 500, "InternalFailure");
        compare(&known.verdicts, &known.without([(operation.clone(), fate)], PATIENT), operation);
    });
    // What becomes of the others is the same for all operations, so some are taken at a time.
    let mut runs: Vec<Run> = Vec::new();
    for part in 0..PARTS {
        runs.push((part, |operation| refused(operation, 429, "Throttling"), PATIENT));
        runs.push((part, |_| Fate::Reset, PATIENT));
        runs.push((part, |_| Fate::Half, PATIENT));
        runs.push((part, |_| Fate::Silence, SHORT));
    }
    each(&runs, |(part, fate, timeout)| {
        let some = known.operations.iter().skip(*part).step_by(PARTS);
        let inventory = known.without(some.map(|operation| (operation.clone(), fate(operation))), *timeout);
        compare(&known.verdicts, &inventory, "some");
    });
}

/// Which part of the operations fails, how, and how long is waited for an answer.
type Run = (usize, fn(&str) -> Fate, Duration);

const PARTS: usize = 6;
const SHORT: Duration = Duration::from_millis(150);

#[test]
fn what_fails_once_is_asked_again() {
    let known = Known::get();
    let json = json_error(500, "InternalFailure");
    let throttled = json_error(429, "ThrottlingException");
    for (fate, timeout) in [
        (json, PATIENT),
        (throttled, PATIENT),
        (Fate::Reset, PATIENT),
        (Fate::Half, PATIENT),
        (Fate::Silence, SHORT),
    ] {
        let proxy = Proxy::remembering(Emulator::get().address, &known.memory);
        proxy.fail_first(fate);
        let settings = settings(variables(proxy.address)).with_timeout(timeout);
        let inventory = aws::posture::collect(&Client::new(settings).unwrap()).unwrap();
        let undecided = compare(&known.verdicts, &inventory, "once");
        assert!(
            undecided == 0 || timeout == SHORT,
            "{undecided} are not known although the second attempt succeeded"
        );
    }
}

#[test]
fn what_answers_for_the_emulator_is_of_the_shape_of_the_services() {
    let output = Command::new(python()).arg(folder().join("answers.py")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn one_resource_is_read_again_with_what_comes_with_it() {
    account();
    let client = client(Emulator::get().address);
    let before = aws::posture::collect(&client).unwrap();
    let kinds = [
        "AWS::ApiGateway::RestApi",
        "AWS::ApiGateway::Stage",
        "AWS::ApiGatewayV2::Route",
        "AWS::Cognito::UserPoolClient",
        "AWS::Bedrock::Guardrail",
        "AWS::Bedrock::DataSource",
        "AWS::ECS::Service",
        "AWS::ECS::TaskDefinition",
        "AWS::EKS::Cluster",
        "AWS::Config::ConfigurationRecorder",
        "AWS::CloudWatch::Alarm",
        "AWS::SageMaker::ModelPackage",
        "AWS::SageMaker::NotebookInstanceLifecycleConfig",
        "AWS::Macie::Bucket",
        "AWS::IAM::Role",
    ];
    for kind in kinds {
        let mut again = before.clone();
        let one =
            before.resources.iter().find(|item| item.kind == kind).unwrap_or_else(|| panic!("no {kind}"));
        let target = Target { kind: kind.to_owned(), id: one.id.clone() };
        // The report of a role's rights is kept from before.
        if kind != "AWS::IAM::Role" {
            again.resources.retain(|item| item != one);
        }
        aws::posture::refresh(&client, &mut again, &target).unwrap();
        assert_eq!(before.difference(&again), Difference::default(), "{kind}");
        assert_eq!(before.unread, again.unread, "{kind}");
    }
}
