//! Events and the webhooks that wait for them.

use super::tests::{at, draft, options, plan, rows};
use super::*;
use crate::ledger::Bookkeeping;
use crate::ledger::outbox::{Attempt, Outbox};

#[tokio::test]
async fn an_accounts_events_go_one_after_another_and_one_that_is_given_up_is_kept() {
    let folder = TempDir::new().unwrap();
    let settings = LedgerSettings { events: Some(true), ..LedgerSettings::default() };
    let path = folder.path().join("l.db");
    let ledger = SqliteLedger::open(&path, &OpenOptions { settings, ..options(true) }).unwrap();
    ledger.load_seed(plan()).await.unwrap().unwrap();
    rows(&ledger, vec![draft("External", "1")]).await;
    ledger.register_webhooks(vec!["w".to_owned()]).await.unwrap();
    let drafts = ["2", "3", "4"].map(|amount| draft("External", amount)).to_vec();
    rows(&ledger, drafts).await;
    assert!(!ledger.collect("w", None, at(0)).await.unwrap());
    let due = async |second| -> Vec<i64> {
        let due = ledger.due("w", at(second), 9).await.unwrap();
        due.into_iter().map(|delivery| delivery.event.sequence).collect()
    };
    // What was before it registered is not the webhook's, and only the first has its turn.
    assert_eq!(due(0).await, [2]);
    let why = "no".to_owned();
    let again = Attempt::Again { next: at(5), why: why.clone() };
    ledger.note_attempt("w", (2, 0), again, at(0)).await.unwrap();
    assert_eq!((due(4).await, due(5).await), (vec![], vec![2]));
    // One that was overtaken by another attempt gives nothing up.
    let overtaken = Attempt::GivenUp { why: why.clone() };
    ledger.note_attempt("w", (2, 0), overtaken, at(5)).await.unwrap();
    assert_eq!(due(5).await, [2]);
    ledger.note_attempt("w", (2, 1), Attempt::GivenUp { why }, at(5)).await.unwrap();
    assert_eq!(due(5).await, [3]);
    ledger.note_attempt("w", (3, 0), Attempt::Delivered, at(6)).await.unwrap();
    ledger.note_attempt("w", (3, 0), Attempt::Delivered, at(6)).await.unwrap();
    assert_eq!(due(6).await, [4]);
    let stats = ledger.delivery_stats("w").await.unwrap();
    assert_eq!((stats.waiting, stats.given_up), (1, 1));
    // A restart that says nothing of events goes on as the last one said.
    drop(ledger);
    let ledger = SqliteLedger::open(&path, &options(true)).unwrap();
    rows(&ledger, vec![draft("External", "5")]).await;
    drop(ledger);
    let events = EventFile::open(&path).unwrap();
    assert!(events.are_kept().unwrap());
    let sequences: Vec<i64> =
        events.after(3, 9).unwrap().into_iter().map(|event| event.sequence).collect();
    assert_eq!(sequences, [4, 5]);
}

#[tokio::test]
async fn old_events_are_removed_but_none_that_a_webhook_has_still_to_get() {
    let folder = TempDir::new().unwrap();
    let settings = LedgerSettings { events: Some(true), ..LedgerSettings::default() };
    let path = folder.path().join("l.db");
    let ledger = SqliteLedger::open(&path, &OpenOptions { settings, ..options(true) }).unwrap();
    ledger.load_seed(plan()).await.unwrap().unwrap();
    let names = vec!["w".to_owned()];
    ledger.register_webhooks(names.clone()).await.unwrap();
    let drafts = ["1", "2", "3", "4", "5"].map(|amount| draft("External", amount)).to_vec();
    rows(&ledger, drafts).await;
    let kept = || -> Vec<i64> {
        let events = EventFile::open(&path).unwrap().after(0, 9).unwrap();
        events.into_iter().map(|event| event.sequence).collect()
    };
    let remove = async |second, names: &[String]| {
        assert!(!ledger.remove_events(at(second), names.to_vec()).await.unwrap());
    };
    remove(9, &names).await;
    assert_eq!(kept(), [1, 2, 3, 4, 5], "the webhook has collected nothing");
    assert!(!ledger.collect("w", None, at(1)).await.unwrap());
    ledger.note_attempt("w", (1, 0), Attempt::Delivered, at(1)).await.unwrap();
    let given_up = Attempt::GivenUp { why: "no".to_owned() };
    ledger.note_attempt("w", (2, 0), given_up, at(1)).await.unwrap();
    remove(0, &names).await;
    assert_eq!(kept(), [1, 2, 3, 4, 5], "they are not old");
    remove(9, &names).await;
    assert_eq!(kept(), [3, 4, 5], "what waits stays");
    assert_eq!(ledger.delivery_stats("w").await.unwrap().given_up, 0);
    for sequence in 3..=5 {
        ledger.note_attempt("w", (sequence, 0), Attempt::Delivered, at(2)).await.unwrap();
    }
    rows(&ledger, vec![draft("External", "6")]).await;
    // The webhook is not configured any more.
    remove(9, &[]).await;
    assert_eq!(kept(), [6], "the newest stays");
    rows(&ledger, vec![draft("External", "7")]).await;
    assert_eq!(kept(), [6, 7]);
}
