//! The SOAP room over a real ledger: from the bytes of a login to a balance that fell once.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed, also in its helpers"
)]

use refund_gateway::call::{Answer, Call, Door, Head, Headers, Holding, Method, Reply, Users};
use refund_gateway::domain::origin::{FrontDoor, Origin};
use refund_gateway::ledger::Ledger;
use refund_gateway::ledger::sqlite::{LedgerSettings, OpenMode, OpenOptions, SqliteLedger};
use refund_gateway::ledger::trail::Act;
use refund_gateway::service::clock::Clock;
use refund_gateway::service::seed::{self, Seed};
use refund_gateway::service::{Service, ServiceSettings};
use refund_gateway::soap::Soap;
use refund_gateway::xml::XmlLimits;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

const ACCOUNT: &str = "402892c72b9e3319012b9e34b88e0001";
const METHOD: &str = "2c92c0f83dfa5201013dfa6656ff2b8b";
const CLERK: &str = "clerk@example.com";

/// One account of 50.00 USD with a card; one user who may do everything, and one who may not
/// refund electronically.
const SEED: &str = r#"
[[user]]
username = "demo@example.com"
password = "demo"
permissions = ["credit-balance-external-refund", "credit-balance-electronic-refund"]

[[user]]
username = "clerk@example.com"
password = "demo"
permissions = ["credit-balance-external-refund"]

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

async fn open(path: &Path) -> Soap {
    let mode = OpenMode::CreateOrOpen { test: true };
    let options = OpenOptions { mode, id_seed: None, settings: LedgerSettings::default() };
    let ledger = SqliteLedger::open(path, &options).unwrap();
    let act = Act::of_start(chrono::DateTime::default());
    seed::load(&ledger, Seed::parse(SEED).unwrap(), act).await.unwrap();
    let ledger: Arc<dyn Ledger> = Arc::new(ledger);
    let service =
        Service::start(ledger, Clock::system(), ServiceSettings::default()).await.unwrap();
    Soap::new(service, XmlLimits::default())
}

async fn post(soap: &Soap, body: String, key: Option<&str>) -> Answer {
    let call = Call {
        head: Head {
            method: Method::Post,
            path: "/apps/services/a/91.0".to_owned(),
            query: None,
            version: "91.0".to_owned(),
            base_url: "http://localhost".to_owned(),
            content_type: Some("text/xml".to_owned()),
            idempotency_key: key.map(|key| key.as_bytes().to_vec()),
            headers: Headers::default(),
            users: Users::default(),
            origin: Origin::of(FrontDoor::Soap),
        },
        body: body.into(),
        turn: None,
        deadline: (Instant::now() + Duration::from_secs(60)).into(),
        notes: None,
        holding: Holding::default(),
    };
    match soap.answer(call).await {
        Reply::Answer(answer) => answer,
        Reply::Abort(..) | Reply::Reset(..) => panic!("no answer"),
    }
}

fn envelope(session: &str, operation: &str) -> String {
    format!(
        "<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/' \
         xmlns='http://api.zuora.com/' xmlns:o='http://object.api.zuora.com/' \
         xmlns:i='http://www.w3.org/2001/XMLSchema-instance'><e:Header><SessionHeader>\
         <session>{session}</session></SessionHeader></e:Header><e:Body>{operation}</e:Body>\
         </e:Envelope>"
    )
}

/// The documented examples, of any amount.
fn refund(refund_type: &str, amount: &str) -> String {
    format!(
        "<zObjects i:type='o:Refund'><o:AccountId>{ACCOUNT}</o:AccountId>\
         <o:Amount>{amount}</o:Amount>\
         <o:PaymentMethodID>{METHOD}</o:PaymentMethodID><o:SourceType>CreditBalance</o:SourceType>\
         <o:Type>{refund_type}</o:Type></zObjects>"
    )
}

fn create(session: &str, refunds: &str) -> String {
    envelope(session, &format!("<create>{refunds}</create>"))
}

/// What stands in each of these elements.
fn all(answer: &Answer, name: &str) -> Vec<String> {
    let text = std::str::from_utf8(&answer.body).unwrap();
    let (open, close) = (format!("<ns1:{name}>"), format!("</ns1:{name}>"));
    let pieces = text.split(&open).skip(1);
    pieces.map(|rest| rest.split(&close).next().unwrap_or_default().to_owned()).collect()
}

async fn login(soap: &Soap, username: &str) -> String {
    let operation =
        format!("<login><username>{username}</username><password>demo</password></login>");
    let answer = post(soap, envelope("", &operation), None).await;
    assert_eq!(all(&answer, "ServerUrl"), ["http://localhost/apps/services/a/91.0"]);
    let session = all(&answer, "Session").remove(0);
    assert_eq!(session.len(), 255);
    session
}

#[tokio::test]
async fn refunds_take_from_the_balance_and_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let soap = open(&path).await;
    let session = login(&soap, "demo@example.com").await;
    let batch = [("External", "20.00"), ("Electronic", "25"), ("External", "5.01")];
    let refunds: String = batch.iter().map(|(kind, amount)| refund(kind, amount)).collect();
    let answer = post(&soap, create(&session, &refunds), None).await;
    assert_eq!(all(&answer, "Success"), ["true", "true", "false"]);
    let reported = "The refund amount 5.01 is greater than the credit balance 5.00.";
    assert_eq!(all(&answer, "Message"), [reported]);
    assert_eq!((answer.refunds, answer.row_errors), (2, 1));
    drop(soap);
    let soap = open(&path).await;
    let answer = post(&soap, create(&session, &refund("External", "5.01")), None).await;
    assert_eq!(all(&answer, "Message"), [reported]);
}

#[tokio::test]
async fn a_repeated_key_gets_the_same_bytes_and_pays_once() {
    let folder = tempfile::tempdir().unwrap();
    let soap = open(&folder.path().join("ledger.db")).await;
    let session = login(&soap, "demo@example.com").await;
    let refunds = [refund("External", "40.00"), refund("External", "11")].concat();
    let first = post(&soap, create(&session, &refunds), Some("key")).await;
    assert_eq!(all(&first, "Success"), ["true", "false"]);
    // Another session, other prefixes, another spelling of the same amount.
    let other_session = login(&soap, "demo@example.com").await;
    let retry = create(&other_session, &refunds).replace("o:", "obj:").replace("40.00", "40.0");
    let retry = retry.replace("xmlns:obj:", "xmlns:o:").replace("xmlns:o=", "xmlns:obj=");
    let second = post(&soap, retry, Some("key")).await;
    assert_eq!(second.body, first.body);
    assert_eq!((first.replayed, second.replayed), (false, true));
    let third = post(&soap, create(&session, &refund("External", "1")), Some("key")).await;
    assert_eq!((third.status, third.outcome.name()), (422, "DUPLICATE_VALUE"));
    let clerk = login(&soap, CLERK).await;
    let theirs = post(&soap, create(&clerk, &refund("External", "10.01")), Some("key")).await;
    let reported = "The refund amount 10.01 is greater than the credit balance 10.00.";
    assert_eq!(all(&theirs, "Message"), [reported]);
}

#[tokio::test]
async fn a_missing_permission_is_told_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let soap = open(&folder.path().join("ledger.db")).await;
    let clerk = login(&soap, CLERK).await;
    let refunds = [refund("Electronic", "1"), refund("External", "1")].concat();
    let answer = post(&soap, create(&clerk, &refunds), None).await;
    assert_eq!(all(&answer, "Code"), ["NO_PERMISSION"]);
    let reported = "The user lacks the permission credit-balance-electronic-refund.";
    assert_eq!(all(&answer, "Message"), [reported]);
    assert_eq!(all(&answer, "Success"), ["false", "true"]);
}
