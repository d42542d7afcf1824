//! Passwords: hashed with Argon2id at the OWASP minimum (19 MiB, 2 passes, 1 lane).
//!
//! The memory of a check is kept for the next one. Left to the allocator, blocks of that size stay
//! with each thread that ever hashed, and a day of logins held 1.5 GB.

use argon2::password_hash::phc::{Output, PasswordHash};
use argon2::{Algorithm, Argon2, Block, Params, PasswordHasher, Version};
use parking_lot::{Mutex, MutexGuard};
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

/// The memory of password checks: as many buffers as checks ever ran at once, of one default hash
/// (19 MiB) each. A hash that was made with larger parameters gets memory of its own.
#[derive(Default)]
pub struct HashMemory(Mutex<Vec<Vec<Block>>>);

impl HashMemory {
    /// Runs `work` on `count` blocks, whose content is of no meaning.
    fn with<T>(&self, count: usize, work: impl FnOnce(&mut [Block]) -> T) -> T {
        if count > DEFAULT_BLOCKS {
            return work(&mut vec![Block::new(); count]);
        }
        let kept = self.kept().pop();
        let mut blocks = kept.unwrap_or_else(|| vec![Block::new(); DEFAULT_BLOCKS]);
        let result = work(blocks.get_mut(..count).unwrap_or_default());
        self.kept().push(blocks);
        result
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Vec<Block>>> {
        self.0.lock()
    }
}

/// How many blocks of 1 KiB the default parameters take.
const DEFAULT_BLOCKS: usize = Params::DEFAULT.block_count();

/// Whether `password` is the one behind `stored`. Without a stored hash a dummy is checked, so that
/// an unknown user takes as long as a wrong password.
pub fn verify(password: &str, stored: Option<&str>, memory: &HashMemory) -> bool {
    static DUMMY: LazyLock<String> = LazyLock::new(|| hash("no user has this").unwrap_or_default());
    let known = stored.is_some();
    let Ok(stored) = PasswordHash::new(stored.unwrap_or(&DUMMY)) else {
        return false;
    };
    let expected = stored.hash;
    expected.is_some() && hash_again(password, &stored, memory) == expected && known
}

/// The hash of `password` with the salt and the parameters of `stored`; none if those are unfit.
/// Two outputs are compared in constant time.
fn hash_again(password: &str, stored: &PasswordHash, memory: &HashMemory) -> Option<Output> {
    let algorithm = Algorithm::try_from(stored.algorithm.as_str()).ok()?;
    let version = stored.version.map(Version::try_from).transpose().ok()?.unwrap_or_default();
    let params = Params::try_from(stored).ok()?;
    let (salt, length) = (stored.salt?, stored.hash?.len());
    let mut out = [0; Output::MAX_LENGTH];
    let out = out.get_mut(..length)?;
    let hashed = memory.with(params.block_count(), |blocks| {
        let argon2 = Argon2::new(algorithm, version, params);
        argon2.hash_password_into_with_memory(password.as_bytes(), &salt, out, blocks)
    });
    hashed.ok().and_then(|()| Output::new(out).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_itself_is_accepted() {
        let (stored, memory) = (hash("demo").unwrap(), HashMemory::default());
        assert!(check_form(&stored).is_ok());
        assert!(verify("demo", Some(&stored), &memory));
        assert!(!verify("Demo", Some(&stored), &memory));
        assert!(!verify("", Some(&stored), &memory));
        assert!(!verify("no user has this", None, &memory));
        assert!(check_form("demo").is_err());
        assert!(!verify("demo", Some("demo"), &memory));
    }

    #[test]
    fn one_check_after_the_other_takes_one_buffer() {
        let (stored, memory) = (hash("demo").unwrap(), HashMemory::default());
        for _ in 0..3 {
            assert!(verify("demo", Some(&stored), &memory));
        }
        assert_eq!(memory.kept().len(), 1);
    }

    #[test]
    fn hashes_of_other_parameters_and_algorithms_are_checked_by_their_own() {
        let memory = HashMemory::default();
        for (kibibytes, algorithm) in [(8, Algorithm::Argon2i), (20 * 1024, Algorithm::Argon2id)] {
            let params = Params::new(kibibytes, 1, 1, Some(16)).unwrap();
            let hasher = Argon2::new(algorithm, Version::V0x10, params);
            let stored = hasher.hash_password(b"demo").unwrap().to_string();
            assert!(verify("demo", Some(&stored), &memory), "{stored}");
            assert!(!verify("other", Some(&stored), &memory), "{stored}");
        }
        assert_eq!(memory.kept().len(), 1, "larger memory is given back to the allocator");
    }
}
