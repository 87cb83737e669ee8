//! Predictions that wait for their label. Labels come hours or months after the answer, in any order, and again when
//! they are corrected; what waits is bounded by the window, not by how many labels there are.

use std::collections::BTreeMap;

/// An answer, as far as a label needs it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Predicted {
    /// Whether the model said positive.
    pub positive: bool,
    /// The probability of positive that it gave.
    pub probability: f64,
}

/// Predictions by record id.
#[derive(Debug, Clone, Default)]
pub struct Pending {
    waiting: BTreeMap<String, Vec<Predicted>>,
    count: usize,
    unawaited: u64,
}

/// So many predictions wait at most: some 200 MB.
pub const MAX_PENDING: usize = 1_000_000;

impl Pending {
    /// Lets a prediction wait. Beyond [`MAX_PENDING`] it is counted and left without a label.
    pub fn wait(&mut self, id: &str, predicted: Predicted) {
        if self.count == MAX_PENDING {
            self.unawaited += 1;
            return;
        }
        self.count += 1;
        match self.waiting.get_mut(id) {
            Some(same) => same.push(predicted),
            None => {
                self.waiting.insert(id.to_owned(), vec![predicted]);
            }
        }
    }

    /// What waited for the label of this record. It waits no longer, so the first label to be told counts: tell them
    /// from the newest to the oldest.
    pub fn settle(&mut self, id: &str) -> Vec<Predicted> {
        let settled = self.waiting.remove(id).unwrap_or_default();
        self.count -= settled.len();
        settled
    }

    /// Whether nothing waits any more.
    pub fn is_settled(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Predictions whose labels cannot be joined.
    pub fn unawaited(&self) -> u64 {
        self.unawaited
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_label_told_counts() {
        let mut pending = Pending::default();
        let one = |probability| Predicted { positive: true, probability };
        pending.wait("a", one(0.9));
        pending.wait("a", one(0.8));
        assert_eq!(pending.settle("b"), []);
        assert_eq!(pending.settle("a"), [one(0.9), one(0.8)]);
        assert!(pending.is_settled() && pending.settle("a").is_empty() && pending.unawaited() == 0);
    }
}
