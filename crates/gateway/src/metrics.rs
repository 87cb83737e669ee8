//! Counters in Prometheus text. No personal data, so no key is asked for.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper edges of the latency histogram, in microseconds.
const EDGES_US: [u64; 8] = [100, 250, 500, 1_000, 5_000, 25_000, 100_000, 1_000_000];

/// Counts since the start.
#[derive(Default)]
pub(crate) struct Metrics {
    invocations: AtomicU64,
    errors_4xx: AtomicU64,
    errors_5xx: AtomicU64,
    throttled: AtomicU64,
    pub(crate) capture_dropped: AtomicU64,
    latency: [AtomicU64; 9],
    latency_sum_us: AtomicU64,
}

impl Metrics {
    pub(crate) fn count(&self, status: u16, took: Duration) {
        self.invocations.fetch_add(1, Ordering::Relaxed);
        match status {
            429 => self.throttled.fetch_add(1, Ordering::Relaxed),
            400..=499 => self.errors_4xx.fetch_add(1, Ordering::Relaxed),
            500.. => self.errors_5xx.fetch_add(1, Ordering::Relaxed),
            _ => 0,
        };
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let slot = EDGES_US.iter().position(|edge| us <= *edge).unwrap_or(EDGES_US.len());
        self.latency[slot].fetch_add(1, Ordering::Relaxed);
        self.latency_sum_us.fetch_add(us, Ordering::Relaxed);
    }

    pub(crate) fn text(&self) -> String {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut text = String::new();
        for (name, counter) in [
            ("wardmote_invocations_total", &self.invocations),
            ("wardmote_invocation_4xx_errors_total", &self.errors_4xx),
            ("wardmote_invocation_5xx_errors_total", &self.errors_5xx),
            ("wardmote_throttled_requests_total", &self.throttled),
            ("wardmote_capture_dropped_total", &self.capture_dropped),
        ] {
            text.push_str(&format!("# TYPE {name} counter\n{name} {}\n", read(counter)));
        }
        text.push_str("# TYPE wardmote_invocation_latency_us histogram\n");
        let mut total = 0;
        for (slot, counter) in self.latency.iter().enumerate() {
            total += read(counter);
            let edge = EDGES_US.get(slot).map_or_else(|| "+Inf".to_owned(), u64::to_string);
            text.push_str(&format!("wardmote_invocation_latency_us_bucket{{le=\"{edge}\"}} {total}\n"));
        }
        text.push_str(&format!("wardmote_invocation_latency_us_sum {}\n", read(&self.latency_sum_us)));
        text.push_str(&format!("wardmote_invocation_latency_us_count {total}\n"));
        text
    }
}
