//! Fields of the tenant's own, from the seed to the WSDL, create and query of the built program.

use crate::gateway::{
    ENDPOINT, EXTERNAL_ACCOUNT, TestGateway, create_envelope, envelope, refund, session_header,
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
    assert_eq!(older.texts("ReviewDate__c"), ["2026-03-04T00:00:00.000"]);
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

const INVOICE: &str = "402892c72b9e3319012b9e34b88e0101";

/// Beside [`SEED`], an invoice, and for each object but Refund a required text and a decimal.
fn stage(args: &[&str]) -> TestGateway {
    let mut seed = SEED.replace(
        "password = \"demo\"",
        "password = \"demo\"\npermissions = [\"credit-balance-external-refund\", \
         \"credit-balance-adjustment\"]",
    );
    seed.push_str(&format!(
        "[[invoice]]\nid = \"{INVOICE}\"\nnumber = \"INV00000001\"\n\
         account = \"{EXTERNAL_ACCOUNT}\"\ndate = \"2026-01-02\"\namount = \"100.00\"\n\
         balance = \"100.00\"\n"
    ));
    for object in
        ["Account", "CreditBalanceAdjustment", "InvoicePayment", "Payment", "PaymentMethod"]
    {
        seed.push_str(&format!(
            "[[custom_field]]\nobject = \"{object}\"\nname = \"Tag__c\"\ntype = \"string\"\n\
             length = 4\nrequired = true\n[[custom_field]]\nobject = \"{object}\"\n\
             name = \"Sum__c\"\ntype = \"decimal\"\n"
        ));
    }
    TestGateway::seeded(&seed, args)
}

struct Client<'g> {
    gateway: &'g TestGateway,
    session: String,
}

impl Client<'_> {
    fn call(&self, operation: &str, kind: &str, fields: &[(&str, &str)]) -> Answer {
        let field = |(name, value): &(&str, &str)| format!("<obj:{name}>{value}</obj:{name}>");
        let fields: String = fields.iter().map(field).collect();
        let body = format!(
            "<api:{operation}><api:zObjects xsi:type=\"obj:{kind}\">{fields}</api:zObjects>\
             </api:{operation}>"
        );
        self.gateway.post(ENDPOINT, &envelope(&session_header(&self.session), &body))
    }

    /// The text of the error, and nothing for a success.
    fn reported(&self, operation: &str, kind: &str, fields: &[(&str, &str)]) -> String {
        let answer = self.call(operation, kind, fields);
        assert_eq!(answer.status, 200, "{answer}");
        answer.texts("Message").concat()
    }

    fn created(&self, kind: &str, fields: &[(&str, &str)]) -> String {
        let answer = self.call("create", kind, fields);
        answer.texts("Id").pop().unwrap_or_else(|| panic!("{kind} {fields:?}: {answer}"))
    }

    /// Tag__c and Sum__c, empty for what has no value.
    fn own(&self, kind: &str, id: &str) -> [String; 2] {
        let zoql = format!("select Tag__c, Sum__c from {kind} where Id = '{id}'");
        let answer = query_at(self.gateway, "91.0", &self.session, &zoql);
        ["Tag__c", "Sum__c"].map(|name| answer.texts(name).concat())
    }
}

/// What each object needs beside fields of the tenant's own, in an order in which they can be made.
fn stand<'a>(method: &'a str, payment: &'a str) -> [(&'a str, Vec<(&'a str, &'a str)>); 5] {
    [
        ("Account", vec![("Name", "One"), ("Currency", "USD")]),
        ("PaymentMethod", vec![("Type", "Check")]),
        (
            "Payment",
            vec![
                ("Type", "External"),
                ("Amount", "20"),
                ("AccountId", EXTERNAL_ACCOUNT),
                ("PaymentMethodId", method),
            ],
        ),
        ("InvoicePayment", vec![("Amount", "5"), ("InvoiceId", INVOICE), ("PaymentId", payment)]),
        (
            "CreditBalanceAdjustment",
            vec![("Type", "Increase"), ("Amount", "5"), ("SourceTransactionId", payment)],
        ),
    ]
}

#[test]
fn every_object_that_is_created_has_its_own_fields() {
    let gateway = stage(&[]);
    let client = Client { session: gateway.login(), gateway: &gateway };
    let (tag, sum) = (("Tag__c", "one"), ("Sum__c", "012.50"));
    let method = client.created("PaymentMethod", &[("Type", "Check"), tag]);
    let [_, _, (_, payment), ..] = stand(&method, "");
    let payment = client.created("Payment", &[&payment[..], &[tag]].concat());
    for (kind, fields) in stand(&method, &payment) {
        let with = |own: &[(&'static str, &'static str)]| [&fields[..], own].concat();
        for (own, text) in [
            (&[][..], "Missing required value: Tag__c"),
            (&[sum, ("Tag__c", " ")], "Missing required value: Tag__c"),
            (&[("Tag__c", "12345")], "The length of field value is too big."),
            (&[tag, ("Sum__c", "1e3")], "Invalid value for field Sum__c: 1e3"),
            (&[tag, tag], "Invalid value for field Tag__c: one"),
            (&[tag, ("Sum__c", "1<obj:x/>")], "Invalid value for field Sum__c: 1"),
        ] {
            assert_eq!(client.reported("create", kind, &with(own)), text, "{kind} {own:?}");
        }
        // A field of the object itself that is missing comes first.
        let bare = client.reported("create", kind, &[("Sum__c", "x")]);
        assert!(bare.starts_with("Missing required value: ") && !bare.contains("__c"), "{bare}");
        let id = client.created(kind, &with(&[tag, sum, ("Other__c", "x")]));
        assert_eq!(client.own(kind, &id), ["one", "12.5"], "{kind}");
    }
}

#[test]
fn an_update_changes_them_and_takes_away_what_is_not_required() {
    let gateway = stage(&[]);
    let client = Client { session: gateway.login(), gateway: &gateway };
    let (tag, sum) = (("Tag__c", "one"), ("Sum__c", "7"));
    let method = client.created("PaymentMethod", &[("Type", "Check"), tag]);
    let [_, _, (_, payment), ..] = stand(&method, "");
    let payment = client.created("Payment", &[&payment[..], &[tag]].concat());
    for (kind, fields) in stand(&method, &payment) {
        if kind == "InvoicePayment" {
            continue;
        }
        let id = client.created(kind, &[&fields[..], &[tag, sum]].concat());
        let update = |own: &[(&str, &str)]| {
            let reported = client.reported("update", kind, &[&[("Id", id.as_str())], own].concat());
            (reported, client.own(kind, &id).join(" "))
        };
        let wrong = |name: &str, value: &str| format!("Invalid value for field {name}: {value}");
        for (own, reported, stands) in [
            (&[("Tag__c", "two"), ("Sum__c", "")][..], String::new(), "two 7"),
            (&[("Sum__c", "-0.50")], String::new(), "two -0.5"),
            (&[("Tag__c", "x"), ("Sum__c", "y")], wrong("Sum__c", "y"), "two -0.5"),
            (&[("fieldsToNull", "Tag__c")], wrong("fieldsToNull", "Tag__c"), "two -0.5"),
            (
                &[("fieldsToNull", "Sum__c"), ("Sum__c", "1")],
                wrong("fieldsToNull", "Sum__c"),
                "two -0.5",
            ),
            (&[("fieldsToNull", "Other__c"), ("other__c", "1")], String::new(), "two -0.5"),
            (&[("fieldsToNull", "Sum__c"), ("Tag__c", "Tag")], String::new(), "Tag "),
            (&[("Sum__c", "3")], String::new(), "Tag 3"),
        ] {
            assert_eq!(update(own), (reported, stands.to_owned()), "{kind} {own:?}");
        }
    }
}

#[test]
fn an_update_of_a_refund_changes_its_own_fields() {
    let gateway = TestGateway::seeded(SEED, &[]);
    let client = Client { session: gateway.login(), gateway: &gateway };
    let created = gateway.create(&client.session, &[with(&[("CaseNumber__c", "c-1")])]);
    let id = created.texts("Id").concat();
    let update = |own: &[(&str, &str)]| {
        client.reported("update", "Refund", &[&[("Id", &*id)], own].concat())
    };
    assert_eq!(update(&[("CaseNumber__c", "c-2"), ("Goodwill__c", "1"), ("isUrgent__c", "1")]), "");
    assert_eq!(update(&[("fieldsToNull", "Goodwill__c"), ("ReviewDate__c", "2026-03-04")]), "");
    let zoql = "select CaseNumber__c, Goodwill__c, isUrgent__c, ReviewDate__c from Refund";
    let read = query_at(&gateway, "91.0", &client.session, zoql);
    let names = ["CaseNumber__c", "Goodwill__c", "isUrgent__c", "ReviewDate__c"];
    let values = names.map(|name| read.texts(name).concat());
    assert_eq!(values, ["c-2", "", "true", "2026-03-04"]);
    // It draws on a credit balance, so it shows no advanced field.
    let advanced = "Invalid value for field Channel__c: shop";
    assert_eq!(update(&[("Channel__c", "shop")]), advanced);
    let cleared = "Invalid value for field fieldsToNull: Channel__c";
    assert_eq!(update(&[("fieldsToNull", "Channel__c")]), cleared);
    let required = "Invalid value for field fieldsToNull: CaseNumber__c";
    assert_eq!(update(&[("fieldsToNull", "CaseNumber__c")]), required);
}

#[test]
fn where_it_is_strict_a_field_that_nobody_declared_is_an_error() {
    let gateway = stage(&["--strict"]);
    let client = Client { session: gateway.login(), gateway: &gateway };
    let method = [("Type", "Check"), ("Tag__c", "one")];
    let id = client.created("PaymentMethod", &method);
    let other = ("Other__c", "x");
    for answer in [
        client.call("create", "PaymentMethod", &[&method[..], &[other]].concat()),
        client.call("update", "PaymentMethod", &[("Id", &id), other]),
    ] {
        assert_eq!(answer.texts("Code"), ["INVALID_FIELD"], "{answer}");
        assert!(answer.texts("Message").concat().contains("Other__c"), "{answer}");
    }
}

/// A keyed call that differs in a field of the tenant's own is another call.
#[test]
fn own_fields_are_part_of_what_a_key_stands_for() {
    let gateway = stage(&[]);
    let session = gateway.login();
    let post = |tag: &str| {
        let body = format!(
            "<api:create><api:zObjects xsi:type=\"obj:PaymentMethod\"><obj:Type>Check</obj:Type>\
             <obj:Tag__c>{tag}</obj:Tag__c></api:zObjects></api:create>"
        );
        let headers = [("Content-Type", "text/xml"), ("Idempotency-Key", "k")];
        let envelope = envelope(&session_header(&session), &body);
        gateway.connect().send("POST", ENDPOINT, &headers, envelope.as_bytes())
    };
    assert_eq!(post("one").successes(), 1);
    assert_eq!(post("one").header("idempotent-replayed"), Some("true"));
    let other = post("two");
    assert_eq!((other.status, other.successes()), (422, 0), "{other}");
}
