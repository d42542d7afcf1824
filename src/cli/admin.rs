//! `admin`: what a tester does to a running gateway on a test ledger, through its admin API.
//!
//! What must stay true: nothing is done that the API does not do; the token is read from its file
//! and shown nowhere.

mod fault;
mod health;
mod journal;
mod lists;
mod place;
mod rule;
mod table;

pub(super) use place::Place;

use super::exit::{ExitStatus, Failure, FailureCode, OrFail};
use super::settings::LEDGER_FILE;
use super::signals::Signals;
use super::values::{LedgerPlace, Moment};
use super::{admin_authorities, complaint, reconcile, terminal, token};
use crate::client::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use crate::client::{ClientLimits, Connection, Endpoint, Method, Request, Trust};
use crate::http::AdminToken;
use chrono::SecondsFormat;
use serde_json::{Value, json};
use std::io;
use std::path::{Path, PathBuf};
use tokio::runtime::Runtime;

/// Steer a running gateway: what testers do to a test ledger, and what operators decide
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    place: Place,

    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Make everything as it was after its seeds: ledger, clock, faults, journal
    Reset {
        /// Only this account
        #[arg(long, value_name = "ID")]
        account: Option<String>,
        /// Leave users and sessions as they are
        #[arg(long, conflicts_with = "account")]
        keep_sessions: bool,
    },
    /// Load a seed into the running ledger
    Seed {
        /// The seed
        file: PathBuf,
    },
    /// Show the time, set it, or move it on
    Clock {
        /// Let it stand still at this moment
        #[arg(long, value_name = "RFC3339", conflicts_with_all = ["advance", "run"])]
        set: Option<Moment>,
        /// Move it on by so many seconds
        #[arg(long, value_name = "SECONDS", conflicts_with = "run")]
        #[arg(allow_negative_numbers = true)]
        advance: Option<i64>,
        /// Let it run with the machine's again
        #[arg(long)]
        run: bool,
    },
    /// Save the ledger, and put it back
    #[command(subcommand)]
    Snapshot(Snapshot),
    /// Order faults for the next calls
    #[command(subcommand)]
    Fault(fault::Action),
    /// Say what a sandbox answers to the next refunds
    #[command(subcommand)]
    Rule(rule::Action),
    /// End a refund in Processing by hand, once, 48 hours after it was created
    Settle {
        /// The refund's Id
        id: String,
        /// What it becomes: Processed keeps the money out, Error gives it back
        #[arg(long, value_parser = ["Processed", "Error"])]
        status: String,
        /// Why; it is kept in the refund's history
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    #[command(flatten)]
    Look(lists::Action),
    /// Report to the gateway what processors settled or rejected after all, also on a real ledger
    Reconcile(reconcile::Input),
    /// Report whether the gateway is ready; exit code 0 if it is
    Health,
    /// Show the last exchanges, why they were refused, and what may have been meant
    Journal(journal::Args),
}

#[derive(Debug, clap::Subcommand)]
enum Snapshot {
    /// Save the ledger as it is now
    Save {
        /// The name
        name: String,
    },
    /// Put a snapshot in the place of everything that is there
    Restore {
        /// The name
        name: String,
    },
    /// Remove a snapshot
    Drop {
        /// The name
        name: String,
    },
    /// List the snapshots
    List,
}

/// What helps where the token is refused.
const OTHER_TOKEN: &str = "this is not the token of the gateway there: name its ledger with \
     --ledger, or its token with --token-file or REFUND_GATEWAY_ADMIN_TOKEN, as it was started";
/// What helps where there is nothing.
const NOT_THERE: &str = "list what there is, and see whether --admin is the admin listener of this \
     program, at the line `admin on` of serve";

/// What helps where the listener does not take the name it was called by.
const OTHER_HOST: &str = "start the gateway with this name in --admin-allowed-hosts, or name the \
     listener by its address or as localhost";
/// What helps where nothing answers.
const NOT_RUNNING: &str =
    "is the gateway running, and is this where it said `admin on`? Name it with --admin";

/// A call to the API: its method, its path below the root, its body.
type Call = (Method, String, Value);

/// Makes the call that is asked for and prints what comes back.
pub(super) fn run(args: Args) -> Result<ExitStatus, Failure> {
    if matches!(args.action, Action::Health) {
        return health::run(&args.place.admin);
    }
    let api = args.place.api()?;
    let is_seed = matches!(args.action, Action::Seed { .. });
    let (method, path, body) = match args.action {
        Action::Journal(args) => return journal::run(&api, args),
        Action::Look(action) => return lists::run(&api, action),
        Action::Reconcile(input) => return tell_settlements(&api, &input.read()?),
        action => call(action)?,
    };
    let reported = api.call(method, &path, &body).map_err(|failure| match failure.code {
        // As everywhere, a seed that cannot be loaded is no mistake of the command line.
        FailureCode::Usage if is_seed => Failure { code: FailureCode::Configuration, ..failure },
        _ => failure,
    })?;
    print(&reported)?;
    Ok(ExitStatus::Done)
}

fn call(action: Action) -> Result<Call, Failure> {
    Ok(match action {
        Action::Reset { account: None, keep_sessions } => {
            (Method::POST, "reset".into(), json!({ "keep_sessions": keep_sessions }))
        }
        Action::Reset { account: Some(id), .. } => {
            (Method::POST, "reset".into(), json!({ "account": id }))
        }
        Action::Seed { file } => {
            let text = complaint::read_text(&file, "the seed")?;
            (Method::POST, "seed".into(), json!({ "toml": text }))
        }
        Action::Clock { set: Some(Moment(moment)), .. } => {
            let now = moment.to_rfc3339_opts(SecondsFormat::Millis, true);
            (Method::PUT, "clock".into(), json!({ "now": now }))
        }
        Action::Clock { advance: Some(seconds), .. } => {
            (Method::POST, "clock/advance".into(), json!({ "seconds": seconds }))
        }
        Action::Clock { run: true, .. } => {
            (Method::PUT, "clock".into(), json!({ "running": true }))
        }
        Action::Clock { .. } => (Method::GET, "clock".into(), Value::Null),
        Action::Snapshot(Snapshot::List) => (Method::GET, "snapshots".into(), Value::Null),
        Action::Snapshot(Snapshot::Save { name }) => (Method::PUT, snapshot(&name)?, Value::Null),
        Action::Snapshot(Snapshot::Drop { name }) => {
            (Method::DELETE, snapshot(&name)?, Value::Null)
        }
        Action::Snapshot(Snapshot::Restore { name }) => {
            (Method::POST, format!("{}/restore", snapshot(&name)?), Value::Null)
        }
        Action::Settle { id, status, reason } => settlement(segment(&id)?, &status, &reason),
        Action::Fault(action) => fault::call(action)?,
        Action::Rule(action) => rule::call(action)?,
        Action::Journal(_) | Action::Look(_) | Action::Reconcile(_) | Action::Health => {
            (Method::GET, "journal".into(), Value::Null)
        }
    })
}

/// The call that settles a refund by an operator's hand.
pub(super) fn settlement(refund: &str, status: &str, reason: &str) -> (Method, String, Value) {
    let body = json!({ "status": status, "reason": reason });
    (Method::POST, format!("refunds/{refund}/settle"), body)
}

/// Reports each event, and prints what came of it.
pub(super) fn tell_settlements(api: &Api, rows: &[reconcile::Row]) -> Result<ExitStatus, Failure> {
    reconcile::report(rows, |events| {
        let reported = api.call(Method::POST, "reconciliation", &json!({ "events": events }))?;
        let results =
            reported.get("results").and_then(Value::as_array).cloned().unwrap_or_default();
        let outcome = |result: Value| {
            let text = |key: &str| result.get(key).and_then(Value::as_str).unwrap_or_default();
            let is_so = |key: &str| result.get(key).and_then(Value::as_bool).unwrap_or(false);
            if result.get("error").is_some() {
                return Err(text("error").to_owned());
            }
            let (number, state) = (text("number"), text("gateway_state"));
            Ok(reconcile::sentence(number, state, is_so("changed"), is_so("put_back")))
        };
        Ok(results.into_iter().map(outcome).collect())
    })
}

fn snapshot(name: &str) -> Result<String, Failure> {
    Ok(format!("snapshots/{}", segment(name)?))
}

/// A name in a path. The API knows what a good one is, but not every text fits there.
fn segment(name: &str) -> Result<&str, Failure> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if name.is_empty() || !name.bytes().all(fits) {
        let message = format!("`{name}` is no name: letters, digits, `-`, `_` and `.`");
        return Err(Failure::new(FailureCode::Usage, message));
    }
    Ok(name)
}

/// Where the token is, and how that is known.
fn token_file(named: Option<&Path>, ledger: Option<&LedgerPlace>) -> Result<PathBuf, Failure> {
    let given = std::env::var_os("REFUND_GATEWAY_ADMIN_TOKEN_FILE").map(PathBuf::from);
    match (named.map(Path::to_owned).or(given), ledger) {
        (Some(file), _) => Ok(file),
        (None, None) => Ok(AdminToken::file_of(Path::new(LEDGER_FILE))),
        (None, Some(LedgerPlace::File(ledger))) => Ok(AdminToken::file_of(ledger)),
        (None, Some(LedgerPlace::Server(_))) => Ok(PathBuf::from(token::SHARED_FILE)),
        (None, Some(LedgerPlace::Memory)) => {
            let message = "a ledger without a file has its token elsewhere";
            let hint = "name the file that serve told, with --token-file";
            Err(Failure::with_hint(FailureCode::Usage, message, hint))
        }
    }
}

/// The token itself.
fn read_token(named: Option<&Path>, ledger: Option<&LedgerPlace>) -> Result<String, Failure> {
    if named.is_none()
        && let Some(text) = token::of_variable()?
    {
        return Ok(text.trim().to_owned());
    }
    let file = token_file(named, ledger)?;
    let shown = file.display();
    let text = std::fs::read_to_string(&file).map_err(|error| {
        let message = format!("the token of the admin API cannot be read from {shown}: {error}");
        match error.kind() {
            io::ErrorKind::NotFound => {
                let hint = "serve writes it beside its ledger and takes it away at its end: is \
                     the gateway running, on this ledger? Name the ledger with --ledger, or the \
                     file with --token-file";
                Failure::with_hint(FailureCode::Input, message, hint)
            }
            _ => Failure::new(FailureCode::Input, message),
        }
    })?;
    match text.trim() {
        "" => Err(Failure::new(FailureCode::Input, format_args!("{shown} holds no token"))),
        token => Ok(token.to_owned()),
    }
}

/// The API of a running gateway.
pub(super) struct Api {
    endpoint: Endpoint,
    /// The only authorities that are believed, where some are named.
    trust: Option<Trust>,
    headers: HeaderMap,
    runtime: Runtime,
}

impl Api {
    /// The API whose listener is at `url`; its token is in `token_file`, or beside `ledger`.
    pub(super) fn at(
        url: &str,
        token_file: Option<&Path>,
        ledger: Option<&LedgerPlace>,
    ) -> Result<Self, Failure> {
        let token = read_token(token_file, ledger)?;
        let endpoint = Endpoint::parse(url).or_fail(FailureCode::Usage, "--admin")?;
        let bearer = HeaderValue::try_from(format!("Bearer {token}"));
        let mut bearer = bearer.or_fail(FailureCode::Input, "the token")?;
        bearer.set_sensitive(true);
        let json = HeaderValue::from_static("application/json");
        let headers = HeaderMap::from_iter([(AUTHORIZATION, bearer), (CONTENT_TYPE, json)]);
        let runtime = Runtime::new().or_fail(FailureCode::Runtime, "starting threads")?;
        let trust = admin_authorities::named()?;
        Ok(Self { endpoint, trust, headers, runtime })
    }

    /// Ends the process at the next signal, while this exists.
    pub(super) fn end_at_a_signal(&self) -> Result<(), Failure> {
        let _guard = self.runtime.enter();
        Signals::listen()?.end_at_the_next();
        Ok(())
    }

    /// What the API answers; its refusal is a failure in its own words.
    pub(super) fn call(&self, method: Method, path: &str, body: &Value) -> Result<Value, Failure> {
        let mut connection = connection(&self.endpoint, self.trust.as_ref());
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let path = format!("/api/v1/{path}");
        let request = Request { method, path, headers: self.headers.clone(), body: body.into() };
        let answer = self.runtime.block_on(connection.send(&request));
        let answer = answer.map_err(|error| {
            let message = format_args!("the admin API: {error}");
            Failure::with_hint(FailureCode::Runtime, message, NOT_RUNNING)
        })?;
        let reported: Option<Value> = serde_json::from_slice(&answer.body).ok();
        if answer.status.is_success()
            && let Some(reported) = reported
        {
            return Ok(reported);
        }
        let why =
            reported.as_ref().and_then(|reported| reported.get("error")).and_then(Value::as_str);
        let is_ours = why.is_some();
        let why = why.unwrap_or("what answers there is no admin API of this program");
        let message = format!("{}: {why}", answer.status.as_u16());
        Err(match answer.status.as_u16() {
            401 => Failure::with_hint(FailureCode::Runtime, message, OTHER_TOKEN),
            404 | 405 => Failure::with_hint(FailureCode::Runtime, message, NOT_THERE),
            421 => Failure::with_hint(FailureCode::Runtime, message, OTHER_HOST),
            _ if !is_ours => Failure::with_hint(FailureCode::Runtime, message, NOT_THERE),
            400..500 => Failure::new(FailureCode::Usage, message),
            _ => Failure::new(FailureCode::Runtime, message),
        })
    }
}

/// A connection to a listener; by https the named authorities are believed, else the public ones.
fn connection(endpoint: &Endpoint, trust: Option<&Trust>) -> Connection {
    let limits = ClientLimits::default();
    match trust {
        None => Connection::new(endpoint.clone(), limits),
        Some(trust) => Connection::trusting(endpoint.clone(), limits, Some(trust.clone())),
    }
}

fn print(reported: &Value) -> Result<(), Failure> {
    terminal::data(&format!("{reported:#}"))
}
