//! What the documents say that gateways refuse, as switches of the sandbox.
//!
//! Source: the vendor's overview of refunds. Authorize.Net answers a repeated amount to the same
//! card with response code 3 and reason 11 and an unsettled payment with 3 and 54, PayPal a late
//! refund with 10009. Time is that of the orders themselves, so that it follows the service's
//! clock, and the same orders get the same answers.

use crate::domain::id::{ObjectId, RefundId};
use crate::domain::lifecycle::Response;
use crate::domain::money::MinorUnits;
use crate::domain::script::Switches;
use crate::ledger::Order;
use crate::processor::too_late;
use std::collections::HashMap;

const DUPLICATE: (&str, &str) = ("3/11", "A duplicate transaction has been submitted.");
const UNSETTLED: (&str, &str) =
    ("3/54", "The referenced transaction does not meet the criteria for issuing a credit.");
/// How many payments are remembered before those that are past the window are looked for.
const REMEMBERED_MIN: usize = 1_000;

/// The switches, and what they have to remember.
pub(super) struct Guard {
    switches: Switches,
    /// The newest order that was paid, by method, amount and currency.
    paid: HashMap<(ObjectId, MinorUnits, &'static str), RefundId>,
    /// How many of them there may be before those past the window are forgotten.
    look_at: usize,
}

impl Guard {
    pub(super) fn new(switches: Switches) -> Self {
        Self { switches, paid: HashMap::new(), look_at: REMEMBERED_MIN }
    }

    /// Other switches; what was paid is remembered as far as the old ones needed it.
    pub(super) fn set_switches(&mut self, switches: Switches) {
        self.switches = switches;
    }

    /// Why an order is refused, if it is.
    pub(super) fn refuse(&self, order: &Order) -> Option<Response> {
        let Switches { require_settled, refund_window_days, .. } = self.switches;
        if let Some(response) = too_late(order, refund_window_days) {
            return Some(response);
        }
        let is_unsettled =
            require_settled && order.repaid.is_some_and(|payment| !payment.is_settled);
        let (code, text) = if is_unsettled {
            UNSETTLED
        } else if self.is_duplicate(order) {
            DUPLICATE
        } else {
            return None;
        };
        Some(Response { code: code.to_owned(), text: text.to_owned() })
    }

    fn is_duplicate(&self, order: &Order) -> bool {
        let Some(window_s) = self.switches.duplicate_window_s else {
            return false;
        };
        let earlier = self.paid.get(&key(order));
        earlier.is_some_and(|earlier| is_within(window_s, order.refund, *earlier))
    }

    /// Remembers an order that was paid, for as long as it can be repeated.
    pub(super) fn note_paid(&mut self, order: &Order) {
        let Some(window_s) = self.switches.duplicate_window_s else { return };
        self.paid.insert(key(order), order.refund);
        if self.paid.len() >= self.look_at {
            self.paid.retain(|_, earlier| is_within(window_s, order.refund, *earlier));
            self.look_at = (self.paid.len() * 2).max(REMEMBERED_MIN);
        }
    }
}

/// Whether two refunds were created within so many seconds of each other.
fn is_within(window_s: u32, one: RefundId, other: RefundId) -> bool {
    let apart = one.created_at() - other.created_at();
    apart.num_milliseconds().abs() < i64::from(window_s) * 1000
}

fn key(order: &Order) -> (ObjectId, MinorUnits, &'static str) {
    (order.payment_method.clone(), order.amount, order.currency.code())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::RefundNumber;
    use crate::domain::money::Currency;
    use crate::ledger::Repaid;

    fn order(created_s: i64, cents: i64, repaid: Option<Repaid>) -> Order {
        Order {
            refund: RefundId::new(created_s * 1000, 1, RefundNumber::new(1 + created_s).unwrap()),
            gateway: "sandbox".to_owned(),
            payment_method: ObjectId::parse("2c92c0f83dfa5201013dfa6656ff2b8b").unwrap(),
            original_payment: repaid.map(|_| "P-1".to_owned()),
            repaid,
            amount: MinorUnits::new(cents),
            currency: Currency::from_code("USD").unwrap(),
            options: Vec::new(),
            trace: None,
        }
    }

    fn code(guard: &Guard, order: &Order) -> Option<String> {
        guard.refuse(order).map(|response| response.code)
    }

    #[test]
    fn a_switch_that_is_off_refuses_nothing() {
        let mut guard = Guard::new(Switches::default());
        let old = order(1, 500, Some(Repaid { age_days: 9999, is_settled: false }));
        guard.note_paid(&old);
        assert_eq!(code(&guard, &old), None);
    }

    #[test]
    fn the_same_amount_to_the_same_method_is_a_duplicate_until_the_window_is_over() {
        let switches = Switches { duplicate_window_s: Some(120), ..Switches::default() };
        let mut guard = Guard::new(switches);
        guard.note_paid(&order(1000, 500, None));
        assert_eq!(code(&guard, &order(1119, 500, None)).as_deref(), Some("3/11"));
        assert_eq!(code(&guard, &order(1119, 501, None)), None);
        assert_eq!(code(&guard, &order(1120, 500, None)), None);
    }

    /// Regression: each payment was remembered for as long as the process lived.
    #[test]
    fn what_cannot_be_repeated_any_more_is_forgotten() {
        let switches = Switches { duplicate_window_s: Some(120), ..Switches::default() };
        let mut guard = Guard::new(switches);
        for second in 0..10_000 {
            guard.note_paid(&order(second, second + 1, None));
        }
        assert!(guard.paid.len() <= REMEMBERED_MIN, "{}", guard.paid.len());
        assert_eq!(code(&guard, &order(10_000, 10_000, None)).as_deref(), Some("3/11"));
    }

    #[test]
    fn only_a_refund_of_a_payment_can_be_too_late_or_too_early() {
        let switches =
            Switches { require_settled: true, refund_window_days: Some(60), ..Switches::default() };
        let guard = Guard::new(switches);
        let of = |age_days, is_settled| order(1, 500, Some(Repaid { age_days, is_settled }));
        assert_eq!(code(&guard, &of(61, true)).as_deref(), Some("10009"));
        assert_eq!(code(&guard, &of(60, false)).as_deref(), Some("3/54"));
        assert_eq!(code(&guard, &of(60, true)), None);
        assert_eq!(code(&guard, &order(1, 500, None)), None);
    }
}
