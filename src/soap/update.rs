//! The operation update: changes of objects of one type, each on its own, and one result for each
//! in their order.

use super::envelope::Dialect;
use super::fault::{Fault, shown};
use super::object::objects;
use super::outcome::{Done, Failure, Tally};
use super::save_result::encode;
use crate::domain::custom_field::CustomFields;
use crate::domain::id::ObjectId;
use crate::domain::row_error::RowError;
use crate::domain::version::ApiVersion;
use crate::ledger::change::Changes;
use crate::service::{CallContext, Service};
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
    let mut ignored_fields = 0;
    let changes = Changes::read(name, &objects, custom, &mut ignored_fields)?;
    let changes = changes.ok_or_else(|| Fault::TypeNotUpdatable(shown(name)))?;
    Ok(UpdateRequest { changes, ordered: BTreeMap::new(), ignored_fields })
}

impl UpdateRequest {
    /// Whether it changes refunds.
    pub(super) const fn changes_refunds(&self) -> bool {
        matches!(self.changes, Changes::Refunds(_))
    }

    /// The id of the object of each row, as far as one was sent.
    pub(super) fn ids(&self) -> Vec<Option<&ObjectId>> {
        self.changes.ids()
    }

    /// Makes these rows fail so.
    pub(super) fn fail_rows(&mut self, rows: &[usize], error: &RowError) {
        self.ordered = rows.iter().map(|row| (*row, error.clone())).collect();
    }
}

/// Makes the changes and reports their results.
pub(super) async fn answer(
    service: &Service,
    call: &CallContext,
    request: UpdateRequest,
    dialect: &Dialect,
) -> Result<Done, Failure> {
    let rows = service.update(call, request.changes, request.ordered).await?;
    let body = encode("ns1:updateResponse", &rows, dialect);
    Ok(Done { body, replayed: false, tally: Tally::of_others(rows) })
}
