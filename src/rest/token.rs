//! `POST /oauth/token`: a client's id and secret, in a form, become a bearer token.
//!
//! Source: "Create an OAuth token" of the vendor's REST reference. The Authorization header of such
//! a request is ignored, because the vendor's own client renews with its old token in it.

use super::answer::Response;
use super::failing::Stop;
use super::query::Parameters;
use crate::call::{CallLimit, Outcome};
use crate::domain::error_code::ErrorCode;
use crate::json::JsonWriter;
use crate::service::Service;
use crate::service::login::LoginError;
use crate::service::oauth::TOKEN_SECONDS;
use std::net::IpAddr;

/// The length of a client's id, and the longest secret, in characters.
const CLIENT_CHARS: usize = 36;
const SECRET_CHARS_MAX: usize = 42;

/// Why there is no token, in the words of OAuth (RFC 6749, 5.2).
#[derive(Debug, Clone, Copy)]
enum NoToken {
    InvalidRequest(&'static str),
    UnsupportedGrantType,
    InvalidClient,
}

/// Issues a token, or says why not.
///
/// # Errors
/// What the ledger could not do.
pub(super) async fn answer(
    service: &Service,
    form: &[u8],
    from: IpAddr,
    id: &str,
) -> Result<Response, Stop> {
    let (client, secret) = match credentials(form) {
        Ok(credentials) => credentials,
        Err(why) => return Ok(refused(why)),
    };
    match service.issue_token(&client, &secret, from).await {
        Ok(token) => Ok(Response::done(document(&token, id))),
        Err(LoginError::Mismatch) => Ok(refused(NoToken::InvalidClient)),
        Err(LoginError::Refused) => {
            Ok(Response { limit: Some(CallLimit::LoginGuard), ..too_often() })
        }
        Err(LoginError::Busy) => Ok(too_often()),
        Err(LoginError::Ledger(error)) => Err(error.into()),
    }
}

fn credentials(form: &[u8]) -> Result<(String, String), NoToken> {
    let text = std::str::from_utf8(form).unwrap_or_default();
    let form = Parameters::read(text)
        .map_err(|_| NoToken::InvalidRequest("The body is no form, or has a field twice."))?;
    let field = |name| form.get(name).filter(|value| !value.is_empty());
    match field("grant_type") {
        Some("client_credentials") => {}
        Some(_) => return Err(NoToken::UnsupportedGrantType),
        None => return Err(NoToken::InvalidRequest("grant_type is missing.")),
    }
    let Some(client) = field("client_id") else {
        return Err(NoToken::InvalidRequest("client_id is missing."));
    };
    let Some(secret) = field("client_secret") else {
        return Err(NoToken::InvalidRequest("client_secret is missing."));
    };
    if client.chars().count() != CLIENT_CHARS || secret.chars().count() > SECRET_CHARS_MAX {
        return Err(NoToken::InvalidClient);
    }
    Ok((client.to_owned(), secret.to_owned()))
}

fn document(token: &str, id: &str) -> Vec<u8> {
    let mut json = JsonWriter::new();
    json.object().name("access_token").text(token).name("token_type").text("bearer");
    json.name("expires_in").number(TOKEN_SECONDS).name("scope").text("user.default");
    json.name("jti").text(id);
    json.into_bytes()
}

fn refused(why: NoToken) -> Response {
    let (status, error, text) = match why {
        NoToken::InvalidRequest(text) => (400, "invalid_request", text),
        NoToken::UnsupportedGrantType => {
            (400, "unsupported_grant_type", "grant_type must be client_credentials.")
        }
        NoToken::InvalidClient => (401, "invalid_client", "No client has this id and secret."),
    };
    let mut json = JsonWriter::new();
    json.object().name("error").text(error).name("error_description").text(text);
    Response::of(status, json.into_bytes(), Outcome::Failed(ErrorCode::InvalidLogin))
}

fn too_often() -> Response {
    let mut json = JsonWriter::new();
    json.object().name("error").text("temporarily_unavailable");
    json.name("error_description").text("Too many requests for tokens; try again later.");
    let outcome = Outcome::Failed(ErrorCode::RequestExceededRate);
    Response { retry_after_s: Some(60), ..Response::of(429, json.into_bytes(), outcome) }
}
