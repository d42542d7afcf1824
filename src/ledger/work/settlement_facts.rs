//! Rows of credit memos, and what the drafts of the v1 operations name, as facts of the domain.

use super::facts::{self, Named};
use crate::domain::draft::credit_memo::ShareDraft;
use crate::domain::draft::refund_details::ObjectKey;
use crate::domain::draft::settlement_refunds::ItemDraft;
use crate::domain::facts::{
    Account, CreditMemo, ExistingRefund, MemoLine, MemoPart, NamedInvoice, Payment,
};
use crate::domain::id::ObjectId;
use crate::domain::money::MinorUnits;
use crate::domain::rules::named_line;
use crate::ledger::books::BooksError;
use crate::ledger::reconciliation::RefundName;
use crate::ledger::record::Field;
use crate::ledger::records::{
    self, ACCOUNT_BY_NUMBER, GATEWAY_BY_ID, GatewayIdentity, MEMO_BY_ID, MEMO_BY_NUMBER,
    MEMO_LINE_BY_ID, MEMO_LINE_BY_MEMO, MEMO_PART_BY_MEMO, Refund,
};
use crate::ledger::unit::Unit;

/// The row of a credit memo.
pub(super) fn memo_row(
    unit: &mut Unit<'_>,
    key: &ObjectKey,
) -> Result<Option<records::CreditMemo>, BooksError> {
    match key {
        ObjectKey::Id(id) => unit.find(&MEMO_BY_ID, &[id.stored()]),
        ObjectKey::Number(number) => unit.find(&MEMO_BY_NUMBER, &[number.stored()]),
    }
}

/// A credit memo with what of it is applied. How many of its lines refunds took of is counted only
/// where a refund names lines.
pub(super) fn memo(
    unit: &mut Unit<'_>,
    key: &ObjectKey,
    counts_lines: bool,
) -> Result<Option<CreditMemo>, BooksError> {
    let Some(row) = memo_row(unit, key)? else { return Ok(None) };
    let parts: Vec<records::MemoPart> = unit.all(&MEMO_PART_BY_MEMO, &[row.key.stored()])?;
    let parts = parts
        .into_iter()
        .map(|part| MemoPart { key: part.key, invoice: part.invoice, amount: part.amount })
        .collect();
    let mut refunded_lines = 0;
    if counts_lines {
        let lines: Vec<records::MemoLine> = unit.all(&MEMO_LINE_BY_MEMO, &[row.key.stored()])?;
        refunded_lines = lines.iter().filter(|line| line.refunded > MinorUnits::ZERO).count();
    }
    Ok(Some(CreditMemo {
        key: row.key,
        number: row.number,
        account: facts::account_by_key(unit, row.account)?,
        date: row.date.0,
        status: row.status.0,
        amount: row.amount,
        applied: row.applied,
        refunded: row.refunded,
        parts,
        refunded_lines,
    }))
}

/// The item or the tax that a draft names.
pub(super) fn memo_line(
    unit: &mut Unit<'_>,
    draft: &ItemDraft,
) -> Result<Option<MemoLine>, BooksError> {
    let Some(id) = named_line(draft) else { return Ok(None) };
    let row: Option<records::MemoLine> = unit.find(&MEMO_LINE_BY_ID, &[id.stored()])?;
    Ok(row.map(|row| MemoLine {
        key: row.key,
        id: row.id,
        memo: row.memo,
        is_tax: row.item.is_some(),
        amount: row.amount,
        refunded: row.refunded,
    }))
}

/// The payment that a path names.
pub(super) fn payment(unit: &mut Unit<'_>, key: &ObjectKey) -> Result<Option<Payment>, BooksError> {
    facts::payment(unit, Named::by(key))
}

/// The invoices that shares name, in their order.
pub(super) fn invoices(
    unit: &mut Unit<'_>,
    shares: &[ShareDraft],
) -> Result<Vec<NamedInvoice>, BooksError> {
    let mut found = Vec::with_capacity(shares.len());
    for share in shares {
        found.push(NamedInvoice {
            by_id: share.invoice_id.look_up(|id| facts::invoice(unit, Named::Id(id)))?,
            by_number: share
                .invoice_number
                .look_up(|number| facts::invoice(unit, Named::Number(number)))?,
        });
    }
    Ok(found)
}

/// The account of a number.
pub(super) fn account_by_number(
    unit: &mut Unit<'_>,
    number: &String,
) -> Result<Option<Account>, BooksError> {
    let row: Option<records::Account> = unit.find(&ACCOUNT_BY_NUMBER, &[number.stored()])?;
    row.map(|row| facts::account_by_key(unit, row.key)).transpose()
}

/// The name of the gateway of an id.
pub(super) fn gateway(unit: &mut Unit<'_>, id: &ObjectId) -> Result<Option<String>, BooksError> {
    let row: Option<GatewayIdentity> = unit.find(&GATEWAY_BY_ID, &[id.stored()])?;
    Ok(row.map(|row| row.name))
}

/// The row of the refund that a path names.
pub(super) fn refund_row(
    unit: &mut Unit<'_>,
    key: &ObjectKey,
) -> Result<Option<Refund>, BooksError> {
    let Some(name) = RefundName::parse(key.as_str()) else { return Ok(None) };
    match name {
        RefundName::Id(id) => facts::refund_row(unit, id),
        RefundName::Number(number) => Ok(unit.get::<Refund>(&(number,))?.cloned()),
    }
}

/// The refund that a path names, for those who want to change or delete it.
pub(super) fn refund(
    unit: &mut Unit<'_>,
    key: &ObjectKey,
) -> Result<Option<(Refund, ExistingRefund)>, BooksError> {
    let Some(row) = refund_row(unit, key)? else { return Ok(None) };
    let existing = facts::existing_refund(unit, &row)?;
    Ok(Some((row, existing)))
}
