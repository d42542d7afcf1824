//! Where the admin listener of the gateway is that has a ledger's file open: a file beside the
//! ledger, by which commands on that ledger find the gateway, whatever its port.
//!
//! What must stay true: the file says where to ask and nothing that may not be read; that the
//! gateway there has this ledger is known by the token that it drew.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What follows the name of the ledger's file.
pub(super) const SUFFIX: &str = ".admin-url";

/// A file that is taken away when this is dropped.
pub(super) struct UntilTheEnd(pub(super) PathBuf);

impl Drop for UntilTheEnd {
    fn drop(&mut self) {
        // It may have been removed before, which is as good.
        let _ = fs::remove_file(&self.0);
    }
}

fn file_of(ledger: &Path) -> PathBuf {
    let mut file = ledger.as_os_str().to_owned();
    file.push(SUFFIX);
    PathBuf::from(file)
}

/// Writes the URL of the admin listener beside the ledger, where it stays until the result is
/// dropped.
///
/// # Errors
/// Where the file cannot be written.
pub(super) fn write(ledger: &Path, url: &str) -> io::Result<UntilTheEnd> {
    let file = file_of(ledger);
    fs::write(&file, format!("{url}\n"))?;
    Ok(UntilTheEnd(file))
}

/// The URL beside the ledger; none where no gateway left one.
pub(super) fn beside(ledger: &Path) -> Option<String> {
    let text = fs::read_to_string(file_of(ledger)).ok()?;
    Some(text.trim().to_owned())
}
