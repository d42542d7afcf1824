//! A worker: sends one case after the other on its own connection and compares the answers.

use super::Options;
use super::canonical::printable;
use super::catalogue::Entry;
use super::compare::{Difference, compare};
use super::diff::cut;
use super::error::ReplayError;
use super::placeholder;
use super::report::{CaseReport, Failure, Outcome};
use super::secret::KnownSecrets;
use super::session::{Sessions, Users};
use super::update;
use crate::client::{Answer, ClientError, Connection, Endpoint};
use crate::soap::secret::without_secrets;
use crate::xml::decode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use tokio::sync::mpsc::Sender;

/// How many lines of a request or an answer a report gets.
const SHOWN_LINES_MAX: usize = 400;

/// What the workers share.
pub(super) struct Job {
    endpoint: Endpoint,
    entries: Vec<Entry>,
    options: Options,
    sessions: Sessions,
    secrets: Arc<KnownSecrets>,
    next: AtomicUsize,
}

impl Job {
    pub(super) fn new(
        endpoint: Endpoint,
        entries: Vec<Entry>,
        users: Users,
        options: &Options,
    ) -> Self {
        let secrets = Arc::new(KnownSecrets::default());
        if let Some(credentials) = &options.credentials {
            secrets.add(&credentials.password);
        }
        let sessions = Sessions::new(users, endpoint.path(), Arc::clone(&secrets));
        let options = options.clone();
        Self { endpoint, entries, options, sessions, secrets, next: AtomicUsize::new(0) }
    }

    /// How many cases there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}

/// Works until all cases are taken, or until one cannot be answered for.
pub(super) async fn work(job: Arc<Job>, results: Sender<Result<CaseReport, ReplayError>>) {
    let mut connection = Connection::new(job.endpoint.clone(), job.options.limits);
    while let Some(entry) = job.entries.get(job.next.fetch_add(1, Ordering::Relaxed)) {
        let result = case(&job, &mut connection, entry).await;
        let is_last = result.is_err();
        if results.send(result).await.is_err() || is_last {
            break;
        }
    }
}

async fn case(
    job: &Job,
    connection: &mut Connection,
    entry: &Entry,
) -> Result<CaseReport, ReplayError> {
    let captured = entry.request()?;
    let expected = match entry.response()? {
        None if !job.options.update => {
            let file = entry.folder.join(super::catalogue::RESPONSE);
            return Err(ReplayError::capture(&file, None, "it is missing"));
        }
        expected => expected.unwrap_or_default(),
    };
    let mut sessions = Vec::new();
    for placeholder in placeholder::find(&captured) {
        let session = job.sessions.of(placeholder.user.as_deref(), connection).await?;
        sessions.push((placeholder, session));
    }
    let body = placeholder::fill(&captured, &sessions);
    let path = job.endpoint.path().unwrap_or_else(|| entry.rules.path());
    let started = Instant::now();
    let sent = connection.post(path, &entry.rules.request_headers(), body.into()).await;
    let took = started.elapsed();
    let outcome = match sent {
        Ok(answer) => judge(job, entry, &captured, &expected, &answer)?,
        Err(error @ ClientError::Unreachable { .. }) => {
            return Err(ReplayError::Runtime(error.to_string()));
        }
        Err(error) => {
            let difference = Difference::NoAnswer { why: error.to_string() };
            failed(job, vec![difference], &captured, &expected, &[])
        }
    };
    Ok(CaseReport { name: entry.name(), outcome, took })
}

fn judge(
    job: &Job,
    entry: &Entry,
    captured: &[u8],
    expected: &[u8],
    answer: &Answer,
) -> Result<Outcome, ReplayError> {
    let level = job.options.compare;
    let mut differences = compare(expected, answer, &entry.rules, level);
    if differences.is_empty() {
        return Ok(Outcome::Passed);
    }
    if job.options.update && !answer.cut {
        differences = update::accept(entry, answer, level)?;
        if differences.is_empty() {
            return Ok(Outcome::Updated);
        }
    }
    Ok(failed(job, differences, captured, expected, &answer.body))
}

fn failed(
    job: &Job,
    mut differences: Vec<Difference>,
    request: &[u8],
    expected: &[u8],
    actual: &[u8],
) -> Outcome {
    for difference in &mut differences {
        hide(difference, &job.secrets);
    }
    let shown = |bytes| {
        let mut text = shown(bytes);
        job.secrets.hide(&mut text);
        text
    };
    let (request, expected, actual) = (shown(request), shown(expected), shown(actual));
    Outcome::Failed(Box::new(Failure { differences, request, expected, actual }))
}

/// Takes known secrets out of a difference; those that their element tells are out already.
fn hide(difference: &mut Difference, secrets: &KnownSecrets) {
    match difference {
        Difference::Body { note, diff, .. } => {
            note.iter_mut().chain(diff).for_each(|line| secrets.hide(line));
        }
        Difference::Header { expected, actual, .. } => {
            actual.iter_mut().chain([expected]).for_each(|value| secrets.hide(value));
        }
        Difference::Status { .. } | Difference::Cut { .. } | Difference::NoAnswer { .. } => {}
    }
}

/// A body for people: one element a line, no secrets, and not too much of it.
fn shown(body: &[u8]) -> String {
    let text = decode(body, None).unwrap_or_else(|_| String::from_utf8_lossy(body));
    let text = without_secrets(&text);
    let text = text.replace("><", ">\n<");
    let mut lines = text.lines();
    let mut shown: String = lines
        .by_ref()
        .take(SHOWN_LINES_MAX)
        .flat_map(|line| [cut(&printable(line)), "\n".to_owned()])
        .collect();
    let left_out = lines.count();
    if left_out > 0 {
        shown.push_str(&format!("... and {left_out} more lines\n"));
    }
    shown
}
