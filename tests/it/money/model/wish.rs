//! What is tried: wishes that know nothing of the state, and the operations that they come to.

use super::{Model, Payment, Source};
use proptest::prelude::*;

/// An operation, with everything that it names.
#[derive(Debug)]
pub enum Operation {
    /// Of a day so many days ago.
    RefundBalance {
        amount: i64,
        is_electronic: bool,
        days_ago: i64,
    },
    RefundPayment {
        payment: usize,
        amount: i64,
        is_electronic: bool,
        parts: Vec<(usize, i64)>,
    },
    End {
        refund: usize,
        is_approved: bool,
    },
    CancelRefund {
        refund: usize,
    },
    DeleteRefund {
        refund: usize,
    },
    Adjust {
        is_increase: bool,
        source: Source,
        amount: i64,
    },
    CancelAdjustment {
        adjustment: usize,
    },
    /// A payment of what is applied to an invoice, what becomes credit, and a rest.
    Pay {
        is_electronic: bool,
        reference: Option<u8>,
        invoice: usize,
        applied: i64,
        to_balance: i64,
        rest: i64,
    },
    /// The same without a rest, as a draft.
    Draft {
        is_electronic: bool,
        reference: Option<u8>,
        invoice: usize,
        applied: i64,
        to_balance: i64,
    },
    /// A draft becomes a payment.
    Process {
        payment: usize,
    },
    /// What a payment has left pays an invoice.
    Apply {
        payment: usize,
        invoice: usize,
        amount: i64,
    },
    TakeBackPayment {
        payment: usize,
    },
    /// A Charge or a Credit of an invoice, or of one of its lines.
    AdjustInvoice {
        invoice: usize,
        line: Option<usize>,
        is_charge: bool,
        amount: i64,
    },
    CancelInvoiceAdjustment {
        adjustment: usize,
    },
    DeleteInvoiceAdjustment {
        adjustment: usize,
    },
    /// The gateway is to know a payment by another reference; by its number where there is none.
    Rename {
        payment: usize,
        reference: Option<u8>,
    },
}

impl Operation {
    /// How many kinds there are.
    pub const KINDS: usize = 16;

    pub const fn kind(&self) -> &'static str {
        match self {
            Self::RefundBalance { .. } => "refund of the balance",
            Self::RefundPayment { .. } => "refund of a payment",
            Self::End { .. } => "end",
            Self::CancelRefund { .. } => "cancel",
            Self::DeleteRefund { .. } => "delete",
            Self::Adjust { .. } => "adjust",
            Self::CancelAdjustment { .. } => "cancel an adjustment",
            Self::Pay { .. } => "pay",
            Self::Draft { .. } => "draft",
            Self::Process { .. } => "process",
            Self::Apply { .. } => "apply",
            Self::TakeBackPayment { .. } => "take a payment back",
            Self::AdjustInvoice { .. } => "adjust an invoice",
            Self::CancelInvoiceAdjustment { .. } => "cancel an invoice's adjustment",
            Self::DeleteInvoiceAdjustment { .. } => "delete an invoice's adjustment",
            Self::Rename { .. } => "rename",
        }
    }
}

/// An operation before anything is known: which of what there is, and how much of it.
#[derive(Debug, Clone)]
pub struct Wish {
    kind: u8,
    which: usize,
    amount: Amount,
    yes: bool,
    parts: Parts,
    days_ago: i64,
}

/// More days than any account has been open.
pub const BEFORE_EVERYTHING: i64 = 30_000;

#[derive(Debug, Clone)]
enum Amount {
    Cents(i64),
    /// All there is, and this much more.
    AllAnd(i64),
}

impl Amount {
    fn of(&self, all: i64) -> i64 {
        match self {
            Self::Cents(cents) => *cents,
            Self::AllAnd(more) => (all + more).max(1),
        }
    }
}

#[derive(Debug, Clone)]
enum Parts {
    Untold,
    /// As much of each part as the amount reaches.
    Fitting,
    /// The same, and a cent more of the first.
    Wrong,
}

pub fn wish() -> impl Strategy<Value = Wish> {
    let amount = prop_oneof![
        3 => (1_i64..=6000).prop_map(Amount::Cents),
        2 => Just(Amount::AllAnd(0)),
        1 => Just(Amount::AllAnd(1)),
    ];
    let parts =
        prop_oneof![2 => Just(Parts::Untold), 3 => Just(Parts::Fitting), 1 => Just(Parts::Wrong)];
    let days_ago = prop_oneof![4 => Just(0), 4 => 1_i64..6, 1 => Just(BEFORE_EVERYTHING)];
    (0_u8..32, any::<u16>(), amount, any::<bool>(), parts, days_ago).prop_map(
        |(kind, which, amount, yes, parts, days_ago)| {
            let which = which.into();
            Wish { kind, which, amount, yes, parts, days_ago }
        },
    )
}

impl Model {
    /// References that are few enough to meet again.
    fn reference_of(wish: &Wish) -> Option<u8> {
        (!wish.which.is_multiple_of(4)).then_some(u8::from((wish.which / 4).is_multiple_of(4)))
    }

    /// The payments to choose from for a new reference: mostly those that a gateway knows.
    fn mostly_known(&self, wish: &Wish) -> Vec<usize> {
        let known = |at: &usize| wish.yes || self.payments[*at].is_electronic;
        (0..self.payments.len()).filter(known).collect()
    }

    /// What a wish comes to in the present state; none when there is nothing to do it to.
    pub fn meant(&self, wish: &Wish) -> Option<Operation> {
        let pick = |count: usize| (count > 0).then(|| wish.which % count);
        let amount = |all: i64| wish.amount.of(all);
        Some(match wish.kind {
            0 | 1 => {
                // An electronic refund is of today.
                let days_ago = if wish.yes { 0 } else { wish.days_ago };
                let (amount, is_electronic) = (amount(self.balance), wish.yes);
                Operation::RefundBalance { amount, is_electronic, days_ago }
            }
            2..=4 => {
                let payment = pick(self.payments.len())?;
                let amount = amount(self.payments[payment].left());
                let parts = self.payments[payment].split(amount, &wish.parts);
                let is_electronic = wish.yes;
                Operation::RefundPayment { payment, amount, is_electronic, parts }
            }
            5 | 6 => {
                let waits = |at: &usize| self.refunds[*at].status == "Processing";
                let waiting: Vec<usize> = (0..self.refunds.len()).filter(waits).collect();
                let refund = waiting[pick(waiting.len())?];
                Operation::End { refund, is_approved: wish.yes }
            }
            7 => Operation::CancelRefund { refund: pick(self.refunds.len())? },
            8 => Operation::DeleteRefund { refund: pick(self.refunds.len())? },
            9 | 10 => {
                let at = pick(Self::INVOICES + self.payments.len())?;
                let (source, all) = match at.checked_sub(Self::INVOICES) {
                    None => (Source::Invoice(at), self.invoices[at].balance.abs()),
                    Some(at) => (Source::Payment(at), self.payments[at].unapplied()),
                };
                // Mostly the way that can be.
                let is_negative = self.invoices.get(at).is_none_or(|invoice| invoice.amount < 0);
                let is_increase = is_negative == (wish.kind == 9 || wish.yes);
                Operation::Adjust { is_increase, source, amount: amount(all) }
            }
            11..=13 => Operation::CancelAdjustment { adjustment: pick(self.adjustments.len())? },
            14 => {
                let invoice = pick(Self::INVOICES)?;
                let applied = amount(self.invoices[invoice].balance.max(0));
                let to_balance = if wish.which.is_multiple_of(3) { 700 } else { 0 };
                let rest = if wish.which.is_multiple_of(5) { 0 } else { 300 };
                let reference = Self::reference_of(wish);
                let is_electronic = wish.yes;
                Operation::Pay { is_electronic, reference, invoice, applied, to_balance, rest }
            }
            15 | 16 => {
                let payment = pick(self.payments.len())?;
                let invoice = wish.which / 7 % Self::INVOICES;
                let amount = amount(self.payments[payment].unapplied());
                Operation::Apply { payment, invoice, amount }
            }
            17 | 18 => {
                let payments = self.mostly_known(wish);
                let payment = payments[pick(payments.len())?];
                Operation::Rename { payment, reference: Self::reference_of(wish) }
            }
            19 | 20 => {
                let invoice = pick(Self::INVOICES)?;
                let applied = amount(self.invoices[invoice].balance.max(0));
                let to_balance = if wish.which.is_multiple_of(3) { 700 } else { 0 };
                let reference = Self::reference_of(wish);
                let is_electronic = wish.yes;
                Operation::Draft { is_electronic, reference, invoice, applied, to_balance }
            }
            21..=23 => Operation::Process { payment: pick(self.payments.len())? },
            24 => Operation::TakeBackPayment { payment: pick(self.payments.len())? },
            _ => return self.meant_adjustment(wish, amount),
        })
    }

    /// What a wish about adjustments of invoices and of their lines comes to.
    fn meant_adjustment(&self, wish: &Wish, amount: impl Fn(i64) -> i64) -> Option<Operation> {
        if wish.kind > 27 {
            let count = self.invoice_adjustments.len();
            let adjustment = (count > 0).then(|| wish.which % count)?;
            return Some(match wish.kind {
                28 | 29 => Operation::CancelInvoiceAdjustment { adjustment },
                _ => Operation::DeleteInvoiceAdjustment { adjustment },
            });
        }
        let invoice = wish.which % Self::INVOICES;
        let adjusted = &self.invoices[invoice];
        let line = match adjusted.lines.len() {
            0 => None,
            count => Some(wish.which / 7 % (count + 1)).filter(|line| *line < count),
        };
        let is_charge = wish.yes;
        let left = line.map_or(i64::MAX, |line| adjusted.lines[line].left());
        let all = match (is_charge, adjusted.amount < 0) {
            (true, true) => -adjusted.balance,
            (true, false) => 2000,
            (false, _) => adjusted.balance.min(left),
        };
        Some(Operation::AdjustInvoice { invoice, line, is_charge, amount: amount(all) })
    }
}

impl Payment {
    /// The invoices and amounts that a caller names for a refund of `amount`.
    fn split(&self, amount: i64, parts: &Parts) -> Vec<(usize, i64)> {
        let mut rest = amount;
        let mut reported = Vec::new();
        if matches!(parts, Parts::Untold) {
            return reported;
        }
        for part in &self.parts {
            let taken = part.left().min(rest);
            if taken > 0 {
                reported.push((part.invoice, taken));
            }
            rest -= taken;
        }
        if let (Parts::Wrong, Some((_, first))) = (parts, reported.first_mut()) {
            *first += 1;
        }
        reported
    }
}
