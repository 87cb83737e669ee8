//! Objects that go up in parts: what is called, and that each call can fail in every way without a loss or a leftover.

use crate::support::proxy::{Fate, Proxy, xml_error};
use crate::support::{Emulator, proxied, script, settings, variables};
use crate::{KEY, object_settings, objects};
use aws::{Client, S3Objects};
use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use world::{Content, Kind, ObjectStore};

/// The smallest part that S3 takes.
const PART: usize = 5 << 20;
/// What an object of three parts takes.
const CALLS: [&str; 5] = ["begun", "first part", "second part", "third part", "put together"];

fn content(first: u8) -> Vec<u8> {
    let mut bytes = vec![first; 2 * PART + 1];
    bytes[PART] = b'|';
    bytes
}

/// A store that puts in parts, through a proxy.
fn parted(bucket: &str) -> (Proxy, S3Objects) {
    Emulator::get().bucket(bucket);
    let (proxy, client) = proxied();
    (proxy, objects(client, bucket).in_parts_of(PART))
}

/// The uploads that are under way: names, and how many parts each holds.
fn under_way(bucket: &str) -> Vec<(String, usize)> {
    serde_json::from_str(&script("uploads.py", "show", Emulator::get().address, bucket)).unwrap()
}

/// The first lines of what was asked, without what differs.
fn asked(proxy: &Proxy) -> Vec<String> {
    let line = |request: &String| {
        let line = request.lines().next().unwrap().trim_end_matches(" HTTP/1.1");
        let (line, upload) = line.split_once("uploadId=").unwrap_or((line, ""));
        if upload.is_empty() { line.to_owned() } else { format!("{line}uploadId=ID") }
    };
    proxy.seen().iter().map(line).collect()
}

#[test]
fn objects_in_parts_keep_the_contract() {
    let (_proxy, store) = parted("parts-contract");
    world::contract::objects::check(&|| Box::new(store.clone()));
    assert!(under_way("parts-contract").is_empty());
}

#[test]
fn each_part_is_checked_and_the_whole_is_encrypted_and_new() {
    let (proxy, store) = parted("parts-shape");
    store.put("evidence/large", &content(b'a')).unwrap();
    let seen = proxy.seen();
    let heads: Vec<&str> = seen.iter().map(|request| request.split_once("\r\n\r\n").unwrap().0).collect();
    assert!(heads[0].starts_with("POST /parts-shape/house/evidence/large?uploads= HTTP/1.1"), "{}", heads[0]);
    for header in [
        "x-amz-checksum-algorithm: SHA256",
        "x-amz-checksum-type: COMPOSITE",
        "x-amz-server-side-encryption: aws:kms",
        &format!("x-amz-server-side-encryption-aws-kms-key-id: {KEY}"),
        "x-amz-expected-bucket-owner: 123456789012",
    ] {
        assert!(heads[0].contains(header), "no `{header}` in {}", heads[0]);
    }
    for (n, head) in heads[1..4].iter().enumerate() {
        assert!(
            head.starts_with(&format!(
                "PUT /parts-shape/house/evidence/large?partNumber={}&uploadId=",
                n + 1
            ))
        );
        assert!(head.contains("x-amz-checksum-sha256: ") && head.contains("x-amz-expected-bucket-owner: "));
    }
    assert!(heads[4].contains("if-none-match: *") && heads[4].contains("x-amz-mp-object-size: 10485761"));
    assert_eq!(seen.len(), 5);
    assert!(seen.iter().all(|request| request.len() < PART + 10_000), "one part at a time");
    assert_eq!(store.get("evidence/large").unwrap(), content(b'a'));
    // What fits into one part is put as before.
    proxy.seen();
    store.put("evidence/small", &vec![1; PART]).unwrap();
    assert_eq!(asked(&proxy), ["PUT /parts-shape/house/evidence/small"]);
}

/// Content that notes how far it was read.
struct Noted(Vec<u8>, AtomicUsize);

struct Noting<'a>(&'a Noted, usize);

impl Read for Noting<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let read = (&self.0.0[self.1..]).read(into)?;
        self.1 += read;
        self.0.1.fetch_max(self.1, Ordering::Relaxed);
        Ok(read)
    }
}

impl Content for Noted {
    fn length(&self) -> u64 {
        self.0.len() as u64
    }

    fn reader(&self) -> Box<dyn Read + '_> {
        Box::new(Noting(self, 0))
    }
}

#[test]
fn content_is_read_no_further_than_the_part_that_goes_up() {
    for (before, read) in [(0, 0), (1, PART), (2, 2 * PART), (3, 2 * PART + 1)] {
        let bucket = format!("parts-read-{before}");
        let (proxy, store) = parted(&bucket);
        let made = Noted(content(b'a'), AtomicUsize::new(0));
        let calls = std::iter::repeat_n(Fate::Pass, before);
        proxy.next(calls.chain([xml_error(403, "AccessDenied")]));
        assert_eq!(store.put_from("one", &made).unwrap_err().kind(), Kind::Denied);
        assert_eq!(made.1.load(Ordering::Relaxed), read, "{before} calls had passed");
        assert!(under_way(&bucket).is_empty());
        // After a failure it is read from its beginning again.
        store.put_from("one", &made).unwrap();
        assert!(store.get("one").unwrap() == made.0);
        store.put_from("one", &made).unwrap();
    }
}

#[test]
fn a_part_that_was_changed_on_the_way_back_is_noticed() {
    let (proxy, store) = parted("parts-changed");
    store.put("one", &content(b'a')).unwrap();
    let of = |bytes: &[u8]| {
        let sum =
            |bytes: &[u8]| aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes).as_ref().to_vec();
        let sums: Vec<u8> = bytes.chunks(PART).flat_map(sum).collect();
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, sum(&sums))
    };
    let headers = format!("x-amz-checksum-sha256: {}-3\r\n", of(&content(b'a')));
    let mut changed = content(b'a');
    changed[7] = b'x';
    proxy.next([Fate::Answer(200, headers.clone(), String::from_utf8(changed).unwrap())]);
    assert_eq!(store.get("one").unwrap_err().kind(), Kind::Damaged);
    proxy.next([Fate::Answer(200, headers, String::from_utf8(content(b'a')).unwrap())]);
    assert_eq!(store.get("one").unwrap(), content(b'a'));
}

#[test]
fn what_passes_is_tried_again_at_every_call() {
    let late = "<Error><Code>InternalError</Code><Message>because</Message></Error>";
    let troubles = [
        xml_error(500, "InternalError"),
        xml_error(503, "SlowDown"),
        Fate::Reset,
        Fate::Lost,
        Fate::Half,
        Fate::Slow,
        // S3 may begin its answer before it has put the parts together.
        Fate::Answer(200, String::new(), late.into()),
    ];
    let (proxy, store) = parted("parts-passing");
    for (n, trouble) in troubles.iter().enumerate() {
        for (at, call) in CALLS.into_iter().enumerate() {
            if n == 6 && at != 4 {
                continue;
            }
            let name = format!("passing/{n}-{at}");
            let before = std::iter::repeat_n(Fate::Pass, at);
            proxy.next(before.chain([trouble.clone()]));
            store.put(&name, &content(b'b')).unwrap_or_else(|error| panic!("{call}, {trouble:?}: {error}"));
            assert!(store.get(&name).unwrap() == content(b'b'), "{call}, {trouble:?}");
        }
    }
    // Only an upload whose id was lost on the way is left, and it holds nothing.
    let left = under_way("parts-passing");
    assert!(left.iter().all(|(_, parts)| *parts == 0), "{left:?}");
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn what_stays_leaves_nothing_behind_at_any_call() {
    let troubles = [
        (xml_error(403, "AccessDenied"), 1, Kind::Denied),
        (xml_error(500, "InternalError"), 3, Kind::Failed),
        (xml_error(503, "SlowDown"), 3, Kind::Busy),
        (xml_error(400, "KMS.DisabledException"), 1, Kind::Disabled),
        (Fate::Reset, 3, Kind::Failed),
    ];
    for (n, (trouble, times, kind)) in troubles.iter().enumerate() {
        // Each trouble has a client of its own, because calls that fail use up a budget.
        let bucket = format!("parts-staying-{n}");
        let (proxy, store) = parted(&bucket);
        for (at, call) in CALLS.into_iter().enumerate() {
            let before = std::iter::repeat_n(Fate::Pass, at);
            proxy.next(before.chain(std::iter::repeat_n(trouble.clone(), *times)));
            let error = store.put("staying", &content(b'c')).unwrap_err();
            assert_eq!(error.kind(), *kind, "{call}: {error}");
            proxy.next([]);
            assert_eq!(store.list("").unwrap(), Vec::<String>::new(), "{call}, {trouble:?}");
            assert!(under_way(&bucket).is_empty(), "{call}, {trouble:?}");
        }
        store.put("staying", &content(b'c')).unwrap();
    }
}

#[test]
fn silence_at_a_part_is_left_in_time_and_taken_back() {
    Emulator::get().bucket("parts-silent");
    let (proxy, _) = proxied();
    let settings = settings(variables(proxy.address)).with_timeout(Duration::from_millis(500));
    let store = S3Objects::new(Client::new(settings).unwrap(), object_settings("parts-silent")).unwrap();
    let store = store.in_parts_of(PART);
    proxy.next([Fate::Pass, Fate::Pass, Fate::Silence, Fate::Silence, Fate::Silence]);
    let error = store.put("one", &content(b'd')).unwrap_err();
    insta::assert_snapshot!(error, @"`s3:UploadPart` failed: `127.0.0.1` said nothing for 0.5 seconds");
    assert!(under_way("parts-silent").is_empty());
}

#[test]
fn parts_that_cannot_be_taken_back_are_told() {
    let (proxy, store) = parted("parts-left");
    let denied = xml_error(403, "AccessDenied");
    proxy.next([Fate::Pass, Fate::Pass, denied.clone(), denied]);
    let error = store.put("one", &content(b'e')).unwrap_err();
    insta::assert_snapshot!(format!("{error}; {}", error.help().unwrap()), @"`s3:UploadPart` failed: AWS says `AccessDenied`: `because` (request `4442587FB7D0A2F9`); parts of `one` may have stayed in the bucket; `wardmote aws lifecycle` says whether they end by themselves");
    assert_eq!(under_way("parts-left"), [("house/one".to_owned(), 1)]);
}

#[test]
fn answers_that_s3_does_not_give_are_told() {
    let (proxy, store) = parted("parts-strange");
    let strange = |body: &str| Fate::Answer(200, String::new(), body.to_owned());
    let no_id = "<InitiateMultipartUploadResult><UploadId></UploadId></InitiateMultipartUploadResult>";
    let answers =
        [("", 0), ("<html>hello</html>", 0), (no_id, 0), ("a part without a tag", 1), ("<html/>", 4)];
    let said = answers.map(|(body, before)| {
        proxy.next(std::iter::repeat_n(Fate::Pass, before).chain([strange(body)]));
        let error = store.put("one", &content(b'j')).unwrap_err();
        assert_eq!(error.help().unwrap(), "look whether a proxy or AWS_ENDPOINT_URL answers in place of AWS");
        proxy.next([]);
        assert!(under_way("parts-strange").is_empty());
        error.to_string()
    });
    insta::assert_snapshot!(said.join("\n"), @r"
    `s3:CreateMultipartUpload` failed: the answer is not one that `s3` gives
    `s3:CreateMultipartUpload` failed: the answer (status 200) is not one that `s3` gives
    `s3:CreateMultipartUpload` failed: the answer is not one that `s3` gives
    `s3:UploadPart` failed: the answer is not one that `s3` gives
    `s3:CompleteMultipartUpload` failed: the answer (status 200) is not one that `s3` gives
    ");
    // An answer to a put in one request has a tag too.
    proxy.next([strange("")]);
    insta::assert_snapshot!(store.put("two", b"2").unwrap_err(), @"`s3:PutObject` failed: the answer is not one that `s3` gives");
}

#[test]
fn somebody_who_was_faster_is_not_overwritten() {
    let (proxy, store) = parted("parts-beside");
    let other = store.clone();
    other.put("one", &content(b'f')).unwrap();
    proxy.seen();
    assert_eq!(store.put("one", &content(b'g')).unwrap_err().kind(), Kind::Conflict);
    assert!(store.get("one").unwrap() == content(b'f'));
    // Put by somebody at this moment: all of it is done again, and is then there.
    proxy.next([
        Fate::Pass,
        Fate::Pass,
        Fate::Pass,
        Fate::Pass,
        xml_error(409, "ConditionalRequestConflict"),
    ]);
    store.put("two", &content(b'g')).unwrap();
    assert!(store.get("two").unwrap() == content(b'g'));
    assert!(under_way("parts-beside").is_empty());
    // In place of another it goes all the same, where that is asked for.
    store.replace("one", &content(b'g')).unwrap();
    assert!(store.get("one").unwrap() == content(b'g'));
    proxy.next([Fate::Pass, Fate::Pass, Fate::Pass, Fate::Pass, Fate::Lost]);
    store.replace("one", &content(b'h')).unwrap();
    assert!(store.get("one").unwrap() == content(b'h'));
}

#[test]
fn large_objects_are_locked_too() {
    let address = Emulator::get().address;
    script("locks.py", "make", address, "parts-locked");
    let (_proxy, client) = proxied();
    let store = objects(client, "parts-locked").in_parts_of(PART).locked_for(30);
    store.put("one", &content(b'i')).unwrap();
    let shown = script("locks.py", "show", address, "parts-locked");
    assert_eq!(shown.trim(), r#"{"house/one": [["COMPLIANCE", false]]}"#);
}
