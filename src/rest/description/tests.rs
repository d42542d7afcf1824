//! Holds openapi.json to the code, both ways: what is described is served, what is served is
//! described.
//!
//! Names and limits are tried, not compared: each value that a schema allows must be taken by the
//! draft that the operation reads, and each that it forbids be refused. Names that a draft might
//! take are all words in quotes of the files that read bodies.

use super::{DOCUMENT, answer};
use crate::catalogue::Object;
use crate::catalogue::field::{Field, Kind};
use crate::domain::custom_field::CustomFields;
use crate::domain::draft::batch::{IDS_MAX, OBJECTS_MAX};
use crate::domain::draft::credit_memo::{MEMBERS_MAX, Step, StepDraft};
use crate::domain::draft::refund_details::RATES_MAX;
use crate::domain::draft::settlement_refunds::{ITEMS_MAX, PaymentRefundDraft};
use crate::domain::reconciliation::Rejected;
use crate::domain::row_error::RowError;
use crate::json::{Json, JsonLimits, read};
use crate::rest::body::Body;
use crate::rest::paths::PATHS;
use crate::rest::v1::{bodies, refund_bodies};
use crate::rest::version::ZuoraVersion;
use std::collections::BTreeSet;
use std::fmt::Debug;

fn document() -> Json {
    let limits = JsonLimits { depth_max: 64, values_max: 1_000_000 };
    read(DOCUMENT.as_bytes(), &limits).expect("JSON")
}

fn members(json: &Json) -> impl Iterator<Item = (&str, &Json)> {
    json.members().unwrap_or_default().iter().map(|member| (&*member.name, &member.value))
}

/// The member of this name, which is there.
fn member<'j>(json: &'j Json, name: &str) -> &'j Json {
    json.get(name).unwrap_or_else(|| panic!("no {name}"))
}

/// What a reference leads to; the value itself where it is none.
fn resolved<'j>(document: &'j Json, json: &'j Json) -> &'j Json {
    let Some(path) = json.get("$ref").and_then(Json::text) else { return json };
    let path = path.strip_prefix("#/").unwrap_or_else(|| panic!("{path}"));
    path.split('/').fold(document, member)
}

fn schema<'j>(document: &'j Json, name: &str) -> &'j Json {
    member(member(member(document, "components"), "schemas"), name)
}

fn number(json: &Json, name: &str) -> Option<usize> {
    match json.get(name)? {
        Json::Number(digits) => digits.parse().ok(),
        other => panic!("{name}: {other:?}"),
    }
}

fn texts(json: &Json, name: &str) -> Vec<String> {
    let items = json.get(name).and_then(Json::items).unwrap_or_default();
    items.iter().filter_map(Json::text).map(str::to_owned).collect()
}

#[test]
fn every_operation_is_described_and_no_other() {
    let document = document();
    let mut described = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for (path, operations) in members(member(&document, "paths")) {
        for (method, operation) in members(operations) {
            let parts: Vec<&str> = path.split('/').collect();
            let is_key = |part: &&str| part.starts_with('{');
            let keys: Vec<&str> = parts.iter().copied().filter(is_key).collect();
            let declared = list(operation, "parameters")
                .iter()
                .filter_map(|one| one.get("name").and_then(Json::text));
            let declared: Vec<String> = declared.map(|name| format!("{{{name}}}")).collect();
            assert!(keys.iter().all(|key| declared.iter().any(|name| name == key)), "{path}");
            let template = parts.iter().map(|part| if is_key(part) { "{}" } else { part });
            let template = template.collect::<Vec<_>>().join("/");
            described.insert((method.to_uppercase(), template));
            let id = operation.get("operationId").and_then(Json::text).expect("an id");
            assert!(ids.insert(id.to_owned()), "{id} is there twice");
        }
    }
    let served = PATHS.iter().map(|(method, path, _)| (method.name().to_owned(), (*path).into()));
    assert_eq!(described, served.collect::<BTreeSet<(String, String)>>());
}

/// The values of the array of this name; none where there is none.
fn list<'j>(json: &'j Json, name: &str) -> &'j [Json] {
    json.get(name).and_then(Json::items).unwrap_or_default()
}

#[test]
fn every_reference_leads_somewhere_and_every_part_is_referred_to() {
    fn walk(document: &Json, json: &Json, seen: &mut BTreeSet<String>) {
        if let Some(path) = json.get("$ref").and_then(Json::text) {
            resolved(document, json);
            seen.insert(path.to_owned());
        }
        members(json).for_each(|(_, value)| walk(document, value, seen));
        json.items().unwrap_or_default().iter().for_each(|value| walk(document, value, seen));
    }
    let document = document();
    let mut seen = BTreeSet::new();
    walk(&document, &document, &mut seen);
    for (kind, parts) in members(member(&document, "components")) {
        for (name, _) in members(parts).filter(|_| kind != "securitySchemes") {
            assert!(seen.contains(&format!("#/components/{kind}/{name}")), "{kind}/{name}");
        }
    }
}

#[test]
fn the_address_is_that_by_which_the_caller_came() {
    let body = answer("https://gateway.example:8443").body;
    let limits = JsonLimits { depth_max: 64, values_max: 1_000_000 };
    let document = read(&body, &limits).unwrap();
    let servers = list(&document, "servers");
    let urls: Vec<_> = servers.iter().map(|server| member(server, "url").text().unwrap()).collect();
    assert_eq!(urls, ["https://gateway.example:8443", "https://gateway.example:8443/rest"]);
    assert!(!String::from_utf8_lossy(&body).contains(super::SERVER));
}

/// Reads a body as an operation does: the draft as text, or why it is none.
type Reader = fn(Body<'_>) -> Result<String, RowError>;

fn reported<D: Debug>(draft: Result<D, RowError>) -> Result<String, RowError> {
    draft.map(|draft| format!("{draft:?}"))
}

const REQUESTS: [(&str, Reader); 10] = [
    ("RefundCreditMemoRequest", |body| {
        reported(refund_bodies::memo_refund(body, "CM00000001", ZuoraVersion::newest()))
    }),
    ("RefundPaymentRequest", |body| {
        let draft = PaymentRefundDraft::of("P-00000001");
        reported(refund_bodies::payment_refund(body, draft, ZuoraVersion::newest()))
    }),
    ("UnapplyAndRefundPaymentRequest", |body| {
        let draft = PaymentRefundDraft::unapplying("P-00000001");
        reported(refund_bodies::payment_refund(body, draft, ZuoraVersion::newest()))
    }),
    ("UpdateRefundRequest", |body| reported(bodies::refund_update(body, "R-00000001"))),
    ("ReconcileRefundRequest", |body| {
        reported(bodies::settlement(body, "R-00000001", Rejected::default()))
    }),
    ("CreateCreditMemoRequest", |body| reported(bodies::credit_memo(body))),
    ("CreatePaymentRequest", |body| reported(bodies::payment(body))),
    ("PostCreditMemoRequest", |body| {
        reported(bodies::step(body, StepDraft::of("CM1", Step::Post)))
    }),
    ("ApplyRequest", |body| {
        reported(bodies::step(body, StepDraft::of("CM1", Step::Apply(Vec::new()))))
    }),
    ("UnapplyRequest", |body| {
        reported(bodies::step(body, StepDraft::of("CM1", Step::Unapply(Vec::new()))))
    }),
];

/// Whether the operation takes a document. Values that are wrong are kept in its draft.
fn takes(reader: Reader, document: &str) -> bool {
    let json = read(document.as_bytes(), &JsonLimits::default()).expect(document);
    let own = CustomFields::default();
    reader(Body { json: &json, own: &own }).is_ok_and(|draft| !draft.contains("Wrong("))
}

/// Words that might be names of fields, or values: all that stand in quotes where bodies are read.
fn words() -> BTreeSet<String> {
    let sources = [
        include_str!("../v1/bodies.rs"),
        include_str!("../v1/refund_bodies.rs"),
        include_str!("../error.rs"),
        include_str!("../../domain/draft/credit_memo.rs"),
        include_str!("../../domain/draft/refund_details.rs"),
        include_str!("../../domain/draft/settlement_payment.rs"),
        include_str!("../../domain/draft/settlement_refunds.rs"),
        include_str!("../../catalogue/vocabulary.rs"),
    ];
    let words =
        sources.iter().flat_map(|source| source.split('"')).flat_map(|text| text.split('.'));
    let is_word = |word: &&str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    words.filter(is_word).map(str::to_owned).collect()
}

#[test]
fn a_body_has_exactly_the_fields_that_its_operation_takes() {
    let (document, words) = (document(), words());
    assert!(words.contains("customFxRate") && words.contains("PaymentReversal"));
    for (name, reader) in REQUESTS {
        let whole = Part { document: &document, words: &words, reader, path: name.to_owned() };
        whole.check(schema(&document, name), &|inner| inner.to_owned());
    }
}

/// A part of a body, and the way to it.
struct Part<'p> {
    document: &'p Json,
    words: &'p BTreeSet<String>,
    reader: Reader,
    path: String,
}

/// Puts a value where a part of a body stands.
type Wrap<'w> = &'w dyn Fn(&str) -> String;

impl Part<'_> {
    fn at(&self, name: &str) -> Self {
        let path = format!("{}.{name}", self.path);
        Part { document: self.document, words: self.words, reader: self.reader, path }
    }

    /// That values of the place are taken, or refused.
    fn expect(&self, wrap: Wrap<'_>, value: &str, is_taken: bool) {
        let shown: String = value.chars().take(60).collect();
        assert_eq!(takes(self.reader, &wrap(value)), is_taken, "{}: {shown}", self.path);
    }

    /// An object: its names are those that are taken, and each has values as it should.
    fn check(&self, schema: &Json, wrap: Wrap<'_>) {
        let properties = member(schema, "properties");
        assert_eq!(schema.get("additionalProperties"), Some(&Json::Bool(false)), "{}", self.path);
        for word in self.words {
            let is_there = properties.get(word).is_some();
            self.expect(wrap, &format!("{{\"{word}\":null}}"), is_there);
        }
        for (name, property) in members(properties) {
            let wrap = |value: &str| wrap(&format!("{{\"{name}\":{value}}}"));
            self.at(name).check_value(resolved(self.document, property), &wrap);
        }
    }

    fn check_value(&self, schema: &Json, wrap: Wrap<'_>) {
        if number(schema, "maxItems") == Some(0) {
            self.expect(wrap, "[]", true);
            return ["[{}]", "{}", "1"].into_iter().for_each(|bad| self.expect(wrap, bad, false));
        }
        if let Some(items) = schema.get("items") {
            let wrap = |value: &str| wrap(&format!("[{value}]"));
            return self.check(resolved(self.document, items), &wrap);
        }
        if schema.get("properties").is_some() {
            return self.check(schema, wrap);
        }
        if schema.get("additionalProperties").is_some() {
            return self.check_map(schema, wrap);
        }
        let values = texts(schema, "enum");
        if !values.is_empty() {
            values.iter().for_each(|value| self.expect(wrap, &format!("\"{value}\""), true));
            for word in self.words.iter().filter(|word| !values.contains(word)) {
                self.expect(wrap, &format!("\"{word}\""), false);
            }
            return;
        }
        self.check_scalar(schema, wrap);
    }

    fn check_scalar(&self, schema: &Json, wrap: Wrap<'_>) {
        let mut types = texts(schema, "type");
        types.extend(schema.get("type").and_then(Json::text).map(str::to_owned));
        let has = |name: &str| types.iter().any(|one| one == name);
        if has("number") {
            assert!(schema.get("exclusiveMinimum").is_some() && has("string"), "{}", self.path);
            ["1", "0.5", "\"10.25\"", "1e2"]
                .into_iter()
                .for_each(|good| self.expect(wrap, good, true));
            ["0", "-1", "\"-1\"", "\"x\"", "true", "1e400"]
                .into_iter()
                .for_each(|bad| self.expect(wrap, bad, false));
        } else if has("boolean") {
            ["true", "false"].into_iter().for_each(|good| self.expect(wrap, good, true));
            ["\"true\"", "1", "[]"].into_iter().for_each(|bad| self.expect(wrap, bad, false));
        } else if let Some(most) = number(schema, "maxLength") {
            self.expect(wrap, &format!("\"{}\"", "é".repeat(most)), true);
            self.expect(wrap, &format!("\"{}\"", "é".repeat(most + 1)), false);
            ["1", "true", "{}"].into_iter().for_each(|bad| self.expect(wrap, bad, false));
        } else if schema.get("format").and_then(Json::text) == Some("date") {
            self.expect(wrap, "\"2026-02-28\"", true);
            ["\"2026-02-30\"", "\"28.2.2026\"", "1"]
                .into_iter()
                .for_each(|bad| self.expect(wrap, bad, false));
        } else if let Some(pattern) = schema.get("pattern").and_then(Json::text) {
            let is_id = pattern.contains("{32}");
            let good = if is_id { "a".repeat(32) } else { "EUR".to_owned() };
            self.expect(wrap, &format!("\"{good}\""), true);
            self.expect(wrap, &format!("\"{}\"", &good[1..]), false);
        } else {
            assert!(self.path.ends_with(".actionDate"), "{} has no limit", self.path);
        }
    }

    /// An object whose names are the caller's.
    fn check_map(&self, schema: &Json, wrap: Wrap<'_>) {
        let most = number(schema, "maxProperties").expect("a limit");
        let of = |count: usize| {
            let all: Vec<String> = (0..count).map(|name| format!("\"n{name}\":\"v\"")).collect();
            format!("{{{}}}", all.join(","))
        };
        self.expect(wrap, &of(most), true);
        self.expect(wrap, &of(most + 1), false);
        let chars = number(member(schema, "additionalProperties"), "maxLength").expect("a limit");
        self.expect(wrap, &format!("{{\"n\":\"{}\"}}", "v".repeat(chars)), true);
        self.expect(wrap, &format!("{{\"n\":\"{}\"}}", "v".repeat(chars + 1)), false);
        ["{\"n\":1}", "{\"n\":true}"].into_iter().for_each(|good| self.expect(wrap, good, true));
    }
}

#[test]
fn lists_have_the_limits_of_the_rules() {
    let document = document();
    for (name, property, most) in [
        ("RefundCreditMemoRequest", Some("items"), ITEMS_MAX),
        ("CustomRates", None, RATES_MAX),
        ("InvoiceShares", None, MEMBERS_MAX),
        ("CreditMemoItems", None, MEMBERS_MAX),
        ("ActionObjects", Some("objects"), OBJECTS_MAX),
        ("ActionIds", Some("ids"), IDS_MAX),
    ] {
        let schema = schema(&document, name);
        let list = property.map_or(schema, |name| member(member(schema, "properties"), name));
        assert_eq!(number(list, "maxItems"), Some(most), "{name}");
    }
}

/// What a schema says of a field that the catalogue knows.
fn is_as_in_the_catalogue(property: &Json, field: &Field) -> bool {
    if !field.values.is_empty() {
        let mut values = texts(property, "enum");
        values.retain(|value| !value.is_empty());
        return values == field.values;
    }
    let (shortest, longest) = field.range;
    let is_text = field.kind == Kind::Text && field.chars_max < usize::from(u16::MAX);
    match number(property, "maxLength") {
        Some(most) => most == field.chars_max,
        None if property.get("minimum").is_some() => {
            let bound = |name| number(property, name).and_then(|value| i64::try_from(value).ok());
            (bound("minimum"), bound("maximum")) == (Some(shortest), Some(longest))
        }
        None => !is_text || field.chars_max >= 65_535,
    }
}

#[test]
fn objects_have_the_fields_of_the_catalogue() {
    let document = document();
    let names = |name: &str| -> BTreeSet<String> {
        let properties = member(schema(&document, name), "properties");
        members(properties).map(|(name, _)| name.to_owned()).collect()
    };
    for object in [
        Object::Refund,
        Object::CreditBalanceAdjustment,
        Object::Account,
        Object::Payment,
        Object::RefundInvoicePayment,
        Object::RefundTransactionLog,
    ] {
        let of = |is_one: fn(&Field) -> bool, more: &str| -> BTreeSet<String> {
            let fields = object.fields().iter().filter(|field| is_one(field));
            let own = fields.map(|field| field.name.to_owned());
            own.chain((!more.is_empty()).then(|| more.to_owned())).collect()
        };
        let is_read = |field: &Field| field.is_queried && !matches!(field.kind, Kind::Parts(_));
        let name = object.name();
        assert_eq!(names(&format!("{name}Object")), of(is_read, "Id"), "{name}");
        if matches!(object, Object::RefundInvoicePayment | Object::RefundTransactionLog) {
            continue;
        }
        let (create, update) = (format!("Create{name}Object"), format!("Update{name}Object"));
        assert_eq!(names(&create), of(|field| field.is_created, ""), "{create}");
        assert_eq!(names(&update), of(|field| field.is_updated, "fieldsToNull"), "{update}");
        for written in [create, update] {
            let properties = member(schema(&document, &written), "properties");
            for field in object.fields() {
                let property = properties.get(field.name);
                let is_right = property.is_none_or(|one| is_as_in_the_catalogue(one, field));
                assert!(is_right, "{written}.{}", field.name);
            }
        }
    }
}
