//! A ledger's file that is being made from another ledger's rows.
//!
//! What must stay true: the name is taken first, by a file that says what it is and that nothing
//! opens as a ledger, and the ledger gets that name when it is whole and durable.

use super::lock::FileLock;
use super::names::{beside, folder_of};
use crate::ledger::moving::MoveError;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// What a file says as long as the ledger is not made whose name it has.
const UNFINISHED: &[u8] = b"a copy of a ledger to this file was not finished\n";

/// A file that is being made, under another name than it will have.
pub struct Partial {
    path: PathBuf,
    name: PathBuf,
    _lock: FileLock,
}

impl Partial {
    /// Takes a name, where nothing is or what is left of a copy that was not finished, and makes an
    /// empty file.
    pub fn begin(name: &Path) -> Result<Self, MoveError> {
        let refused = |error| io_error(name, error);
        if name.symlink_metadata().is_ok() {
            if !is_unfinished(name).map_err(refused)? {
                return Err(MoveError::NotEmpty(name.display().to_string()));
            }
        } else {
            let named = File::options().write(true).create_new(true).mode(0o600).open(name);
            let said = named.and_then(|mut named| {
                named.write_all(UNFINISHED)?;
                named.sync_all()?;
                sync_names_beside(name)
            });
            said.map_err(refused)?;
        }
        let lock = FileLock::take(name)?;
        let path = beside(name, ".partial");
        let made = File::options().write(true).create(true).truncate(true).mode(0o600).open(&path);
        made.map_err(|error| io_error(&path, error))?;
        Ok(Self { path, name: name.to_owned(), _lock: lock })
    }

    /// Where the file is as long as it is not whole.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where it will be.
    pub fn name(&self) -> &Path {
        &self.name
    }

    /// Makes the file durable, which nothing has open any more, and gives it its name.
    pub fn finish(self) -> Result<(), MoveError> {
        let renamed = File::open(&self.path)
            .and_then(|file| file.sync_all())
            .and_then(|()| fs::rename(&self.path, &self.name))
            .and_then(|()| sync_names_beside(&self.name));
        renamed.map_err(|error| io_error(&self.name, error))
    }
}

/// Whether a file stands for a ledger that was not finished.
pub fn is_unfinished(path: &Path) -> io::Result<bool> {
    if !fs::metadata(path)?.is_file() {
        return Ok(false);
    }
    let mut begin = Vec::with_capacity(UNFINISHED.len());
    let length = u64::try_from(UNFINISHED.len()).unwrap_or(u64::MAX);
    File::open(path)?.take(length).read_to_end(&mut begin)?;
    Ok(begin == UNFINISHED)
}

/// Makes the names in the folder of a file durable.
fn sync_names_beside(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

fn io_error(path: &Path, error: io::Error) -> MoveError {
    MoveError::Io { path: path.to_owned(), error }
}
