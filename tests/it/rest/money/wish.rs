//! What a random wish comes to in the state that a sequence has reached.

use super::model::{Door, Model, Operation, Shares, Unapplying, Verdict};
use proptest::prelude::*;

/// An operation before anything is known: which of what there is, and how much of it.
#[derive(Debug, Clone)]
pub struct Wish {
    kind: u8,
    which: usize,
    amount: Amount,
    yes: bool,
    is_electronic: bool,
    door: Door,
    /// Whether a key goes with it, under which it is sent twice.
    pub has_key: bool,
}

#[derive(Debug, Clone)]
enum Amount {
    Cents(i64),
    /// The same, with cents for which the gateway has a rule.
    Scripted(i64, usize),
    /// All there is, and this much more.
    AllAnd(i64),
}

impl Amount {
    fn of(&self, all: i64) -> i64 {
        match self {
            Self::Cents(cents) => *cents,
            Self::Scripted(whole, rule) => whole * 100 + Verdict::SCRIPT[*rule].0,
            Self::AllAnd(more) => (all + more).max(1),
        }
    }
}

/// The most that a wish names without having looked at what there is, in whole units.
pub const WHOLE_MAX: i64 = 40;

pub fn wish() -> impl Strategy<Value = Wish> {
    let amount = prop_oneof![
        4 => (1_i64..=WHOLE_MAX * 100).prop_map(Amount::Cents),
        3 => (0..WHOLE_MAX, 0..Verdict::SCRIPT.len())
            .prop_map(|(whole, rule)| Amount::Scripted(whole, rule)),
        3 => Just(Amount::AllAnd(0)),
        1 => Just(Amount::AllAnd(1)),
    ];
    let door =
        prop_oneof![Just(Door::V1), Just(Door::Soap), Just(Door::Object), Just(Door::Action)];
    let flags = (any::<bool>(), any::<bool>(), 0_u8..5);
    (0_u8..32, any::<u16>(), amount, flags, door).prop_map(
        |(kind, which, amount, (yes, is_electronic, key), door)| {
            let (which, has_key) = (which.into(), key == 0);
            Wish { kind, which, amount, yes, is_electronic, door, has_key }
        },
    )
}

impl Wish {
    /// What it comes to; none when there is nothing to do it to.
    pub fn meant(&self, model: &Model) -> Option<Operation> {
        let pick = |count: usize| (count > 0).then(|| self.which % count);
        let is_electronic = self.is_electronic;
        Some(match self.kind {
            0 | 1 => {
                let item = self.amount.of(4_000);
                let tax = self.which.is_multiple_of(2).then_some(500);
                let is_posted = !self.which.is_multiple_of(3);
                Operation::CreateMemo { item, tax, is_posted }
            }
            2 | 3 => {
                // Mostly one that can be.
                let is_meant = |at: &usize| !self.yes || !model.memos[*at].is_posted;
                let memos: Vec<usize> = (0..model.memos.len()).filter(is_meant).collect();
                Operation::PostMemo { memo: memos[pick(memos.len())?] }
            }
            4..=6 => {
                let memo = pick(model.memos.len())?;
                let one = &model.memos[memo];
                let applied = |invoice| one.applied.get(&invoice).copied().unwrap_or(0);
                let shares = self.shares(model, one.unapplied(), applied);
                Operation::MoveMemo { memo, shares, is_apply: self.yes }
            }
            7 => {
                let amount = self.amount.of(5_000);
                let invoice = self.which % model.invoices.len();
                let applied = (self.which / 7 % 6_000) as i64;
                let shares = if self.yes { vec![(invoice, applied + 1)] } else { Vec::new() };
                Operation::CreatePayment { amount, is_electronic, shares }
            }
            8..=10 => {
                let payment = pick(model.payments.len())?;
                let one = &model.payments[payment];
                let shares = self.shares(model, one.unapplied(), |at| one.of_invoice(at));
                Operation::MovePayment { payment, shares, is_apply: self.yes }
            }
            11..=13 => {
                let memo = pick(model.memos.len())?;
                let amount = self.amount.of(model.memos[memo].unapplied());
                let lines = self.lines(model, memo, amount);
                Operation::RefundMemo { memo, amount, is_electronic, lines }
            }
            14..=16 => {
                let payment = pick(model.payments.len())?;
                let amount = self.amount.of(model.payments[payment].unapplied());
                Operation::RefundPayment { payment, amount, is_electronic }
            }
            17 | 18 => {
                let payment = pick(model.payments.len())?;
                let terms = self.unapplying(model, payment);
                Operation::UnapplyAndRefund { payment, terms, is_electronic }
            }
            19..=21 => self.refund_of_parts(model, pick(model.payments.len())?),
            _ => return self.of_refund(model),
        })
    }

    /// The refund of a payment's parts, by a door that names them.
    fn refund_of_parts(&self, model: &Model, payment: usize) -> Operation {
        let one = &model.payments[payment];
        let amount = self.amount.of(one.amount - one.refunded);
        let mut parts = Shares::new();
        let mut rest = amount;
        for part in one.parts.iter().filter(|_| self.yes) {
            let taken = part.left().min(rest);
            rest -= taken;
            if taken > 0 {
                parts.push((part.invoice, taken));
            }
        }
        let amount = if parts.is_empty() { amount } else { amount - rest.max(0) };
        let door = if self.door == Door::V1 { Door::Soap } else { self.door };
        Operation::RefundParts { payment, amount, is_electronic: self.is_electronic, parts, door }
    }

    /// What is done to a refund that is there.
    fn of_refund(&self, model: &Model) -> Option<Operation> {
        let waits = |at: &usize| model.refunds[*at].status == "Processing";
        let waiting: Vec<usize> = (0..model.refunds.len()).filter(waits).collect();
        let count = model.refunds.len();
        let refund = (count > 0).then(|| self.which % count)?;
        let door = self.door;
        Some(match self.kind {
            22 | 23 => Operation::Cancel { refund, door },
            24 | 25 => Operation::Delete { refund, door },
            26 => Operation::Update { refund, names_reference: self.yes },
            27..=29 => Operation::Reconcile { refund, is_settled: self.yes },
            _ => {
                let refund = match waiting.is_empty() {
                    false => waiting[self.which % waiting.len()],
                    true => refund,
                };
                Operation::Look { refund, door }
            }
        })
    }

    /// Shares of one invoice or two, to be applied or unapplied.
    fn shares(&self, model: &Model, unapplied: i64, applied: impl Fn(usize) -> i64) -> Shares {
        let first = self.which % model.invoices.len();
        let all = match self.yes {
            true => unapplied.min(model.invoices[first]),
            false => applied(first),
        };
        let mut shares = vec![(first, self.amount.of(all))];
        if self.which.is_multiple_of(5) {
            shares.push(((first + 1) % model.invoices.len(), 100));
        }
        shares
    }

    /// What a refund of a memo takes of its lines: nothing is said, what fits, or a cent too much.
    fn lines(&self, model: &Model, memo: usize, amount: i64) -> Vec<(usize, i64)> {
        let mut lines = Vec::new();
        let mut rest = amount;
        for (at, [all, refunded]) in model.memos[memo].lines.iter().enumerate() {
            let taken = (all - refunded).min(rest);
            rest -= taken;
            if taken > 0 && self.yes {
                lines.push((at, taken));
            }
        }
        if let (true, Some(first)) = (self.which.is_multiple_of(7), lines.first_mut()) {
            first.1 += 1;
        }
        lines
    }

    fn unapplying(&self, model: &Model, payment: usize) -> Unapplying {
        let one = &model.payments[payment];
        let amount = self.amount.of(one.amount - one.refunded);
        let amount = (!self.which.is_multiple_of(3)).then_some(amount);
        let mut shares = Shares::new();
        if self.yes {
            let invoice = self.which % model.invoices.len();
            shares.push((invoice, self.amount.of(one.of_invoice(invoice))));
        }
        Unapplying { amount, shares, writes_off: self.which.is_multiple_of(4) }
    }
}
