//! What the rows of a call come back with for a front door: ids, numbers, and how gateways ended
//! electronic refunds. Over the use cases themselves, because SOAP reports the id alone.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed, also in its helpers"
)]

use refund_gateway::domain::draft::RefundDraft;
use refund_gateway::domain::draft::account::AccountDraft;
use refund_gateway::domain::draft::batch::Drafts;
use refund_gateway::domain::draft::fields::Draft;
use refund_gateway::domain::version::ApiVersion;
use refund_gateway::domain::vocabulary::RefundStatus;
use refund_gateway::ledger::sqlite::{LedgerSettings, OpenMode, OpenOptions, SqliteLedger};
use refund_gateway::ledger::trail::Act;
use refund_gateway::ledger::{Batch, Ledger, Number, Saved};
use refund_gateway::service::clock::Clock;
use refund_gateway::service::create::CreateAnswer;
use refund_gateway::service::seed::{self, Seed};
use refund_gateway::service::{CallContext, Service, ServiceSettings};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

const ACCOUNT: &str = "402892c72b9e3319012b9e34b88e0001";
const METHOD: &str = "2c92c0f83dfa5201013dfa6656ff2b8b";

/// One account of 50.00 USD with a card, and a sandbox that approves 1.00, declines 2.00 and gives
/// no verdict for 3.00.
const SEED: &str = r#"
[[user]]
username = "demo@example.com"
password = "demo"
permissions = [
    "credit-balance-external-refund",
    "credit-balance-electronic-refund",
    "account-write",
]

[[gateway]]
name = "sandbox"
kind = "sandbox"

[[gateway.rule]]
amount = "2.00"
answer = "decline"

[[gateway.rule]]
amount = "3.00"
answer = "hang"

[[account]]
id = "402892c72b9e3319012b9e34b88e0001"
number = "A00000001"
name = "Example"
currency = "USD"
credit_balance = "50.00"
default_payment_method = "2c92c0f83dfa5201013dfa6656ff2b8b"

[[payment_method]]
id = "2c92c0f83dfa5201013dfa6656ff2b8b"
account = "402892c72b9e3319012b9e34b88e0001"
type = "CreditCard"
status = "Active"
"#;

struct House {
    service: Arc<Service>,
    call: CallContext,
}

async fn open() -> House {
    let mode = OpenMode::CreateOrOpen { test: true };
    let options = OpenOptions { mode, id_seed: None, settings: LedgerSettings::default() };
    let ledger = SqliteLedger::temporary(&options).unwrap();
    let act = Act::of_start(chrono::DateTime::default());
    seed::load(&ledger, Seed::parse(SEED).unwrap(), act).await.unwrap();
    let ledger: Arc<dyn Ledger> = Arc::new(ledger);
    let settings = ServiceSettings { gateway_wait_ms: 500, ..ServiceSettings::default() };
    let service = Service::start(ledger, Clock::system(), settings).await.unwrap();
    let from = IpAddr::from(Ipv4Addr::LOCALHOST);
    let session = service.login("demo@example.com", "demo", from).await.unwrap();
    let caller = service.authenticate(&session).await.unwrap();
    let deadline = (Instant::now() + Duration::from_secs(60)).into();
    House { service, call: CallContext { caller, version: ApiVersion::major(91), deadline } }
}

impl House {
    async fn create(&self, drafts: Drafts) -> Vec<Saved> {
        let batch = Batch { drafts, ordered: BTreeMap::new(), is_single: false };
        match self.service.create(self.call.clone(), batch, None).await.unwrap() {
            CreateAnswer::Rows(rows) => rows.into_iter().map(Result::unwrap).collect(),
            other => panic!("{other:?}"),
        }
    }
}

fn draft<D: Draft>(fields: &[(&str, &str)]) -> D {
    let mut draft = D::default();
    for (name, text) in fields {
        assert!(draft.set(name, text), "{name}");
    }
    draft
}

fn refund(kind: &str, amount: &str) -> RefundDraft {
    draft(&[
        ("AccountId", ACCOUNT),
        ("Amount", amount),
        ("PaymentMethodId", METHOD),
        ("SourceType", "CreditBalance"),
        ("Type", kind),
    ])
}

#[tokio::test]
async fn refunds_come_back_with_their_numbers_and_how_they_ended() {
    let house = open().await;
    let kinds = [("External", "4.00"), ("Electronic", "1.00"), ("Electronic", "2.00")];
    let mut drafts: Vec<_> = kinds.iter().map(|(kind, amount)| refund(kind, amount)).collect();
    drafts.push(refund("Electronic", "3.00"));
    let saved = house.create(Drafts::Refunds(drafts)).await;
    for (number, row) in (1..).zip(&saved) {
        let Some(Number::Refund(found)) = &row.number else { panic!("{row:?}") };
        assert_eq!((found.value(), found.to_string()), (number, format!("R-{number:08}")));
    }
    let status = |row: &Saved| row.ended.as_ref().map(|ended| ended.status);
    let [external, approved, declined, unknown] = &saved[..] else { panic!("{saved:?}") };
    assert_eq!((status(external), status(unknown)), (None, None));
    assert_eq!(status(approved), Some(RefundStatus::Processed));
    assert_eq!(status(declined), Some(RefundStatus::Error));
    let ended = approved.ended.as_ref().unwrap();
    assert!(ended.reference_id.is_some() && ended.response.is_some(), "{ended:?}");
    let ended = declined.ended.as_ref().unwrap();
    assert!(ended.reference_id.is_none() && ended.response.is_some(), "{ended:?}");
}

#[tokio::test]
async fn other_objects_come_back_with_the_numbers_that_they_were_given() {
    let house = open().await;
    let account = draft::<AccountDraft>(&[
        ("Name", "Two"),
        ("Currency", "USD"),
        ("AccountNumber", "ACME-2"),
        ("BillCycleDay", "1"),
        ("Status", "Active"),
    ]);
    let saved = house.create(Drafts::Accounts(vec![account])).await;
    assert_eq!(saved[0].number, Some(Number::Other("ACME-2".to_owned())));
}
