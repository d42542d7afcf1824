//! What a SOAP call said, noted for a journal while the call is read.
//!
//! What must stay true: no secret is noted; of one call no more than so many bytes are; without a
//! journal a call pays nothing for this.

use super::read::{Operation, Proof, Request, Row};
use crate::call::noted::{DEPTH_MAX, Fields, Left};
use crate::call::{NotedObject, Notes, OperationName, Texts};
use crate::domain::id::ObjectId;
use crate::domain::secret::is_secret;
use crate::service::Service;
use crate::xml::ElementRef;
use std::collections::BTreeMap;

impl Notes {
    /// Notes the objects or the parameters of an operation.
    pub(super) fn read(&self, operation: OperationName, element: ElementRef<'_>) {
        let mut left = Left::default();
        let objects = match operation {
            OperationName::Delete => ids(element, &mut left),
            _ => objects(element, &mut left),
        };
        let mut notes = self.lock();
        notes.operation = Some(operation);
        notes.objects = objects;
    }

    /// Notes who calls, with which key, and which accounts the call is about.
    pub(super) async fn know(&self, service: &Service, request: &Request, key: Option<&[u8]>) {
        let operation = &request.operation;
        let user = match (operation, &request.proof) {
            (Operation::Login(Ok(credentials)), _) | (_, Proof::Token(Ok(credentials))) => {
                Some(credentials.username().to_owned())
            }
            (_, Proof::Session(session)) => {
                service.user_of(session).await.map(|name| name.to_string())
            }
            (_, Proof::None | Proof::Token(Err(_))) => None,
        };
        let key = key.map(|key| String::from_utf8_lossy(key).into_owned());
        let key = key.or_else(|| operation.key_in_fields().map(str::to_owned));
        let accounts = self.accounts(service, operation).await;
        let mut notes = self.lock();
        (notes.user, notes.key, notes.accounts) = (user, key, accounts);
    }

    /// The accounts that a call names, and, where it names none, those of the objects it names.
    async fn accounts(&self, service: &Service, operation: &Operation) -> Vec<String> {
        let mut accounts = operation.accounts();
        let rows = operation.rows();
        let names_all = !rows.is_empty() && rows.iter().all(|row| matches!(row, Row::Of(Some(_))));
        if !names_all {
            let named = self.named_ids();
            accounts.extend(service.accounts_of(named).await.into_iter().flatten());
        }
        accounts.extend(self.lock().objects.iter().filter_map(NotedObject::account));
        let mut accounts: Vec<String> = accounts.iter().map(ToString::to_string).collect();
        accounts.sort_unstable();
        accounts.dedup();
        accounts
    }

    /// The ids that stand in the fields, or in a query.
    fn named_ids(&self) -> Vec<ObjectId> {
        let notes = self.lock();
        let texts = notes.objects.iter().flat_map(|object| object.fields.values());
        let words = texts
            .flat_map(|texts| &texts.0)
            .flat_map(|text| text.split(|letter: char| !letter.is_ascii_alphanumeric()));
        let mut ids: Vec<ObjectId> = words.filter_map(ObjectId::parse_stored).collect();
        ids.sort_unstable_by(|one, other| one.as_str().cmp(other.as_str()));
        ids.dedup();
        ids
    }
}

/// The zObjects of a call, or its parameters.
fn objects(element: ElementRef<'_>, left: &mut Left) -> Vec<NotedObject> {
    let mut objects = Vec::new();
    for object in element.children().filter(|child| child.local() == "zObjects") {
        let named = object.xsi_type().map(|name| name.local.to_owned());
        objects.push(NotedObject { object: named, fields: fields(object, left) });
    }
    if objects.is_empty() {
        objects.push(NotedObject { object: None, fields: fields(element, left) });
    }
    objects
}

/// The ids of a delete, each of which is an object.
fn ids(element: ElementRef<'_>, left: &mut Left) -> Vec<NotedObject> {
    let parameters = fields(element, left);
    let named = parameters.get("type").and_then(|texts| texts.0.first());
    let ids = parameters.get("ids").map(|texts| texts.0.as_slice()).unwrap_or_default();
    let of = |id: &String| NotedObject {
        object: named.cloned(),
        fields: BTreeMap::from([("Id".to_owned(), Texts(vec![id.clone()]))]),
    };
    ids.iter().map(of).collect()
}

fn fields(element: ElementRef<'_>, left: &mut Left) -> BTreeMap<String, Texts> {
    let mut fields = Fields::new(left);
    note_fields(element, "", DEPTH_MAX, &mut fields);
    fields.taken()
}

fn note_fields(element: ElementRef<'_>, before: &str, depth: usize, fields: &mut Fields<'_>) {
    for field in element.children() {
        let name = format!("{before}{}", field.local());
        let hides = is_secret(field.local());
        if depth > 1 && !hides && field.children().next().is_some() {
            note_fields(field, &format!("{name}."), depth - 1, fields);
            continue;
        }
        let text = (!field.is_nil()).then(|| field.text().trim());
        if !fields.add(name, hides, text) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::noted::FIELDS_BYTES_MAX;
    use crate::xml::{XmlLimits, parse};
    use serde_json::{Value, json};

    fn noted(operation: OperationName, body: &str) -> Value {
        let text = format!(
            "<{operation} xmlns:i='http://www.w3.org/2001/XMLSchema-instance'>{body}</{operation}>"
        );
        let document = parse(&text, &XmlLimits::default()).expect(&text);
        let notes = Notes::default();
        notes.read(operation, document.root());
        serde_json::to_value(notes.taken().objects).unwrap()
    }

    #[test]
    fn fields_are_noted_as_they_were_sent_and_secrets_are_not() {
        let object = "<zObjects i:type='o:PaymentMethod'><Name> a </Name><Nil i:nil='true'/>\
             <CreditCardNumber>4111111111111111</CreditCardNumber><iban><x>2</x></iban>\
             <fieldsToNull>A</fieldsToNull><fieldsToNull>B</fieldsToNull>\
             <Data><Part><Amount>1</Amount></Part><Part><Amount>2</Amount></Part></Data>\
             </zObjects>";
        assert_eq!(
            noted(OperationName::Create, object),
            json!([{ "type": "PaymentMethod", "fields": {
                "Name": "a", "Nil": [], "CreditCardNumber": "(hidden)", "iban": "(hidden)",
                "fieldsToNull": ["A", "B"], "Data.Part.Amount": ["1", "2"] } }])
        );
        let login = "<username>u</username><password>s3cret</password>";
        let parameters = json!({ "username": "u", "password": "(hidden)" });
        assert_eq!(
            noted(OperationName::Login, login),
            json!([{ "type": null, "fields": parameters }])
        );
        assert_eq!(
            noted(OperationName::Delete, "<type>Refund</type><ids>1</ids><ids>2</ids>"),
            json!([{ "type": "Refund", "fields": { "Id": "1" } },
                   { "type": "Refund", "fields": { "Id": "2" } }])
        );
    }

    #[test]
    fn no_call_is_noted_beyond_its_bound() {
        let long = format!("<zObjects><Comment>{}</Comment></zObjects>", "x".repeat(20_000));
        let notes = noted(OperationName::Create, &long.repeat(10)).to_string();
        assert!(notes.len() < FIELDS_BYTES_MAX + 1_000, "{}", notes.len());
    }
}
