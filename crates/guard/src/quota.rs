//! Usage plans as Amazon API Gateway has them: a token bucket and a count per UTC day. Unlike there, the limits are
//! hard: no more is admitted than `burst + rate * time`.

use facts::Timestamp;

/// A usage plan.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// Steady rate.
    pub requests_per_second: f64,
    /// How many may come at once.
    pub burst: u32,
    /// The most in one UTC day.
    pub requests_per_day: Option<u64>,
}

/// Whether a request is admitted.
#[derive(Debug, Clone, PartialEq)]
pub enum Admission {
    /// Yes.
    Admitted,
    /// No.
    Limited {
        /// Whole seconds after which it is worth trying again, at least 1.
        retry_after_seconds: u64,
        /// Which limit, in words: `1 request a second, burst 3`.
        limit: String,
    },
}

/// The meter of one principal. Time comes in; going backwards is treated as standing still.
#[derive(Debug, Clone)]
pub struct Meter {
    plan: Plan,
    tokens: f64,
    filled_ms: i64,
    day: i64,
    used_today: u64,
}

const DAY_MS: i64 = 86_400_000;

impl Meter {
    /// A full bucket.
    pub fn new(plan: Plan, now: Timestamp) -> Self {
        let now = now.unix_ms();
        Self {
            plan,
            tokens: f64::from(plan.burst.max(1)),
            filled_ms: now,
            day: now.div_euclid(DAY_MS),
            used_today: 0,
        }
    }

    /// Takes one request from both limits, or from none.
    pub fn take(&mut self, now: Timestamp) -> Admission {
        self.refill(now.unix_ms());
        if let Some(limit) = self.plan.requests_per_day.filter(|limit| self.used_today >= *limit) {
            let next_day_ms = (self.day + 1) * DAY_MS;
            let wait = next_day_ms - self.filled_ms;
            return Admission::Limited {
                retry_after_seconds: seconds(wait as f64 / 1000.0),
                limit: format!("{limit} requests a day"),
            };
        }
        if self.tokens < 1.0 {
            let wait = (1.0 - self.tokens) / self.plan.requests_per_second;
            let limit =
                format!("{} requests a second, burst {}", self.plan.requests_per_second, self.plan.burst);
            return Admission::Limited { retry_after_seconds: seconds(wait), limit };
        }
        self.tokens -= 1.0;
        self.used_today += 1;
        Admission::Admitted
    }

    fn refill(&mut self, now_ms: i64) {
        let elapsed = (now_ms - self.filled_ms).max(0);
        let gained = elapsed as f64 / 1000.0 * self.plan.requests_per_second;
        self.tokens = (self.tokens + gained).min(f64::from(self.plan.burst.max(1)));
        self.filled_ms = self.filled_ms.max(now_ms);
        let day = self.filled_ms.div_euclid(DAY_MS);
        if day != self.day {
            self.day = day;
            self.used_today = 0;
        }
    }
}

fn seconds(wait: f64) -> u64 {
    if wait.is_finite() { (wait.ceil().max(1.0)) as u64 } else { DAY_MS as u64 / 1000 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_unix_ms(ms).unwrap()
    }

    proptest! {
        /// Never more than the bucket and what flowed in since, whatever the order of times.
        #[test]
        fn never_admits_too_many(steps in proptest::collection::vec(0i64..400, 1..300), rate in 0.5f64..50.0, burst in 1u32..20) {
            let plan = Plan { requests_per_second: rate, burst, requests_per_day: None };
            let mut meter = Meter::new(plan, at(0));
            let (mut now, mut admitted) = (0, 0u32);
            for step in steps {
                now += step;
                if meter.take(at(now)) == Admission::Admitted {
                    admitted += 1;
                }
                prop_assert!(f64::from(admitted) <= f64::from(burst) + rate * now as f64 / 1000.0 + 1e-6);
            }
        }
    }

    #[test]
    fn the_day_limit_opens_again_at_midnight() {
        let plan = Plan { requests_per_second: 100.0, burst: 10, requests_per_day: Some(2) };
        let mut meter = Meter::new(plan, at(DAY_MS - 5_000));
        assert_eq!(meter.take(at(DAY_MS - 5_000)), Admission::Admitted);
        assert_eq!(meter.take(at(DAY_MS - 4_000)), Admission::Admitted);
        let limited = Admission::Limited { retry_after_seconds: 3, limit: "2 requests a day".into() };
        assert_eq!(meter.take(at(DAY_MS - 3_000)), limited);
        assert_eq!(meter.take(at(DAY_MS)), Admission::Admitted);
    }

    #[test]
    fn says_when_to_come_back() {
        let plan = Plan { requests_per_second: 0.5, burst: 1, requests_per_day: None };
        let mut meter = Meter::new(plan, at(0));
        assert_eq!(meter.take(at(0)), Admission::Admitted);
        let limited =
            Admission::Limited { retry_after_seconds: 2, limit: "0.5 requests a second, burst 1".into() };
        assert_eq!(meter.take(at(10)), limited);
        // A clock that goes back gives nothing away.
        assert!(matches!(meter.take(at(-90_000)), Admission::Limited { .. }));
    }
}
