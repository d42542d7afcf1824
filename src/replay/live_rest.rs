//! A captured call of the REST API made live: with a token of now, the client and the keys that are
//! known, and the names of the replay's own objects in its path and its body.
//!
//! What must stay true: no token, cookie, key or secret of a capture is sent. A capture whose
//! answer says 401 is sent with a token that is certainly none.

use super::blanks::{self, Blank};
use super::caller::{Caller, client_in};
use super::error::ReplayError;
use super::exchange::Exchange;
use super::live::{Means, Ready};
use super::raw::View;
use super::rest::{CONNECTIONS, TOKEN, bare};
use super::session::OauthClient;
use crate::client::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, HeaderValue};
use crate::client::{Connection, Request};
use crate::domain::percent::encoded;
use crate::json::{Json, JsonLimits, read};
use std::borrow::Cow;

/// What the API access keys are sent in.
const KEY: HeaderName = HeaderName::from_static("apiaccesskeyid");
const SECRET: HeaderName = HeaderName::from_static("apisecretaccesskey");
/// A token that is certainly none.
const NO_TOKEN: &str = "Bearer no-token-at-all";

/// The request to send for an exchange.
pub(super) async fn request(
    exchange: &Exchange,
    means: &Means<'_>,
    connection: &mut Connection,
) -> Result<Ready, ReplayError> {
    let rules = &exchange.rules;
    let mut headers = rules.request_headers();
    let mut body = match filled(&exchange.request, means) {
        Ok(body) => body,
        Err(missing) => return Ok(Ready::Lacking(missing)),
    };
    let is_token = bare(rules.path()) == TOKEN;
    if is_token && exchange.status() == Some(200) {
        let captured = client_in(&exchange.request);
        let known = captured.and_then(|id| means.sessions.client_named(&id));
        let Some(client) = known.or_else(|| means.sessions.client()) else {
            return Ok(Ready::Lacking(
                "no OAuth client is known: give a --seed with one".to_owned(),
            ));
        };
        body = as_client(&body, client);
    } else if !is_token && !proves(&headers) {
        prove(exchange, means, connection, &mut headers).await?;
    }
    let body = match means.carried.replaced(&body) {
        Cow::Borrowed(_) => body,
        Cow::Owned(replaced) => replaced,
    };
    let path = means.carried.replaced(rules.path().as_bytes());
    let path = String::from_utf8_lossy(&path).into_owned();
    let request = Request { method: rules.method(), path, headers, body: body.into() };
    Ok(Ready::Request(Box::new(request)))
}

/// Whether the rules say already who calls.
fn proves(headers: &HeaderMap) -> bool {
    [AUTHORIZATION, COOKIE, KEY].iter().any(|name| headers.contains_key(name))
}

/// The user in whose name a captured call is sent, as far as the capture and the seed together say
/// it; none is the first user.
fn captured_user<'m>(exchange: &'m Exchange, means: &'m Means<'_>) -> Option<&'m str> {
    match exchange.caller.as_ref()? {
        Caller::Token(token) => {
            let client = means.carried.client_of(token)?;
            Some(means.sessions.client_named(client)?.user.as_str())
        }
        Caller::User(name) => means.sessions.knows(name).then_some(name),
        Caller::Session(_) => None,
    }
}

/// The live session that stands for the one of a captured call, if its login was captured as well.
fn captured_session<'m>(exchange: &Exchange, means: &'m Means<'_>) -> Option<&'m str> {
    match exchange.caller.as_ref()? {
        Caller::Session(session) => means.carried.session(session),
        Caller::Token(_) | Caller::User(_) => None,
    }
}

/// Adds who calls: the user of the rules, the one who was captured, or the first one.
async fn prove(
    exchange: &Exchange,
    means: &Means<'_>,
    connection: &mut Connection,
    headers: &mut HeaderMap,
) -> Result<(), ReplayError> {
    let of_rules = exchange.rules.user();
    let user = of_rules.or_else(|| captured_user(exchange, means));
    let session = captured_session(exchange, means).filter(|_| of_rules.is_none());
    if user == Some("") {
        return Ok(());
    }
    let header = |text: &str| {
        let unsendable = |_| ReplayError::Usage("a name or password is no header".to_owned());
        HeaderValue::from_str(text).map_err(unsendable)
    };
    if exchange.status() == Some(401) {
        headers.insert(AUTHORIZATION, HeaderValue::from_static(NO_TOKEN));
    } else if let Some(session) = session {
        headers.insert(AUTHORIZATION, header(&format!("ZSession {session}"))?);
    } else if bare(exchange.rules.path()) == CONNECTIONS {
        let known = means.sessions.credentials(user)?;
        headers.insert(KEY, header(&known.username)?);
        headers.insert(SECRET, header(&known.password)?);
    } else {
        let authorization = means.sessions.authorization(user, connection).await?;
        headers.insert(AUTHORIZATION, header(&authorization)?);
    }
    Ok(())
}

/// The body with the values of its blanks, or what is missing.
fn filled(captured: &[u8], means: &Means<'_>) -> Result<Vec<u8>, String> {
    let view = View::of(captured);
    let value = |blank: &Blank| {
        let known = means.values.get(&blank.name).or_else(|| means.carried.blank(&blank.name));
        known.map(|value| value.replace('\\', "\\\\").replace('"', "\\\""))
    };
    let (mut edits, mut left) = (Vec::new(), Vec::new());
    for blank in blanks::find(&view) {
        match value(&blank) {
            Some(value) => edits.push((blank.at, value)),
            None => left.push(blank),
        }
    }
    if left.is_empty() {
        return Ok(if edits.is_empty() { captured.to_vec() } else { view.with(&edits) });
    }
    Err(blanks::missing(&blanks::once(left.into_iter())))
}

/// A form with the client that is known in the place of the captured one.
fn as_client(form: &[u8], client: &OauthClient) -> Vec<u8> {
    let form = String::from_utf8_lossy(form);
    let kept = form.split('&').filter(|pair| {
        let name = pair.split('=').next().unwrap_or_default();
        !pair.is_empty() && !["client_id", "client_secret"].contains(&name)
    });
    let mut pairs: Vec<String> = kept.map(str::to_owned).collect();
    pairs.push(format!("client_id={}", encoded(&client.id)));
    pairs.push(format!("client_secret={}", encoded(&client.secret)));
    pairs.join("&").into_bytes()
}

/// The token in an answer, if it has one.
pub(super) fn token_in(answer: &[u8]) -> Option<String> {
    let json = read(answer, &JsonLimits::default()).ok()?;
    json.get("access_token").and_then(Json::text).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_gets_the_client_that_is_known() {
        let client = OauthClient {
            id: "me".to_owned(),
            secret: "a&b c".to_owned(),
            user: "demo@example.com".to_owned(),
        };
        let form = b"client_id=captured&grant_type=client_credentials&client_secret=captured";
        let expected = "grant_type=client_credentials&client_id=me&client_secret=a%26b%20c";
        assert_eq!(String::from_utf8_lossy(&as_client(form, &client)), expected);
    }
}
