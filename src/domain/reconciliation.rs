//! What a gateway's settlement makes of a refund that it had approved.
//!
//! Source: the vendor's pages on reconciliation. A settled refund is only marked; of a rejected one
//! either the fields are updated, which is the default, or its money is put back as well.

use super::vocabulary::{GatewayState, RefundStatus};
use serde::{Deserialize, Serialize};

/// What the gateway's settlement says of a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Settlement {
    /// The money has left for good.
    Settled,
    /// The gateway took its approval back: the money did not leave.
    Failed,
}

/// What becomes of the money of a refund that failed to settle.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rejected {
    /// Nothing: GatewayState says it, and people see to the rest.
    #[default]
    UpdateFields,
    /// It goes back to where it was taken from, once, by a compensating entry.
    PutBack,
}

/// Where a refund stands before it is reconciled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Status.
    pub status: RefundStatus,
    /// GatewayState; none of an external refund.
    pub gateway_state: Option<GatewayState>,
    /// Whether its money was put back already.
    pub is_compensated: bool,
    /// The number of an invoice that the refund reopened and that was paid otherwise since, so that
    /// the payment cannot pay it again.
    pub invoice_paid_since: Option<String>,
}

/// What is done to the refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It becomes Settled.
    Settle,
    /// It becomes FailedToSettle.
    Fail {
        /// Whether its money goes back.
        puts_back: bool,
    },
    /// It is what it should be already.
    Nothing,
}

/// Why a refund cannot be reconciled. Nothing is changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Its gateway has not approved it, or it was taken back.
    #[error("is {}, and only a Processed refund is settled by its gateway", .0.name())]
    NotProcessed(RefundStatus),
    /// It never was with a gateway.
    #[error("is External and was never with a gateway")]
    External,
    /// It failed to settle before and its money is back.
    #[error("failed to settle, and its money was put back")]
    Compensated,
    /// The money cannot go back where it was.
    #[error("cannot be put back: invoice {0}, which it reopened, was paid otherwise since")]
    InvoicePaidSince(String),
}

/// Decides what a settlement makes of a refund.
pub fn decide(
    settlement: Settlement,
    standing: &Standing,
    rejected: Rejected,
) -> Result<Step, Refusal> {
    let state = match (standing.status, standing.gateway_state) {
        (RefundStatus::Processed, Some(state)) => state,
        (RefundStatus::Processed, None) => return Err(Refusal::External),
        (status, _) => return Err(Refusal::NotProcessed(status)),
    };
    match (settlement, state) {
        (_, GatewayState::NotSubmitted | GatewayState::MarkedForSubmission) => {
            Err(Refusal::External)
        }
        (Settlement::Settled, GatewayState::Settled)
        | (Settlement::Failed, GatewayState::FailedToSettle) => Ok(Step::Nothing),
        (Settlement::Settled, _) if standing.is_compensated => Err(Refusal::Compensated),
        (Settlement::Settled, _) => Ok(Step::Settle),
        (Settlement::Failed, _) => {
            let puts_back = rejected == Rejected::PutBack && !standing.is_compensated;
            match &standing.invoice_paid_since {
                Some(invoice) if puts_back => Err(Refusal::InvoicePaidSince(invoice.clone())),
                _ => Ok(Step::Fail { puts_back }),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(status: RefundStatus, state: Option<GatewayState>) -> Standing {
        Standing { status, gateway_state: state, is_compensated: false, invoice_paid_since: None }
    }

    fn processed(state: GatewayState) -> Standing {
        standing(RefundStatus::Processed, Some(state))
    }

    #[test]
    fn a_submitted_refund_is_settled_or_fails_and_a_settled_one_can_still_fail() {
        let settle = |state| decide(Settlement::Settled, &processed(state), Rejected::PutBack);
        let fail = |state| decide(Settlement::Failed, &processed(state), Rejected::PutBack);
        assert_eq!(settle(GatewayState::Submitted), Ok(Step::Settle));
        assert_eq!(settle(GatewayState::Settled), Ok(Step::Nothing));
        assert_eq!(settle(GatewayState::FailedToSettle), Ok(Step::Settle));
        assert_eq!(fail(GatewayState::Submitted), Ok(Step::Fail { puts_back: true }));
        assert_eq!(fail(GatewayState::Settled), Ok(Step::Fail { puts_back: true }));
        assert_eq!(fail(GatewayState::FailedToSettle), Ok(Step::Nothing));
    }

    #[test]
    fn by_default_the_money_stays_out() {
        let submitted = processed(GatewayState::Submitted);
        let decided = decide(Settlement::Failed, &submitted, Rejected::default());
        assert_eq!(decided, Ok(Step::Fail { puts_back: false }));
    }

    #[test]
    fn what_no_gateway_approved_is_refused() {
        for status in [RefundStatus::Processing, RefundStatus::Error, RefundStatus::Canceled] {
            for settlement in [Settlement::Settled, Settlement::Failed] {
                let standing = standing(status, Some(GatewayState::Submitted));
                let refused = Err(Refusal::NotProcessed(status));
                assert_eq!(decide(settlement, &standing, Rejected::PutBack), refused);
            }
        }
        let external = standing(RefundStatus::Processed, None);
        let decided = decide(Settlement::Settled, &external, Rejected::PutBack);
        assert_eq!(decided, Err(Refusal::External));
    }

    #[test]
    fn money_that_is_back_does_not_leave_again() {
        let failed = Standing { is_compensated: true, ..processed(GatewayState::FailedToSettle) };
        let decided = decide(Settlement::Settled, &failed, Rejected::PutBack);
        assert_eq!(decided, Err(Refusal::Compensated));
        assert_eq!(decide(Settlement::Failed, &failed, Rejected::PutBack), Ok(Step::Nothing));
    }
}
