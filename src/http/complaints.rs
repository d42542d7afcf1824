//! Lines of the log that would come again and again: one a minute, with how often it happened.

use std::time::Duration;
use tokio::time::Instant;

/// How often one kind of line is written at most.
const EVERY: Duration = Duration::from_secs(60);

/// Counts what happened since the last line.
#[derive(Debug, Default)]
pub(super) struct Complaints {
    last: Option<Instant>,
    times: u64,
}

impl Complaints {
    /// Notes that it happened. If a line is due, how often it has since the last one.
    pub(super) fn is_due(&mut self) -> Option<u64> {
        self.times = self.times.saturating_add(1);
        if self.last.is_some_and(|last| last.elapsed() < EVERY) {
            return None;
        }
        self.last = Some(Instant::now());
        Some(std::mem::take(&mut self.times))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_written_once_a_minute_and_counts_what_it_leaves_out() {
        let mut complaints = Complaints::default();
        assert_eq!(complaints.is_due(), Some(1));
        assert_eq!((complaints.is_due(), complaints.is_due()), (None, None));
        complaints.last = Instant::now().checked_sub(EVERY);
        assert_eq!(complaints.is_due(), Some(3));
    }
}
