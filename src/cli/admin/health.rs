//! `admin health`: whether the gateway is ready, as an exit code, for health checks of containers,
//! which have no other HTTP client at hand.

use super::{NOT_RUNNING, NOT_THERE, named_trust};
use crate::cli::exit::{ExitStatus, Failure, FailureCode, OrFail};
use crate::cli::terminal;
use crate::client::header::HeaderMap;
use crate::client::{ClientLimits, Connection, Endpoint, Method, Request};
use tokio::runtime::Runtime;

/// Asks the admin listener at `url`, which asks for no token here, and prints its answer.
pub(super) fn run(url: &str) -> Result<ExitStatus, Failure> {
    let endpoint = Endpoint::parse(url).or_fail(FailureCode::Usage, "--admin")?;
    let runtime = Runtime::new().or_fail(FailureCode::Runtime, "starting threads")?;
    let mut connection = Connection::trusting(endpoint, ClientLimits::default(), named_trust()?);
    let request = Request {
        method: Method::GET,
        path: "/readyz".to_owned(),
        headers: HeaderMap::new(),
        body: Vec::new().into(),
    };
    let answer = runtime.block_on(connection.send(&request));
    let answer = answer.map_err(|error| {
        let message = format_args!("the gateway's health: {error}");
        Failure::with_hint(FailureCode::Runtime, message, NOT_RUNNING)
    })?;
    let body = String::from_utf8_lossy(&answer.body).trim().to_owned();
    if !answer.status.is_success() {
        if answer.status == 404 {
            let message = "404: what answers there is no admin listener of this program";
            return Err(Failure::with_hint(FailureCode::Runtime, message, NOT_THERE));
        }
        let message = format!("the gateway is not ready ({}): {body}", answer.status);
        return Err(Failure::new(FailureCode::Runtime, message));
    }
    terminal::data(&body)?;
    Ok(ExitStatus::Done)
}
