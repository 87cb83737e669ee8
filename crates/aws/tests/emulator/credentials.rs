//! Who calls: every place in the chain, in its order.

use crate::support::proxy::{Fate, Proxy};
use crate::support::{Emulator, REGION, SECRET, TOKEN, bare, quick, variables};
use aws::{Client, KeySettings, KmsKeys, Settings, Sources};
use std::collections::BTreeMap;
use std::path::Path;
use world::{KeyService, PortError};

/// The access key's id with which a call is signed.
fn caller(variables: &BTreeMap<String, String>, home: Option<&Path>) -> Result<String, PortError> {
    let proxy = Proxy::before(Some(Emulator::get().address));
    let mut variables = variables.clone();
    variables.insert("AWS_ENDPOINT_URL_KMS".into(), format!("http://{}", proxy.address));
    let settings = Settings::load(Sources::only(variables, home.map(Path::to_owned)), None)?;
    let client = Client::new(quick(settings))?;
    let settings = KeySettings { prefix: "who/".into(), administrators: vec![], users: vec![] };
    let _ = KmsKeys::new(client, settings)?
        .state(&"data".parse().unwrap())
        .map_err(|error| if error.kind() == world::Kind::Absent { None } else { Some(error) });
    let seen = proxy.seen();
    let Some(request) = seen.first() else {
        return Err(PortError::new(world::Kind::Invalid, "nothing was called"));
    };
    let id = request.split_once("Credential=").unwrap().1.split('/').next().unwrap();
    Ok(id.to_owned())
}

/// The error of a call that finds no credentials.
fn refusal(variables: BTreeMap<String, String>, home: Option<&Path>) -> String {
    let call = || -> Result<(), PortError> {
        let settings = Settings::load(Sources::only(variables, home.map(Path::to_owned)), None)?;
        let client = Client::new(quick(settings))?;
        let settings = KeySettings { prefix: "who/".into(), administrators: vec![], users: vec![] };
        KmsKeys::new(client, settings)?.state(&"data".parse().unwrap()).map(|_| ())
    };
    let error = call().unwrap_err();
    let text = format!("{error}; {}", error.help().unwrap_or("no help"));
    assert!(!text.contains(SECRET) && !text.contains(TOKEN));
    text
}

fn home(config: &str, credentials: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join(".aws")).unwrap();
    std::fs::write(folder.path().join(".aws/config"), config).unwrap();
    std::fs::write(folder.path().join(".aws/credentials"), credentials).unwrap();
    folder
}

fn with(mut variables: BTreeMap<String, String>, more: &[(&str, &str)]) -> BTreeMap<String, String> {
    variables.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    variables
}

fn given(id: &str) -> String {
    format!(
        r#"{{"Version":1,"Code":"Success","AccessKeyId":"{id}","SecretAccessKey":"{SECRET}","Token":"{TOKEN}","Expiration":"2099-01-01T00:00:00Z"}}"#
    )
}

#[test]
fn the_environment_comes_first_then_the_profile() {
    let address = Emulator::get().address;
    let home = home(
        "[profile bank]\nregion=eu-west-1\n",
        &format!("[bank]\naws_access_key_id=AKIDBANK\naws_secret_access_key={SECRET}\n"),
    );
    let profile = [("AWS_PROFILE", "bank")];
    assert_eq!(caller(&with(variables(address), &profile), Some(home.path())).unwrap(), "AKIDEXAMPLE");
    assert_eq!(caller(&with(bare(address), &profile), Some(home.path())).unwrap(), "AKIDBANK");
    // As an argument, a profile goes before the environment.
    let proxy = Proxy::before(Some(address));
    let sources = Sources::only(variables(proxy.address), Some(home.path().to_owned()));
    let client = Client::new(quick(Settings::load(sources, Some("bank")).unwrap())).unwrap();
    let settings = KeySettings { prefix: "who/".into(), administrators: vec![], users: vec![] };
    assert!(KmsKeys::new(client, settings).unwrap().state(&"data".parse().unwrap()).is_err());
    assert!(proxy.seen()[0].contains("Credential=AKIDBANK/"));
}

#[test]
fn a_profile_takes_a_role_by_way_of_another() {
    let address = Emulator::get().address;
    let config = "[profile audit]\nrole_arn=arn:aws:iam::123456789012:role/audit\nsource_profile=bank\n\
        [profile circle]\nrole_arn=arn:aws:iam::123456789012:role/audit\nsource_profile=circle2\n\
        [profile circle2]\nrole_arn=arn:aws:iam::123456789012:role/audit\nsource_profile=circle\n\
        [profile sso]\nsso_session=x\n[profile alone]\nrole_arn=arn:aws:iam::123456789012:role/audit\n\
        [profile half]\naws_access_key_id=AKID\n\
        [profile program]\ncredential_process=printf '%s' '{\"Version\":1,\"AccessKeyId\":\"AKIDPROGRAM\",\"SecretAccessKey\":\"secret-of-program\"}'\n\
        [profile broken]\ncredential_process=echo not-json-secret\n";
    let home = home(config, &format!("[bank]\naws_access_key_id=AKIDBANK\naws_secret_access_key={SECRET}\n"));
    let of = |name: &str| with(bare(address), &[("AWS_PROFILE", name)]);
    assert!(caller(&of("audit"), Some(home.path())).unwrap().starts_with("ASIA"), "keys of a session");
    assert_eq!(caller(&of("program"), Some(home.path())).unwrap(), "AKIDPROGRAM");
    let all: Vec<String> = ["circle", "sso", "alone", "half", "broken"]
        .iter()
        .map(|name| refusal(of(name), Some(home.path())))
        .collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn web_identity() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "eyJhbGciOiJSUzI1NiJ9.EXAMPLE.TOKEN\n").unwrap();
    let role = [
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/pod"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", token.to_str().unwrap()),
    ];
    let variables = with(bare(Emulator::get().address), &role);
    assert!(caller(&variables, None).unwrap().starts_with("ASIA"), "keys of a session");
}

#[test]
fn containers() {
    let place = Proxy::before(None);
    place.next([Fate::Answer(200, String::new(), given("ASIACONTAINER"))]);
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "pod-token\n").unwrap();
    let address = Emulator::get().address;
    let url = format!("http://{}/v1/credentials", place.address);
    let variables = with(
        bare(address),
        &[
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token.to_str().unwrap()),
        ],
    );
    assert_eq!(caller(&variables, None).unwrap(), "ASIACONTAINER");
    assert!(place.seen()[0].contains("authorization: pod-token"));
    let elsewhere = with(
        bare(address),
        &[
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.com/v1"),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN", TOKEN),
        ],
    );
    insta::assert_snapshot!(refusal(elsewhere, None), @"credentials are not fetched from `example.com` without TLS; AWS_CONTAINER_CREDENTIALS_FULL_URI must be HTTPS, or an address of the container's own host");
}

#[test]
fn machines_and_their_region() {
    let place = Proxy::before(None);
    let say = |text: &str| Fate::Answer(200, String::new(), text.to_owned());
    place.next([say("token"), say(REGION), say("token"), say("machine-role"), say(&given("ASIAMACHINE"))]);
    let mut variables = with(
        bare(Emulator::get().address),
        &[("AWS_EC2_METADATA_SERVICE_ENDPOINT", &format!("http://{}", place.address))],
    );
    variables.remove("AWS_EC2_METADATA_DISABLED");
    variables.remove("AWS_REGION");
    assert_eq!(caller(&variables, None).unwrap(), "ASIAMACHINE");
    let seen = place.seen();
    assert!(seen[0].starts_with("PUT /latest/api/token "), "version 2 only");
    assert!(seen[4].starts_with("GET /latest/meta-data/iam/security-credentials/machine-role "));
    assert!(
        seen[1..]
            .iter()
            .all(|request| request.contains("x-aws-ec2-metadata-token: token") || request.starts_with("PUT"))
    );
}

#[test]
fn credentials_that_expired_before_their_time_are_replaced_once() {
    let place = Proxy::before(None);
    place.next(["ASIAOLD", "ASIANEW"].map(|id| Fate::Answer(200, String::new(), given(id))));
    let service = Proxy::before(Some(Emulator::get().address));
    service.next([crate::support::proxy::json_error(400, "ExpiredTokenException")]);
    let url = format!("http://{}/", place.address);
    let variables = with(bare(service.address), &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url)]);
    let client = Client::new(quick(Settings::load(Sources::only(variables, None), None).unwrap())).unwrap();
    let settings = KeySettings { prefix: "expired/".into(), administrators: vec![], users: vec![] };
    let keys = KmsKeys::new(client, settings).unwrap();
    assert_eq!(keys.state(&"data".parse().unwrap()).unwrap_err().kind(), world::Kind::Absent);
    let seen = service.seen();
    assert!(seen[0].contains("ASIAOLD") && seen[1].contains("ASIANEW") && seen.len() == 2);
}

#[test]
fn nothing_is_said_with_what_to_do() {
    let address = Emulator::get().address;
    insta::assert_snapshot!(refusal(bare(address), None), @"there are no AWS credentials: looked at the environment, the shared files, web identity, the container and the machine; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
    insta::assert_snapshot!(refusal(with(bare(address), &[("AWS_ACCESS_KEY_ID", "AKID")]), None), @"`AWS_ACCESS_KEY_ID` is set, and `AWS_SECRET_ACCESS_KEY` is not; set AWS_SECRET_ACCESS_KEY too, or neither");
    let mut nowhere = variables(address);
    nowhere.remove("AWS_REGION");
    insta::assert_snapshot!(refusal(nowhere, None), @"no AWS region is set; set AWS_REGION, or `region` in the profile");
    let broken = with(variables(address), &[("AWS_SESSION_TOKEN", "line\nbreak")]);
    insta::assert_snapshot!(refusal(broken, None), @"`kms:DescribeKey` failed: the request cannot be written: a name or value in it has letters that HTTP does not allow; look at the credentials and at the names of buckets");
    let bundle = with(variables(address), &[("AWS_CA_BUNDLE", "/nonexistent/ca.pem")]);
    insta::assert_snapshot!(refusal(bundle, None), @"`/nonexistent/ca.pem` holds no certificates in PEM; look at AWS_CA_BUNDLE, and `ca_bundle` in the profile");
}

#[test]
fn a_role_is_assumed_with_session_tags() {
    let (proxy, _) = crate::support::proxied();
    let tags = [("role", "ml-training"), ("team", "R&D =1")];
    let tags = tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let role = "arn:aws:iam::123456789012:role/ml-training".parse().unwrap();
    let settings = crate::settings(variables(proxy.address)).with_role(&role, &tags);
    let client = Client::new(settings).unwrap();
    let identity = aws::identity(&client).unwrap();
    assert!(
        identity.arn.starts_with("arn:aws:sts::123456789012:assumed-role/ml-training/wardmote-"),
        "{identity:?}"
    );
    aws::identity(&client).unwrap();
    let seen = proxy.seen();
    assert_eq!(seen.len(), 3, "the session is kept");
    assert!(seen[0].contains("Action=AssumeRole&"), "{}", seen[0]);
    for part in [
        "RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fml-training",
        "Tags.member.1.Key=role&Tags.member.1.Value=ml-training",
        "Tags.member.2.Key=team&Tags.member.2.Value=R%26D%20%3D1",
    ] {
        assert!(seen[0].contains(part), "no `{part}` in {}", seen[0]);
    }
}
