//! query and queryMore as clients meet them, against the built program.

use crate::gateway::{
    ELECTRONIC_ACCOUNT, ELECTRONIC_METHOD, EXTERNAL_ACCOUNT, TestGateway, create_envelope,
    envelope, external_refund, refund, session_header,
};
use crate::wire::Answer;
use refund_gateway::domain::version::ApiVersion;
use refund_gateway::soap::wsdl;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

const DEMO: &str = "demo@example.com";
/// Created for create alone.
const HIDDEN: [&str; 3] = ["PaymentId", "GatewayOptionData", "RefundInvoicePaymentData"];

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

fn path(version: &str) -> String {
    format!("/apps/services/a/{version}")
}

fn query_at(gateway: &TestGateway, version: &str, session: &str, zoql: &str) -> Answer {
    let zoql = escaped(zoql);
    let body = format!("<api:query><api:queryString>{zoql}</api:queryString></api:query>");
    gateway.post(&path(version), &envelope(&session_header(session), &body))
}

fn query(gateway: &TestGateway, session: &str, zoql: &str) -> Answer {
    query_at(gateway, "91.0", session, zoql)
}

fn query_more_at(gateway: &TestGateway, version: &str, session: &str, locator: &str) -> Answer {
    let body =
        format!("<api:queryMore><api:queryLocator>{locator}</api:queryLocator></api:queryMore>");
    gateway.post(&path(version), &envelope(&session_header(session), &body))
}

fn query_more(gateway: &TestGateway, session: &str, locator: &str) -> Answer {
    query_more_at(gateway, "91.0", session, locator)
}

fn only(answer: &Answer, name: &str) -> String {
    let mut texts = answer.texts(name);
    assert_eq!(texts.len(), 1, "{name} in {answer}");
    texts.remove(0)
}

/// The id of a refund that was created now.
fn created(gateway: &TestGateway, session: &str, object: String) -> String {
    only(&gateway.create(session, &[object]), "Id")
}

/// Every field of an object that a caller of `version` can select.
fn selectable(version: u16, object: &str) -> Vec<&'static str> {
    let fields = wsdl::fields(ApiVersion::major(version), object);
    let names = fields.into_iter().map(|(name, _)| name);
    names.filter(|name| !HIDDEN.contains(name)).collect()
}

#[test]
fn refunds_read_back_with_every_field_of_each_version() {
    let gateway = TestGateway::demo();
    let session = gateway.login();
    let external = created(
        &gateway,
        &session,
        refund(&[
            ("AccountId", EXTERNAL_ACCOUNT),
            ("Amount", "10.5"),
            ("Comment", "Größe &lt; 5"),
            ("MethodType", "Check"),
            ("RefundDate", "2026-01-02"),
            ("SourceType", "CreditBalance"),
            ("Type", "External"),
        ]),
    );
    let electronic = created(
        &gateway,
        &session,
        refund(&[
            ("AccountId", ELECTRONIC_ACCOUNT),
            ("Amount", "20"),
            ("PaymentMethodId", ELECTRONIC_METHOD),
            ("SoftDescriptor", "ACME*SHOP"),
            ("SourceType", "CreditBalance"),
            ("Type", "Electronic"),
        ]),
    );
    for version in [38, 68, 69, 91] {
        let fields = selectable(version, "Refund");
        let list = fields.join(", ");
        let zoql = |id: &str| format!("select Id, {list} from Refund where Id = '{id}'");
        let path = format!("{version}.0");
        let answer = query_at(&gateway, &path, &session, &zoql(&external));
        assert_eq!(only(&answer, "size"), "1", "{answer}");
        assert_eq!(only(&answer, "Id"), external);
        assert_eq!(only(&answer, "Amount"), "10.50");
        assert_eq!(only(&answer, "Comment"), "Größe &lt; 5");
        assert_eq!(only(&answer, "Status"), "Processed");
        assert_eq!(only(&answer, "RefundNumber"), "R-00000001");
        let day = if version < 69 { "2026-01-02T00:00:00.000" } else { "2026-01-02" };
        assert_eq!(only(&answer, "RefundDate"), day);
        assert_eq!(answer.texts("ReasonCode").len(), usize::from(version >= 45), "{answer}");
        assert!(answer.texts("Gateway").is_empty(), "{answer}");
        let answer = query_at(&gateway, &path, &session, &zoql(&electronic));
        assert_eq!(only(&answer, "PaymentMethodId"), ELECTRONIC_METHOD);
        assert_eq!(only(&answer, "GatewayState"), "Submitted");
        assert_eq!(only(&answer, "SoftDescriptor"), "ACME*SHOP");
        let order: Vec<_> = fields.iter().filter(|name| !answer.texts(name).is_empty()).collect();
        let at = |name: &&&str| answer.to_string().find(&format!("<ns2:{name}>")).unwrap();
        assert!(order.iter().map(at).is_sorted(), "{answer}");
        assert!(order.len() >= 17, "{order:?}");
        for object in ["Account", "PaymentMethod"] {
            let list = selectable(version, object).join(",");
            let answer =
                query_at(&gateway, &path, &session, &format!("select {list} from {object}"));
            assert_eq!(only(&answer, "done"), "true", "{answer}");
        }
    }
}

#[test]
fn accounts_and_methods_read_back() {
    let gateway = TestGateway::demo();
    let session = gateway.login();
    created(&gateway, &session, external_refund(EXTERNAL_ACCOUNT, "100"));
    let zoql = format!(
        "select CreditBalance, Currency, Status from Account where Id = '{EXTERNAL_ACCOUNT}'"
    );
    let answer = query(&gateway, &session, &zoql);
    assert_eq!(only(&answer, "CreditBalance"), "900.00");
    assert_eq!(only(&answer, "Status"), "Active");
    let zoql = "select Id from account where creditBalance < 1000.0 and currency = 'usd'";
    assert_eq!(only(&query(&gateway, &session, zoql), "Id"), EXTERNAL_ACCOUNT);
    let zoql = format!(
        "select type, PaymentMethodStatus from PaymentMethod \
         where AccountId = '{ELECTRONIC_ACCOUNT}'"
    );
    let answer = query(&gateway, &session, &zoql);
    assert_eq!(
        (only(&answer, "Type"), only(&answer, "PaymentMethodStatus")),
        ("CreditCard".to_owned(), "Active".to_owned())
    );
}

#[test]
fn a_day_is_compared_as_the_version_has_it() {
    let gateway = TestGateway::demo();
    let session = gateway.login();
    let dated = external_refund(EXTERNAL_ACCOUNT, "1")
        .replace("</api:zObjects>", "<obj:RefundDate>2014-11-30</obj:RefundDate></api:zObjects>");
    created(&gateway, &session, dated);
    let found = |version, how: &str, day: &str| {
        let zoql = format!("select Id from Refund where RefundDate {how} '{day}'");
        let answer = query_at(&gateway, version, &session, &zoql);
        let code = answer.texts("FaultCode").pop();
        code.unwrap_or_else(|| only(&answer, "size"))
    };
    for version in ["18.0", "68.0"] {
        // The documents' own example: a moment counts as the day on which it falls in the zone.
        assert_eq!(found(version, "=", "2014-12-01T01:30:00+00:00"), "1");
        assert_eq!(found(version, "=", "2014-11-30T23:54:01-08:00"), "1");
        assert_eq!(found(version, ">", "2014-11-30T10:00:00"), "0");
        assert_eq!(found(version, "=", "2014-11-30"), "1");
    }
    assert_eq!(found("69.0", "=", "2014-11-30"), "1");
    assert_eq!(found("69.0", "=", "2014-11-30T00:00:00"), "INVALID_VALUE");
    assert_eq!(found("91.0", ">", "2014-12-01T01:30:00+00:00"), "INVALID_VALUE");
}

#[test]
fn what_cannot_be_queried_is_told_as_declared() {
    let gateway = TestGateway::demo();
    let session = gateway.login();
    for (zoql, code, text) in [
        (
            "select Id from Refund where",
            "MALFORMED_QUERY",
            "You have an error in your ZOQL syntax: expected a field name at character 28",
        ),
        ("select Id from Nothing", "INVALID_TYPE", "invalid type for query: Nothing"),
        ("select Id from Order", "INVALID_TYPE", "invalid type for query: Order"),
        (
            "select Id, PaymentID from refund",
            "INVALID_FIELD",
            "invalid field for query: refund.paymentid",
        ),
        (
            "select Id, Ammount from Refund",
            "INVALID_FIELD",
            "invalid field for query: Refund.ammount. Did you mean Amount?",
        ),
        (
            "select Id from Refund where Stauts = 'Processed'",
            "INVALID_FIELD",
            "invalid field for query: Refund.stauts. Did you mean Status?",
        ),
        (
            "select Id from Refund where Amount = 'much'",
            "INVALID_VALUE",
            "Invalid value for field Amount: much",
        ),
    ] {
        let answer = query(&gateway, &session, zoql);
        assert_eq!(answer.status, 500, "{answer}");
        assert_eq!(only(&answer, "FaultCode"), code);
        assert_eq!(only(&answer, "FaultMessage"), text);
        assert!(answer.to_string().contains("<fns:MalformedQueryFault>"), "{answer}");
    }
    let newer = "select ReasonCode from Refund";
    assert_eq!(query_at(&gateway, "45.0", &session, newer).status, 200);
    let answer = query_at(&gateway, "44.0", &session, newer);
    assert_eq!(only(&answer, "FaultMessage"), "invalid field for query: Refund.reasoncode");
    let newer = "select Id from Refund where ReasonCode != null";
    let answer = query_at(&gateway, "44.0", &session, newer);
    assert_eq!(only(&answer, "FaultCode"), "INVALID_FIELD");
    let answer = query(&gateway, "no-session", "nonsense");
    assert_eq!(only(&answer, "FaultCode"), "INVALID_SESSION");
}

#[test]
fn nothing_that_a_caller_writes_reaches_the_ledger_as_sql() {
    let gateway = TestGateway::demo();
    let session = gateway.login();
    created(&gateway, &session, external_refund(EXTERNAL_ACCOUNT, "1"));
    let values = [
        "' or '1'='1",
        "'; drop table refund; --",
        "') or 1=1 --",
        "x\\' or 1=1 --",
        "\\\\",
        "%",
        "\u{0}",
        "? ?1 :a @b $c",
        "\" or \"\"=\"",
        "1); delete from entry; --",
    ];
    for value in values {
        let quoted = value.replace('\\', "\\\\").replace('\'', "\\'");
        for field in ["Id", "AccountId", "Comment", "RefundNumber", "Status"] {
            for operator in ["=", "<", "like"] {
                let zoql = format!("select Id from Refund where {field} {operator} '{quoted}'");
                let answer = query(&gateway, &session, &zoql);
                if answer.status == 200 && operator == "=" {
                    assert_eq!(only(&answer, "size"), "0", "{zoql}: {answer}");
                }
                let text = answer.to_string();
                assert!(!text.contains("SERVER_UNAVAILABLE"), "{zoql}: {text}");
            }
        }
        let zoql = format!("select Id from Refund where Status = 'x' {value}");
        assert_ne!(query(&gateway, &session, &zoql).texts("size"), ["1"], "{zoql}");
        let zoql = format!("select {value} from Refund");
        assert_eq!(query(&gateway, &session, &zoql).status, 500, "{zoql}");
        let zoql = format!("select Id from {value}");
        assert_eq!(query(&gateway, &session, &zoql).status, 500, "{zoql}");
    }
    assert_eq!(gateway.balance(EXTERNAL_ACCOUNT), "999.00");
    let answer = query(&gateway, &session, "select Id from Refund");
    assert_eq!(only(&answer, "size"), "1");
}

/// A seed with one account that pays for many refunds.
fn rich_seed() -> String {
    format!(
        "[[user]]\nusername = \"{DEMO}\"\npassword = \"demo\"\n\n[[account]]\n\
         id = \"{EXTERNAL_ACCOUNT}\"\nnumber = \"A1\"\nname = \"Rich\"\ncurrency = \"USD\"\n\
         credit_balance = \"1000000.00\"\n"
    )
}

/// Creates refunds of 1.00, fifty in a call.
fn create_many(gateway: &TestGateway, session: &str, calls: usize) -> Vec<String> {
    let batch = vec![external_refund(EXTERNAL_ACCOUNT, "1"); 50];
    let body = create_envelope(session, &batch);
    let mut connection = gateway.connect();
    let ids = (0..calls).flat_map(|_| connection.post(&path("91.0"), &body).texts("Id"));
    ids.collect()
}

#[test]
fn pages_hold_each_refund_exactly_once_while_others_are_created() {
    let gateway = TestGateway::seeded(&rich_seed(), &[]);
    let session = gateway.login_as(DEMO, "demo");
    let before: BTreeSet<String> = create_many(&gateway, &session, 100).into_iter().collect();
    assert_eq!(before.len(), 5_000);
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                create_many(&gateway, &session, 1);
            }
        });
        let mut answer = query(&gateway, &session, "select Id from Refund");
        let size: usize = only(&answer, "size").parse().unwrap();
        let mut found = answer.texts("Id");
        let mut pages = 1;
        while only(&answer, "done") == "false" {
            let locator = only(&answer, "queryLocator");
            let (id, offset) = locator.split_once('-').unwrap();
            assert_eq!((id.len(), offset.parse()), (32, Ok(found.len())));
            answer = query_more(&gateway, &session, &locator);
            assert_eq!(only(&answer, "size").parse(), Ok(size));
            found.extend(answer.texts("Id"));
            pages += 1;
        }
        is_over.store(true, Ordering::Relaxed);
        assert_eq!(found.len(), size);
        assert_eq!(pages, size.div_ceil(2_000));
        let unique: BTreeSet<String> = found.into_iter().collect();
        assert_eq!(unique.len(), size);
        assert!(unique.is_superset(&before));
    });
}

#[test]
fn batch_size_is_taken_from_either_namespace_and_capped() {
    let gateway = TestGateway::seeded(&rich_seed(), &[]);
    let session = gateway.login_as(DEMO, "demo");
    create_many(&gateway, &session, 1);
    let body = "<api:query><api:queryString>select Id from Refund</api:queryString></api:query>";
    for (prefix, size, rows) in [
        ("api", "20", 20),
        ("obj", "1", 1),
        ("api", "0", 50),
        ("obj", "9999", 50),
        ("api", "-1", 50),
    ] {
        let options = format!(
            "<{prefix}:QueryOptions><{prefix}:batchSize>{size}</{prefix}:batchSize>\
             </{prefix}:QueryOptions>{}",
            session_header(&session)
        );
        let answer = gateway.post(&path("91.0"), &envelope(&options, body));
        assert_eq!(answer.texts("Id").len(), rows, "{prefix} {size}");
        assert_eq!(only(&answer, "size"), "50");
        assert_eq!(only(&answer, "done"), (rows == 50).to_string());
    }
}

#[test]
fn a_locator_gives_no_version_an_object_that_its_wsdl_lacks() {
    let gateway = TestGateway::demo();
    let session = gateway.login();
    for _ in 0..2 {
        created(&gateway, &session, external_refund(EXTERNAL_ACCOUNT, "1"));
    }
    let options = "<api:QueryOptions><api:batchSize>1</api:batchSize></api:QueryOptions>";
    let header = format!("{options}{}", session_header(&session));
    let body = "<api:query><api:queryString>select Id from CreditBalanceAdjustment\
                </api:queryString></api:query>";
    let first = gateway.post(&path("91.0"), &envelope(&header, body));
    let locator = only(&first, "queryLocator");
    let older = query_more_at(&gateway, "21.0", &session, &locator);
    assert_eq!(only(&older, "FaultCode"), "INVALID_VALUE");
    assert!(older.to_string().contains("<fns:InvalidQueryLocatorFault>"), "{older}");
    assert_eq!(query_more_at(&gateway, "22.0", &session, &locator).texts("Id").len(), 1);
}

#[test]
fn a_locator_survives_a_restart_and_ends_after_15_idle_minutes() {
    let clock = |time: &str| {
        ["--clock", "--id-seed", "7"]
            .map(str::to_owned)
            .into_iter()
            .flat_map(
                |part| if part == "--clock" { vec![part, time.to_owned()] } else { vec![part] },
            )
            .collect::<Vec<_>>()
    };
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::write(folder.path().join("seed.toml"), rich_seed()).unwrap();
    let ledger = folder.path().join("kept.db");
    let start = |time: &str| {
        let mut args: Vec<String> = ["--test", "--seed"].map(str::to_owned).to_vec();
        args.push(folder.path().join("seed.toml").to_string_lossy().into_owned());
        args.extend(["--ledger".to_owned(), ledger.to_string_lossy().into_owned()]);
        args.extend(clock(time));
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        TestGateway::start(&args)
    };
    let locator = {
        let mut gateway = start("2026-03-01T10:00:00Z");
        let session = gateway.login_as(DEMO, "demo");
        create_many(&gateway, &session, 41);
        let answer = query(&gateway, &session, "select Id from Refund where Status = 'processed'");
        gateway.kill9();
        only(&answer, "queryLocator")
    };
    assert!(locator.ends_with("-2000"), "{locator}");
    let session = {
        let mut gateway = start("2026-03-01T10:14:00Z");
        let session = gateway.login_as(DEMO, "demo");
        create_many(&gateway, &session, 1);
        let answer = query_more(&gateway, &session, &locator);
        assert_eq!((answer.texts("Id").len(), only(&answer, "size")), (50, "2050".to_owned()));
        assert_eq!(only(&answer, "done"), "true");
        // As a client does that makes its own.
        let own = locator.replace("-2000", "-2040");
        assert_eq!(query_more(&gateway, &session, &own).texts("Id").len(), 10);
        assert!(gateway.terminate().success());
        session
    };
    let gateway = start("2026-03-01T10:29:01Z");
    let fresh = gateway.login_as(DEMO, "demo");
    assert_ne!(fresh, session);
    let answer = query_more(&gateway, &fresh, &locator);
    assert_eq!(only(&answer, "FaultCode"), "INVALID_VALUE");
    assert!(answer.to_string().contains("<fns:InvalidQueryLocatorFault>"), "{answer}");
    let text = format!("Invalid value for field queryLocator: {locator}");
    assert_eq!(only(&answer, "FaultMessage"), text);
}
