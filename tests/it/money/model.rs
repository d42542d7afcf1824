//! What an account should do, written down as plainly as possible and without the code's rules.
//!
//! The world of every sequence is the same: an invoice that is partly paid, one that is wholly
//! paid, one that owes the customer, and one that is open; a payment of one invoice, one of two
//! invoices with a rest, and two that pay nothing. More payments may follow. Two of the invoices
//! have lines.

mod adjustments;
mod payments;
mod refunds;
mod wish;

use std::collections::BTreeMap;
pub use wish::{Operation, wish};

pub struct Model {
    pub balance: i64,
    /// The day it is, counted from the first.
    today: i64,
    moves: Vec<Move>,
    pub invoices: Vec<Invoice>,
    pub payments: Vec<Payment>,
    refunds: Vec<Refund>,
    adjustments: Vec<Adjustment>,
    invoice_adjustments: Vec<InvoiceAdjustment>,
    /// What the gateway was asked to give back and did not decline. What was cancelled or deleted
    /// here went out.
    sent: BTreeMap<Name, i64>,
}

/// What the gateway knows a payment by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    Reference(u8),
    Number(usize),
}

pub struct Invoice {
    pub amount: i64,
    pub balance: i64,
    pub lines: Vec<Line>,
}

pub struct Line {
    /// Of a charge, or of the tax on the charge before it.
    pub is_tax: bool,
    pub amount: i64,
    credited: i64,
}

pub struct Payment {
    pub is_electronic: bool,
    /// An electronic one without it is known by its number, which no other has.
    pub reference: Option<u8>,
    pub amount: i64,
    pub parts: Vec<Part>,
    refunded: i64,
    to_balance: i64,
    is_live: bool,
    /// It has moved nothing yet.
    is_draft: bool,
    /// Its gateway, if it has one, collected it.
    is_collected: bool,
}

pub struct Part {
    pub invoice: usize,
    pub amount: i64,
    refunded: i64,
}

/// What moves the credit balance on a day, as long as nothing takes it back.
struct Move {
    day: i64,
    delta: i64,
    cause: Cause,
}

#[derive(PartialEq)]
enum Cause {
    Refund(usize),
    Adjustment(usize),
    Payment,
}

struct Refund {
    /// None for one of the credit balance.
    payment: Option<usize>,
    amount: i64,
    /// By the place of the part in its payment.
    taken: Vec<(usize, i64)>,
    status: &'static str,
}

struct Adjustment {
    is_increase: bool,
    source: Source,
    amount: i64,
    is_live: bool,
}

struct InvoiceAdjustment {
    invoice: usize,
    line: Option<usize>,
    is_charge: bool,
    amount: i64,
    status: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Source {
    Invoice(usize),
    Payment(usize),
}

/// Whether an operation was done.
pub type Created = bool;

impl Model {
    pub const INVOICES: usize = 4;
    const OPENING: i64 = 2000;

    pub fn new() -> Self {
        let invoice = |amount, balance| Invoice { amount, balance, lines: Vec::new() };
        let charge = |amount| Line { is_tax: false, amount, credited: 0 };
        let with_lines = |amount, balance, lines| Invoice { amount, balance, lines };
        let tax = |amount| Line { is_tax: true, amount, credited: 0 };
        let part = |invoice, amount| Part { invoice, amount, refunded: 0 };
        let payment = |is_electronic, amount, parts| Payment {
            is_electronic,
            reference: None,
            amount,
            parts,
            refunded: 0,
            to_balance: 0,
            is_live: true,
            is_draft: false,
            is_collected: true,
        };
        Self {
            balance: Self::OPENING,
            today: 0,
            moves: Vec::new(),
            invoices: vec![
                with_lines(10_000, 3000, vec![charge(6500), tax(500), charge(3000)]),
                invoice(5000, 0),
                with_lines(-7000, -7000, vec![charge(-8000), charge(1000)]),
                invoice(6000, 6000),
            ],
            payments: vec![
                payment(false, 4000, vec![part(0, 4000)]),
                payment(true, 10_000, vec![part(0, 3000), part(1, 5000)]),
                payment(false, 2500, Vec::new()),
                Payment { reference: Some(0), ..payment(true, 3000, Vec::new()) },
            ],
            refunds: Vec::new(),
            adjustments: Vec::new(),
            invoice_adjustments: Vec::new(),
            sent: BTreeMap::new(),
        }
    }

    /// What a gateway knows a payment by.
    fn name_of(&self, payment: usize) -> Name {
        self.payments[payment].reference.map_or(Name::Number(payment), Name::Reference)
    }

    /// Whether the gateway knows another payment by this, live or not.
    fn is_taken(&self, name: Name, own: Option<usize>) -> bool {
        (0..self.payments.len())
            .filter(|at| Some(*at) != own && self.payments[*at].is_known())
            .any(|at| self.name_of(at) == name)
    }

    /// Does what the operation says on this day, or nothing, and returns which.
    pub fn perform(&mut self, operation: &Operation, today: i64) -> Created {
        self.today = today;
        match *operation {
            Operation::RefundBalance { amount, is_electronic, days_ago } => {
                self.refund_balance(amount, is_electronic, days_ago)
            }
            Operation::RefundPayment { payment, amount, is_electronic, ref parts } => {
                self.refund_payment(payment, amount, is_electronic, parts)
            }
            Operation::End { refund, is_approved } => {
                self.end(refund, is_approved);
                true
            }
            Operation::CancelRefund { refund } => {
                let can = self.refunds[refund].status == "Processed" && self.take_back(refund);
                if can {
                    self.refunds[refund].status = "Canceled";
                }
                can
            }
            Operation::DeleteRefund { refund } => {
                let can = match self.refunds[refund].status {
                    "Processed" => self.take_back(refund),
                    "Processing" | "gone" => false,
                    _ => self.refunds[refund].payment.is_some(),
                };
                if can {
                    self.refunds[refund].status = "gone";
                }
                can
            }
            Operation::Adjust { is_increase, source, amount } => {
                self.adjust(is_increase, source, amount)
            }
            Operation::CancelAdjustment { adjustment } => self.cancel_adjustment(adjustment),
            Operation::Pay { is_electronic, reference, invoice, applied, to_balance, rest } => {
                self.pay((is_electronic, reference), (invoice, applied), to_balance, rest)
            }
            Operation::Draft { is_electronic, reference, invoice, applied, to_balance } => {
                self.draft((is_electronic, reference), (invoice, applied), to_balance)
            }
            Operation::Process { payment } => self.process(payment),
            Operation::Apply { payment, invoice, amount } => self.apply(payment, invoice, amount),
            Operation::TakeBackPayment { payment } => self.take_payment_back(payment),
            Operation::AdjustInvoice { invoice, line, is_charge, amount } => {
                self.adjust_invoice(invoice, line, is_charge, amount)
            }
            Operation::CancelInvoiceAdjustment { adjustment } => {
                let can = self.invoice_adjustments[adjustment].status == "Processed"
                    && self.take_back_adjustment(adjustment);
                if can {
                    self.invoice_adjustments[adjustment].status = "Canceled";
                }
                can
            }
            Operation::DeleteInvoiceAdjustment { adjustment } => {
                let can = match self.invoice_adjustments[adjustment].status {
                    "Processed" => self.take_back_adjustment(adjustment),
                    status => status == "Canceled",
                };
                if can {
                    self.invoice_adjustments[adjustment].status = "gone";
                }
                can
            }
            Operation::Rename { payment, reference } => self.rename(payment, reference),
        }
    }

    /// The balance at the end of a day.
    fn balance_of(&self, day: i64) -> i64 {
        let until = self.moves.iter().filter(|one| one.day <= day);
        Self::OPENING + until.map(|one| one.delta).sum::<i64>()
    }

    fn move_balance(&mut self, day: i64, delta: i64, cause: Cause) {
        self.balance += delta;
        self.moves.push(Move { day, delta, cause });
    }

    /// What moved the balance never did.
    fn move_back(&mut self, cause: &Cause) {
        let at = self.moves.iter().position(|one| one.cause == *cause).unwrap();
        self.balance -= self.moves.swap_remove(at).delta;
    }

    /// What the parts of a refund show of it: as much as it holds or has of its payment's.
    pub fn shown_parts(&self, refund: usize) -> Vec<i64> {
        let Refund { status, taken, .. } = &self.refunds[refund];
        let is_live = matches!(*status, "Processed" | "Processing");
        taken.iter().filter(|_| is_live).map(|(_, taken)| *taken).collect()
    }

    /// Every number that the ledger keeps of this.
    pub fn numbers(&self) -> String {
        assert!(self.balance >= 0, "the model itself overdraws");
        let account = [self.balance];
        let invoices: Vec<_> = self.invoices.iter().map(|one| [one.balance]).collect();
        let payments: Vec<_> = self.payments.iter().map(Payment::numbers).collect();
        let refunds: Vec<_> = self.refunds.iter().map(|one| one.status).collect();
        let adjusted: Vec<_> = self.invoice_adjustments.iter().map(|one| one.status).collect();
        let credited: Vec<Vec<i64>> = self
            .invoices
            .iter()
            .map(|one| one.lines.iter().map(|line| line.credited).collect())
            .collect();
        for (name, sent) in &self.sent {
            let mut collected = (0..self.payments.len())
                .filter(|at| self.name_of(*at) == *name)
                .map(|at| &self.payments[at]);
            let amount = collected.find(|one| one.is_electronic).map_or(0, |one| one.amount);
            assert!((0..=amount).contains(sent), "the model itself gives away {sent} of {amount}");
        }
        let sent: [i64; 1] = [self.sent.values().sum()];
        [
            format!("{account:?} {invoices:?} {payments:?} {refunds:?} {sent:?}"),
            format!("{adjusted:?} {credited:?}"),
        ]
        .join(" ")
    }
}

impl Line {
    fn left(&self) -> i64 {
        self.amount - self.credited
    }
}

impl Payment {
    fn numbers(&self) -> [i64; 5] {
        let status = [self.is_live, self.is_draft].map(i64::from);
        [self.amount, self.refunded, self.to_balance, status[0], status[1]]
    }

    fn is_known(&self) -> bool {
        self.is_electronic && self.is_collected
    }

    fn left(&self) -> i64 {
        self.amount - self.refunded - self.to_balance
    }

    fn unapplied(&self) -> i64 {
        self.left() - self.parts.iter().map(Part::left).sum::<i64>()
    }
}

impl Part {
    fn left(&self) -> i64 {
        self.amount - self.refunded
    }
}
