//! What operators look through, as the admin API shows it: accounts, what moved on one, refunds and
//! sessions. On any ledger.
//!
//! What must stay true: a list states its bounds, and what goes on says where by `next`, which is
//! given back as `cursor`; amounts are texts with all the decimals of their currency; a session is
//! shown by its handle alone.

use super::api::Api;
use super::query::Pairs;
use super::talk::{Answered, Wrong, bad, done, missing, of_ledger, ok, wrong_method};
use crate::domain::draft::refund_details::ObjectKey;
use crate::domain::id::ObjectId;
use crate::domain::money::{Currency, MinorUnits, parse_decimal};
use crate::domain::refund_name::RefundName;
use crate::domain::toml_text::suggest;
use crate::domain::vocabulary::{GatewayState, RefundStatus, RefundType, SourceType};
use crate::ledger::readings::{
    AccountView, AccountsQuery, EntryView, Listed, ListedRefund, ListedSession, ROWS_MAX,
    RefundsQuery, SessionHandle, SessionKind, SessionPlace, Span,
};
use crate::ledger::trail::Act;
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use hyper::Method;
use serde_json::{Value, json};
use std::fmt::Display;

/// What refunds can be filtered by.
pub const REFUND_FILTERS: [&str; 9] = [
    "status",
    "type",
    "source_type",
    "account",
    "gateway",
    "from",
    "to",
    "amount_min",
    "amount_max",
];

/// How many rows are shown where the query does not say.
const LIMIT: u32 = 50;

impl Api {
    /// Accounts, or the one of an id or number.
    pub(super) async fn accounts(
        &self,
        method: &Method,
        rest: &[&str],
        query: &str,
    ) -> Result<Answered, Wrong> {
        read_alone(method)?;
        let ledger = self.service.ledger();
        if let [key] = rest {
            let found =
                ledger.show_account(ObjectKey::of(key)).await.map_err(|error| of_ledger(&error))?;
            let shown = found.as_ref().map(account).ok_or_else(|| no_account(key))?;
            return Ok(ok(shown));
        }
        let pairs = Pairs::parse(query, &["search", "limit", "cursor"]).map_err(bad)?;
        let search = pairs.text("search").map(str::to_owned);
        let asked = AccountsQuery { search, span: span(&pairs).map_err(bad)? };
        let listed = ledger.list_accounts(asked).await.map_err(|error| of_ledger(&error))?;
        Ok(ok(shown("accounts", &listed, account)))
    }

    /// What moved on an account.
    pub(super) async fn entries(&self, method: &Method, query: &str) -> Result<Answered, Wrong> {
        read_alone(method)?;
        let pairs = Pairs::parse(query, &["account", "limit", "cursor"]).map_err(bad)?;
        let of = pairs.text("account").ok_or_else(|| {
            bad("account: is missing; entries are those of one account, by its id or number")
        })?;
        let span = span(&pairs).map_err(bad)?;
        let listed = self.service.ledger().list_entries(ObjectKey::of(of), span).await;
        let listed = listed.map_err(|error| of_ledger(&error))?.ok_or_else(|| no_account(of))?;
        Ok(ok(shown("entries", &listed, entry)))
    }

    /// Refunds, or the one of an id or number.
    pub(super) async fn refunds(
        &self,
        method: &Method,
        rest: &[&str],
        query: &str,
    ) -> Result<Answered, Wrong> {
        read_alone(method)?;
        let ledger = self.service.ledger();
        if let [name] = rest {
            let name = named_refund(name)?;
            let found = ledger.show_refund(name).await.map_err(|error| of_ledger(&error))?;
            let no_refund = || missing(format!("The ledger has no refund {name}."));
            return Ok(ok(found.as_ref().map(refund).ok_or_else(no_refund)?));
        }
        let listed = ledger.list_refunds(refunds_query(query).map_err(bad)?).await;
        Ok(ok(shown("refunds", &listed.map_err(|error| of_ledger(&error))?, refund)))
    }

    /// Sessions and tokens, or the end of one.
    pub(super) async fn sessions(
        &self,
        method: &Method,
        rest: &[&str],
        query: &str,
        act: Act,
    ) -> Result<Answered, Wrong> {
        if let [handle] = rest {
            if method != Method::DELETE {
                return Err(wrong_method("DELETE"));
            }
            let named = SessionHandle::parse(handle)
                .ok_or_else(|| bad(format!("`{handle}` is no handle of a session or a token")))?;
            let has_ended =
                self.service.end_session(named, act).await.map_err(|error| of_ledger(&error))?;
            let no_session = || missing(format!("There is no session or token {handle}."));
            return if has_ended { Ok(done()) } else { Err(no_session()) };
        }
        read_alone(method)?;
        let pairs = Pairs::parse(query, &["user", "limit", "cursor"]).map_err(bad)?;
        let from = pairs
            .text("cursor")
            .map(|text| SessionPlace::parse(text).ok_or_else(|| bad(wrong_cursor(text))));
        let from = from.transpose()?;
        let username = pairs.text("user").map(str::to_owned);
        let listed = self.service.sessions(username, from, limit(&pairs).map_err(bad)?).await;
        Ok(ok(shown("sessions", &listed.map_err(|error| of_ledger(&error))?, session)))
    }
}

/// The refund that a path names.
pub(super) fn named_refund(name: &str) -> Result<RefundName, Wrong> {
    let no_name = || bad(format!("`{name}` is neither the Id nor the number of a refund"));
    RefundName::forgiving(name).ok_or_else(no_name)
}

/// That a path is only read.
pub(super) fn read_alone(method: &Method) -> Result<(), Wrong> {
    if method == Method::GET { Ok(()) } else { Err(wrong_method("GET, HEAD")) }
}

fn no_account(key: &str) -> Wrong {
    missing(format!("The ledger has no account with the id or number `{key}`."))
}

fn wrong_cursor(text: &str) -> String {
    format!("cursor: `{text}` is no `next` of a page of this list")
}

fn limit(pairs: &Pairs) -> Result<u32, String> {
    Ok(pairs.number("limit", 1..=ROWS_MAX)?.unwrap_or(LIMIT))
}

pub(super) fn span(pairs: &Pairs) -> Result<Span, String> {
    let from = pairs.text("cursor").map(|text| {
        let place = text.parse().ok().filter(|place| *place >= 0);
        place.ok_or_else(|| wrong_cursor(text))
    });
    Ok(Span { from: from.transpose()?, rows_max: limit(pairs)? })
}

fn refunds_query(query: &str) -> Result<RefundsQuery, String> {
    let keys: Vec<&'static str> = REFUND_FILTERS.into_iter().chain(["limit", "cursor"]).collect();
    let pairs = Pairs::parse(query, &keys)?;
    let day = |key: &str| {
        let wrong = |text: &str| format!("{key}: `{text}` is no day such as 2026-01-02");
        pairs.text(key).map(|text| text.parse::<NaiveDate>().map_err(|_| wrong(text))).transpose()
    };
    let amount = |key: &str| {
        let wrong = |text: &str| format!("{key}: `{text}` is no amount such as 60.00");
        pairs.text(key).map(|text| parse_decimal(text).ok_or_else(|| wrong(text))).transpose()
    };
    Ok(RefundsQuery {
        status: one_of(&pairs, "status", RefundStatus::ALL, RefundStatus::name)?,
        refund_type: one_of(&pairs, "type", RefundType::ALL, RefundType::name)?,
        source_type: one_of(&pairs, "source_type", SourceType::ALL, SourceType::name)?,
        account: pairs.text("account").map(ObjectKey::of),
        gateway: pairs.text("gateway").map(str::to_owned),
        from_day: day("from")?,
        to_day: day("to")?,
        amount_min: amount("amount_min")?,
        amount_max: amount("amount_max")?,
        span: span(&pairs)?,
    })
}

/// The value of a closed set that a key names, letter for letter.
fn one_of<T: Copy>(
    pairs: &Pairs,
    key: &str,
    all: &[T],
    name: fn(T) -> &'static str,
) -> Result<Option<T>, String> {
    let Some(text) = pairs.text(key) else { return Ok(None) };
    let names: Vec<_> = all.iter().map(|one| name(*one)).collect();
    let wrong = || match suggest(text, names.iter().copied()) {
        Some(meant) => format!("{key}: unknown `{text}`; did you mean `{meant}`?"),
        None => format!("{key}: `{text}` is none of {}", names.join(", ")),
    };
    all.iter().copied().find(|one| name(*one) == text).ok_or_else(wrong).map(Some)
}

/// A page under its name, with where to go on.
pub(super) fn shown<T, P: Display>(
    name: &str,
    listed: &Listed<T, P>,
    row: fn(&T) -> Value,
) -> Value {
    let rows: Vec<_> = listed.rows.iter().map(row).collect();
    json!({ name: rows, "next": listed.next.as_ref().map(ToString::to_string) })
}

pub(super) fn moment(moment: DateTime<Utc>) -> String {
    moment.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn money(currency: Currency) -> impl Fn(MinorUnits) -> String {
    move |amount| currency.format(amount)
}

fn account(account: &AccountView) -> Value {
    let money = money(account.currency);
    json!({
        "id": account.id.as_str(),
        "number": account.number,
        "name": account.name,
        "currency": account.currency.code(),
        "status": account.status.name(),
        "balance": money(account.balance),
        "opening": money(account.opening),
        "gateway": account.gateway,
        "default_payment_method": account.default_payment_method.as_ref().map(ObjectId::as_str),
        "parent": account.parent.as_ref().map(ObjectId::as_str),
        "created": account.created.map(moment),
        "updated": account.updated.map(moment),
    })
}

fn entry(entry: &EntryView) -> Value {
    let money = money(entry.currency);
    json!({
        "at": moment(entry.at),
        "kind": entry.kind.name(),
        "amount": money(entry.amount),
        "balance": money(entry.balance),
        "currency": entry.currency.code(),
        "refund": entry.refund.map(|number| number.to_string()),
        "adjustment": entry.adjustment,
    })
}

fn refund(refund: &ListedRefund) -> Value {
    let money = money(refund.currency);
    json!({
        "id": refund.id.to_string(),
        "number": refund.id.number().to_string(),
        "status": refund.status.name(),
        "type": refund.refund_type.name(),
        "source_type": refund.source_type.name(),
        "method_type": refund.method_type.name(),
        "amount": money(refund.amount),
        "currency": refund.currency.code(),
        "refund_date": refund.refund_date,
        "account": refund.account_id.as_str(),
        "account_number": refund.account_number,
        "account_name": refund.account_name,
        "payment_number": refund.payment_number,
        "gateway": refund.gateway,
        "gateway_state": refund.gateway_state.map(GatewayState::name),
        "gateway_response": refund.gateway_response,
        "gateway_response_code": refund.gateway_response_code,
        "reference_id": refund.reference_id,
        "reason_code": refund.reason_code,
        "comment": refund.comment,
        "created": moment(refund.created),
        "created_by": refund.created_by,
        "updated": refund.updated.map(moment),
        "compensated": refund.compensated.map(moment),
    })
}

fn session(session: &ListedSession) -> Value {
    let at = moment(session.at);
    let (kind, last_used, issued, token) = match &session.kind {
        SessionKind::Session => ("session", Some(at), None, None),
        SessionKind::Token { client, ends } => ("token", None, Some(at), Some((client, *ends))),
    };
    json!({
        "handle": session.handle.to_string(),
        "kind": kind,
        "user": session.username,
        "client": token.map(|(client, _)| client),
        "last_used": last_used,
        "issued": issued,
        "ends": token.map(|(_, ends)| moment(ends)),
    })
}
