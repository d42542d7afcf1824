//! Credit memos: look up what a draft names, let the domain decide, write, and move the balances of
//! the invoices with what is applied to them.

use super::facts;
use super::movement::{move_invoice, negative, sum};
use super::numbering::{self, Numbered};
use super::settlement_facts;
use crate::domain::draft::credit_memo::{CreditMemoDraft, Step, StepDraft};
use crate::domain::facts::{AccountKey, MemoKey, MemoLineKey, MemoPartKey};
use crate::domain::id::{IdKind, ObjectId};
use crate::domain::money::MinorUnits;
use crate::domain::rules::{
    AppliedShare, Asking, NewMemoItem, decide_credit_memo, decide_memo_step,
};
use crate::domain::vocabulary::CreditMemoStatus;
use crate::ledger::books::BooksError;
use crate::ledger::record::{ByName, DayText, Field};
use crate::ledger::records::{
    CreditMemo, MEMO_BY_ID, MEMO_LINE_BY_MEMO, MEMO_PART_BY_MEMO, MemoLine, MemoPart,
};
use crate::ledger::unit::Unit;
use crate::ledger::{RowResult, Saved, UserKey};
use chrono::{DateTime, NaiveDate, Utc};

/// Makes a credit memo, or finds why not.
pub(super) fn create(
    unit: &mut Unit<'_>,
    user: UserKey,
    asking: &Asking,
    draft: &CreditMemoDraft,
) -> Result<RowResult, BooksError> {
    let by_id = draft.account_id.look_up(|id| facts::account(unit, id, false))?;
    let by_number =
        draft.account_number.look_up(|number| settlement_facts::account_by_number(unit, number))?;
    let accounts = (by_id.as_ref(), by_number.as_ref());
    let memo = match decide_credit_memo(draft, accounts, &unit.world.tenant, asking) {
        Ok(memo) => memo,
        Err(error) => return Ok(Err(error)),
    };
    let new = NewMemo {
        account: memo.account.key,
        date: memo.date,
        status: memo.status,
        amount: memo.amount,
        comment: memo.comment,
        reason_code: memo.reason_code,
    };
    let (key, saved) = insert(unit, user, new, asking.now)?;
    for item in &memo.items {
        let of_item = insert_line(unit, key, None, item, asking.now)?;
        for tax in &item.taxes {
            insert_line(unit, key, Some(of_item), tax, asking.now)?;
        }
    }
    Ok(Ok(saved))
}

/// Posts, gives up, applies or unapplies a credit memo, or finds why not.
pub(super) fn step(
    unit: &mut Unit<'_>,
    user: UserKey,
    asking: &Asking,
    draft: &StepDraft,
) -> Result<RowResult, BooksError> {
    let memo = settlement_facts::memo(unit, &draft.target, false)?;
    let (shares, sign) = match &draft.step {
        Step::Apply(shares) => (shares.as_slice(), 1),
        Step::Unapply(shares) => (shares.as_slice(), -1),
        Step::Post | Step::Cancel => (&[][..], 0),
    };
    let invoices = settlement_facts::invoices(unit, shares)?;
    let tenant = &unit.world.tenant;
    let shares = match decide_memo_step(draft, memo.as_ref(), &invoices, tenant, asking) {
        Ok(shares) => shares,
        Err(error) => return Ok(Err(error)),
    };
    let Some(memo) = memo else { return Err(BooksError::Missing("credit_memo")) };
    let (key, at) = (memo.key, asking.now);
    for share in shares {
        apply(unit, key, share, sign, at)?;
    }
    unit.change::<CreditMemo>(&(key,), |row| {
        match draft.step {
            Step::Post => {
                row.status = ByName(CreditMemoStatus::Posted);
                (row.posted_by, row.posted_ms) = (Some(user), Some(at));
            }
            Step::Cancel => {
                row.status = ByName(CreditMemoStatus::Canceled);
                row.cancelled_ms = Some(at);
            }
            Step::Apply(_) | Step::Unapply(_) => {}
        }
        (row.updated_by, row.updated_ms) = (Some(user), at);
    })?;
    Ok(Ok(unit.existing::<CreditMemo>(&(key,))?.id.into()))
}

/// What a new credit memo has beside its items.
pub(super) struct NewMemo {
    pub(super) account: AccountKey,
    pub(super) date: NaiveDate,
    pub(super) status: CreditMemoStatus,
    pub(super) amount: MinorUnits,
    pub(super) comment: Option<String>,
    pub(super) reason_code: Option<String>,
}

/// Adds a credit memo; gives its key, and what was made.
pub(super) fn insert(
    unit: &mut Unit<'_>,
    user: UserKey,
    memo: NewMemo,
    at: DateTime<Utc>,
) -> Result<(MemoKey, Saved), BooksError> {
    let key = numbering::next_key::<CreditMemo>(unit, "credit_memo")?;
    let id = ObjectId::from(unit.row_id(IdKind::CreditMemo, at, key)?);
    let number = Numbered::CreditMemo.next::<CreditMemo>(unit)?;
    let is_posted = memo.status == CreditMemoStatus::Posted;
    unit.insert(CreditMemo {
        key: MemoKey(key),
        id: id.clone(),
        number: number.clone(),
        account: memo.account,
        date: DayText(memo.date),
        status: ByName(memo.status),
        amount: memo.amount,
        applied: MinorUnits::ZERO,
        refunded: MinorUnits::ZERO,
        comment: memo.comment,
        reason_code: memo.reason_code,
        created_by: Some(user),
        created_ms: at,
        updated_by: Some(user),
        updated_ms: at,
        posted_by: is_posted.then_some(user),
        posted_ms: is_posted.then_some(at),
        cancelled_ms: None,
    })?;
    unit.know_none::<CreditMemo>(&MEMO_BY_ID, &[id.stored()]);
    unit.know_none::<MemoLine>(&MEMO_LINE_BY_MEMO, &[key.stored()]);
    unit.know_none::<MemoPart>(&MEMO_PART_BY_MEMO, &[key.stored()]);
    Ok((MemoKey(key), Saved::numbered(id, number)))
}

fn insert_line(
    unit: &mut Unit<'_>,
    memo: MemoKey,
    item: Option<MemoLineKey>,
    line: &NewMemoItem,
    at: DateTime<Utc>,
) -> Result<MemoLineKey, BooksError> {
    let key = numbering::next_key::<MemoLine>(unit, "credit_memo_line")?;
    let id = ObjectId::from(unit.row_id(IdKind::CreditMemoItem, at, key)?);
    unit.insert(MemoLine {
        key: MemoLineKey(key),
        id,
        memo,
        item,
        name: line.name.clone(),
        amount: line.amount,
        refunded: MinorUnits::ZERO,
        created_ms: at,
        updated_ms: at,
    })?;
    Ok(MemoLineKey(key))
}

/// Applies a share of a credit memo to its invoice (`sign` 1), or brings it back (-1): what is owed
/// on the invoice moves with it.
pub(super) fn apply(
    unit: &mut Unit<'_>,
    memo: MemoKey,
    share: AppliedShare,
    sign: i64,
    at: DateTime<Utc>,
) -> Result<(), BooksError> {
    let delta = MinorUnits::new(sign * share.amount.units());
    unit.change::<CreditMemo>(&(memo,), |row| {
        row.applied = sum(row.applied, delta);
        row.updated_ms = at;
    })?;
    let parts: Vec<MemoPart> = unit.all(&MEMO_PART_BY_MEMO, &[memo.stored()])?;
    match parts.iter().find(|part| part.invoice == share.invoice) {
        Some(part) => unit.change::<MemoPart>(&(part.key,), |row| {
            row.amount = sum(row.amount, delta);
            row.updated_ms = at;
        })?,
        None => {
            let key = unit.next_key::<MemoPart>()?;
            unit.insert(MemoPart {
                key: MemoPartKey(key),
                memo,
                invoice: share.invoice,
                amount: delta,
                seeded: MinorUnits::ZERO,
                created_ms: at,
                updated_ms: at,
            })?;
        }
    }
    move_invoice(unit, share.invoice, negative(delta), at)
}
