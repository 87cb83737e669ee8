//! Tokens of identity providers: who comes in, and every way not to.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "support/issuer.rs"]
mod issuer;

use facts::Timestamp;
use guard::door::oidc::{KeySet, Refused, Settings, claimed_issuer, looks_like};
use issuer::{Key, b64, confused, set, unsigned};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::OnceLock;

const ISSUER: &str = "https://login.bank.example/realms/bank";
const NOW: i64 = 1_790_000_000;

fn now() -> Timestamp {
    Timestamp::from_unix_ms(NOW * 1000).unwrap()
}

fn settings(more: &Value) -> Settings {
    let mut all = json!({
        "issuer": ISSUER, "audience": ["wardmote"], "claim": "sub", "people": { "u-17": "ada" }
    });
    for (name, value) in more.as_object().unwrap() {
        all[name] = value.clone();
    }
    let settings: Settings = serde_json::from_value(all).unwrap();
    settings.check().unwrap();
    settings
}

fn claims(more: &Value) -> Value {
    let mut all = json!({
        "iss": ISSUER, "aud": "wardmote", "sub": "u-17", "iat": NOW - 10, "exp": NOW + 300
    });
    for (name, value) in more.as_object().unwrap() {
        if value.is_null() {
            all.as_object_mut().unwrap().remove(name);
        } else {
            all[name] = value.clone();
        }
    }
    all
}

fn keys() -> &'static [Key; 3] {
    static KEYS: OnceLock<[Key; 3]> = OnceLock::new();
    KEYS.get_or_init(|| [Key::rsa("one"), Key::ec("two"), Key::rsa("other")])
}

fn known() -> KeySet {
    let [rsa, ec, _] = keys();
    KeySet::read(&set(&[rsa, ec])).unwrap()
}

fn said(settings: &Settings, token: &str) -> String {
    match settings.recognise(token, &known(), now()) {
        Ok(known) => {
            format!("{}{}", known.id(), if known.holds_all() { "" } else { " with the roles of groups" })
        }
        Err(Refused::UnknownKey) => "UNKNOWN KEY".to_owned(),
        Err(Refused::No(why)) => why.to_string(),
    }
}

#[test]
fn who_comes_in_and_who_does_not() {
    let [rsa, ec, other] = keys();
    let plain = settings(&json!({}));
    let mut lines = Vec::new();
    let mut line = |what: &str, settings: &Settings, token: &str| {
        lines.push(format!("{what}: {}", said(settings, token)));
    };
    line("RS256", &plain, &rsa.token(&claims(&json!({}))));
    line("ES256", &plain, &ec.token(&claims(&json!({}))));
    line("several audiences", &plain, &ec.token(&claims(&json!({ "aud": ["a", "wardmote"] }))));
    line("just ended", &plain, &ec.token(&claims(&json!({ "exp": NOW - 59 }))));
    line("ended", &plain, &ec.token(&claims(&json!({ "exp": NOW - 60 }))));
    line("endless", &plain, &ec.token(&claims(&json!({ "exp": null }))));
    line("ends some day", &plain, &ec.token(&claims(&json!({ "exp": "tomorrow" }))));
    line("not yet", &plain, &ec.token(&claims(&json!({ "nbf": NOW + 61 }))));
    line("of the future", &plain, &ec.token(&claims(&json!({ "iat": NOW + 61 }))));
    line("other audience", &plain, &ec.token(&claims(&json!({ "aud": "payroll" }))));
    line("no audience", &plain, &ec.token(&claims(&json!({ "aud": null }))));
    line("other issuer", &plain, &ec.token(&claims(&json!({ "iss": "https://evil.example" }))));
    line("issuer with a slash", &plain, &ec.token(&claims(&json!({ "iss": format!("{ISSUER}/") }))));
    line("unknown subject", &plain, &ec.token(&claims(&json!({ "sub": "u-18" }))));
    line("subject that is an id", &plain, &ec.token(&claims(&json!({ "sub": "ada" }))));
    line("no subject", &plain, &ec.token(&claims(&json!({ "sub": null }))));
    line("other key", &plain, &other.token(&claims(&json!({}))));
    let header = |more: Value| {
        let mut all = json!({ "alg": "RS256", "kid": "one" });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    let with = |more: Value| rsa.token_with(&header(more), &claims(&json!({})));
    line("other key, known id", &plain, &other.token_with(&header(json!({})), &claims(&json!({}))));
    line("no id of a key", &plain, &rsa.token_with(&json!({ "alg": "RS256" }), &claims(&json!({}))));
    line("key of the other kind", &plain, &with(json!({ "kid": "two" })));
    line("critical", &plain, &with(json!({ "crit": ["exp"] })));
    line("not encoded", &plain, &with(json!({ "b64": false })));
    line("own key", &plain, &with(json!({ "kid": "mine", "jwk": rsa.public() })));
    line("logout token", &plain, &with(json!({ "typ": "logout+jwt" })));
    line("access token of RFC 9068", &plain, &with(json!({ "typ": "at+jwt" })));
    line("RS512", &plain, &with(json!({ "alg": "RS512" })));
    line("PS256", &plain, &with(json!({ "alg": "PS256" })));
    line("none", &plain, &unsigned(&claims(&json!({}))));
    for (what, secret) in [
        ("HS256 with the public key", rsa.public_der()),
        ("HS256 with the JWK", rsa.public().to_string().into_bytes()),
        ("HS256 with the modulus", rsa.public()["n"].as_str().unwrap().as_bytes().to_vec()),
    ] {
        line(what, &plain, &confused(&secret, "one", &claims(&json!({}))));
    }
    line("nonsense", &plain, "eyJ.e30.x");
    line("too long", &plain, &ec.token(&claims(&json!({ "more": "a".repeat(8000) }))));
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn names_groups_and_the_two_kinds_of_cognito() {
    let [rsa, ..] = keys();
    let mut lines = Vec::new();
    let mut line = |what: &str, more: Value, of: Value| {
        lines.push(format!("{what}: {}", said(&settings(&more), &rsa.token(&claims(&of)))));
    };
    let email = json!({ "claim": "email", "people": { "ada@bank.example": "ada" } });
    line("address", email.clone(), json!({ "email": "ada@bank.example", "email_verified": true }));
    line("unverified address", email.clone(), json!({ "email": "ada@bank.example" }));
    line("address, as text", email, json!({ "email": "ada@bank.example", "email_verified": "true" }));
    line(
        "id of the charter",
        json!({ "claim": "/bank/id", "people": {} }),
        json!({ "bank": { "id": "ada" } }),
    );
    line("no id", json!({ "claim": "/bank/id", "people": {} }), json!({ "bank": { "id": "Ada Lovelace" } }));
    line("pointer to nothing", json!({ "claim": "/bank/id", "people": {} }), json!({}));
    let groups = json!({ "groups": { "claim": "cognito:groups", "roles": { "ml": ["ml-engineer"] } } });
    line("groups", groups.clone(), json!({ "cognito:groups": ["ml", "chess"] }));
    line("no groups", groups, json!({}));
    let access = json!({ "token_use": "access", "claim": "username" });
    let of_access =
        json!({ "token_use": "access", "client_id": "wardmote", "aud": null, "username": "u-17" });
    line("access token", access.clone(), of_access.clone());
    line(
        "access token of another client",
        access.clone(),
        json!({ "token_use": "access", "client_id": "x", "aud": "wardmote" }),
    );
    line("ID token for one", access, json!({ "token_use": "id", "username": "u-17" }));
    line("ID token", json!({ "token_use": "id" }), json!({ "token_use": "id" }));
    line("access token for an ID token", json!({ "token_use": "id" }), of_access);
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn which_keys_are_taken() {
    let [rsa, ec, _] = keys();
    let changed = |key: &Key, field: &str, value: Value| {
        let mut public = key.public();
        public[field] = value;
        public
    };
    let read = |keys: Vec<Value>| {
        KeySet::read(json!({ "keys": keys }).to_string().as_bytes())
            .map_or_else(|why| why, |_| "taken".to_owned())
    };
    let lines = [
        read(vec![rsa.public()]),
        read(vec![json!({ "kty": "quantum" }), ec.public()]),
        read(vec![changed(rsa, "use", json!("enc"))]),
        read(vec![changed(rsa, "alg", json!("RS512"))]),
        read(vec![changed(rsa, "n", json!(b64([255; 128])))]),
        read(vec![changed(rsa, "n", json!(b64([255; 2048])))]),
        read(vec![changed(ec, "crv", json!("P-384"))]),
        read(vec![changed(ec, "x", json!("AQAB"))]),
        read(vec![changed(ec, "key_ops", json!(["sign"]))]),
        read(vec![json!({ "kty": "oct", "k": "c2VjcmV0", "kid": "one", "alg": "HS256" })]),
        read(vec![]),
        read(vec![ec.public(); 101]),
        KeySet::read(b"{}").unwrap_err(),
    ];
    insta::assert_snapshot!(lines.join("\n"), @r"
    taken
    taken
    none of its keys is for signatures with RS256 or ES256
    none of its keys is for signatures with RS256 or ES256
    none of its keys is for signatures with RS256 or ES256
    none of its keys is for signatures with RS256 or ES256
    none of its keys is for signatures with RS256 or ES256
    none of its keys is for signatures with RS256 or ES256
    none of its keys is for signatures with RS256 or ES256
    none of its keys is for signatures with RS256 or ES256
    none of its keys is for signatures with RS256 or ES256
    it has more than 100 keys
    its keys are not a JSON Web Key Set
    ");
}

#[test]
fn settings_and_configurations_that_are_none() {
    let check = |more: Value| {
        let mut all = json!({ "issuer": ISSUER, "audience": ["wardmote"], "claim": "sub" });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value::<Settings>(all).unwrap().check().unwrap_err()
    };
    let plain = settings(&json!({}));
    let keys = |issuer: &str, url: &str| {
        let text = json!({ "issuer": issuer, "jwks_uri": url }).to_string();
        plain.keys_url(text.as_bytes()).unwrap_or_else(|why| why)
    };
    let lines = [
        check(json!({ "issuer": "http://login.bank.example" })),
        check(json!({ "issuer": "https://login.bank.example?x=1" })),
        check(json!({ "audience": [] })),
        check(json!({ "claim": "" })),
        plain.discovery_url(),
        keys(ISSUER, "https://keys.bank.example/jwks"),
        keys("https://evil.example", "https://keys.bank.example/jwks"),
        keys(ISSUER, "http://keys.bank.example/jwks"),
        plain.keys_url(b"<html>").unwrap_err(),
    ];
    insta::assert_snapshot!(lines.join("\n"), @r"
    the issuer `http://login.bank.example` is not a URL: expected `https://HOST[/PATH]`
    the issuer `https://login.bank.example?x=1` is not a URL: expected `https://HOST[/PATH]`
    the issuer `https://login.bank.example/realms/bank` has no `audience`: name the client ids whose tokens are for this server
    a claim of the issuer `https://login.bank.example/realms/bank` has no name
    https://login.bank.example/realms/bank/.well-known/openid-configuration
    https://keys.bank.example/jwks
    its configuration is that of another issuer
    its keys are not at an `https://` address
    its configuration is not as OpenID Connect has it
    ");
}

proptest! {
    /// No change of a token comes in, and none makes it panic.
    #[test]
    fn one_changed_letter_is_enough(at in 0usize..600, letter in "[A-Za-z0-9_.-]") {
        static TOKEN: OnceLock<String> = OnceLock::new();
        let token = TOKEN.get_or_init(|| keys()[1].token(&claims(&json!({}))));
        let at = at % token.len();
        let mut changed = token.clone();
        changed.replace_range(at..=at, &letter);
        let known = settings(&json!({})).recognise(&changed, &known(), now());
        // The last letter of a part has bits that encode nothing.
        prop_assert!(changed == *token || known.is_err(), "{changed}");
    }

    #[test]
    fn any_text_is_refused(text in "(eyJ[A-Za-z0-9_-]{0,40}\\.)?[\\PC]{0,60}") {
        let refused = settings(&json!({})).recognise(&text, &known(), now()).is_err();
        prop_assert!(refused);
        let _ = (looks_like(&text), claimed_issuer(&text));
    }
}
