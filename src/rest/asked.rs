//! What a REST call is about, for testers: the accounts of its rows, for faults to order, and what
//! it said, for a journal.
//!
//! What must stay true: it is only found out on test ledgers; no secret is noted, and of one call
//! no more than so many bytes.

use super::paths::Keys;
use crate::call::{NotedObject, Notes, OperationName, noted};
use crate::domain::draft::refund_details::ObjectKey;
use crate::domain::id::ObjectId;
use crate::domain::row_error::RowError;
use crate::json::{Json, JsonLimits, read};
use crate::service::Service;
use std::collections::BTreeMap;

/// What a call asks for.
pub(super) struct Asked<'c> {
    operation: OperationName,
    template: &'static str,
    keys: Keys<'c>,
    /// The document of the body, if it is one.
    json: Option<Json>,
}

/// The account of each row, as far as it is known.
pub(super) type Rows = Vec<Option<ObjectId>>;

impl<'c> Asked<'c> {
    pub(super) fn new(
        (operation, template): (OperationName, &'static str),
        keys: Keys<'c>,
        body: &[u8],
    ) -> Self {
        Self { operation, template, keys, json: read(body, &JsonLimits::default()).ok() }
    }

    /// Its objects: those of an action, else the document itself.
    fn objects(&self) -> Vec<&Json> {
        let Some(json) = &self.json else { return Vec::new() };
        match json.get("objects").and_then(Json::items) {
            Some(objects) if self.template.starts_with("/v1/action/") => objects.iter().collect(),
            _ => vec![json],
        }
    }

    /// The ids of an action that deletes.
    fn ids(&self) -> Option<&[Json]> {
        let json = self.json.as_ref().filter(|_| self.operation == OperationName::ActionDelete)?;
        json.get("ids").and_then(Json::items)
    }

    /// The account of each row.
    pub(super) async fn rows(&self, service: &Service) -> Rows {
        if let Some(ids) = self.ids() {
            let ids = ids.iter().map(|id| id.text().and_then(ObjectId::parse));
            return accounts_of(service, ids.collect()).await;
        }
        let mut rows = Vec::new();
        for object in self.objects() {
            rows.push(match account_in(object) {
                Some(account) => Some(account),
                None => accounts_of(service, vec![id_in(object)]).await.pop().flatten(),
            });
        }
        if let (Some(account), [None] | []) = (self.of_key(service).await, rows.as_slice()) {
            return vec![Some(account)];
        }
        if rows.is_empty() { vec![None] } else { rows }
    }

    /// The account of what the path names.
    async fn of_key(&self, service: &Service) -> Option<ObjectId> {
        let key = self.keys.object();
        if let Some(id) = ObjectId::parse_stored(key) {
            return accounts_of(service, vec![Some(id)]).await.pop().flatten();
        }
        let (views, key) = (service.ledger(), ObjectKey::of(key));
        let found = match self.template.split('/').nth(2)? {
            "payments" => views.payment(key).await.ok()??.account_id,
            "credit-memos" | "creditmemos" => views.credit_memo(key).await.ok()??.account_id,
            "refunds" => views.refund(key).await.ok()??.account_id,
            _ => return None,
        };
        Some(found)
    }

    /// Notes what the call says and about which accounts.
    pub(super) fn note(&self, notes: &Notes, key: Option<&[u8]>, rows: &Rows) {
        let mut left = noted::Left::default();
        let of_all = self.json.as_ref().and_then(|json| json.get("type")).and_then(Json::text);
        let is_action = self.template.starts_with("/v1/action/");
        let name = if is_action { of_all.map(str::to_owned) } else { self.object_name() };
        let mut objects: Vec<NotedObject> = match self.ids() {
            Some(ids) => {
                let of = |id: &Json| {
                    let mut fields = noted::Fields::new(&mut left);
                    fields.add("Id".to_owned(), false, id.text());
                    NotedObject { object: name.clone(), fields: fields.taken() }
                };
                ids.iter().map(of).collect()
            }
            None => {
                let mut of = |object: &&Json| {
                    let mut fields = noted::Fields::new(&mut left);
                    note_fields(object, "", noted::DEPTH_MAX, &mut fields);
                    NotedObject { object: name.clone(), fields: fields.taken() }
                };
                self.objects().iter().map(&mut of).collect()
            }
        };
        if objects.is_empty() {
            objects.push(NotedObject { object: name, fields: BTreeMap::new() });
        }
        let key = key.map(|key| String::from_utf8_lossy(key).into_owned());
        let mut accounts: Vec<String> = rows.iter().flatten().map(ToString::to_string).collect();
        accounts.sort_unstable();
        accounts.dedup();
        let mut notes = notes.lock();
        notes.operation = Some(self.operation);
        (notes.key, notes.accounts, notes.objects) = (key, accounts, objects);
    }

    /// The type of the object that an operation is about, by its path.
    fn object_name(&self) -> Option<String> {
        let segment = |number| self.template.split('/').nth(number).unwrap_or_default();
        let is_refund = segment(4).starts_with("refund");
        let name = match (segment(2), segment(3)) {
            ("object", "account") => "Account",
            ("object", "credit-balance-adjustment") => "CreditBalanceAdjustment",
            ("object", "refund") | ("refunds", _) => "Refund",
            ("payments" | "credit-memos" | "creditmemos", _) if is_refund => "Refund",
            ("object", "payment") | ("payments", _) => "Payment",
            ("credit-memos" | "creditmemos", _) => "CreditMemo",
            _ => return None,
        };
        Some(name.to_owned())
    }
}

/// The rows that an ordered error is for, with it.
pub(super) fn failing(
    rows: &Rows,
    account: Option<&ObjectId>,
    error: Option<RowError>,
) -> BTreeMap<usize, RowError> {
    let Some(error) = error else { return BTreeMap::new() };
    let is_meant = |of_row: &Option<ObjectId>| account.is_none() || of_row.as_ref() == account;
    let meant = rows.iter().enumerate().filter(|(_, of_row)| is_meant(of_row));
    meant.map(|(row, _)| (row, error.clone())).collect()
}

/// The accounts of objects that are named by these ids.
async fn accounts_of(service: &Service, ids: Vec<Option<ObjectId>>) -> Rows {
    let mut found = service.accounts_of(ids.iter().flatten().cloned().collect()).await;
    ids.into_iter().map(|id| id.and_then(|_| found.pop_front().flatten())).collect()
}

fn text_in<'j>(object: &'j Json, names: [&str; 2]) -> Option<&'j str> {
    names.iter().find_map(|name| object.get(name)).and_then(Json::text)
}

/// The account that an object says it is of.
fn account_in(object: &Json) -> Option<ObjectId> {
    text_in(object, ["AccountId", "accountId"]).and_then(ObjectId::parse)
}

/// The id of the object itself, else of what it is made from.
fn id_in(object: &Json) -> Option<ObjectId> {
    let own = text_in(object, ["Id", "id"]);
    let of_payment = || text_in(object, ["PaymentId", "PaymentMethodId"]);
    own.or_else(of_payment).and_then(ObjectId::parse)
}

/// Notes the fields of an object; those of objects in it by the names on the way, with dots
/// between.
fn note_fields(json: &Json, before: &str, depth: usize, fields: &mut noted::Fields<'_>) {
    for member in json.members().unwrap_or_default() {
        let name = format!("{before}{}", member.name);
        let hides = crate::domain::secret::is_secret(&member.name);
        let items = member.value.items().unwrap_or(std::slice::from_ref(&member.value));
        for item in items {
            let text = match item {
                Json::Null => None,
                Json::Bool(true) => Some("true"),
                Json::Bool(false) => Some("false"),
                Json::Number(text) | Json::Text(text) => Some(text.trim()),
                Json::Object(_) if depth > 1 && !hides => {
                    note_fields(item, &format!("{name}."), depth - 1, fields);
                    continue;
                }
                Json::List(_) | Json::Object(_) => Some(""),
            };
            if !fields.add(name.clone(), hides, text) {
                return;
            }
        }
    }
}
