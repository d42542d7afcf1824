//! Who gets which answer: files, the login, pages for those who are logged in.
//!
//! What must stay true: nothing is changed by a request whose Origin is not the Host, with either
//! scheme, because a proxy may end TLS; behind the login nothing is changed without the CSRF token
//! of the session, nor by one who may only read. A user who is shut out, has another password or
//! lost the permission loses the session at the next request.

use super::frame::Frame;
use super::section::Section;
use super::sessions::{Holder, Open};
use super::trouble::Trouble;
use super::visitor::{Role, Visitor};
use super::{Answered, Console, answer, assets, form, live, login, pages};
use crate::call::Method;
use crate::http::{Page, Visit};
use sha2::{Digest, Sha256};

/// Paths beside those of the sections that are behind the login.
const BEHIND: [&str; 3] = ["/search", "/live", "/logout"];

/// Answers a request.
pub(super) async fn pass(console: &Console, visit: Visit) -> Page {
    if let (Some(file), Method::Get) = (assets::file(&visit), visit.method) {
        return file;
    }
    let outside = |trouble: Trouble| trouble.page(Frame::bare(console, ""));
    if let Err(trouble) = is_allowed(&visit) {
        return outside(trouble);
    }
    if visit.path == "/login" {
        return login::answer(console, &visit).await.unwrap_or_else(outside);
    }
    let path = visit.path.as_str();
    if Section::of_path(path).is_none() && !BEHIND.contains(&path) {
        return outside(nothing_at(path));
    }
    let visitor = match admit(console, visit).await {
        Ok(visitor) => visitor,
        Err(Outside::Stranger(visit)) => return to_login(console, &visit),
        Err(Outside::Trouble(trouble)) => return outside(trouble),
    };
    let answered = inside(console, &visitor).await;
    answered.unwrap_or_else(|trouble| {
        let section = Section::of_path(&visitor.visit.path);
        trouble.page(visitor.frame(console, section, ""))
    })
}

/// What is said of a path that leads nowhere.
fn nothing_at(path: &str) -> Trouble {
    let path: String = path.chars().take(100).collect();
    Trouble::missing(format!(
        "There is nothing at {path}. The console begins at /; beside it there are /healthz, \
         /livez, /readyz, /metrics, /openapi.json and what that describes."
    ))
}

/// That the method is one of ours, and that no page of another origin sends a form.
fn is_allowed(visit: &Visit) -> Result<(), Trouble> {
    match visit.method {
        Method::Get => return Ok(()),
        Method::Post => {}
        _ => return Err(Trouble::wrong_method("GET, HEAD, POST")),
    }
    let ours = &visit.host;
    let is_ours = |origin: &str| {
        let schemes = ["https://", "http://"];
        let rest = schemes.iter().find_map(|scheme| origin.strip_prefix(scheme));
        rest.is_some_and(|host| host.eq_ignore_ascii_case(ours))
    };
    match visit.headers.get("origin") {
        Some(origin) if is_ours(origin) => Ok(()),
        Some(_) => Err(Trouble::forbidden(format!(
            "The form comes from a page of another origin than {ours}."
        ))),
        None => Err(Trouble::forbidden(format!("A form needs the Origin {ours}."))),
    }
}

/// Why there is no visitor.
enum Outside {
    /// It is not logged in.
    Stranger(Visit),
    Trouble(Trouble),
}

async fn admit(console: &Console, visit: Visit) -> Result<Visitor, Outside> {
    let is_use = visit.headers.get("x-refreshing").is_none() && visit.path != "/live";
    let Some(session) = console.sessions.find(&visit, is_use) else {
        return Err(Outside::Stranger(visit));
    };
    match role_of(console, &session, &visit).await {
        Ok(Some(role)) => Ok(Visitor { visit, session, role }),
        Ok(None) => {
            console.sessions.end(&session);
            Err(Outside::Stranger(visit))
        }
        Err(trouble) => Err(Outside::Trouble(trouble)),
    }
}

/// What the holder of a session may do now; none where the session is over for that.
async fn role_of(
    console: &Console,
    session: &Open,
    visit: &Visit,
) -> Result<Option<Role>, Trouble> {
    let Holder::User { username, key, password } = &session.holder else {
        return Ok(Some(Role::Operator));
    };
    let user = console.service.ledger().find_user(username).await?;
    let is_same = |hash: &str| *password == <[u8; 32]>::from(Sha256::digest(hash.as_bytes()));
    let user = user.filter(|user| user.key == *key && is_same(&user.password_hash));
    let user = user.filter(|user| visit.users.allow(&user.username));
    Ok(user.and_then(|user| Role::of(user.permissions)))
}

/// Sends one who only reads to the login; one who sends a form learns first that it was not taken.
fn to_login(console: &Console, visit: &Visit) -> Page {
    match visit.method {
        Method::Get if visit.path == "/live" => answer::sentence(401, "Log in first."),
        Method::Get => answer::see_other(&login::path_from(visit)),
        _ => {
            let why = "The session is over, or there was none. Nothing was done; log in again.";
            Trouble::new(401, why).page(Frame::bare(console, ""))
        }
    }
}

async fn inside(console: &Console, visitor: &Visitor) -> Answered {
    let visit = &visitor.visit;
    if visit.method == Method::Post {
        if form::csrf(visit)? != Some(&visitor.session.csrf) {
            let why = "The form is not from a page of this session. Load the page again.";
            return Err(Trouble::forbidden(why));
        }
        if visit.path == "/logout" {
            return Ok(login::leave(console, visitor));
        }
        if !visitor.operates() {
            let why = "This needs the permission console-operate; with console-read alone one \
                       can look at everything and change nothing.";
            return Err(Trouble::forbidden(why));
        }
    }
    match visit.path.as_str() {
        "/logout" => Err(Trouble::wrong_method("POST")),
        "/live" => live::stream(console),
        _ => pages::route(console, visitor).await,
    }
}
