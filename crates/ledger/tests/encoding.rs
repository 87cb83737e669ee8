//! An entry that was taken is read back as it was: encode, decode, encode.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use facts::{Actor, ActorKind, Timestamp};
use ledger::{Draft, Entry, Outcome, SequenceError, Sequencer};
use proptest::prelude::*;
use serde_json::{Value, json};

fn plan(body: Value) -> Result<ledger::Planned, SequenceError> {
    let draft = Draft {
        stream: "model/a".parse().unwrap(),
        expected_seq: None,
        time: Timestamp::EPOCH,
        actor: Actor::new("ada".parse().unwrap(), ActorKind::Human, vec![]),
        action: "model.train".into(),
        resource: "model/a".into(),
        outcome: Outcome::Done,
        body,
    };
    Ok(Sequencer::default().plan(vec![draft])?.remove(0))
}

/// Any JSON, with the numbers and letters that encoders get wrong more often than chance would have them.
fn any_json() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (-9_007_199_254_740_995i64..=-9_007_199_254_740_989).prop_map(Value::from),
        (9_007_199_254_740_989u64..=9_007_199_254_740_995).prop_map(Value::from),
        (0u32..1100, 1i32..1000)
            .prop_map(|(e, m)| Value::from(f64::from(m) * 2f64.powi(e.cast_signed() - 1070))),
        Just(Value::from(-0.0)),
        Just(Value::from(1.0)),
    ];
    let text = prop_oneof![
        ".*",
        proptest::collection::vec(any::<char>(), 0..8).prop_map(String::from_iter),
        "[\u{0}-\u{1f}\u{7f}\u{2028}\u{2029}\u{fffe}\u{ffff}\u{10ffff}\u{d7ff}\u{e000}\"\\\\/]{0,6}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number,
        text.clone().prop_map(Value::from)
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::btree_map(text.clone(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Equal as JSON has it: 1 and 1.0 are one number.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            a == b || a.as_f64() == b.as_f64() && (a.is_f64() || b.is_f64())
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn what_is_taken_is_read_back_and_encodes_the_same(body in any_json()) {
        let Ok(planned) = plan(body.clone()) else { return Ok(()) };
        let read = Entry::decode(&planned.leaf).unwrap();
        prop_assert!(same(&read.body, &body), "{} became {}", body, read.body);
        prop_assert_eq!(&read.encode().unwrap(), &planned.leaf);
        prop_assert_eq!(read, planned.entry, "the answer says what is stored");
    }

    #[test]
    fn only_what_would_change_is_refused(body in any_json()) {
        let exact = |body: &Value| serde_json_canonicalizer::to_vec(body).ok()
            .and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok())
            .is_some_and(|read| same(&read, body));
        prop_assert_eq!(plan(body.clone()).is_ok(), exact(&body), "{}", body);
    }
}

#[test]
fn what_cannot_be_read_back_is_refused_and_says_why() {
    let deep = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!([inner]));
    let said: Vec<String> = [
        json!({ "metrics": { "rows": 9_007_199_254_740_993u64 } }),
        json!({ "seeds": [1, u64::MAX] }),
        json!({ "a": i64::MIN + 1 }),
        json!({ "tree": deep(126) }),
    ]
    .into_iter()
    .map(|body| plan(body).unwrap_err().to_string())
    .collect();
    insta::assert_snapshot!(said.join("\n"));
    assert!(plan(json!({ "tree": deep(125) })).is_ok(), "the deepest that can be read");
    assert!(plan(json!({ "n": 9_007_199_254_740_992u64, "m": 1.0, "z": -0.0, "e": 1e300 })).is_ok());
}
