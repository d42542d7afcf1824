//! The seed: a TOML file of tenant settings, custom fields, users, gateways, accounts, payment
//! methods, invoices and payments.
//!
//! [`Seed::parse`] takes a file or says which line and key is wrong; [`load`] brings it into a
//! ledger. Loading twice changes nothing the second time, a conflict changes nothing at all, and a
//! password is hashed only for a user that the ledger lacks, because hashing is slow by design.

mod access;
mod billing;
mod check;
mod reading;
mod setting;
mod written;

use super::password::{self, PasswordError};
use crate::ledger::seed::{SeedConflict, SeedPlan};
use crate::ledger::trail::Act;
use crate::ledger::{Ledger, LedgerError};
pub(super) use setting::{gateway_setting, tenant_setting};
use std::io::Read;

pub use crate::domain::toml_text::TomlError as SeedTextError;
pub use crate::ledger::seed::SeedReport;

/// The built-in seed of `--demo`.
pub const DEMO: &str = include_str!("seed/demo.toml");

/// What `--demo=invoice-settlement` has beside it.
pub const DEMO_SETTLEMENT: &str = include_str!("seed/demo_settlement.toml");

/// A checked seed: what it adds, and the passwords of its users, which are hashed only where they
/// are needed. Never printed.
#[derive(Default)]
pub struct Seed {
    plan: SeedPlan,
    /// Those of the plan's users, in their order.
    passwords: Vec<NewPassword>,
    /// The secrets of the plan's OAuth clients, in their order.
    secrets: Vec<String>,
}

/// What a new user's password is made from.
enum NewPassword {
    Plain(String),
    Hashed(String),
}

/// Why a seed was not loaded. Nothing of it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SeedError {
    /// It contradicts the ledger, or refers to what is not there.
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
        let read = reading::is_large(text).then(|| reading::in_pieces(text.as_bytes()));
        read.flatten().map_or_else(|| reading::whole(text), Ok)
    }

    /// Reads a seed file that is never in memory as a whole; none where that does not settle what
    /// it says, and [`Seed::parse`] has to.
    pub fn read(text: impl Read) -> Option<Self> {
        reading::in_pieces(text)
    }

    /// The built-in seed: the accounts and the payment method of the two documented examples, and
    /// the user `demo@example.com` with every permission.
    pub fn demo() -> Result<Self, SeedTextError> {
        Self::parse(DEMO)
    }

    /// What the demo of Invoice Settlement has beside the built-in seed.
    pub fn demo_settlement() -> Result<Self, SeedTextError> {
        Self::parse(DEMO_SETTLEMENT)
    }
}

/// Brings a seed into a ledger, and says what was new; its accounts and methods are of the moment
/// of `act`, which the audit records.
pub async fn load(ledger: &dyn Ledger, seed: Seed, act: Act) -> Result<SeedReport, SeedError> {
    let plan = plan(seed, Some(ledger)).await?;
    Ok(ledger.load_seed(SeedPlan { at: act.at, act: Some(act), ..plan }).await??)
}

/// What a seed adds: to a ledger that there is, or to one that will have nothing, where each user
/// needs a password. The caller that loads it says when.
pub(super) async fn plan(seed: Seed, ledger: Option<&dyn Ledger>) -> Result<SeedPlan, SeedError> {
    let Seed { mut plan, passwords, secrets } = seed;
    for (user, password) in plan.users.iter_mut().zip(passwords) {
        let is_known = match ledger {
            Some(ledger) => ledger.find_user(&user.username).await?.is_some(),
            None => false,
        };
        if !is_known {
            user.password_hash = Some(hashed(password).await?);
        }
    }
    for (client, secret) in plan.clients.iter_mut().zip(secrets) {
        let is_known = match ledger {
            Some(ledger) => ledger.find_client(&client.id).await?.is_some(),
            None => false,
        };
        if !is_known {
            client.secret_hash = Some(hashed(NewPassword::Plain(secret)).await?);
        }
    }
    Ok(plan)
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
