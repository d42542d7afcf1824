//! The exclusive lock of a ledger, held for as long as it is served or seeded.
//!
//! There is a file beside the ledger that is locked, which works wherever Rust does. On Linux the
//! ledger's own file is locked as well, so that neither another name of it (a hard link) nor a
//! removed lock file lets a second process in; elsewhere that lock could get into the way of those
//! that SQLite takes on the same file.

use super::names::beside;
use super::open_error::OpenError;
use rustix::fs::OFlags;
use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Refuses to open a symbolic link (open(2), `O_NOFOLLOW`).
const NO_LINK: i32 = OFlags::NOFOLLOW.bits().cast_signed();

/// Held until it is dropped, or until the process ends in whatever way.
pub struct FileLock {
    _beside: File,
    /// Closing any handle of the ledger drops the locks that SQLite holds on it (POSIX locks belong
    /// to the process), so this one outlives every connection.
    _own: Option<File>,
}

impl FileLock {
    /// Takes the lock of the ledger at `path`, which exists.
    pub fn take(path: &Path) -> Result<Self, OpenError> {
        let beside = lock_path(path);
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            // A link would have another file made, or locked.
            .custom_flags(NO_LINK)
            .open(&beside)
            .map_err(|error| OpenError::io(&beside, &error))?;
        let beside = locked(file, path)?;
        let own = if cfg!(target_os = "linux") {
            let file = OpenOptions::new().read(true).write(true).open(path);
            Some(locked(file.map_err(|error| OpenError::io(path, &error))?, path)?)
        } else {
            None
        };
        Ok(Self { _beside: beside, _own: own })
    }
}

fn locked(file: File, ledger: &Path) -> Result<File, OpenError> {
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path: ledger.to_owned() }),
        Err(TryLockError::Error(error)) => Err(OpenError::io(ledger, &error)),
    }
}

/// One lock for one ledger, however its folder is spelled.
fn lock_path(path: &Path) -> PathBuf {
    beside(&path.canonicalize().unwrap_or_else(|_| path.to_owned()), ".lock")
}
