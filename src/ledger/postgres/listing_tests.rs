//! What operators look through: the same pages on a ledger in a file and in PostgreSQL, of which
//! reading on neither repeats nor leaves out a row.

use super::PostgresLedger;
use super::for_tests::Server;
use super::reading_tests::{fill, options};
use crate::domain::draft::refund_details::ObjectKey;
use crate::domain::id::RefundNumber;
use crate::domain::money::MinorUnits;
use crate::domain::origin::{FrontDoor, Origin};
use crate::domain::refund_name::RefundName;
use crate::domain::vocabulary::{RefundStatus, RefundType, SourceType};
use crate::ledger::conformance::id;
use crate::ledger::readings::{
    AccountsQuery, EntryView, Listed, ListedRefund, RefundsQuery, SessionHandle, SessionsQuery,
    Span,
};
use crate::ledger::sqlite::SqliteLedger;
use crate::ledger::trail::{Act, Actor, TrailQuery};
use crate::ledger::{Ledger, LedgerError};
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};
use std::future::Future;

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + second, 0).unwrap()
}

fn key(account: i64) -> ObjectKey {
    ObjectKey::Id(id('a', account))
}

/// Every row, by pages of two.
async fn all<T, F>(mut page: impl FnMut(Span) -> F) -> Vec<T>
where
    F: Future<Output = Result<Listed<T>, LedgerError>>,
{
    let (mut rows, mut span) = (Vec::new(), Span::first(2));
    loop {
        let listed = page(span).await.unwrap();
        assert!(listed.rows.len() <= 2);
        rows.extend(listed.rows);
        match listed.next {
            None => return rows,
            next => span.from = next,
        }
    }
}

async fn refunds(ledger: &dyn Ledger, query: &RefundsQuery) -> Vec<ListedRefund> {
    all(|span| ledger.list_refunds(RefundsQuery { span, ..query.clone() })).await
}

fn numbers(refunds: &[ListedRefund]) -> Vec<i64> {
    refunds.iter().map(|refund| refund.id.number().value()).collect()
}

async fn search(ledger: &dyn Ledger, text: &str) -> Vec<String> {
    let query = |span| AccountsQuery { search: Some(text.to_owned()), span };
    let found = all(|span| ledger.list_accounts(query(span))).await;
    found.into_iter().map(|account| account.number).collect()
}

/// The entries of an account, which lead from its balance to its opening one.
async fn entries_of(ledger: &dyn Ledger, account: i64) -> Vec<EntryView> {
    let one = ledger.show_account(key(account)).await.unwrap().unwrap();
    let entries = all(|span| {
        let page = ledger.list_entries(key(account), span);
        async { page.await.map(Option::unwrap) }
    });
    let entries = entries.await;
    assert!(entries.len() >= 3, "{entries:?}");
    let mut balance = one.balance.units();
    for entry in &entries {
        assert_eq!(entry.balance.units(), balance, "{entry:?}");
        balance -= entry.amount.units();
    }
    assert_eq!(balance, one.opening.units());
    entries
}

async fn accounts_and_entries(ledger: &dyn Ledger) -> String {
    let every = all(|span| ledger.list_accounts(AccountsQuery { search: None, span })).await;
    assert_eq!(every.len(), 6 + 9);
    assert_eq!(search(ledger, "ä").await, ["N0", "N1", "N2"]);
    assert_eq!(search(ledger, "n1").await, ["N1"]);
    assert_eq!(search(ledger, "s").await.len(), 6 + 1, "by number, and by the name of one");
    assert_eq!(search(ledger, id('a', 3).as_str()).await, ["S3"]);
    assert_eq!(search(ledger, "100%").await, [""; 0]);
    let one = ledger.show_account(ObjectKey::of("S2")).await.unwrap().unwrap();
    assert_eq!(Some(&one), ledger.show_account(key(2)).await.unwrap().as_ref());
    assert_eq!(ledger.show_account(ObjectKey::of("S99")).await.unwrap(), None);
    let span = Span::first(9);
    assert_eq!(ledger.list_entries(ObjectKey::of("S99"), span).await.unwrap(), None);
    let mut entries = Vec::new();
    // The second has more refunds than are gone through one by one.
    for account in 1..4 {
        entries.extend(entries_of(ledger, account).await);
    }
    let (invoices, payments, adjustments) = (
        ledger.list_invoices(key(2), span).await.unwrap().unwrap(),
        ledger.list_payments(key(2), span).await.unwrap().unwrap(),
        ledger.list_adjustments(key(2), span).await.unwrap().unwrap(),
    );
    assert!(!invoices.rows.is_empty() && !payments.rows.is_empty());
    format!("{every:?} {entries:?} {invoices:?} {payments:?} {adjustments:?}")
}

async fn refunds_and_filters(ledger: &dyn Ledger) -> String {
    let span = Span::first(2);
    let every = refunds(ledger, &RefundsQuery::all(span)).await;
    assert_eq!(numbers(&every), (1..=20).rev().collect::<Vec<_>>());
    let of = |filter: &dyn Fn(&ListedRefund) -> bool| -> Vec<ListedRefund> {
        every.iter().filter(|refund| filter(refund)).cloned().collect()
    };
    let all = RefundsQuery::all(span);
    let of_two = RefundsQuery::of_account(key(2), span);
    let (some, more) = (of(&|refund| refund.account_id == id('a', 2)), MinorUnits::new(15));
    assert!(some.len() > 10);
    assert_eq!(refunds(ledger, &of_two).await, some);
    let electronic = Some(RefundType::Electronic);
    let open = Some(RefundStatus::Processing);
    let day = every.first().map(|refund| refund.refund_date);
    for (query, expected) in [
        (RefundsQuery { status: open, ..all.clone() }, of(&|it| Some(it.status) == open)),
        (
            RefundsQuery { refund_type: electronic, ..of_two.clone() },
            of(&|it| Some(it.refund_type) == electronic && it.account_id == id('a', 2)),
        ),
        (
            RefundsQuery { amount_min: Some("0.15".parse().unwrap()), ..all.clone() },
            of(&|it| it.amount >= more),
        ),
        (
            RefundsQuery { amount_max: Some("0.15".parse().unwrap()), ..of_two.clone() },
            of(&|it| it.amount <= more && it.account_id == id('a', 2)),
        ),
        (RefundsQuery { from_day: day, to_day: day, ..all.clone() }, of(&|_| true)),
        (RefundsQuery { from_day: day.and_then(|day| day.succ_opt()), ..all.clone() }, Vec::new()),
        (
            RefundsQuery { gateway: Some("cards".to_owned()), ..all.clone() },
            of(&|it| it.gateway.as_deref() == Some("cards")),
        ),
        (RefundsQuery { source_type: Some(SourceType::Payment), ..all.clone() }, Vec::new()),
        (RefundsQuery::of_account(ObjectKey::of("S99"), span), Vec::new()),
    ] {
        assert_eq!(refunds(ledger, &query).await, expected, "{query:?}");
    }
    let name = RefundName::Number(RefundNumber::new(7).unwrap());
    assert_eq!(ledger.show_refund(name).await.unwrap().as_ref(), every.get(13));
    let no_other = RefundName::Number(RefundNumber::new(70).unwrap());
    assert_eq!(ledger.show_refund(no_other).await.unwrap(), None);
    // As after a refund that was deleted since: the number leads to no refund of the account.
    let foreign = of(&|refund| refund.account_id != id('a', 2)).remove(2).id.number().value();
    let behind = RefundsQuery { span: Span { from: Some(foreign), rows_max: 500 }, ..of_two };
    let rest = ledger.list_refunds(behind).await.unwrap();
    let earlier = |refund: &&ListedRefund| refund.id.number().value() < foreign;
    assert_eq!(rest.rows, some.iter().filter(earlier).cloned().collect::<Vec<_>>());
    assert!(!rest.rows.is_empty() && rest.rows.len() < some.len());
    format!("{every:?}")
}

async fn open_and_counted(ledger: &dyn Ledger) -> String {
    let open = all(|span| ledger.list_open(span)).await;
    assert_eq!(open.len(), 5);
    assert!(open.windows(2).all(|two| two[0].refund.created < two[1].refund.created));
    let counts = ledger.count_refunds().await.unwrap();
    let counted: u64 = counts.by_status.iter().map(|(_, count)| count).sum();
    assert_eq!(counted, 20);
    assert!(counts.by_status.contains(&(RefundStatus::Processing, 5)));
    let failed = ledger.list_failed_deliveries("none", Span::first(5)).await.unwrap();
    assert_eq!(failed, Listed { rows: Vec::new(), next: None });
    format!("{open:?} {counts:?}")
}

async fn sessions(ledger: &dyn Ledger) {
    let user = ledger.find_user("two").await.unwrap().unwrap();
    let mut handles = Vec::new();
    for second in [1, 2, 2, 2, 3] {
        let token = ledger.open_session(user.key, at(second), at(-900)).await.unwrap();
        handles.push(SessionHandle::of(&Sha256::digest(token.as_bytes()).into()));
    }
    let query = |from, username: Option<&str>| SessionsQuery {
        used_since: at(1),
        good_at: at(1),
        token_life: TimeDelta::hours(1),
        username: username.map(str::to_owned),
        from,
        rows_max: 2,
    };
    let (mut found, mut from) = (Vec::new(), None);
    loop {
        let listed = ledger.list_sessions(query(from, Some("two"))).await.unwrap();
        found.extend(listed.rows);
        from = listed.next;
        if from.is_none() {
            break;
        }
    }
    assert_eq!(found.len(), 5);
    assert!(found.windows(2).all(|two| two[0].at >= two[1].at));
    assert!(handles.iter().all(|handle| found.iter().any(|one| one.handle == *handle)));
    assert!(ledger.list_sessions(query(None, Some("none"))).await.unwrap().rows.is_empty());
    let act = || {
        let actor = Actor::Operator("test".to_owned());
        Act { actor, origin: Origin::of(FrontDoor::Admin), at: at(30) }
    };
    assert!(ledger.end_session(handles[2], act()).await.unwrap());
    assert!(!ledger.end_session(handles[2], act()).await.unwrap());
    let left = ledger.list_sessions(SessionsQuery { rows_max: 9, ..query(None, None) });
    assert_eq!(left.await.unwrap().rows.len(), 4);
    let newest = TrailQuery { most: 1, ..TrailQuery::default() };
    let newest = ledger.records(newest).await.unwrap().records.remove(0);
    assert_eq!((newest.operation.as_str(), newest.object.as_str()), ("end", "Session"));
    assert_eq!(newest.objects[0].id, Some(handles[2].to_string()));
    assert_eq!(newest.objects[0].facts["username"], "two");
}

/// What is found, in words.
async fn look_through(ledger: &dyn Ledger) -> [String; 3] {
    fill(ledger).await;
    let found = [
        accounts_and_entries(ledger).await,
        refunds_and_filters(ledger).await,
        open_and_counted(ledger).await,
    ];
    sessions(ledger).await;
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operators_find_in_postgresql_what_they_find_in_a_file() {
    let one = SqliteLedger::temporary(&options()).unwrap();
    let found = look_through(&one).await;
    let Some(server) = Server::shared() else { return };
    let (schema, _) = server.new_schema();
    let url = server.url("postgres", &format!("options=-csearch_path%3D{schema}"));
    let opened = tokio::task::spawn_blocking(move || PostgresLedger::open(&url, &options()));
    let other = opened.await.unwrap().unwrap();
    assert_eq!(look_through(&other).await, found);
    // Its writer's thread waits, and so must the one that drops it.
    tokio::task::spawn_blocking(move || drop((one, other))).await.unwrap();
}
