//! Refunds of credit memos and of unapplied payments: look up what a draft names, let the domain
//! decide, and have the refund written as any other.

use super::credit_memos::{self, NewMemo};
use super::{facts, refunding, settlement_facts, settlement_payments};
use crate::domain::calendar::day_at;
use crate::domain::draft::settlement_refunds::{MemoRefundDraft, PaymentRefundDraft};
use crate::domain::facts::AccountKey;
use crate::domain::rules::{
    AppliedShare, Asking, MemoRefundFacts, PaymentRefundFacts, Source, decide_memo_refund,
    decide_payment_refund,
};
use crate::domain::vocabulary::CreditMemoStatus;
use crate::ledger::books::BooksError;
use crate::ledger::unit::{Unit, World};
use crate::ledger::{Order, RowResult, UserKey};

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
    if decided.writes_off {
        write_off(unit, user, asking, decided.refund.account, &decided.unapplied)?;
    }
    refunding::write(unit, user, asking, decided.refund, audit, orders).map(Ok)
}

/// Writes off what came back from invoices: a posted credit memo for each, applied to it.
fn write_off(
    unit: &mut Unit<'_>,
    user: UserKey,
    asking: &Asking,
    account: AccountKey,
    shares: &[AppliedShare],
) -> Result<(), BooksError> {
    let tenant = &unit.world.tenant;
    let reason_code = tenant.credit_memo_reason_codes.first().cloned();
    let date = day_at(asking.now, tenant.time_zone);
    for share in shares {
        let memo = NewMemo {
            account,
            date,
            status: CreditMemoStatus::Posted,
            amount: share.amount,
            comment: Some("Write-off".to_owned()),
            reason_code: reason_code.clone(),
        };
        let (memo, _) = credit_memos::insert(unit, user, memo, asking.now)?;
        credit_memos::apply(unit, memo, *share, 1, asking.now)?;
    }
    Ok(())
}
