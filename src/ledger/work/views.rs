//! Rows as the v1 operations show them.
//!
//! What must stay true: only rows are read, so that a view inside a transaction and one by a reader
//! are made in the same way.

use super::facts::Named;
use super::refund_details;
use super::settlement_facts::{memo_row, refund_row};
use crate::domain::draft::batch::Drafts;
use crate::domain::draft::refund_details::ObjectKey;
use crate::domain::facts::{MemoKey, MethodKey};
use crate::domain::id::{IdKind, ObjectId};
use crate::domain::money::MinorUnits;
use crate::domain::vocabulary::{GatewayState, SourceType};
use crate::ledger::books::BooksError;
use crate::ledger::record::Field;
use crate::ledger::records::{
    self, Account, GatewayIdentity, MEMO_LINE_BY_MEMO, MemoLine, Method, MethodSnapshot,
    PAYMENT_BY_ID, PAYMENT_BY_NUMBER, REFUND_LINE_BY_REFUND, Refund, RefundDetail, RefundLine,
    User,
};
use crate::ledger::unit::Unit;
use crate::ledger::views::{
    CreditMemoView, MemoItemView, PaymentView, RefundPartItemView, RefundPartView, RefundView, View,
};
use crate::ledger::{RowResult, UserKey};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

/// How an object of a row is shown.
type Show = fn(&mut Unit<'_>, &ObjectKey) -> Result<Option<View>, BooksError>;

/// Adds to the rows of a v1 operation what they made, as the transaction leaves it.
pub(super) fn show_created(
    unit: &mut Unit<'_>,
    drafts: &Drafts,
    rows: &mut [RowResult],
) -> Result<(), BooksError> {
    match drafts {
        Drafts::MemoRefunds(_) | Drafts::PaymentRefunds(_) | Drafts::RefundSettlements(_) => {
            show(unit, rows, of_refund)
        }
        Drafts::CreditMemos(_) | Drafts::MemoSteps(_) => show(unit, rows, |unit, key| {
            Ok(credit_memo(unit, key)?.map(|view| View::CreditMemo(Box::new(view))))
        }),
        Drafts::SettlementPayments(_) | Drafts::PaymentSteps(_) => show(unit, rows, |unit, key| {
            Ok(payment(unit, key)?.map(|view| View::Payment(Box::new(view))))
        }),
        _ => Ok(()),
    }
}

/// Adds to rows what they made or changed, as the transaction leaves it.
pub(super) fn show(
    unit: &mut Unit<'_>,
    rows: &mut [RowResult],
    show: Show,
) -> Result<(), BooksError> {
    for saved in rows.iter_mut().flatten() {
        let view = show(unit, &ObjectKey::Id(saved.id.clone()))?;
        saved.show(view.ok_or(BooksError::Missing("a row that was made just now"))?);
    }
    Ok(())
}

/// The refund of a row.
pub(super) fn of_refund(unit: &mut Unit<'_>, key: &ObjectKey) -> Result<Option<View>, BooksError> {
    Ok(refund(unit, key)?.map(|view| View::Refund(Box::new(view))))
}

/// The refund that a path names.
pub fn refund(unit: &mut Unit<'_>, key: &ObjectKey) -> Result<Option<RefundView>, BooksError> {
    match refund_row(unit, key)? {
        Some(row) => refund_of(unit, row).map(Some),
        None => Ok(None),
    }
}

/// The refund of a row.
pub fn refund_of(unit: &mut Unit<'_>, row: Refund) -> Result<RefundView, BooksError> {
    let account: Account = unit.existing(&(row.account,))?;
    let method = method_id(unit, row.payment_method)?;
    let payment = match row.payment {
        Some(key) => Some(unit.existing::<records::Payment>(&(key,))?),
        None => None,
    };
    let detail = unit.get::<RefundDetail>(&(row.number,))?.cloned();
    let snapshot = snapshot_id(unit, detail.as_ref())?;
    let memo = match detail.as_ref().and_then(|detail| detail.credit_memo) {
        Some(key) => Some(unit.existing::<records::CreditMemo>(&(key,))?),
        None => None,
    };
    let gateway = gateway_of(unit, row.gateway.as_ref())?;
    let notes = refund_details::notes(detail.as_ref().map_or("{}", |detail| &detail.notes))?;
    let created_by_id = user_id(unit, row.created_by)?;
    let updated_by_id = user_id(unit, row.updated_by.unwrap_or(row.created_by))?;
    let gateway_state = row.gateway_state.unwrap_or(GatewayState::NotSubmitted);
    let (payment_id, payment_number) = payment.map(|payment| (payment.id, payment.number)).unzip();
    let (credit_memo_id, credit_memo_number) = memo.map(|memo| (memo.id, memo.number)).unzip();
    let (gateway_id, gateway_number) = gateway.map(|known| (known.id, known.number)).unzip();
    let detail = detail.as_ref();
    let text =
        |text: fn(&RefundDetail) -> &Option<String>| detail.and_then(|detail| text(detail).clone());
    Ok(RefundView {
        id: row.id().into(),
        number: row.number.to_string(),
        status: row.status,
        refund_type: row.refund_type,
        source_type: row.source_type,
        method_type: row.method_type,
        account_id: account.id,
        currency: account.currency,
        amount: row.amount,
        refund_date: row.refund_day,
        payment_method_id: method,
        payment_method_snapshot_id: snapshot,
        payment_id,
        payment_number,
        credit_memo_id,
        credit_memo_number,
        gateway_id,
        gateway_number,
        gateway_state,
        marked_for_submission_on: marked_on(&row),
        submitted_on: row.submitted_ms,
        settled_on: row.settled_ms,
        cancelled_on: row.cancelled_ms,
        created_date: row.created_ms,
        created_by_id,
        updated_date: row.updated_ms.unwrap_or(row.created_ms),
        updated_by_id,
        transferred_to_accounting: row.transferred_to_accounting.unwrap_or_else(|| "No".to_owned()),
        notes,
        reconciliation_status: text(|detail| &detail.reconciliation_status),
        reconciliation_reason: text(|detail| &detail.reconciliation_reason),
        payout_id: text(|detail| &detail.payout_id),
        transaction_type: detail.and_then(|detail| detail.transaction_type).map(|by| by.0),
        custom: object(row.custom.as_deref())?,
        comment: row.comment,
        reason_code: row.reason_code,
        gateway_response: row.gateway_response,
        gateway_response_code: row.gateway_response_code,
        reference_id: row.reference_id,
        second_reference_id: row.second_reference_id,
        soft_descriptor: row.soft_descriptor,
        soft_descriptor_phone: row.soft_descriptor_phone,
        written_off: None,
    })
}

/// What the refund that a path names took. One of a credit balance has no part.
pub fn refund_part(
    unit: &mut Unit<'_>,
    key: &ObjectKey,
) -> Result<Option<RefundPartView>, BooksError> {
    let Some(row) = refund_row(unit, key)? else { return Ok(None) };
    if row.source_type == SourceType::CreditBalance {
        return Ok(None);
    }
    let (number, created) = (row.number, row.created_ms);
    let mut items = Vec::new();
    for taken in unit.all::<RefundLine>(&REFUND_LINE_BY_REFUND, &[number.stored()])? {
        let line: MemoLine = unit.existing(&(taken.line,))?;
        let is_tax = line.item.is_some();
        items.push(RefundPartItemView {
            id: unit.row_id(IdKind::RefundPartItem, taken.created_ms, taken.key)?.into(),
            amount: taken.amount,
            memo_item_id: (!is_tax).then(|| line.id.clone()),
            tax_item_id: is_tax.then_some(line.id),
            created_date: taken.created_ms,
        });
    }
    let id = unit.row_id(IdKind::RefundPart, created, number.value())?.into();
    let refund = refund_of(unit, row)?;
    Ok(Some(RefundPartView {
        id,
        amount: refund.amount,
        payment_id: refund.payment_id.clone(),
        credit_memo_id: refund.credit_memo_id.clone(),
        items,
        refund,
    }))
}

/// The credit memo that a path names.
pub fn credit_memo(
    unit: &mut Unit<'_>,
    key: &ObjectKey,
) -> Result<Option<CreditMemoView>, BooksError> {
    match memo_row(unit, key)? {
        Some(row) => credit_memo_of(unit, row).map(Some),
        None => Ok(None),
    }
}

/// The credit memo of a row.
pub fn credit_memo_of(
    unit: &mut Unit<'_>,
    row: records::CreditMemo,
) -> Result<CreditMemoView, BooksError> {
    let account: Account = unit.existing(&(row.account,))?;
    let lines = lines_of(unit, row.key)?;
    let taxes = lines.iter().filter(|line| line.item.is_some());
    let tax_amount = MinorUnits::new(taxes.map(|line| line.amount.units()).sum());
    Ok(CreditMemoView {
        unapplied: row.unapplied(),
        id: row.id,
        number: row.number,
        account_id: account.id,
        account_number: account.number,
        currency: account.currency,
        status: row.status.0,
        date: row.date.0,
        amount: row.amount,
        tax_amount,
        applied: row.applied,
        refunded: row.refunded,
        comment: row.comment,
        reason_code: row.reason_code,
        posted_by_id: known_user(unit, row.posted_by)?,
        posted_on: row.posted_ms,
        cancelled_on: row.cancelled_ms,
        created_date: row.created_ms,
        created_by_id: known_user(unit, row.created_by)?,
        updated_date: row.updated_ms,
        updated_by_id: known_user(unit, row.updated_by)?,
    })
}

/// The items of the credit memo that a path names.
pub fn credit_memo_items(
    unit: &mut Unit<'_>,
    key: &ObjectKey,
) -> Result<Option<Vec<MemoItemView>>, BooksError> {
    let Some(row) = memo_row(unit, key)? else { return Ok(None) };
    let lines = lines_of(unit, row.key)?;
    let shown = |line: &MemoLine, taxes| MemoItemView {
        id: line.id.clone(),
        name: line.name.clone(),
        amount: line.amount,
        refunded: line.refunded,
        created_date: line.created_ms,
        updated_date: line.updated_ms,
        taxes,
    };
    let items = lines.iter().filter(|line| line.item.is_none());
    let items = items.map(|item| {
        let taxes = lines.iter().filter(|line| line.item == Some(item.key));
        shown(item, taxes.map(|tax| shown(tax, Vec::new())).collect())
    });
    Ok(Some(items.collect()))
}

fn lines_of(unit: &mut Unit<'_>, memo: MemoKey) -> Result<Vec<MemoLine>, BooksError> {
    unit.all(&MEMO_LINE_BY_MEMO, &[memo.stored()])
}

/// The payment that a path names.
pub fn payment(unit: &mut Unit<'_>, key: &ObjectKey) -> Result<Option<PaymentView>, BooksError> {
    let row: Option<records::Payment> = match Named::by(key) {
        Named::Id(id) => unit.find(&PAYMENT_BY_ID, &[id.stored()])?,
        Named::Number(number) => unit.find(&PAYMENT_BY_NUMBER, &[number.stored()])?,
    };
    row.map(|row| payment_of(unit, row)).transpose()
}

/// The payment of a row.
pub fn payment_of(unit: &mut Unit<'_>, row: records::Payment) -> Result<PaymentView, BooksError> {
    let account: Account = unit.existing(&(row.account,))?;
    let method = method_id(unit, row.payment_method)?;
    let gateway = gateway_of(unit, row.gateway.as_ref())?;
    let (gateway_id, gateway_number) = gateway.map(|known| (known.id, known.number)).unzip();
    Ok(PaymentView {
        unapplied: row.unapplied(),
        id: row.id,
        number: row.number,
        account_id: account.id,
        account_number: account.number,
        currency: account.currency,
        status: row.status.0,
        payment_type: row.payment_type.0,
        effective_date: row.effective_date.0,
        amount: row.amount,
        applied: row.applied,
        refunded: row.refunded,
        to_credit_balance: row.to_credit_balance,
        payment_method_id: method,
        gateway_id,
        gateway_number,
        is_settled: row.is_settled,
        reference_id: row.reference_id,
        comment: row.comment,
        created_date: row.created_ms,
        created_by_id: known_user(unit, row.created_by)?,
        updated_date: row.updated_ms,
        updated_by_id: known_user(unit, row.updated_by)?,
        custom: object(row.custom.as_deref())?,
    })
}

/// Since when a refund waits for its gateway, as long as it does.
fn marked_on(row: &Refund) -> Option<DateTime<Utc>> {
    let is_marked = row.gateway_state == Some(GatewayState::MarkedForSubmission);
    is_marked.then_some(row.created_ms)
}

fn method_id(
    unit: &mut Unit<'_>,
    method: Option<MethodKey>,
) -> Result<Option<ObjectId>, BooksError> {
    match method {
        Some(key) => Ok(unit.get::<Method>(&(key,))?.map(|method| method.id.clone())),
        None => Ok(None),
    }
}

fn snapshot_id(
    unit: &mut Unit<'_>,
    detail: Option<&RefundDetail>,
) -> Result<Option<ObjectId>, BooksError> {
    match detail.and_then(|detail| detail.snapshot) {
        Some(key) => Ok(unit.get::<MethodSnapshot>(&(key,))?.map(|snapshot| snapshot.id.clone())),
        None => Ok(None),
    }
}

fn gateway_of(
    unit: &mut Unit<'_>,
    name: Option<&String>,
) -> Result<Option<GatewayIdentity>, BooksError> {
    match name {
        Some(name) => Ok(unit.get::<GatewayIdentity>(&(name.clone(),))?.cloned()),
        None => Ok(None),
    }
}

fn user_id(unit: &mut Unit<'_>, user: UserKey) -> Result<ObjectId, BooksError> {
    Ok(unit.existing::<User>(&(user,))?.id)
}

fn known_user(unit: &mut Unit<'_>, user: Option<UserKey>) -> Result<Option<ObjectId>, BooksError> {
    user.map(|user| user_id(unit, user)).transpose()
}

/// The JSON object in a column.
fn object(column: Option<&str>) -> Result<Map<String, Value>, BooksError> {
    let read = column.map_or(Ok(Map::new()), serde_json::from_str);
    read.map_err(refund_details::unwritable)
}
