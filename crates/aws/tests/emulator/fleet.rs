//! Platforms on which models serve: the contract of their port, what they promise beyond, and what happens when calls fail.

use crate::support::kubernetes::ApiServer;
use crate::support::proxy::{Fate, Proxy, json_error};
use crate::support::{Emulator, client, proxied, script};
use aws::fleet::AwsFleet;
use base64::Engine;
use facts::Digest;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use world::{Condition, Files, Fleet, Kind, Observed, Pace, Release, Site};

const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// An endpoint with a bucket of its own; `more` is what else the charter says.
fn site(name: &str, platform: &str, mut on: Value, more: &Value) -> Site {
    Emulator::get().bucket(&format!("{name}-artefacts"));
    on["artefacts"] = format!("s3://{name}-artefacts/models/").into();
    on["key"] = crate::KEY.into();
    for (key, value) in more.as_object().into_iter().flatten() {
        on[key] = value.clone();
    }
    let tags = [("owner".to_owned(), "team-ml".to_owned())].into();
    let on = serde_json::from_value(json!({ platform: on })).unwrap();
    Site { endpoint: name.parse().unwrap(), on, tags, capture_share: 1.0 }
}

pub(crate) fn sagemaker(name: &str, more: &Value) -> Site {
    let on = json!({
        "image": format!("123456789012.dkr.ecr.eu-central-1.amazonaws.com/scorer@{DIGEST}"),
        "instance_type": "ml.m5.large",
        "instances": 2,
        "role": "arn:aws:iam::123456789012:role/serving",
        "subnets": ["subnet-0a1b2c3d"],
        "security_groups": ["sg-0a1b2c3d"],
        "capture": format!("s3://{name}-capture/"),
    });
    site(name, "sagemaker", on, more)
}

pub(crate) fn ecs(name: &str, more: &Value) -> Site {
    script("service.py", "make", Emulator::get().address, name);
    let on = json!({
        "cluster": "models",
        "image": format!("123456789012.dkr.ecr.eu-central-1.amazonaws.com/scorer@{DIGEST}"),
        "execution_role": "arn:aws:iam::123456789012:role/starting",
        "task_role": "arn:aws:iam::123456789012:role/serving",
        "cpu": 1024,
        "memory": 2048,
        "tasks": 2,
        "log_group": "/models",
    });
    site(name, "ecs", on, more)
}

pub(crate) fn eks(name: &str, more: &Value) -> Site {
    let on = json!({
        "cluster": "models",
        "namespace": "scoring",
        "image": format!("123456789012.dkr.ecr.eu-central-1.amazonaws.com/scorer@{DIGEST}"),
        "service_account": "scorer",
        "replicas": 2,
        "cpu_millis": 500,
        "memory": 1024,
        "clients": ["apps"],
    });
    site(name, "eks", on, more)
}

pub(crate) fn release(version: u32) -> (Release, Files) {
    let content = format!("model {version}").into_bytes();
    let artefact = Digest::of(&content);
    let release = Release { model: "credit".parse().unwrap(), version, artefact, recorded: None };
    (release, Files::from([("model.onnx".to_owned(), content)]))
}

pub(crate) fn settled(fleet: &AwsFleet, site: &Site) -> Observed {
    for looks in 0..100 {
        let seen = fleet.describe(site).unwrap();
        if seen.condition != Condition::Changing {
            return seen;
        }
        fleet.wait(site, looks);
    }
    panic!("it never settles");
}

fn alarm(what: &str, name: &str) {
    script("alarm.py", what, Emulator::get().address, name);
}

#[test]
fn endpoints_of_sagemaker_keep_the_contract() {
    let site = sagemaker("contract-sm", &json!({}));
    let open = || AwsFleet::new(client(Emulator::get().address));
    world::contract::fleet::check(&|| Box::new(open()), &site);
}

#[test]
fn two_releases_share_the_traffic_also_when_every_call_fails_once() {
    let more = json!({ "alarms": ["weighed-5xx"], "traffic": {"weights": {"percent": 10, "minutes": 0}} });
    alarm("quiet", "weighed-5xx");
    let open = || AwsFleet::new(client(Emulator::get().address));
    world::contract::fleet::check_weights(&|| Box::new(open()), &sagemaker("weighed-sm", &more));
    let troubles =
        [json_error(500, "InternalFailure"), json_error(400, "ThrottlingException"), Fate::Lost, Fate::Half];
    for (n, trouble) in troubles.into_iter().enumerate() {
        let site = sagemaker(&format!("weighed-sm-{n}"), &more);
        let (proxy, client) = proxied();
        // S3 and CloudWatch speak XML.
        proxy.fail_each_once(trouble, &["/s3/aws4_request", "/monitoring/aws4_request"]);
        world::contract::fleet::check_weights(&|| Box::new(AwsFleet::new(client.clone())), &site);
    }
}

#[test]
fn alarms_are_looked_at_and_one_that_is_not_there_is_no_watch() {
    let made = sagemaker("watched-sm", &json!({}));
    let site = |alarm: &str| {
        let mut site = made.clone();
        if let facts::serving::ServeOn::Sagemaker(on) = &mut site.on {
            on.alarms = vec![alarm.parse().unwrap()];
        }
        site
    };
    alarm("quiet", "watched-5xx");
    let fleet = AwsFleet::new(client(Emulator::get().address));
    assert_eq!(fleet.watch(&site("watched-5xx"), 1).unwrap(), None);
    alarm("loud", "watched-5xx");
    let on = fleet.watch(&site("watched-5xx"), 1).unwrap();
    assert_eq!(on.as_deref(), Some("the alarm `watched-5xx` is on"));
    let error = fleet.watch(&site("nobody-made-it"), 0).unwrap_err();
    insta::assert_snapshot!(error, @"there is no alarm `nobody-made-it`, so that nothing would take the traffic back");
    let service = ecs("watched-ecs", &json!({}));
    let error = fleet.weigh(&service, "x", 10).unwrap_err();
    insta::assert_snapshot!(error, @"`watched-ecs` serves on ECS, where two releases share no traffic");
}

#[test]
fn endpoints_keep_the_contract_when_every_call_fails_once() {
    let troubles = [
        json_error(500, "InternalFailure"),
        json_error(400, "ThrottlingException"),
        Fate::Reset,
        Fate::Lost,
        Fate::Half,
    ];
    for (n, trouble) in troubles.into_iter().enumerate() {
        let site = sagemaker(&format!("trouble-sm-{n}"), &json!({}));
        let (proxy, client) = proxied();
        // S3 speaks XML, and has tests of its own.
        proxy.fail_each_once(trouble, &["/s3/aws4_request"]);
        world::contract::fleet::check(&|| Box::new(AwsFleet::new(client.clone())), &site);
    }
}

#[test]
fn services_of_ecs_keep_the_contract_also_when_every_call_fails_once() {
    let open = || AwsFleet::new(client(Emulator::get().address));
    world::contract::fleet::check(&|| Box::new(open()), &ecs("contract-ecs", &json!({})));
    for (n, trouble) in [json_error(500, "ServerException"), Fate::Lost, Fate::Half].into_iter().enumerate() {
        let site = ecs(&format!("trouble-ecs-{n}"), &json!({}));
        let (proxy, client) = proxied();
        // One call cannot be made again by itself: whoever makes a release makes it again.
        proxy.fail_each_once(trouble, &["/s3/aws4_request", ".RegisterTaskDefinition\r"]);
        world::contract::fleet::check(&|| Box::new(AwsFleet::new(client.clone())), &site);
    }
    // An answer that is lost is looked for, and nothing is made twice.
    let site = ecs("lost-ecs", &json!({}));
    let (proxy, client) = proxied();
    proxy.always("EC2ContainerServiceV20141113.RegisterTaskDefinition\r", Fate::Lost);
    let fleet = AwsFleet::new(client);
    let (release, files) = release(1);
    let name = fleet.prepare(&site, &release, &files).unwrap();
    let made = proxy.seen().iter().filter(|request| request.contains(".RegisterTaskDefinition\r")).count();
    assert_eq!((made, fleet.find(&site, &release).unwrap()), (1, Some(name)));
}

#[test]
fn a_service_of_ecs_is_taken_back_and_what_somebody_runs_there_is_seen() {
    let site = ecs("story-ecs", &json!({ "alarms": ["story-ecs-5xx"] }));
    alarm("quiet", "story-ecs-5xx");
    let (proxy, client) = proxied();
    let fleet = AwsFleet::new(client);
    let make =
        |site: &Site, version: u32| fleet.prepare(site, &release(version).0, &release(version).1).unwrap();
    let (one, two) = (make(&site, 1), make(&site, 2));
    fleet.shift(&site, &one, Pace::Staged).unwrap();
    assert!(settled(&fleet, &site).serves(&one));
    let requests: Vec<String> = proxy.seen();
    let sent = requests.iter().filter(|request| {
        [".RegisterTaskDefinition\r", ".UpdateService\r"].iter().any(|word| request.contains(word))
    });
    let bodies =
        sent.map(|request| serde_json::from_str::<Value>(request.split_once("\r\n\r\n").unwrap().1).unwrap());
    let bodies: Vec<String> = bodies.map(|body| format!("{body:#}")).collect();
    let shown = bodies[0].clone() + "\n" + bodies.last().unwrap();
    insta::assert_snapshot!("what_ecs_is_told", shown.replace(&one, "RELEASE-1"));
    alarm("loud", "story-ecs-5xx");
    fleet.shift(&site, &two, Pace::Staged).unwrap();
    let after = settled(&fleet, &site);
    assert!(after.serves(&one) && after.said.unwrap().contains("story-ecs-5xx"));
    fleet.shift(&site, &two, Pace::AtOnce).unwrap();
    assert!(settled(&fleet, &site).serves(&two), "a rollback goes through while the alarm is on");
    let image = format!("123456789012.dkr.ecr.eu-central-1.amazonaws.com/crashing@{DIGEST}");
    let mut crashing = site.clone();
    if let facts::serving::ServeOn::Ecs(on) = &mut crashing.on {
        on.image = image.parse().unwrap();
    }
    let three = make(&crashing, 3);
    fleet.shift(&crashing, &three, Pace::AtOnce).unwrap();
    let after = settled(&fleet, &site);
    assert!(after.serves(&two) && after.said.unwrap().contains("tasks failed to start"));
    // Somebody runs another revision of the same family.
    script("service.py", "revision", Emulator::get().address, &format!("story-ecs|{two}"));
    settled(&fleet, &site);
    let found = fleet.examine(&site, &release(2).0, &two).unwrap();
    assert!(
        found.iter().any(|what| what.contains("theirs:latest") || what.contains("more values")),
        "{found:?}"
    );
    insta::assert_snapshot!(
        "policy_of_a_service",
        format!("{:#}", fleet.permissions(&[site]).unwrap().to_json())
    );
    let nowhere = Site { endpoint: "nowhere-ecs".parse().unwrap(), ..crashing };
    insta::assert_snapshot!(fleet.describe(&nowhere).unwrap_err(), @"there is no service `nowhere-ecs` in the cluster `models`");
}

/// A proxy that knows where a cluster is, a server that stands for its API, and platforms that go there.
fn with_cluster() -> (Proxy, ApiServer, AwsFleet) {
    let (proxy, client) = proxied();
    let server = ApiServer::start("models");
    proxy.always("GET /clusters/models", cluster_at(server.address));
    (proxy, server, AwsFleet::new(client))
}

/// What EKS says of the cluster `models`, whose API is at an address.
pub(crate) fn cluster_at(address: std::net::SocketAddr) -> Fate {
    let pem = std::fs::read(certificate()).unwrap();
    let cluster = json!({ "cluster": {
        "name": "models", "endpoint": format!("http://{address}"),
        "certificateAuthority": { "data": base64::engine::general_purpose::STANDARD.encode(pem) },
    } });
    Fate::Answer(200, String::new(), cluster.to_string())
}

/// A certificate of this machine's authorities, which stands for that of a cluster.
fn certificate() -> std::path::PathBuf {
    let output = std::process::Command::new(crate::support::python())
        .args(["-c", "import certifi; print(certifi.where())"])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim().into()
}

#[test]
fn deployments_in_a_cluster_keep_the_contract() {
    let (_proxy, server, fleet) = with_cluster();
    world::contract::fleet::check(&|| Box::new(fleet.clone()), &eks("contract-eks", &json!({})));
    server.fail_every_other();
    world::contract::fleet::check(&|| Box::new(fleet.clone()), &eks("trouble-eks", &json!({})));
}

#[test]
fn what_a_cluster_is_told_and_what_somebody_changes_there() {
    let (_proxy, server, fleet) = with_cluster();
    let site = eks("story-eks", &json!({}));
    let (one, files) = release(1);
    let name = fleet.prepare(&site, &one, &files).unwrap();
    fleet.shift(&site, &name, Pace::Staged).unwrap();
    assert!(settled(&fleet, &site).serves(&name));
    insta::assert_snapshot!("what_a_cluster_is_told", server.objects().replace(&name, "RELEASE-1"));
    let path = "/apis/apps/v1/namespaces/scoring/deployments/story-eks";
    server.change(path, "/spec/template/spec/containers/0/image", json!("theirs:latest"));
    server.change(
        "/apis/networking.k8s.io/v1/namespaces/scoring/networkpolicies/story-eks",
        "/spec/ingress",
        json!([{}]),
    );
    let found = fleet.examine(&site, &one, &name).unwrap();
    insta::assert_snapshot!(found.join("\n"));
    // A version whose pods are never well: the deadline passes, and the former pods go on.
    let (two, files) = release(2);
    let second = fleet.prepare(&site, &two, &files).unwrap();
    server.never_well(&second);
    fleet.shift(&site, &second, Pace::Staged).unwrap();
    let after = settled(&fleet, &site);
    assert_eq!((after.condition, after.only()), (Condition::Failed, Some(name.as_str())));
    fleet.shift(&site, &name, Pace::AtOnce).unwrap();
    assert!(settled(&fleet, &site).serves(&name));
    server.deny();
    let error = fleet.describe(&site).unwrap_err();
    assert_eq!(error.kind(), Kind::Denied);
    insta::assert_snapshot!(error, @"the cluster `models` does not allow it (403): `no`");
    insta::assert_snapshot!(
        "policy_of_a_deployment",
        format!("{:#}", fleet.permissions(&[site]).unwrap().to_json())
    );
}

#[test]
fn what_is_made_is_what_the_charter_says() {
    let more = json!({
        "alarms": ["made-sm-5xx"], "traffic": {"canary": {"percent": 10, "minutes": 5}}, "termination_wait_minutes": 3,
    });
    let site = sagemaker("made-sm", &more);
    let (proxy, client) = proxied();
    let fleet = AwsFleet::new(client);
    let mut names = Vec::new();
    for version in [1, 2] {
        let (release, files) = release(version);
        let name = fleet.prepare(&site, &release, &files).unwrap();
        fleet.shift(&site, &name, Pace::Staged).unwrap();
        assert!(settled(&fleet, &site).serves(&name));
        names.push(name);
    }
    fleet.shift(&site, &names[0], Pace::AtOnce).unwrap();
    settled(&fleet, &site);
    let mut shown = String::new();
    for request in proxy.seen() {
        let Some(target) = request.lines().find_map(|line| line.strip_prefix("x-amz-target: SageMaker."))
        else {
            continue;
        };
        if ["Create", "Update"].iter().any(|word| target.starts_with(word)) {
            let body: Value = serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap();
            shown.push_str(&format!("{}\n{body:#}\n", target.trim()));
        }
    }
    for (n, name) in names.iter().enumerate() {
        shown = shown.replace(name, &format!("RELEASE-{}", n + 1));
    }
    insta::assert_snapshot!(shown);
    let policy = fleet.permissions(std::slice::from_ref(&site)).unwrap();
    insta::assert_snapshot!("policy_of_an_endpoint", format!("{:#}", policy.to_json()));
}

#[test]
fn an_alarm_takes_an_update_back_and_a_way_back_is_not_stopped_by_it() {
    let site = sagemaker("alarmed-sm", &json!({ "alarms": ["alarmed-sm-5xx"] }));
    alarm("quiet", "alarmed-sm-5xx");
    let fleet = AwsFleet::new(client(Emulator::get().address));
    let names: Vec<String> =
        [1, 2].map(|version| fleet.prepare(&site, &release(version).0, &release(version).1).unwrap()).into();
    fleet.shift(&site, &names[0], Pace::Staged).unwrap();
    settled(&fleet, &site);
    alarm("loud", "alarmed-sm-5xx");
    fleet.shift(&site, &names[1], Pace::Staged).unwrap();
    let during = fleet.describe(&site).unwrap();
    assert_eq!((during.condition, during.towards.as_ref()), (Condition::Changing, Some(&names[1])));
    assert_eq!(fleet.shift(&site, &names[0], Pace::Staged).unwrap_err().kind(), Kind::Busy);
    let after = settled(&fleet, &site);
    assert!(after.serves(&names[0]) && after.said.unwrap().contains("alarmed-sm-5xx"));
    fleet.shift(&site, &names[1], Pace::AtOnce).unwrap();
    assert!(settled(&fleet, &site).serves(&names[1]), "a rollback goes through while the alarm is on");
}

#[test]
fn an_endpoint_that_could_not_be_made_is_made_anew() {
    let mut site = sagemaker("failed-sm", &json!({}));
    let (release, files) = release(1);
    let fleet = AwsFleet::new(client(Emulator::get().address));
    let name = fleet.prepare(&site, &release, &files).unwrap();
    site.tags.insert("wardmote-tests:fails".to_owned(), "yes".to_owned());
    fleet.shift(&site, &name, Pace::Staged).unwrap();
    let seen = settled(&fleet, &site);
    assert_eq!((seen.condition, seen.serving.len()), (Condition::Failed, 0));
    assert!(seen.said.unwrap().contains("ping health check"));
    site.tags.remove("wardmote-tests:fails");
    fleet.shift(&site, &name, Pace::Staged).unwrap();
    assert!(settled(&fleet, &site).serves(&name));
}

#[test]
fn what_somebody_changes_there_is_seen() {
    let site = sagemaker("changed-sm", &json!({}));
    let (one, files) = release(1);
    let fleet = AwsFleet::new(client(Emulator::get().address));
    let name = fleet.prepare(&site, &one, &files).unwrap();
    fleet.shift(&site, &name, Pace::Staged).unwrap();
    settled(&fleet, &site);
    let mut shown = Vec::new();
    let endpoint = |what: &str| {
        script(
            "somebody.py",
            what,
            Emulator::get().address,
            &format!("changed-sm|{name}|changed-sm-artefacts"),
        );
    };
    for what in ["artefact", "model", "weights", "config"] {
        endpoint(what);
        let seen = settled(&fleet, &site);
        let serves = seen.serving.iter().map(|share| format!("{} {} %", share.release, share.percent));
        let serves: Vec<String> = serves.collect();
        shown.push(format!(
            "{what}: {} | {}",
            serves.join(", "),
            fleet.examine(&site, &one, &name).unwrap().join("; ")
        ));
    }
    assert_eq!(fleet.find(&site, &one).unwrap(), None, "what was changed is not taken for ours");
    assert_eq!(fleet.prepare(&site, &one, &files).unwrap_err().kind(), Kind::Conflict);
    let hex = one.artefact.to_hex();
    insta::assert_snapshot!(shown.join("\n").replace(&name, "RELEASE").replace(&hex, "DIGEST"));
}

#[test]
fn what_cannot_be_read_is_not_known_and_what_is_refused_is_said() {
    let site = sagemaker("refused-sm", &json!({}));
    let (proxy, client) = proxied();
    let fleet = AwsFleet::new(client);
    let (release, files) = release(1);
    let denied = json_error(400, "AccessDeniedException");
    let odd = Fate::Answer(
        200,
        String::new(),
        r#"{"EndpointName":"refused-sm","EndpointStatus":"Dancing","EndpointConfigName":"x"}"#.into(),
    );
    let mut said = Vec::new();
    let mut say = |error: world::PortError| {
        said.push(format!("{:?}: {error}; {}", error.kind(), error.help().unwrap_or("no help")));
    };
    proxy.next([denied.clone()]);
    say(fleet.describe(&site).unwrap_err());
    proxy.next([odd]);
    say(fleet.describe(&site).unwrap_err());
    proxy.always("SageMaker.CreateModel\r", denied.clone());
    say(fleet.prepare(&site, &release, &files).unwrap_err());
    proxy.always("SageMaker.CreateEndpointConfig\r", denied);
    say(fleet.prepare(&site, &release, &Files::new()).unwrap_err());
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn a_crash_between_calls_is_gone_on_with() {
    // The wire is cut after so many calls; a second run does the rest, and nothing is made twice.
    for calls in 0..14 {
        let site = sagemaker(&format!("crash-sm-{calls}"), &json!({}));
        let (proxy, client) = proxied();
        let fleet = AwsFleet::new(client);
        let (release, files) = release(1);
        let work = |fleet: &AwsFleet| {
            let name = fleet.prepare(&site, &release, &files)?;
            fleet.shift(&site, &name, Pace::Staged).map(|()| name)
        };
        proxy.next((0..calls).map(|_| Fate::Pass).chain((0..60).map(|_| Fate::Reset)));
        drop(work(&fleet));
        proxy.next([]);
        let name = work(&fleet).unwrap();
        assert!(settled(&fleet, &site).serves(&name));
        let gone = fleet.prune(&site, &BTreeSet::new()).unwrap();
        assert_eq!(gone, Vec::<String>::new(), "nothing was made twice");
    }
}

#[test]
fn files_are_marked_as_held_and_keep_their_other_tags() {
    let site = sagemaker("held-sm", &json!({}));
    let (proxy, client) = proxied();
    let fleet = AwsFleet::new(client);
    let (release, files) = release(1);
    fleet.prepare(&site, &release, &files).unwrap();
    let file = format!("held-sm-artefacts|models/{}/model.onnx", release.artefact.to_hex());
    let tags =
        |how: &str, tags: &str| script("tagging.py", how, Emulator::get().address, &format!("{file}|{tags}"));
    tags("put", "cost-centre=a/b: c@d");
    for trouble in [Fate::Pass, Fate::Lost, Fate::Reset] {
        proxy.next([Fate::Pass, Fate::Pass, trouble]);
        fleet.hold(&site, &release, true).unwrap();
        assert_eq!(tags("read", ""), "cost-centre=a/b: c@d\nwardmote:quarantine=true\n");
        proxy.next([]);
        fleet.hold(&site, &release, false).unwrap();
        assert_eq!(tags("read", ""), "cost-centre=a/b: c@d\n");
    }
    tags("put", "wardmote:quarantine=true");
    fleet.hold(&site, &release, false).unwrap();
    assert_eq!(tags("read", ""), "");
    // What cannot be marked is told.
    proxy.always("?tagging=", crate::support::proxy::xml_error(403, "AccessDenied"));
    let error = fleet.hold(&site, &release, true).unwrap_err();
    assert!(error.to_string().contains("`s3:GetObjectTagging` failed"), "{error}");
}
