//! Every rule and trap of the specification as a named case: what the documentation says, against what is answered.

use serde_json::Value;

const FILES: [(&str, &str); 4] = [
    ("statements", include_str!("rules/statements.json")),
    ("conditions", include_str!("rules/conditions.json")),
    ("principals", include_str!("rules/principals.json")),
    ("decision", include_str!("rules/decision.json")),
];

/// What an answer says, or its error.
fn said(answer: &Value) -> &Value {
    ["decision", "result", "error"].iter().find_map(|key| answer.get(*key)).unwrap_or(&Value::Null)
}

#[test]
fn every_rule_holds() {
    let mut failing = Vec::new();
    let mut count = 0;
    for (file, text) in FILES {
        let cases: Vec<Value> = serde_json::from_str(text).unwrap();
        for case in &cases {
            let answer: Value = serde_json::from_str(&iam::answer_line(&case["case"].to_string())).unwrap();
            count += 1;
            if *said(&answer) != case["expect"] {
                let (name, source) = (&case["name"], &case["source"]);
                failing.push(format!("{file}: {name} ({source}): {answer}, expected {}", case["expect"]));
            }
        }
    }
    assert!(failing.is_empty(), "{} of {count} fail:\n{}", failing.len(), failing.join("\n"));
    assert!(count > 400, "{count}");
}

#[test]
fn no_name_stands_twice() {
    let cases = FILES.iter().flat_map(|(_, text)| serde_json::from_str::<Vec<Value>>(text).unwrap());
    let mut names: Vec<String> = cases.map(|case| case["name"].to_string()).collect();
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count);
}
