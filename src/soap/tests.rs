//! The whole room over a ledger that follows a script.

mod clients;
mod keys;
mod scripted_ledger;

use super::*;
use crate::call::{CallLimit, Headers, Holding, Reply as CallReply, Users};
use crate::domain::draft::batch::Drafts;
use crate::domain::origin::FrontDoor;
use crate::domain::row_error::RowError;
use crate::ledger::{Ledger, LedgerError, StoredSession};
use crate::service::ServiceSettings;
use crate::service::clock::Clock;
use crate::xml::{ElementRef, LimitKind, parse};
use bytes::Bytes;
use chrono::DateTime;
use proptest::prelude::*;
use scripted_ledger::{Asked, Script, ScriptedLedger, refund, user};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex};
use std::time::Duration;
use tokio::time::Instant;

const SESSION: &str = "{{session}}";
const NEW_SESSION: &str = "a-new-session";

static PASSWORD_HASH: LazyLock<String> =
    LazyLock::new(|| crate::service::password::hash("demo").expect("hash"));

struct House {
    soap: Soap,
    ledger: Arc<ScriptedLedger>,
}

impl House {
    async fn new(script: Script) -> Self {
        Self::with(script, ServiceSettings::default()).await
    }

    async fn with(script: Script, settings: ServiceSettings) -> Self {
        let ledger = Arc::new(ScriptedLedger { script, asked: Mutex::default() });
        let clock = Clock::fixed(DateTime::UNIX_EPOCH);
        let shared: Arc<dyn Ledger> = Arc::<ScriptedLedger>::clone(&ledger);
        let service = Service::start(shared, clock, settings).await.expect("service");
        Self { soap: Soap::new(service, XmlLimits::default()), ledger }
    }

    async fn reply(&self, call: Call) -> CallReply {
        self.soap.answer(call).await
    }

    async fn answer(&self, call: Call) -> Answer {
        match self.reply(call).await {
            CallReply::Answer(answer) => answer,
            CallReply::Abort(..) | CallReply::Reset(..) => panic!("no answer"),
        }
    }

    fn asked(&self) -> Vec<Asked> {
        self.ledger.asked.lock().expect("lock").clone()
    }
}

fn call(body: impl Into<Bytes>) -> Call {
    Call {
        head: head("91.0", Some("text/xml; charset=utf-8")),
        body: body.into(),
        turn: None,
        deadline: (Instant::now() + Duration::from_secs(600)).into(),
        notes: None,
        holding: Holding::default(),
    }
}

fn head(version: &str, content_type: Option<&str>) -> Head {
    Head {
        method: Method::Post,
        path: format!("/apps/services/a/{version}"),
        query: None,
        version: version.to_owned(),
        base_url: "http://127.0.0.1:8080".to_owned(),
        content_type: content_type.map(str::to_owned),
        idempotency_key: None,
        headers: Headers::default(),
        users: Users::default(),
        origin: Origin::of(FrontDoor::Soap),
    }
}

fn call_at(version: &str, body: impl Into<Bytes>) -> Call {
    let call = call(body);
    Call { head: Head { version: version.to_owned(), ..call.head }, ..call }
}

const SOAP_11: &str = "http://schemas.xmlsoap.org/soap/envelope/";

fn envelope(operation: &str) -> String {
    format!(
        "<e:Envelope xmlns:e='{SOAP_11}' xmlns='http://api.zuora.com/' \
         xmlns:o='http://object.api.zuora.com/' \
         xmlns:i='http://www.w3.org/2001/XMLSchema-instance'><e:Header><SessionHeader>\
         <session>{SESSION}</session></SessionHeader></e:Header><e:Body>{operation}</e:Body>\
         </e:Envelope>"
    )
}

const REFUND: &str = "<zObjects i:type='o:Refund'><o:Amount>1.00</o:Amount>\
                      <o:Comment>key-1</o:Comment></zObjects>";

fn create(objects: &str) -> String {
    envelope(&format!("<create>{objects}</create>"))
}

fn text(answer: &Answer) -> &str {
    std::str::from_utf8(&answer.body).expect("UTF-8")
}

fn fault_text(answer: &Answer) -> &str {
    let (_, rest) = text(answer).split_once("<faultstring>").expect("a fault");
    rest.split_once("</faultstring>").expect("a fault").0
}

#[tokio::test]
async fn create_answers_every_row_in_the_captured_style() {
    let rows = vec![Ok(refund(1)), Err(RowError::missing("<Type>")), Ok(refund(3))];
    let house = House::new(Script::Rows(rows)).await;
    let answer = house.answer(call(create(&REFUND.repeat(3)))).await;
    let expected = format!(
        "<?xml version='1.0' encoding='UTF-8'?><soapenv:Envelope xmlns:soapenv=\"{SOAP_11}\">\
         <soapenv:Body><ns1:createResponse xmlns:ns1=\"http://api.zuora.com/\"><ns1:result>\
         <ns1:Id>{}</ns1:Id><ns1:Success>true</ns1:Success></ns1:result><ns1:result><ns1:Errors>\
         <ns1:Code>MISSING_REQUIRED_VALUE</ns1:Code>\
         <ns1:Message>Missing required value: &lt;Type&gt;</ns1:Message></ns1:Errors>\
         <ns1:Success>false</ns1:Success></ns1:result><ns1:result><ns1:Id>{}</ns1:Id>\
         <ns1:Success>true</ns1:Success></ns1:result></ns1:createResponse></soapenv:Body>\
         </soapenv:Envelope>",
        refund(1),
        refund(3)
    );
    assert_eq!(text(&answer), expected);
    assert_eq!((answer.status, answer.content_type), (200, "text/xml;charset=UTF-8"));
    assert_eq!((answer.operation.name(), answer.outcome.name()), ("create", "ok"));
    assert_eq!((answer.refunds, answer.row_errors, answer.replayed), (2, 1, false));
}

/// A call is copied to its place, and each future that hands it on has a place of its own for it:
/// what a call holds while it waits is paid by every call.
#[tokio::test]
async fn what_a_call_holds_while_it_waits_is_small() {
    let house = House::new(Script::Succeed).await;
    let size = size_of_val(&house.soap.reply(call("")));
    assert!(size <= 4_096, "{size} bytes");
}

#[tokio::test]
async fn login_tells_the_session_and_the_address_that_the_caller_used() {
    let house = House::new(Script::Succeed).await;
    let body = envelope(
        "<login xmlns=''><password>demo</password><username> demo@example.com\n</username></login>",
    );
    let mut call = call_at("38.0", body);
    call.head.base_url = "https://refunds.example.com".to_owned();
    let answer = house.answer(call).await;
    let expected = "<ns1:loginResponse xmlns:ns1=\"http://api.zuora.com/\"><ns1:result>\
                    <ns1:Session>a-new-session</ns1:Session>\
                    <ns1:ServerUrl>https://refunds.example.com/apps/services/a/38.0</ns1:ServerUrl>\
                    </ns1:result></ns1:loginResponse>";
    assert!(text(&answer).contains(expected), "{}", text(&answer));
    assert_eq!(
        (answer.operation.name(), answer.outcome.name(), answer.status),
        ("login", "ok", 200)
    );
}

#[tokio::test]
async fn nothing_that_is_printed_shows_a_secret() {
    let house = House::new(Script::Succeed).await;
    let login = "<login><username>demo@example.com</username><password>demo</password></login>";
    let reply = house.reply(call(envelope(login))).await;
    let stored = StoredSession { user: user(), last_used: DateTime::UNIX_EPOCH };
    let shown = format!("{reply:?} {stored:?}");
    assert!(shown.contains("Login") && shown.contains("demo@example.com"), "{shown}");
    for secret in ["body", NEW_SESSION, "argon2", "password"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[tokio::test]
async fn get_user_info_has_no_result_around_it() {
    let house = House::new(Script::Succeed).await;
    let answer = house.answer(call(envelope("<getUserInfo/>"))).await;
    let expected = "<soapenv:Body><ns1:getUserInfoResponse xmlns:ns1=\"http://api.zuora.com/\">\
                    <ns1:TenantId>1</ns1:TenantId><ns1:TenantName>refund-gateway</ns1:TenantName>\
                    <ns1:UserEmail>demo@example.com</ns1:UserEmail>\
                    <ns1:UserFullName>demo@example.com</ns1:UserFullName>\
                    <ns1:UserId>0197f3a2c4d870000000000000000001</ns1:UserId>\
                    <ns1:Username>demo@example.com</ns1:Username></ns1:getUserInfoResponse>";
    assert!(text(&answer).contains(expected), "{}", text(&answer));
    let oldest = call_at("18.0", envelope("<getUserInfo/>"));
    assert_eq!(house.answer(oldest).await.status, 200);
}

#[tokio::test]
async fn an_operation_newer_than_the_version_is_unknown_there() {
    let house = House::new(Script::Succeed).await;
    let old = call_at("28.0", envelope("<amend/>"));
    assert_eq!(fault_text(&house.answer(old).await), "Unknown operation: amend");
}

#[tokio::test]
async fn what_the_ledger_cannot_do_is_told_by_its_own_fault() {
    let cases = [
        (LedgerError::Busy, "91.0", 429, "fns:REQUEST_EXCEEDED_LIMIT"),
        (LedgerError::Busy, "59.0", 429, "fns:UNKNOWN_ERROR"),
        (LedgerError::Unavailable("disk full".to_owned()), "91.0", 500, "fns:SERVER_UNAVAILABLE"),
        (LedgerError::Damaged("disk".to_owned()), "91.0", 500, "fns:SERVER_UNAVAILABLE"),
        (LedgerError::Withdrawn, "91.0", 500, "fns:TRANSACTION_TIMEOUT"),
    ];
    for (error, version, status, code) in cases {
        let house = House::new(Script::Fail(error.clone())).await;
        let answer = house.answer(call_at(version, create(REFUND))).await;
        assert_eq!(answer.status, status, "{error}");
        let reported = format!("<faultcode>{code}</faultcode>");
        assert!(text(&answer).contains(&reported), "{error}: {}", text(&answer));
        assert_eq!(answer.retry_after_s, (status == 429).then_some(120));
        assert!(!text(&answer).contains("disk"), "operators' words are not for callers");
    }
}

#[tokio::test]
async fn an_unknown_outcome_is_never_answered() {
    let house = House::new(Script::Fail(LedgerError::Unknown("commit".to_owned()))).await;
    let CallReply::Abort(operation, facts) = house.reply(call(create(REFUND))).await else {
        panic!("it is answered");
    };
    assert_eq!(operation, OperationName::Create);
    assert_eq!(facts.user.as_deref(), Some("demo@example.com"));
}

#[tokio::test]
async fn what_has_not_begun_by_its_deadline_is_withdrawn() {
    let house = House::new(Script::Hang).await;
    let deadline = (Instant::now() + Duration::from_millis(20)).into();
    let answer = house.answer(Call { deadline, ..call(create(REFUND)) }).await;
    assert_eq!(fault_text(&answer), "The request did not start in time. Nothing was done.");
}

fn with_key(key: &[u8], body: String) -> Call {
    let mut call = call(body);
    call.head.idempotency_key = Some(key.to_vec());
    call
}

#[tokio::test]
async fn the_session_is_checked_before_the_objects_and_the_key() {
    let house = House::new(Script::Succeed).await;
    let no_session = create("").replace(SESSION, "unknown");
    let answer = house.answer(with_key(b"two words", no_session)).await;
    assert_eq!(answer.outcome.name(), "INVALID_SESSION");
    let answer = house.answer(with_key(b"two words", create(""))).await;
    assert_eq!(answer.outcome.name(), "MISSING_REQUIRED_VALUE");
}

#[tokio::test]
async fn a_second_operation_is_refused_and_none_is_done() {
    let house = House::new(Script::Succeed).await;
    let one = format!("<create>{REFUND}</create>");
    for second in [
        &one,
        "<o:query/>",
        "<login xmlns=''/>",
        "<rasdRequest/>",
        "<x:y xmlns:x='urn:x'/><create/>",
    ] {
        let answer = house.answer(call(envelope(&format!("{one}{second}")))).await;
        assert_eq!((answer.status, answer.outcome.name()), (500, "Client"), "{second}");
        assert!(text(&answer).contains("The Body has more than one operation."), "{second}");
    }
    assert!(house.asked().is_empty());
    for beside in ["<multiRef/>", "<zObjects/>", "<x:create xmlns:x='urn:x'/>"] {
        let answer = house.answer(call(envelope(&format!("{one}{beside}")))).await;
        assert_eq!(answer.status, 200, "{beside}: {}", text(&answer));
    }
}

#[tokio::test]
async fn an_unsupported_version_is_told_in_the_callers_soap() {
    let house = House::new(Script::Succeed).await;
    let body = create(REFUND).replace(SOAP_11, "http://www.w3.org/2003/05/soap-envelope");
    let answer = house.answer(call_at("151.0", body)).await;
    assert_eq!(answer.content_type, "application/soap+xml;charset=UTF-8");
    assert_eq!(answer.outcome.name(), "INVALID_VERSION");
    let answer = house.answer(call_at("151.0", "not xml")).await;
    assert_eq!(answer.content_type, "text/xml;charset=UTF-8");
    assert_eq!(answer.outcome.name(), "INVALID_VERSION");
    assert!(house.asked().is_empty());
}

#[tokio::test]
async fn a_large_body_is_answered_like_a_small_one() {
    let house = House::new(Script::Succeed).await;
    let padding = " ".repeat(READ_IN_PLACE_BYTES_MAX);
    let body = create(&format!("{}<!--{padding}-->", REFUND.repeat(50)));
    let answer = house.answer(call(body)).await;
    assert_eq!((answer.status, answer.refunds), (200, 50));
    let flood = create(&"<x/>".repeat(20_000));
    let answer = house.answer(call(flood)).await;
    assert_eq!(answer.limit, Some(CallLimit::Document(LimitKind::Elements)));
    assert_eq!(fault_text(&answer), "The request is larger than the limit: xml elements");
}

#[tokio::test]
async fn what_is_refused_unread_has_its_status_and_text() {
    let house = House::new(Script::Succeed).await;
    for (refusal, status, reported) in [
        (Refusal::BodyTooLarge, 413, "The request is larger than the limit: body bytes"),
        (Refusal::InflatedTooLarge, 413, "The request is larger than the limit: inflated bytes"),
        (Refusal::BodyTooSlow, 408, "The request did not arrive in time. Nothing was done."),
        (
            Refusal::ContentType("application/json; charset=utf-8".to_owned()),
            415,
            "The content type application/json is not supported.",
        ),
        (
            Refusal::ContentEncoding("br".to_owned()),
            415,
            "The content encoding br is not supported.",
        ),
        (Refusal::BadGzip, 400, "The request is not valid gzip."),
    ] {
        let answer = house.soap.refuse(refusal, &head("18.0", None));
        assert_eq!((answer.status, fault_text(&answer)), (status, reported));
        assert_eq!((answer.operation.name(), answer.outcome.name()), ("unknown", "Client"));
    }
    let answer = house.soap.refuse(Refusal::Overloaded, &head("91.0", Some("text/xml")));
    assert_eq!((answer.status, answer.retry_after_s), (429, Some(120)));
    assert!(text(&answer).contains("<faultcode>fns:REQUEST_EXCEEDED_LIMIT</faultcode>"));
    let of_soap_12 = head("91.0", Some("application/soap+xml; charset=utf-8"));
    let in_kind = house.soap.refuse(Refusal::Overloaded, &of_soap_12);
    assert_eq!(in_kind.content_type, "application/soap+xml;charset=UTF-8");
    let answer = house.soap.refuse(Refusal::Overloaded, &head("59.0", None));
    assert!(text(&answer).contains("<faultcode>fns:UNKNOWN_ERROR</faultcode>"));
}
