//! What the ledger is compared with: a model that counts every cent of memos and payments in the
//! plainest way there is.

use super::settlement::{INVOICES, Step};
use std::collections::BTreeMap;

#[derive(Debug, Clone, Default)]
pub(super) struct MemoModel {
    pub(super) item: i64,
    pub(super) tax: i64,
    pub(super) item_refunded: i64,
    pub(super) tax_refunded: i64,
    pub(super) is_posted: bool,
    pub(super) is_draft: bool,
    pub(super) applied: BTreeMap<usize, i64>,
    pub(super) refunded: i64,
}

impl MemoModel {
    pub(super) fn unapplied(&self) -> i64 {
        self.item + self.tax - self.applied.values().sum::<i64>() - self.refunded
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct PaymentModel {
    pub(super) amount: i64,
    pub(super) is_electronic: bool,
    pub(super) applied: BTreeMap<usize, i64>,
    /// The invoices in the order in which it paid them first.
    pub(super) order: Vec<usize>,
    pub(super) refunded: i64,
    /// What its gateway was asked for and did not decline.
    pub(super) sent: i64,
}

impl PaymentModel {
    pub(super) fn unapplied(&self) -> i64 {
        self.amount - self.applied.values().sum::<i64>() - self.refunded
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Open,
    Processed,
    Ended,
    Canceled,
    Gone,
}

#[derive(Debug, Clone)]
pub(super) struct RefundModel {
    pub(super) memo: Option<usize>,
    pub(super) payment: Option<usize>,
    pub(super) amount: i64,
    pub(super) of_item: Option<bool>,
    pub(super) standing: Standing,
}

#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) owed: [i64; INVOICES],
    pub(super) memos: Vec<MemoModel>,
    pub(super) payments: Vec<PaymentModel>,
    pub(super) refunds: Vec<RefundModel>,
}

/// Moves an amount between what is applied to an invoice and what is not, if it is there.
fn shift(
    applied: &mut BTreeMap<usize, i64>,
    unapplied: i64,
    owed: &mut i64,
    (invoice, amount, is_apply): (usize, i64, bool),
) -> bool {
    let there = applied.get(&invoice).copied().unwrap_or(0);
    let may = if is_apply { amount <= unapplied && amount <= *owed } else { amount <= there };
    if may {
        let delta = if is_apply { amount } else { -amount };
        applied.insert(invoice, there + delta);
        *owed -= delta;
    }
    may
}

impl Model {
    /// Does a step, if it may be done; none where what it names is not there.
    pub(super) fn take(&mut self, step: &Step) -> Option<bool> {
        Some(match *step {
            Step::Memo { item, tax, is_posted } => {
                let is_draft = !is_posted;
                self.memos.push(MemoModel { item, tax, is_posted, is_draft, ..Default::default() });
                true
            }
            Step::Post { memo, gives_up } => {
                let memo = self.memos.get_mut(memo)?;
                let may = memo.is_draft;
                if may {
                    (memo.is_draft, memo.is_posted) = (false, !gives_up);
                }
                may
            }
            Step::MoveMemo { memo, invoice, amount, is_apply } => {
                let memo = self.memos.get_mut(memo)?;
                let unapplied = memo.unapplied();
                let owed = self.owed.get_mut(invoice)?;
                let moved = (invoice, amount, is_apply);
                memo.is_posted && shift(&mut memo.applied, unapplied, owed, moved)
            }
            Step::Payment { amount, is_electronic, applied } => {
                let mut payment = PaymentModel { amount, is_electronic, ..Default::default() };
                let may = match applied {
                    None => true,
                    Some((invoice, part)) => {
                        let owed = self.owed.get_mut(invoice)?;
                        payment.order.push(invoice);
                        shift(&mut payment.applied, amount, owed, (invoice, part, true))
                    }
                };
                if may {
                    self.payments.push(payment);
                }
                may
            }
            Step::MovePayment { payment, invoice, amount, is_apply } => {
                let payment = self.payments.get_mut(payment)?;
                let unapplied = payment.unapplied();
                let owed = self.owed.get_mut(invoice)?;
                let may = shift(&mut payment.applied, unapplied, owed, (invoice, amount, is_apply));
                if may && !payment.order.contains(&invoice) {
                    payment.order.push(invoice);
                }
                may
            }
            Step::RefundMemo { .. } => return self.refund_memo(step),
            Step::RefundPayment { .. } => return self.refund_payment(step),
            Step::Verdict { .. } | Step::Cancel { .. } | Step::Delete { .. } => {
                return self.end(step);
            }
        })
    }

    pub(super) fn refund_memo(&mut self, step: &Step) -> Option<bool> {
        let Step::RefundMemo { memo: place, amount, is_electronic, of_item } = *step else {
            return None;
        };
        let memo = self.memos.get_mut(place)?;
        if of_item == Some(false) && memo.tax == 0 {
            return None;
        }
        let line = match of_item {
            None => i64::MAX,
            Some(true) => memo.item - memo.item_refunded,
            Some(false) => memo.tax - memo.tax_refunded,
        };
        let may = memo.is_posted && amount <= memo.unapplied() && amount <= line;
        if may {
            memo.take(amount, of_item);
            self.add(Some(place), None, amount, of_item, is_electronic);
        }
        Some(may)
    }

    pub(super) fn refund_payment(&mut self, step: &Step) -> Option<bool> {
        let Step::RefundPayment { payment: place, amount, is_electronic, unapplies } = *step else {
            return None;
        };
        let payment = self.payments.get_mut(place)?;
        let applied: i64 = payment.applied.values().sum();
        let back = if unapplies { amount.min(applied) } else { 0 };
        let sent = if is_electronic { payment.sent + amount } else { 0 };
        let may = amount <= payment.unapplied() + back
            && (!is_electronic || payment.is_electronic)
            && sent <= payment.amount;
        if may {
            let mut needed = back;
            for (invoice, applied) in payment.order() {
                let taken = applied.min(needed);
                needed -= taken;
                *payment.applied.entry(invoice).or_default() -= taken;
                self.owed[invoice] += taken;
            }
            payment.refunded += amount;
            payment.sent += if is_electronic { amount } else { 0 };
            self.add(None, Some(place), amount, None, is_electronic);
        }
        Some(may)
    }

    /// A verdict, a cancellation or a deletion.
    pub(super) fn end(&mut self, step: &Step) -> Option<bool> {
        let (place, from, to) = match *step {
            Step::Verdict { refund, approves: true } => {
                (refund, Standing::Open, Standing::Processed)
            }
            Step::Verdict { refund, approves: false } => (refund, Standing::Open, Standing::Ended),
            Step::Cancel { refund } => (refund, Standing::Processed, Standing::Canceled),
            Step::Delete { refund } => (refund, Standing::Canceled, Standing::Gone),
            _ => return None,
        };
        let refund = self.refunds.get_mut(place)?;
        if refund.standing != from {
            return Some(false);
        }
        refund.standing = to;
        let refund = refund.clone();
        match to {
            Standing::Ended => self.give_back(&refund, true),
            Standing::Canceled => self.give_back(&refund, false),
            Standing::Open | Standing::Processed | Standing::Gone => {}
        }
        Some(true)
    }

    pub(super) fn add(
        &mut self,
        memo: Option<usize>,
        payment: Option<usize>,
        amount: i64,
        of_item: Option<bool>,
        is_electronic: bool,
    ) {
        let standing = if is_electronic { Standing::Open } else { Standing::Processed };
        let refund = RefundModel { memo, payment, amount, of_item, standing };
        self.refunds.push(refund);
    }

    pub(super) fn give_back(&mut self, refund: &RefundModel, was_never_paid: bool) {
        if let Some(memo) = refund.memo {
            self.memos[memo].take(-refund.amount, refund.of_item);
        }
        if let Some(payment) = refund.payment {
            let payment = &mut self.payments[payment];
            payment.refunded -= refund.amount;
            payment.sent -= if was_never_paid { refund.amount } else { 0 };
        }
    }
}

impl MemoModel {
    pub(super) fn take(&mut self, amount: i64, of_item: Option<bool>) {
        self.refunded += amount;
        match of_item {
            None => {}
            Some(true) => self.item_refunded += amount,
            Some(false) => self.tax_refunded += amount,
        }
    }
}

impl PaymentModel {
    /// What is applied to which invoice, in the order in which the parts were made.
    pub(super) fn order(&self) -> Vec<(usize, i64)> {
        let applied = |invoice: &usize| (*invoice, self.applied.get(invoice).copied().unwrap_or(0));
        self.order.iter().map(applied).collect()
    }
}
