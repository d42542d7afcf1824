//! Secrets that are known by their value, wherever they turn up in a report.
//!
//! Those that their element tells are taken out by `soap::secret`.

use crate::soap::secret::HIDDEN;
use std::sync::{PoisonError, RwLock};

/// Secrets that are known by their value, wherever they turn up.
#[derive(Debug, Default)]
pub(super) struct KnownSecrets {
    values: RwLock<Vec<String>>,
}

impl KnownSecrets {
    pub(super) fn add(&self, value: &str) {
        if !value.is_empty() {
            self.values.write().unwrap_or_else(PoisonError::into_inner).push(value.to_owned());
        }
    }

    /// Takes every known secret out of a text.
    pub(super) fn hide(&self, text: &mut String) {
        for value in self.values.read().unwrap_or_else(PoisonError::into_inner).iter() {
            if text.contains(value) {
                *text = text.replace(value, HIDDEN);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_secrets_are_hidden_wherever_they_are() {
        let secrets = KnownSecrets::default();
        secrets.add("");
        secrets.add("s3cret");
        let mut text = "a s3cret, s3cret".to_owned();
        secrets.hide(&mut text);
        assert_eq!(text, "a <!-- hidden -->, <!-- hidden -->");
    }
}
