//! Where the admin listener of the gateway is that has a ledger's file open: a file beside the
//! ledger, by which commands on that ledger find the gateway, whatever its port.
//!
//! What must stay true: the file says where to ask and nothing that may not be read; that the
//! gateway there has this ledger is known by the token that it drew.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
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
/// dropped. What has that name is replaced; where it is a link, what it leads to stays as it is.
///
/// # Errors
/// Where the file cannot be written.
pub(super) fn write(ledger: &Path, url: &str) -> io::Result<UntilTheEnd> {
    let file = file_of(ledger);
    match fs::remove_file(&file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut made = OpenOptions::new().write(true).create_new(true).mode(0o644).open(&file)?;
    made.write_all(format!("{url}\n").as_bytes())?;
    Ok(UntilTheEnd(file))
}

/// The URL beside the ledger; none where no gateway left one.
pub(super) fn beside(ledger: &Path) -> Option<String> {
    let text = fs::read_to_string(file_of(ledger)).ok()?;
    Some(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;
    use tempfile::TempDir;

    /// Regression: a file that a link of that name leads to was written over.
    #[test]
    fn what_a_link_leads_to_stays_as_it_is() {
        let folder = TempDir::new().unwrap();
        let (ledger, other) = (folder.path().join("ledger.db"), folder.path().join("other"));
        fs::write(&other, "as it was").unwrap();
        symlink(&other, file_of(&ledger)).unwrap();
        let written = write(&ledger, "http://127.0.0.1:1").unwrap();
        assert_eq!(beside(&ledger).as_deref(), Some("http://127.0.0.1:1"));
        assert_eq!(fs::read_to_string(&other).unwrap(), "as it was");
        drop(written);
        assert_eq!(beside(&ledger), None);
    }
}
