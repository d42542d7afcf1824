//! The seed: a TOML file of tenant settings, custom fields, users, gateways, accounts, payment
//! methods, invoices and payments.
//!
//! [`Seed::parse`] takes a file or says which line and key is wrong; [`load`] brings it into a
//! ledger. Loading twice changes nothing the second time, a conflict changes nothing at all, and a
//! password is hashed only for a user that the ledger lacks, because hashing is slow by design.

mod billing;
mod check;
mod written;

use super::password::{self, PasswordError};
use crate::domain::custom_field::CustomField;
use crate::domain::facts::Gateway;
use crate::domain::permission::Permissions;
use crate::domain::script::Script;
use crate::domain::toml_text;
use crate::ledger::seed::{
    SeedAccount, SeedConflict, SeedInvoice, SeedPayment, SeedPaymentMethod, SeedPlan, SeedUser,
};
use crate::ledger::{Ledger, LedgerError};
use check::{Names, Wrong};
use chrono::{DateTime, Utc};
use toml::Spanned;
use written::WrittenSeed;

pub use crate::domain::toml_text::TomlError as SeedTextError;
pub use crate::ledger::seed::SeedReport;

/// The built-in seed of `--demo`.
const DEMO: &str = include_str!("seed/demo.toml");

/// A checked seed.
pub struct Seed {
    /// What it was read from.
    text: String,
    tenant: Vec<(&'static str, String)>,
    users: Vec<UserSeed>,
    gateways: Vec<(Gateway, Script)>,
    accounts: Vec<SeedAccount>,
    payment_methods: Vec<SeedPaymentMethod>,
    invoices: Vec<SeedInvoice>,
    payments: Vec<SeedPayment>,
    custom_fields: Vec<CustomField>,
}

/// A user before its password is hashed; never printed.
struct UserSeed {
    username: String,
    password: NewPassword,
    permissions: Permissions,
}

/// What a new user's password is made from.
enum NewPassword {
    Plain(String),
    Hashed(String),
}

/// Why a seed was not loaded. Nothing of it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SeedError {
    /// It contradicts the ledger, or refers to what nobody knows.
    #[error(transparent)]
    Conflict(#[from] SeedConflict),
    /// The ledger gave no result.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A password could not be hashed.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The thread that hashed a password died.
    #[error("a password could not be hashed: its thread ended early")]
    HashingLost,
}

impl Seed {
    /// Reads a seed file; nothing in it is ignored.
    pub fn parse(text: &str) -> Result<Self, SeedTextError> {
        let written: WrittenSeed = toml_text::read(text)?;
        checked(text, written).map_err(|wrong| toml_text::complain(text, &wrong.at, wrong.message))
    }

    /// What it was read from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The built-in seed: the accounts and the payment method of the two documented examples, and
    /// the user `demo@example.com` with every permission.
    pub fn demo() -> Result<Self, SeedTextError> {
        Self::parse(DEMO)
    }
}

fn checked(text: &str, written: WrittenSeed) -> Result<Seed, Wrong> {
    let names = &mut Names::default();
    let places: Vec<_> = written.account.iter().map(default_method_place).collect();
    let seed = Seed {
        text: text.to_owned(),
        tenant: written.tenant.map(check::tenant).transpose()?.unwrap_or_default(),
        users: each(written.user, |user| check::user(user, names))?,
        gateways: each(written.gateway, |one| check::gateway(one.into_inner(), names))?,
        accounts: each(written.account, |one| check::account(one.into_inner(), names))?,
        payment_methods: each(written.payment_method, |one| {
            check::method(one.into_inner(), names)
        })?,
        invoices: each(written.invoice, |one| billing::invoice(one.into_inner(), names))?,
        payments: each(written.payment, |one| billing::payment(one.into_inner(), names))?,
        custom_fields: each(written.custom_field, |one| check::custom_field(one.get_ref(), names))?,
    };
    for (account, at) in seed.accounts.iter().zip(places) {
        check::default_method(account, &seed.payment_methods)
            .map_err(|message| Wrong { at, message })?;
    }
    Ok(seed)
}

fn each<T, U>(
    written: Vec<Spanned<T>>,
    check: impl FnMut(Spanned<T>) -> Result<U, Wrong>,
) -> Result<Vec<U>, Wrong> {
    written.into_iter().map(check).collect()
}

fn default_method_place(account: &Spanned<written::WrittenAccount>) -> std::ops::Range<usize> {
    let default = account.get_ref().default_payment_method.as_ref();
    default.map_or_else(|| account.span(), Spanned::span)
}

/// Brings a seed into a ledger at a moment, of which its accounts and methods are, and says what
/// was new.
pub async fn load(
    ledger: &dyn Ledger,
    seed: Seed,
    at: DateTime<Utc>,
) -> Result<SeedReport, SeedError> {
    let plan = SeedPlan { at, ..plan(seed, Some(ledger)).await? };
    Ok(ledger.load_seed(plan).await??)
}

/// What a seed adds: to a ledger that there is, or to one that will have nothing, where each user
/// needs a password. Whoever loads it says when.
pub(super) async fn plan(seed: Seed, ledger: Option<&dyn Ledger>) -> Result<SeedPlan, SeedError> {
    let mut users = Vec::with_capacity(seed.users.len());
    for user in seed.users {
        let UserSeed { username, password, permissions } = user;
        let is_known = match ledger {
            Some(ledger) => ledger.find_user(&username).await?.is_some(),
            None => false,
        };
        let password_hash = if is_known { None } else { Some(hashed(password).await?) };
        users.push(SeedUser { username, password_hash, permissions });
    }
    Ok(SeedPlan {
        at: DateTime::default(),
        tenant: seed.tenant,
        users,
        gateways: seed.gateways,
        accounts: seed.accounts,
        payment_methods: seed.payment_methods,
        invoices: seed.invoices,
        payments: seed.payments,
        custom_fields: seed.custom_fields,
    })
}

/// The PHC string of a password, made off the async threads.
async fn hashed(password: NewPassword) -> Result<String, SeedError> {
    match password {
        NewPassword::Hashed(hash) => Ok(hash),
        NewPassword::Plain(plain) => {
            let hashing = tokio::task::spawn_blocking(move || password::hash(&plain));
            Ok(hashing.await.map_err(|_| SeedError::HashingLost)??)
        }
    }
}

#[cfg(test)]
mod tests;
