//! How often issuers and STS are asked, and what counts while they do not answer. The tokens themselves are the affair of
//! `guard/tests`.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(dead_code, reason = "each test file uses its part of the common module")]

#[path = "../../guard/tests/support/issuer.rs"]
mod issuer;

use facts::Timestamp;
use guard::door::aws::{Presigned, Sts, token};
use issuer::{Key, set};
use serde_json::json;
use server::{Doors, Outside};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use world::{Clock, Kind, PortError};

const ISSUER: &str = "https://login.bank.example";
const START: i64 = 1_790_000_000;

/// A world with one issuer and one STS, which count how often they are asked.
#[derive(Default)]
struct World {
    now: AtomicI64,
    keys: Mutex<Option<Vec<u8>>>,
    arn: Mutex<Option<String>>,
    asked: AtomicUsize,
}

impl World {
    fn at(seconds: i64) -> Arc<Self> {
        Arc::new(Self { now: AtomicI64::new(seconds), ..Self::default() })
    }

    fn later(&self, seconds: i64) {
        self.now.fetch_add(seconds, Ordering::SeqCst);
    }

    fn shows(&self, keys: Option<&[&Key]>) {
        *self.keys.lock().unwrap() = keys.map(set);
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_ms(self.now.load(Ordering::SeqCst) * 1000).unwrap()
    }
}

impl Outside for World {
    fn document(&self, url: &str) -> Result<Vec<u8>, PortError> {
        let down = || PortError::new(Kind::Failed, "it cannot be reached");
        let keys = self.keys.lock().unwrap().clone();
        if url.ends_with("/.well-known/openid-configuration") {
            self.asked.fetch_add(1, Ordering::SeqCst);
            let text = json!({ "issuer": ISSUER, "jwks_uri": format!("{ISSUER}/keys") }).to_string();
            return keys.map(|_| text.into_bytes()).ok_or_else(down);
        }
        keys.ok_or_else(down)
    }

    fn caller(&self, _: &Presigned) -> Result<Option<String>, PortError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        Ok(self.arn.lock().unwrap().clone())
    }
}

fn doors(world: &Arc<World>) -> Doors {
    let issuer = json!({ "issuer": ISSUER, "audience": ["w"], "claim": "sub" });
    let aws = json!({ "server": "here", "people": { "arn:aws:iam::111122223333:role/job": "job" } });
    let sts = Sts { url: "https://sts.eu-central-1.amazonaws.com".into(), region: "eu-central-1".into() };
    let aws = (serde_json::from_value(aws).unwrap(), sts);
    let (outside, clock) = (Arc::clone(world) as Arc<dyn Outside>, Arc::clone(world) as Arc<dyn Clock>);
    Doors::new(outside, clock, vec![serde_json::from_value(issuer).unwrap()], Some(aws))
}

fn shown(key: &Key) -> String {
    key.token(&json!({ "iss": ISSUER, "aud": "w", "sub": "ada", "exp": START + 100_000 }))
}

fn said(doors: &Doors, token: &str) -> String {
    doors.token(token).map_or_else(|why| why.to_string(), |known| known.id().to_string())
}

#[test]
fn keys_are_kept_and_asked_for_once_a_minute_at_most() {
    let (world, old, new) = (World::at(START), Key::ec("old"), Key::ec("new"));
    let doors = doors(&world);
    world.shows(Some(&[&old]));
    for _ in 0..5 {
        assert_eq!(said(&doors, &shown(&old)), "ada");
    }
    assert_eq!(world.asked(), 1);
    // Unknown keys, as many as somebody likes to send: nobody is asked before a minute has passed.
    for n in 0..50 {
        let unknown = Key::ec(&format!("unknown-{n}"));
        assert!(said(&doors, &shown(&unknown)).contains("has no key that signed the token"));
    }
    assert_eq!(world.asked(), 1);
    // The issuer rotates: after a minute, the first token with the new key brings it.
    world.shows(Some(&[&old, &new]));
    world.later(60);
    assert_eq!(said(&doors, &shown(&new)), "ada");
    assert_eq!((said(&doors, &shown(&old)), world.asked()), ("ada".to_owned(), 2));
    // The old key is gone ten minutes after the issuer took it away.
    world.shows(Some(&[&new]));
    world.later(600);
    assert!(said(&doors, &shown(&old)).contains("has no key"));
    assert_eq!(said(&doors, &shown(&new)), "ada");
    assert_eq!(world.asked(), 3);
}

#[test]
fn while_the_issuer_is_down_known_keys_count_for_an_hour_and_no_longer() {
    let (world, key) = (World::at(START), Key::ec("one"));
    let doors = doors(&world);
    assert!(said(&doors, &shown(&key)).contains("cannot be asked for its keys now"));
    // It comes back, and is asked again a minute after it was asked last.
    world.shows(Some(&[&key]));
    assert!(said(&doors, &shown(&key)).contains("cannot be asked for its keys now"));
    assert_eq!(world.asked(), 1);
    world.later(60);
    assert_eq!((said(&doors, &shown(&key)), world.asked()), ("ada".to_owned(), 2));
    world.shows(None);
    for _ in 0..59 {
        world.later(60);
        assert_eq!(said(&doors, &shown(&key)), "ada");
    }
    world.later(60);
    assert!(said(&doors, &shown(&key)).contains("cannot be asked for its keys now"));
    // What is no set of keys is as good as nothing.
    *world.keys.lock().unwrap() = Some(b"<html>".to_vec());
    world.later(60);
    assert!(said(&doors, &shown(&key)).contains("cannot be asked for its keys now"));
}

#[test]
fn many_at_once_make_one_question() {
    let (world, key) = (World::at(START), Key::ec("one"));
    world.shows(Some(&[&key]));
    let (doors, token) = (doors(&world), shown(&key));
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..16).map(|_| scope.spawn(|| said(&doors, &token))).collect();
        assert!(all.into_iter().all(|one| one.join().unwrap() == "ada"));
    });
    assert_eq!(world.asked(), 1);
}

#[test]
fn tokens_of_others_ask_nobody() {
    let (world, key) = (World::at(START), Key::ec("one"));
    let doors = doors(&world);
    let of_others = key.token(&json!({ "iss": "https://evil.example", "aud": "w", "sub": "ada" }));
    assert_eq!(said(&doors, &of_others), "the token is not of an issuer that this server knows");
    assert_eq!(
        (said(&doors, "eyJ.eyJ.x"), world.asked()),
        ("the token is not of an issuer that this server knows".to_owned(), 0)
    );
}

#[test]
fn an_answer_of_sts_counts_for_two_minutes() {
    let world = World::at(START);
    let doors = doors(&world);
    let call = |time: &str| {
        let scope = format!("{}%2Feu-central-1%2Fsts%2Faws4_request", &time[..8]);
        token(&format!(
            "https://sts.eu-central-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15\
             &X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKID%2F{scope}&X-Amz-Date={time}&X-Amz-Expires=900\
             &X-Amz-SignedHeaders=host%3Bx-wardmote-server-id&X-Amz-Signature={}",
            "a".repeat(64)
        ))
    };
    let said =
        |token: &str| doors.aws(token).map_or_else(|why| why.to_string(), |known| known.id().to_string());
    let first = call("20260921T141320Z");
    assert_eq!(said(&first), "AWS STS does not accept the signature of the token");
    *world.arn.lock().unwrap() = Some("arn:aws:sts::111122223333:assumed-role/job/i-1".into());
    assert_eq!((said(&first), said(&first), world.asked()), ("job".to_owned(), "job".to_owned(), 2));
    world.later(119);
    assert_eq!((said(&first), world.asked()), ("job".to_owned(), 2));
    world.later(1);
    assert_eq!((said(&first), world.asked()), ("job".to_owned(), 3));
    // The end of the token is the end, whatever was answered.
    world.later(720);
    assert_eq!((said(&first), world.asked()), ("job".to_owned(), 4));
    world.later(60);
    assert_eq!(
        (said(&first), world.asked()),
        ("the token has ended; `wardmote aws token` makes a new one".to_owned(), 4)
    );
    *world.arn.lock().unwrap() = Some("arn:aws:iam::111122223333:root".into());
    assert!(said(&call("20260921T142820Z")).starts_with("no ARN of this server's settings is the caller's"));
}
