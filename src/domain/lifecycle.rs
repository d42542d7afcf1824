//! The life of an electronic refund: held, asked for, and ended exactly once by the gateway.
//!
//! A gateway's answer is never guessed. Approved and declined end the refund; unknown leaves it in
//! Processing with the money held, until an inquiry brings an answer.

use super::vocabulary::{GatewayState, RefundStatus};

/// The longest GatewayResponse that the Refund object documents, in characters.
const RESPONSE_CHARS_MAX: usize = 500;
/// The longest GatewayResponseCode, in characters.
const RESPONSE_CODE_CHARS_MAX: usize = 20;
/// The longest ReferenceID, in characters.
const REFERENCE_CHARS_MAX: usize = 60;

/// What a gateway said for certain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The money is out.
    Approved {
        /// The gateway's transaction id, the refund's ReferenceID.
        reference_id: String,
        /// A second id of the same transaction, where the gateway has one: SecondRefundReferenceId.
        second_reference_id: Option<String>,
        /// GatewayResponseCode and GatewayResponse.
        response: Response,
    },
    /// No money moved and none will.
    Declined {
        /// GatewayResponseCode and GatewayResponse.
        response: Response,
    },
}

/// The gateway's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// GatewayResponseCode.
    pub code: String,
    /// GatewayResponse.
    pub text: String,
}

/// What an operator can make of a refund whose gateway gives no verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettledAs {
    /// The money is out.
    Processed,
    /// No money moved; the amount goes back to where it was taken from.
    Error,
}

/// How the refund's row ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// Processed or Error.
    pub status: RefundStatus,
    /// Submitted or NotSubmitted.
    pub gateway_state: GatewayState,
    /// Whether the held amount goes back to the balance.
    pub releases_hold: bool,
    /// ReferenceID, cut to its 60 characters.
    pub reference_id: Option<String>,
    /// SecondRefundReferenceId, cut to its 60 characters.
    pub second_reference_id: Option<String>,
    /// GatewayResponseCode and GatewayResponse, cut to their 20 and 500 characters; none when no
    /// gateway said anything.
    pub response: Option<Response>,
}

impl Verdict {
    /// How a refund in Processing ends. Any other refund has ended already and must not be asked.
    pub fn ending(&self) -> Ending {
        let (settled_as, ids, response) = match self {
            Self::Approved { reference_id, second_reference_id, response } => {
                let second = second_reference_id.as_ref();
                (SettledAs::Processed, [Some(reference_id), second], response)
            }
            Self::Declined { response } => (SettledAs::Error, [None, None], response),
        };
        let [reference_id, second_reference_id] =
            ids.map(|id| id.map(|id| cut(id, REFERENCE_CHARS_MAX)));
        let response = Response {
            code: cut(&response.code, RESPONSE_CODE_CHARS_MAX),
            text: cut(&response.text, RESPONSE_CHARS_MAX),
        };
        Ending {
            reference_id,
            second_reference_id,
            response: Some(response),
            ..settled_as.ending()
        }
    }
}

impl SettledAs {
    /// How a refund in Processing ends by an operator's hand.
    pub const fn ending(self) -> Ending {
        let (status, gateway_state, releases_hold) = match self {
            Self::Processed => (RefundStatus::Processed, GatewayState::Submitted, false),
            Self::Error => (RefundStatus::Error, GatewayState::NotSubmitted, true),
        };
        Ending {
            status,
            gateway_state,
            releases_hold,
            reference_id: None,
            second_reference_id: None,
            response: None,
        }
    }
}

fn cut(text: &str, chars_max: usize) -> String {
    text.chars().take(chars_max).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(text: &str) -> Response {
        Response { code: text.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn only_a_decline_gives_the_money_back() {
        let approved = Verdict::Approved {
            reference_id: "t1".into(),
            second_reference_id: None,
            response: response("OK"),
        };
        assert!(!approved.ending().releases_hold);
        assert_eq!(approved.ending().status, RefundStatus::Processed);
        let declined = Verdict::Declined { response: response("54") };
        assert!(declined.ending().releases_hold);
        assert_eq!(declined.ending().status, RefundStatus::Error);
    }

    #[test]
    fn a_talkative_gateway_is_cut_to_the_documented_lengths() {
        let long = "é".repeat(600);
        let ending = Verdict::Declined { response: response(&long) }.ending();
        let response = ending.response.unwrap();
        assert_eq!(response.text.chars().count(), 500);
        assert_eq!(response.code.chars().count(), 20);
    }
}
