//! Who asks for something: what every rule may have to know of the call.

use crate::domain::access::{Needs, Object, Operation};
use crate::domain::permission::Permissions;
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
    /// The earliest moment that it can be, where the clock may be wrong.
    pub earliest: DateTime<Utc>,
    /// Whether a field that may not be sent is an error instead of being ignored.
    pub strict: bool,
}

impl Asking {
    /// Whether the caller may do this.
    pub fn may(&self, operation: Operation, object: Object) -> bool {
        Needs::of(operation, object).are_met_by(self.permissions)
    }

    /// That the caller may do this, or NO_PERMISSION with the permission that is missing.
    pub fn check(&self, operation: Operation, object: Object) -> Result<(), RowError> {
        let may = self.may(operation, object);
        let lacks = || RowError::no_permission(Needs::of(operation, object).named());
        if may { Ok(()) } else { Err(lacks()) }
    }
}
