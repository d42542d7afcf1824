//! What kind of error a row's is to a client of the v1 operations: the last two digits of its code
//! there ("Error handling").

use super::super::error_code::ErrorCode;
use super::RowError;

/// The kind of an error, by the two digits that the v1 operations write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Category {
    /// The user, or the tenant, lacks what the operation needs.
    Permission = 10,
    /// A value is of a wrong form or not acceptable.
    Invalid = 20,
    /// The object has no such field.
    UnknownField = 21,
    /// A required field is absent.
    Missing = 22,
    /// A rule forbids it, though each value is good by itself.
    Rule = 30,
    /// What the path names is not there.
    NotFound = 40,
    /// Another request holds what this one needs; it may be sent again.
    Locked = 50,
    /// The gateway failed.
    Internal = 60,
    /// The gateway failed for now; it may be sent again.
    Temporary = 61,
    /// Too much was asked for.
    Limit = 70,
    /// A system behind the gateway failed.
    Integration = 99,
}

impl Category {
    /// The two digits.
    pub const fn digits(self) -> u8 {
        self as u8
    }
}

impl RowError {
    /// The same error, of another kind than its code says.
    #[must_use]
    pub(super) fn of(self, category: Category) -> Self {
        Self { code: self.code, message: self.message, category: Some(category) }
    }

    /// The field that it is about, by the name that the client sent it under; a dot stands before
    /// that of a member.
    pub fn field(&self) -> Option<&str> {
        self.message.value("Field")
    }

    /// What kind of error it is to a client of the v1 operations.
    pub fn category(&self) -> Category {
        if let Some(category) = self.category {
            return category;
        }
        match self.code {
            ErrorCode::NoPermission | ErrorCode::ApiDisabled => Category::Permission,
            ErrorCode::MissingRequiredValue => Category::Missing,
            ErrorCode::InvalidField => Category::UnknownField,
            ErrorCode::InvalidId => Category::Invalid,
            ErrorCode::InvalidValue if self.field().is_some() => Category::Invalid,
            ErrorCode::LockCompetition => Category::Locked,
            ErrorCode::RequestExceededLimit | ErrorCode::RequestExceededRate => Category::Limit,
            ErrorCode::TemporaryError | ErrorCode::ServerUnavailable => Category::Temporary,
            ErrorCode::UnknownError | ErrorCode::TransactionTimeout => Category::Internal,
            _ => Category::Rule,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::permission::Permission;

    #[test]
    fn an_error_knows_its_kind_and_its_field() {
        let permission = RowError::no_permission(Permission::CreditMemoRefund);
        assert_eq!((permission.category(), permission.field()), (Category::Permission, None));
        let missing = RowError::missing("type");
        assert_eq!((missing.category(), missing.field()), (Category::Missing, Some("type")));
        let invalid = RowError::invalid("items.amount", "x");
        assert_eq!(
            (invalid.category(), invalid.field()),
            (Category::Invalid, Some("items.amount"))
        );
        assert_eq!(RowError::over_invoice().category(), Category::Rule);
        assert_eq!(RowError::no_such("R-1").category(), Category::NotFound);
        assert_eq!(RowError::settlement_off().category(), Category::Permission);
        assert_eq!(Category::Missing.digits(), 22);
    }
}
