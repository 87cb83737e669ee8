//! What the catalogue says of the names in a policy: neighbours of a wrong one, types of keys, resources of actions.

use super::glob;
use crate::catalog::{Action, KeyType, ResourceType, catalog, global_key};
use crate::policy::distance;
use crate::value::pattern_fields;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Names that are near to a wrong one, the nearest first.
pub(super) fn nearest<'n>(wrong: &str, names: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
    let wrong: String = wrong.chars().take(64).collect::<String>().to_ascii_lowercase();
    let limit = 2.max(wrong.len() / 3);
    let mut near: Vec<(usize, &str)> = names
        .filter(|name| name.len() <= 64)
        .map(|name| (distance(&wrong, &name.to_ascii_lowercase()), name))
        .filter(|(distance, _)| *distance <= limit)
        .collect();
    near.sort_unstable();
    near.into_iter().map(|(_, name)| name).take(3).collect()
}

/// A help that names neighbours, or else says this.
pub(super) fn did_you_mean(near: &[&str], prefix: &str, otherwise: &str) -> String {
    if near.is_empty() {
        return otherwise.to_owned();
    }
    let names: Vec<String> = near.iter().map(|name| format!("`{prefix}{name}`")).collect();
    format!("did you mean {}?", names.join(" or "))
}

/// The type of the values of a condition key, if the key is known.
pub(super) fn key_type(name: &str) -> Option<KeyType> {
    match global_key(name) {
        Some(key) => Some(key.kind()),
        None => catalog().condition_key(name).map(|key| key.kind()),
    }
}

/// The fields of the ARN of a type of resource, each as a pattern.
pub(super) type Shape = [String; 6];

/// The shapes of resources, by the service that stands in their ARNs.
static SHAPES: LazyLock<BTreeMap<String, Vec<Shape>>> = LazyLock::new(|| {
    let mut all: BTreeMap<String, Vec<Shape>> = BTreeMap::new();
    for kind in catalog().services().flat_map(crate::catalog::Service::resource_types) {
        if let Some(shape) = shape(&kind) {
            all.entry(shape[2].clone()).or_default().push(shape);
        }
    }
    all
});

/// The shapes of resources whose ARNs name this service.
pub(super) fn shapes(service: &str) -> &'static [Shape] {
    SHAPES.get(service).map_or(&[], Vec::as_slice)
}

/// Every `${...}` of an ARN stands for one character at least.
fn shape(kind: &ResourceType<'_>) -> Option<Shape> {
    let fields = pattern_fields(kind.arn(), true).into_iter().map(|field| open_variables(field, "?*"));
    fields.collect::<Vec<_>>().try_into().ok()
}

/// A text with a pattern in the place of each variable.
pub(super) fn open_variables(text: &str, pattern: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once("${") {
        out.push_str(before);
        match inside.split_once('}') {
            Some((_, after)) => {
                out.push_str(pattern);
                rest = after;
            }
            None => {
                out.push_str("${");
                rest = inside;
            }
        }
    }
    out.push_str(rest);
    out
}

/// Whether a resource of a policy can be one of a type in an action. Buckets have no `/` in their names.
pub(super) fn fits_type(resource: &str, kind: &ResourceType<'_>) -> bool {
    if let (Some(service), Some(wanted)) = (resource.split(':').nth(2), kind.arn().split(':').nth(2)) {
        let plain = !glob::is_wild(service) && !service.contains('$') && !wanted.contains('$');
        if plain && service != wanted {
            return false;
        }
    }
    let written = open_variables(resource, "*");
    let fields = pattern_fields(&written, false);
    let Some(shape) = shape(kind) else { return true };
    if kind.service() == "s3"
        && kind.name() == "bucket"
        && fields.get(5).is_some_and(|rest| rest.contains('/'))
    {
        return false;
    }
    fields.iter().zip(&shape).all(|(field, wanted)| glob::overlaps(field, wanted))
}

/// Whether an action can act on a resource of a policy.
pub(super) fn fits_action(resource: &str, action: &Action<'_>) -> bool {
    action.resource_types().any(|used| fits_type(resource, &used.resource_type()))
}
