//! The files of snapshots, in a folder beside the ledger.
//!
//! What must stay true: a snapshot has its name only once it is whole, and is readable by its owner
//! alone.

use super::names::beside;
use crate::ledger::test_bench::{Snapshot, SnapshotError};
use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Puts what `write` writes into an empty file in the place of an earlier snapshot.
pub fn save<E>(
    ledger: &Path,
    name: &str,
    write: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<Result<(), SnapshotError>, E> {
    let file = file_of(ledger, name);
    // Under another name until it is whole.
    let unfinished = file.with_extension("unfinished");
    if let Err(error) = make_empty(&folder_of(ledger), &unfinished) {
        return Ok(Err(error.into()));
    }
    write(&unfinished)?;
    let replaced = remove_logs_of(&file).and_then(|()| fs::rename(unfinished, file));
    Ok(replaced.map_err(SnapshotError::from))
}

/// Removes a snapshot.
pub fn remove(ledger: &Path, name: &str) -> Result<(), SnapshotError> {
    let file = file_of(ledger, name);
    match fs::remove_file(&file).and_then(|()| remove_logs_of(&file)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(SnapshotError::Missing(name.to_owned()))
        }
        removed => Ok(removed?),
    }
}

/// The snapshots of a ledger, by name.
pub fn all(ledger: &Path) -> Result<Vec<Snapshot>, SnapshotError> {
    let files = match fs::read_dir(folder_of(ledger)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        files => files?,
    };
    let mut snapshots = Vec::new();
    for file in files {
        let file = file?;
        let name = file.file_name().to_string_lossy().strip_suffix(".db").map(str::to_owned);
        if let Some(name) = name {
            let about = file.metadata()?;
            snapshots.push(Snapshot { name, bytes: about.len(), saved: about.modified()? });
        }
    }
    snapshots.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(snapshots)
}

/// Removes logs whose snapshots are gone.
pub fn sweep(ledger: &Path) -> io::Result<()> {
    let files = match fs::read_dir(folder_of(ledger)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        files => files?,
    };
    for file in files {
        let file = file?.path();
        let name = file.to_string_lossy();
        let snapshot = ["-wal", "-shm"].iter().find_map(|suffix| name.strip_suffix(suffix));
        if snapshot.is_some_and(|snapshot| !Path::new(snapshot).exists()) {
            fs::remove_file(&file)?;
        }
    }
    Ok(())
}

/// The file of a snapshot.
pub fn file_of(ledger: &Path, name: &str) -> PathBuf {
    folder_of(ledger).join(format!("{name}.db"))
}

fn folder_of(ledger: &Path) -> PathBuf {
    beside(ledger, ".snapshots")
}

fn make_empty(folder: &Path, file: &Path) -> io::Result<()> {
    match fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(file).map(|_| ())
}

/// Removes what an earlier version of this program left beside a snapshot, which would be taken
/// for a part of the next one of that name.
fn remove_logs_of(snapshot: &Path) -> io::Result<()> {
    for suffix in ["-wal", "-shm"] {
        match fs::remove_file(beside(snapshot, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
