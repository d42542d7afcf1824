//! A worker: sends one exchange after the other on its own connection and compares the answers.
//!
//! All exchanges of a file stay with one worker, in their order, because what they name was created
//! by the ones before. With one worker everything is in order, from the first capture to the last.

use super::Options;
use super::blanks;
use super::caller::client_in;
use super::capture::{CaptureFile, Stopped};
use super::carried::Carried;
use super::compare::{Difference, Level, compare, refusal, usual_status};
use super::error::ReplayError;
use super::exchange::{Exchange, Piece};
use super::live::{self, Means, Ready};
use super::live_rest;
use super::remote::refuse_write;
use super::report::{CaseReport, Failure, Outcome};
use super::retry;
use super::secret::{KnownSecrets, secrets_in, with_any_session};
use super::selection::Candidate;
use super::served::unserved;
use super::session::{Sessions, Users};
use super::shown::shown;
use super::unknown::Asked;
use super::update;
use super::walk::Capture;
use crate::client::{Answer, ClientError, Connection, Endpoint, Request};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use tokio::sync::mpsc::{self, Receiver, Sender};

/// Pieces of a file are read ahead in batches of so many, or of so many bytes.
const BATCH_PIECES: usize = 64;
const BATCH_BYTES: usize = 1024 * 1024;
/// An endpoint that leaves so many requests in a row without an answer is given up.
const UNANSWERED_MAX: usize = 5;

/// What the workers share.
pub(super) struct Job {
    endpoint: Endpoint,
    options: Options,
    sessions: Sessions,
    secrets: Arc<KnownSecrets>,
    captures: Mutex<Receiver<Capture>>,
    /// What of the objects that captures name the endpoint has.
    asked: Asked,
    /// The first case that differed, where nothing is sent after it.
    stopped: OnceLock<String>,
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
        options.values.secrets().for_each(|value| secrets.add_telling(value));
        let sessions = Sessions::new(users, endpoint.path(), Arc::clone(&secrets));
        let captures = Mutex::new(captures);
        let (options, stopped, asked) = (options.clone(), OnceLock::new(), Asked::default());
        Self { endpoint, options, sessions, secrets, captures, asked, stopped }
    }
}

pub(super) type Results = Sender<Result<CaseReport, ReplayError>>;

/// Why a worker ends before everything is done.
enum Ended {
    /// It cannot go on.
    Failed(ReplayError),
    /// The receiver of results has ended.
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
        // Where the receiver has ended, another error is reported already.
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
                    let name = case.name();
                    let candidate = Candidate { name: &name, operations: None };
                    if self.job.options.selection.takes(&candidate) != Some(false) {
                        let exchange = case.read(!self.job.options.update)?;
                        self.piece(Piece::Exchange(Box::new(exchange))).await?;
                    }
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
                self.piece(piece).await?;
            }
        }
        let lost = |_| ReplayError::Runtime("reading a capture broke off".to_owned());
        Ok(reading.await.map_err(lost)??)
    }

    /// What is selected of a capture: sends it, or reports why not.
    async fn piece(&mut self, piece: Piece) -> Result<(), Ended> {
        let selects = self.job.options.selection.takes_piece(&piece);
        match piece {
            _ if !selects => Ok(()),
            Piece::Skipped { name, why } => self.unsent(name, Outcome::Skipped(why)).await,
            Piece::Exchange(exchange) => match self.job.stopped.get() {
                Some(first) => {
                    let why = format!("{first} differed, and --fail-fast was given");
                    self.unsent(exchange.name, Outcome::NotRun(why)).await
                }
                None => self.exchange(*exchange).await,
            },
        }
    }

    async fn unsent(&self, name: String, outcome: Outcome) -> Result<(), Ended> {
        self.report(CaseReport { name, outcome, took: Duration::ZERO }).await
    }

    async fn report(&self, report: CaseReport) -> Result<(), Ended> {
        self.results.send(Ok(report)).await.map_err(|_| Ended::Alone)
    }

    async fn exchange(&mut self, mut exchange: Exchange) -> Result<(), Ended> {
        let Self { job, connection, carried, .. } = self;
        refuse_write(&job.endpoint, &exchange.name, exchange.may_write(), &job.options)?;
        let values = &job.options.values;
        if let Some(plain) = exchange.expected.as_deref().and_then(|e| blanks::answer(e, values)) {
            exchange.expected = Some(plain);
        }
        let path = job.endpoint.path();
        let means = Means { sessions: &job.sessions, carried, values, path };
        let ready = if exchange.is_rest() {
            live_rest::request(&exchange, &means, connection).await?
        } else {
            live::request(&exchange, &means, connection).await?
        };
        let request = match ready {
            Ready::Request(request) => request,
            Ready::Lacking(why) => return self.unsent(exchange.name, Outcome::Skipped(why)).await,
        };
        let started = Instant::now();
        let sent = self.sent(&exchange, &request).await;
        let took = started.elapsed();
        let outcome = match sent {
            Ok(answer) => {
                self.unanswered = 0;
                self.learn(&exchange, &answer);
                match judge(&self.job, &exchange, &self.carried, &answer)? {
                    Outcome::Failed(failure) => {
                        self.explained(failure, &exchange, &request.body).await
                    }
                    other => other,
                }
            }
            Err(error @ ClientError::Unreachable { .. }) => {
                return Err(ReplayError::Runtime(error.to_string()).into());
            }
            Err(error) => {
                self.unanswered = self.unanswered.saturating_add(1);
                let difference = Difference::NoAnswer { why: error.to_string() };
                failed(&self.job, vec![difference], &exchange, &[])
            }
        };
        if self.job.options.fail_fast && matches!(outcome, Outcome::Failed(_)) {
            // Of several that differ at once, the first to be known is named.
            self.job.stopped.get_or_init(|| exchange.name.clone());
        }
        self.report(CaseReport { name: exchange.name, outcome, took }).await?;
        if self.unanswered < UNANSWERED_MAX {
            return Ok(());
        }
        let endpoint = &self.job.endpoint;
        let message = format!("{endpoint} gave no answer {UNANSWERED_MAX} times in a row");
        Err(ReplayError::Runtime(message).into())
    }

    /// Says which of the objects that an exchange names the endpoint does not have, in the place of
    /// the difference that follows from that.
    async fn explained(
        &mut self,
        mut failure: Box<Failure>,
        exchange: &Exchange,
        body: &[u8],
    ) -> Outcome {
        let expected = exchange.expected.as_deref().unwrap_or_default();
        if exchange.is_rest() || usual_status(expected) != 200 {
            return Outcome::Failed(failure);
        }
        let Self { job, connection, carried, .. } = self;
        let Ok(session) = job.sessions.of(None, connection).await else {
            return Outcome::Failed(failure);
        };
        let expected = carried.replaced(expected);
        let path = job.endpoint.path().unwrap_or_else(|| exchange.rules.path());
        let messages = [body, expected.as_ref()];
        let objects = job.asked.unknown(&messages, &session, path, connection).await;
        if !objects.is_empty() {
            failure.differences.retain(|difference| difference.diff().is_empty());
            failure.differences.insert(0, Difference::Unknown { objects });
        }
        Outcome::Failed(failure)
    }

    /// Sends a request, again where it may be and `--retries` allows it.
    async fn sent(
        &mut self,
        exchange: &Exchange,
        request: &Request,
    ) -> Result<Answer, ClientError> {
        let (status, may_write) = (exchange.status(), exchange.may_write());
        for tries in 1.. {
            let sent = self.connection.send(request).await;
            let wait = retry::wait(&sent, may_write, &request.headers, status, tries);
            match wait.filter(|_| tries <= self.job.options.retries) {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return sent,
            }
        }
        self.connection.send(request).await
    }

    /// Remembers how objects and sessions of the capture are called now.
    fn learn(&mut self, exchange: &Exchange, answer: &Answer) {
        let Some(expected) = &exchange.expected else { return };
        if exchange.is_rest() {
            if let Some(token) = live_rest::token_in(&answer.body) {
                self.job.secrets.add(&token);
                let issued = live_rest::token_in(expected).zip(client_in(&exchange.request));
                if let Some((captured, client)) = issued {
                    self.carried.learn_token(&captured, &client);
                }
            }
            return self.carried.learn_json(expected, &answer.body);
        }
        self.carried.learn(expected, &answer.body);
        if let Some((captured, live)) = live::sessions_of(expected, &answer.body) {
            self.job.secrets.add(&live);
            self.carried.learn_session(&captured, &live);
        }
    }
}

/// Reads a file in batches, and waits until each is taken.
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
    // If the last batch is not taken, the receiver has ended.
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
            let expected = with_any_session(expected);
            let expected = match level {
                Level::Xml | Level::Bytes => carried.replaced(&expected),
                Level::Status => expected.as_ref().into(),
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
    let was_answered = match &exchange.expected {
        Some(_) => exchange.status().is_some_and(|status| status < 300),
        None => !job.options.update,
    };
    if was_answered && let Some(why) = unserved(exchange, answer) {
        let mut why = why;
        job.secrets.hide(&mut why);
        return Ok(Outcome::NotServed(why));
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

/// Takes known secrets out of a difference; those known by their element are out already.
fn hide_in(difference: &mut Difference, hide: &dyn Fn(&mut String)) {
    match difference {
        Difference::Body { note, diff, .. } => note.iter_mut().chain(diff).for_each(hide),
        Difference::Bytes { diff, .. } => diff.iter_mut().for_each(hide),
        Difference::Header { expected, actual, .. } => {
            actual.iter_mut().chain([expected]).for_each(hide);
        }
        Difference::Refused { why } | Difference::NoAnswer { why } => hide(why),
        Difference::Status { .. } | Difference::Cut { .. } | Difference::Unknown { .. } => {}
    }
}
