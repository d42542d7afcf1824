//! The operation create: objects of one type, each on its own, and one result for each in their
//! order.

use super::envelope::Dialect;
use super::fault::{Fault, shown};
use super::object::objects;
use super::outcome::{Done, Failure, Tally};
use super::save_result::encode;
use crate::domain::custom_field::CustomFields;
use crate::domain::draft::batch::Drafts;
use crate::domain::id::ObjectId;
use crate::domain::row_error::RowError;
use crate::domain::version::ApiVersion;
use crate::ledger::{Batch, Render};
use crate::service::create::CreateAnswer;
use crate::service::idempotency::{IdempotencyKey, KeyScope, Once};
use crate::service::{CallContext, Service};
use crate::xml::ElementRef;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The element of the answer.
const RESPONSE: &str = "ns1:createResponse";

/// What a caller asks for.
#[derive(Debug)]
pub(super) struct CreateRequest {
    batch: Batch,
    /// The key that the objects themselves carry, in the field that may hold one.
    key_in_fields: Option<IdempotencyKey>,
    /// How many fields with a value were passed over.
    pub(super) ignored_fields: u32,
}

/// Reads the objects of `element`; `key_field` is the field that may carry an idempotency key.
pub(super) fn read(
    element: ElementRef<'_>,
    api: ApiVersion,
    use_single_transaction: bool,
    key_field: Option<&str>,
    custom: &CustomFields,
) -> Result<CreateRequest, Fault> {
    let (objects, name) = objects(element, api)?;
    let mut ignored_fields = 0;
    let drafts = Drafts::read(name, &objects, custom, &mut ignored_fields)?;
    let drafts = drafts.ok_or_else(|| Fault::TypeNotCreatable(shown(name)))?;
    // The field is one of Refund.
    let key_field = key_field.filter(|_| matches!(drafts, Drafts::Refunds(_)));
    let key_in_fields = key_field.and_then(|field| IdempotencyKey::in_fields(&objects, field));
    let batch = Batch { drafts, ordered: BTreeMap::new(), is_single: use_single_transaction };
    Ok(CreateRequest { batch, key_in_fields, ignored_fields })
}

impl CreateRequest {
    /// Whether it makes refunds.
    pub(super) const fn makes_refunds(&self) -> bool {
        matches!(self.batch.drafts, Drafts::Refunds(_))
    }

    /// The account that each object names, as far as it does.
    pub(super) fn accounts(&self) -> Vec<Option<&ObjectId>> {
        self.batch.drafts.accounts()
    }

    /// The idempotency key that the objects carry, in the field that may hold one.
    pub(super) fn key_in_fields(&self) -> Option<&str> {
        self.key_in_fields.as_ref().map(IdempotencyKey::as_str)
    }

    /// Makes these rows fail so.
    pub(super) fn fail_rows(&mut self, rows: &[usize], error: &RowError) {
        self.batch.ordered = rows.iter().map(|row| (*row, error.clone())).collect();
    }
}

/// Creates the objects and reports their results.
pub(super) async fn answer(
    service: &Arc<Service>,
    call: CallContext,
    request: CreateRequest,
    key: Option<Vec<u8>>,
    dialect: &Dialect,
) -> Result<Done, Failure> {
    let key = match key {
        Some(bytes) => Some(IdempotencyKey::in_header(&bytes)?),
        None => request.key_in_fields,
    };
    let batch = request.batch;
    let once = key.map(|key| once(key, dialect, batch.is_single));
    let tally = match &batch.drafts {
        Drafts::Refunds(_) => Tally::of_refunds,
        _ => Tally::of_others,
    };
    Ok(match service.create(call, batch, once).await? {
        CreateAnswer::Rows(rows) => {
            let body = encode(RESPONSE, &rows, dialect);
            Done { body, replayed: false, tally: tally(rows) }
        }
        CreateAnswer::Stored { bytes, rows } => Done {
            body: bytes,
            replayed: rows.is_none(),
            tally: rows.map_or_else(Tally::default, tally),
        },
    })
}

/// The promise behind a key. Beside the objects and CallOptions only SOAP's version distinguishes
/// requests, because it decides over the answer's bytes; that of the API does not, as every code of
/// a row is older than the oldest version served.
fn once(key: IdempotencyKey, dialect: &Dialect, use_single_transaction: bool) -> Once {
    let (soap, dialect) = (dialect.soap.name(), dialect.clone());
    let shape = format!("soap {soap} useSingleTransaction {use_single_transaction}");
    Once {
        scope: KeyScope::Create,
        key,
        shape,
        render: Render::Rows(Box::new(move |rows| encode(RESPONSE, rows, &dialect))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::{XmlLimits, parse};

    fn read_objects(api: u16, objects: &str) -> Result<CreateRequest, Fault> {
        let text = format!(
            "<create xmlns='http://api.zuora.com/' xmlns:o='http://object.api.zuora.com/' \
             xmlns:x='urn:x' xmlns:i='http://www.w3.org/2001/XMLSchema-instance'>{objects}</create>"
        );
        let document = parse(&text, &XmlLimits::default()).expect(&text);
        let none = CustomFields::default();
        read(document.root(), ApiVersion::major(api), false, None, &none)
    }

    const REFUND: &str = "<zObjects i:type='o:Refund'/>";

    #[test]
    fn one_to_fifty_objects_are_a_call() {
        for count in [1, 50] {
            let read = read_objects(91, &REFUND.repeat(count)).expect("read");
            let Drafts::Refunds(drafts) = read.batch.drafts else { panic!("{:?}", read.batch) };
            assert_eq!(drafts.len(), count);
        }
        assert_eq!(read_objects(91, &REFUND.repeat(51)).unwrap_err(), Fault::TooManyObjects);
        assert_eq!(read_objects(91, "").unwrap_err(), Fault::NoObjects);
        assert_eq!(
            read_objects(91, "<x:zObjects i:type='o:Refund'/>").unwrap_err(),
            Fault::NoObjects
        );
    }

    #[test]
    fn the_type_is_read_in_any_namespace_of_ours_and_every_version() {
        for object in [
            "<zObjects i:type='o:Refund'/>",
            "<zObjects i:type='Refund'/>",
            "<zObjects xmlns='' i:type=' Refund '/>",
        ] {
            assert!(read_objects(18, object).is_ok(), "{object}");
        }
    }

    #[test]
    fn what_is_wrong_with_one_object_fails_the_call() {
        let long = "T".repeat(65);
        let long_type = format!("<zObjects i:type='o:{long}'/>");
        for (object, fault) in [
            ("<zObjects i:nil='1'/>", Fault::NoObjects),
            ("<zObjects href='#1'/>", Fault::Reference),
            ("<zObjects/>", Fault::TypeMissing),
            ("<zObjects i:type=''/>", Fault::TypeMissing),
        ] {
            assert_eq!(read_objects(91, object).unwrap_err(), fault);
            assert_eq!(read_objects(91, &format!("{REFUND}{object}")).unwrap_err(), fault);
        }
        for (object, fault) in [
            (
                "<zObjects i:type='o:RefundInvoicePayment'/>",
                Fault::TypeNotCreatable("RefundInvoicePayment".to_owned()),
            ),
            (
                "<zObjects i:type='o:refund'/>",
                Fault::TypeMisspelt("refund".to_owned(), "Refund".to_owned()),
            ),
            ("<zObjects i:type='o:Contact'/>", Fault::TypeNotKept("Contact".to_owned())),
            ("<zObjects i:type='o:Nothing'/>", Fault::TypeUnknown("Nothing".to_owned())),
            ("<zObjects i:type='x:Refund'/>", Fault::TypeUnknown("Refund".to_owned())),
            (&long_type, Fault::TypeUnknown("T".repeat(64))),
        ] {
            assert_eq!(read_objects(91, object).unwrap_err(), fault);
            let mixed = format!("{REFUND}{object}");
            assert_eq!(read_objects(91, &mixed).unwrap_err(), Fault::TypesMixed);
        }
    }
}
