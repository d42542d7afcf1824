//! Passwords: hashed with Argon2id at the OWASP minimum (19 MiB, 2 passes, 1 lane).

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use std::sync::LazyLock;

/// A password could not be hashed, or the hash is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the password cannot be hashed: {0}")]
pub struct PasswordError(String);

/// The PHC string of `password`, with a salt of its own.
pub fn hash(password: &str) -> Result<String, PasswordError> {
    Argon2::default()
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|error| PasswordError(error.to_string()))
}

/// Checks that `text` is the PHC string of an Argon2 hash.
pub fn check_form(text: &str) -> Result<(), PasswordError> {
    let hash = PasswordHash::new(text).map_err(|error| PasswordError(error.to_string()))?;
    let is_argon2 = hash.algorithm.as_str().starts_with("argon2");
    if is_argon2 { Ok(()) } else { Err(PasswordError("it is no argon2 hash".to_owned())) }
}

/// Whether `password` is the one behind `stored`. Without a stored hash a dummy is checked, so that
/// an unknown user takes as long as a wrong password.
pub fn verify(password: &str, stored: Option<&str>) -> bool {
    static DUMMY: LazyLock<String> = LazyLock::new(|| hash("nobody has this").unwrap_or_default());
    let known = stored.is_some();
    let Ok(hash) = PasswordHash::new(stored.unwrap_or(&DUMMY)) else {
        return false;
    };
    Argon2::default().verify_password(password.as_bytes(), &hash).is_ok() && known
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_itself_is_accepted() {
        let stored = hash("demo").unwrap();
        assert!(check_form(&stored).is_ok());
        assert!(verify("demo", Some(&stored)));
        assert!(!verify("Demo", Some(&stored)));
        assert!(!verify("", Some(&stored)));
        assert!(!verify("nobody has this", None));
        assert!(check_form("demo").is_err());
    }
}
