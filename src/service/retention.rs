//! How long events are kept.
//!
//! What must stay true: an event that a configured webhook has still to get is not removed, however
//! old it is.

use super::Service;
use crate::ledger::LedgerError;
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::sleep;

/// How often old events are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// The wait between two transactions that remove some, so that other writes do not wait for long.
const PAUSE: Duration = Duration::from_millis(20);

/// What is kept of what happens to refunds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EventSettings {
    /// Whether it is kept, even where no webhook wants it.
    pub enabled: bool,
    /// For how many days, 1 to 36500.
    pub keep_days: u32,
}

impl Default for EventSettings {
    fn default() -> Self {
        Self { enabled: false, keep_days: 90 }
    }
}

impl Service {
    /// Removes events that are older than they are kept, now and then, until the service is ended
    /// or gone. Those that one of these webhooks has still to get stay.
    pub(super) fn start_removing_events(self: &Arc<Self>, webhooks: Vec<String>) {
        let service = Arc::downgrade(self);
        tokio::spawn(async move {
            while let Some(service) = service.upgrade() {
                if service.is_ending.load(Ordering::Acquire) {
                    return;
                }
                let removed = service.remove_old_events(&webhooks).await;
                drop(service);
                match removed {
                    Ok(true) => sleep(PAUSE).await,
                    Ok(false) => sleep(LOOK_EVERY).await,
                    Err(error) => {
                        tracing::warn!(%error, "old events could not be removed; later again");
                        sleep(LOOK_EVERY).await;
                    }
                }
            }
        });
    }

    /// Removes some; whether there may be more.
    async fn remove_old_events(&self, webhooks: &[String]) -> Result<bool, LedgerError> {
        let kept = TimeDelta::days(i64::from(self.settings.events.keep_days));
        match self.clock.at_least().checked_sub_signed(kept) {
            None => Ok(false),
            Some(before) => self.ledger.remove_events(before, webhooks.to_vec()).await,
        }
    }
}
