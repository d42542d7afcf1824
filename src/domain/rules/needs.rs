//! Which facts a draft has to be decided on: what the ledger looks up before the rules are asked,
//! one by one or for a whole batch at once.

use super::source_of;
use crate::domain::calendar::CalendarText;
use crate::domain::draft::RefundDraft;
use crate::domain::id::ObjectId;
use crate::domain::vocabulary::SourceType;

/// What a refund's draft names, of what can be looked up. What was sent in a wrong form is not
/// here: the rules refuse it without a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefundNeeds<'d> {
    /// The account.
    pub account: Option<&'d ObjectId>,
    /// Whether the account's default method may be the one that is paid to: the draft names neither
    /// a method nor a type.
    pub default_method: bool,
    /// The payment method.
    pub method: Option<&'d ObjectId>,
    /// The payment that is given back; none for a refund of a credit balance, which has none.
    pub payment: Option<&'d ObjectId>,
    /// The day on which the balance has to be enough, if it is not today.
    pub day: Option<&'d CalendarText>,
}

impl<'d> RefundNeeds<'d> {
    /// What `draft` names.
    pub fn of(draft: &'d RefundDraft) -> Self {
        let method = draft.payment_method_id.given();
        let is_of_payment = source_of(draft) == SourceType::Payment;
        Self {
            account: draft.account_id.given(),
            default_method: method.is_none() && draft.method_type.is_absent(),
            method,
            payment: draft.payment_id.given().filter(|_| is_of_payment),
            day: draft.refund_date.given(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::draft::fields::Draft as _;

    #[test]
    fn a_payment_is_needed_only_to_be_given_back() {
        let id = "402892c72b9e3319012b9e34b88e0001";
        let mut draft = RefundDraft::default();
        draft.set("AccountId", id);
        draft.set("PaymentId", id);
        draft.set("SourceType", "CreditBalance");
        let needs = RefundNeeds::of(&draft);
        assert!(needs.account.is_some() && needs.default_method);
        assert_eq!((needs.method, needs.payment), (None, None));
        draft.set("MethodType", "Cash");
        assert!(!RefundNeeds::of(&draft).default_method);
        let mut draft = RefundDraft::default();
        draft.set("PaymentId", id);
        draft.set("SourceType", "Payment");
        assert!(RefundNeeds::of(&draft).payment.is_some());
    }
}
