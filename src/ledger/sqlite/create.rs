//! Creating a refund inside the open transaction: look up facts, let the domain decide, debit with
//! a guard, and write the refund and its entry.

use super::rows;
use super::store::Store;
use crate::domain::custom_value::CustomValues;
use crate::domain::draft::RefundDraft;
use crate::domain::id::RefundId;
use crate::domain::money::MinorUnits;
use crate::domain::row_error::RowError;
use crate::domain::rules::{Asking, Decision, Facts, Payment, decide};
use crate::domain::vocabulary::{GatewayState, RefundStatus, SourceType};
use crate::ledger::{Order, RowResult, UserKey};
use rusqlite::{Connection, named_params, params};

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
    let balance = debit(store.connection(), &decision)?;
    insert_refund(store.connection(), id, created_ms, user, &decision)?;
    keep_custom(store.connection(), id, &decision.custom)?;
    let kind = match decision.payment {
        Payment::External => "refund",
        Payment::Electronic { .. } => "hold",
    };
    let debited = MinorUnits::new(-decision.amount.units());
    let movement = Movement { kind, delta: debited, balance, refund: id.number().value() };
    insert_entry(store.connection(), decision.account.0, &movement, created_ms)?;
    if let Payment::Electronic { gateway, payment_method, options } = decision.payment {
        orders.push(Order {
            refund: id,
            gateway,
            payment_method,
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
    let account = match draft.account_id.given() {
        Some(id) => rows::account(connection, id, needs_default)?,
        None => None,
    };
    let method = match method_id {
        Some(id) => rows::payment_method(connection, id)?,
        None => None,
    };
    let facts = Facts { tenant: store.tenant(), gateways: store.gateways(), account, method };
    Ok(decide(draft, &facts, asking))
}

/// Takes the amount off the balance and gives the new one. The guard repeats the rule, so that no
/// mistake elsewhere can ever overdraw; that it fails is an error of this program.
fn debit(connection: &Connection, decision: &Decision) -> rusqlite::Result<MinorUnits> {
    let update = "update account set balance = balance - ?2 \
                  where key = ?1 and balance >= ?2 returning balance";
    let mut statement = connection.prepare_cached(update)?;
    statement
        .query_row(params![decision.account.0, decision.amount.units()], |row| row.get(0))
        .map(MinorUnits::new)
}

/// Writes the refund, its entry being the next.
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
         gateway_state, entry) values (:number, :created_ms, :salt, :account, :amount, :type, \
         :source_type, :method_type, :payment_method, :status, :refund_date, :comment, \
         :reason_code, :soft_descriptor, :soft_descriptor_phone, :created_by, :gateway, \
         :gateway_options, :gateway_state, (select coalesce(max(key), 0) + 1 from entry))";
    let (status, gateway, options, state) = match &decision.payment {
        Payment::External => (RefundStatus::Processed, None, None, None),
        Payment::Electronic { gateway, options, .. } => {
            let options = (!options.is_empty()).then(|| serde_json::to_string(options));
            let options = options
                .transpose()
                .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
            let state = GatewayState::MarkedForSubmission.name();
            (RefundStatus::Processing, Some(gateway), options, Some(state))
        }
    };
    connection.prepare_cached(insert)?.execute(named_params! {
        ":number": id.number().value(),
        ":created_ms": created_ms,
        ":salt": id.salt(),
        ":account": decision.account.0,
        ":amount": decision.amount.units(),
        ":type": decision.payment.refund_type().name(),
        ":source_type": SourceType::CreditBalance.name(),
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
    })?;
    Ok(())
}

/// Keeps the values of the tenant's own fields beside a refund, if there are any.
fn keep_custom(
    connection: &Connection,
    refund: RefundId,
    values: &CustomValues,
) -> rusqlite::Result<()> {
    if values.is_empty() {
        return Ok(());
    }
    let json = serde_json::to_string(values)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    let update = "update refund set custom = ?2 where number = ?1";
    connection.prepare_cached(update)?.execute(params![refund.number().value(), json])?;
    Ok(())
}

/// A movement of a credit balance, and the balance after it.
pub(super) struct Movement {
    pub(super) kind: &'static str,
    pub(super) delta: MinorUnits,
    pub(super) balance: MinorUnits,
    pub(super) refund: i64,
}

/// Adds an entry behind a balance that was just changed.
pub(super) fn insert_entry(
    connection: &Connection,
    account: i64,
    movement: &Movement,
    at_ms: i64,
) -> rusqlite::Result<()> {
    let insert = "insert into entry (account, kind, delta, balance, refund, at_ms) \
                  values (?1, ?2, ?3, ?4, ?5, ?6)";
    let (delta, balance) = (movement.delta.units(), movement.balance.units());
    connection.prepare_cached(insert)?.execute(params![
        account,
        movement.kind,
        delta,
        balance,
        movement.refund,
        at_ms
    ])?;
    Ok(())
}
