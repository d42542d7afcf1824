//! The names of the files that stand beside a ledger's.

use std::fs;
use std::path::{Path, PathBuf};

/// The log of the file at `path`: beside the file itself, where `path` is a link to it, as SQLite
/// has it.
pub fn log_of(path: &Path) -> PathBuf {
    let is_link = fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink());
    let file = if is_link { fs::canonicalize(path).ok() } else { None };
    beside(file.as_deref().unwrap_or(path), "-wal")
}

/// Whether a log with something in it stands beside the file; an engine would throw it away as soon
/// as it found the file empty, and with it every refund that is only there.
pub fn has_log(path: &Path) -> bool {
    fs::metadata(log_of(path)).is_ok_and(|log| log.len() > 0)
}

/// A file beside the one at `path`.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The folder that a file is in.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
