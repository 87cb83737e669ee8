//! Traffic that goes over by weights: one part after the other, each on record before it goes, and watched; all of it goes back
//! if an alarm is on, or if nobody can say whether one is.

use crate::rollout::{Shifted, Warrant, look};
use crate::rollout_record::RolloutEvent;
use crate::{Engine, Error};
use facts::Actor;
use guard::Action;
use ledger::Outcome;
use registry::VersionNumber;
use world::{Condition, Observed, Pace};

/// Shares are told in per cent; platforms work them out from weights.
const NEAR: f64 = 0.5;

impl Engine {
    /// Moves the traffic to a release part by part, where the charter says so and another version serves. What is left is for
    /// whoever called to shift. A share that it has already, because somebody was interrupted, is not moved again.
    pub(crate) fn by_weights(
        &mut self,
        of: (&Actor, Action),
        shifted: &Shifted,
        warrant: &Warrant<'_>,
    ) -> Result<(), Error> {
        let Some(step) = shifted.site.on.weights().filter(|_| matches!(warrant, Warrant::Plan(_))) else {
            return Ok(());
        };
        let Some(former) = self.former(shifted) else { return Ok(()) };
        let had = shifted.before.share_of(&shifted.name);
        let parts = (1..).map(|part| part * step.percent).take_while(|percent| *percent < 100);
        for percent in parts.filter(|percent| f64::from(*percent) > had - NEAR) {
            self.refresh()?;
            let (model, version) = (&shifted.release.model, VersionNumber(shifted.release.version));
            if let Err(refusal) = self.state.registry().check_quarantine(model, version) {
                return Err(self.all_back(of, shifted, &former, refusal.to_string()));
            }
            self.part(of, shifted, percent)?;
            let trouble = match self.fleet().watch(&shifted.site, step.minutes) {
                Ok(None) => continue,
                Ok(Some(why)) => why,
                Err(error) => format!("nobody watches it: {error}"),
            };
            return Err(self.all_back(of, shifted, &former, trouble));
        }
        Ok(())
    }

    /// The release of another version that serves; none if nothing does, or only what is of the same version or in quarantine.
    fn former(&self, shifted: &Shifted) -> Option<String> {
        let version = VersionNumber(shifted.release.version);
        let same = |release: &str| {
            let mut known = self.state().rollouts().releases(&shifted.site.endpoint);
            known.any(|(name, of)| name == release && of == version)
        };
        let mut others = shifted.before.serving.iter().map(|share| &share.release);
        others
            .find(|release| **release != shifted.name && !same(release) && !self.is_held(shifted, release))
            .cloned()
    }

    /// Gives the release one share, and sees that it has it; if not, all goes back.
    fn part(&mut self, of: (&Actor, Action), shifted: &Shifted, percent: u32) -> Result<(), Error> {
        let (fleet, site, name) = (self.fleet(), &shifted.site, &shifted.name);
        let version = VersionNumber(shifted.release.version);
        let before = fleet.describe(site)?;
        let event = RolloutEvent::Weighed { version, release: name.clone(), percent, before };
        self.rollout_event((of.0, of.1, Outcome::Done), shifted, event)?;
        let moved = fleet.weigh(site, name, percent);
        let seen = look(fleet.as_ref(), site);
        let has = |seen: &Observed| {
            seen.condition == Condition::Steady && (seen.share_of(name) - f64::from(percent)).abs() < NEAR
        };
        let missing = match (moved, seen) {
            (_, Ok(seen)) if has(&seen) => return Ok(()),
            // A share that it had before goes back too: whoever cannot move the weights cannot watch over them.
            (Err(error), Ok(seen)) if seen.share_of(name) > 0.0 => {
                let former = self.former(shifted).unwrap_or_default();
                return Err(self.all_back(of, shifted, &former, error.to_string()));
            }
            (Err(error), Ok(seen)) => return Err(self.not_done(of, shifted, error, Some(seen))),
            (Ok(()), Ok(seen)) => {
                let former = self.former(shifted).unwrap_or_default();
                let why = seen.said.unwrap_or_else(|| format!("it never had {percent} % of the traffic"));
                return Err(self.all_back(of, shifted, &former, why));
            }
            (Ok(()), Err(missing)) => missing,
            (Err(error), Err(missing)) => format!("{error}; then {missing}"),
        };
        Err(self.not_known(of, shifted, missing))
    }

    /// Gives all traffic back, and records why and what the endpoint says then.
    fn all_back(&mut self, of: (&Actor, Action), shifted: &Shifted, former: &str, why: String) -> Error {
        let (fleet, site) = (self.fleet(), &shifted.site);
        let back = fleet.shift(site, former, Pace::AtOnce).map_err(|error| error.to_string());
        match back.and_then(|()| look(fleet.as_ref(), site)) {
            Ok(after) => self.taken_back(of, shifted, Observed { said: Some(why), ..after }),
            Err(missing) => {
                let missing = format!("{why}; whether all traffic went back is not known: {missing}");
                self.not_known(of, shifted, missing)
            }
        }
    }
}
