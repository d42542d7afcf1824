//! Accounts, their balances and their payment methods. What refunds need of an account and of a
//! method is a narrow view of the whole row, which refunds never write.

use crate::domain::facts::{AccountKey, MethodKey};
use crate::domain::id::{ObjectId, RefundNumber};
use crate::domain::money::{Currency, MinorUnits};
use crate::domain::vocabulary::{AccountStatus, MethodStatus, MethodType};
use crate::ledger::UserKey;
use crate::ledger::record::{ByName, DayText, Lead, Lookup, Record, record};
use chrono::{DateTime, Utc};

record! {
    /// An account, as refunds see it.
    Account in "account_row" of AccountRow [
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
pub static ACCOUNT_BY_ID: Lookup = Lookup::new(Account::TABLE, &["id"]).leading(TO_BALANCE);
/// An account by its number.
pub static ACCOUNT_BY_NUMBER: Lookup = Lookup::new(Account::TABLE, &["number"]).leading(TO_BALANCE);
/// The balance of an account, and the entry that made it what it is.
const TO_BALANCE: &[Lead] = &[
    Lead { to: Balance::BY_KEY, from: "key", of: None },
    Lead { to: super::Entry::BY_KEY, from: "newest_entry", of: Some(0) },
];
/// The accounts with this default method.
pub static ACCOUNT_BY_DEFAULT_METHOD: Lookup =
    Lookup::new(Account::TABLE, &["default_payment_method"]);

record! {
    /// An account, whole.
    AccountRow in "account_row" [
        /// Its key.
        key: AccountKey,
    ] {
        /// Its id.
        id: ObjectId,
        /// AccountNumber.
        number: String,
        /// Name.
        name: String,
        /// The currency of its balances.
        currency: Currency,
        /// The credit that it was opened with.
        opening: MinorUnits,
        /// Since when that credit is there, where it is known.
        opened: Option<DayText>,
        /// Its default payment method.
        default_payment_method: Option<MethodKey>,
        /// Its own gateway.
        gateway: Option<String>,
        /// The account that it belongs below.
        parent: Option<AccountKey>,
        /// Where it stands.
        status: ByName<AccountStatus>,
        /// What is only kept, a JSON object.
        kept: String,
        /// Who created it, where it is known.
        created_by: Option<UserKey>,
        /// When it was created, where it is known.
        created_ms: Option<DateTime<Utc>>,
        /// Who changed it last.
        updated_by: Option<UserKey>,
        /// When it was changed.
        updated_ms: Option<DateTime<Utc>>,
        /// Values of the tenant's own fields, a JSON object.
        custom: Option<String>,
    }
}

#[cfg(test)]
impl AccountRow {
    /// An active account in USD with this opening credit, of which nothing else is known.
    pub fn active(key: AccountKey, id: ObjectId, number: String, opening: MinorUnits) -> Self {
        Self {
            key,
            id,
            number,
            name: "N".to_owned(),
            currency: Currency::from_code("USD").unwrap(),
            opening,
            opened: None,
            default_payment_method: None,
            gateway: None,
            parent: None,
            status: ByName(AccountStatus::Active),
            kept: "{}".to_owned(),
            created_by: None,
            created_ms: None,
            updated_by: None,
            updated_ms: None,
            custom: None,
        }
    }
}

impl From<&AccountRow> for Account {
    fn from(row: &AccountRow) -> Self {
        Self {
            key: row.key,
            id: row.id.clone(),
            number: row.number.clone(),
            currency: row.currency,
            default_payment_method: row.default_payment_method,
            gateway: row.gateway.clone(),
            opening: row.opening,
            opened: row.opened,
        }
    }
}

/// The accounts that belong below another one.
pub static ACCOUNT_BY_PARENT: Lookup = Lookup::new(AccountRow::TABLE, &["parent"]);

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
    /// A payment method, as refunds see it.
    Method in "payment_method" of MethodRow [
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
pub static METHOD_BY_ID: Lookup = Lookup::new(Method::TABLE, &["id"]);
/// The payment methods of an account.
pub static METHOD_BY_ACCOUNT: Lookup = Lookup::new(Method::TABLE, &["account"]);

record! {
    /// A payment method, whole.
    MethodRow in "payment_method" [
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
        /// What is only kept, a JSON object.
        kept: String,
        /// Who created it, where it is known.
        created_by: Option<UserKey>,
        /// When it was created, where it is known.
        created_ms: Option<DateTime<Utc>>,
        /// Who changed it last.
        updated_by: Option<UserKey>,
        /// When it was changed.
        updated_ms: Option<DateTime<Utc>>,
        /// Values of the tenant's own fields, a JSON object.
        custom: Option<String>,
    }
}

#[cfg(test)]
impl MethodRow {
    /// A payment method that may be used, of which nothing else is known.
    pub fn active(
        key: MethodKey,
        id: ObjectId,
        account: Option<AccountKey>,
        method_type: MethodType,
    ) -> Self {
        Self {
            key,
            id,
            account,
            method_type: ByName(method_type),
            status: ByName(MethodStatus::Active),
            gateway: None,
            kept: "{}".to_owned(),
            created_by: None,
            created_ms: None,
            updated_by: None,
            updated_ms: None,
            custom: None,
        }
    }
}

impl From<&MethodRow> for Method {
    fn from(row: &MethodRow) -> Self {
        Self {
            key: row.key,
            id: row.id.clone(),
            account: row.account,
            method_type: row.method_type,
            status: row.status,
            gateway: row.gateway.clone(),
        }
    }
}

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

/// All that the ledger knows of itself.
pub static META: Lookup = Lookup::new(Meta::TABLE, &[]);
