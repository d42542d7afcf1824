//! Creating refunds inside the open transaction: look up facts, let the domain decide, debit with
//! a guard, write the refund and its entry, and store the answer for an idempotency key.

use super::billing_rows::{self, Named};
use super::store::Store;
use super::{movement, rows};
use crate::domain::draft::RefundDraft;
use crate::domain::id::RefundId;
use crate::domain::row_error::RowError;
use crate::domain::rules::{Asking, Decision, Facts, Payout, Source, decide, source_of};
use crate::domain::vocabulary::{GatewayState, RefundStatus, SourceType};
use crate::ledger::{CreateRefunds, Created, Idempotency, Order, RowResult, UserKey};
use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Connection, OptionalExtension, named_params, params};

/// How long a stored answer is kept.
const ANSWERS_KEPT: TimeDelta = TimeDelta::hours(24);

/// Does the whole request, or finds that it was done before.
pub(super) fn create_refunds(
    store: &mut Store,
    request: &CreateRefunds,
) -> rusqlite::Result<Created> {
    let now = request.asking.now;
    if let Some(once) = &request.idempotency
        && let Some(earlier) = earlier_answer(store.connection(), request.user, once, now)?
    {
        return Ok(earlier);
    }
    let mut rows = Vec::with_capacity(request.drafts.len());
    let mut orders = Vec::new();
    for draft in &request.drafts {
        rows.push(create_one(store, request, draft, &mut orders)?);
    }
    let answer = match &request.idempotency {
        None => None,
        Some(once) => Some(keep_answer(store.connection(), request.user, once, &rows, now)?),
    };
    Ok(Created::Fresh { rows, orders, answer })
}

fn create_one(
    store: &mut Store,
    request: &CreateRefunds,
    draft: &RefundDraft,
    orders: &mut Vec<Order>,
) -> rusqlite::Result<RowResult> {
    let decision = match decide_one(store, draft, &request.asking)? {
        Ok(decision) => decision,
        Err(error) => return Ok(Err(error)),
    };
    let (id, created_ms) = store.next_refund_id(request.asking.now)?;
    insert_refund(store.connection(), id, created_ms, request.user, &decision)?;
    movement::take(store.connection(), id.number(), &decision, created_ms)?;
    if let Payout::Electronic { gateway, payment_method, options } = decision.payout {
        orders.push(Order {
            refund: id,
            gateway,
            payment_method,
            amount: decision.amount,
            currency: decision.currency,
            options,
        });
    }
    Ok(Ok(id))
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
    let account = match draft.account_id.given() {
        Some(id) => rows::account(connection, id, needs_default)?,
        None => None,
    };
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
         iif(:payment is null, (select coalesce(max(key), 0) + 1 from entry), null))";
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

/// What was answered under this key within its time, if anything was.
fn earlier_answer(
    connection: &Connection,
    user: UserKey,
    once: &Idempotency,
    now: DateTime<Utc>,
) -> rusqlite::Result<Option<Created>> {
    let kept_since = (now - ANSWERS_KEPT).timestamp_millis();
    let select = "select fingerprint, answer from idempotency \
                  where user = ?1 and operation = ?2 and key = ?3 and at_ms >= ?4";
    let mut statement = connection.prepare_cached(select)?;
    let found = statement
        .query_row(params![user.0, once.operation, once.key, kept_since], |row| {
            Ok((row.get::<_, [u8; 32]>(0)?, row.get(1)?))
        })
        .optional()?;
    Ok(found.map(|(fingerprint, answer)| {
        if fingerprint == once.fingerprint { Created::Replayed(answer) } else { Created::KeyReused }
    }))
}

/// Stores the answer to a request with a key, and gives it.
fn keep_answer(
    connection: &Connection,
    user: UserKey,
    once: &Idempotency,
    rows: &[RowResult],
    now: DateTime<Utc>,
) -> rusqlite::Result<Vec<u8>> {
    let answer = (once.render)(rows);
    // A few at a time: a busy day leaves very many, and everybody waits for the writer.
    let forget = "delete from idempotency where (user, operation, key) in ( \
                  select user, operation, key from idempotency where at_ms < ?1 limit 100)";
    let kept_since = (now - ANSWERS_KEPT).timestamp_millis();
    connection.prepare_cached(forget)?.execute(params![kept_since])?;
    let insert = "insert or replace into idempotency \
                  (user, operation, key, fingerprint, answer, at_ms) \
                  values (?1, ?2, ?3, ?4, ?5, ?6)";
    let at_ms = now.timestamp_millis();
    connection.prepare_cached(insert)?.execute(params![
        user.0,
        once.operation,
        once.key,
        once.fingerprint,
        answer,
        at_ms
    ])?;
    Ok(answer)
}
