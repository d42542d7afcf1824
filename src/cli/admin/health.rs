//! `admin health`: whether the gateway is ready, as an exit code, for health checks of containers,
//! which have no other HTTP client at hand.

use super::{NOT_RUNNING, NOT_THERE, connection};
use crate::cli::admin_authorities;
use crate::cli::exit::{ExitStatus, Failure, FailureCode, OrFail};
use crate::cli::terminal;
use crate::client::header::HeaderMap;
use crate::client::{Endpoint, Method, Request};
use tokio::runtime::Runtime;

/// Asks the admin listener at `url`, which asks for no token here, and prints its answer.
pub(super) fn run(url: &str) -> Result<ExitStatus, Failure> {
    let endpoint = Endpoint::parse(url).or_fail(FailureCode::Usage, "--admin")?;
    let runtime = Runtime::new().or_fail(FailureCode::Runtime, "starting threads")?;
    let mut connection = connection(&endpoint, admin_authorities::named()?.as_ref());
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
    let is_ours = body == "ready" || body.starts_with("not ready");
    if !is_ours {
        let status = answer.status.as_u16();
        let message = format!("{status}: what answers there is no admin listener of this program");
        return Err(Failure::with_hint(FailureCode::Runtime, message, NOT_THERE));
    }
    if !answer.status.is_success() {
        let message = format!("the gateway is not ready ({}): {body}", answer.status);
        return Err(Failure::new(FailureCode::Runtime, message));
    }
    terminal::data(&body)?;
    Ok(ExitStatus::Done)
}
