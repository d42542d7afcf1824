//! The whole room over a ledger that follows a script.

mod scripted_ledger;

use super::*;
use crate::call::{Headers, Holding, Reply as CallReply, Users};
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
            CallReply::Abort(_) | CallReply::Reset(_) => panic!("no answer"),
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
        let told = format!("<faultcode>{code}</faultcode>");
        assert!(text(&answer).contains(&told), "{error}: {}", text(&answer));
        assert_eq!(answer.retry_after_s, (status == 429).then_some(120));
        assert!(!text(&answer).contains("disk"), "operators' words are not for callers");
    }
}

#[tokio::test]
async fn an_unknown_outcome_is_never_answered() {
    let house = House::new(Script::Fail(LedgerError::Unknown("commit".to_owned()))).await;
    assert_eq!(house.reply(call(create(REFUND))).await, CallReply::Abort(OperationName::Create));
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
async fn a_key_goes_to_the_ledger_and_its_stored_answer_comes_back() {
    let house = House::new(Script::Replay).await;
    let answer = house.answer(with_key(b"k", create(REFUND))).await;
    assert_eq!(text(&answer), "<stored/>");
    assert!(answer.replayed);
    assert_eq!(house.asked()[0].key.as_deref(), Some("k"));
}

#[tokio::test]
async fn a_fresh_answer_is_the_same_with_and_without_a_key() {
    let rows = vec![Ok(refund(1)), Err(RowError::too_long())];
    let house = House::new(Script::Rows(rows)).await;
    let with = house.answer(with_key(b"k", create(&REFUND.repeat(2)))).await;
    let without = house.answer(call(create(&REFUND.repeat(2)))).await;
    assert_eq!(with, without);
    assert_eq!((with.refunds, with.row_errors, with.replayed), (1, 1, false));
}

#[tokio::test]
async fn fingerprints_tell_requests_apart_and_not_their_spelling() {
    let house = House::new(Script::Succeed).await;
    let plain = create(REFUND);
    let shorter = plain.replace("o:", "object:").replace("xmlns:o=", "xmlns:object=");
    let shorter = shorter.replace("1.00", "1").replace("'", "\"");
    let other_soap = plain.replace(SOAP_11, "http://www.w3.org/2003/05/soap-envelope");
    let single = plain.replace(
        "</e:Header>",
        "<CallOptions><useSingleTransaction>true</useSingleTransaction></CallOptions></e:Header>",
    );
    let other_amount = plain.replace("1.00", "2.00");
    let mut old = with_key(b"k", plain.clone());
    old.head.version = "42.0".to_owned();
    assert_eq!(house.answer(old).await.status, 200);
    for body in [&plain, &shorter, &other_soap, &single, &other_amount] {
        assert_eq!(house.answer(with_key(b"k", body.clone())).await.status, 200, "{body}");
    }
    let prints: Vec<_> = house.asked().into_iter().map(|asked| asked.fingerprint).collect();
    assert_eq!(prints[0], prints[1], "the version of the API");
    assert_eq!(prints[0], prints[2], "prefixes, quotes and zeros");
    for (index, other) in prints.iter().enumerate().skip(3) {
        assert_ne!(prints[0], *other, "{index}");
    }
}

#[tokio::test]
async fn a_reused_or_malformed_key_is_a_fault() {
    let house = House::new(Script::KeyReused).await;
    let answer = house.answer(with_key(b"k", create(REFUND))).await;
    assert_eq!((answer.status, answer.outcome.name()), (422, "DUPLICATE_VALUE"));
    for key in [&b""[..], b"two words", b"\xFF", &[b'k'; 256]] {
        let answer = house.answer(with_key(key, create(REFUND))).await;
        assert_eq!((answer.status, answer.outcome.name()), (400, "Client"));
    }
    assert_eq!(house.asked().len(), 1);
}

#[tokio::test]
async fn a_key_that_is_still_running_is_a_fault() {
    let house = House::new(Script::Hang).await;
    let first = house.reply(Call {
        deadline: (Instant::now() + Duration::from_millis(300)).into(),
        ..with_key(b"k", create(REFUND))
    });
    let second = async {
        while house.asked().is_empty() {
            tokio::task::yield_now().await;
        }
        house.answer(with_key(b"k", create(REFUND))).await
    };
    let (_, answer) = tokio::join!(first, second);
    assert_eq!((answer.status, answer.outcome.name()), (409, "LOCK_COMPETITION"));
}

/// The keys of create calls with these objects, where Comment may carry one.
async fn keys_in_comments(calls: &[String]) -> Vec<Option<String>> {
    let settings =
        ServiceSettings { idempotency_field: Some("Comment".to_owned()), ..Default::default() };
    let house = House::with(Script::Succeed, settings).await;
    for objects in calls {
        house.answer(call(create(objects))).await;
    }
    house.asked().into_iter().map(|asked| asked.key).collect()
}

fn comment(text: &str) -> String {
    REFUND.replace("key-1", text)
}

#[tokio::test]
async fn any_text_of_a_field_is_a_key_where_configured() {
    let calls = ["key-1", "", "two words", "two words ", "é", &"k".repeat(255), &"k".repeat(256)];
    let keys = keys_in_comments(&calls.map(comment)).await;
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let digest = |text: &str| Some(format!("sha256:{}", hex(&Sha256::digest(text.as_bytes())[..])));
    let expected = [
        Some("key-1".to_owned()),
        None,
        digest("two words"),
        digest("two words"),
        digest("é"),
        Some("k".repeat(255)),
        digest(&"k".repeat(256)),
    ];
    assert_eq!(keys, expected);
}

#[tokio::test]
async fn the_texts_of_all_objects_make_one_key() {
    let calls = [
        [comment("ab"), comment("c")].concat(),
        [comment(" ab"), comment("c\n")].concat(),
        [comment("a"), comment("bc")].concat(),
        [comment("c"), comment("ab")].concat(),
        comment("ab").repeat(2),
        comment("ab").repeat(3),
        comment("ab"),
        comment("abc"),
        [comment("ab"), comment("")].concat(),
    ];
    let mut keys = keys_in_comments(&calls).await;
    assert_eq!(keys.pop(), Some(None), "an object without a text leaves the call without a key");
    assert_eq!(keys.remove(1), keys[0], "blanks around a text do not count");
    let distinct: std::collections::HashSet<_> = keys.iter().flatten().collect();
    assert_eq!(distinct.len(), keys.len(), "{keys:?}");
}

#[tokio::test]
async fn the_header_counts_before_the_field() {
    let settings =
        ServiceSettings { idempotency_field: Some("Comment".to_owned()), ..Default::default() };
    let house = House::with(Script::Succeed, settings).await;
    house.answer(with_key(b"header", create(REFUND))).await;
    assert_eq!(house.asked().remove(0).key.as_deref(), Some("header"));
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
    assert_eq!(answer.limit, Some(LimitKind::Elements));
    assert_eq!(fault_text(&answer), "The request is larger than the limit: xml elements");
}

#[tokio::test]
async fn what_is_refused_unread_has_its_status_and_text() {
    let house = House::new(Script::Succeed).await;
    for (refusal, status, told) in [
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
        assert_eq!((answer.status, fault_text(&answer)), (status, told));
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

fn cases(category: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(category);
    let entries = fs::read_dir(&root).expect("the catalogue");
    let mut cases: Vec<_> = entries.map(|entry| entry.expect("entry").path()).collect();
    cases.retain(|path| path.is_dir());
    cases.sort();
    cases
}

/// The call of a case, and whether its text is compared.
fn case_call(case: &Path) -> (Call, bool) {
    let mut call = call(fs::read(case.join("request.xml")).expect("a request"));
    let rules = fs::read_to_string(case.join("replay.toml")).unwrap_or_default();
    let rules: toml::Table = rules.parse().expect("rules");
    let text = |key: &str| rules.get(key).and_then(|value| value.as_str()).map(str::to_owned);
    if let Some(path) = text("path") {
        call.head.version = path.rsplit('/').next().unwrap_or_default().to_owned();
    }
    call.head.content_type = text("content_type").or(call.head.content_type);
    let key = rules.get("headers").and_then(|headers| headers.get("Idempotency-Key"));
    let key = key.and_then(|key| key.as_str()).map(|key| key.as_bytes().to_vec());
    call.head.idempotency_key = key;
    (call, !rules.contains_key("match"))
}

/// Every case whose answer does not depend on the ledger: a fault, or the number of results.
#[tokio::test]
async fn the_catalogues_requests_are_answered_as_it_says() {
    let house = House::new(Script::Succeed).await;
    let mut faults = 0;
    for category in
        ["faults", "hostile", "encodings", "sessions", "clients", "batch", "idempotency"]
    {
        for case in cases(category) {
            let name = format!("{category}/{}", case.file_name().expect("name").display());
            // HTTP's own, and what only a ledger can know.
            if matches!(
                name.as_str(),
                "faults/content-type-json" | "idempotency/key-3-other-content"
            ) {
                continue;
            }
            let expected = fs::read_to_string(case.join("response.xml")).expect("a response");
            let (call, compare_text) = case_call(&case);
            let other_user = !call.body.windows(11).all(|bytes| bytes != b"{{session:c");
            if other_user {
                continue;
            }
            let answer = house.answer(call).await;
            let (got, expected) = (text(&answer), expected.trim_end());
            assert_eq!(got.contains("Fault>"), expected.contains("Fault>"), "{name}: {got}");
            if !got.contains("Fault>") {
                let rows = |text: &str| text.matches("<ns1:result>").count();
                assert_eq!(rows(got), rows(expected), "{name}");
                continue;
            }
            faults += 1;
            if compare_text {
                assert_eq!(got, expected, "{name}");
            } else {
                let told = "The request is not well-formed XML: ";
                assert!(fault_text(&answer).starts_with(told), "{name}: {got}");
            }
        }
    }
    assert!(faults > 70, "only {faults} faults in the catalogue");
}

/// Each client's way of writing the same refund is read as the same draft.
#[tokio::test]
async fn every_client_is_understood() {
    for client in [
        "active-zuora",
        "all-in-the-default-namespace",
        "axis",
        "comments-everywhere",
        "csharp-wcf-42",
        "fields-to-null-first",
        "gsoap",
        "guardian-text-plain",
        "header-in-the-object-namespace",
        "jax-ws",
        "leading-blank-lines",
        "mono",
        "no-namespaces-in-the-body",
        "node-soap",
        "node-zuora-cdata",
        "php-junk-query-options",
        "php-newline-after-the-envelope",
        "sage",
        "soap-12-as-text-xml",
        "soap-lite",
        "soap-lite-typed-leaves",
        "soap4r",
        "strong-soap",
        "suds",
        "suds-body-rebound",
        "zeep",
        "zuora-gem-soap-12",
        "zuora-ruby",
    ] {
        let house = House::new(Script::Succeed).await;
        let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/clients").join(client);
        let answer = house.answer(case_call(&case).0).await;
        assert_eq!((answer.status, answer.refunds), (200, 1), "{client}: {}", text(&answer));
        assert_eq!(answer.ignored_fields, 0, "{client}");
        let asked = house.asked();
        let Drafts::Refunds(drafts) = &asked[0].drafts else { panic!("{client}") };
        let draft = &drafts[0];
        assert!(draft.common.malformed_id.is_none(), "{client}: {draft:?}");
        let given = [
            draft.account_id.given().is_some(),
            draft.amount.given().is_some(),
            draft.source_type.given().is_some(),
            draft.refund_type.given().is_some(),
            draft.method_type.given().is_some() || draft.payment_method_id.given().is_some(),
        ];
        assert_eq!(given, [true; 5], "{client}: {draft:?}");
    }
}

/// The answer is an envelope with a fault or a response in it.
fn assert_proper(answer: &Answer) {
    let text = text(answer);
    let document =
        parse(text, &XmlLimits::default()).unwrap_or_else(|error| panic!("{error}: {text}"));
    let local = |element: ElementRef<'_>| element.local().to_owned();
    assert_eq!(local(document.root()), "Envelope");
    let body = document.root().children().next().expect("a Body");
    let inside = body.children().next().map(local).expect("an answer");
    assert_eq!(inside == "Fault", answer.outcome.name() != "ok", "{text}");
    assert_eq!(answer.status == 200, answer.outcome.name() == "ok", "{text}");
}

fn any_request() -> impl Strategy<Value = Vec<u8>> {
    let cut_and_glued = |(mut bytes, at, other): (Vec<u8>, prop::sample::Index, Vec<u8>)| {
        let at = at.index(bytes.len() + 1);
        let end = (at + other.len() / 2).min(bytes.len());
        bytes.splice(at..end, other);
        bytes
    };
    let seed = prop::sample::select(vec![
        create(REFUND).into_bytes(),
        envelope(
            "<query><queryString>select Id from Refund where Amount = 1</queryString></query>",
        )
        .into_bytes(),
        envelope("<queryMore><queryLocator>00-0</queryLocator></queryMore>").into_bytes(),
        envelope("<login><username>a</username><password>b</password></login>").into_bytes(),
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/clients/jax-ws/request.xml"))
            .expect("a request"),
    ]);
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..8),
        prop::sample::select(vec![
            "<zObjects i:type='o:Refund'>",
            "</zObjects>",
            "<o:Amount>",
            "</o:Amount>",
            "i:nil='1'",
            "<![CDATA[",
            "]]>",
            "&#0;",
            "&amp;",
            "<!--",
            "xmlns:o=''",
            "e:mustUnderstand='1'",
            "\0",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        (seed, any::<prop::sample::Index>(), piece).prop_map(cut_and_glued),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes_get_one_well_formed_answer(
        body in any_request(),
        version in prop::sample::select(vec!["91.0", "18.0", "x\0&<"]),
        content_type in prop::sample::select(vec![
            None, Some("text/xml"), Some("application/soap+xml; charset=\"utf-16\""), Some(";;=;"),
        ]),
        idempotency_key in prop::option::of(prop::collection::vec(any::<u8>(), 0..4)),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let call = call(body);
        let call = Call {
            head: Head { idempotency_key, ..head(version, content_type) },
            ..call
        };
        let answer = async { House::new(Script::Succeed).await.answer(call).await };
        let answer = runtime.expect("runtime").block_on(answer);
        assert_proper(&answer);
    }
}
