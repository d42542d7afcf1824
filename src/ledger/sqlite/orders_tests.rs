//! What electronic refunds owe to their gateways: held, due, ended once, settled.

use super::tests::{approved, at, balance, draft, due, options, reported, request, seeded};
use super::*;
use crate::domain::lifecycle::{Response, SettledAs, Verdict};
use crate::domain::origin::{FrontDoor, Origin};
use crate::ledger::orders::{Exchange, ExchangeKind, Note, Orders, Seen, SettleError, Settlement};
use crate::ledger::trail::{Act, Actor};
use crate::ledger::{Bookkeeping, Created, Order};

#[tokio::test]
async fn an_electronic_refund_is_held_and_ends_exactly_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = seeded(&path).await;
    let created = ledger
        .create(request(vec![draft("Electronic", "30"), draft("Electronic", "15")], None))
        .await;
    let Ok(Created::Fresh { orders, .. }) = created else { panic!("{created:?}") };
    assert_eq!(balance(&path), 500);
    let open: Vec<Order> = due(&ledger).await.into_iter().map(|open| open.order).collect();
    assert_eq!(open, orders);
    let response = Response { code: "54".to_owned(), text: "no".to_owned() };
    let declined = Verdict::Declined { response: response.clone() };
    let number = orders[0].refund.number();
    assert!(ledger.end_refund(number, declined.clone(), reported(1)).await.unwrap());
    assert!(!ledger.end_refund(number, declined, reported(2)).await.unwrap());
    let approved = approved(response);
    assert!(!ledger.end_refund(number, approved.clone(), reported(3)).await.unwrap());
    assert_eq!(balance(&path), 3500);
    assert!(ledger.end_refund(orders[1].refund.number(), approved, reported(4)).await.unwrap());
    assert_eq!(balance(&path), 3500);
    assert!(due(&ledger).await.is_empty());
}

/// Regression: what a clock had planned that went back later was not asked about until that clock's
/// moment came again.
#[tokio::test]
async fn an_order_that_is_planned_too_far_ahead_is_due() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = seeded(&folder.path().join("ledger.db")).await;
    let created = ledger.create(request(vec![draft("Electronic", "30")], None)).await;
    let Ok(Created::Fresh { orders, .. }) = created else { panic!("{created:?}") };
    let number = orders[0].refund.number();
    let plan = async |second| {
        let (exchange, why) = (reported(0), "no answer".to_owned());
        let next = Some(at(second));
        let note = Note { exchange, attempts: 0, why, was_never_sent: false, next };
        assert!(ledger.note_exchange(number, note).await.unwrap());
    };
    let is_due =
        async |second| ledger.due_orders("sandbox", at(second), 9).await.unwrap().len() == 1;
    plan(7200).await;
    assert!(is_due(7200).await && !is_due(7199).await && !is_due(0).await);
    assert!(is_due(-1).await);
}

/// A task that stopped for so long that another one took its order over changes nothing of it: what
/// it knew (that the order never left) is wrong by then. What a gateway said stays true.
#[tokio::test]
async fn a_task_that_was_overtaken_writes_nothing_but_what_a_gateway_said() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = seeded(&folder.path().join("ledger.db")).await;
    let created = ledger.create(request(vec![draft("Electronic", "30")], None)).await;
    let Ok(Created::Fresh { orders, .. }) = created else { panic!("{created:?}") };
    let number = orders[0].refund.number();
    let note = async |attempts, was_never_sent| {
        let (exchange, why) = (reported(0), "no answer".to_owned());
        let note = Note { exchange, attempts, why, was_never_sent, next: Some(at(9)) };
        ledger.note_exchange(number, note).await.unwrap()
    };
    let first_sent = async || ledger.open_order(number).await.unwrap().unwrap().first_sent;
    assert!(note(0, true).await && first_sent().await.is_none());
    let seen = Seen { attempts: 1, is_unsent: true };
    assert!(ledger.mark_sent(number, seen, at(1)).await.unwrap());
    // The one that was overtaken finds it sent, or noted.
    assert!(!ledger.mark_sent(number, seen, at(2)).await.unwrap());
    assert!(!note(0, true).await);
    assert_eq!(first_sent().await, Some(at(1)));
    let response = Response { code: "54".to_owned(), text: "no".to_owned() };
    let declined = Verdict::Declined { response: response.clone() };
    let unsent = |attempts| Exchange { kind: ExchangeKind::Unsent { attempts }, ..reported(3) };
    assert!(!ledger.end_refund(number, declined, unsent(0)).await.unwrap());
    assert!(ledger.open_order(number).await.unwrap().is_some());
    assert!(ledger.end_refund(number, approved(response), reported(4)).await.unwrap());
    assert!(!note(1, false).await);
}

/// Regression: by a clock that had jumped two days, a refund could be settled by hand while its
/// gateway was still asked.
#[tokio::test]
async fn a_refund_is_settled_by_the_age_of_the_ledger_and_not_by_a_clock_that_jumped() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = seeded(&folder.path().join("ledger.db")).await;
    ledger.create(request(vec![draft("Electronic", "30")], None)).await.unwrap();
    let open = ledger.due_orders("sandbox", at(7200), 9).await.unwrap().remove(0);
    let by_the_clock = at(49 * 3_600);
    let settle = |hours: i64| Settlement {
        refund: open.order.refund,
        settled_as: SettledAs::Error,
        reason: "x".to_owned(),
        act: Act {
            actor: Actor::Operator("o".to_owned()),
            origin: Origin::of(FrontDoor::CommandLine),
            at: by_the_clock,
        },
        at_least: at(hours * 3_600),
    };
    let early = ledger.settle_refund(settle(47)).await.unwrap();
    let early = early.unwrap_err();
    assert!(matches!(early, SettleError::TooEarly { .. }), "{early:?}");
    // The clock has passed the moment that it names, and it says what counts instead.
    assert!(early.to_string().ends_with("by that it is 1 h 0 min away"), "{early}");
    assert!(ledger.settle_refund(settle(48)).await.unwrap().is_ok());
}

#[tokio::test]
async fn an_audit_finds_a_refund_that_is_stuck() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = seeded(&path).await;
    ledger.create(request(vec![draft("Electronic", "30")], None)).await.unwrap();
    assert_eq!(SqliteLedger::audit_file(&path).unwrap().findings.problems, Vec::<String>::new());
    drop(ledger);
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute("delete from inquiry", []).unwrap();
    let found = SqliteLedger::audit_file(&path).unwrap().findings.problems;
    assert_eq!(found, ["refund R-00000001: is in Processing, and nobody asks its gateway"]);
}

#[tokio::test]
async fn verdicts_wait_for_room_in_the_queue() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    drop(seeded(&path).await);
    let settings = LedgerSettings { queue_max: 1, batch_max: 1, ..LedgerSettings::default() };
    let ledger = SqliteLedger::open(&path, &OpenOptions { settings, ..options(true) }).unwrap();
    let drafts = vec![draft("Electronic", "0.01"); 50];
    let Ok(Created::Fresh { orders, .. }) = ledger.create(request(drafts, None)).await else {
        panic!("one request fits into the queue");
    };
    let response = Response { code: "OK".to_owned(), text: String::new() };
    let approved = approved(response);
    let end =
        |order: &Order| ledger.end_refund(order.refund.number(), approved.clone(), reported(1));
    let ends: Vec<_> = orders.iter().map(end).collect();
    for end in ends {
        assert_eq!(end.await, Ok(true));
    }
    assert!(due(&ledger).await.is_empty());
}
