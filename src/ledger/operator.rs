//! What operators change without a new ledger: users and their permissions, the tenant's switches,
//! and what sandboxes can do.
//!
//! What must stay true: each change is one transaction together with its record in the audit; a
//! change that finds everything as it should be writes nothing; and what an operator set is known
//! as such, so that a seed that is loaded afterwards gives way to it.

use super::Reply;
use super::readings::Listed;
use super::trail::Act;
use crate::domain::facts::Gateway;
use crate::domain::permission::{Permission, Permissions};
use crate::domain::script::Switches;
use crate::domain::vocabulary::MethodType;
use std::fmt;

/// A change that is checked as far as the ledger is not needed for it.
#[derive(Clone, PartialEq, Eq)]
pub enum Change {
    /// A new user.
    CreateUser {
        /// Its name.
        username: String,
        /// The PHC string of its password.
        password_hash: String,
        /// What it may do.
        permissions: Permissions,
    },
    /// A change of a user that there is.
    User {
        /// Its name.
        username: String,
        /// The change.
        change: UserChange,
    },
    /// A setting of the tenant.
    Tenant {
        /// The key of the seed file.
        key: &'static str,
        /// The value in its stored form.
        value: String,
    },
    /// A setting of a gateway of the ledger, which is a sandbox.
    Gateway {
        /// Its name.
        name: String,
        /// The setting.
        setting: GatewaySetting,
    },
}

/// What becomes of a user.
#[derive(Clone, PartialEq, Eq)]
pub enum UserChange {
    /// It gets these permissions beside those that it has.
    Grant(Permissions),
    /// It loses these.
    Revoke(Permissions),
    /// It is shut out: its sessions end, and it opens no new ones.
    Disable,
    /// It may log in again.
    Enable,
    /// It gets another password, of which this is the PHC string; its sessions end.
    SetPassword(String),
}

impl UserChange {
    /// The name of the operation in the audit, on the command line and in the admin API.
    pub const fn operation(&self) -> &'static str {
        match self {
            Self::Grant(_) => "grant",
            Self::Revoke(_) => "revoke",
            Self::Disable => "disable",
            Self::Enable => "enable",
            Self::SetPassword(_) => "set-password",
        }
    }
}

/// What can be set of a sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GatewaySetting {
    /// Whether it takes orders at all.
    Active(bool),
    /// Whether it pays without a payment to refer to.
    NonReferencedRefunds(bool),
    /// The types of payment method that it can pay to; none means all.
    MethodTypes(Option<Vec<MethodType>>),
    /// For how many days it gives a payment back; none means for ever.
    RefundWindowDays(Option<u32>),
    /// For how many seconds the same order is a duplicate; none means never.
    DuplicateWindowS(Option<u32>),
    /// Whether it gives back settled payments alone.
    RequireSettled(bool),
}

impl GatewaySetting {
    /// The key of the seed file.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Active(_) => "active",
            Self::NonReferencedRefunds(_) => "non_referenced_refunds",
            Self::MethodTypes(_) => "method_types",
            Self::RefundWindowDays(_) => "refund_window_days",
            Self::DuplicateWindowS(_) => "duplicate_window_s",
            Self::RequireSettled(_) => "require_settled",
        }
    }

    /// Every key that can be set.
    pub const KEYS: [&'static str; 6] = [
        "active",
        "non_referenced_refunds",
        "method_types",
        "refund_window_days",
        "duplicate_window_s",
        "require_settled",
    ];

    /// Sets it.
    pub fn apply(&self, gateway: &mut Gateway, switches: &mut Switches) {
        match self {
            Self::Active(is_active) => gateway.active = *is_active,
            Self::NonReferencedRefunds(can) => gateway.non_referenced_refunds = *can,
            Self::MethodTypes(types) => gateway.method_types.clone_from(types),
            Self::RefundWindowDays(days) => switches.refund_window_days = *days,
            Self::DuplicateWindowS(seconds) => switches.duplicate_window_s = *seconds,
            Self::RequireSettled(required) => switches.require_settled = *required,
        }
    }
}

/// Without passwords.
impl fmt::Debug for Change {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreateUser { username, permissions, .. } => {
                out.debug_tuple("CreateUser").field(username).field(permissions).finish()
            }
            Self::User { username, change } => {
                out.debug_tuple(change.operation()).field(username).finish()
            }
            Self::Tenant { key, value } => out.debug_tuple(key).field(value).finish(),
            Self::Gateway { name, setting } => {
                out.debug_tuple("Gateway").field(name).field(setting).finish()
            }
        }
    }
}

/// Why a change was not made. Nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeRefusal {
    /// There is no such user.
    #[error("the ledger has no user `{name}`{}", or_nearest(.nearest))]
    NoUser {
        /// The name that was given.
        name: String,
        /// The name that was probably meant.
        nearest: Option<String>,
    },
    /// There is such a user already.
    #[error("the ledger has a user `{0}` already")]
    UserExists(String),
    /// A permission that cannot be taken away as long as the user has any.
    #[error(
        "on a test ledger `{}` comes with any other permission: revoke those as well, or test this \
         on a ledger that is not marked as test",
        .0.name()
    )]
    ComesWithAny(Permission),
    /// There is no such gateway.
    #[error("there is no gateway `{name}`{}", or_nearest(.nearest))]
    NoGateway {
        /// The name that was given.
        name: String,
        /// The name that was probably meant.
        nearest: Option<String>,
    },
    /// It is a gateway of the configuration.
    #[error(
        "the gateway `{0}` is of kind http: what it can do is configuration, set it in the \
         `[[gateway]]` table of the file that --config names"
    )]
    Configured(String),
}

fn or_nearest(nearest: &Option<String>) -> String {
    nearest.as_ref().map_or_else(String::new, |nearest| format!("; did you mean `{nearest}`?"))
}

/// A user as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedUser {
    /// Its name.
    pub username: String,
    /// Its id, as clients see it.
    pub id: String,
    /// What it may do on this ledger.
    pub permissions: Permissions,
    /// Whether it is shut out.
    pub is_disabled: bool,
}

/// A gateway as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedGateway {
    /// What it can do.
    pub gateway: Gateway,
    /// What a sandbox refuses; none of one that is configured.
    pub switches: Option<Switches>,
}

/// What operators change and see of a ledger.
pub trait Operators: Send + Sync {
    /// Makes a change; false when all is so already, in which case nothing is written.
    fn change(&self, change: Change, act: Act) -> Reply<Result<bool, ChangeRefusal>>;

    /// Users by name, those behind a name or from the first on, so many at most and no more than
    /// [`ROWS_MAX`](super::readings::ROWS_MAX).
    fn users(&self, behind: Option<String>, rows_max: u32) -> Reply<Listed<ListedUser, String>>;

    /// Every gateway: those of the ledger, then those of the configuration.
    fn all_gateways(&self) -> Reply<Vec<ListedGateway>>;
}
