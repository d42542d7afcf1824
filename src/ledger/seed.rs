//! What a seed adds to a ledger, already checked and typed.
//!
//! Loading is idempotent: what is there already and equal is left alone, what differs is a
//! conflict that names the object, the key and both values, and a password is never changed.

pub mod packed;

use super::trail::Act;
use crate::domain::custom_field::CustomField;
use crate::domain::facts::Gateway;
use crate::domain::id::ObjectId;
use crate::domain::money::{Currency, MinorUnits};
use crate::domain::permission::Permissions;
use crate::domain::script::Script;
use crate::domain::vocabulary::{CreditMemoStatus, MethodStatus, MethodType, PaymentType};
use chrono::{DateTime, NaiveDate, Utc};
use packed::{Pack, Packed, pack};
use rust_decimal::Decimal;
use std::fmt;

/// Everything that one seed names, each object once.
#[derive(Debug, Clone, Default)]
pub struct SeedPlan {
    /// When it is loaded: its accounts and methods are of that moment.
    pub at: DateTime<Utc>,
    /// Tenant settings, by the key of the seed file, in their stored form.
    pub tenant: Vec<(&'static str, String)>,
    /// Users.
    pub users: Vec<SeedUser>,
    /// OAuth clients.
    pub clients: Vec<SeedClient>,
    /// Gateways and their scripts.
    pub gateways: Vec<(Gateway, Script)>,
    /// Accounts.
    pub accounts: Packed<SeedAccount>,
    /// Payment methods.
    pub payment_methods: Packed<SeedPaymentMethod>,
    /// Invoices.
    pub invoices: Packed<SeedInvoice>,
    /// Payments.
    pub payments: Packed<SeedPayment>,
    /// Credit memos.
    pub credit_memos: Packed<SeedMemo>,
    /// By which ids and numbers gateways are known, where the seed says so.
    pub gateway_identities: Vec<SeedGatewayIdentity>,
    /// Fields of the tenant's own.
    pub custom_fields: Vec<CustomField>,
    /// Who loads it; none leaves no record in the audit.
    pub act: Option<Act>,
}

impl SeedPlan {
    /// What of it is an account's own.
    pub fn of_account(&self, id: &ObjectId) -> Self {
        Self {
            at: self.at,
            accounts: chosen(&self.accounts, |one| one.id == *id),
            payment_methods: chosen(&self.payment_methods, |one| one.account.as_ref() == Some(id)),
            invoices: chosen(&self.invoices, |one| one.account == *id),
            payments: chosen(&self.payments, |one| one.account == *id),
            credit_memos: chosen(&self.credit_memos, |one| one.account == *id),
            ..Self::default()
        }
    }
}

fn chosen<T: Pack>(all: &Packed<T>, wanted: impl Fn(&T) -> bool) -> Packed<T> {
    all.iter().filter(|one| wanted(one)).collect()
}

pack! {
    SeedAccount { id, number, name, currency, opening, opened, default_payment_method, gateway }
    SeedDefault { account, method }
    SeedPaymentMethod { id, account, method_type, name, status, gateway }
    SeedInvoice { id, number, account, date, amount, balance, items }
    SeedItem { id, name, amount, tax }
    SeedPayment {
        id, number, account, payment_type, amount, effective_date, payment_method, gateway,
        reference_id, is_settled, applied
    }
    SeedPart { invoice, amount }
    SeedMemo { id, number, account, date, status, amount, applied, items }
    SeedMemoItem { id, amount, taxes }
    SeedMemoTax { id, amount }
}

/// A user of a seed.
#[derive(Clone)]
pub struct SeedUser {
    /// Its name.
    pub username: String,
    /// The PHC string of its password, used only when the user is new.
    pub password_hash: Option<String>,
    /// What it may do.
    pub permissions: Permissions,
    /// The orgs that it may name; none where the seed says none.
    pub orgs: Option<Vec<String>>,
}

impl fmt::Debug for SeedUser {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = out.debug_struct("SeedUser");
        out.field("username", &self.username).finish_non_exhaustive()
    }
}

/// An OAuth client of a seed.
#[derive(Debug, Clone)]
pub struct SeedClient {
    /// Its id of 36 characters.
    pub id: String,
    /// The PHC string of its secret, used only when the client is new.
    pub secret_hash: Option<String>,
    /// The name of the user as whom it calls.
    pub username: String,
}

/// An account of a seed.
#[derive(Debug, Clone)]
pub struct SeedAccount {
    /// Its id of 32 characters.
    pub id: ObjectId,
    /// AccountNumber, unique.
    pub number: String,
    /// Name.
    pub name: String,
    /// Currency.
    pub currency: Currency,
    /// The opening credit balance.
    pub opening: MinorUnits,
    /// Since when it is there; none where the seed does not say.
    pub opened: Option<NaiveDate>,
    /// DefaultPaymentMethodId.
    pub default_payment_method: Option<ObjectId>,
    /// PaymentGateway.
    pub gateway: Option<String>,
}

/// The default payment method of an account of a seed, which may stand behind the account.
#[derive(Debug, Clone)]
pub struct SeedDefault {
    /// The account.
    pub account: ObjectId,
    /// Its default method.
    pub method: ObjectId,
}

/// A payment method of a seed.
#[derive(Debug, Clone)]
pub struct SeedPaymentMethod {
    /// Its id of 32 characters.
    pub id: ObjectId,
    /// Whose it is; none when it serves every account.
    pub account: Option<ObjectId>,
    /// Type.
    pub method_type: MethodType,
    /// Name.
    pub name: Option<String>,
    /// PaymentMethodStatus.
    pub status: MethodStatus,
    /// The method's own gateway.
    pub gateway: Option<String>,
}

/// An invoice of a seed. Amounts are in the currency of its account, which the ledger knows.
#[derive(Debug, Clone)]
pub struct SeedInvoice {
    /// Its id of 32 characters.
    pub id: ObjectId,
    /// InvoiceNumber, unique.
    pub number: String,
    /// Whose it is.
    pub account: ObjectId,
    /// InvoiceDate.
    pub date: NaiveDate,
    /// Amount; below zero where the customer is owed.
    pub amount: Decimal,
    /// The balance that it begins with, between zero and the amount.
    pub balance: Decimal,
    /// What it asks for, charge by charge; with their taxes they add up to the amount. None where
    /// the seed does not say.
    pub items: Vec<SeedItem>,
}

/// A charge of an invoice, with the tax on it.
#[derive(Debug, Clone)]
pub struct SeedItem {
    /// Its id of 32 characters; none: one that follows from the invoice and its place.
    pub id: Option<ObjectId>,
    /// ChargeName.
    pub name: Option<String>,
    /// ChargeAmount, without the tax; of any sign.
    pub amount: Decimal,
    /// The tax on it; none, or zero: no tax line.
    pub tax: Option<Decimal>,
}

/// A payment of a seed. Amounts are in the currency of its account.
#[derive(Debug, Clone)]
pub struct SeedPayment {
    /// Its id of 32 characters.
    pub id: ObjectId,
    /// PaymentNumber, unique.
    pub number: String,
    /// Who paid.
    pub account: ObjectId,
    /// Type.
    pub payment_type: PaymentType,
    /// Amount, above zero.
    pub amount: Decimal,
    /// EffectiveDate.
    pub effective_date: NaiveDate,
    /// PaymentMethodId; an electronic payment has one.
    pub payment_method: Option<ObjectId>,
    /// The gateway of an electronic payment; none: the method's, the account's, or the default.
    pub gateway: Option<String>,
    /// ReferenceId, by which the gateway knows it.
    pub reference_id: Option<String>,
    /// Whether the gateway has settled it.
    pub is_settled: bool,
    /// Which invoices it pays. What is left of it is unapplied.
    pub applied: Vec<SeedPart>,
}

/// The part of a payment that pays an invoice.
#[derive(Debug, Clone)]
pub struct SeedPart {
    /// The number of the invoice.
    pub invoice: String,
    /// How much, above zero.
    pub amount: Decimal,
}

/// A credit memo of a seed. Amounts are in the currency of its account.
#[derive(Debug, Clone)]
pub struct SeedMemo {
    /// Its id of 32 characters.
    pub id: ObjectId,
    /// Its number, unique.
    pub number: String,
    /// Whose it is.
    pub account: ObjectId,
    /// The day of the memo.
    pub date: NaiveDate,
    /// Where it stands.
    pub status: CreditMemoStatus,
    /// What it is worth, above zero.
    pub amount: Decimal,
    /// To which invoices what of it is applied. What is left of it is unapplied.
    pub applied: Vec<SeedPart>,
    /// What it is made of; with their taxes they add up to the amount. None where the seed does not
    /// say: then one item is worth all of it.
    pub items: Vec<SeedMemoItem>,
}

/// An item of a credit memo.
#[derive(Debug, Clone)]
pub struct SeedMemoItem {
    /// Its id of 32 characters; none: one that follows from the memo and its place.
    pub id: Option<ObjectId>,
    /// What it is worth without the taxes, above zero.
    pub amount: Decimal,
    /// The taxes on it.
    pub taxes: Vec<SeedMemoTax>,
}

/// A tax on an item of a credit memo.
#[derive(Debug, Clone)]
pub struct SeedMemoTax {
    /// Its id of 32 characters; none: one that follows from the item and its place.
    pub id: Option<ObjectId>,
    /// How much, above zero.
    pub amount: Decimal,
}

/// By which id and number clients of the v1 operations know a gateway.
#[derive(Debug, Clone)]
pub struct SeedGatewayIdentity {
    /// The gateway's name.
    pub name: String,
    /// Its id of 32 characters; none: the one that it has.
    pub id: Option<ObjectId>,
    /// Its number, such as `PG-00000001`; none: the one that it has.
    pub number: Option<String>,
}

/// What loading a seed did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SeedReport {
    /// Objects and settings that are new.
    pub added: usize,
    /// Objects and settings that were there already.
    pub unchanged: usize,
}

/// A seed that contradicts the ledger or itself. Nothing was loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SeedConflict {
    /// The ledger has another value.
    #[error("{object}: {key} is `{stored}` in the ledger and `{seeded}` in the seed")]
    Differs {
        /// The object, such as ``account `402892…` ``.
        object: String,
        /// The key of the seed file.
        key: &'static str,
        /// What the ledger has.
        stored: String,
        /// What the seed says.
        seeded: String,
    },
    /// A reference leads nowhere.
    #[error("{object}: {key} names `{value}`, which does not exist")]
    Dangling {
        /// The object that refers.
        object: String,
        /// The key that refers.
        key: &'static str,
        /// What it refers to.
        value: String,
    },
    /// A value does not go with what the ledger knows.
    #[error("{object}: {key} `{value}` {why}")]
    Unfit {
        /// The object that has the value.
        object: String,
        /// The key of the seed file.
        key: &'static str,
        /// The value.
        value: String,
        /// What is wrong with it, as the end of a sentence.
        why: String,
    },
    /// A new user has no password.
    #[error("user `{username}`: a new user needs password or password_hash")]
    NoPassword {
        /// The user.
        username: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_that_is_printed_shows_no_password() {
        let user = SeedUser {
            username: "demo@example.com".to_owned(),
            password_hash: Some("$argon2id$secret".to_owned()),
            permissions: Permissions::by_default(),
            orgs: None,
        };
        let shown = format!("{:?}", SeedPlan { users: vec![user], ..SeedPlan::default() });
        assert!(shown.contains("demo@example.com") && !shown.contains("secret"), "{shown}");
    }
}
