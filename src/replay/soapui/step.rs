//! Runs one step: sends a request, transfers properties, waits.

use super::super::canonical::printable;
use super::super::error::ReplayError;
use super::super::remote::may_write;
use super::super::secret::KnownSecrets;
use super::super::shown::shown;
use super::assertion::{Answered, LIMITS, judge, refused};
use super::endpoint;
use super::expand::{ExpandError, Expander};
use super::model::{Interface, Kind, Request, Step};
use super::outcome::{CheckReport, Exchange, StepReport, Verdict};
use super::scope::{Owner, Scope};
use super::target::Context;
use super::transfer::transfer_all;
use crate::client::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use crate::client::{Answer, ClientError, Connection};
use crate::domain::secret::is_secret;
use crate::xml::{ElementRef, decode, parse};
use std::time::{Duration, Instant};

/// No delay of a project is longer.
const DELAY_MAX: Duration = Duration::from_secs(10);
/// Shorter texts are not hidden wherever they turn up, because they turn up everywhere.
const SECRET_CHARACTERS_MIN: usize = 3;
/// The same for numbers of cards and accounts.
const NUMBER_CHARACTERS_MIN: usize = 6;

/// What running a step has come to so far.
#[derive(Default)]
struct Report {
    checks: Vec<CheckReport>,
    notes: Vec<String>,
    exchange: Option<Box<Exchange>>,
}

/// Runs a step.
pub(super) async fn run(
    context: &Context<'_>,
    step: &Step,
    scope: &mut Scope,
    connection: &mut Connection,
) -> Result<StepReport, ReplayError> {
    let started = Instant::now();
    let mut reported = Report::default();
    let verdict = match &step.kind {
        Kind::Request(request) => {
            match send(context, step, request, scope, connection, &mut reported).await {
                Ok(verdict) | Err(Stop::Verdict(verdict)) => verdict,
                Err(Stop::Replay(error)) => return Err(error),
            }
        }
        Kind::Properties(_) => Verdict::Passed,
        Kind::Transfers(transfers) => {
            let (verdict, checks) = transfer_all(transfers, scope, &mut reported.notes);
            reported.checks = checks;
            verdict
        }
        Kind::Delay(text) => delay(text, scope, &mut reported.notes).await,
        Kind::Script(_) => Verdict::Skipped("scripts are not run here".to_owned()),
        Kind::Unknown => {
            let of_type = printable(&step.of_type);
            Verdict::Skipped(format!("steps of type `{of_type}` are not known here"))
        }
    };
    if !matches!(verdict, Verdict::Failed(_)) {
        reported.exchange = None;
    }
    Ok(StepReport {
        name: printable(&step.name),
        of_type: printable(&step.of_type),
        verdict,
        checks: reported.checks,
        notes: reported.notes,
        exchange: reported.exchange,
        took: started.elapsed(),
    })
}

/// Why a step ends before its end.
enum Stop {
    Verdict(Verdict),
    Replay(ReplayError),
}

impl From<ExpandError> for Stop {
    fn from(error: ExpandError) -> Self {
        Self::Verdict(refused(&error))
    }
}

fn failed(why: impl Into<String>) -> Stop {
    Stop::Verdict(Verdict::Failed(why.into()))
}

async fn send(
    context: &Context<'_>,
    step: &Step,
    request: &Request,
    scope: &mut Scope,
    connection: &mut Connection,
    reported: &mut Report,
) -> Result<Verdict, Stop> {
    let secrets = context.target.secrets;
    let interface = context.project.interface(&request.interface);
    let owner = Owner::Step(&step.name);
    let mut expander = Expander::new(scope);
    let path = match context.target.path {
        Some(path) => Ok(path.to_owned()),
        None => endpoint::path(&mut expander, owner),
    };
    let body = expander.property(owner, "Request");
    let headers = headers(request, interface, &mut expander);
    reported.notes.append(&mut expander.notes);
    if !request.left_out.is_empty() {
        reported.notes.push(format!("sent without its {}", request.left_out.join(", ")));
    }
    let (path, body, headers) = (path?, body?, headers?);
    learn_from(&body, secrets);
    if context.target.reads_only && may_write(body.trim().as_bytes()) {
        return Err(failed("it may change data there: allow it with --allow-writes"));
    }
    let started = Instant::now();
    let sent = connection.post(&path, &headers, body.trim().to_owned().into()).await;
    let took = started.elapsed();
    let answer = match sent {
        Ok(answer) => answer,
        Err(error @ ClientError::Unreachable { .. }) => {
            return Err(Stop::Replay(ReplayError::Runtime(error.to_string())));
        }
        Err(error) => {
            let response = String::new();
            reported.exchange =
                Some(Box::new(Exchange { request: shown(body.as_bytes()), response }));
            return Err(failed(format!("no answer: {error}")));
        }
    };
    let text = text_of(&answer);
    learn_from(&text, secrets);
    reported.exchange = Some(Box::new(Exchange {
        request: shown(body.as_bytes()),
        response: format!("HTTP {}\n{}", answer.status.as_u16(), shown(text.as_bytes())),
    }));
    for (name, value) in [("Response", &text), ("ResponseAsXml", &text), ("RawRequest", &body)] {
        scope.set(owner, name, value.clone());
    }
    if answer.cut {
        return Err(failed(format!("the answer is too large: cut at {} bytes", answer.body.len())));
    }
    let answered = Answered {
        status: answer.status.as_u16(),
        body: &text,
        took,
        path: &path,
        namespace: interface.map_or("", |interface| &interface.namespace),
    };
    Ok(judge_all(request, &answered, scope, reported))
}

fn judge_all(
    request: &Request,
    answered: &Answered<'_>,
    scope: &mut Scope,
    reported: &mut Report,
) -> Verdict {
    for assertion in &request.assertions {
        let mut expander = Expander::new(scope);
        let verdict = judge(assertion, answered, &mut expander);
        reported.notes.append(&mut expander.notes);
        if !assertion.disabled {
            scope.pass_over_assertion(assertion);
        }
        reported.checks.push(CheckReport { name: assertion.name.clone(), verdict });
    }
    let failed = |check: &CheckReport| match &check.verdict {
        Verdict::Failed(why) => Some(format!("{}: {why}", check.name)),
        _ => None,
    };
    if let Some(why) = reported.checks.iter().find_map(failed) {
        return Verdict::Failed(why);
    }
    if reported.checks.is_empty() {
        reported.notes.push("it asserts nothing".to_owned());
        return Verdict::Passed;
    }
    if reported.checks.iter().any(|check| check.verdict == Verdict::Passed) {
        return Verdict::Passed;
    }
    Verdict::Skipped("it was sent, but nothing that it asserts was checked".to_owned())
}

/// The headers of a request: what SOAP asks for, then those of the project, which win.
fn headers(
    request: &Request,
    interface: Option<&Interface>,
    expander: &mut Expander<'_>,
) -> Result<HeaderMap, Stop> {
    let action = interface.and_then(|interface| interface.actions.get(&request.operation));
    let action = action.map_or("", String::as_str).replace(['"', '\\'], "");
    let is_soap_12 = interface.is_some_and(|interface| interface.is_soap_12);
    let mut given = vec![if is_soap_12 {
        let named = if action.is_empty() { String::new() } else { format!(";action=\"{action}\"") };
        (CONTENT_TYPE.as_str().to_owned(), format!("application/soap+xml;charset=UTF-8{named}"))
    } else {
        (CONTENT_TYPE.as_str().to_owned(), "text/xml;charset=UTF-8".to_owned())
    }];
    if !is_soap_12 {
        given.push(("SOAPAction".to_owned(), format!("\"{action}\"")));
    }
    for (name, value) in &request.headers {
        given.push((name.clone(), expander.expand(value)?));
    }
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        let pair = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(&value));
        let (Ok(name), Ok(value)) = pair else {
            return Err(failed(format!("`{name}` or its value is no header")));
        };
        let is_framing = ["host", "content-length", "transfer-encoding", "connection"];
        if !is_framing.contains(&name.as_str()) {
            headers.insert(name, value);
        }
    }
    Ok(headers)
}

fn text_of(answer: &Answer) -> String {
    match decode(&answer.body, None) {
        Ok(text) => text.into_owned(),
        Err(_) => String::from_utf8_lossy(&answer.body).into_owned(),
    }
}

/// Remembers a secret, so that it is shown nowhere.
pub(super) fn learn(value: &str, secrets: &KnownSecrets) {
    let value = value.trim();
    let mut left = value.to_owned();
    secrets.hide(&mut left);
    if left == value && value.chars().count() >= SECRET_CHARACTERS_MIN {
        secrets.add(value);
    }
}

/// Remembers the secrets in an envelope. Short numbers of cards and accounts turn up anywhere; they
/// are hidden in their elements alone.
fn learn_from(envelope: &str, secrets: &KnownSecrets) {
    let Ok(document) = parse(envelope.trim(), &LIMITS) else { return };
    let mut waiting: Vec<ElementRef<'_>> = vec![document.root()];
    while let Some(element) = waiting.pop() {
        let local = element.local();
        let is_key = ["password", "session"].iter().any(|key| local.eq_ignore_ascii_case(key));
        let is_long = element.text().trim().len() >= NUMBER_CHARACTERS_MIN;
        if is_secret(local) && (is_key || is_long) {
            learn(element.text(), secrets);
        }
        waiting.extend(element.children());
    }
}

async fn delay(text: &str, scope: &Scope, notes: &mut Vec<String>) -> Verdict {
    let mut expander = Expander::new(scope);
    let expanded = expander.expand(text);
    notes.append(&mut expander.notes);
    let text = match expanded {
        Ok(text) => text,
        Err(error) => return refused(&error),
    };
    let Ok(asked) = text.trim().parse().map(Duration::from_millis) else {
        return Verdict::Failed(format!("`{text}` is no number of milliseconds"));
    };
    let (waits, note) = bounded(asked);
    notes.extend(note);
    tokio::time::sleep(waits).await;
    Verdict::Passed
}

/// How long a delay is waited for, and a note if it is shorter than asked.
fn bounded(asked: Duration) -> (Duration, Option<String>) {
    if asked <= DELAY_MAX {
        return (asked, None);
    }
    let (asked, max) = (asked.as_millis(), DELAY_MAX.as_millis());
    (DELAY_MAX, Some(format!("waited for {max} ms, the longest delay, instead of {asked}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_is_bounded_and_says_so() {
        assert_eq!(bounded(DELAY_MAX), (DELAY_MAX, None));
        let (waits, note) = bounded(Duration::from_millis(86_400_000));
        assert_eq!(waits, DELAY_MAX);
        assert!(note.is_some_and(|note| note.contains("86400000")));
    }
}
