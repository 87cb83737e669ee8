//! Grants on KMS keys.

use super::{Ask, Held, list};
use serde_json::{Map, Value};

const CONTEXT: &str = "kms:encryptioncontext:";

pub(super) fn granted(grants: &Value, ask: &Ask<'_>) -> bool {
    ask.service() == "kms" && list(grants).iter().any(|grant| one(grant, ask))
}

fn one(grant: &Value, ask: &Ask<'_>) -> bool {
    let operations = list(&grant["Operations"]);
    let operation = operations
        .iter()
        .any(|name| name.as_str().map(str::to_lowercase).as_deref() == Some(ask.operation()));
    let key = grant.get("KeyId").is_none_or(|key| key == ask.resource);
    let grantee = grant["GranteePrincipal"].as_str().is_some_and(|grantee| ask.caller.is_grantee(grantee));
    operation && key && grantee && constraints(&grant["Constraints"], ask)
}

fn constraints(constraints: &Value, ask: &Ask<'_>) -> bool {
    if ["describekey", "retiregrant"].contains(&ask.operation()) {
        return true;
    }
    let has = |pairs: &Map<String, Value>| {
        pairs.iter().all(|(key, value)| {
            matches!(ask.held(&format!("{CONTEXT}{key}")), Held::One(held) if Some(&*held) == value.as_str())
        })
    };
    let given =
        || ask.context.into_iter().flatten().filter(|(key, _)| key.to_lowercase().starts_with(CONTEXT));
    let equals = constraints["EncryptionContextEquals"].as_object();
    let subset = constraints["EncryptionContextSubset"].as_object();
    equals.is_none_or(|pairs| has(pairs) && given().count() == pairs.len()) && subset.is_none_or(has)
}
