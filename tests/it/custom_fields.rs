//! Fields of the tenant's own, from the seed to the WSDL, create and query of the built program.

use crate::gateway::{
    EXTERNAL_ACCOUNT, TestGateway, create_envelope, envelope, refund, session_header,
};
use crate::wire::Answer;

const SEED: &str = r#"
[[user]]
username = "demo@example.com"
password = "demo"
[[account]]
id = "402892c72b9e3319012b9e34b88e0001"
number = "A1"
name = "One"
currency = "USD"
credit_balance = "100.00"
[[custom_field]]
object = "Refund"
name = "CaseNumber__c"
type = "string"
length = 8
required = true
[[custom_field]]
object = "Refund"
name = "Goodwill__c"
type = "decimal"
[[custom_field]]
object = "Refund"
name = "isUrgent__c"
type = "boolean"
[[custom_field]]
object = "Refund"
name = "ReviewDate__c"
type = "date"
[[custom_field]]
object = "Refund"
name = "Channel__c"
type = "string"
advanced = true
"#;

fn with(fields: &[(&str, &str)]) -> String {
    let standard = [
        ("AccountId", EXTERNAL_ACCOUNT),
        ("Amount", "1"),
        ("MethodType", "Check"),
        ("SourceType", "CreditBalance"),
        ("Type", "External"),
    ];
    refund(&[&standard[..], fields].concat())
}

fn query_at(gateway: &TestGateway, version: &str, session: &str, zoql: &str) -> Answer {
    let zoql = zoql.replace('<', "&lt;");
    let body = format!("<api:query><api:queryString>{zoql}</api:queryString></api:query>");
    let path = format!("/apps/services/a/{version}");
    gateway.post(&path, &envelope(&session_header(session), &body))
}

#[test]
fn values_are_stored_and_read_back() {
    let gateway = TestGateway::seeded(SEED, &[]);
    let session = gateway.login();
    let rows = [
        with(&[("CaseNumber__c", " c-1 "), ("Goodwill__c", "012.50"), ("isUrgent__c", "1")]),
        with(&[("CaseNumber__c", "C-2"), ("ReviewDate__c", "2026-03-04"), ("Goodwill__c", "9")]),
        with(&[("CaseNumber__c", "c-3"), ("isUrgent__c", "no"), ("NoSuchField__c", "x")]),
    ];
    assert_eq!(gateway.create(&session, &rows).successes(), 3);
    let all = "select RefundNumber, ReviewDate__c, casenumber__C, isUrgent__c, Goodwill__c \
               from Refund";
    let answer = query_at(&gateway, "91.0", &session, all);
    let text = answer.text();
    for expected in [
        "<ns2:CaseNumber__c>c-1</ns2:CaseNumber__c><ns2:Goodwill__c>12.5</ns2:Goodwill__c>\
         <ns2:isUrgent__c>true</ns2:isUrgent__c><ns2:RefundNumber>R-00000001</ns2:RefundNumber>",
        "<ns2:RefundNumber>R-00000002</ns2:RefundNumber>\
         <ns2:ReviewDate__c>2026-03-04</ns2:ReviewDate__c>",
        "<ns2:isUrgent__c>false</ns2:isUrgent__c>",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
    let older = query_at(&gateway, "68.0", &session, "select ReviewDate__c from Refund");
    assert_eq!(older.texts("ReviewDate__c"), ["2026-03-04T00:00:00.000-08:00"]);
    for (condition, found) in [
        ("CaseNumber__c = 'c-2'", "2"),
        ("CaseNumber__c like 'C-%'", "1 2 3"),
        ("Goodwill__c > 9.5", "1"),
        ("Goodwill__c = '9.00'", "2"),
        ("isUrgent__c = true", "1"),
        ("isUrgent__c = null", "2"),
        ("ReviewDate__c >= '2026-03-04'", "2"),
        ("ReviewDate__c != null and goodwill__c < 10", "2"),
    ] {
        let zoql = format!("select RefundNumber from Refund where {condition}");
        let answer = query_at(&gateway, "91.0", &session, &zoql);
        let numbers: Vec<String> = answer
            .texts("RefundNumber")
            .iter()
            .map(|number| number.trim_start_matches("R-0000000").to_owned())
            .collect();
        assert_eq!(numbers.join(" "), found, "{condition}\n{answer}");
    }
    let unknown = query_at(&gateway, "91.0", &session, "select Other__c from Refund");
    assert_eq!(unknown.texts("FaultMessage"), ["invalid field for query: Refund.other__c"]);
    let wrong = "select Id from Refund where Goodwill__c = 'much'";
    let wrong = query_at(&gateway, "91.0", &session, wrong);
    assert_eq!(wrong.texts("FaultMessage"), ["Invalid value for field Goodwill__c: much"]);
}

#[test]
fn what_is_wrong_with_a_value_is_told() {
    let gateway = TestGateway::seeded(SEED, &[]);
    let session = gateway.login();
    let case = ("CaseNumber__c", "c-1");
    for (fields, code, text) in [
        (vec![], "MISSING_REQUIRED_VALUE", "Missing required value: CaseNumber__c"),
        (
            vec![("CaseNumber__c", "123456789")],
            "INVALID_VALUE",
            "The length of field value is too big.",
        ),
        (
            vec![case, ("Goodwill__c", "1e3")],
            "INVALID_VALUE",
            "Invalid value for field Goodwill__c: 1e3",
        ),
        (vec![case, case], "INVALID_VALUE", "Invalid value for field CaseNumber__c: c-1"),
        (
            vec![case, ("ReviewDate__c", "2026-03-04T00:00:00")],
            "INVALID_VALUE",
            "Invalid value for field ReviewDate__c: 2026-03-04T00:00:00",
        ),
        (
            vec![case, ("Channel__c", "shop")],
            "INVALID_VALUE",
            "Invalid value for field Channel__c: shop",
        ),
    ] {
        let answer = gateway.create(&session, &[with(&fields)]);
        assert_eq!(
            (answer.texts("Code"), answer.texts("Message")),
            (vec![code.into()], vec![text.into()])
        );
    }
    let old = create_envelope(&session, &[with(&[case, ("ReviewDate__c", "2026-03-04T00:00:00")])]);
    assert_eq!(gateway.post("/apps/services/a/68.0", &old).successes(), 1);
}

/// "Cancel and refund credit balances": such refunds do not show advanced custom fields.
#[test]
fn a_required_advanced_field_blocks_refunds_of_credit_balances() {
    let seed = SEED.replace("advanced = true", "advanced = true\nrequired = true");
    let gateway = TestGateway::seeded(&seed, &[]);
    let session = gateway.login();
    let answer = gateway.create(&session, &[with(&[("CaseNumber__c", "c-1")])]);
    let expected = "Credit balance refunds are not available while the advanced custom field \
                    Channel__c is required.";
    assert_eq!(answer.texts("Message"), [expected]);
    assert_eq!(gateway.balance(EXTERNAL_ACCOUNT), "100.00");
}

#[test]
fn the_wsdl_that_is_served_has_them() {
    let gateway = TestGateway::seeded(SEED, &[]);
    let mut connection = gateway.connect();
    let request = "GET /apps/services/a/91.0?wsdl HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    connection.write(request.as_bytes());
    let wsdl = connection.read_answer().unwrap().text();
    let (_, refund) = wsdl.split_once("<complexType name=\"Refund\">").unwrap();
    let at = |name: &str| refund.find(&format!(" name=\"{name}\" ")).unwrap();
    let order = ["CancelledOn", "CaseNumber__c", "Channel__c", "Comment", "Gateway"];
    assert!(order.map(at).is_sorted(), "{refund}");
    assert!(at("GatewayState") < at("Goodwill__c") && at("Goodwill__c") < at("isUrgent__c"));
}
