//! Recording: each call with its answer becomes a folder of a catalogue that can be replayed.
//!
//! What must stay true: recording neither slows nor breaks what is recorded; what does not fit into
//! the queue, or cannot be written, is counted and said. No secret is written: sessions and
//! passwords become the placeholders that a replay fills, everything else `{{secret}}`, and only
//! the owner can read even that. The folders are in the order in which the answers were given.

use super::catalogue::{JSON_REQUEST, JSON_RESPONSE, REQUEST, RESPONSE};
use super::compare::usual_status;
use super::scrub::{Scrub, scrubbed_rest};
use crate::client::Bytes;
use crate::domain::rest_path::is_rest;
use parking_lot::Mutex;
use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// So many calls, and so many bytes of them, may wait to be written.
const QUEUE_MAX: usize = 4_096;
const QUEUE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The digits of a folder's number.
const DIGITS: usize = 8;
/// What a folder is called until it is whole.
const UNFINISHED: &str = ".unfinished";

/// A call and its answer, as the gateway or the proxy hands them over. It holds sessions
/// and passwords.
pub struct Call {
    /// The method.
    pub method: String,
    /// The path and query that it was sent to.
    pub path: String,
    /// The user who called, if that is known.
    pub user: Option<String>,
    /// The headers of the vendor's API, by their names in lower case.
    pub headers: Vec<(String, String)>,
    /// The Content-Type, if there was one.
    pub content_type: Option<String>,
    /// The Idempotency-Key, if there was one.
    pub idempotency_key: Option<String>,
    /// The body, inflated.
    pub request: Bytes,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The body of the answer.
    pub response: Bytes,
}

/// Why there is no recording.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The folder cannot be made or read.
    #[error("the folder {0} cannot be used: {1}")]
    Unusable(PathBuf, io::Error),
    /// The folder has something else in it.
    #[error("{0} holds something that is no recording: name an empty folder, or a new one")]
    Taken(PathBuf),
}

/// What became of what was recorded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recorded {
    /// How many calls were written.
    pub written: u64,
    /// How many were left out, because writing fell behind or failed.
    pub left_out: u64,
}

/// Takes calls and writes them on a thread of its own.
pub struct Recorder {
    queue: Mutex<Option<SyncSender<Call>>>,
    counts: Arc<Counts>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct Counts {
    bytes: AtomicUsize,
    written: AtomicU64,
    left_out: AtomicU64,
}

impl Recorder {
    /// Records into a folder that is new, empty, or a recording, which is then continued. One that
    /// is there already stays readable to whom it was; each call's own folder is its owner's alone.
    pub fn start(folder: &Path) -> Result<Arc<Self>, RecordError> {
        let unusable = |error| RecordError::Unusable(folder.to_owned(), error);
        let is_new = !folder.exists();
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(unusable)?;
        let last = last_number(folder)?;
        if is_new {
            // Whatever the mask of the process takes away.
            fs::set_permissions(folder, Permissions::from_mode(0o700)).map_err(unusable)?;
        }
        let (queue, calls) = sync_channel(QUEUE_MAX);
        let counts = Arc::new(Counts::default());
        let writer = Writer {
            folder: folder.to_owned(),
            number: last,
            scrub: Scrub::default(),
            counts: Arc::clone(&counts),
        };
        let thread = std::thread::Builder::new().name("recorder".to_owned());
        let thread = thread.spawn(move || writer.run(&calls)).map_err(unusable)?;
        let (queue, thread) = (Mutex::new(Some(queue)), Mutex::new(Some(thread)));
        Ok(Arc::new(Self { queue, counts, thread }))
    }

    /// Writes what waits, and says what became of everything.
    pub fn finish(&self) -> Recorded {
        drop(self.queue.lock().take());
        if let Some(thread) = self.thread.lock().take()
            && thread.join().is_err()
        {
            tracing::error!("the recording broke off");
        }
        Recorded {
            written: self.counts.written.load(Ordering::Relaxed),
            left_out: self.counts.left_out.load(Ordering::Relaxed),
        }
    }

    /// Takes a call to be written. Never waits: what does not fit into the queue is left out and
    /// counted.
    pub fn take(&self, call: Call) {
        // What is only read beside the APIs, such as their descriptions, is no call.
        if call.method != "POST" && !is_rest(&call.path) {
            return;
        }
        let bytes = size(&call);
        let waiting = self.counts.bytes.fetch_add(bytes, Ordering::Relaxed);
        let queue = self.queue.lock();
        let fits = waiting.saturating_add(bytes) <= QUEUE_BYTES_MAX;
        let taken = fits && queue.as_ref().is_some_and(|queue| queue.try_send(call).is_ok());
        drop(queue);
        if !taken {
            self.counts.bytes.fetch_sub(bytes, Ordering::Relaxed);
            if self.counts.left_out.fetch_add(1, Ordering::Relaxed) == 0 {
                tracing::warn!("the recording falls behind and leaves out calls");
            }
        }
    }
}

fn size(call: &Call) -> usize {
    call.request.len().saturating_add(call.response.len())
}

/// The highest number of a folder in a recording; 0 in an empty one.
fn last_number(folder: &Path) -> Result<u64, RecordError> {
    let unusable = |error| RecordError::Unusable(folder.to_owned(), error);
    let mut last = 0;
    for found in fs::read_dir(folder).map_err(unusable)? {
        let name = found.map_err(unusable)?.file_name().to_string_lossy().into_owned();
        if name == UNFINISHED || ["seed.toml", "replay.toml"].contains(&name.as_str()) {
            continue;
        }
        let digits = name.split_once('-').map_or("", |(digits, _)| digits);
        let number = Some(digits).filter(|digits| digits.len() >= DIGITS);
        let number = number.and_then(|digits| digits.parse::<u64>().ok());
        last = number.ok_or_else(|| RecordError::Taken(folder.to_owned()))?.max(last);
    }
    Ok(last)
}

struct Writer {
    folder: PathBuf,
    number: u64,
    scrub: Scrub,
    counts: Arc<Counts>,
}

impl Writer {
    fn run(mut self, calls: &Receiver<Call>) {
        while let Ok(call) = calls.recv() {
            let bytes = size(&call);
            match self.write(&call) {
                Ok(()) => {
                    self.counts.written.fetch_add(1, Ordering::Relaxed);
                }
                Err(error) => {
                    let folder = self.folder.display();
                    if self.counts.left_out.fetch_add(1, Ordering::Relaxed) == 0 {
                        tracing::warn!(%folder, %error, "a call cannot be recorded");
                    }
                }
            }
            self.counts.bytes.fetch_sub(bytes, Ordering::Relaxed);
        }
    }

    /// Writes a folder under another name and moves it to its own when it is whole.
    fn write(&mut self, call: &Call) -> io::Result<()> {
        let is_rest = is_rest(&call.path);
        let scrubbed = if is_rest {
            scrubbed_rest(&call.method, &call.path, [&call.request, &call.response])
        } else {
            self.scrub.scrubbed(&call.request, &call.response)
        };
        let names = if is_rest { [JSON_REQUEST, JSON_RESPONSE] } else { [REQUEST, RESPONSE] };
        let [request, response] = names;
        let unfinished = self.folder.join(UNFINISHED);
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished)?;
        }
        DirBuilder::new().mode(0o700).create(&unfinished)?;
        let write = |name: &str, bytes: &[u8]| {
            let mut options = OpenOptions::new();
            let file = options.write(true).create_new(true).mode(0o600);
            file.open(unfinished.join(name))?.write_all(bytes)
        };
        write(request, &scrubbed.request)?;
        write(response, &scrubbed.response)?;
        let about =
            format!("Recorded: {}, answered with HTTP {}.\n", scrubbed.operation, call.status);
        write("about.md", about.as_bytes())?;
        let rules = rules(call, &scrubbed.response);
        if !rules.is_empty() {
            write("replay.toml", rules.as_bytes())?;
        }
        self.number += 1;
        let name = format!("{:0DIGITS$}-{}", self.number, scrubbed.operation);
        fs::rename(&unfinished, self.folder.join(name))
    }
}

/// What differs from the defaults of `replay.toml`.
fn rules(call: &Call, response: &[u8]) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let mut rules = String::new();
    if is_rest(&call.path) {
        return rest_rules(call, quoted);
    }
    if call.path != super::rules::PATH_DEFAULT {
        rules.push_str(&format!("path = {}\n", quoted(&call.path)));
    }
    let content_type = call.content_type.as_deref().unwrap_or_default();
    if content_type != super::rules::CONTENT_TYPE_DEFAULT {
        rules.push_str(&format!("content_type = {}\n", quoted(content_type)));
    }
    if call.status != usual_status(response) {
        rules.push_str(&format!("status = {}\n", call.status));
    }
    if let Some(key) = &call.idempotency_key {
        rules.push_str(&format!("[headers]\nIdempotency-Key = {}\n", quoted(key)));
    }
    rules
}

/// The same of a call of the REST API.
fn rest_rules(call: &Call, quoted: impl Fn(&str) -> String) -> String {
    let mut rules = format!("path = {}\n", quoted(&call.path));
    if call.method != "POST" {
        rules.push_str(&format!("method = {}\n", quoted(&call.method)));
    }
    let usual = if call.method == "GET" { "" } else { super::rules::JSON_TYPE };
    let content_type = call.content_type.as_deref().unwrap_or_default();
    if content_type != usual {
        rules.push_str(&format!("content_type = {}\n", quoted(content_type)));
    }
    if call.status != 200 {
        rules.push_str(&format!("status = {}\n", call.status));
    }
    if let Some(user) = &call.user {
        rules.push_str(&format!("user = {}\n", quoted(user)));
    }
    let key = call.idempotency_key.as_ref().map(|key| ("Idempotency-Key", key));
    let of_api = call.headers.iter().map(|(name, value)| (name.as_str(), value));
    for (number, (name, value)) in key.into_iter().chain(of_api).enumerate() {
        rules.push_str(if number == 0 { "[headers]\n" } else { "" });
        rules.push_str(&format!("{name} = {}\n", quoted(value)));
    }
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(request: &str) -> Call {
        Call {
            method: "POST".to_owned(),
            path: "/apps/services/a/91.0".to_owned(),
            user: None,
            headers: Vec::new(),
            content_type: Some("text/xml; charset=utf-8".to_owned()),
            idempotency_key: None,
            request: request.to_owned().into(),
            status: 200,
            response: "<e><Body><x/></Body></e>".into(),
        }
    }

    fn names(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder).unwrap().map(|found| found.unwrap().file_name());
        let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_recording_is_continued_and_only_its_owners_to_read() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("a/b");
        for _ in 0..2 {
            let recorder = Recorder::start(&folder).unwrap();
            recorder.take(call("<e><Body><create/></Body></e>"));
            recorder.take(call("no XML"));
            assert_eq!(recorder.finish(), Recorded { written: 2, left_out: 0 });
            // Too late.
            recorder.take(call(""));
            assert_eq!(recorder.finish(), Recorded { written: 2, left_out: 1 });
        }
        let expected = ["00000001-create", "00000002-post", "00000003-create", "00000004-post"];
        assert_eq!(names(&folder), expected);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&folder.join("00000001-create"))), (0o700, 0o700));
        let case = folder.join("00000001-create");
        assert_eq!(names(&case), ["about.md", "request.xml", "response.xml"]);
        assert_eq!(mode(&case.join("request.xml")), 0o600);
    }

    /// Regression: a folder that others use too was made its owner's alone.
    #[test]
    fn a_folder_that_was_there_keeps_its_mode() {
        let place = tempfile::tempdir().unwrap();
        fs::set_permissions(place.path(), Permissions::from_mode(0o1777)).unwrap();
        let recorder = Recorder::start(place.path()).unwrap();
        recorder.take(call("<e><Body><create/></Body></e>"));
        recorder.finish();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode(place.path()), 0o1777);
        assert_eq!(mode(&place.path().join("00000001-create")), 0o700);
    }

    #[test]
    fn a_folder_with_anything_else_is_left_alone() {
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join("letters.txt"), "").unwrap();
        fs::set_permissions(place.path(), Permissions::from_mode(0o755)).unwrap();
        assert!(matches!(Recorder::start(place.path()), Err(RecordError::Taken(_))));
        let mode = fs::metadata(place.path()).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o755);
    }

    #[test]
    fn a_call_of_the_rest_api_is_recorded_without_its_secrets() {
        let place = tempfile::tempdir().unwrap();
        let recorder = Recorder::start(place.path()).unwrap();
        recorder.take(Call {
            path: "/oauth/token".to_owned(),
            content_type: Some("application/x-www-form-urlencoded".to_owned()),
            response: "{\"access_token\":\"s3cret\"}".into(),
            ..call("client_id=me&client_secret=s3cret")
        });
        recorder.take(Call {
            method: "GET".to_owned(),
            path: "/v1/refunds/R-1?x=1".to_owned(),
            content_type: None,
            user: Some("a@b.c".to_owned()),
            headers: vec![("zuora-version".to_owned(), "341.0".to_owned())],
            status: 404,
            response: "{}".into(),
            ..call("")
        });
        recorder.take(Call { method: "GET".to_owned(), ..call("") });
        assert_eq!(recorder.finish(), Recorded { written: 2, left_out: 0 });
        let expected = ["00000001-post-oauth-token", "00000002-get-v1-refunds-R-1"];
        assert_eq!(names(place.path()), expected);
        let read = |name: &str| fs::read_to_string(place.path().join(name)).unwrap();
        let request = read("00000001-post-oauth-token/request.json");
        assert_eq!(request, "client_id=me&client_secret={{secret}}");
        let response = read("00000001-post-oauth-token/response.json");
        assert_eq!(response, "{\"access_token\":\"{{secret}}\"}");
        assert_eq!(
            read("00000002-get-v1-refunds-R-1/replay.toml"),
            "path = \"/v1/refunds/R-1?x=1\"\nmethod = \"GET\"\nstatus = 404\nuser = \"a@b.c\"\n\
             [headers]\nzuora-version = \"341.0\"\n"
        );
    }

    #[test]
    fn what_is_not_usual_is_a_rule() {
        let mut odd = call("");
        assert_eq!(rules(&odd, &odd.response), "");
        odd.path = "/x?\"y\"".to_owned();
        odd.content_type = None;
        odd.idempotency_key = Some("a\\b".to_owned());
        odd.status = 429;
        let expected = "path = '/x?\"y\"'\ncontent_type = \"\"\nstatus = 429\n[headers]\n\
                        Idempotency-Key = 'a\\b'\n";
        assert_eq!(rules(&odd, &odd.response), expected);
    }
}
