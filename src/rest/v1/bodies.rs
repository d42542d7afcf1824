//! The bodies of the v1 operations beside the two refunds: credit memos, payments, and what is done
//! to them and to refunds.

use crate::domain::draft::credit_memo::{
    CreditMemoDraft, MemoItemDraft, MemoTaxDraft, ShareDraft, Step, StepDraft,
};
use crate::domain::draft::settlement_payment::SettlementPaymentDraft;
use crate::domain::draft::settlement_refunds::{RefundSettlementDraft, RefundUpdateDraft};
use crate::domain::reconciliation::Rejected;
use crate::domain::row_error::RowError;
use crate::domain::vocabulary::CustomizedObject;
use crate::json::Json;
use crate::rest::body::{Body, sent};

/// A credit memo: "Create a credit memo from a charge", with amounts of the items.
pub(in crate::rest) fn credit_memo(body: Body<'_>) -> Result<CreditMemoDraft, RowError> {
    let mut draft = CreditMemoDraft::default();
    body.each(|name, value| match name {
        "items" | "charges" => body.list(name, value, |item| {
            draft.items.push(memo_item(body, name, item)?);
            Ok(())
        }),
        _ => Ok(draft.set(name, sent(value))),
    })?;
    Ok(draft)
}

fn memo_item<'b>(body: Body<'b>, path: &str, item: &'b Json) -> Result<MemoItemDraft, RowError> {
    let mut draft = MemoItemDraft::default();
    let of_item = body.of(item);
    of_item.each_of(path, |name, value| match name {
        "taxItems" => body.list("items.taxItems", value, |tax| {
            let mut read = MemoTaxDraft::default();
            body.object("items.taxItems", tax, |name, value| read.set(name, value))?;
            draft.taxes.push(read);
            Ok(())
        }),
        _ => Ok(draft.set(name, sent(value))),
    })?;
    Ok(draft)
}

/// A payment: "Create a payment".
pub(in crate::rest) fn payment(body: Body<'_>) -> Result<SettlementPaymentDraft, RowError> {
    let mut draft = SettlementPaymentDraft::default();
    body.each(|name, value| match name {
        "invoices" => shares(body, name, value, |share| draft.invoices.push(share)),
        "debitMemos" => debit_memos(body, value),
        name if body.custom(CustomizedObject::Payment, name, value, &mut draft.custom) => Ok(true),
        _ => Ok(draft.set(name, sent(value))),
    })?;
    Ok(draft)
}

/// Posting, applying or unapplying; `draft` says which.
pub(in crate::rest) fn step(body: Body<'_>, mut draft: StepDraft) -> Result<StepDraft, RowError> {
    let has_shares = matches!(draft.step, Step::Apply(_) | Step::Unapply(_));
    body.each(|name, value| match name {
        "invoices" if has_shares => shares(body, name, value, |share| draft.add_share(share)),
        "debitMemos" if has_shares => debit_memos(body, value),
        _ => Ok(draft.set(name, sent(value))),
    })?;
    Ok(draft)
}

/// Which invoices get how much.
pub(super) fn shares<'b>(
    body: Body<'b>,
    path: &str,
    value: &'b Json,
    mut add: impl FnMut(ShareDraft),
) -> Result<bool, RowError> {
    body.list(path, value, |share| {
        let mut read = ShareDraft::default();
        body.object(path, share, |name, value| read.set(name, value))?;
        add(read);
        Ok(())
    })
}

/// That no debit memos are named.
pub(super) fn debit_memos<'b>(body: Body<'b>, value: &'b Json) -> Result<bool, RowError> {
    body.list("debitMemos", value, |_| Err(RowError::no_debit_memos()))
}

/// A change of the refund `key`: "Update a refund".
pub(in crate::rest) fn refund_update(
    body: Body<'_>,
    key: &str,
) -> Result<RefundUpdateDraft, RowError> {
    let mut draft = RefundUpdateDraft::of(key);
    body.each(|name, value| match name {
        "financeInformation" => {
            body.object(name, value, |name, value| draft.set_finance(name, value))
        }
        name if body.custom(CustomizedObject::Refund, name, value, &mut draft.custom) => Ok(true),
        _ => Ok(draft.set(name, sent(value))),
    })?;
    Ok(draft)
}

/// What a settlement says of the refund `key`: "Reconcile a refund"; `rejected` is what becomes of
/// one that its gateway rejects.
pub(in crate::rest) fn settlement(
    body: Body<'_>,
    key: &str,
    rejected: Rejected,
) -> Result<RefundSettlementDraft, RowError> {
    let mut draft = RefundSettlementDraft { rejected, ..RefundSettlementDraft::of(key) };
    body.each(|name, value| Ok(draft.set(name, sent(value))))?;
    Ok(draft)
}
