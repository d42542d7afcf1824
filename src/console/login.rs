//! Logging in and out.
//!
//! What must stay true: wrong tokens and wrong passwords meet the guard that logins of clients
//! meet; where one is sent after a login is a path of the console and nothing else.

use super::frame::Frame;
use super::sessions::{Holder, set_cookie};
use super::trouble::Trouble;
use super::visitor::{Role, Visitor};
use super::{Answered, Console, answer, form};
use crate::call::Method;
use crate::domain::percent::encoded_path;
use crate::http::{Page, Visit};
use crate::service::login::LoginError;
use askama::Template;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// The name by which wrong tokens are counted.
const TOKEN: &str = "the token of the admin API";

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage<'l> {
    frame: Frame,
    /// Where to go on.
    next: &'l str,
    username: &'l str,
    why: Option<&'l str>,
}

/// The address of the login for one who wanted to see this page.
pub(super) fn path_from(visit: &Visit) -> String {
    if visit.path == "/" && visit.query.is_empty() {
        return "/login".to_owned();
    }
    let question = if visit.query.is_empty() { "" } else { "?" };
    let wanted = format!("{}{question}{}", visit.path, visit.query);
    format!("/login?next={}", encoded_path(&wanted))
}

/// A path of the console; any other text is the front page. A browser takes `//` and `/\` for the
/// beginning of another host's address.
fn next_of(text: Option<&str>) -> &str {
    let is_path = |text: &&str| {
        let second = text.as_bytes().get(1);
        text.starts_with('/')
            && !matches!(second, Some(b'/' | b'\\'))
            && text.bytes().all(|byte| byte.is_ascii_graphic())
    };
    text.filter(is_path).unwrap_or("/")
}

/// Shows the login, or logs in.
pub(super) async fn answer(console: &Console, visit: &Visit) -> Answered {
    let frame = Frame::bare(console, "Log in");
    if visit.method == Method::Get {
        let pairs = form::query(visit, &["next"])?;
        let next = next_of(pairs.text("next"));
        return answer::page(200, &LoginPage { frame, next, username: "", why: None });
    }
    let pairs = form::form(visit, &["token", "username", "password", "next"])?;
    let next = next_of(pairs.text("next"));
    let username = pairs.text("username").unwrap_or_default();
    let proven = match (pairs.text("token"), pairs.text("password")) {
        (Some(token), _) => by_token(console, token.trim(), visit).await,
        (None, Some(password)) => by_password(console, (username, password), visit).await,
        (None, None) => Err(Trouble::bad("Give the token, or a user and its password.")),
    };
    let opened = proven.and_then(|holder| {
        console.sessions.open(holder).ok_or_else(|| Trouble::internal("No session could be made."))
    });
    match opened {
        Ok(id) => {
            let page = answer::see_other(next);
            Ok(answer::with(page, "set-cookie", set_cookie(visit, Some(&id))))
        }
        Err(Trouble { status, why, .. }) => {
            answer::page(status, &LoginPage { frame, next, username, why: Some(&why) })
        }
    }
}

async fn by_token(console: &Console, token: &str, visit: &Visit) -> Result<Holder, Trouble> {
    let is_right = console.inside.is_token(token);
    let checked = console.service.guard_secret(TOKEN, is_right, visit.peer).await;
    checked.map_err(|error| of_login(&error, "This is not the token of this gateway."))?;
    tracing::info!(from = %visit.peer, "the admin token opened a session of the console");
    Ok(Holder::Token)
}

async fn by_password(
    console: &Console,
    (username, password): (&str, &str),
    visit: &Visit,
) -> Result<Holder, Trouble> {
    let mismatch = "User and password do not match.";
    let caller = console.service.identify(username, password, visit.peer).await;
    let caller = caller.map_err(|error| of_login(&error, mismatch))?;
    if !visit.users.allow(&caller.username) {
        return Err(Trouble::forbidden("The client's certificate does not name this user."));
    }
    if Role::of(caller.permissions).is_none() {
        let why = "This user has neither the permission console-read nor console-operate.";
        return Err(Trouble::forbidden(why));
    }
    let user = console.service.ledger().find_user(&caller.username).await?;
    let user = user.ok_or_else(|| Trouble::new(401, mismatch))?;
    tracing::info!(user = %caller.username, from = %visit.peer, "a session of the console began");
    Ok(Holder::User {
        username: Arc::clone(&caller.username),
        key: caller.user,
        password: Sha256::digest(user.password_hash.as_bytes()).into(),
    })
}

fn of_login(error: &LoginError, mismatch: &str) -> Trouble {
    match error {
        LoginError::Mismatch => Trouble::new(401, mismatch),
        LoginError::Refused => {
            let why = "Too many wrong attempts came from here. Wait a minute and try again.";
            Trouble::new(429, why)
        }
        LoginError::Busy => Trouble::new(503, "Too many logins wait. Try again in a moment."),
        LoginError::Ledger(error) => Trouble::from(error.clone()),
    }
}

/// Ends the session.
pub(super) fn leave(console: &Console, visitor: &Visitor) -> Page {
    console.sessions.end(&visitor.session);
    let page = answer::see_other("/login");
    answer::with(page, "set-cookie", set_cookie(&visitor.visit, None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_goes_on_to_a_path_of_the_console_and_nowhere_else() {
        for good in ["/", "/refunds?state=Error", "/refunds/R-00000001"] {
            assert_eq!(next_of(Some(good)), good);
        }
        for bad in ["//evil.example", "/\\evil.example", "https://evil.example", "", "/a\r\nb: c"] {
            assert_eq!(next_of(Some(bad)), "/", "{bad}");
        }
    }
}
