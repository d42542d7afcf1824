//! Accounts, their balances and their payment methods, as refunds need them.

use crate::domain::facts::{AccountKey, MethodKey};
use crate::domain::id::{ObjectId, RefundNumber};
use crate::domain::money::{Currency, MinorUnits};
use crate::domain::vocabulary::{MethodStatus, MethodType};
use crate::ledger::record::{ByName, DayText, Lookup, Record, record};

record! {
    /// An account: what of it seldom changes.
    Account in "account_row" [
        /// Its key.
        key: AccountKey,
    ] {
        /// Its id.
        id: ObjectId,
        /// AccountNumber.
        number: String,
        /// The currency of its balances.
        currency: Currency,
        /// Its default payment method.
        default_payment_method: Option<MethodKey>,
        /// Its own gateway.
        gateway: Option<String>,
        /// The credit that it was opened with.
        opening: MinorUnits,
        /// Since when that credit is there, where it is known.
        opened: Option<DayText>,
    }
}

/// An account by its id.
pub static ACCOUNT_BY_ID: Lookup = Lookup { table: Account::TABLE, by: &["id"] };

record! {
    /// What every refund changes of its account.
    Balance in "balance" [
        /// The account.
        account: AccountKey,
    ] {
        /// The credit balance.
        units: MinorUnits,
        /// The entry that made it what it is; none as long as it is the opening balance.
        newest_entry: Option<i64>,
        /// The account's newest refund, from which each leads to the one before.
        newest_refund: Option<RefundNumber>,
    }
    fault |balance| (balance.units < MinorUnits::ZERO).then_some("the credit balance is below zero")
}

record! {
    /// A payment method.
    Method in "payment_method" [
        /// Its key.
        key: MethodKey,
    ] {
        /// Its id, by which gateways know it.
        id: ObjectId,
        /// Whose it is.
        account: Option<AccountKey>,
        /// Its type.
        method_type as "type": ByName<MethodType>,
        /// Whether it may still be used.
        status: ByName<MethodStatus>,
        /// Its own gateway.
        gateway: Option<String>,
    }
}

/// A payment method by its id.
pub static METHOD_BY_ID: Lookup = Lookup { table: Method::TABLE, by: &["id"] };

record! {
    /// What the ledger knows of itself, by name.
    Meta in "meta" [
        /// The name.
        key: String,
    ] {
        /// The value.
        value: String,
    }
}
