//! `--live`: the account itself, and inventories that were kept of one.

use super::args::AuditArgs;
use crate::answer::Answers;
use crate::failure::{Exit, Failure};
use crate::house::House;
use aws::{Client, Settings, Sources};
use facts::inventory::Inventory;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Reads the account, and keeps the inventory if somebody wants it.
pub(super) fn account(args: &AuditArgs, answers: &Answers) -> Result<Inventory, Failure> {
    let inventory = aws::posture::collect(&client(args.endpoint_url.as_deref(), args.region.as_deref())?)
        .map_err(|error| Failure::from(world::PortError::from(error)))?;
    keep(inventory, args, answers)
}

/// Reads the house, and keeps the inventory if somebody wants it.
pub(super) fn house(house: &House, args: &AuditArgs, answers: &Answers) -> Result<Inventory, Failure> {
    keep(house.open_read_only()?.inventory()?, args, answers)
}

fn keep(inventory: Inventory, args: &AuditArgs, answers: &Answers) -> Result<Inventory, Failure> {
    if let Some(path) = &args.save {
        save(path, &inventory)?;
        answers.remark(&format!("the inventory is in `{}`; `wardmote audit` reads it again", path.display()));
    }
    Ok(inventory)
}

/// The inventory of a file that must be one.
pub(super) fn inventory_of(path: &Path) -> Result<Inventory, Failure> {
    let name = path.display().to_string();
    kept(&name, &super::files::inventory_text(path)?).unwrap_or_else(|| {
        Err(Failure::new(
            Exit::Input,
            format!("`{name}` is neither an inventory nor a snapshot of AWS Config"),
        )
        .with_help("make one with `wardmote audit --live --save FILE`"))
    })
}

/// A client for where was typed, else for where the environment says.
pub(crate) fn client(endpoint_url: Option<&str>, region: Option<&str>) -> Result<Client, Failure> {
    let mut sources = Sources::of_process();
    if let Some(url) = endpoint_url {
        sources = sources.with("AWS_ENDPOINT_URL", url);
    }
    let failure = |error| Failure::from(world::PortError::from(error));
    let settings = Settings::load(sources, None).map_err(failure)?;
    let settings = match region {
        Some(region) => settings.with_region(region).map_err(failure)?,
        None => settings,
    };
    Client::new(settings).map_err(failure)
}

/// An inventory tells who may do what, so it is for its owner alone.
fn save(path: &Path, inventory: &Inventory) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::io(format!("write `{}`", path.display()), error);
    let text = serde_json::to_vec_pretty(inventory).map_err(|error| failed(error.into()))?;
    let part = path.with_extension("part");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part).map_err(failed)?;
    file.write_all(&text).and_then(|()| file.sync_all()).map_err(failed)?;
    std::fs::rename(&part, path).map_err(failed)
}

/// The inventory of a file, if it is one: kept by this program, or a snapshot of AWS Config.
pub(super) fn kept(name: &str, text: &str) -> Option<Result<Inventory, Failure>> {
    if controls::is_snapshot(text) {
        let inventory = controls::snapshot(text).map_err(|wrong| {
            Failure::new(Exit::Input, format!("`{name}` is no snapshot of AWS Config: {wrong}"))
                .with_help("give what `aws configservice deliver-config-snapshot` left in its bucket")
        });
        return Some(inventory);
    }
    // What this program writes begins with its form.
    let begin = text.trim_start().strip_prefix('{')?.trim_start();
    begin.starts_with("\"form\"").then(|| {
        Inventory::from_json(text).map_err(|wrong| {
            Failure::new(Exit::Input, format!("`{name}` is no inventory: {wrong}"))
                .with_help("make one with `wardmote audit --live --save FILE`")
        })
    })
}
