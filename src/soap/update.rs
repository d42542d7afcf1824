//! The operation update: changes of objects of one type, each on its own, and one result for each
//! in their order.

use super::envelope::Dialect;
use super::fault::{Fault, shown};
use super::object::{Purpose, each, objects, read as read_object};
use super::outcome::{Done, Failure, Tally};
use super::save_result::encode;
use crate::domain::custom_field::CustomFields;
use crate::domain::row_error::RowError;
use crate::domain::version::ApiVersion;
use crate::ledger::change::Changes;
use crate::service::{Caller, Service};
use crate::xml::ElementRef;
use tokio::time::Instant;

/// What a caller asks for.
#[derive(Debug)]
pub(super) struct UpdateRequest {
    changes: Changes,
    /// What every row is to fail with because a tester ordered it.
    ordered: Option<RowError>,
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
        "Payment" => changes!(Payments),
        "PaymentMethod" => changes!(PaymentMethods),
        "Refund" => changes!(Refunds),
        other => return Err(Fault::TypeNotUpdatable(shown(other))),
    };
    Ok(UpdateRequest { changes, ordered: None, ignored_fields: ignored })
}

impl UpdateRequest {
    /// Makes every row fail so.
    pub(super) fn fail_rows(&mut self, error: &RowError) {
        self.ordered = Some(error.clone());
    }
}

/// Makes the changes and tells their results.
pub(super) async fn answer(
    service: &Service,
    caller: &Caller,
    request: UpdateRequest,
    dialect: Dialect,
    deadline: Instant,
) -> Result<Done, Failure> {
    let UpdateRequest { changes, ordered, .. } = request;
    let rows = match ordered {
        Some(error) => vec![Err(error); changes.len()],
        None => service.update(caller, dialect.api, changes, deadline).await?,
    };
    let body = encode("ns1:updateResponse", &rows, dialect);
    Ok(Done { body, replayed: false, tally: Tally::of_others(&rows) })
}
