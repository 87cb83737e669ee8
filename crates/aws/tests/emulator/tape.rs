//! What was called once is answered again from a tape, with nobody there; who called is not on it.

use crate::support::account::key;
use crate::support::proxy::{Fate, Proxy};
use crate::support::{Emulator, SECRET, TOKEN, settings, variables};
use aws::calls::{Counts, Tape};
use aws::inventory::{Scope, collect};
use aws::{Client, Settings};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

const OBJECT: &str = "arn:aws:s3:::live-data/train/1";

fn at(address: SocketAddr) -> Settings {
    settings(variables(address))
}

fn read(settings: Settings) -> Result<String, String> {
    let client = Client::new(settings).unwrap();
    let found = collect(&client, Scope::One(OBJECT)).map_err(|error| error.to_string())?;
    Ok(found.least())
}

fn record(path: &Path, address: SocketAddr) -> String {
    read(at(address).on_tape(&Arc::new(Tape::record(path).unwrap()))).unwrap()
}

#[test]
fn what_was_recorded_is_played_without_a_service() {
    key();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("live.tape");
    let recorded = record(&path, Emulator::get().address);
    let text = std::fs::read_to_string(&path).unwrap();
    for absent in [SECRET, TOKEN, "AKIDEXAMPLE", "AWS4-HMAC"] {
        assert!(!text.to_lowercase().contains(&absent.to_lowercase()), "`{absent}` is on the tape");
    }
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    // Nobody listens there any more.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let tape = Arc::new(Tape::play(&path).unwrap());
    assert_eq!(tape.left(), text.lines().count());
    assert_eq!(read(at(nobody).on_tape(&tape)).unwrap(), recorded);
    assert_eq!(tape.left(), 0);
    // Each answer is given once.
    insta::assert_snapshot!(read(at(nobody).on_tape(&tape)).unwrap_err(), @"`sts:GetCallerIdentity` failed: there is no such question, or no more answers to it, on the tape");
}

#[test]
fn what_broke_breaks_again_and_is_tried_again() {
    key();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("broken.tape");
    let proxy = Proxy::before(Some(Emulator::get().address));
    proxy.next([Fate::Half, Fate::Pass, Fate::Answer(503, String::new(), "busy".to_owned())]);
    let recorded = record(&path, proxy.address);
    let counts = Arc::new(Counts::new());
    let told = Arc::clone(&counts);
    let tape = Arc::new(Tape::play(&path).unwrap());
    let played = at(proxy.address).on_tape(&tape).watched(move |attempt| told.add(attempt));
    proxy.seen();
    assert_eq!(read(played).unwrap(), recorded);
    assert!(proxy.seen().is_empty() && tape.left() == 0);
    let failed: Vec<_> = counts
        .text()
        .lines()
        .filter(|line| line.starts_with("wardmote_aws_calls_total") && !line.contains("\"ok\""))
        .map(|line| line.rsplit(',').next().unwrap().to_owned())
        .collect();
    assert_eq!(failed.iter().filter(|line| line.contains("unreached\"} 1")).count(), 1, "{failed:?}");
    assert_eq!(failed.iter().filter(|line| line.contains("unavailable\"} 1")).count(), 1, "{failed:?}");
}

#[test]
fn tapes_that_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tape");
    let said = |result: Result<Tape, aws::AwsError>| {
        let error = result.err().unwrap();
        let text = error.to_string().replace(&folder.path().display().to_string(), "FOLDER");
        format!("{text}; {}", error.help().unwrap_or_default())
    };
    insta::assert_snapshot!(said(Tape::play(&path)), @"cannot use the tape `FOLDER/tape`: entity not found; record it anew");
    std::fs::write(&path, "{\"asked\": 1}\n").unwrap();
    insta::assert_snapshot!(said(Tape::play(&path)), @"cannot use the tape `FOLDER/tape`: line 1: invalid type: integer `1`, expected struct Asked at line 1 column 11; record it anew");
    insta::assert_snapshot!(said(Tape::record(&path)), @"cannot use the tape `FOLDER/tape`: entity already exists; record it anew");
}
