//! Accounts: the list with its search, and the way to one.

use super::{account, nothing};
use crate::console::answer;
use crate::console::form;
use crate::console::frame::Frame;
use crate::console::section::Section;
use crate::console::trouble::Trouble;
use crate::console::visitor::Visitor;
use crate::console::{Answered, Console};
use crate::http::Pairs;
use crate::ledger::readings::{AccountView, AccountsQuery, Span};
use askama::Template;

/// How many accounts a page has.
const ROWS: u32 = 50;

#[derive(Template)]
#[template(path = "accounts.html")]
struct AccountsPage {
    frame: Frame,
    search: String,
    accounts: Vec<AccountView>,
    next: Option<String>,
    is_later: bool,
}

impl AccountsPage {
    /// The credit balance of an account.
    fn balance(&self, account: &AccountView) -> String {
        account.currency.format(account.balance)
    }
}

/// The pages of accounts.
pub(super) async fn route(console: &Console, visitor: &Visitor, rest: &[&str]) -> Answered {
    match rest {
        [] => list(console, visitor).await,
        [key] => account::page(console, visitor, key).await,
        _ => Err(nothing()),
    }
}

/// The part of a list that a query asks for.
pub(super) fn span(asked: &Pairs, rows_max: u32) -> Result<Span, Trouble> {
    let from = asked.number("from", 0..=i64::MAX).map_err(Trouble::bad)?;
    Ok(Span { from, rows_max })
}

async fn list(console: &Console, visitor: &Visitor) -> Answered {
    visitor.reads()?;
    let asked = form::query(&visitor.visit, &["q", "from"])?;
    let search = asked.text("q").map(|text| text.trim().to_owned());
    let query = AccountsQuery { search: search.clone(), span: span(&asked, ROWS)? };
    let found = console.service.ledger().list_accounts(query).await?;
    let search = search.unwrap_or_default();
    let next =
        |from: i64| form::encoded_pairs(&[("q", search.clone()), ("from", from.to_string())]);
    let page = AccountsPage {
        frame: visitor.frame(console, Some(Section::Accounts), Section::Accounts.title()),
        next: found.next.map(next),
        is_later: asked.text("from").is_some(),
        accounts: found.rows,
        search,
    };
    answer::page(200, &page)
}
