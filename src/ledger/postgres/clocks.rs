//! The clock of the server beside that of this machine.
//!
//! Claims go by the server's clock alone. Refunds, sessions and keys have moments of the node that
//! wrote them, so that nodes whose clocks are far apart would disagree about what is over.

use super::fault::{Kind, PostgresError};
use std::time::{SystemTime, UNIX_EPOCH};

/// From how many milliseconds apart on that is worth a line in the log.
const WARNED_MS: i64 = 2_000;
/// From how many on a node does not start.
const APART_MAX_MS: i64 = 300_000;

/// This machine's moment, in milliseconds.
#[expect(clippy::disallowed_methods, reason = "it is compared with the server's clock")]
pub(super) fn machine_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// By how much the server's clock is ahead for certain, or behind where that is negative: the
/// server read it at some moment between two of this machine's.
pub(super) fn ahead_ms((before, after): (i64, i64), server: i64) -> i64 {
    if server > after { server - after } else { (server - before).min(0) }
}

/// Refuses to start beside a server whose clock is far from this machine's.
pub(super) fn check(machine: (i64, i64), server: i64) -> Result<(), PostgresError> {
    let ahead = ahead_ms(machine, server);
    if ahead.abs() < APART_MAX_MS {
        return Ok(());
    }
    let (seconds, side) = (ahead.abs() / 1_000, if ahead > 0 { "ahead of" } else { "behind" });
    let what = format!(
        "the server's clock is {seconds} s {side} this machine's, and {} s are too many: set both \
         by NTP",
        APART_MAX_MS / 1_000,
    );
    Err(PostgresError::new(Kind::Refused, what))
}

/// Whether it was said that the clocks are apart.
#[derive(Debug, Default)]
pub(super) struct Apart {
    is_said: bool,
}

impl Apart {
    /// Compares the clocks, and logs when they have come apart or together again. Returns why
    /// nothing should be served where they are as far apart as no node may start with.
    pub(super) fn compare(&mut self, machine: (i64, i64), server: i64) -> Option<String> {
        let ahead = ahead_ms(machine, server);
        let is_apart = ahead.abs() >= WARNED_MS;
        if is_apart != self.is_said {
            self.is_said = is_apart;
            match is_apart {
                true => tracing::warn!(
                    server_ahead_ms = ahead,
                    "the clocks of this machine and of PostgreSQL are apart; set them by NTP"
                ),
                false => tracing::info!("the clocks of this machine and of PostgreSQL agree again"),
            }
        }
        check(machine, server).err().map(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Regression: readiness stayed green while the clocks were hours apart.
    #[test]
    fn clocks_that_part_while_serving_are_in_the_way_until_they_agree() {
        let mut apart = Apart::default();
        assert_eq!(apart.compare((1_000, 1_010), 1_005), None);
        let why = apart.compare((1_000, 1_010), 3_601_010).unwrap();
        assert!(why.contains("3600 s ahead of") && why.contains("NTP"), "{why}");
        assert_eq!(apart.compare((1_000, 1_010), 4_000), None, "a line of the log is enough");
    }

    #[test]
    fn a_slow_answer_does_not_make_clocks_disagree() {
        assert_eq!(ahead_ms((1_000, 9_000), 1_000), 0);
        assert_eq!(ahead_ms((1_000, 9_000), 9_000), 0);
        assert_eq!(ahead_ms((1_000, 1_010), 4_010), 3_000);
        assert_eq!(ahead_ms((4_000, 4_010), 1_000), -3_000);
        assert_eq!(check((0, 400_000), 1_000), Ok(()));
        assert!(check((0, 10), 299_000).is_ok());
        let why = check((0, 10), 400_010).unwrap_err().to_string();
        assert!(why.contains("400 s ahead of") && why.contains("NTP"), "{why}");
        assert!(check((400_000, 400_010), 0).unwrap_err().to_string().contains("400 s behind"));
    }
}
