//! A seed for the objects that captures take for granted, from what they say of them.
//!
//! What must stay true: what is written can be loaded; what no capture says is guessed, and a
//! comment beside it names it; and no secret of a capture is in it.

mod learn;
mod write;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};

/// What captures say of the objects that were there before them, in the order of ids.
#[derive(Debug, Default)]
pub(super) struct Draft {
    users: BTreeSet<String>,
    accounts: BTreeMap<String, Account>,
    methods: BTreeMap<String, Method>,
    payments: BTreeMap<String, Payment>,
    invoices: BTreeMap<String, Invoice>,
    /// Ids of what the captures themselves created.
    created: BTreeSet<String>,
    /// The ids of accounts that are called by their numbers, too.
    numbers: BTreeMap<String, String>,
}

/// An account. What is not known is guessed.
#[derive(Debug, Default)]
struct Account {
    number: Option<String>,
    name: Option<String>,
    currency: Option<String>,
    default_method: Option<String>,
    /// How much refunds and adjustments took that succeeded, so far.
    taken: Decimal,
    /// The balance at the start, where a query returned one.
    opening: Option<Decimal>,
}

#[derive(Debug, Default)]
struct Method {
    account: Option<String>,
    /// The type that a query returned.
    of_type: Option<String>,
    /// The type that follows from a refund to it.
    guessed: Option<String>,
}

#[derive(Debug, Default)]
struct Payment {
    account: Option<String>,
    number: Option<String>,
    of_type: Option<String>,
    method: Option<String>,
    date: Option<NaiveDate>,
    amount: Option<Decimal>,
    /// How much of it was refunded.
    refunded: Decimal,
    /// How much of it paid each invoice, by the invoice's id.
    applied: BTreeMap<String, Decimal>,
}

#[derive(Debug, Default)]
struct Invoice {
    account: Option<String>,
    number: Option<String>,
    date: Option<NaiveDate>,
    amount: Option<Decimal>,
    balance: Option<Decimal>,
}

#[cfg(test)]
mod tests;
