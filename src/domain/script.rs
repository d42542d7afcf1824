//! The script of the built-in sandbox gateway: which orders it declines, loses or answers late.
//!
//! The first rule that matches an order decides; without one the sandbox approves.

use super::id::ObjectId;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// What the sandbox does with an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScriptedAnswer {
    /// It pays and says so.
    Approve,
    /// It does not pay and says so.
    Decline,
    /// The order never arrives.
    DropBefore,
    /// It pays, and the answer is lost.
    DropAfter,
    /// It pays, and the answer cannot be read.
    Garbage,
    /// It pays, and no answer comes before the deadline.
    Hang,
}

/// What a sandbox does with the orders that it gets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Script {
    /// The rules; the first that matches decides.
    pub rules: Vec<ScriptedRule>,
    /// What is refused where no rule matches.
    pub switches: Switches,
}

/// What the documented gateways refuse, each off unless it is switched on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Switches {
    /// For how many seconds an order of the same amount to the same method is a duplicate, above 0.
    pub duplicate_window_s: Option<u32>,
    /// Whether a payment must have been settled before it is given back.
    pub require_settled: bool,
    /// For how many days after a payment it can be given back, above 0.
    pub refund_window_days: Option<u32>,
}

/// One rule of the script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScriptedRule {
    /// Matches orders of exactly this amount, in any currency.
    pub amount: Option<Decimal>,
    /// Matches orders to this payment method.
    pub payment_method: Option<ObjectId>,
    /// Matches only this many orders; inquiries are not counted.
    pub times: Option<u32>,
    /// What happens.
    pub answer: ScriptedAnswer,
    /// GatewayResponseCode of an approval or a decline.
    pub code: Option<String>,
    /// GatewayResponse of an approval or a decline.
    pub text: Option<String>,
    /// How long the answer takes, in milliseconds.
    pub delay_ms: u64,
}
