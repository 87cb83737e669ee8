//! Versions that were made elsewhere: from a folder and from an MLflow server, bit for bit, as claims, governed as all others.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test file uses its part of the common modules")]

mod common;
#[path = "common/served.rs"]
mod served;

use common::{founded, json, run, stable, wardmote};
use serde_json::{Value, json as value};
use served::{Server, key};
use std::fs;
use std::path::Path;

/// A model's folder with names and sizes that ask for trouble.
fn model(dir: &Path) -> Vec<(&'static str, Vec<u8>)> {
    let large: Vec<u8> = (0..5_000_001u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let files = vec![
        ("MLmodel", b"flavors: {}\n".to_vec()),
        ("requirements.txt", b"scikit-learn==1.7\n".to_vec()),
        ("data/model.bin", large),
        ("data/empty", Vec::new()),
        ("data/gr\u{fc}\u{df}e 1+1%.txt", b"x".to_vec()),
    ];
    for (name, bytes) in &files {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    files
}

/// The files of a version, as a server hands them out.
fn same(server: &Server, ada: &str, version: u32, files: &[(&str, Vec<u8>)]) {
    let bearer = format!("Bearer {ada}");
    for (name, bytes) in files {
        let name = facts::percent_encoded(name, |byte| byte == b'/');
        let path = format!("/api/2.0/mlflow-artifacts/artifacts/versions/credit-scoring/{version}/{name}");
        let (status, _, body) = server.ask(("GET", &path), &[("authorization", &bearer)], b"");
        assert!(status == 200 && body == *bytes, "{name}: {status}, {} bytes", body.len());
    }
}

fn said(dir: &Path, words: &[&str], variables: &[(&str, &str)]) -> String {
    let output = wardmote(dir)
        .args(words)
        .env_remove("MLFLOW_TRACKING_TOKEN")
        .env_remove("MLFLOW_TRACKING_USERNAME")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let text =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    format!("$ wardmote {}\n{text}exit {}\n", words.join(" "), output.status.code().unwrap())
}

#[test]
fn a_folder_becomes_a_candidate_that_nobody_can_approve_without_lineage() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, from) = (folder.path().join("house"), folder.path().join("model"));
    founded(&dir);
    let files = model(&from);
    let from = from.to_str().unwrap();
    let imported = json(&dir, &["model", "import", "credit-scoring", from, "--as", "ada"]);
    assert_eq!((imported["version"].as_u64(), imported["files"].as_u64()), (Some(1), Some(5)));
    let server = Server::start(&dir);
    same(&server, &key(&dir, "ada"), 1, &files);
    drop(server);
    // Its data is not on record, and the graph says so; lock files are.
    let graph = json(&dir, &["lineage", "credit-scoring", "1"]).to_string();
    assert!(graph.contains("what it was trained on") && graph.contains("requirements.txt"), "{graph}");
    let approved = run(&dir, &["model", "approve", "credit-scoring", "1", "--as", "bruno"]);
    assert_eq!(approved.status.code(), Some(3), "{approved:?}");
    // The same again is another version of the same artefact.
    let again = json(&dir, &["model", "import", "credit-scoring", from, "--as", "ada"]);
    assert_eq!(again["version"], 2);
}

#[test]
fn what_is_not_imported() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, from) = (folder.path().join("house"), folder.path().join("model"));
    founded(&dir);
    model(&from);
    let inside = |name: &str| {
        let path = folder.path().join(name);
        fs::create_dir(&path).unwrap();
        path
    };
    let (empty, linked, hidden) = (inside("empty"), inside("linked"), inside("hidden"));
    std::os::unix::fs::symlink("/etc/hostname", linked.join("link")).unwrap();
    fs::create_dir(hidden.join(".git")).unwrap();
    fs::write(hidden.join(".git/config"), "x").unwrap();
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let mut all = String::new();
    for (model, place, who) in [
        ("credit-scoring", folder.path().join("nowhere"), "ada"),
        ("credit-scoring", from.join("MLmodel"), "ada"),
        ("credit-scoring", empty, "ada"),
        ("credit-scoring", linked, "ada"),
        ("credit-scoring", hidden, "ada"),
        ("no-such-model", from.clone(), "ada"),
        ("credit-scoring", from.clone(), "credit-app"),
    ] {
        all.push_str(&said(&dir, &["model", "import", model, &text(&place), "--as", who], &[]));
    }
    all.push_str(&said(
        &dir,
        &["model", "import", "credit-scoring", &text(&from), "--version", "1", "--as", "ada"],
        &[],
    ));
    let all = stable(&dir, &all).replace(folder.path().to_str().unwrap(), "FOLDER");
    insta::assert_snapshot!(all);
    let shown = json(&dir, &["model", "list"]).to_string();
    assert!(!shown.contains("\"version\":1"), "{shown}");
}

#[test]
fn a_version_of_an_mlflow_server_comes_with_what_its_run_logged() {
    let folder = tempfile::tempdir().unwrap();
    let (there, here) = (folder.path().join("there"), folder.path().join("here"));
    founded(&there);
    founded(&here);
    let server = Server::start(&there);
    let ada = key(&there, "ada");
    let tags = value!([
        { "key": "mlflow.source.git.commit", "value": "9f2c1ab0123456789" }, { "key": "secret", "value": "stays there" },
    ]);
    let run = server.call(&ada, "POST", "/runs/create", &value!({ "experiment_id": "0", "tags": tags })).1;
    let id = run["run"]["info"]["run_id"].as_str().unwrap().to_owned();
    let batch = value!({
        "run_id": id, "metrics": [{ "key": "auc", "value": 0.78, "timestamp": 1, "step": 0 }],
        "params": [{ "key": "seed", "value": "42" }],
    });
    assert_eq!(server.call(&ada, "POST", "/runs/log-batch", &batch).0, 200);
    let data = value!({ "run_id": id, "datasets": [{ "dataset": { "name": "customers", "digest": "d1", "source_type": "s3", "source": "s3://x" } }] });
    assert_eq!(server.call(&ada, "POST", "/runs/log-inputs", &data).0, 200);
    let files = model(&folder.path().join("model"));
    let bearer = format!("Bearer {ada}");
    for (name, bytes) in &files {
        let name = facts::percent_encoded(name, |byte| byte == b'/');
        let path = format!("/api/2.0/mlflow-artifacts/artifacts/0/{id}/artifacts/model/{name}");
        assert_eq!(server.ask(("PUT", &path), &[("authorization", &bearer)], bytes).0, 200);
    }
    let name = "credit-scoring";
    assert_eq!(server.call(&ada, "POST", "/registered-models/create", &value!({ "name": name })).0, 200);
    let source = format!("mlflow-artifacts:/0/{id}/artifacts/model");
    let made = value!({ "name": name, "source": source, "run_id": id });
    assert_eq!(server.call(&ada, "POST", "/model-versions/create", &made).0, 200);
    let import = |more: &[&str], token: &str| {
        let mut words = vec!["model", "import", "credit-scoring", &server.url, "--as", "ada"];
        words.extend(more);
        said(&here, &words, &[("MLFLOW_TRACKING_TOKEN", token)]).replace(&server.url, "SERVER")
    };
    let first = import(&[], &ada);
    assert!(first.contains("imported version 1 of credit-scoring: 5 files"), "{first}");
    let shown = json(&here, &["model", "show", "credit-scoring", "1"]).to_string();
    assert!(
        shown.contains("9f2c1ab0123456789") && shown.contains("\"seed\":\"42\"") && shown.contains("0.78"),
        "{shown}"
    );
    let graph = json(&here, &["lineage", "credit-scoring", "1"]);
    let claimed: Vec<&Value> =
        graph["nodes"].as_array().unwrap().iter().filter(|node| node["basis"] == "claimed").collect();
    assert_eq!(claimed.len(), 1);
    assert_eq!(claimed[0]["name"], format!("{}/customers", server.url));
    let mirror = Server::start(&here);
    same(&mirror, &key(&here, "ada"), 1, &files);
    let lines = [
        import(&["--version", "7"], &ada),
        import(&["--name", "other"], &ada),
        import(&["--version", "1"], "wmk_ada_0000000000000000000000000000000000000000000"),
        said(
            &here,
            &["model", "import", "credit-scoring", "http://mlflow.bank.example", "--as", "ada"],
            &[("MLFLOW_TRACKING_TOKEN", "t")],
        ),
        said(&here, &["model", "import", "credit-scoring", "http://127.0.0.1:1", "--as", "ada"], &[]),
        said(
            &here,
            &["model", "import", "credit-scoring", "https://ada:secret@127.0.0.1:1", "--as", "ada"],
            &[],
        ),
    ];
    insta::assert_snapshot!(lines.concat());
}
