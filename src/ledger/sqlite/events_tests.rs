//! Events and the webhooks that wait for them.

use super::tests::{at, draft, options, plan, rows};
use super::*;
use crate::ledger::Bookkeeping;
use crate::ledger::outbox::{Attempt, Decision, DecisionRefusal, Outbox};
use crate::ledger::trail::Act;

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

#[tokio::test]
async fn what_was_given_up_and_comes_back_goes_before_the_later_events_of_its_account() {
    let folder = TempDir::new().unwrap();
    let settings = LedgerSettings { events: Some(true), ..LedgerSettings::default() };
    let path = folder.path().join("l.db");
    let ledger = SqliteLedger::open(&path, &OpenOptions { settings, ..options(true) }).unwrap();
    ledger.load_seed(plan()).await.unwrap().unwrap();
    ledger.register_webhooks(vec!["w".to_owned()]).await.unwrap();
    let drafts = ["1", "2", "3", "4"].map(|amount| draft("External", amount)).to_vec();
    rows(&ledger, drafts).await;
    assert!(!ledger.collect("w", None, at(0)).await.unwrap());
    let due = async |second| -> Vec<i64> {
        let due = ledger.due("w", at(second), 9).await.unwrap();
        due.into_iter().map(|delivery| delivery.event.sequence).collect()
    };
    let note = async |tried, attempt, second| {
        ledger.note_attempt("w", tried, attempt, at(second)).await.unwrap();
    };
    let decide = async |event, decision, second| {
        let act = Act::of_start(at(second));
        ledger.decide_delivery(("w", event), decision, at(second), act).await.unwrap()
    };
    let given_up = || Attempt::GivenUp { why: "no".to_owned() };
    let again = |second| Attempt::Again { next: at(second), why: "no".to_owned() };
    assert_eq!(decide(1, Decision::Retry, 0).await, Err(DecisionRefusal::NotFailed(1)));
    note((1, 0), given_up(), 1).await;
    note((2, 0), given_up(), 2).await;
    assert_eq!(due(3).await, [3]);
    // The third is under way when the second comes back, and fails.
    assert_eq!(decide(2, Decision::Retry, 3).await, Ok(Some(at(3))));
    note((3, 0), again(5), 4).await;
    assert_eq!(due(9).await, [2]);
    let waits = DecisionRefusal::Waits { event: 3, first: 2 };
    assert_eq!(decide(3, Decision::Retry, 4).await, Err(waits));
    // Since it came back it has its whole time once more.
    assert_eq!(ledger.due("w", at(9), 9).await.unwrap()[0].since, at(3));
    note((2, 1), again(20), 5).await;
    assert_eq!((due(9).await, due(20).await), (vec![], vec![2]));
    assert_eq!(decide(2, Decision::Retry, 6).await, Ok(Some(at(6))));
    assert_eq!(due(6).await, [2]);
    // The first comes back in its turn as well, and is done without.
    assert_eq!(decide(1, Decision::Retry, 7).await, Ok(Some(at(7))));
    assert_eq!(due(9).await, [1]);
    let reason = "by hand".to_owned();
    assert_eq!(decide(1, Decision::Skip { reason: reason.clone() }, 8).await, Ok(None));
    assert_eq!(due(9).await, [2]);
    note((2, 2), Attempt::Delivered, 9).await;
    assert_eq!(due(9).await, [3]);
    note((3, 1), given_up(), 10).await;
    note((4, 0), given_up(), 11).await;
    assert_eq!(decide(3, Decision::Retry, 12).await, Ok(Some(at(12))));
    // A later one that comes back waits for the earlier.
    assert_eq!(decide(4, Decision::Retry, 13).await, Ok(None));
    assert_eq!(due(13).await, [3]);
    note((3, 2), Attempt::Delivered, 14).await;
    assert_eq!(due(14).await, [4]);
    note((4, 1), Attempt::Delivered, 15).await;
    let gone = DecisionRefusal::NoDelivery { webhook: "w".to_owned(), event: 4 };
    assert_eq!(decide(4, Decision::Skip { reason }, 16).await, Err(gone));
    let stats = ledger.delivery_stats("w").await.unwrap();
    assert_eq!((stats.waiting, stats.given_up), (0, 0));
}
