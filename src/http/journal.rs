//! The journal of a test gateway: the last exchanges, so that a tester can see what a client sent
//! and why it was refused.
//!
//! What must stay true: it exists on test ledgers alone; no secret gets in; it never holds more
//! than so many exchanges of so many bytes each.

use crate::domain::secret::{HIDDEN, without_secrets};
use crate::soap::SoapAnswer;
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The operation of an exchange of which nobody knows any.
pub(super) const UNKNOWN: &str = "unknown";

/// How many exchanges are kept.
const ENTRIES_MAX: usize = 200;
/// How much of a request or an answer is kept, in bytes.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// An exchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Entry {
    /// Its number, from 1.
    pub(super) id: u64,
    /// When it ended, by the gateway's clock.
    pub(super) at: DateTime<Utc>,
    /// The version in the path, as sent.
    pub(super) version: String,
    /// The operation, or `unknown`.
    pub(super) operation: String,
    /// `ok`, the code of the fault, `ordered` for a fault that was ordered, or `withheld`.
    pub(super) outcome: String,
    /// The HTTP status; none without an answer.
    pub(super) status: Option<u16>,
    /// How many rows failed.
    pub(super) row_errors: u32,
    /// How many fields with a value were passed over.
    pub(super) ignored_fields: u32,
    /// Whether a stored answer was given again.
    pub(super) replayed: bool,
    /// Whether the request is longer than what is kept of it.
    #[serde(skip)]
    pub(super) is_cut: bool,
    /// The request without its secrets, cut to 64 KiB.
    pub(super) request: String,
    /// The answer without its secrets, cut to 64 KiB.
    pub(super) answer: String,
}

impl Entry {
    /// Whether anything was refused.
    pub(super) fn has_failed(&self) -> bool {
        self.outcome != "ok" || self.row_errors > 0
    }
}

/// The journal.
#[derive(Debug, Default)]
pub(super) struct Journal(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    last_id: u64,
    /// How often it began anew.
    beginnings: u64,
    entries: VecDeque<Entry>,
}

/// The right to note an exchange in the journal as it is, until that begins anew.
pub(super) struct Page<'j> {
    journal: &'j Journal,
    beginnings: u64,
}

impl Journal {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The place of an exchange that begins now.
    pub(super) fn page(&self) -> Page<'_> {
        Page { journal: self, beginnings: self.lock().beginnings }
    }

    /// The newest exchanges that `wanted` takes, newest first, at most so many.
    pub(super) fn newest(&self, most: usize, wanted: impl Fn(&Entry) -> bool) -> Vec<Entry> {
        self.lock().entries.iter().rev().filter(|entry| wanted(entry)).take(most).cloned().collect()
    }

    /// The exchange of this number, if it is still there.
    pub(super) fn find(&self, id: u64) -> Option<Entry> {
        self.lock().entries.iter().find(|entry| entry.id == id).cloned()
    }

    /// Forgets all exchanges.
    pub(super) fn clear(&self) {
        self.lock().entries.clear();
    }

    /// Forgets all exchanges, and those that are under way as well.
    pub(super) fn begin_anew(&self) {
        let mut kept = self.lock();
        kept.entries.clear();
        kept.beginnings += 1;
    }
}

impl Page<'_> {
    /// Notes an exchange with its answer, or with the operation that was given none.
    pub(super) fn note(
        self,
        at: DateTime<Utc>,
        version: &str,
        request: &[u8],
        answer: Result<&SoapAnswer, &&'static str>,
    ) {
        let answered = answer.ok();
        let entry = Entry {
            id: 0,
            at,
            version: version.to_owned(),
            operation: answer.map_or_else(|operation| *operation, |it| it.operation).to_owned(),
            outcome: answered.map_or("withheld", |answer| answer.outcome).to_owned(),
            status: answered.map(|answer| answer.status),
            row_errors: answered.map_or(0, |answer| answer.row_errors),
            ignored_fields: answered.map_or(0, |answer| answer.ignored_fields),
            replayed: answered.is_some_and(|answer| answer.replayed),
            is_cut: request.len() > BODY_BYTES_MAX,
            request: shown(request),
            answer: answered.map_or_else(String::new, |answer| shown(&answer.body)),
        };
        let mut kept = self.journal.lock();
        if kept.beginnings != self.beginnings {
            return;
        }
        kept.last_id += 1;
        let id = kept.last_id;
        if kept.entries.len() == ENTRIES_MAX {
            kept.entries.pop_front();
        }
        kept.entries.push_back(Entry { id, ..entry });
    }
}

/// A body for people: without its secrets, and not too much of it. What is too much is left away
/// first, so that no body takes long; the pattern of secrets knows those that are cut.
fn shown(body: &[u8]) -> String {
    let body = body.get(..BODY_BYTES_MAX).unwrap_or(body);
    let text = crate::xml::decode(body, None).unwrap_or_else(|_| String::from_utf8_lossy(body));
    // No XML holds it: the encoding of these bytes is unknown, and with it where secrets are.
    if text.contains('\0') {
        return HIDDEN.to_owned();
    }
    let text = without_secrets(&text);
    let end = text.floor_char_boundary(BODY_BYTES_MAX.min(text.len()));
    text.get(..end).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::body::Bytes;

    #[test]
    fn it_keeps_the_newest_and_no_secret() {
        let journal = Journal::default();
        let request = Bytes::from_static(b"<login><password>s3cret</password></login>");
        for _ in 0..=ENTRIES_MAX {
            journal.page().note(DateTime::UNIX_EPOCH, "91.0", &request, Err(&"login"));
        }
        let all = journal.newest(usize::MAX, |_| true);
        assert_eq!((all.len(), all[0].id), (ENTRIES_MAX, ENTRIES_MAX as u64 + 1));
        assert!(!all[0].request.contains("s3cret"), "{}", all[0].request);
        let wide = " <password>s3cret</password>".encode_utf16().flat_map(u16::to_be_bytes);
        assert_eq!(shown(&wide.collect::<Vec<_>>()), HIDDEN);
        assert!(journal.find(1).is_none() && journal.find(2).is_some());
        assert!(all[0].has_failed());
        journal.clear();
        assert!(journal.newest(10, |_| true).is_empty());
    }

    #[test]
    fn what_was_under_way_when_it_began_anew_is_not_noted() {
        let journal = Journal::default();
        let note = |page: Page<'_>| page.note(DateTime::UNIX_EPOCH, "91.0", b"", Err(&"create"));
        let (old, older) = (journal.page(), journal.page());
        note(older);
        journal.begin_anew();
        note(old);
        assert!(journal.newest(10, |_| true).is_empty());
        note(journal.page());
        let noted = journal.newest(10, |_| true);
        assert_eq!((noted.len(), noted[0].operation.as_str()), (1, "create"));
    }

    #[test]
    fn a_body_that_is_cut_shows_no_secret() {
        let long = format!("{}<password>s3cret", " ".repeat(BODY_BYTES_MAX - 13));
        assert!(!shown(long.as_bytes()).contains("s3"), "{}", shown(long.as_bytes()).trim());
        let wide = format!("{}é", "x".repeat(BODY_BYTES_MAX - 1));
        assert!(shown(wide.as_bytes()).len() <= BODY_BYTES_MAX);
    }
}
