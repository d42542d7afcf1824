//! Which files a ledger's path and its log lead to: where one of them is removed or replaced while
//! the ledger is served, refunds would otherwise be acknowledged into a file that is never read
//! again.

use super::names::log_of;
use rustix::fs::stat;
use std::ffi::CString;
use std::io;
use std::path::{Path, PathBuf};

/// The file that a path led to, and the log beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    file: Place,
    log: Option<Place>,
}

/// A path, and the file that it led to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    path: PathBuf,
    /// The path as the system takes it, because each batch asks for it.
    name: CString,
    device: u64,
    inode: u64,
}

/// What is not there any more, or is another file by the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Parted {
    /// The ledger's file.
    #[error("its file was removed or replaced")]
    File,
    /// The log beside it.
    #[error("its log was removed or replaced")]
    Log,
}

impl Identity {
    /// What `path` leads to now, whatever log is beside it.
    pub fn of(path: &Path) -> io::Result<Self> {
        Ok(Self { file: Place::of(path.to_owned())?, log: None })
    }

    /// What `path` leads to now, with the log that is beside it from now on.
    pub fn with_its_log(path: &Path) -> io::Result<Self> {
        Ok(Self { log: Some(Place::of(log_of(path))?), ..Self::of(path)? })
    }

    /// The path.
    pub fn path(&self) -> &Path {
        &self.file.path
    }

    /// Whether the paths still lead there.
    pub fn check(&self) -> Result<(), Parted> {
        if !self.file.holds() {
            return Err(Parted::File);
        }
        match self.log.as_ref().is_none_or(Place::holds) {
            true => Ok(()),
            false => Err(Parted::Log),
        }
    }
}

impl Place {
    fn of(path: PathBuf) -> io::Result<Self> {
        let name = CString::new(path.as_os_str().as_encoded_bytes())?;
        let file = stat(&name)?;
        Ok(Self { path, name, device: file.st_dev, inode: file.st_ino })
    }

    fn holds(&self) -> bool {
        stat(&self.name).is_ok_and(|file| (file.st_dev, file.st_ino) == (self.device, self.inode))
    }
}
