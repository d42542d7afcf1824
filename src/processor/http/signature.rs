//! The signature of a request: HMAC-SHA256 over everything that could be changed on the way.
//!
//! What must stay true: the secret is never printed, logged or shown.

use crate::client::Request;
use crate::client::header::HeaderValue;
use crate::domain::hex::hex;
use hmac::{Hmac, KeyInit, Mac};
use parking_lot::RwLock;
use sha2::{Digest, Sha256};
use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// The header that carries the moment of signing, in Unix seconds.
const TIME_HEADER: &str = "refund-gateway-time";
/// The header that carries the signature.
pub(super) const SIGNATURE_HEADER: &str = "refund-gateway-signature";
/// The form of what is signed, which the signature names.
const FORM: &str = "v1";
/// The fewest characters of a secret; 32 random ones are better.
const SECRET_CHARS_MIN: usize = 16;
/// The most.
const SECRET_CHARS_MAX: usize = 1024;

/// What the gateway and a processor's adapter share. Its clones are one secret: where one is
/// replaced, all are.
#[derive(Clone)]
pub struct Secret(Arc<RwLock<String>>);

/// Why a text is no secret. The text itself is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a secret is 16 to 1024 visible ASCII characters and blanks, on one line")]
pub struct NoSecret;

impl Secret {
    /// The secret in `text`, without the end of line that files have.
    pub fn parse(text: &str) -> Result<Self, NoSecret> {
        let text = text.strip_suffix('\n').unwrap_or(text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        let is_long_enough = (SECRET_CHARS_MIN..=SECRET_CHARS_MAX).contains(&text.len());
        let is_visible = text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
        let secret = || Self(Arc::new(RwLock::new(text.to_owned())));
        if is_long_enough && is_visible { Ok(secret()) } else { Err(NoSecret) }
    }

    /// Takes over another secret, in which what is signed from now on is signed. Whether it is
    /// another at all.
    pub fn replace_by(&self, other: &Self) -> bool {
        let other = other.0.read().clone();
        let mut own = self.0.write();
        let differs = *own != other;
        *own = other;
        differs
    }

    /// The value of `Refund-Gateway-Signature` for a request: its method, its path with the query,
    /// the value of `Refund-Gateway-Time`, and its body.
    pub fn sign(&self, method: &str, path: &str, time: u64, body: &[u8]) -> String {
        let digest = hex(&Sha256::digest(body));
        let text = format!("{FORM}\n{method}\n{path}\n{time}\n{digest}");
        // A key of any length will do for HMAC, so that there is nothing to fail.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.0.read().as_bytes()) else {
            unreachable!("HMAC takes keys of any length")
        };
        mac.update(text.as_bytes());
        format!("{FORM}={}", hex(&mac.finalize().into_bytes()))
    }

    /// Signs a request as of a moment, in Unix seconds.
    pub fn sign_request(&self, request: &mut Request, time: u64) {
        let Request { method, path, headers, body } = request;
        let signature = self.sign(method.as_str(), path, time, body);
        headers.insert(TIME_HEADER, HeaderValue::from(time));
        if let Ok(signature) = HeaderValue::from_str(&signature) {
            headers.insert(SIGNATURE_HEADER, signature);
        }
    }
}

/// The moment by the machine's clock, in Unix seconds: signatures are about real time, not the
/// gateway's clock says.
#[expect(clippy::disallowed_methods, reason = "signatures are about real time")]
pub fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_one_line_and_long_enough() {
        assert!(Secret::parse("0123456789abcdef\r\n").is_ok());
        for text in ["", "0123456789abcde", "0123456789\nabcdef", "0123456789abcdé"] {
            assert_eq!(Secret::parse(text).err(), Some(NoSecret), "{text}");
        }
        assert_eq!(Secret::parse(&"x".repeat(1025)).err(), Some(NoSecret));
    }

    #[test]
    fn a_secret_is_never_shown() {
        let secret = Secret::parse("0123456789abcdef").unwrap();
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }

    #[test]
    fn a_secret_is_replaced_wherever_it_is_used() {
        let secret = |text: &str| Secret::parse(text).unwrap();
        let own = secret("0123456789abcdef\n");
        let (used, new) = (own.clone(), secret("fedcba9876543210"));
        assert!(!own.replace_by(&secret("0123456789abcdef")));
        assert!(own.replace_by(&new));
        assert_eq!(used.sign("GET", "/", 1, b""), new.sign("GET", "/", 1, b""));
    }

    #[test]
    fn everything_that_is_signed_counts() {
        let secret = Secret::parse("0123456789abcdef").unwrap();
        let signed = secret.sign("POST", "/refunds", 1, b"{}");
        assert_eq!(signed.len(), "v1=".len() + 64);
        for other in [
            secret.sign("GET", "/refunds", 1, b"{}"),
            secret.sign("POST", "/refunds/", 1, b"{}"),
            secret.sign("POST", "/refunds", 2, b"{}"),
            secret.sign("POST", "/refunds", 1, b"{ }"),
            Secret::parse("0123456789abcdeF").unwrap().sign("POST", "/refunds", 1, b"{}"),
        ] {
            assert_ne!(signed, other);
        }
    }
}
