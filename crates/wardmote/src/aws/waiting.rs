//! Lines for CloudWatch Logs that wait in the folder of the house, `waiting/logs/TIME-EVIDENCE`: each is there before it is sent, and
//! until CloudWatch Logs has it, so that none is lost when it cannot be reached. One may come twice, never not at all.

use crate::failure::{Exit, Failure};
use crate::house::{House, write_private};
use aws::signals::{Delivery, LogLine, Signals};
use facts::Timestamp;
use std::fs;
use std::path::PathBuf;

/// So many are read at once, the oldest first; the next run takes the rest.
const MOST: usize = 1_000;
/// A line of ours is far shorter.
const LONGEST: u64 = 1 << 20;

fn folder(house: &House) -> PathBuf {
    house.dir().join("waiting/logs")
}

/// Puts a line where it waits.
pub(super) fn put(house: &House, time: Timestamp, (evidence, text): (&str, &str)) -> Result<(), Failure> {
    let name = format!("{:013}-{evidence}", time.unix_ms());
    Ok(write_private(&folder(house).join(name), text.as_bytes())?)
}

/// Sends what waits into the stream of a model's figures; how many lines are refused for good.
pub(super) fn send(house: &House, signals: &Signals, days: u32, now: Timestamp) -> Result<usize, Failure> {
    let (mut refused, mut stuck) = (0, None);
    let delivered = signals.deliver("monitor", (read(house)?, days), now, &mut |line, became| {
        refused += usize::from(became == Delivery::Refused);
        if let Err(error) = fs::remove_file(folder(house).join(&line.id)) {
            stuck.get_or_insert(error);
        }
    });
    delivered.map_err(super::failure)?;
    match stuck {
        Some(error) => {
            Err(Failure::io(format!("remove what was sent from `{}`", folder(house).display()), error))
        }
        None => Ok(refused),
    }
}

fn read(house: &House) -> Result<Vec<LogLine>, Failure> {
    let dir = folder(house);
    let unreadable = |error| Failure::io(format!("read `{}`", dir.display()), error);
    let mut names = Vec::new();
    for entry in fs::read_dir(&dir).map_err(unreadable)? {
        names.push(entry.map_err(unreadable)?.file_name().to_string_lossy().into_owned());
    }
    // What is half written has an ending.
    names.retain(|name| !name.contains('.'));
    names.sort();
    names.truncate(MOST);
    names.into_iter().map(|name| line(&dir, name)).collect()
}

fn line(dir: &std::path::Path, id: String) -> Result<LogLine, Failure> {
    let path = dir.join(&id);
    let wrong = || {
        Failure::new(
            Exit::Input,
            format!("`{}` is not a line that waits for CloudWatch Logs", path.display()),
        )
        .with_help("see who put it there, and remove it")
    };
    let unreadable = |error| Failure::io(format!("read `{}`", path.display()), error);
    let ms = id.split_once('-').and_then(|(ms, _)| ms.parse().ok()).ok_or_else(wrong)?;
    let time = Timestamp::from_unix_ms(ms).map_err(|_| wrong())?;
    if fs::metadata(&path).map_err(unreadable)?.len() > LONGEST {
        return Err(wrong());
    }
    let text = fs::read_to_string(&path).map_err(unreadable)?;
    Ok(LogLine { id, time, text })
}
