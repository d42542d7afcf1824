//! The pages behind the login: the one table of which path leads to which.
//!
//! A page is a file here and a template of the same name. Its function is given the console and the
//! visitor, and returns [`Answered`]: `visitor.reads()?` or `visitor.posts()?` says which method it
//! takes, `form::query` and `form::form` read what was asked, `visitor.act(console)` says who acts,
//! and `done` leaves a notice and sends the browser on. That a form comes from the visitor's own
//! page, and that the visitor may change something, is known before any of this is called. What
//! the admin API does as well is done by `console.inside.operate`, in its words.
//! An element with an id and the attribute `data-live` is kept up to date by the script.

mod account;
mod accounts;
mod audit;
mod bench;
mod export;
mod gateways;
mod journal;
mod overview;
mod refunds;
mod reports;
mod search;
mod sessions;
mod settings;
mod story;
mod trial;
mod users;
mod webhooks;

use super::trouble::Trouble;
use super::visitor::Visitor;
use super::{Answered, Console, answer};

/// The page at a path.
pub(super) async fn route(console: &Console, visitor: &Visitor) -> Answered {
    let path = visitor.visit.path.trim_start_matches('/');
    let segments: Vec<&str> = path.split('/').collect();
    match segments.as_slice() {
        [""] => overview::page(console, visitor).await,
        ["refunds", rest @ ..] => refunds::route(console, visitor, rest).await,
        ["accounts", rest @ ..] => accounts::route(console, visitor, rest).await,
        ["journal", rest @ ..] => journal::route(console, visitor, rest).await,
        ["bench", rest @ ..] => bench::route(console, visitor, rest).await,
        ["gateways", rest @ ..] => gateways::route(console, visitor, rest).await,
        ["webhooks", rest @ ..] => webhooks::route(console, visitor, rest).await,
        ["sessions", rest @ ..] => sessions::route(console, visitor, rest).await,
        ["users", rest @ ..] => users::route(console, visitor, rest).await,
        ["settings", rest @ ..] => settings::route(console, visitor, rest).await,
        ["audit", rest @ ..] => audit::route(console, visitor, rest).await,
        ["search"] => search::route(console, visitor).await,
        _ => Err(nothing()),
    }
}

/// What is said of a path below a section that leads nowhere.
fn nothing() -> Trouble {
    Trouble::missing("There is no such page; the navigation leads to those that there are.")
}

/// Sends the browser on after something was done, which the next page says.
fn done(console: &Console, visitor: &Visitor, to: &str, notice: impl Into<String>) -> Answered {
    console.sessions.leave_notice(&visitor.session, notice.into());
    Ok(answer::see_other(to))
}
