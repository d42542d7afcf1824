//! What operators change (users, the tenant's settings, sandboxes), on the ledger of a gateway that
//! is stopped or through the admin API of one that runs: the one that is named, or the one that has
//! the ledger open.
//!
//! What must stay true: both ways make the same change and say the same; a password comes from
//! stdin, is not shown on a terminal, and is never an argument.

use super::admin::Api;
use super::exit::{ExitStatus, Failure, FailureCode, OrFail};
use super::ledger::Readable;
use super::options::LedgerOptions;
use super::{admin_url, ledger, operator, terminal};
use crate::client::Method;
use crate::http::AdminToken;
use crate::ledger::Ledger;
use crate::ledger::opening::OpenMode;
use crate::service::clock::Clock;
use crate::service::operation::{OperationError, Wanted, operate};
use rustix::termios::{LocalModes, OptionalActions, Termios, isatty, tcgetattr, tcsetattr};
use serde_json::{Value, json};
use std::io::{self, Stdin};
use std::path::PathBuf;
use tokio::runtime::Runtime;

/// Which ledger is changed.
#[derive(Debug, clap::Args)]
pub(super) struct Target {
    /// Change the ledger of the running gateway whose admin listener is here
    #[arg(long, value_name = "URL", env = "REFUND_GATEWAY_ADMIN")]
    admin: Option<String>,

    /// With --admin: the file of its token [default: LEDGER.admin-token]
    #[arg(long, value_name = "FILE", env = "REFUND_GATEWAY_TOKEN_FILE", requires = "admin")]
    token_file: Option<PathBuf>,

    #[command(flatten)]
    ledger: LedgerOptions,
}

impl Target {
    /// Makes the change and says what came of it: `done`, or that all was so already.
    pub(super) fn change(self, wanted: Wanted, done: &str) -> Result<ExitStatus, Failure> {
        self.change_to(|| Ok(wanted), done)
    }

    /// The same for what is asked for only once the ledger or the token of the admin API is at
    /// hand, so that no password is typed in vain.
    pub(super) fn change_to(
        self,
        wanted: impl FnOnce() -> Result<Wanted, Failure>,
        done: &str,
    ) -> Result<ExitStatus, Failure> {
        let changed = match &self.admin {
            Some(url) => {
                let ledger = self.ledger.ledger.as_ref();
                let api = Api::at(url, self.token_file.as_deref(), ledger)?;
                change_running(&api, wanted()?)?
            }
            None => match ledger::open_named(self.ledger.clone(), OpenMode::Existing) {
                Ok(ledger) => change_stopped(ledger.as_ref(), wanted()?)?,
                Err(refused) => match running(&self.ledger) {
                    Some(api) => change_running(&api, wanted()?)?,
                    None => return Err(hinted(refused)),
                },
            },
        };
        terminal::data(if changed { done } else { "nothing to change: it is so already" })?;
        Ok(ExitStatus::Done)
    }
}

/// The gateway that runs on this ledger, by what it left beside the file; a note says that it makes
/// the change. Another gateway may be there by now, with another ledger and so with another
/// token.
pub(super) fn running(ledger: &LedgerOptions) -> Option<Api> {
    let Ok(Readable::File(file)) = ledger::named_place(ledger.clone()) else {
        return None;
    };
    let url = admin_url::beside(&file)?;
    let api = Api::at(&url, Some(&AdminToken::file_of(&file)), None).ok()?;
    api.call(Method::GET, "users?limit=1", &Value::Null).ok()?;
    terminal::note("the gateway that runs on this ledger makes the change");
    Some(api)
}

/// Has a running gateway make a change; whether there was one to make.
fn change_running(api: &Api, wanted: Wanted) -> Result<bool, Failure> {
    let (path, body) = request(wanted);
    let answer = api.call(Method::POST, path, &body)?;
    Ok(answer.get("changed").and_then(Value::as_bool).unwrap_or(true))
}

/// Makes a change on an open ledger; whether there was one to make.
fn change_stopped(ledger: &dyn Ledger, wanted: Wanted) -> Result<bool, Failure> {
    let runtime = Runtime::new().or_fail(FailureCode::Runtime, "starting threads")?;
    let act = operator::act(Clock::system().now());
    runtime.block_on(operate(ledger, wanted, act)).map_err(|error| {
        let code = match &error {
            OperationError::Wrong(_) | OperationError::Refused(_) => FailureCode::Usage,
            _ => FailureCode::Runtime,
        };
        Failure { code, error: error.into() }
    })
}

/// A refused ledger, with what helps where a gateway runs on it.
fn hinted(refused: Failure) -> Failure {
    match refused.code {
        FailureCode::Configuration => {
            let hint = "beside a running gateway, name its admin listener with --admin URL";
            Failure::with_hint(refused.code, format_args!("{:#}", refused.error), hint)
        }
        _ => refused,
    }
}

/// A change as the admin API takes it.
fn request(wanted: Wanted) -> (&'static str, Value) {
    match wanted {
        Wanted::CreateUser { username, password, permissions } => {
            let mut body = json!({ "username": username, "password": password });
            if let (Some(body), Some(permissions)) = (body.as_object_mut(), permissions) {
                body.insert("permissions".to_owned(), json!(permissions));
            }
            ("users", body)
        }
        Wanted::Grant { username, permissions } => {
            ("users/grant", json!({ "username": username, "permissions": permissions }))
        }
        Wanted::Revoke { username, permissions } => {
            ("users/revoke", json!({ "username": username, "permissions": permissions }))
        }
        Wanted::Enable { username, is_enabled } => {
            let path = if is_enabled { "users/enable" } else { "users/disable" };
            (path, json!({ "username": username }))
        }
        Wanted::SetPassword { username, password } => {
            ("users/set-password", json!({ "username": username, "password": password }))
        }
        Wanted::Tenant { key, value } => ("tenant", json!({ "key": key, "value": value })),
        Wanted::Gateway { name, key, value } => {
            ("gateways", json!({ "name": name, "key": key, "value": value }))
        }
    }
}

/// What the command line says of a value: a text, or a list of several.
pub(super) fn value(mut words: Vec<String>) -> Value {
    match words.len() {
        1 => Value::from(words.remove(0)),
        _ => Value::from(words),
    }
}

/// The password on stdin, one line, which a terminal does not show.
pub(super) fn read_password() -> Result<String, Failure> {
    let stdin = io::stdin();
    let _quiet = Quiet::start(&stdin);
    let mut line = String::new();
    stdin.read_line(&mut line).or_fail(FailureCode::Input, "reading the password")?;
    let password = line.strip_suffix('\n').unwrap_or(&line);
    let password = password.strip_suffix('\r').unwrap_or(password);
    if password.is_empty() {
        let message = "the password is empty; it is read from stdin, one line";
        return Err(Failure::new(FailureCode::Input, message));
    }
    Ok(password.to_owned())
}

/// A terminal that does not show what is typed, until this is dropped.
struct Quiet<'s> {
    stdin: &'s Stdin,
    before: Termios,
}

impl<'s> Quiet<'s> {
    fn start(stdin: &'s Stdin) -> Option<Self> {
        let before = Some(stdin).filter(|stdin| isatty(stdin)).map(tcgetattr)?.ok()?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        terminal::note("the password, which is not shown as it is typed:");
        tcsetattr(stdin, OptionalActions::Flush, &quiet).ok()?;
        Some(Self { stdin, before })
    }
}

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing back.
        let _ = tcsetattr(self.stdin, OptionalActions::Flush, &self.before);
        terminal::note("");
    }
}
