//! What a row of a call made, changed or deleted, as far as a front door may report it.

use super::views::View;
use crate::domain::id::{ObjectId, RefundId, RefundNumber};
use crate::domain::lifecycle::{Ending, Response};
use crate::domain::money::MinorUnits;
use crate::domain::vocabulary::{GatewayState, RefundStatus};
use std::fmt;

/// An object that a row made, changed or deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// Its id.
    pub id: ObjectId,
    /// Its number, where it was made just now and objects of its type have one.
    pub number: Option<Number>,
    /// How its gateway ended it, of an electronic refund that was ended before the call returned.
    pub ended: Option<Box<Ended>>,
    /// What an unapply and refund wrote off, one for each invoice; none of any other call.
    pub written_off: Option<Box<[WrittenOff]>>,
    /// What was made or changed looks like this, of v1 operations.
    pub view: Option<View>,
}

/// A credit memo that wrote off what an invoice asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenOff {
    /// The number of the credit memo.
    pub memo: String,
    /// The number of the invoice.
    pub invoice: String,
    /// How much, in minor units of the account's currency.
    pub amount: MinorUnits,
}

/// The number of an object, as people read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Number {
    /// Of a refund.
    Refund(RefundNumber),
    /// Of any other object.
    Other(String),
}

/// How a gateway ended an electronic refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Processed or Error.
    pub status: RefundStatus,
    /// Submitted or NotSubmitted.
    pub gateway_state: GatewayState,
    /// ReferenceID: at most 60 characters.
    pub reference_id: Option<String>,
    /// SecondRefundReferenceId: at most 60 characters.
    pub second_reference_id: Option<String>,
    /// GatewayResponseCode and GatewayResponse: at most 20 and 500 characters.
    pub response: Option<Response>,
}

impl Saved {
    /// An object with a number.
    pub fn numbered(id: ObjectId, number: String) -> Self {
        Self { number: Some(Number::Other(number)), ..id.into() }
    }

    /// Adds what it looks like.
    pub fn show(&mut self, mut view: View) {
        if let View::Refund(refund) = &mut view {
            refund.written_off.clone_from(&self.written_off);
        }
        self.view = Some(view);
    }
}

impl From<ObjectId> for Saved {
    fn from(id: ObjectId) -> Self {
        Self { id, number: None, ended: None, written_off: None, view: None }
    }
}

impl From<RefundId> for Saved {
    fn from(id: RefundId) -> Self {
        Self { number: Some(Number::Refund(id.number())), ..ObjectId::from(id).into() }
    }
}

impl From<Ending> for Ended {
    fn from(ending: Ending) -> Self {
        let Ending { status, gateway_state, reference_id, second_reference_id, response, .. } =
            ending;
        Self { status, gateway_state, reference_id, second_reference_id, response }
    }
}

impl fmt::Display for Saved {
    /// Its id.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.id.fmt(out)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refund(number) => number.fmt(out),
            Self::Other(number) => out.write_str(number),
        }
    }
}
