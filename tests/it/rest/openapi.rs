//! Answers are what `/openapi.json` says: their status, their members in the order of the schema,
//! and what their values are.

use super::client::{ACCOUNT, CLIENT, Client, MEMO, METHOD, PAYMENT, SECRET, token};
use crate::gateway::TestGateway;
use crate::wire::Answer;
use refund_gateway::json::{Json, JsonLimits, read};
use serde_json::json;
use std::cell::RefCell;
use std::collections::BTreeSet;

fn ordered(bytes: &[u8]) -> Json {
    let limits = JsonLimits { depth_max: 64, values_max: 1_000_000 };
    read(bytes, &limits).unwrap_or_else(|error| panic!("{error}"))
}

fn texts<'j>(schema: &'j Json, name: &str) -> Vec<&'j str> {
    match schema.get(name) {
        Some(Json::Text(text)) => vec![text],
        Some(Json::List(items)) => items.iter().filter_map(Json::text).collect(),
        _ => Vec::new(),
    }
}

/// The description that a gateway gives of itself, and which of its schemas were met.
struct Description {
    document: Json,
    met: RefCell<BTreeSet<String>>,
}

impl Description {
    fn of(gateway: &TestGateway) -> Self {
        let answer = gateway.connect().send("GET", "/openapi.json", &[], b"");
        assert_eq!(answer.status, 200, "{answer}");
        assert_eq!(answer.header("content-type"), Some("application/json;charset=utf-8"));
        Self { document: ordered(&answer.body), met: RefCell::default() }
    }

    fn at(&self, path: &[&str]) -> &Json {
        path.iter().fold(&self.document, |json, name| {
            json.get(name).unwrap_or_else(|| panic!("no {name} in {path:?}"))
        })
    }

    fn resolved<'d>(&'d self, json: &'d Json) -> &'d Json {
        let Some(path) = json.get("$ref").and_then(Json::text) else { return json };
        let path: Vec<&str> = path.split('/').skip(1).collect();
        self.at(&path)
    }

    /// That an answer to an operation is one that is described.
    fn check(&self, method: &str, template: &str, answer: &Answer) {
        let method = method.to_lowercase();
        let responses = self.at(&["paths", template, &method, "responses"]);
        let described = responses.get(&answer.status.to_string());
        let described = described.unwrap_or_else(|| panic!("{method} {template}: {answer}"));
        let content = self.resolved(described).get("content");
        let content = content.and_then(|one| one.get("application/json")).expect("JSON");
        let schema = content.get("schema").expect("a schema");
        let wrong = self.mismatch(schema, &ordered(&answer.body), "");
        assert_eq!(wrong, None, "{method} {template}: {answer}");
    }

    /// Where a value is not as its schema says.
    fn mismatch(&self, schema: &Json, value: &Json, path: &str) -> Option<String> {
        if let Some(options) = schema.get("anyOf").and_then(Json::items) {
            let all: Option<Vec<String>> =
                options.iter().map(|option| self.mismatch(option, value, path)).collect();
            return all.map(|all| all.join(", or "));
        }
        if schema.get("$ref").is_some() {
            let found = self.mismatch(self.resolved(schema), value, path);
            let name = texts(schema, "$ref")[0].rsplit('/').next().unwrap_or_default();
            if found.is_none() {
                self.met.borrow_mut().insert(name.to_owned());
            }
            return found.map(|why| format!("{name}: {why}"));
        }
        let kinds = texts(schema, "type");
        let is_integer = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
        let fits = |kind: &&str| match value {
            Json::Number(digits) => *kind == "number" || *kind == "integer" && is_integer(digits),
            other => *kind == other.kind().name(),
        };
        if !kinds.is_empty() && !kinds.iter().any(fits) {
            return Some(format!("{path} is {value:?} and not {kinds:?}"));
        }
        let values = schema.get("enum").and_then(Json::items).unwrap_or_default();
        if !values.is_empty() && !values.contains(value) {
            return Some(format!("{path} is {value:?}"));
        }
        if schema.get("const").is_some_and(|only| only != value) {
            return Some(format!("{path} is {value:?}"));
        }
        if let (Some(items), Some(all)) = (schema.get("items"), value.items()) {
            return all.iter().find_map(|one| self.mismatch(items, one, &format!("{path}[]")));
        }
        value.members().and_then(|_| self.object(schema, value, path))
    }

    /// Where the members of an object are not as its schema says, or stand in another order.
    fn object(&self, schema: &Json, value: &Json, path: &str) -> Option<String> {
        let properties = schema.get("properties").and_then(Json::members).unwrap_or_default();
        let missing = |name: &&str| value.get(name).is_none();
        if let Some(name) = texts(schema, "required").into_iter().find(missing) {
            return Some(format!("{path}.{name} is missing"));
        }
        let is_closed = schema.get("additionalProperties") == Some(&Json::Bool(false));
        let mut last = 0;
        for member in value.members().unwrap_or_default() {
            let name = &member.name;
            let place = properties.iter().position(|known| known.name == *name);
            let Some(place) = place else {
                if is_closed && !name.ends_with("__c") {
                    return Some(format!("{path}.{name} is not described"));
                }
                continue;
            };
            if place < last {
                return Some(format!("{path}.{name} comes too late"));
            }
            last = place;
            let schema = &properties[place].value;
            let wrong = self.mismatch(schema, &member.value, &format!("{path}.{name}"));
            if wrong.is_some() {
                return wrong;
            }
        }
        None
    }
}

/// Calls with their answers held to the description.
struct Checked<'g> {
    client: Client<'g>,
    described: Description,
}

impl Checked<'_> {
    fn call(&self, method: &str, template: &str, keys: &[&str], body: &str) -> serde_json::Value {
        let mut keys = keys.iter();
        let concrete = template.split('/').map(|segment| match segment.starts_with('{') {
            true => *keys.next().expect("a key"),
            false => segment,
        });
        let path = concrete.collect::<Vec<_>>().join("/");
        let query: Vec<&str> = keys.copied().collect();
        let answer = self.client.send(method, &format!("{path}{}", query.concat()), &[], body);
        self.described.check(method, template, &answer);
        super::client::json(&answer)
    }

    fn post(&self, template: &str, keys: &[&str], body: &serde_json::Value) -> serde_json::Value {
        self.call("POST", template, keys, &body.to_string())
    }

    fn get(&self, template: &str, keys: &[&str]) -> serde_json::Value {
        self.call("GET", template, keys, "")
    }
}

fn text<'j>(json: &'j serde_json::Value, name: &str) -> &'j str {
    json[name].as_str().unwrap_or_else(|| panic!("no {name} in {json}"))
}

const REFUND: &str = "/v1/refunds/{refundKey}";
const PARTS: &str = "/v1/refunds/{refundKey}/parts";

/// Credit memos, and what is refunded of them.
fn memos(calls: &Checked<'_>) {
    let body = json!({"accountId": ACCOUNT, "items": [{"amount": "20.00", "skuName": "Lamp",
        "taxItems": [{"amount": 3.8, "name": "VAT"}]}, {"amount": 5}]});
    let memo = calls.post("/v1/credit-memos", &[], &body);
    let key = text(&memo, "number");
    calls.call("PUT", "/v1/credit-memos/{creditMemoKey}/post", &[key], "");
    calls.get("/v1/credit-memos/{creditMemoKey}", &[key]);
    calls.get("/v1/credit-memos", &["?pageSize=1"]);
    let items = calls.get("/v1/credit-memos/{creditMemoKey}/items", &[key]);
    let (lamp, vat) = items["items"]
        .as_array()
        .expect("items")
        .iter()
        .find_map(|item| {
            let vat = item["taxationItems"]["data"].get(0)?;
            Some((text(item, "id").to_owned(), text(vat, "id").to_owned()))
        })
        .expect("an item with a tax");
    let body = json!({"type": "External", "methodType": "Check", "totalAmount": 2,
        "SyncDate__NS": "2026-01-01", "financeInformation": {"bankAccountAccountingCode": "B"},
        "items": [{"amount": 1, "creditMemoItemId": lamp}, {"amount": 1, "creditTaxItemId": vat}]});
    let refund = calls.post("/v1/credit-memos/{creditMemoKey}/refund", &[key], &body);
    let id = text(&refund, "id");
    let part = calls.get(PARTS, &[id])["parts"][0].clone();
    let part = text(&part, "id");
    calls.get(&format!("{PARTS}/{{refundPartId}}"), &[id, part]);
    for segment in ["item-parts", "itemparts"] {
        let template = format!("{PARTS}/{{refundPartId}}/{segment}");
        let items = calls.get(&template, &[id, part]);
        let item = text(&items["itemParts"][0], "id").to_owned();
        calls.get(&format!("{template}/{{refundItemPartId}}"), &[id, part, &item]);
    }
    let older = "/v1/creditmemos/{creditMemoKey}/refunds";
    let electronic = json!({"type": "Electronic", "totalAmount": 1, "paymentMethodId": METHOD});
    calls.post(older, &[MEMO], &electronic);
    calls.post(older, &["CM99999999"], &electronic);
    calls.post(older, &[MEMO], &json!({"nonsense": 1}));
}

/// Payments, what is refunded of them, and the life of a refund.
fn payments(calls: &Checked<'_>) {
    let body = json!({"accountId": ACCOUNT, "amount": 30, "currency": "USD", "type": "External",
        "paymentMethodType": "Check", "effectiveDate": "2026-01-02"});
    let payment = calls.post("/v1/payments", &[], &body);
    calls.get("/v1/payments/{paymentKey}", &[text(&payment, "id")]);
    calls.get("/v1/payments", &["?pageSize=1"]);
    let refunds = "/v1/payments/{paymentKey}/refunds";
    let sample = calls.post(refunds, &[PAYMENT], &json!({"type": "Electronic", "totalAmount": 10}));
    let body = json!({"type": "External", "methodType": "Cash", "totalAmount": 1});
    let external = calls.post(refunds, &[PAYMENT], &body);
    calls.post(&format!("{refunds}/unapply"), &[PAYMENT], &body);
    let share = json!([{"invoiceNumber": "INV00000001", "amount": 2}]);
    let apply = json!({"invoices": share, "debitMemos": []}).to_string();
    calls.call("PUT", "/v1/payments/{paymentKey}/apply", &[PAYMENT], &apply);
    let body = json!({"type": "External", "methodType": "Cash", "totalAmount": 2,
        "invoices": share, "writeOff": true, "writeOffOptions": {"comment": "gone"}});
    calls.post(&format!("{refunds}/unapply"), &[PAYMENT], &body);
    calls.get("/v1/refunds", &["?pageSize=1&sort=-number"]);
    let key = text(&external, "id");
    calls.call("PUT", REFUND, &[key], &json!({"comment": "x"}).to_string());
    calls.call("DELETE", REFUND, &[key], "");
    calls.call("PUT", &format!("{REFUND}/cancel"), &[key], "");
    calls.call("DELETE", REFUND, &[key], "");
    calls.get(REFUND, &[key]);
    let settled = json!({"action": "settle", "payoutId": "P"});
    calls.post(&format!("{REFUND}/reconcile"), &[text(&sample, "number")], &settled);
}

/// The twins of the SOAP operations.
fn twins(calls: &Checked<'_>) {
    let refund = json!({"Type": "External", "MethodType": "Check", "SourceType": "Payment",
        "Amount": 1, "PaymentId": PAYMENT});
    let (all, one) = ("/v1/object/refund", "/v1/object/refund/{id}");
    let saved = calls.post(all, &[], &refund);
    let id = text(&saved, "Id");
    calls.post(all, &[], &json!({}));
    calls.post(all, &["?rejectUnknownFields=true"], &json!({"Nonsense": 1}));
    calls.get(one, &[id]);
    calls.get(one, &[&"0".repeat(32)]);
    calls.get("/v1/object/account/{id}", &[ACCOUNT]);
    calls.get("/v1/object/payment/{id}", &[PAYMENT]);
    calls.call("PUT", one, &[id], &json!({"Status": "Canceled"}).to_string());
    let rows = json!({"type": "Refund", "objects": [refund, {}]});
    let made = calls.post("/v1/action/create", &[], &rows);
    calls.post("/v1/action/create", &[], &json!({}));
    let zoql = "select Id, RefundId, Gateway from RefundTransactionLog";
    let found = calls.post("/v1/action/query", &[], &json!({"queryString": zoql}));
    let log = text(&found["records"][0], "Id").to_owned();
    calls.get("/v1/object/refund-transaction-log/{id}", &[&log]);
    calls.post("/v1/action/queryMore", &[], &json!({"queryLocator": "x"}));
    let canceled = json!({"Id": made[0]["Id"], "Status": "Canceled"});
    let rows = json!({"type": "Refund", "objects": [canceled]});
    calls.post("/v1/action/update", &[], &rows);
    let rows = json!({"type": "Refund", "ids": [made[0]["Id"], made[0]["Id"]]});
    calls.post("/v1/action/delete", &[], &rows);
    calls.call("DELETE", one, &[id], "");
}

/// The demo of Invoice Settlement with an invoice that asks for something.
fn with_invoice() -> String {
    let demo = include_str!("../../../src/service/seed/demo.toml");
    let settlement = include_str!("../../../src/service/seed/demo_settlement.toml");
    format!(
        "{demo}\n{settlement}\n[[invoice]]\nid = \"402892c72b9e3319012b9e34b88e0101\"\n\
         number = \"INV00000001\"\naccount = \"{ACCOUNT}\"\ndate = \"2026-01-02\"\n\
         amount = \"10.00\"\nbalance = \"10.00\"\n"
    )
}

#[test]
fn every_answer_is_as_it_is_described() {
    let gateway = TestGateway::seeded(&with_invoice(), &[]);
    let calls = Checked { client: Client::new(&gateway), described: Description::of(&gateway) };
    let form = "/oauth/token";
    calls.described.check("POST", form, &token(&gateway, CLIENT, SECRET));
    calls.described.check("POST", form, &token(&gateway, CLIENT, "wrong"));
    calls.post("/v1/connections", &[], &json!({}));
    let of_nobody = gateway.connect().send("GET", "/v1/object/account/1", &[], b"");
    calls.described.check("GET", "/v1/object/account/{id}", &of_nobody);
    memos(&calls);
    payments(&calls);
    twins(&calls);
    let met = calls.described.met.borrow();
    let schemas = calls.described.at(&["components", "schemas"]).members().expect("schemas");
    let is_request = |name: &str| {
        let of_body =
            ["Request", "Shares", "Rates", "Options", "MemoItems", "MethodType", "DebitMemos"];
        let is_twin = name.starts_with("Create") || name.starts_with("Update");
        is_twin
            || of_body.iter().any(|end| name.ends_with(end))
            || (name.starts_with("Action") && name != "ActionFault")
            || name == "FinanceInformation"
    };
    let of_invoices = ["RefundInvoicePaymentObject", "CreditBalanceAdjustmentObject"];
    let names = schemas.iter().map(|schema| &*schema.name).filter(|name| !is_request(name));
    let unmet = names.filter(|name| !met.contains(*name) && !of_invoices.contains(name));
    assert_eq!(unmet.collect::<Vec<_>>(), Vec::<&str>::new());
}
