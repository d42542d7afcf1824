//! Creating a refund inside the open transaction: look up facts, let the domain decide, debit with
//! a guard, and write the refund and its entry.

use super::billing_rows::{self, Named};
use super::custom::{self, Owner};
use super::orders::{begin_order, repaid};
use super::store::Store;
use super::{ahead, movement, outbox, rows};
use crate::domain::calendar::CalendarText;
use crate::domain::draft::RefundDraft;
use crate::domain::event::EventKind;
use crate::domain::id::RefundId;
use crate::domain::row_error::RowError;
use crate::domain::rules::{Asking, Decision, Facts, Payout, Source, decide, source_of};
use crate::domain::vocabulary::{GatewayState, RefundStatus, SourceType};
use crate::ledger::{Order, RowResult, UserKey};
use rusqlite::{Connection, named_params};

/// Makes a refund, or finds why not; what its gateway has to be asked is added to `orders`.
pub(super) fn create_refund(
    store: &mut Store,
    user: UserKey,
    asking: &Asking,
    draft: &RefundDraft,
    orders: &mut Vec<Order>,
) -> rusqlite::Result<RowResult> {
    let decision = match decide_one(store, draft, asking)? {
        Ok(decision) => decision,
        Err(error) => return Ok(Err(error)),
    };
    let (id, created_ms) = store.next_refund_id(asking.now)?;
    insert_refund(store.connection(), id, created_ms, user, &decision)?;
    let owner = Owner::Refund(id.number().value());
    custom::keep(store.connection(), owner, &decision.custom)?;
    movement::take(store.connection(), id.number(), &decision, created_ms)?;
    let kind = match decision.payout {
        Payout::External => EventKind::Processed,
        Payout::Electronic { .. } => EventKind::Processing,
    };
    outbox::keep(store, id.number(), kind, created_ms)?;
    if let Payout::Electronic { gateway, payment_method, original_payment, options } =
        decision.payout
    {
        begin_order(store.connection(), id.number(), created_ms)?;
        orders.push(Order {
            refund: id,
            gateway,
            payment_method,
            original_payment,
            repaid: repaid(store.connection(), id.number())?,
            amount: decision.amount,
            currency: decision.currency,
            options,
        });
    }
    Ok(Ok(id.into()))
}

/// Looks up what the draft names and applies the rules.
fn decide_one(
    store: &Store,
    draft: &RefundDraft,
    asking: &Asking,
) -> rusqlite::Result<Result<Decision, RowError>> {
    let connection = store.connection();
    let method_id = draft.payment_method_id.given();
    let needs_default = method_id.is_none() && draft.method_type.is_absent();
    let mut account =
        draft.account_id.look_up(|id| rows::account(connection, id, needs_default))?;
    if let Some(account) = &mut account {
        let day = |text: &CalendarText| text.day(asking.version, store.tenant().time_zone);
        ahead::look_from(store, asking, draft.refund_date.given().and_then(day), account)?;
    }
    let method = match method_id {
        Some(id) => rows::payment_method(connection, id)?,
        None => None,
    };
    let payment = match draft.payment_id.given() {
        Some(id) if source_of(draft) == SourceType::Payment => {
            billing_rows::payment(connection, Named::Id(id))?
        }
        _ => None,
    };
    let (tenant, gateways) = (store.tenant(), store.gateways());
    let facts = Facts { tenant, gateways, account, method, payment };
    Ok(decide(draft, &facts, asking))
}

/// Writes the refund. If it draws on a credit balance, its entry is the next.
fn insert_refund(
    connection: &Connection,
    id: RefundId,
    created_ms: i64,
    user: UserKey,
    decision: &Decision,
) -> rusqlite::Result<()> {
    let insert = "insert into refund (number, created_ms, salt, account, amount, type, \
         source_type, method_type, payment_method, status, refund_date, comment, reason_code, \
         soft_descriptor, soft_descriptor_phone, created_by, gateway, gateway_options, \
         gateway_state, payment, entry) values (:number, :created_ms, :salt, :account, :amount, \
         :type, :source_type, :method_type, :payment_method, :status, :refund_date, :comment, \
         :reason_code, :soft_descriptor, :soft_descriptor_phone, :created_by, :gateway, \
         :gateway_options, :gateway_state, :payment, \
         iif(:payment is null, \
         coalesce((select key + 1 from entry order by key desc limit 1), 1), null))";
    let (status, gateway, options, state) = match &decision.payout {
        Payout::External => (RefundStatus::Processed, None, None, None),
        Payout::Electronic { gateway, options, .. } => {
            let options = (!options.is_empty()).then(|| serde_json::to_string(options));
            let options = options
                .transpose()
                .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
            let state = GatewayState::MarkedForSubmission.name();
            (RefundStatus::Processing, Some(gateway), options, Some(state))
        }
    };
    let payment = match &decision.source {
        Source::CreditBalance => None,
        Source::Payment { payment, .. } => Some(payment.0),
    };
    connection.prepare_cached(insert)?.execute(named_params! {
        ":number": id.number().value(),
        ":created_ms": created_ms,
        ":salt": id.salt(),
        ":account": decision.account.0,
        ":amount": decision.amount.units(),
        ":type": decision.payout.refund_type().name(),
        ":source_type": decision.source.source_type().name(),
        ":method_type": decision.method_type.name(),
        ":payment_method": decision.method.map(|method| method.0),
        ":status": status.name(),
        ":refund_date": decision.refund_date.to_string(),
        ":comment": decision.comment,
        ":reason_code": decision.reason_code,
        ":soft_descriptor": decision.soft_descriptor,
        ":soft_descriptor_phone": decision.soft_descriptor_phone,
        ":created_by": user.0,
        ":gateway": gateway,
        ":gateway_options": options,
        ":gateway_state": state,
        ":payment": payment,
    })?;
    Ok(())
}
