//! Search: any id or number leads to the page of what it names; where it may name several things,
//! to a list of them.
//!
//! What must stay true: it looks things up by their keys alone, and so costs the same on any
//! ledger.

use crate::console::answer;
use crate::console::form;
use crate::console::frame::Frame;
use crate::console::trouble::Trouble;
use crate::console::visitor::Visitor;
use crate::console::{Answered, Console};
use crate::domain::draft::refund_details::ObjectKey;
use crate::domain::query::{Condition, QueryObject, Test, TypedQuery};
use crate::domain::refund_name::RefundName;
use crate::domain::zoql::Comparator;
use crate::ledger::UserKey;
use crate::ledger::query::{Find, FindError, Start, Value};
use crate::ledger::readings::{AccountView, AccountsQuery, Span};
use askama::Template;
use std::time::{Duration, Instant};

/// How many accounts are offered whose names begin so.
const ACCOUNTS: u32 = 10;
/// How long a look-up may take.
const LOOK_UP_MAX: Duration = Duration::from_secs(5);

/// What belongs to an account and is found by its id, or by the number in this field.
const OF_ACCOUNTS: [(QueryObject, Option<&str>); 6] = [
    (QueryObject::Payment, Some("PaymentNumber")),
    (QueryObject::Invoice, Some("InvoiceNumber")),
    (QueryObject::CreditBalanceAdjustment, Some("Number")),
    (QueryObject::InvoiceAdjustment, Some("AdjustmentNumber")),
    (QueryObject::InvoiceItemAdjustment, Some("AdjustmentNumber")),
    (QueryObject::PaymentMethod, None),
];

#[derive(Template)]
#[template(path = "search.html")]
struct SearchPage {
    frame: Frame,
    wanted: String,
    /// The query by which the audit is asked about it.
    audit: String,
    hits: Vec<Hit>,
}

/// Something that a text may name.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hit {
    what: String,
    /// Where its page is.
    to: String,
}

impl Hit {
    fn account(account: &AccountView) -> Self {
        let what = format!("Account {} ({})", account.number, account.name);
        Self { what, to: format!("/accounts/{}", account.id) }
    }
}

/// Finds what a text names.
pub(super) async fn route(console: &Console, visitor: &Visitor) -> Answered {
    visitor.reads()?;
    let asked = form::query(&visitor.visit, &["q"])?;
    let wanted = asked.text("q").unwrap_or_default().trim().to_owned();
    let mut hits = if wanted.is_empty() { Vec::new() } else { named(console, &wanted).await? };
    if let [only] = hits.as_slice() {
        return Ok(answer::see_other(&only.to));
    }
    if hits.is_empty() && !wanted.is_empty() {
        hits = accounts_like(console, &wanted).await?;
    }
    let frame = visitor.frame(console, None, "Search");
    let audit = form::encoded_pairs(&[("id", wanted.clone())]);
    answer::page(200, &SearchPage { frame, wanted, audit, hits })
}

/// What has this id or number.
async fn named(console: &Console, text: &str) -> Result<Vec<Hit>, Trouble> {
    let ledger = console.service.ledger();
    let mut hits = Vec::new();
    if let Some(name) = RefundName::forgiving(text)
        && let Some(refund) = ledger.show_refund(name).await?
    {
        let number = refund.id.number();
        hits.push(Hit { what: format!("Refund {number}"), to: format!("/refunds/{number}") });
    }
    let key = ObjectKey::of(text);
    if let Some(account) = ledger.show_account(key.clone()).await? {
        hits.push(Hit::account(&account));
    }
    for (object, number) in OF_ACCOUNTS {
        let field = match key.id() {
            Some(_) => "Id",
            None => match number {
                Some(number) => number,
                None => continue,
            },
        };
        let accounts = accounts_of(console, object, field, key.as_str()).await?;
        hits.extend(accounts.into_iter().map(|account| Hit {
            what: format!("{} {text}, of the account {account}", object.name()),
            to: format!("/accounts/{account}"),
        }));
    }
    Ok(hits)
}

/// The ids of the accounts of the objects with this value of a field.
async fn accounts_of(
    console: &Console,
    object: QueryObject,
    field: &str,
    text: &str,
) -> Result<Vec<String>, Trouble> {
    let value = text.to_owned();
    let test = match field {
        "Id" => Test::Id(Comparator::Equal, value),
        _ => Test::Text(Comparator::Equal, value),
    };
    let query = TypedQuery {
        object,
        fields: vec!["AccountId".to_owned()],
        conditions: vec![vec![Condition { field: field.to_owned(), test }]],
        case_sensitive: true,
    };
    let asked = Find {
        user: UserKey(0),
        start: Start::Query(query),
        rows_max: ACCOUNTS,
        at: console.service.clock().now(),
        deadline: Instant::now() + LOOK_UP_MAX,
    };
    let page = console.service.ledger().find(asked).await?.map_err(|error| of_find(&error))?;
    let texts = page.rows.into_iter().filter_map(|row| match row.into_iter().next()?? {
        Value::Text(id) => Some(id),
        _ => None,
    });
    Ok(texts.collect())
}

fn of_find(error: &FindError) -> Trouble {
    Trouble::new(503, error.to_string())
}

/// The accounts whose name, number or id begins so.
async fn accounts_like(console: &Console, text: &str) -> Result<Vec<Hit>, Trouble> {
    let query = AccountsQuery { search: Some(text.to_owned()), span: Span::first(ACCOUNTS) };
    let found = console.service.ledger().list_accounts(query).await?;
    Ok(found.rows.iter().map(Hit::account).collect())
}
