//! The built gateway as a sequence meets it: one account, a connection, and what was made so far.

use super::model::{Door, Model, Operation, Shares, Source};
use crate::gateway::{ENDPOINT, envelope, session_header};
use crate::stored::Reader;
use crate::wire::{Answer, Connection};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};
use std::str::FromStr;

/// An id of the seed, of a kind of row of an account.
pub fn id(kind: char, account: u32, number: usize) -> String {
    format!("{kind}0000000000000000{account:08x}{number:07x}")
}

pub fn text(cents: i64) -> String {
    Decimal::new(cents, 2).to_string()
}

/// An amount in a document, in cents.
fn cents(value: &Value) -> i64 {
    let decimal = Decimal::from_str(&value.to_string()).unwrap_or_else(|_| panic!("{value}"));
    let cents = (decimal * Decimal::ONE_HUNDRED).normalize();
    assert!(cents.scale() == 0, "{value} has more than cents");
    i64::try_from(cents).unwrap()
}

/// How one amount is written: as a number, or as a text.
fn amount(cents: i64) -> Value {
    match cents % 2 {
        0 => serde_json::from_str(&text(cents)).unwrap(),
        _ => Value::String(text(cents)),
    }
}

/// What a call came to: done, with the document of the answer if it has one, or refused.
pub type Came = Result<Value, String>;

/// A connection to the gateway, a reader of its ledger, and one account.
pub struct Real<'a> {
    pub reader: &'a Reader,
    pub connection: Connection,
    /// A bearer token, and a session of SOAP.
    pub token: &'a str,
    pub session: &'a str,
    pub account: u32,
    pub payments: Vec<String>,
    /// Id and number.
    pub refunds: Vec<(String, String)>,
    /// How many keys were sent.
    pub keys: usize,
}

impl Real<'_> {
    /// Does what the operation says; `has_key` sends it under a key, twice.
    pub fn perform(&mut self, operation: &Operation, has_key: bool) -> Came {
        match operation {
            Operation::CreateMemo { item, tax, is_posted } => {
                let tax = tax.map_or_else(Vec::new, |tax| vec![json!({"amount": amount(tax)})]);
                let item = json!({"amount": amount(*item), "chargeName": "c", "taxItems": tax});
                let body = json!({"accountId": id('a', self.account, 0), "items": [item],
                                  "autoPost": is_posted});
                self.post("/v1/credit-memos", &body, has_key)
            }
            Operation::PostMemo { memo } => {
                let path = format!("/v1/credit-memos/{}/post", self.memo(*memo));
                self.call("PUT", &path, &Value::Null)
            }
            Operation::MoveMemo { memo, shares, is_apply } => {
                let step = if *is_apply { "apply" } else { "unapply" };
                let path = format!("/v1/credit-memos/{}/{step}", self.memo(*memo));
                let body = json!({"invoices": self.shares(shares)});
                self.call("PUT", &path, &body)
            }
            Operation::CreatePayment { amount: all, is_electronic, shares } => {
                let mut body = json!({"accountId": id('a', self.account, 0), "amount": amount(*all),
                    "currency": "USD", "effectiveDate": "2026-03-02"});
                if *is_electronic {
                    body["type"] = json!("Electronic");
                    body["paymentMethodId"] = json!(id('c', self.account, 0));
                } else {
                    body["type"] = json!("External");
                    body["paymentMethodType"] = json!("Check");
                }
                if !shares.is_empty() {
                    body["invoices"] = self.shares(shares);
                }
                let made = self.post("/v1/payments", &body, has_key)?;
                self.payments.push(made["id"].as_str().unwrap().to_owned());
                Ok(made)
            }
            Operation::MovePayment { payment, shares, is_apply } => {
                let step = if *is_apply { "apply" } else { "unapply" };
                let path = format!("/v1/payments/{}/{step}", self.payments[*payment]);
                let body = json!({"invoices": self.shares(shares)});
                self.call("PUT", &path, &body)
            }
            Operation::RefundParts { .. } => self.refund_parts(operation, has_key),
            Operation::RefundMemo { .. }
            | Operation::RefundPayment { .. }
            | Operation::UnapplyAndRefund { .. } => self.refund(operation, has_key),
            _ => self.with_refund(operation, has_key),
        }
    }

    /// Refunds by the v1 operations.
    fn refund(&mut self, operation: &Operation, has_key: bool) -> Came {
        let of_type = |is_electronic| match is_electronic {
            true => json!({"type": "Electronic"}),
            false => json!({"type": "External", "methodType": "Check"}),
        };
        let (path, body) = match operation {
            Operation::RefundMemo { memo, amount: all, is_electronic, lines } => {
                let mut body = of_type(*is_electronic);
                body["totalAmount"] = amount(*all);
                if *is_electronic {
                    body["paymentMethodId"] = json!(id('c', self.account, 0));
                }
                let memo = self.memo(*memo);
                if !lines.is_empty() {
                    let ids = self.lines(&memo);
                    let item = |(line, taken): &(usize, i64)| {
                        let name = ["creditMemoItemId", "creditTaxItemId"][usize::from(*line > 0)];
                        json!({name: ids[*line], "amount": amount(*taken)})
                    };
                    body["items"] = lines.iter().map(item).collect();
                }
                (format!("/v1/credit-memos/{memo}/refund"), body)
            }
            Operation::RefundPayment { payment, amount: all, is_electronic } => {
                let mut body = of_type(*is_electronic);
                body["totalAmount"] = amount(*all);
                (format!("/rest/v1/payments/{}/refunds", self.payments[*payment]), body)
            }
            Operation::UnapplyAndRefund { payment, terms, is_electronic } => {
                let mut body = of_type(*is_electronic);
                if let Some(all) = terms.amount {
                    body["totalAmount"] = amount(all);
                }
                if !terms.shares.is_empty() {
                    body["invoices"] = self.shares(&terms.shares);
                }
                if terms.writes_off {
                    body["writeOff"] = json!(true);
                }
                (format!("/v1/payments/{}/refunds/unapply", self.payments[*payment]), body)
            }
            _ => unreachable!("{operation:?}"),
        };
        let made = self.post(&path, &body, has_key)?;
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        self.refunds.push((text("id"), text("number")));
        Ok(made)
    }

    /// A refund of a payment and its parts by SOAP's create, or by one of its twins.
    fn refund_parts(&mut self, operation: &Operation, has_key: bool) -> Came {
        let Operation::RefundParts { payment, amount: all, is_electronic, parts, door } = operation
        else {
            unreachable!("{operation:?}")
        };
        let mut fields = Map::new();
        fields.insert("PaymentId".to_owned(), json!(self.payments[*payment]));
        fields.insert("Amount".to_owned(), json!(text(*all)));
        let refund_type = if *is_electronic { "Electronic" } else { "External" };
        fields.insert("Type".to_owned(), json!(refund_type));
        if !is_electronic {
            fields.insert("MethodType".to_owned(), json!("Check"));
        }
        if !parts.is_empty() {
            let part = |(invoice, taken): &(usize, i64)| {
                let invoice = id('b', self.account, *invoice);
                json!({"InvoiceId": invoice, "RefundAmount": text(*taken)})
            };
            let parts: Vec<Value> = parts.iter().map(part).collect();
            let data = json!({"RefundInvoicePayment": parts});
            fields.insert("RefundInvoicePaymentData".to_owned(), data);
        }
        let fields = Value::Object(fields);
        let made = match door {
            Door::Soap | Door::V1 => {
                let object = soap_object(&fields);
                self.soap("create", &object, has_key)?
            }
            Door::Object => self.post("/v1/object/refund", &fields, has_key)?,
            Door::Action => {
                let body = json!({"type": "Refund", "objects": [fields]});
                self.post("/v1/action/create", &body, has_key)?
            }
        };
        let made = made["Id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
        let number = refund_number(&made);
        self.refunds.push((made, number));
        Ok(Value::Null)
    }

    /// What is done to a refund that is there.
    fn with_refund(&mut self, operation: &Operation, has_key: bool) -> Came {
        let refund = match operation {
            Operation::Cancel { refund, .. }
            | Operation::Delete { refund, .. }
            | Operation::Update { refund, .. }
            | Operation::Reconcile { refund, .. }
            | Operation::Look { refund, .. } => *refund,
            _ => unreachable!("{operation:?}"),
        };
        let (id, number) = self.refunds[refund].clone();
        let object = format!("/v1/object/refund/{id}");
        let status = json!({"Id": id, "Status": "Canceled"});
        match operation {
            Operation::Cancel { door, .. } => match door {
                Door::V1 => self.call("PUT", &format!("/v1/refunds/{number}/cancel"), &json!({})),
                Door::Soap => self.soap("update", &soap_object(&status), false),
                Door::Object => self.call("PUT", &object, &json!({"Status": "Canceled"})),
                Door::Action => {
                    let body = json!({"type": "Refund", "objects": [status]});
                    self.call("POST", "/v1/action/update", &body)
                }
            },
            Operation::Delete { door, .. } => match door {
                Door::V1 => self.call("DELETE", &format!("/v1/refunds/{number}"), &Value::Null),
                Door::Soap => {
                    let ids = format!("<api:type>Refund</api:type><api:ids>{id}</api:ids>");
                    self.soap("delete", &ids, false)
                }
                Door::Object => self.call("DELETE", &object, &Value::Null),
                Door::Action => {
                    let body = json!({"type": "Refund", "ids": [id]});
                    self.call("POST", "/v1/action/delete", &body)
                }
            },
            Operation::Update { names_reference, .. } => {
                let mut body = json!({"comment": format!("of {number}")});
                if *names_reference {
                    body["referenceId"] = json!("r");
                }
                self.call("PUT", &format!("/v1/refunds/{number}"), &body)
            }
            Operation::Reconcile { is_settled, .. } => {
                let action = if *is_settled { "settle" } else { "reject" };
                let path = format!("/v1/refunds/{id}/reconcile");
                self.post(&path, &json!({"action": action, "payoutId": "p"}), has_key)
            }
            Operation::Look { door, .. } => self.look(*door, &id, &number),
            _ => unreachable!("{operation:?}"),
        }
    }

    fn look(&mut self, door: Door, id: &str, number: &str) -> Came {
        let zoql = format!("select Id, Status, Amount from Refund where Id = '{id}'");
        match door {
            Door::V1 => self.call("GET", &format!("/v1/refunds/{number}"), &Value::Null),
            Door::Object => self.call("GET", &format!("/v1/object/refund/{id}"), &Value::Null),
            Door::Action => {
                let page = self.call("POST", "/v1/action/query", &json!({"queryString": zoql}))?;
                let first = page["records"].get(0).cloned();
                first.ok_or_else(|| "not found".to_owned())
            }
            Door::Soap => {
                let query = format!("<api:queryString>{zoql}</api:queryString>");
                let answer = self.envelope("query", &query, None);
                match answer.texts("Status").pop() {
                    Some(status) => Ok(json!({"Status": status})),
                    None => Err("not found".to_owned()),
                }
            }
        }
    }

    fn shares(&self, shares: &Shares) -> Value {
        let share = |(invoice, cents): &(usize, i64)| match cents % 3 {
            0 => json!({"invoiceNumber": format!("INV-{}-{invoice}", self.account),
                        "amount": amount(*cents)}),
            _ => json!({"invoiceId": id('b', self.account, *invoice), "amount": amount(*cents)}),
        };
        shares.iter().map(share).collect()
    }

    /// Posts under a key twice, or once without one.
    fn post(&mut self, path: &str, body: &Value, has_key: bool) -> Came {
        if !has_key {
            return self.call("POST", path, body);
        }
        self.keys += 1;
        let key = format!("{}-{}", self.account, self.keys);
        let [first, second] = [(), ()].map(|()| self.rest("POST", path, body, Some(&key)));
        let came = came(path, &first);
        assert_eq!((first.status, first.text()), (second.status, second.text()), "{path}");
        let is_replayed = second.header("idempotent-replayed") == Some("true");
        assert!(is_replayed, "{path}: {second}");
        came
    }

    fn call(&mut self, method: &str, path: &str, body: &Value) -> Came {
        let answer = self.rest(method, path, body, None);
        came(path, &answer)
    }

    fn rest(&mut self, method: &str, path: &str, body: &Value, key: Option<&str>) -> Answer {
        let authorization = format!("Bearer {}", self.token);
        let mut headers = vec![("Authorization", authorization.as_str())];
        let body = if body.is_null() { String::new() } else { body.to_string() };
        if !body.is_empty() {
            headers.push(("Content-Type", "application/json"));
        }
        if let Some(key) = key {
            headers.push(("Idempotency-Key", key));
        }
        self.connection.send(method, path, &headers, body.as_bytes())
    }

    fn soap(&mut self, operation: &str, inner: &str, has_key: bool) -> Came {
        self.keys += 1;
        let key = format!("{}-{}", self.account, self.keys);
        let key = has_key.then_some(key.as_str());
        let answer = self.envelope(operation, inner, key);
        assert_eq!(answer.status, 200, "{answer}");
        if has_key {
            assert_eq!(self.envelope(operation, inner, key).body, answer.body);
        }
        let is_done = [answer.texts("Success"), answer.texts("success")].concat() == ["true"];
        match is_done {
            true => Ok(json!({"Id": answer.texts("Id").pop()})),
            false => Err(answer.to_string()),
        }
    }

    fn envelope(&mut self, operation: &str, inner: &str, key: Option<&str>) -> Answer {
        let body = format!("<api:{operation}>{inner}</api:{operation}>");
        let envelope = envelope(&session_header(self.session), &body);
        let mut headers = vec![("Content-Type", "text/xml")];
        headers.extend(key.map(|key| ("Idempotency-Key", key)));
        self.connection.send("POST", ENDPOINT, &headers, envelope.as_bytes())
    }

    /// The rows of a statement about the account, each as its values.
    fn rows<T>(&self, select: &str, of: &str) -> Vec<Vec<T>>
    where
        T: FromStr,
        T::Err: std::fmt::Debug,
    {
        self.reader.rows(select, &[of])
    }

    fn memos(&self) -> Vec<String> {
        let select = "select credit_memo.id from credit_memo \
                      join account on account.key = credit_memo.account \
                      where account.id = ?1 order by credit_memo.key";
        self.rows(select, &id('a', self.account, 0)).concat()
    }

    fn memo(&self, memo: usize) -> String {
        self.memos()[memo].clone()
    }

    fn lines(&self, memo: &str) -> Vec<String> {
        let select = "select line.id from credit_memo_line as line \
                      join credit_memo on credit_memo.key = line.memo \
                      where credit_memo.id = ?1 order by line.key";
        self.rows(select, memo).concat()
    }

    /// Every number that the ledger keeps, in the form in which the model gives its own.
    pub fn numbers(&self) -> String {
        let of_account = id('a', self.account, 0);
        let invoices: Vec<i64> = (0..3)
            .flat_map(|at| {
                let of = id('b', self.account, at);
                self.rows("select balance from invoice where id = ?1", &of).concat()
            })
            .collect();
        let memos: Vec<Vec<i64>> = self.rows(
            "select case when status = 'Posted' then 1 else 0 end, amount, applied, refunded \
             from credit_memo \
             where account = (select key from account where id = ?1) order by key",
            &of_account,
        );
        let of_memo = "select amount, refunded from credit_memo_line \
                       where memo = (select key from credit_memo where id = ?1) order by key";
        let lines: Vec<Vec<Vec<i64>>> =
            self.memos().iter().map(|memo| self.rows(of_memo, memo)).collect();
        let of_payment = "select amount, applied, refunded from payment where id = ?1";
        let payments: Vec<Vec<i64>> =
            self.payments.iter().map(|id| self.rows(of_payment, id).concat()).collect();
        let of_payment = "select amount, refunded from invoice_payment \
                          where payment = (select key from payment where id = ?1) order by key";
        let parts: Vec<Vec<Vec<i64>>> =
            self.payments.iter().map(|id| self.rows(of_payment, id)).collect();
        let standing = "select status || ' ' || coalesce(gateway_state, 'NotSubmitted') || ' ' || \
                        case when compensated_ms is null then 'false' else 'true' end \
                        from refund where number = ?1";
        let refunds: Vec<String> = self
            .refunds
            .iter()
            .map(|(_, number)| {
                let number = number.trim_start_matches("R-");
                self.rows(standing, number).concat().pop().unwrap_or_else(|| "gone".to_owned())
            })
            .collect();
        let sent: Vec<i64> = self
            .rows(
                "select coalesce(sum(sent), 0) from collected \
                 join payment on payment.key = collected.payment \
                 where payment.account = (select key from account where id = ?1)",
                &of_account,
            )
            .concat();
        format!(
            "{invoices:?}\n{memos:?}\n{lines:?}\n{payments:?}\n{parts:?}\n{refunds:?}\n{}",
            sent[0]
        )
    }

    /// Compares what clients are shown, object by object, with the model.
    pub fn compare_shown(&mut self, model: &mut Model) {
        for (at, memo) in self.memos().into_iter().enumerate() {
            let shown = self.call("GET", &format!("/v1/credit-memos/{memo}"), &Value::Null);
            let shown = shown.unwrap_or_else(|reported| panic!("{reported}"));
            let is = ["amount", "appliedAmount", "refundAmount", "unappliedAmount", "balance"]
                .map(|name| cents(&shown[name]));
            let memo = &model.memos[at];
            let rest = memo.unapplied();
            assert_eq!(is, [memo.amount, memo.applied(), memo.refunded, rest, rest], "{shown}");
        }
        for at in 0..self.payments.len() {
            let path = format!("/v1/payments/{}", self.payments[at]);
            let shown = self.call("GET", &path, &Value::Null);
            let shown = shown.unwrap_or_else(|reported| panic!("{reported}"));
            let is = ["amount", "appliedAmount", "refundAmount", "unappliedAmount"]
                .map(|name| cents(&shown[name]));
            let one = &model.payments[at];
            let expected = [one.amount, one.applied(), one.refunded, one.unapplied()];
            assert_eq!(is, expected, "{shown}");
        }
        for at in 0..self.refunds.len() {
            model.look(at);
            let path = format!("/v1/refunds/{}", self.refunds[at].0);
            let shown = self.call("GET", &path, &Value::Null);
            self.compare_refund(model, at, &shown);
        }
        let path = format!("/v1/refunds?accountId={}&pageSize=40", id('a', self.account, 0));
        let page =
            self.call("GET", &path, &Value::Null).unwrap_or_else(|reported| panic!("{reported}"));
        let there = model.refunds.iter().filter(|refund| refund.status != "gone").count();
        assert_eq!(page["refunds"].as_array().map(Vec::len), Some(there.min(40)), "{page}");
    }

    /// Compares what a client is shown of a refund with the model.
    pub fn compare_refund(&self, model: &Model, at: usize, shown: &Came) {
        let refund = &model.refunds[at];
        let Ok(shown) = shown else {
            assert_eq!(refund.status, "gone", "{shown:?}");
            return;
        };
        assert_eq!(shown["status"].as_str(), Some(refund.status), "{shown}");
        assert_eq!(shown["gatewayState"].as_str(), Some(refund.gateway_state), "{shown}");
        assert_eq!(cents(&shown["amount"]), refund.amount, "{shown}");
        let (memo, payment) = match refund.source {
            Source::Memo(memo, _) => (json!(self.memo(memo)), Value::Null),
            Source::Payment(payment, _) => (Value::Null, json!(self.payments[payment])),
        };
        assert_eq!((&shown["creditMemoId"], &shown["paymentId"]), (&memo, &payment), "{shown}");
    }
}

/// What an answer of a REST operation came to, in each of its three families.
fn came(path: &str, answer: &Answer) -> Came {
    let json: Value =
        serde_json::from_slice(&answer.body).unwrap_or_else(|_| panic!("{path}: {answer}"));
    let first = if json.is_array() { json[0].clone() } else { json };
    let reported = ["success", "Success"].map(|name| first[name].as_bool());
    let is_read = first.get("records").is_some() || first.get("Id").is_some();
    let is_done = reported.into_iter().flatten().next().unwrap_or(answer.status == 200 && is_read);
    assert!(matches!(answer.status, 200 | 400 | 404), "{path}: {answer}");
    assert!(!is_done || answer.status == 200, "{path}: {answer}");
    if is_done { Ok(first) } else { Err(format!("{path}: {answer}")) }
}

/// The number that an id of a refund carries.
fn refund_number(id: &str) -> String {
    let id = refund_gateway::domain::id::RefundId::parse(id).unwrap_or_else(|| panic!("{id}"));
    format!("R-{:08}", id.number().value())
}

/// A zObject of SOAP with the fields of a JSON object.
fn soap_object(fields: &Value) -> String {
    fn element(prefix: &str, name: &str, value: &Value) -> String {
        let inner = match value {
            Value::Object(fields) => {
                fields.iter().map(|(name, value)| element(inside(name), name, value)).collect()
            }
            Value::Array(items) => {
                return items.iter().map(|item| element(prefix, name, item)).collect();
            }
            value => value.as_str().unwrap().to_owned(),
        };
        format!("<{prefix}:{name}>{inner}</{prefix}:{name}>")
    }
    fn inside(name: &str) -> &'static str {
        if name == "RefundInvoicePayment" { "api" } else { "obj" }
    }
    let fields = fields.as_object().unwrap();
    let fields: String = fields.iter().map(|(name, value)| element("obj", name, value)).collect();
    let tag = "api:zObjects";
    format!("<{tag} xsi:type=\"obj:Refund\">{fields}</{tag}>")
}
