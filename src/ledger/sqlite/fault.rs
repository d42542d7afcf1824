//! What follows from which error of SQLite: whether the file is damaged, and what is said of it.

use crate::ledger::books::BooksError;
use crate::ledger::file::OpenError;
use rusqlite::{ErrorCode, ffi};
use std::path::Path;

/// Whether an error means that the file is damaged: in SQLite's eyes, or because a column holds
/// what nothing writes there.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
        || matches!(
            error,
            rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
                | rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::Utf8Error(..)
        )
}

impl OpenError {
    /// Sorts an error of SQLite: a damaged file is not a busy or unreadable one.
    pub(in crate::ledger::sqlite) fn sql(path: &Path, error: &rusqlite::Error) -> Self {
        let (path, detail) = (path.to_owned(), error.to_string());
        match error.sqlite_error_code() {
            _ if is_damage(error) => Self::Damaged { path, detail },
            // A table or a column that is not there, which every ledger has.
            Some(ErrorCode::Unknown) => Self::Damaged { path, detail },
            // What comes by way of the books has its words alone.
            None if detail.starts_with("no such ") => Self::Damaged { path, detail },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::InUse { path },
            _ => Self::Io { path, detail },
        }
    }
}

/// The error as use cases know it.
#[expect(clippy::needless_pass_by_value, reason = "it is the argument of map_err")]
pub(super) fn engine(error: rusqlite::Error) -> BooksError {
    match is_damage(&error) {
        true => BooksError::Damaged(error.to_string()),
        false => BooksError::Engine(error.to_string()),
    }
}

impl From<rusqlite::Error> for BooksError {
    fn from(error: rusqlite::Error) -> Self {
        engine(error)
    }
}

impl From<BooksError> for rusqlite::Error {
    fn from(error: BooksError) -> Self {
        match error {
            BooksError::Damaged(_) | BooksError::Unknown { .. } => {
                let detail = Some(error.to_string());
                Self::SqliteFailure(ffi::Error::new(ffi::SQLITE_CORRUPT), detail)
            }
            error => Self::ToSqlConversionFailure(Box::new(error)),
        }
    }
}

/// SQLite's own error where another connection holds the file.
pub(super) fn busy() -> rusqlite::Error {
    let busy = ffi::Error::new(ffi::SQLITE_BUSY);
    rusqlite::Error::SqliteFailure(busy, Some("the file is in use".to_owned()))
}

/// A failure that is not SQLite's, in the form of those that are.
pub(super) fn failure(why: &str) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(why.into())
}
