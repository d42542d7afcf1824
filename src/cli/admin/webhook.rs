//! `admin webhook`: what operators decide about deliveries that failed.

use super::{Call, encoded};
use crate::client::Method;
use serde_json::{Value, json};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Action {
    /// Try a delivery that failed again at once, also one that was given up
    Retry(Delivery),
    /// Do without a delivery that failed: the webhook does not get the event
    Skip {
        #[command(flatten)]
        delivery: Delivery,
        /// Why; it is kept in the audit
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct Delivery {
    /// The webhook's name in the configuration
    webhook: String,
    /// The event's sequence
    event: i64,
}

/// The call that an action is.
pub(super) fn call(action: Action) -> Call {
    let path = |Delivery { webhook, event }: &Delivery, what: &str| {
        format!("webhooks/{}/failures/{event}/{what}", encoded(webhook))
    };
    match action {
        Action::Retry(delivery) => (Method::POST, path(&delivery, "retry"), Value::Null),
        Action::Skip { delivery, reason } => {
            (Method::POST, path(&delivery, "skip"), json!({ "reason": reason }))
        }
    }
}
