//! Waivers from a file or from the ledger, put on reports; what of them is over or of no use is said.

use super::files;
use crate::answer::Answers;
use crate::failure::Failure;
use crate::house::House;
use ::controls::{Report, Rules};
use std::path::Path;

/// The waivers of a file, for controls and for these rules. The day is `today`, such as `2026-12-31`.
pub(super) fn put(
    (path, rules): (&Path, &Rules),
    today: &str,
    reports: &mut [Report],
    answers: &Answers,
) -> Result<(), Failure> {
    let file = path.display().to_string();
    let waivers =
        ::controls::waivers(&file, &files::text(path)?, rules).map_err(|wrong| files::refused(&wrong))?;
    let mut used = vec![false; waivers.len()];
    for report in reports {
        let here = report.waive(&waivers, today);
        used.iter_mut().zip(here).for_each(|(used, here)| *used |= here);
    }
    for (waiver, used) in waivers.iter().zip(used) {
        let what =
            format!("{file}:{}: the waiver of {} for `{}`", waiver.line, waiver.control, waiver.resource);
        if waiver.is_over(today) {
            answers.remark(&format!("{what} is over since {}; it does not count", waiver.expires));
        } else if !used {
            answers.remark(&format!("{what} is of no use: nothing of that is broken or unknown"));
        }
    }
    Ok(())
}

/// The same with those of the ledger that nobody withdrew.
pub(super) fn granted(
    house: &House,
    today: &str,
    reports: &mut [Report],
    answers: &Answers,
) -> Result<(), Failure> {
    let engine = house.open_read_only()?;
    let standing: Vec<_> = engine.state().waivers().standing().collect();
    let waivers: Vec<_> = standing.iter().map(|one| one.granted.what.clone()).collect();
    for report in reports {
        report.waive(&waivers, today);
    }
    for one in standing.iter().filter(|one| one.granted.what.is_over(today)) {
        let waiver = &one.granted.what;
        answers.remark(&format!(
            "the waiver {} of {} for `{}` is over since {}; it does not count",
            one.id, waiver.control, waiver.resource, waiver.expires
        ));
    }
    Ok(())
}
