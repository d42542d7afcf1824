//! Idempotency keys: where a front door finds them, which are in use, and what distinguishes two
//! requests with the same key.
//!
//! What must stay true: a fingerprint does not change with the order or the spelling of what was
//! sent, and never between two versions of this program.

use super::refusal::Refusal;
use crate::domain::draft::batch::Drafts;
use crate::domain::draft::canonical::canonical;
use crate::domain::draft::source::{Source, text_of};
use crate::domain::hex::hex;
use crate::ledger::{LedgerError, Render, UserKey};
use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::sync::Arc;

/// The longest idempotency key, in characters.
const KEY_CHARS_MAX: usize = 255;

/// An idempotency key: 1 to 255 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The key in `text`, if it is one.
    pub fn parse(text: &str) -> Option<Self> {
        let good = (1..=KEY_CHARS_MAX).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_graphic());
        good.then(|| Self(text.to_owned()))
    }

    /// The key in the header of a request.
    ///
    /// # Errors
    /// That it is none.
    pub fn in_header(bytes: &[u8]) -> Result<Self, Refusal> {
        let text = std::str::from_utf8(bytes).ok();
        text.and_then(Self::parse).ok_or(Refusal::MalformedKey)
    }

    /// The key that stands in `field` of the objects of a call. It is that of the whole call, so
    /// that it is made from all of them, and there is none where one of them has nothing there.
    pub fn in_fields<'s, S: Source<'s>>(objects: &[S], field: &str) -> Option<Self> {
        let texts: Vec<&str> =
            objects.iter().map(|object| text_of(*object, field)).collect::<Option<_>>()?;
        match texts.as_slice() {
            [] => None,
            // Any other text in such a field protects as well, by its digest.
            [text] => Self::parse(text).or_else(|| Self::of_digest([*text])),
            // With the lengths, so that no two lists of texts run together into the same one.
            several => {
                let lengths: Vec<String> =
                    several.iter().map(|text| text.len().to_string()).collect();
                let lengths = format!("{}\n", lengths.join(" "));
                Self::of_digest([lengths.as_str()].into_iter().chain(several.iter().copied()))
            }
        }
    }

    /// A key made from texts that cannot be one as they are.
    fn of_digest<'t>(texts: impl IntoIterator<Item = &'t str>) -> Option<Self> {
        let mut hash = Sha256::new();
        for text in texts {
            hash.update(text.as_bytes());
        }
        Self::parse(&format!("sha256:{}", hex(&hash.finalize())))
    }

    /// The characters of the key.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The characters of the key.
    pub(super) fn into_text(self) -> String {
        self.0
    }
}

/// What keys are apart by, beside their users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyScope {
    /// Keys of create, by SOAP and by its twins.
    Create,
    /// Keys of the v1 operations.
    V1,
}

impl KeyScope {
    /// The name under which the ledger keeps their answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::V1 => "v1",
        }
    }
}

/// A key, what else distinguishes requests, and how the answer is made.
pub struct Once {
    /// The caller's key.
    pub key: IdempotencyKey,
    /// Beside which other keys it stands.
    pub scope: KeyScope,
    /// What the front door adds to the fingerprint: what the answer's bytes depend on.
    pub shape: String,
    /// Makes the answer.
    pub render: Render,
}

impl Once {
    /// Whether the answer is made anew once gateways were asked.
    pub(super) fn is_amended(&self) -> bool {
        matches!(self.render, Render::Views(_))
    }
}

/// A key that is running.
type RunningEntry = (UserKey, KeyScope, String);

/// The keys whose requests are running in this process. Among nodes their batches take turns, so
/// that the second one finds the answer of the first.
#[derive(Debug, Default, Clone)]
pub struct RunningKeys(Arc<Mutex<HashSet<RunningEntry>>>);

/// Keeps a key marked as running until it is dropped.
pub(super) struct RunningKey {
    keys: RunningKeys,
    entry: RunningEntry,
}

impl RunningKeys {
    /// Marks the key of a request as running; none where it is already.
    pub(super) fn start(&self, user: UserKey, once: &Once) -> Option<RunningKey> {
        let entry = (user, once.scope, once.key.as_str().to_owned());
        self.0.lock().insert(entry.clone()).then(|| RunningKey { keys: self.clone(), entry })
    }
}

impl Drop for RunningKey {
    fn drop(&mut self) {
        self.keys.0.lock().remove(&self.entry);
    }
}

/// What a request asks for, regardless of prefixes, field order and session. Each part is hashed
/// behind its length, so that no two lists run together into the same one.
pub(super) fn fingerprint(drafts: &Drafts, shape: &str) -> Result<[u8; 32], LedgerError> {
    let unreadable = |error: serde_json::Error| LedgerError::Unavailable(error.to_string());
    let fields = canonical(drafts).map_err(unreadable)?;
    let mut hash = Sha256::new();
    let mut add = |part: &str| {
        hash.update(part.len().to_be_bytes());
        hash.update(part.as_bytes());
    };
    add(shape);
    for (name, value) in &fields {
        add(name);
        add(value);
    }
    Ok(hash.finalize().into())
}
