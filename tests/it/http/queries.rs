//! Queries that read long, beside those that do not.

use super::fake_ledger::FakeLedger;
use refund_gateway::domain::id::ObjectId;
use refund_gateway::domain::origin::{FrontDoor, Origin};
use refund_gateway::domain::query::{QueryObject, TypedQuery};
use refund_gateway::ledger::query::Start;
use refund_gateway::ledger::{Ledger, UserKey};
use refund_gateway::service::clock::Clock;
use refund_gateway::service::{Caller, Service, ServiceSettings};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::Instant;

fn caller() -> Caller {
    Caller {
        user: UserKey(1),
        user_id: ObjectId::parse("402892c72b9e3319012b9e34b88e0001").unwrap(),
        username: "somebody".into(),
        permissions: std::iter::empty().collect(),
        orgs: None,
        origin: Origin::of(FrontDoor::Soap),
    }
}

fn everything(object: QueryObject) -> Start {
    let (fields, conditions) = (vec!["Id".to_owned()], Vec::new());
    Start::Query(TypedQuery { object, fields, conditions, case_sensitive: false })
}

#[tokio::test]
async fn a_lookup_waits_behind_no_query_that_reads_long() {
    let ledger = Arc::new(FakeLedger::default());
    let shared: Arc<dyn Ledger> = Arc::clone(&ledger) as Arc<dyn Ledger>;
    let service =
        Service::start(shared, Clock::system(), ServiceSettings::default()).await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(25);
    let find = |object| {
        let service = Arc::clone(&service);
        async move { service.find(&caller(), everything(object), None, deadline).await }
    };
    let long: Vec<_> = (0..8).map(|_| tokio::spawn(find(QueryObject::Invoice))).collect();
    // Each was tried at once, and four of them have the turns of those that take long.
    let any_ended = || long.iter().any(tokio::task::JoinHandle::is_finished);
    while ledger.long_reads.load(Ordering::SeqCst) < 8 + 4 && !any_ended() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let page = find(QueryObject::Refund).await.unwrap();
    assert_eq!(page.0.size, 0);
    assert!(!any_ended());
}
