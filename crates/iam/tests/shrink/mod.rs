//! Makes a failing case small: takes away parts as long as it still fails.

use serde_json::Value;

/// The paths to everything inside a value.
fn paths(value: &Value, at: &str, out: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, inner) in members {
                let path = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
                out.push(path.clone());
                paths(inner, &path, out);
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                let path = format!("{at}/{index}");
                out.push(path.clone());
                paths(inner, &path, out);
            }
        }
        _ => (),
    }
}

fn without(value: &Value, path: &str) -> Option<Value> {
    let mut smaller = value.clone();
    let (parent, last) = path.rsplit_once('/')?;
    match smaller.pointer_mut(parent)? {
        Value::Object(members) => {
            members.remove(&last.replace("~1", "/").replace("~0", "~"))?;
        }
        Value::Array(items) => {
            items.remove(last.parse().ok()?);
        }
        _ => return None,
    }
    Some(smaller)
}

/// The smallest case that is found to fail like this one.
pub(crate) fn smallest(case: Value, fails: impl Fn(&Value) -> bool) -> Value {
    let mut case = case;
    loop {
        let mut all = Vec::new();
        paths(&case, "", &mut all);
        let smaller = all.iter().find_map(|path| without(&case, path).filter(&fails));
        match smaller {
            Some(smaller) => case = smaller,
            None => return case,
        }
    }
}
