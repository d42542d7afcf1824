//! A worker: sends one exchange after the other on its own connection and compares the answers.
//!
//! All exchanges of a file stay with one worker, in their order, because what they name was created
//! by the ones before. With one worker everything is in order, from the first capture to the last.

use super::Options;
use super::capture::{CaptureFile, Stopped};
use super::carried::Carried;
use super::compare::{Difference, Level, compare, refusal};
use super::error::ReplayError;
use super::exchange::{Exchange, Nature, Piece};
use super::live;
use super::remote::refuse_write;
use super::report::{CaseReport, Failure, Outcome};
use super::secret::{KnownSecrets, secrets_in, with_any_session};
use super::session::{Sessions, Users};
use super::shown::shown;
use super::update;
use super::walk::Capture;
use crate::client::{Answer, ClientError, Connection, Endpoint};
use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use tokio::sync::mpsc::{self, Receiver, Sender};

/// Pieces of a file are read ahead in batches of so many, or of so many bytes.
const BATCH_PIECES: usize = 64;
const BATCH_BYTES: usize = 1024 * 1024;
/// Whoever leaves so many requests in a row without an answer is no endpoint.
const UNANSWERED_MAX: usize = 5;

/// What the workers share.
pub(super) struct Job {
    endpoint: Endpoint,
    options: Options,
    sessions: Sessions,
    secrets: Arc<KnownSecrets>,
    captures: Mutex<Receiver<Capture>>,
}

impl Job {
    pub(super) fn new(
        endpoint: Endpoint,
        captures: Receiver<Capture>,
        users: Users,
        options: &Options,
    ) -> Self {
        let secrets = Arc::new(KnownSecrets::default());
        if let Some(credentials) = &options.credentials {
            secrets.add(&credentials.password);
        }
        let sessions = Sessions::new(users, endpoint.path(), Arc::clone(&secrets));
        let captures = Mutex::new(captures);
        Self { endpoint, options: options.clone(), sessions, secrets, captures }
    }
}

pub(super) type Results = Sender<Result<CaseReport, ReplayError>>;

/// Why a worker ends before everything is done.
enum Ended {
    /// It cannot go on.
    Failed(ReplayError),
    /// Nobody listens any more.
    Alone,
}

impl From<ReplayError> for Ended {
    fn from(error: ReplayError) -> Self {
        Self::Failed(error)
    }
}

/// Works until all captures are taken, or until one cannot be answered for.
pub(super) async fn work(job: Arc<Job>, results: Results) {
    let connection = Connection::new(job.endpoint.clone(), job.options.limits);
    let carried = Carried::default();
    let mut worker = Worker { job, connection, carried, unanswered: 0, results };
    if let Err(Ended::Failed(error)) = worker.all().await {
        // If nobody listens, nobody needs to know.
        let _ = worker.results.send(Err(error)).await;
    }
}

struct Worker {
    job: Arc<Job>,
    connection: Connection,
    carried: Carried,
    /// How many requests in a row got no answer.
    unanswered: usize,
    results: Results,
}

impl Worker {
    async fn all(&mut self) -> Result<(), Ended> {
        loop {
            let capture = self.job.captures.lock().await.recv().await;
            match capture {
                None => return Ok(()),
                Some(Capture::Case(case)) => {
                    let exchange = case.read(!self.job.options.update)?;
                    self.exchange(&exchange).await?;
                }
                Some(Capture::File(file)) => self.file(file).await?,
            }
            if self.job.options.concurrency > 1 {
                self.carried = Carried::default();
            }
        }
    }

    async fn file(&mut self, file: CaptureFile) -> Result<(), Ended> {
        let (batches, mut read) = mpsc::channel(2);
        let reading = tokio::task::spawn_blocking(move || read_ahead(&file, &batches));
        while let Some(batch) = read.recv().await {
            for piece in batch {
                match piece {
                    Piece::Exchange(exchange) => self.exchange(&exchange).await?,
                    Piece::Skipped { name, why } => {
                        let outcome = Outcome::Skipped(why);
                        self.tell(CaseReport { name, outcome, took: Duration::ZERO }).await?;
                    }
                }
            }
        }
        let lost = |_| ReplayError::Runtime("reading a capture broke off".to_owned());
        Ok(reading.await.map_err(lost)??)
    }

    async fn tell(&self, report: CaseReport) -> Result<(), Ended> {
        self.results.send(Ok(report)).await.map_err(|_| Ended::Alone)
    }

    async fn exchange(&mut self, exchange: &Exchange) -> Result<(), Ended> {
        let Self { job, connection, carried, .. } = self;
        refuse_write(&job.endpoint, &exchange.name, &exchange.request, &job.options)?;
        let body = live::request(exchange, &job.sessions, carried, connection).await?;
        let path = job.endpoint.path().unwrap_or_else(|| exchange.rules.path());
        let started = Instant::now();
        let sent = connection.post(path, &exchange.rules.request_headers(), body.into()).await;
        let took = started.elapsed();
        let outcome = match sent {
            Ok(answer) => {
                self.unanswered = 0;
                self.learn(exchange, &answer);
                judge(&self.job, exchange, &self.carried, &answer)?
            }
            Err(error @ ClientError::Unreachable { .. }) => {
                return Err(ReplayError::Runtime(error.to_string()).into());
            }
            Err(error) => {
                self.unanswered = self.unanswered.saturating_add(1);
                let difference = Difference::NoAnswer { why: error.to_string() };
                failed(&self.job, vec![difference], exchange, &[])
            }
        };
        self.tell(CaseReport { name: exchange.name.clone(), outcome, took }).await?;
        if self.unanswered < UNANSWERED_MAX {
            return Ok(());
        }
        let endpoint = &self.job.endpoint;
        let message = format!("{endpoint} gave no answer {UNANSWERED_MAX} times in a row");
        Err(ReplayError::Runtime(message).into())
    }

    /// Remembers how objects and sessions of the capture are called now.
    fn learn(&mut self, exchange: &Exchange, answer: &Answer) {
        let Some(expected) = &exchange.expected else { return };
        self.carried.learn(expected, &answer.body);
        if let Some((captured, live)) = live::sessions_of(expected, &answer.body) {
            self.job.secrets.add(&live);
            self.carried.learn_session(&captured, &live);
        }
    }
}

/// Reads a file in batches, and waits while nobody takes them.
fn read_ahead(file: &CaptureFile, batches: &Sender<Vec<Piece>>) -> Result<(), ReplayError> {
    let mut batch = Vec::new();
    let mut bytes = 0_usize;
    let outcome = file.read(&mut |piece| {
        if let Piece::Exchange(exchange) = &piece {
            let answer = exchange.expected.as_ref().map_or(0, Vec::len);
            bytes = bytes.saturating_add(exchange.request.len()).saturating_add(answer);
        }
        batch.push(piece);
        if batch.len() < BATCH_PIECES && bytes < BATCH_BYTES {
            return Ok(());
        }
        bytes = 0;
        batches.blocking_send(std::mem::take(&mut batch)).map_err(|_| Stopped::Enough)
    });
    match outcome {
        Ok(()) | Err(Stopped::Enough) => {}
        Err(Stopped::Unreadable(error)) => return Err(error),
    }
    // Whoever does not take the last batch wants nothing more.
    let _ = batches.blocking_send(batch);
    Ok(())
}

fn judge(
    job: &Job,
    exchange: &Exchange,
    carried: &Carried,
    answer: &Answer,
) -> Result<Outcome, ReplayError> {
    let level = job.options.compare;
    let mut differences = match &exchange.expected {
        Some(expected) => {
            let expected = match exchange.nature {
                Nature::Captured => with_any_session(expected),
                Nature::Written => Cow::Borrowed(expected.as_slice()),
            };
            let expected = match level {
                Level::Xml => carried.replaced(&expected),
                Level::Bytes | Level::Status => expected.as_ref().into(),
            };
            compare(&expected, answer, &exchange.rules, level)
        }
        None if job.options.update && exchange.files.is_some() => {
            compare(&[], answer, &exchange.rules, level)
        }
        None => refusal(answer).into_iter().collect(),
    };
    if differences.is_empty() {
        return Ok(Outcome::Passed);
    }
    if let Some(files) = exchange.files.as_ref().filter(|_| job.options.update && !answer.cut) {
        differences = update::accept(exchange, files, answer, level)?;
        if differences.is_empty() {
            return Ok(Outcome::Updated);
        }
    }
    Ok(failed(job, differences, exchange, &answer.body))
}

fn failed(
    job: &Job,
    mut differences: Vec<Difference>,
    exchange: &Exchange,
    actual: &[u8],
) -> Outcome {
    let expected = exchange.expected.as_deref().unwrap_or_default();
    let own = KnownSecrets::default();
    for secret in [&exchange.request, expected, actual].into_iter().flat_map(secrets_in) {
        own.add(&secret);
    }
    let hide = |text: &mut String| {
        job.secrets.hide(text);
        own.hide(text);
    };
    differences.iter_mut().for_each(|difference| hide_in(difference, &hide));
    let shown = |bytes| {
        let mut text = shown(bytes);
        hide(&mut text);
        text
    };
    let (request, expected, actual) = (shown(&exchange.request), shown(expected), shown(actual));
    Outcome::Failed(Box::new(Failure { differences, request, expected, actual }))
}

/// Takes known secrets out of a difference; those that their element tells are out already.
fn hide_in(difference: &mut Difference, hide: &dyn Fn(&mut String)) {
    match difference {
        Difference::Body { note, diff, .. } => note.iter_mut().chain(diff).for_each(hide),
        Difference::Header { expected, actual, .. } => {
            actual.iter_mut().chain([expected]).for_each(hide);
        }
        Difference::Refused { why } | Difference::NoAnswer { why } => hide(why),
        Difference::Status { .. } | Difference::Cut { .. } => {}
    }
}
