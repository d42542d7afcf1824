//! Loading a refund with what has to be known of it to change it, to delete it, or to end it.

use super::loading::{Seen, all, balance, each, row, row_of_invoice, rows};
use super::naming::Purpose;
use crate::domain::id::RefundNumber;
use crate::domain::refund_name::RefundName;
use crate::domain::vocabulary::SourceType;
use crate::ledger::record::Field;
use crate::ledger::records::{
    Account, Balance, Collected, CreditMemo, Inquiry, MemoLine, Method, MethodSnapshot, Part,
    Payment, REFUND_LINE_BY_REFUND, Refund, RefundDetail, RefundLine, SENDING_OF_REFUND, Sending,
    SendingKind, TAKEN_BY_REFUND, TakenPart, User,
};
use crate::ledger::unit::Unit;

/// A refund with what has to be known of it for a purpose.
pub(super) fn refund(unit: &mut Unit<'_>, name: RefundName, purpose: Purpose) -> Seen {
    let number = name.number();
    let detail = match purpose {
        Purpose::Change | Purpose::End { .. } => Ok(()),
        Purpose::ChangeAndShow | Purpose::Delete | Purpose::Settle { .. } => {
            row::<RefundDetail>(unit, &(number,))
        }
    };
    let inquiry = match purpose {
        Purpose::End { .. } => row::<Inquiry>(unit, &(number,)),
        _ => Ok(()),
    };
    let found = unit.see::<Refund>(&(number,)).map(Option::<&_>::cloned);
    let Some(refund) = all([detail, inquiry]).and(found)? else { return Ok(()) };
    let counted = match purpose {
        Purpose::End { gives_back: false } | Purpose::Settle { gives_back: false } => Ok(()),
        Purpose::End { .. } | Purpose::Settle { .. } => given_back(unit, &refund),
        Purpose::Change | Purpose::ChangeAndShow | Purpose::Delete => cancelled(unit, &refund),
    };
    all([taken(unit, &refund), shown(unit, &refund, purpose), counted])
}

/// What a refund took, with the invoices that it opened.
fn taken(unit: &mut Unit<'_>, refund: &Refund) -> Seen {
    let number = [Field::stored(&refund.number)];
    let parts = match refund.payment {
        None => Ok(Vec::new()),
        Some(_) => unit.see_each(&TAKEN_BY_REFUND, &number, |row: &TakenPart| row.invoice_payment),
    };
    let account = row::<Account>(unit, &(refund.account,));
    let payment = refund.payment.map_or(Ok(()), |key| row::<Payment>(unit, &(key,)));
    let parts = parts.and_then(|parts| {
        each(unit, &parts, |unit, part| {
            let invoice = unit.see::<Part>(&(part,))?.map(|part| part.invoice);
            invoice.map_or(Ok(()), |key| row_of_invoice(unit, key))
        })
    });
    all([account, payment, parts])
}

/// What is reported of a refund to webhooks and to clients of the v1 operations, and what is
/// removed with it.
fn shown(unit: &mut Unit<'_>, refund: &Refund, purpose: Purpose) -> Seen {
    let is_deleted = purpose == Purpose::Delete;
    let balance = match is_deleted {
        true => balance(unit, refund.account),
        false if unit.world.keeps_events => row::<Balance>(unit, &(refund.account,)),
        false => Ok(()),
    };
    let method = refund.payment_method.map_or(Ok(()), |key| row::<Method>(unit, &(key,)));
    let removed = match is_deleted {
        true => all([
            rows::<RefundLine>(unit, &REFUND_LINE_BY_REFUND, &refund.number),
            rows::<TakenPart>(unit, &TAKEN_BY_REFUND, &refund.number),
        ]),
        false => Ok(()),
    };
    let creator = match purpose {
        Purpose::ChangeAndShow => {
            all([row::<User>(unit, &(refund.created_by,)), memo_and_snapshot(unit, refund.number)])
        }
        _ => Ok(()),
    };
    all([balance, method, removed, creator])
}

fn memo_and_snapshot(unit: &mut Unit<'_>, number: RefundNumber) -> Seen {
    let detail = unit.see::<RefundDetail>(&(number,))?;
    let Some((memo, snapshot)) = detail.map(|detail| (detail.credit_memo, detail.snapshot)) else {
        return Ok(());
    };
    all([
        memo.map_or(Ok(()), |memo| row::<CreditMemo>(unit, &(memo,))),
        snapshot.map_or(Ok(()), |snapshot| row::<MethodSnapshot>(unit, &(snapshot,))),
    ])
}

/// What gets the money of a refund back.
fn given_back(unit: &mut Unit<'_>, refund: &Refund) -> Seen {
    if refund.entry.is_some() {
        return balance(unit, refund.account);
    }
    if refund.payment.is_none() {
        return memo_given_back(unit, refund.number);
    }
    let of_refund = [Field::stored(&refund.number), SendingKind::Sent.stored()];
    let sent = unit.see_one::<Sending>(&SENDING_OF_REFUND, &of_refund)?;
    let collected = sent.map(|row| (row.reference.clone(), row.gateway.clone()));
    collected.map_or(Ok(()), |key| row::<Collected>(unit, &key))
}

/// What gets the money of a refund back that is cancelled, beside the parts of its payment.
fn cancelled(unit: &mut Unit<'_>, refund: &Refund) -> Seen {
    match refund.source_type {
        SourceType::CreditMemo => memo_given_back(unit, refund.number),
        SourceType::CreditBalance | SourceType::Payment => Ok(()),
    }
}

fn memo_given_back(unit: &mut Unit<'_>, number: RefundNumber) -> Seen {
    let detail = unit.see::<RefundDetail>(&(number,)).map(Option::<&_>::cloned);
    let of_refund = [Field::stored(&number)];
    let lines = unit.see_each(&REFUND_LINE_BY_REFUND, &of_refund, |row: &RefundLine| row.line);
    let lines =
        lines.and_then(|lines| each(unit, &lines, |unit, key| row::<MemoLine>(unit, &(key,))));
    let memo = detail?.and_then(|detail| detail.credit_memo);
    all([lines, memo.map_or(Ok(()), |memo| row::<CreditMemo>(unit, &(memo,)))])
}
