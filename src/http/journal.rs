//! The journal: the last exchanges. On a test ledger with their bodies, so that a tester can see
//! what a client sent and why it was refused, and verify what it sent and how often; on any other
//! only who called when, what about, and what came of it.
//!
//! What must stay true: bodies are kept on test ledgers alone; no secret gets in; it holds no more
//! exchanges and takes no more memory than its settings say, and counts how many it has dropped;
//! calls wait for those who read it only as long as it takes to copy a list of references.

mod expect;
mod filter;

pub(super) use expect::Expectation;
pub(super) use filter::{Filter, KEYS as FILTER_KEYS};

use super::settings::HttpSettings;
use crate::call::{Answer, CallNotes, NotedObject, OperationName, Outcome};
use crate::domain::origin::FrontDoor;
use crate::domain::secret::{HIDDEN, without_secrets};
use chrono::{DateTime, Utc};
use parking_lot::{Mutex, MutexGuard};
use serde::{Serialize, Serializer};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// How much of a request or an answer is kept, in bytes.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// An exchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Entry {
    /// Its number, from 1.
    pub(super) id: u64,
    /// When it ended, by the gateway's clock.
    pub(super) at: DateTime<Utc>,
    /// The front door that it came through.
    #[serde(skip)]
    pub(super) door: FrontDoor,
    /// The version in the path, as sent.
    pub(super) version: String,
    /// The method.
    pub(super) method: &'static str,
    /// The path in normal form, without what follows a question mark.
    pub(super) path: String,
    /// The operation, or `unknown`.
    pub(super) operation: &'static str,
    /// `ok`, the code of the fault, `ordered` for a fault that was ordered, or `withheld`.
    pub(super) outcome: &'static str,
    /// How long it took, in milliseconds.
    #[serde(rename = "duration_ms", serialize_with = "in_milliseconds")]
    pub(super) took: Duration,
    /// The HTTP status; none without an answer.
    pub(super) status: Option<u16>,
    /// How many rows failed.
    pub(super) row_errors: u32,
    /// How many fields with a value were passed over.
    pub(super) ignored_fields: u32,
    /// Whether a stored answer was given again.
    pub(super) replayed: bool,
    /// The user whose session it was, or who logged in.
    pub(super) user: Option<String>,
    /// The Idempotency-Key.
    pub(super) key: Option<String>,
    /// The accounts that it is about, by their ids.
    pub(super) accounts: Vec<String>,
    /// The objects of the call, or the parameters of its operation.
    pub(super) objects: Vec<NotedObject>,
    /// Whether the request is longer than what is kept of it.
    #[serde(skip)]
    pub(super) is_cut: bool,
    /// The request without its secrets, cut to 64 KiB.
    pub(super) request: String,
    /// The answer without its secrets, cut to 64 KiB.
    pub(super) answer: String,
}

fn in_milliseconds<S: Serializer>(took: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    // A thousand times as long, so that its seconds are milliseconds.
    serializer.serialize_f64(took.saturating_mul(1_000).as_secs_f64())
}

impl Entry {
    /// Whether anything was refused.
    pub(super) fn has_failed(&self) -> bool {
        self.outcome != "ok" || self.row_errors > 0
    }

    /// How much of the bodies is kept, in bytes.
    pub(super) fn body_bytes(&self) -> usize {
        self.request.len() + self.answer.len()
    }
}

/// An exchange that is kept, with the memory that it takes, in bytes.
#[derive(Debug)]
struct Weighed {
    entry: Arc<Entry>,
    bytes: usize,
}

/// The journal.
#[derive(Debug)]
pub(super) struct Journal {
    exchanges_max: usize,
    bytes_max: usize,
    keeps_bodies: bool,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    last_id: u64,
    /// How often it began anew.
    beginnings: u64,
    entries: VecDeque<Weighed>,
    bytes: usize,
    dropped: u64,
}

/// What a journal holds at a moment.
#[derive(Debug)]
pub(super) struct Contents {
    /// The exchanges, newest first.
    pub(super) entries: Vec<Arc<Entry>>,
    /// How many there were that had to go since it was forgotten last.
    pub(super) dropped: u64,
}

/// Where a call was sent.
pub(super) struct Sent<'c> {
    pub(super) door: FrontDoor,
    /// The version in the path.
    pub(super) version: &'c str,
    pub(super) method: &'static str,
    pub(super) path: String,
}

/// The right to note an exchange in the journal as it is, until that begins anew.
pub(super) struct Page<'j> {
    journal: &'j Journal,
    beginnings: u64,
}

impl Journal {
    /// A journal within the bounds of these settings, of exchanges with their bodies or without.
    pub(super) fn new(settings: &HttpSettings, keeps_bodies: bool) -> Self {
        Self {
            exchanges_max: settings.journal_exchanges_max,
            bytes_max: settings.journal_bytes_max,
            keeps_bodies,
            kept: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock()
    }

    /// Whether it keeps bodies, and what stands in them.
    pub(super) const fn keeps_bodies(&self) -> bool {
        self.keeps_bodies
    }

    /// The place of an exchange that begins now.
    pub(super) fn page(&self) -> Page<'_> {
        Page { journal: self, beginnings: self.lock().beginnings }
    }

    /// Everything that it holds.
    pub(super) fn contents(&self) -> Contents {
        let kept = self.lock();
        let entries = kept.entries.iter().rev().map(|weighed| Arc::clone(&weighed.entry)).collect();
        Contents { entries, dropped: kept.dropped }
    }

    /// Forgets all exchanges.
    pub(super) fn clear(&self) {
        let mut kept = self.lock();
        kept.entries.clear();
        (kept.bytes, kept.dropped) = (0, 0);
    }

    /// Forgets these exchanges, by their numbers in the order in which they are kept.
    pub(super) fn forget(&self, ids: &[u64]) {
        let mut kept = self.lock();
        kept.entries.retain(|weighed| ids.binary_search(&weighed.entry.id).is_err());
        kept.bytes = kept.entries.iter().map(|weighed| weighed.bytes).sum();
    }

    /// Forgets all exchanges, and those that are under way as well.
    pub(super) fn begin_anew(&self) {
        self.clear();
        self.lock().beginnings += 1;
    }

    fn keep(&self, entry: Entry, bytes: usize, beginnings: u64) {
        let mut kept = self.lock();
        if kept.beginnings != beginnings {
            return;
        }
        kept.last_id += 1;
        let entry = Arc::new(Entry { id: kept.last_id, ..entry });
        kept.bytes += bytes;
        kept.entries.push_back(Weighed { entry, bytes });
        while kept.entries.len() > self.exchanges_max || kept.bytes > self.bytes_max {
            let Some(oldest) = kept.entries.pop_front() else { break };
            kept.bytes -= oldest.bytes;
            kept.dropped += 1;
        }
    }
}

impl Page<'_> {
    /// Notes an exchange: when it ended and how long it took, where it was sent, its request and
    /// what that said, and its answer, or the operation that was given none.
    pub(super) fn note(
        self,
        (at, took): (DateTime<Utc>, Duration),
        Sent { door, version, method, path }: Sent<'_>,
        (request, said): (&[u8], CallNotes),
        answer: Result<&Answer, &OperationName>,
    ) {
        let answered = answer.ok();
        let operation = answer.map_or_else(|operation| *operation, |it| it.operation);
        let (request, answer_body) = match answered {
            _ if !self.journal.keeps_bodies => (&b""[..], &b""[..]),
            Some(answer) => (request, &answer.body[..]),
            None => (request, &b""[..]),
        };
        let (request_text, is_cut) = (shown(request), request.len() > BODY_BYTES_MAX);
        let answer_text = shown(answer_body);
        let bodies = request_text.capacity() + answer_text.capacity();
        let bytes = size_of::<Entry>() + version.len() + path.len() + said.bytes() + bodies;
        let mut entry = Entry {
            id: 0,
            at,
            took,
            door,
            version: version.to_owned(),
            method,
            path,
            // Of a call that was given up, only the notes know what it was.
            operation: match operation {
                OperationName::Unknown => said.operation.unwrap_or(operation).name(),
                known => known.name(),
            },
            outcome: answered.map_or(Outcome::Withheld, |answer| answer.outcome).name(),
            status: answered.map(|answer| answer.status),
            row_errors: answered.map_or(0, |answer| answer.row_errors),
            ignored_fields: answered.map_or(0, |answer| answer.ignored_fields),
            replayed: answered.is_some_and(|answer| answer.replayed),
            user: said.user,
            key: said.key,
            accounts: said.accounts,
            objects: said.objects,
            is_cut,
            request: request_text,
            answer: answer_text,
        };
        entry.know_new_accounts();
        self.journal.keep(entry, bytes, self.beginnings);
    }
}

impl Entry {
    /// A call that creates accounts is about those, whose ids only its answer has.
    fn know_new_accounts(&mut self) {
        let creates = self.operation == "create"
            && self.objects.iter().any(|object| object.object.as_deref() == Some("Account"));
        if creates {
            let ids = self.answer.split("Id>").skip(1).step_by(2);
            let ids = ids.filter_map(|rest| rest.split_once('<').map(|(id, _)| id.to_owned()));
            self.accounts.extend(ids);
        }
    }
}

/// A body for people: without its secrets, and not too much of it. What is too much is left away
/// first, so that no body takes long; the pattern of secrets knows those that are cut.
fn shown(body: &[u8]) -> String {
    if body.is_empty() {
        return String::new();
    }
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

    fn journal(exchanges_max: usize, bytes_max: usize) -> Journal {
        let settings = HttpSettings::default();
        let settings = HttpSettings {
            journal_exchanges_max: exchanges_max,
            journal_bytes_max: bytes_max,
            ..settings
        };
        Journal::new(&settings, true)
    }

    fn note(page: Page<'_>, request: &[u8], operation: OperationName) {
        let path = "/apps/services/a/91.0".to_owned();
        let sent = Sent { door: FrontDoor::Soap, version: "91.0", method: "POST", path };
        let at = (DateTime::UNIX_EPOCH, Duration::ZERO);
        page.note(at, sent, (request, CallNotes::default()), Err(&operation));
    }

    #[test]
    fn it_keeps_the_newest_and_no_secret_and_tells_how_many_it_dropped() {
        let journal = journal(200, usize::MAX);
        for _ in 0..240 {
            note(
                journal.page(),
                b"<login><password>s3cret</password></login>",
                OperationName::Login,
            );
        }
        let Contents { entries, dropped } = journal.contents();
        assert_eq!((entries.len(), entries[0].id, entries[199].id, dropped), (200, 240, 41, 40));
        assert!(!entries[0].request.contains("s3cret"), "{}", entries[0].request);
        assert!(entries[0].has_failed());
        let wide = " <password>s3cret</password>".encode_utf16().flat_map(u16::to_be_bytes);
        assert_eq!(shown(&wide.collect::<Vec<_>>()), HIDDEN);
        journal.forget(&[41, 240]);
        assert_eq!(journal.contents().entries.len(), 198);
        journal.clear();
        let Contents { entries, dropped } = journal.contents();
        assert!(entries.is_empty() && dropped == 0);
    }

    #[test]
    fn it_takes_no_more_memory_than_it_may() {
        let journal = journal(usize::MAX, 1024 * 1024);
        let request = vec![b'x'; 100_000];
        for _ in 0..100 {
            note(journal.page(), &request, OperationName::Create);
        }
        let kept = journal.lock();
        assert!((10..=15).contains(&kept.entries.len()), "{}", kept.entries.len());
        assert!(kept.bytes <= 1024 * 1024 && kept.dropped + kept.entries.len() as u64 == 100);
    }

    #[test]
    fn what_was_under_way_when_it_began_anew_is_not_noted() {
        let journal = journal(10, usize::MAX);
        let (old, older) = (journal.page(), journal.page());
        note(older, b"", OperationName::Create);
        journal.begin_anew();
        note(old, b"", OperationName::Create);
        assert!(journal.contents().entries.is_empty());
        note(journal.page(), b"", OperationName::Create);
        let noted = journal.contents().entries;
        assert_eq!((noted.len(), noted[0].operation), (1, "create"));
    }

    #[test]
    fn a_body_that_is_cut_shows_no_secret() {
        let long = format!("{}<password>s3cret", " ".repeat(BODY_BYTES_MAX - 13));
        assert!(!shown(long.as_bytes()).contains("s3"), "{}", shown(long.as_bytes()).trim());
        let wide = format!("{}é", "x".repeat(BODY_BYTES_MAX - 1));
        assert!(shown(wide.as_bytes()).len() <= BODY_BYTES_MAX);
    }
}
