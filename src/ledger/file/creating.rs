//! A ledger's file before an engine opens it: made where that is allowed, and otherwise looked at.

use super::names::has_log;
use super::open_error::OpenError;
use crate::ledger::opening::OpenMode;
use std::fs;
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Makes the file, readable by its owner alone, before anything else sees it.
pub fn create_if_allowed(path: &Path, mode: OpenMode) -> Result<(), OpenError> {
    let missing = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
    match fs::metadata(path) {
        Ok(about) if !about.is_file() => Err(OpenError::NotAFile { path: path.to_owned() }),
        Ok(_) => Ok(()),
        Err(error) if missing(&error) && mode == OpenMode::Existing => {
            Err(OpenError::Missing { path: path.to_owned() })
        }
        Err(error) if missing(&error) => {
            // Another process that makes it at the same moment competes for the lock with this one.
            let made = fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path);
            made.map(|_| ()).map_err(|error| OpenError::io(path, &error))
        }
        Err(error) => Err(OpenError::io(path, &error)),
    }
}

/// Whether the file is still empty, and so a new ledger, which its owner alone may read from now
/// on.
pub fn is_new(path: &Path, mode: OpenMode) -> Result<bool, OpenError> {
    if !is_empty(path)? {
        return Ok(false);
    }
    if mode == OpenMode::Existing {
        return Err(OpenError::Empty { path: path.to_owned() });
    }
    let owner_alone = fs::Permissions::from_mode(0o600);
    fs::set_permissions(path, owner_alone).map_err(|error| OpenError::io(path, &error))?;
    Ok(true)
}

/// Whether neither a file has anything in it nor the log beside it; only a regular file can be a
/// ledger.
pub fn is_empty(path: &Path) -> Result<bool, OpenError> {
    let about = fs::metadata(path).map_err(|error| OpenError::io(path, &error))?;
    if !about.is_file() {
        return Err(OpenError::NotAFile { path: path.to_owned() });
    }
    if about.len() == 0 && has_log(path) {
        let detail = "it is empty, but the log beside it is not".to_owned();
        return Err(OpenError::Damaged { path: path.to_owned(), detail });
    }
    Ok(about.len() == 0)
}
