//! What operators change while the gateway serves, and without a new ledger: users, the tenant's
//! settings, and what sandboxes can do.
//!
//! What must stay true: the command line on a ledger that no gateway serves, and the admin API of
//! one that is served, check the same things in the same words; a change counts for the next call.

use super::seed::{gateway_setting, tenant_setting};
use super::{Service, password};
use crate::domain::permission::{Permission, Permissions};
use crate::domain::toml_text::suggest;
use crate::ledger::LedgerError;
use crate::ledger::operator::{Change, ChangeRefusal, Operators, UserChange};
use crate::ledger::trail::Act;
use serde_json::Value;

/// The longest name of a user, in characters.
const USERNAME_CHARS_MAX: usize = 255;
/// The longest password, in characters.
const PASSWORD_CHARS_MAX: usize = 1024;

/// A change as it is asked for.
pub enum Wanted {
    /// A new user; without permissions it has the default.
    CreateUser {
        /// Its name.
        username: String,
        /// Its password.
        password: String,
        /// The names of its permissions.
        permissions: Option<Vec<String>>,
    },
    /// More permissions for a user.
    Grant {
        /// Its name.
        username: String,
        /// The names of the permissions.
        permissions: Vec<String>,
    },
    /// Fewer permissions for a user.
    Revoke {
        /// Its name.
        username: String,
        /// The names of the permissions.
        permissions: Vec<String>,
    },
    /// Whether a user may log in.
    Enable {
        /// Its name.
        username: String,
        /// False shuts it out.
        is_enabled: bool,
    },
    /// Another password for a user.
    SetPassword {
        /// Its name.
        username: String,
        /// The password.
        password: String,
    },
    /// A setting of the tenant.
    Tenant {
        /// The key of the seed file.
        key: String,
        /// The value; a text is read as what the key takes.
        value: Value,
    },
    /// A setting of a sandbox.
    Gateway {
        /// Its name.
        name: String,
        /// The key of the seed file.
        key: String,
        /// The value; a text is read as what the key takes, null takes a bound away.
        value: Value,
    },
}

/// Why a change was not made. Unless it is [`LedgerError::Unknown`], nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OperationError {
    /// Something in it is wrong.
    #[error("{0}")]
    Wrong(String),
    /// It does not go with what the ledger has.
    #[error(transparent)]
    Refused(#[from] ChangeRefusal),
    /// The password could not be hashed.
    #[error("the password could not be hashed: {0}")]
    Password(String),
    /// The ledger gave no result.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Makes a change on a ledger; false when all is so already.
pub async fn operate(
    operators: &dyn Operators,
    wanted: Wanted,
    act: Act,
) -> Result<bool, OperationError> {
    let change = checked(wanted).await?;
    Ok(operators.change(change, act).await??)
}

async fn checked(wanted: Wanted) -> Result<Change, OperationError> {
    let of = |username: String, change| Ok(Change::User { username, change });
    match wanted {
        Wanted::CreateUser { username, password, permissions } => {
            check_username(&username)?;
            let permissions = match permissions {
                None => Permissions::by_default(),
                Some(names) => permissions_of(&names)?,
            };
            let password_hash = hashed(password).await?;
            Ok(Change::CreateUser { username, password_hash, permissions })
        }
        Wanted::Grant { username, permissions } => {
            of(username, UserChange::Grant(named(&permissions)?))
        }
        Wanted::Revoke { username, permissions } => {
            of(username, UserChange::Revoke(named(&permissions)?))
        }
        Wanted::Enable { username, is_enabled: true } => of(username, UserChange::Enable),
        Wanted::Enable { username, is_enabled: false } => of(username, UserChange::Disable),
        Wanted::SetPassword { username, password } => {
            of(username, UserChange::SetPassword(hashed(password).await?))
        }
        Wanted::Tenant { key, value } => {
            let (key, value) = tenant_setting(&key, &value).map_err(OperationError::Wrong)?;
            Ok(Change::Tenant { key, value })
        }
        Wanted::Gateway { name, key, value } => {
            let setting = gateway_setting(&name, &key, &value).map_err(OperationError::Wrong)?;
            Ok(Change::Gateway { name, setting })
        }
    }
}

fn check_username(username: &str) -> Result<(), OperationError> {
    let wrong = |why: &str| Err(OperationError::Wrong(format!("username: `{username}` {why}")));
    if username.is_empty() || username.trim() != username {
        return wrong("is empty or has blanks around it");
    }
    if username.chars().any(char::is_control) {
        return wrong("has characters that cannot be seen");
    }
    if username.chars().count() > USERNAME_CHARS_MAX {
        return Err(OperationError::Wrong(format!(
            "username: is longer than {USERNAME_CHARS_MAX} characters"
        )));
    }
    Ok(())
}

/// The permissions of these names, at least one.
fn named(names: &[String]) -> Result<Permissions, OperationError> {
    if names.is_empty() {
        let known = Permissions::all().names().join(", ");
        return Err(OperationError::Wrong(format!("permissions: name at least one of {known}")));
    }
    permissions_of(names)
}

fn permissions_of(names: &[String]) -> Result<Permissions, OperationError> {
    let one = |name: &String| {
        Permission::from_name(name).ok_or_else(|| {
            let known = Permissions::all().names();
            let help = match suggest(name, known.iter().copied()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("known are {}", known.join(", ")),
            };
            OperationError::Wrong(format!("permissions: unknown permission `{name}`; {help}"))
        })
    };
    names.iter().map(one).collect()
}

/// The PHC string of a password, made off the async threads.
async fn hashed(password: String) -> Result<String, OperationError> {
    let count = password.chars().count();
    if !(1..=PASSWORD_CHARS_MAX).contains(&count) {
        let why =
            format!("password: has {count} characters; it must have 1 to {PASSWORD_CHARS_MAX}");
        return Err(OperationError::Wrong(why));
    }
    let hashing = tokio::task::spawn_blocking(move || password::hash(&password));
    let lost = |error: tokio::task::JoinError| OperationError::Password(error.to_string());
    let failed = |error: password::PasswordError| OperationError::Password(error.to_string());
    hashing.await.map_err(lost)?.map_err(failed)
}

impl Service {
    /// Makes a change that counts for every call from now on; false when all is so already.
    pub async fn operate(&self, wanted: Wanted, act: Act) -> Result<bool, OperationError> {
        // So that no test ledger is replaced meanwhile.
        let _turn = self.bench_turn.lock().await;
        let changed = operate(self.ledger.as_ref(), wanted, act).await;
        // Also after an unknown outcome: reading again is always right.
        self.sessions.forget();
        self.tokens.forget();
        self.processors.follow(self.ledger.gateways().await?);
        changed
    }
}
