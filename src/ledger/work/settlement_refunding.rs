//! Refunds of credit memos and of unapplied payments: look up what a draft names, let the domain
//! decide, and have the refund written as any other.

use super::credit_memos::{self, NewMemo};
use super::{facts, refunding, settlement_facts, settlement_payments};
use crate::domain::draft::settlement_refunds::{MemoRefundDraft, PaymentRefundDraft};
use crate::domain::facts::AccountKey;
use crate::domain::rules::{
    AppliedShare, Asking, MemoRefundFacts, PaymentRefundFacts, Source, WriteOff,
    decide_memo_refund, decide_payment_refund,
};
use crate::domain::vocabulary::CreditMemoStatus;
use crate::ledger::books::BooksError;
use crate::ledger::records::Invoice;
use crate::ledger::unit::{Unit, World};
use crate::ledger::{Order, RowResult, UserKey, WrittenOff};

/// Refunds a credit memo, or finds why not.
pub(super) fn of_memo(
    unit: &mut Unit<'_>,
    user: UserKey,
    asking: &Asking,
    draft: &MemoRefundDraft,
    audit: i64,
    orders: &mut Vec<Order>,
) -> Result<RowResult, BooksError> {
    let memo = settlement_facts::memo(unit, &draft.memo, !draft.items.is_empty())?;
    let method = draft.payment_method_id.look_up(|id| facts::method(unit, id))?;
    let gateway = draft.gateway_id.look_up(|id| settlement_facts::gateway(unit, id))?;
    let mut lines = Vec::with_capacity(draft.items.len());
    for item in &draft.items {
        lines.push(settlement_facts::memo_line(unit, item)?);
    }
    let World { tenant, gateways, .. } = unit.world;
    let facts = MemoRefundFacts { tenant, gateways, memo, method, gateway, lines };
    match decide_memo_refund(draft, &facts, asking) {
        Ok(decision) => refunding::write(unit, user, asking, decision, audit, orders).map(Ok),
        Err(error) => Ok(Err(error)),
    }
}

/// Refunds the unapplied part of a payment, which may be unapplied first, or finds why not.
pub(super) fn of_payment(
    unit: &mut Unit<'_>,
    user: UserKey,
    asking: &Asking,
    draft: &PaymentRefundDraft,
    audit: i64,
    orders: &mut Vec<Order>,
) -> Result<RowResult, BooksError> {
    let payment = settlement_facts::payment(unit, &draft.payment)?;
    let named = draft.unapply.as_ref().map_or(&[][..], |unapply| &unapply.invoices);
    let invoices = settlement_facts::invoices(unit, named)?;
    let World { tenant, gateways, .. } = unit.world;
    let facts = PaymentRefundFacts { tenant, gateways, payment, invoices };
    let decided = match decide_payment_refund(draft, &facts, asking) {
        Ok(decided) => decided,
        Err(error) => return Ok(Err(error)),
    };
    if let Source::Payment { payment, .. } = decided.refund.source {
        for share in &decided.unapplied {
            settlement_payments::unapply(unit, payment, *share, asking.now)?;
        }
    }
    let mut written_off = Vec::new();
    if let Some(memos) = &decided.write_off {
        for share in &decided.unapplied {
            let account = decided.refund.account;
            written_off.push(write_off(unit, (user, asking), account, memos, *share)?);
        }
    }
    let mut saved = refunding::write(unit, user, asking, decided.refund, audit, orders)?;
    saved.written_off = draft.unapply.is_some().then(|| written_off.into());
    Ok(Ok(saved))
}

/// Writes off what came back from an invoice: a posted credit memo that is applied to it.
fn write_off(
    unit: &mut Unit<'_>,
    (user, asking): (UserKey, &Asking),
    account: AccountKey,
    memos: &WriteOff,
    share: AppliedShare,
) -> Result<WrittenOff, BooksError> {
    let memo = NewMemo {
        account,
        date: memos.date,
        status: CreditMemoStatus::Posted,
        amount: share.amount,
        comment: Some(memos.comment.clone()),
        reason_code: memos.reason_code.clone(),
    };
    let (memo, saved) = credit_memos::insert(unit, user, memo, asking.now)?;
    credit_memos::apply(unit, memo, share, 1, asking.now)?;
    let invoice = unit.existing::<Invoice>(&(share.invoice,))?.number.clone();
    let memo = saved.number.map(|number| number.to_string()).unwrap_or_default();
    Ok(WrittenOff { memo, invoice, amount: share.amount })
}
