//! One account: its balance over time, all that moved it, and what was made of it.
//!
//! What must stay true: the balances shown are those that the ledger wrote with its entries; each
//! list is bounded, and says where there is more.

use super::accounts::span;
use crate::console::answer;
use crate::console::chart::Chart;
use crate::console::form;
use crate::console::frame::Frame;
use crate::console::listing::Listing;
use crate::console::refund_rows::{RefundRow, listed};
use crate::console::section::Section;
use crate::console::trouble::Trouble;
use crate::console::visitor::Visitor;
use crate::console::words::local;
use crate::console::{Answered, Console};
use crate::domain::draft::refund_details::ObjectKey;
use crate::domain::money::MinorUnits;
use crate::ledger::readings::{AccountView, EntryView, Span};
use askama::Template;
use chrono_tz::Tz;

/// How many entries a page has, and how many points the chart.
const ENTRIES: u32 = 50;
const POINTS: u32 = 300;
/// How many of the newest of each other list are shown.
const NEWEST: u32 = 20;

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    frame: Frame,
    account: AccountView,
    zone: &'static str,
    chart: Chart,
    entries: Vec<EntryRow>,
    /// Where the older entries begin.
    older: Option<i64>,
    is_later: bool,
    label: &'static str,
    refunds: Vec<RefundRow>,
    /// What else belongs to it, where there is any.
    tables: Vec<Listing>,
}

impl AccountPage {
    /// An amount in the account's currency.
    fn money(&self, amount: &MinorUnits) -> String {
        self.account.currency.format(*amount)
    }
}

/// An entry, in words.
struct EntryRow {
    at: String,
    kind: &'static str,
    amount: String,
    balance: String,
    refund: Option<String>,
    adjustment: Option<String>,
}

impl EntryRow {
    fn of(entry: EntryView, zone: Tz) -> Self {
        Self {
            at: local(entry.at, zone),
            kind: entry.kind.name(),
            amount: entry.currency.format(entry.amount),
            balance: entry.currency.format(entry.balance),
            refund: entry.refund.map(|number| number.to_string()),
            adjustment: entry.adjustment,
        }
    }
}

/// The page of an account.
pub(super) async fn page(console: &Console, visitor: &Visitor, key: &str) -> Answered {
    visitor.reads()?;
    let asked = form::query(&visitor.visit, &["from"])?;
    let (ledger, key) = (console.service.ledger(), ObjectKey::of(key));
    let none = || {
        Trouble::missing(format!(
            "The ledger has no account with the id or number {}.",
            key.as_str()
        ))
    };
    let account = ledger.show_account(key.clone()).await?.ok_or_else(none)?;
    let key = ObjectKey::Id(account.id.clone());
    let entries = ledger.list_entries(key.clone(), span(&asked, ENTRIES)?).await?;
    let entries = entries.ok_or_else(none)?;
    let newest = Span::first(NEWEST);
    let adjustments = ledger.list_adjustments(key.clone(), newest).await?.ok_or_else(none)?;
    let invoices = ledger.list_invoices(key.clone(), newest).await?.ok_or_else(none)?;
    let payments = ledger.list_payments(key.clone(), newest).await?.ok_or_else(none)?;
    let tables = [
        Listing::adjustments(&adjustments.rows, account.currency),
        Listing::invoices(&invoices.rows, account.currency),
        Listing::payments(&payments.rows, account.currency),
    ];
    let chart = chart(console, &account, &key).await?;
    let refunds = format!("account={}&limit={NEWEST}", account.id);
    let refunds = listed(console, visitor, &refunds).await?.refunds;
    let zone = console.service.tenant().time_zone;
    let title = format!("Account {}", account.number);
    let page = AccountPage {
        frame: visitor.frame(console, Some(Section::Accounts), title),
        account,
        zone: zone.name(),
        chart,
        older: entries.next,
        entries: entries.rows.into_iter().map(|entry| EntryRow::of(entry, zone)).collect(),
        is_later: asked.text("from").is_some(),
        label: "Its newest refunds",
        refunds,
        tables: tables.into_iter().filter(|table| !table.rows.is_empty()).collect(),
    };
    answer::page(200, &page)
}

/// The balance after each of the newest movements.
async fn chart(
    console: &Console,
    account: &AccountView,
    key: &ObjectKey,
) -> Result<Chart, Trouble> {
    let found = console.service.ledger().list_entries(key.clone(), Span::first(POINTS)).await?;
    let entries = found.map(|found| found.rows).unwrap_or_default();
    let zone = console.service.tenant().time_zone;
    let units = |amount: MinorUnits| u64::try_from(amount.units()).unwrap_or_default();
    // The balance before the oldest of them is where the line begins.
    let before = entries.last().map(|oldest| oldest.balance.units() - oldest.amount.units());
    let before = before.map_or(account.balance, MinorUnits::new);
    let values: Vec<u64> = std::iter::once(before)
        .chain(entries.iter().rev().map(|entry| entry.balance))
        .map(units)
        .collect();
    let from = entries.last().map_or_else(String::new, |oldest| local(oldest.at, zone));
    let to = entries.first().map_or_else(String::new, |newest| local(newest.at, zone));
    let (currency, code) = (account.currency, account.currency.code());
    Ok(Chart::of("Credit balance", &values, (from, to), |units| {
        let units = i64::try_from(units).unwrap_or(i64::MAX);
        format!("{} {code}", currency.format(MinorUnits::new(units)))
    }))
}
