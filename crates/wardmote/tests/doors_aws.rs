//! AWS identities: `wardmote aws token` signs, the server asks STS (the emulator's), and the charter says who that is.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test file uses its part of the common modules")]

mod common;
#[path = "common/on_aws.rs"]
mod on_aws;
#[path = "common/served.rs"]
mod served;
#[path = "../../aws/tests/emulator/support/mod.rs"]
mod support;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::{founded, wardmote};
use on_aws::on_aws;
use serde_json::{Value, json};
use served::{Server, key};
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use support::proxy::{Fate, Proxy};
use support::{Emulator, SECRET, TOKEN, variables};

const SERVER: &str = "registry.bank.example";

/// A house that takes AWS identities, and asks `address`.
fn serve(dir: &Path, address: SocketAddr) -> Server {
    founded(dir);
    let people = json!({
        "arn:aws:iam::123456789012:role/jobs/credit-training": "ada",
        "arn:aws:iam::123456789012:role/credit-app": "credit-app",
    });
    fs::write(
        dir.join("house.json"),
        json!({ "doors": { "aws": { "server": SERVER, "people": people } } }).to_string(),
    )
    .unwrap();
    let mut command = wardmote(dir);
    command.envs(variables(address));
    Server::of(command, &[])
}

/// A token of a session of this role, asked of STS at `address`.
fn token(dir: &Path, address: SocketAddr, role: &str, server: &str) -> String {
    let client = dir.join(role);
    fs::create_dir_all(&client).unwrap();
    let settings = json!({ "role": { "arn": format!("arn:aws:iam::123456789012:role/{role}") } });
    fs::write(client.join("house.json"), settings.to_string()).unwrap();
    let output = on_aws(&client, address).args(["aws", "token", "--server", server]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn url_of(token: &str) -> String {
    let text = token.strip_prefix("wardmote-aws-v1.").unwrap();
    String::from_utf8(URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
}

fn said(server: &Server, token: &str) -> String {
    let (status, answer) = server.call(token, "POST", "/runs/create", &json!({ "experiment_id": "0" }));
    let text = answer["message"].as_str().unwrap_or_default();
    format!("{status} {}", text.replace(&Emulator::get().address.to_string(), "STS"))
}

#[test]
fn a_role_comes_in_as_whom_the_charter_knows_it() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, emulator) = (folder.path(), Emulator::get().address);
    let proxy = Proxy::before(Some(emulator));
    let server = serve(dir, proxy.address);
    assert_eq!(server.said["doors"][1], format!("AWS identities for `{SERVER}`"));
    let ada = token(dir, proxy.address, "credit-training", SERVER);
    proxy.seen();
    assert_eq!((said(&server, &ada), said(&server, &ada)), ("200 ".to_owned(), "200 ".to_owned()));
    // STS was asked once, with the header that binds the call to this server, and with nothing of the house.
    let asked = proxy.seen();
    assert_eq!(asked.len(), 1, "{asked:?}");
    let head = asked[0].to_lowercase();
    assert!(head.starts_with("get /?action=getcalleridentity&version=2011-06-15&x-amz-"), "{head}");
    assert!(head.contains("x-wardmote-server-id: registry.bank.example") && !head.contains("authorization"));
    let mut lines = vec![
        said(&server, &token(dir, proxy.address, "credit-app", SERVER)),
        said(&server, &token(dir, proxy.address, "somebody", SERVER)),
        // For another server: the signature is over another name, and STS would say so; we do not even ask as that.
        said(&server, &token(dir, emulator, "credit-training", SERVER)),
    ];
    proxy.seen();
    let changed = url_of(&ada).replace("GetCallerIdentity", "GetSessionToken");
    lines.push(said(&server, &format!("wardmote-aws-v1.{}", URL_SAFE_NO_PAD.encode(changed))));
    assert!(proxy.seen().is_empty(), "only GetCallerIdentity is ever sent");
    // What STS refuses, what it answers elsewhere and what it does not answer let nobody in.
    let again = || token(dir, emulator, "credit-training", SERVER);
    let through = |text: String| {
        let url = url_of(&text).replace(&emulator.to_string(), &proxy.address.to_string());
        format!("wardmote-aws-v1.{}", URL_SAFE_NO_PAD.encode(url))
    };
    for fate in [
        Fate::Answer(403, String::new(), "<ErrorResponse/>".into()),
        Fate::Answer(302, format!("location: http://{emulator}/\r\n"), String::new()),
        Fate::Answer(200, String::new(), "<html/>".into()),
        Fate::Answer(500, String::new(), "a".repeat(100_000)),
        Fate::Reset,
    ] {
        proxy.next([fate]);
        lines.push(said(&server, &through(again())));
    }
    insta::assert_snapshot!(lines.join("\n").replace(&proxy.address.to_string(), "STS"));
    // Endpoints too: the client application may call, only nothing is deployed yet.
    let bearer = format!("Bearer {}", token(dir, proxy.address, "credit-app", SERVER));
    let (status, ..) =
        server.ask(("POST", "/endpoints/credit-scoring/invocations"), &[("authorization", &bearer)], b"");
    assert_eq!(status, 409);
    assert!(said(&server, &key(dir, "ada")).starts_with("200"));
}

/// The signature is the one that AWS's own botocore makes of the same call at the same second.
#[test]
fn botocore_signs_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let output = on_aws(folder.path(), Emulator::get().address)
        .args(["--json", "aws", "token", "--server", SERVER, "--seconds", "60"])
        .output()
        .unwrap();
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["seconds"], 60);
    let url = url_of(said["token"].as_str().unwrap());
    assert!(!url.contains(SECRET));
    let script = "
import sys, datetime, re
from unittest import mock
from urllib.parse import parse_qs, urlsplit
import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
url, secret, token, server = sys.argv[1:]
query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
time = datetime.datetime.strptime(query['X-Amz-Date'], '%Y%m%dT%H%M%SZ')
for name in ('get_current_datetime',):
    if hasattr(botocore.auth, name):
        mock.patch.object(botocore.auth, name, lambda *a, **k: time).start()
class Fixed(datetime.datetime):
    @classmethod
    def utcnow(cls): return time
    @classmethod
    def now(cls, tz=None): return time
mock.patch.object(botocore.auth.datetime, 'datetime', Fixed).start() if hasattr(botocore.auth, 'datetime') else None
base = url.split('?')[0] + '?Action=GetCallerIdentity&Version=2011-06-15'
request = AWSRequest('GET', base, headers={'x-wardmote-server-id': server})
region = query['X-Amz-Credential'].split('/')[2]
botocore.auth.SigV4QueryAuth(Credentials('AKIDEXAMPLE', secret, token), 'sts', region, expires=60).add_auth(request)
theirs = {name: values[0] for name, values in parse_qs(urlsplit(request.prepare().url).query).items()}
print('same' if theirs == query else {name: (query.get(name), theirs.get(name)) for name in query | theirs if query.get(name) != theirs.get(name)})
";
    let output =
        Command::new(support::python()).args(["-c", script, &url, SECRET, TOKEN, SERVER]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(text.trim(), "same", "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn what_is_wrong_with_the_command() {
    let folder = tempfile::tempdir().unwrap();
    let said = |words: &[&str], without: bool| {
        let mut command = on_aws(folder.path(), Emulator::get().address);
        if without {
            command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
        }
        let output = command.args(["aws", "token"]).args(words).output().unwrap();
        format!("{}exit {}", String::from_utf8_lossy(&output.stderr), output.status.code().unwrap())
    };
    let lines = [
        said(&["--server", "a server"], false),
        said(&["--server", SERVER, "--seconds", "901"], false),
        said(&["--server", SERVER], true),
    ];
    insta::assert_snapshot!(lines.join("\n"));
}
