//! What an account should do, written down as plainly as possible and without the code's rules.
//!
//! The world of every sequence is the same: an invoice that is partly paid, one that is wholly
//! paid, one that owes the customer, and one that is open; a payment of one invoice, one of two
//! invoices with a rest, and two that pay nothing. More payments may follow. Two of the invoices
//! have lines.

use proptest::prelude::*;
use std::collections::BTreeMap;

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

/// Whether an operation was done.
pub type Created = bool;

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

    /// References that are few enough to meet again.
    fn reference_of(wish: &Wish) -> Option<u8> {
        (!wish.which.is_multiple_of(4)).then_some(u8::from((wish.which / 4).is_multiple_of(4)))
    }

    /// The payments to choose from for a new reference: mostly those that a gateway knows.
    fn mostly_known(&self, wish: &Wish) -> Vec<usize> {
        let known = |at: &usize| wish.yes || self.payments[*at].is_electronic;
        (0..self.payments.len()).filter(known).collect()
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

    /// Does what the operation says on this day, or nothing, and tells which.
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

    fn adjust_invoice(
        &mut self,
        at: usize,
        line: Option<usize>,
        is_charge: bool,
        amount: i64,
    ) -> bool {
        let invoice = &mut self.invoices[at];
        if is_charge {
            if invoice.amount < 0 && invoice.balance + amount > 0 {
                return false;
            }
            invoice.balance += amount;
        } else {
            let left = line.map_or(amount, |line| invoice.lines[line].left());
            if amount > left || amount > invoice.balance {
                return false;
            }
            invoice.balance -= amount;
            if let Some(line) = line {
                invoice.lines[line].credited += amount;
            }
        }
        let status = "Processed";
        let made = InvoiceAdjustment { invoice: at, line, is_charge, amount, status };
        self.invoice_adjustments.push(made);
        true
    }

    /// Takes a live adjustment back, if what it added is still owed.
    fn take_back_adjustment(&mut self, adjustment: usize) -> bool {
        let InvoiceAdjustment { invoice, line, is_charge, amount, .. } =
            self.invoice_adjustments[adjustment];
        let invoice = &mut self.invoices[invoice];
        if !is_charge {
            invoice.balance += amount;
            if let Some(line) = line {
                invoice.lines[line].credited -= amount;
            }
            return true;
        }
        if invoice.balance - amount < invoice.amount.min(0) {
            return false;
        }
        invoice.balance -= amount;
        true
    }

    fn rename(&mut self, payment: usize, reference: Option<u8>) -> bool {
        if self.payments[payment].is_known() {
            let (old, new) =
                (self.name_of(payment), reference.map_or(Name::Number(payment), Name::Reference));
            let is_in_use = self.sent.get(&old).is_some_and(|sent| *sent > 0);
            if new != old && (is_in_use || self.is_taken(new, Some(payment))) {
                return false;
            }
        }
        self.payments[payment].reference = reference;
        true
    }

    fn pay(
        &mut self,
        (is_electronic, reference): (bool, Option<u8>),
        (invoice, applied): (usize, i64),
        to_balance: i64,
        rest: i64,
    ) -> bool {
        let name = reference.map(Name::Reference);
        let is_taken = is_electronic && name.is_some_and(|name| self.is_taken(name, None));
        if is_taken || applied > self.invoices[invoice].balance {
            return false;
        }
        self.invoices[invoice].balance -= applied;
        self.move_balance(self.today, to_balance, Cause::Payment);
        self.payments.push(Payment {
            is_electronic,
            reference,
            amount: applied + to_balance + rest,
            parts: vec![Part { invoice, amount: applied, refunded: 0 }],
            refunded: 0,
            to_balance,
            is_live: true,
            is_draft: false,
            is_collected: true,
        });
        true
    }

    fn draft(
        &mut self,
        (is_electronic, reference): (bool, Option<u8>),
        (invoice, applied): (usize, i64),
        to_balance: i64,
    ) -> bool {
        let name = reference.map(Name::Reference);
        let is_taken = is_electronic && name.is_some_and(|name| self.is_taken(name, None));
        if is_taken || applied > self.invoices[invoice].balance {
            return false;
        }
        self.payments.push(Payment {
            is_electronic,
            reference,
            amount: applied + to_balance,
            parts: vec![Part { invoice, amount: applied, refunded: 0 }],
            refunded: 0,
            to_balance,
            is_live: false,
            is_draft: true,
            is_collected: false,
        });
        true
    }

    fn process(&mut self, payment: usize) -> bool {
        let from = &self.payments[payment];
        if from.is_live || !from.is_draft {
            return from.is_live;
        }
        let is_over = |part: &Part| part.amount > self.invoices[part.invoice].balance;
        let is_taken = self.is_taken(self.name_of(payment), Some(payment));
        if from.parts.iter().any(is_over) || (from.is_electronic && is_taken) {
            return false;
        }
        for part in &from.parts {
            self.invoices[part.invoice].balance -= part.amount;
        }
        let to_balance = from.to_balance;
        let from = &mut self.payments[payment];
        (from.is_draft, from.is_live, from.is_collected) = (false, true, true);
        if to_balance > 0 {
            self.move_balance(self.today, to_balance, Cause::Payment);
        }
        true
    }

    fn apply(&mut self, payment: usize, invoice: usize, amount: i64) -> bool {
        let from = &mut self.payments[payment];
        let is_new = from.parts.iter().all(|part| part.invoice != invoice);
        let owed = &mut self.invoices[invoice].balance;
        let is_there = from.is_live || from.is_draft;
        if !is_there || !is_new || amount > from.unapplied() || amount > *owed {
            return false;
        }
        if from.is_live {
            *owed -= amount;
        }
        from.parts.push(Part { invoice, amount, refunded: 0 });
        true
    }

    fn take_payment_back(&mut self, payment: usize) -> bool {
        let from = &mut self.payments[payment];
        if from.is_draft {
            // What it would have brought never was.
            (from.is_draft, from.to_balance) = (false, 0);
            return true;
        }
        if !from.is_live {
            // It has the status already: nothing is left to be done.
            return true;
        }
        if from.refunded + from.to_balance > 0 {
            return false;
        }
        from.is_live = false;
        for part in &from.parts {
            self.invoices[part.invoice].balance += part.amount;
        }
        true
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

    fn refund_balance(&mut self, amount: i64, is_electronic: bool, days_ago: i64) -> bool {
        let day = self.today - days_ago;
        let covers = |day: i64| amount <= self.balance_of(day);
        if days_ago == BEFORE_EVERYTHING || !(day..=self.today).all(covers) {
            return false;
        }
        self.move_balance(day, -amount, Cause::Refund(self.refunds.len()));
        let status = if is_electronic { "Processing" } else { "Processed" };
        self.refunds.push(Refund { payment: None, amount, taken: Vec::new(), status });
        true
    }

    fn refund_payment(
        &mut self,
        payment: usize,
        amount: i64,
        is_electronic: bool,
        told: &[(usize, i64)],
    ) -> bool {
        let from = &self.payments[payment];
        if !from.is_live || amount > from.left() || (is_electronic && !from.is_electronic) {
            return false;
        }
        let open = from.parts.iter().filter(|part| part.left() > 0).count();
        let taken = if told.is_empty() {
            if open > 1 && amount < from.left() {
                return false;
            }
            let each = |(at, part): (usize, &Part)| (at, part.left().min(amount));
            from.parts.iter().enumerate().map(each).filter(|(_, taken)| *taken > 0).collect()
        } else {
            let place = |invoice| from.parts.iter().position(|part| part.invoice == invoice);
            let taken: Vec<(usize, i64)> =
                told.iter().map(|(invoice, taken)| (place(*invoice).unwrap(), *taken)).collect();
            let fits = taken.iter().all(|(at, taken)| *taken <= from.parts[*at].left());
            if !fits || taken.iter().map(|(_, taken)| taken).sum::<i64>() != amount {
                return false;
            }
            taken
        };
        let name = self.name_of(payment);
        if is_electronic {
            let sent = self.sent.entry(name).or_default();
            if *sent + amount > self.payments[payment].amount {
                return false;
            }
            *sent += amount;
        }
        let from = &mut self.payments[payment];
        from.refunded += amount;
        for (at, taken) in &taken {
            from.parts[*at].refunded += taken;
        }
        let status = if is_electronic { "Processing" } else { "Processed" };
        self.refunds.push(Refund { payment: Some(payment), amount, taken, status });
        if !is_electronic {
            self.reopen(self.refunds.len() - 1, 1);
        }
        true
    }

    fn end(&mut self, refund: usize, is_approved: bool) {
        if is_approved {
            self.refunds[refund].status = "Processed";
            self.reopen(refund, 1);
            return;
        }
        self.refunds[refund].status = "Error";
        match self.refunds[refund].payment {
            None => self.move_back(&Cause::Refund(refund)),
            Some(payment) => {
                let name = self.name_of(payment);
                *self.sent.get_mut(&name).unwrap() -= self.refunds[refund].amount;
                self.give_back(refund);
            }
        }
    }

    /// Takes a Processed refund back, if it is of a payment and its invoices are still open.
    fn take_back(&mut self, refund: usize) -> bool {
        let Refund { payment: Some(payment), taken, .. } = &self.refunds[refund] else {
            return false;
        };
        let still_open = taken.iter().all(|(at, taken)| {
            self.invoices[self.payments[*payment].parts[*at].invoice].balance >= *taken
        });
        if still_open {
            self.reopen(refund, -1);
            self.give_back(refund);
        }
        still_open
    }

    fn reopen(&mut self, refund: usize, sign: i64) {
        let Refund { payment: Some(payment), taken, .. } = &self.refunds[refund] else { return };
        for (at, taken) in taken {
            let invoice = self.payments[*payment].parts[*at].invoice;
            self.invoices[invoice].balance += sign * taken;
        }
    }

    fn give_back(&mut self, refund: usize) {
        let Refund { payment: Some(payment), taken, amount, .. } = &self.refunds[refund] else {
            return;
        };
        let to = &mut self.payments[*payment];
        to.refunded -= amount;
        for (at, taken) in taken {
            to.parts[*at].refunded -= taken;
        }
    }

    fn adjust(&mut self, is_increase: bool, source: Source, amount: i64) -> bool {
        match (is_increase, source) {
            (true, Source::Invoice(at)) => {
                if amount > -self.invoices[at].balance {
                    return false;
                }
                self.invoices[at].balance += amount;
            }
            (true, Source::Payment(at)) => {
                if !self.payments[at].is_live || amount > self.payments[at].unapplied() {
                    return false;
                }
                self.payments[at].to_balance += amount;
            }
            (false, Source::Invoice(at)) => {
                if amount > self.invoices[at].balance || amount > self.balance {
                    return false;
                }
                self.invoices[at].balance -= amount;
            }
            (false, Source::Payment(_)) => return false,
        }
        let delta = if is_increase { amount } else { -amount };
        self.move_balance(self.today, delta, Cause::Adjustment(self.adjustments.len()));
        self.adjustments.push(Adjustment { is_increase, source, amount, is_live: true });
        true
    }

    fn cancel_adjustment(&mut self, adjustment: usize) -> bool {
        let Adjustment { is_increase, source, amount, is_live } = self.adjustments[adjustment];
        let Source::Invoice(invoice) = source else { return false };
        if !is_live || (is_increase && amount > self.balance) {
            return false;
        }
        let sign = if is_increase { -1 } else { 1 };
        self.move_back(&Cause::Adjustment(adjustment));
        self.invoices[invoice].balance += sign * amount;
        self.adjustments[adjustment].is_live = false;
        true
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

    /// The invoices and amounts that a caller tells for a refund of `amount`.
    fn split(&self, amount: i64, parts: &Parts) -> Vec<(usize, i64)> {
        let mut rest = amount;
        let mut told = Vec::new();
        if matches!(parts, Parts::Untold) {
            return told;
        }
        for part in &self.parts {
            let taken = part.left().min(rest);
            if taken > 0 {
                told.push((part.invoice, taken));
            }
            rest -= taken;
        }
        if let (Parts::Wrong, Some((_, first))) = (parts, told.first_mut()) {
            *first += 1;
        }
        told
    }
}

impl Part {
    fn left(&self) -> i64 {
        self.amount - self.refunded
    }
}
