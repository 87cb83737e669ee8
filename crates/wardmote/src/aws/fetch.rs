//! `wardmote aws trail fetch`: a trail's bucket in a folder, so that it can be verified there by somebody without an account.

use super::args::FetchArgs;
use super::failure;
use crate::answer::Answers;
use crate::failure::{Exit, Failure};
use crate::house::{House, write_private};
use facts::Timestamp;
use local::SystemClock;
use serde_json::json;
use std::process::ExitCode;
use world::Clock;

/// CloudTrail signs digests since 2015.
const FIRST_SIGNED_UNIX_MS: i64 = 1_420_070_400_000;
const DAY_SECONDS: i64 = 24 * 60 * 60;

pub(super) fn run(house: &House, args: &FetchArgs, answers: &Answers) -> Result<ExitCode, Failure> {
    let bucket = house.settings()?.trail(&args.place, args.bucket_owner.as_ref())?;
    if args.permissions {
        let document = bucket.permissions().map_err(failure)?;
        answers.give(&document.to_json(), |document| format!("{document:#}"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let (mut fetched, mut there, mut refused) = (0u64, 0u64, Vec::new());
    for key in bucket.list().map_err(failure)?.into_iter().filter(|key| asked(key, args)) {
        if !is_path(&key) {
            refused.push(key.escape_debug().to_string());
            continue;
        }
        let path = args.folder.join(&key);
        let beside = args.folder.join(format!("{key}.head.json"));
        // A digest that was copied by other means has no signature beside it.
        if path.exists() && (beside.exists() || !key.contains("_CloudTrail-Digest_")) {
            there += 1;
            continue;
        }
        let object = bucket.get(&key).map_err(failure)?;
        // First what is beside it: a digest that is there is not fetched again.
        if let Some(head) = object.head() {
            write_private(&beside, head.to_string().as_bytes())?;
        }
        write_private(&path, object.bytes())?;
        fetched += 1;
    }
    let first = Timestamp::from_unix_ms(FIRST_SIGNED_UNIX_MS)
        .map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
    let to = args.to.map_or_else(|| SystemClock.now(), |to| to.plus_seconds(DAY_SECONDS));
    let keys = bucket.public_keys(args.from.unwrap_or(first), to).map_err(failure)?;
    write_private(&args.public_keys, format!("{keys:#}\n").as_bytes())?;
    let count = keys["PublicKeyList"].as_array().map_or(0, Vec::len);
    for key in &refused {
        answers.remark(&format!("note: `{key}` is no path in a folder, so it was not fetched"));
    }
    let answer = json!({ "fetched": fetched, "there": there, "refused": refused, "public_keys": count });
    answers.give(&answer, |_| {
        let (folder, file) = (args.folder.display(), args.public_keys.display());
        format!(
            "fetched {fetched} files, {there} were there; {count} public keys in {file}\nverify them with `wardmote aws trail verify {folder} --public-keys {file}`"
        )
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Whether a file is of a day asked about; its key has the day in it as `2025/08/17`.
fn asked(key: &str, args: &FetchArgs) -> bool {
    let parts: Vec<&str> = key.split('/').collect();
    let digits = |part: &str, length: usize| part.len() == length && part.bytes().all(|b| b.is_ascii_digit());
    let day = parts
        .windows(3)
        .find(|part| digits(part[0], 4) && digits(part[1], 2) && digits(part[2], 2))
        .map(|part| part.join("-"));
    let Some(day) = day else { return true };
    args.from.is_none_or(|from| day >= from.date())
        && args.to.is_none_or(|to| day <= to.plus_seconds(DAY_SECONDS).date())
}

/// Whether a key stays in the folder: whoever can put into the bucket chooses keys.
fn is_path(key: &str) -> bool {
    let proper = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains(['\0', '\\']);
    key.split('/').all(proper)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stay_in_the_folder() {
        assert!(is_path("AWSLogs/1/CloudTrail/eu-central-1/2025/08/17/1_CloudTrail_x.json.gz"));
        for outside in ["", "/etc/passwd", "a/../../b", "..", "a//b", "a/", "./a", "a\0b", "a\\b"] {
            assert!(!is_path(outside), "{outside}");
        }
    }
}
