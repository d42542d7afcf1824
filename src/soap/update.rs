//! The operation update: changes of objects of one type, each on its own, and one result for each
//! in their order.

use super::envelope::Dialect;
use super::fault::{Fault, shown};
use super::object::{Purpose, each, objects, read as read_object};
use super::outcome::{Done, Failure, Tally};
use super::save_result::encode;
use crate::domain::custom_field::CustomFields;
use crate::domain::id::ObjectId;
use crate::domain::row_error::RowError;
use crate::domain::version::ApiVersion;
use crate::ledger::change::Changes;
use crate::service::deadline::Deadline;
use crate::service::{Caller, Service};
use crate::xml::ElementRef;
use std::collections::BTreeMap;

/// What a caller asks for.
#[derive(Debug)]
pub(super) struct UpdateRequest {
    changes: Changes,
    /// What rows, from 0, are to fail with because a tester ordered it.
    ordered: BTreeMap<usize, RowError>,
    /// How many fields with a value were passed over.
    pub(super) ignored_fields: u32,
}

/// Reads the objects of `element`.
pub(super) fn read(
    element: ElementRef<'_>,
    api: ApiVersion,
    custom: &CustomFields,
) -> Result<UpdateRequest, Fault> {
    let (objects, name) = objects(element, api)?;
    let mut ignored = 0;
    macro_rules! changes {
        ($kind:ident) => {
            Changes::$kind(each(
                &objects,
                |object| read_object(object, Purpose::Update, custom),
                &mut ignored,
            )?)
        };
    }
    let changes = match name {
        "Account" => changes!(Accounts),
        "CreditBalanceAdjustment" => changes!(Adjustments),
        "InvoiceAdjustment" => changes!(InvoiceAdjustments),
        "InvoiceItemAdjustment" => changes!(InvoiceItemAdjustments),
        "Payment" => changes!(Payments),
        "PaymentMethod" => changes!(PaymentMethods),
        "Refund" => changes!(Refunds),
        other => return Err(Fault::TypeNotUpdatable(shown(other))),
    };
    Ok(UpdateRequest { changes, ordered: BTreeMap::new(), ignored_fields: ignored })
}

impl UpdateRequest {
    /// The id of the object of each row, as far as one was sent.
    pub(super) fn ids(&self) -> Vec<Option<&ObjectId>> {
        self.changes.ids()
    }

    /// Makes these rows fail so.
    pub(super) fn fail_rows(&mut self, rows: &[usize], error: &RowError) {
        self.ordered = rows.iter().map(|row| (*row, error.clone())).collect();
    }
}

/// Makes the changes and tells their results.
pub(super) async fn answer(
    service: &Service,
    caller: &Caller,
    request: UpdateRequest,
    dialect: &Dialect,
    deadline: &Deadline,
) -> Result<Done, Failure> {
    let UpdateRequest { mut changes, mut ordered, .. } = request;
    let count = changes.len();
    changes.keep(|row| !ordered.contains_key(&row));
    let done = match changes.is_empty() {
        true => Vec::new(),
        false => service.update(caller, dialect.api, changes, deadline).await?,
    };
    let mut done = done.into_iter();
    let of_row = |row| ordered.remove(&row).map(Err).or_else(|| done.next());
    let rows: Vec<_> = (0..count).filter_map(of_row).collect();
    let body = encode("ns1:updateResponse", &rows, dialect);
    Ok(Done { body, replayed: false, tally: Tally::of_others(rows) })
}
