//! `credential:NAME` in place of a file: a credential that the service manager handed over
//! (systemd's LoadCredential, in the folder that CREDENTIALS_DIRECTORY names).
//!
//! What must stay true: a name leads to no other folder.

use std::path::{Path, PathBuf};

/// The folder of the credentials of this process.
const FOLDER: &str = "CREDENTIALS_DIRECTORY";
const PREFIX: &str = "credential:";

/// Why a credential is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum CredentialError {
    /// Its name is that of no file.
    #[error("a credential has a name without a slash, as in credential:bank")]
    Name,
    /// No service manager handed any over.
    #[error(
        "{PREFIX}{0} is a credential of the service manager, and {FOLDER} is not set; name a file \
         instead, or start the gateway as a service with LoadCredential"
    )]
    NoFolder(String),
}

/// The file that `path` means: itself, or the credential that it names.
pub(super) fn file_of(path: &Path) -> Result<PathBuf, CredentialError> {
    file_in(path, std::env::var_os(FOLDER).map(PathBuf::from))
}

fn file_in(path: &Path, folder: Option<PathBuf>) -> Result<PathBuf, CredentialError> {
    let Some(name) = path.to_str().and_then(|text| text.strip_prefix(PREFIX)) else {
        return Ok(path.to_owned());
    };
    if name.is_empty() || name.contains('/') || name.starts_with('.') {
        return Err(CredentialError::Name);
    }
    let folder = folder.ok_or_else(|| CredentialError::NoFolder(name.to_owned()))?;
    Ok(folder.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_a_file_of_the_service_managers_folder() {
        let folder = || Some(PathBuf::from("/run/credentials/x"));
        let of = |path: &str| file_in(Path::new(path), folder());
        assert_eq!(of("credential:bank"), Ok(PathBuf::from("/run/credentials/x/bank")));
        assert_eq!(of("/etc/bank"), Ok(PathBuf::from("/etc/bank")));
        assert_eq!(of("bank"), Ok(PathBuf::from("bank")));
    }

    #[test]
    fn no_name_leads_to_another_folder() {
        for path in ["credential:", "credential:../bank", "credential:..", "credential:a/b"] {
            let found = file_in(Path::new(path), Some(PathBuf::from("/run/credentials/x")));
            assert_eq!(found, Err(CredentialError::Name), "{path}");
        }
    }

    #[test]
    fn without_a_folder_the_name_is_reported() {
        let found = file_in(Path::new("credential:bank"), None);
        assert_eq!(found, Err(CredentialError::NoFolder("bank".to_owned())));
    }
}
