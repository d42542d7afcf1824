//! The exclusive lock of a ledger: a file beside it, locked for as long as it is held.
//!
//! The lock is not taken on the ledger's own file, because closing any handle of that file would
//! drop the locks that SQLite itself holds on it (POSIX locks belong to the process).

use super::open::OpenError;
use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Held until it is dropped, or until the process ends in whatever way.
pub(super) struct FileLock {
    _file: File,
}

impl FileLock {
    /// Takes the lock of the ledger at `path`, or says who may not be disturbed.
    pub(super) fn take(path: &Path) -> Result<Self, OpenError> {
        let lock_path = lock_path(path);
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&lock_path)
            .map_err(|error| OpenError::io(&lock_path, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(error)) => Err(OpenError::io(&lock_path, &error)),
        }
    }
}

/// One lock for one ledger, however its folder is spelled.
fn lock_path(path: &Path) -> PathBuf {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mut name = path.into_os_string();
    name.push(".lock");
    PathBuf::from(name)
}
