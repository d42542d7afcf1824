//! Who asks for something: what every rule may have to know of the call.

use crate::domain::permission::{Permission, Permissions};
use crate::domain::row_error::RowError;
use crate::domain::version::ApiVersion;
use chrono::{DateTime, Utc};

/// Who asks, when, and how.
#[derive(Debug, Clone, Copy)]
pub struct Asking {
    /// The version of the caller's endpoint.
    pub version: ApiVersion,
    /// What the caller may do.
    pub permissions: Permissions,
    /// The moment of the call.
    pub now: DateTime<Utc>,
    /// Whether a field that may not be sent is an error instead of being ignored.
    pub strict: bool,
}

impl Asking {
    /// That the caller has a permission.
    pub(super) fn check(&self, permission: Permission) -> Result<(), RowError> {
        let may = self.permissions.allow(permission);
        if may { Ok(()) } else { Err(RowError::no_permission(permission)) }
    }
}
