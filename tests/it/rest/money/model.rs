//! What credit memos, payments and their refunds should do under Invoice Settlement, written down
//! as plainly as possible and without the code's rules.
//!
//! The world of every sequence is the same: three invoices, the last of them partly paid, and three
//! payments. Credit memos, more payments and refunds follow.

use std::collections::BTreeMap;

pub struct Model {
    pub invoices: Vec<i64>,
    pub memos: Vec<Memo>,
    pub payments: Vec<Payment>,
    pub refunds: Vec<Refund>,
}

pub struct Memo {
    pub is_posted: bool,
    pub amount: i64,
    /// What of it is applied to which invoice.
    pub applied: BTreeMap<usize, i64>,
    pub refunded: i64,
    /// The amounts of its items and taxes, and what refunds took of each.
    pub lines: Vec<[i64; 2]>,
}

pub struct Payment {
    pub is_electronic: bool,
    pub amount: i64,
    pub parts: Vec<Part>,
    pub refunded: i64,
    /// What its gateway was asked to give back and did not decline. What was cancelled or deleted
    /// here went out.
    sent: i64,
}

pub struct Part {
    pub invoice: usize,
    pub amount: i64,
    pub refunded: i64,
}

pub struct Refund {
    pub source: Source,
    pub amount: i64,
    pub is_electronic: bool,
    pub status: &'static str,
    pub gateway_state: &'static str,
    /// Its gateway rejected it after all, and the source has the money again.
    pub is_compensated: bool,
}

#[derive(Debug, Clone)]
pub enum Source {
    /// A credit memo, and what was taken of which of its lines.
    Memo(usize, Vec<(usize, i64)>),
    /// A payment, and what was taken of which of its parts.
    Payment(usize, Vec<(usize, i64)>),
}

/// Invoices, and how much of each.
pub type Shares = Vec<(usize, i64)>;

/// Through which door a twin of SOAP comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    V1,
    Soap,
    Object,
    Action,
}

/// An operation, with everything that it names.
#[derive(Debug)]
pub enum Operation {
    CreateMemo { item: i64, tax: Option<i64>, is_posted: bool },
    PostMemo { memo: usize },
    MoveMemo { memo: usize, shares: Shares, is_apply: bool },
    CreatePayment { amount: i64, is_electronic: bool, shares: Shares },
    MovePayment { payment: usize, shares: Shares, is_apply: bool },
    RefundMemo { memo: usize, amount: i64, is_electronic: bool, lines: Vec<(usize, i64)> },
    RefundPayment { payment: usize, amount: i64, is_electronic: bool },
    UnapplyAndRefund { payment: usize, terms: Unapplying, is_electronic: bool },
    RefundParts { payment: usize, amount: i64, is_electronic: bool, parts: Shares, door: Door },
    Cancel { refund: usize, door: Door },
    Delete { refund: usize, door: Door },
    Update { refund: usize, names_reference: bool },
    Reconcile { refund: usize, is_settled: bool },
    Look { refund: usize, door: Door },
}

/// What "unapply and refund" says.
#[derive(Debug, Clone)]
pub struct Unapplying {
    pub amount: Option<i64>,
    pub shares: Shares,
    pub writes_off: bool,
}

/// What the gateway makes of an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Approved,
    Declined,
    /// It paid, and its answer was lost.
    LostAfter,
    /// It is never reached.
    LostBefore,
}

impl Verdict {
    /// The cents of an amount say what becomes of it.
    pub const SCRIPT: [(i64, &'static str, Self); 3] = [
        (13, "decline", Self::Declined),
        (57, "drop-after", Self::LostAfter),
        (58, "drop-before", Self::LostBefore),
    ];

    pub fn of(amount: i64) -> Self {
        let found = Self::SCRIPT.iter().find(|(cents, ..)| amount % 100 == *cents);
        found.map_or(Self::Approved, |(.., verdict)| *verdict)
    }
}

impl Operation {
    /// How many kinds there are.
    pub const KINDS: usize = 14;

    pub const fn kind(&self) -> &'static str {
        match self {
            Self::CreateMemo { .. } => "create a memo",
            Self::PostMemo { .. } => "post a memo",
            Self::MoveMemo { .. } => "apply or unapply a memo",
            Self::CreatePayment { .. } => "create a payment",
            Self::MovePayment { .. } => "apply or unapply a payment",
            Self::RefundMemo { .. } => "refund a memo",
            Self::RefundPayment { .. } => "refund a payment",
            Self::UnapplyAndRefund { .. } => "unapply and refund",
            Self::RefundParts { .. } => "refund parts of a payment",
            Self::Cancel { .. } => "cancel",
            Self::Delete { .. } => "delete",
            Self::Update { .. } => "update",
            Self::Reconcile { .. } => "reconcile",
            Self::Look { .. } => "look",
        }
    }
}

impl Model {
    pub fn new() -> Self {
        let part = |amount| vec![Part { invoice: 2, amount, refunded: 0 }];
        let payment = |is_electronic, amount, parts| Payment {
            is_electronic,
            amount,
            parts,
            refunded: 0,
            sent: 0,
        };
        Self {
            invoices: vec![10_000, 6_000, 3_000],
            memos: Vec::new(),
            payments: vec![
                payment(true, 10_000, Vec::new()),
                payment(false, 6_000, part(4_000)),
                payment(true, 8_000, part(2_000)),
            ],
            refunds: Vec::new(),
        }
    }

    /// Does what the operation says; false when it may not be done, and then nothing is.
    pub fn perform(&mut self, operation: &Operation) -> bool {
        match operation {
            Operation::CreateMemo { item, tax, is_posted } => {
                let lines: Vec<_> = [Some(*item), *tax].into_iter().flatten().collect();
                self.memos.push(Memo {
                    is_posted: *is_posted,
                    amount: lines.iter().sum(),
                    applied: BTreeMap::new(),
                    refunded: 0,
                    lines: lines.into_iter().map(|amount| [amount, 0]).collect(),
                });
                true
            }
            Operation::PostMemo { memo } => {
                !std::mem::replace(&mut self.memos[*memo].is_posted, true)
            }
            Operation::MoveMemo { memo, shares, is_apply } => {
                self.move_memo(*memo, shares, *is_apply)
            }
            Operation::CreatePayment { amount, is_electronic, shares } => {
                self.create_payment(*amount, *is_electronic, shares)
            }
            Operation::MovePayment { payment, shares, is_apply } => {
                self.move_payment(*payment, shares, *is_apply)
            }
            Operation::RefundMemo { memo, amount, is_electronic, lines } => {
                self.refund_memo(*memo, *amount, *is_electronic, lines)
            }
            Operation::RefundPayment { payment, amount, is_electronic } => {
                self.refund_payment(*payment, *amount, *is_electronic)
            }
            Operation::UnapplyAndRefund { payment, terms, is_electronic } => {
                self.unapply_and_refund(*payment, terms, *is_electronic)
            }
            Operation::RefundParts { payment, amount, is_electronic, parts, .. } => {
                self.refund_parts(*payment, *amount, *is_electronic, parts)
            }
            Operation::Cancel { refund, .. } => self.cancel(*refund),
            Operation::Delete { refund, door } => self.delete(*refund, *door),
            Operation::Update { refund, names_reference } => {
                let refund = &self.refunds[*refund];
                refund.status != "gone" && !(*names_reference && refund.is_electronic)
            }
            Operation::Reconcile { refund, is_settled } => self.reconcile(*refund, *is_settled),
            Operation::Look { refund, .. } => self.look(*refund),
        }
    }

    fn move_memo(&mut self, at: usize, shares: &Shares, is_apply: bool) -> bool {
        let memo = &mut self.memos[at];
        let sum: i64 = shares.iter().map(|share| share.1).sum();
        let fits = |(invoice, amount): &(usize, i64)| match is_apply {
            true => *amount <= self.invoices[*invoice],
            false => *amount <= memo.applied.get(invoice).copied().unwrap_or(0),
        };
        let is_over = is_apply && sum > memo.unapplied();
        if !memo.is_posted || is_over || !shares.iter().all(fits) {
            return false;
        }
        let sign = if is_apply { 1 } else { -1 };
        for (invoice, amount) in shares {
            *memo.applied.entry(*invoice).or_default() += sign * amount;
            self.invoices[*invoice] -= sign * amount;
        }
        true
    }

    fn create_payment(&mut self, amount: i64, is_electronic: bool, shares: &Shares) -> bool {
        let is_open = |(invoice, amount): &(usize, i64)| *amount <= self.invoices[*invoice];
        if shares.iter().map(|share| share.1).sum::<i64>() > amount || !shares.iter().all(is_open) {
            return false;
        }
        let (parts, refunded, sent) = (Vec::new(), 0, 0);
        self.payments.push(Payment { is_electronic, amount, parts, refunded, sent });
        self.move_payment(self.payments.len() - 1, shares, true)
    }

    fn move_payment(&mut self, at: usize, shares: &Shares, is_apply: bool) -> bool {
        let payment = &mut self.payments[at];
        let sum: i64 = shares.iter().map(|share| share.1).sum();
        let fits = |(invoice, amount): &(usize, i64)| match is_apply {
            true => *amount <= self.invoices[*invoice],
            false => *amount <= payment.of_invoice(*invoice),
        };
        if (is_apply && sum > payment.unapplied()) || !shares.iter().all(fits) {
            return false;
        }
        let sign = if is_apply { 1 } else { -1 };
        for (invoice, amount) in shares {
            payment.pay(*invoice, sign * amount);
            self.invoices[*invoice] -= sign * amount;
        }
        true
    }

    fn refund_memo(
        &mut self,
        at: usize,
        amount: i64,
        is_electronic: bool,
        lines: &[(usize, i64)],
    ) -> bool {
        let memo = &mut self.memos[at];
        let fits =
            |(line, taken): &(usize, i64)| *taken <= memo.lines[*line][0] - memo.lines[*line][1];
        let sum: i64 = lines.iter().map(|line| line.1).sum();
        let is_split = lines.is_empty() || (sum == amount && lines.iter().all(fits));
        if !memo.is_posted || amount > memo.unapplied() || !is_split {
            return false;
        }
        memo.refunded += amount;
        for (line, taken) in lines {
            memo.lines[*line][1] += taken;
        }
        self.begin(Source::Memo(at, lines.to_vec()), amount, is_electronic);
        true
    }

    fn refund_payment(&mut self, at: usize, amount: i64, is_electronic: bool) -> bool {
        let payment = &self.payments[at];
        if amount > payment.unapplied() || !payment.may_send(amount, is_electronic) {
            return false;
        }
        self.take_payment(at, amount, Vec::new(), is_electronic);
        true
    }

    fn unapply_and_refund(&mut self, at: usize, terms: &Unapplying, is_electronic: bool) -> bool {
        let payment = &self.payments[at];
        let sum: i64 = terms.shares.iter().map(|share| share.1).sum();
        let (amount, shares) = match terms.shares.is_empty() {
            false => (terms.amount.unwrap_or(sum), terms.shares.clone()),
            true => {
                let amount = terms.amount.unwrap_or(payment.amount - payment.refunded);
                let mut needed = amount;
                let mut shares = Vec::new();
                for part in &payment.parts {
                    let taken = part.left().min(needed);
                    if taken > 0 {
                        needed -= taken;
                        shares.push((part.invoice, taken));
                    }
                }
                (amount, shares)
            }
        };
        let back: i64 = shares.iter().map(|share| share.1).sum();
        let fits = |(invoice, amount): &(usize, i64)| *amount <= payment.of_invoice(*invoice);
        if amount <= 0
            || !shares.iter().all(fits)
            || (terms.writes_off && shares.is_empty())
            || amount > payment.unapplied() + back
            || !payment.may_send(amount, is_electronic)
        {
            return false;
        }
        for (invoice, amount) in shares {
            self.payments[at].pay(invoice, -amount);
            if terms.writes_off {
                // A memo of the amount pays the invoice instead.
                let applied = BTreeMap::from([(invoice, amount)]);
                let (is_posted, refunded, lines) = (true, 0, Vec::new());
                self.memos.push(Memo { is_posted, amount, applied, refunded, lines });
            } else {
                self.invoices[invoice] += amount;
            }
        }
        self.take_payment(at, amount, Vec::new(), is_electronic);
        true
    }

    fn refund_parts(
        &mut self,
        at: usize,
        amount: i64,
        is_electronic: bool,
        reported: &Shares,
    ) -> bool {
        let payment = &self.payments[at];
        let left = payment.amount - payment.refunded;
        if amount > left || !payment.may_send(amount, is_electronic) {
            return false;
        }
        let parts = payment.parts.iter().enumerate();
        let taken: Vec<(usize, i64)> = if reported.is_empty() {
            if payment.parts.iter().filter(|part| part.left() > 0).count() > 1 && amount < left {
                return false;
            }
            parts.map(|(at, part)| (at, part.left().min(amount))).filter(|one| one.1 > 0).collect()
        } else {
            let told_of =
                |invoice| reported.iter().find(|one| one.0 == invoice).map_or(0, |one| one.1);
            parts.map(|(at, part)| (at, told_of(part.invoice))).filter(|one| one.1 > 0).collect()
        };
        let fits = |(at, taken): &(usize, i64)| *taken <= payment.parts[*at].left();
        let sum: i64 = taken.iter().map(|one| one.1).sum();
        if !reported.is_empty() && (sum != amount || !taken.iter().all(fits)) {
            return false;
        }
        self.take_payment(at, amount, taken, is_electronic);
        true
    }

    fn take_payment(&mut self, at: usize, amount: i64, taken: Shares, is_electronic: bool) {
        let payment = &mut self.payments[at];
        payment.refunded += amount;
        for (part, taken) in &taken {
            payment.parts[*part].refunded += taken;
        }
        if is_electronic {
            payment.sent += amount;
        }
        self.begin(Source::Payment(at, taken), amount, is_electronic);
    }

    /// A refund that took what it takes; its gateway, if it has one, says what becomes of it.
    fn begin(&mut self, source: Source, amount: i64, is_electronic: bool) {
        let is_compensated = false;
        let (status, gateway_state) = ("Processing", "MarkedForSubmission");
        let refund =
            Refund { source, amount, is_electronic, status, gateway_state, is_compensated };
        self.refunds.push(refund);
        let at = self.refunds.len() - 1;
        match (is_electronic, Verdict::of(amount)) {
            (false, _) => self.post(at, "NotSubmitted"),
            (true, Verdict::Approved) => self.post(at, "Submitted"),
            (true, Verdict::Declined) => {
                self.unsend(at);
                self.give_back(at);
                (self.refunds[at].status, self.refunds[at].gateway_state) =
                    ("Error", "NotSubmitted");
            }
            (true, Verdict::LostAfter | Verdict::LostBefore) => {}
        }
    }

    fn post(&mut self, refund: usize, gateway_state: &'static str) {
        self.refunds[refund].status = "Processed";
        self.refunds[refund].gateway_state = gateway_state;
        self.reopen(refund, 1);
    }

    /// Reading a refund by its id has its gateway asked.
    pub fn look(&mut self, refund: usize) -> bool {
        let Refund { status, amount, .. } = self.refunds[refund];
        if status == "Processing" && Verdict::of(amount) == Verdict::LostAfter {
            self.post(refund, "Submitted");
        }
        status != "gone"
    }

    fn cancel(&mut self, refund: usize) -> bool {
        let is_done = self.refunds[refund].status == "Processed";
        if !is_done || self.refunds[refund].is_compensated || !self.is_still_open(refund) {
            return false;
        }
        self.take_back(refund);
        self.refunds[refund].status = "Canceled";
        true
    }

    fn delete(&mut self, refund: usize, door: Door) -> bool {
        let Refund { status, is_compensated, .. } = self.refunds[refund];
        let may = match (door, status) {
            (_, "gone") => false,
            (Door::V1, status) => status == "Canceled",
            (_, "Processing") => false,
            (_, "Processed") if !is_compensated => self.is_still_open(refund),
            _ => true,
        };
        if may {
            if status == "Processed" && !is_compensated {
                self.take_back(refund);
            }
            self.refunds[refund].status = "gone";
        }
        may
    }

    fn reconcile(&mut self, at: usize, is_settled: bool) -> bool {
        let refund = &self.refunds[at];
        if refund.status != "Processed" || !refund.is_electronic {
            return false;
        }
        let state = if is_settled { "Settled" } else { "FailedToSettle" };
        if refund.gateway_state == state {
            return true;
        }
        if is_settled && refund.is_compensated {
            return false;
        }
        if !is_settled && !refund.is_compensated {
            if !self.is_still_open(at) {
                return false;
            }
            self.unsend(at);
            self.take_back(at);
            self.refunds[at].is_compensated = true;
        }
        self.refunds[at].gateway_state = state;
        true
    }

    /// Whether the invoices that a refund opened are still open by as much.
    fn is_still_open(&self, refund: usize) -> bool {
        let Source::Payment(payment, taken) = &self.refunds[refund].source else { return true };
        let invoice = |part: usize| self.payments[*payment].parts[part].invoice;
        taken.iter().all(|(part, taken)| self.invoices[invoice(*part)] >= *taken)
    }

    fn take_back(&mut self, refund: usize) {
        self.reopen(refund, -1);
        self.give_back(refund);
    }

    fn reopen(&mut self, refund: usize, sign: i64) {
        let Source::Payment(payment, taken) = &self.refunds[refund].source else { return };
        for (part, taken) in taken {
            self.invoices[self.payments[*payment].parts[*part].invoice] += sign * taken;
        }
    }

    fn unsend(&mut self, refund: usize) {
        if let Source::Payment(payment, _) = self.refunds[refund].source {
            self.payments[payment].sent -= self.refunds[refund].amount;
        }
    }

    fn give_back(&mut self, refund: usize) {
        let Refund { source, amount, .. } = &self.refunds[refund];
        match source {
            Source::Memo(memo, lines) => {
                let memo = &mut self.memos[*memo];
                memo.refunded -= amount;
                for (line, taken) in lines {
                    memo.lines[*line][1] -= taken;
                }
            }
            Source::Payment(payment, parts) => {
                let payment = &mut self.payments[*payment];
                payment.refunded -= amount;
                for (part, taken) in parts {
                    payment.parts[*part].refunded -= taken;
                }
            }
        }
    }

    /// Every number that the ledger keeps of this, a line for each kind of row.
    pub fn numbers(&self) -> String {
        let memos: Vec<_> = self.memos.iter().map(Memo::numbers).collect();
        let lines: Vec<_> = self.memos.iter().map(|memo| &memo.lines).collect();
        let payments: Vec<_> = self.payments.iter().map(Payment::numbers).collect();
        let parts: Vec<Vec<[i64; 2]>> = self
            .payments
            .iter()
            .map(|one| one.parts.iter().map(|part| [part.amount, part.refunded]).collect())
            .collect();
        let refunds: Vec<_> = self.refunds.iter().map(Refund::standing).collect();
        let sent: i64 = self.payments.iter().map(|payment| payment.sent).sum();
        assert!(self.invoices.iter().all(|balance| *balance >= 0), "the model itself overpays");
        let is_sound = |one: &Payment| (0..=one.amount).contains(&one.sent) && one.unapplied() >= 0;
        assert!(self.payments.iter().all(is_sound), "the model itself gives too much away");
        assert!(self.memos.iter().all(|memo| memo.unapplied() >= 0), "of a memo as well");
        format!(
            "{:?}\n{memos:?}\n{lines:?}\n{payments:?}\n{parts:?}\n{refunds:?}\n{sent}",
            self.invoices
        )
    }
}

impl Memo {
    pub fn applied(&self) -> i64 {
        self.applied.values().sum()
    }

    pub fn unapplied(&self) -> i64 {
        self.amount - self.applied() - self.refunded
    }

    fn numbers(&self) -> [i64; 4] {
        [self.is_posted.into(), self.amount, self.applied(), self.refunded]
    }
}

impl Payment {
    pub fn applied(&self) -> i64 {
        self.parts.iter().map(Part::left).sum()
    }

    pub fn unapplied(&self) -> i64 {
        self.amount - self.refunded - self.applied()
    }

    fn numbers(&self) -> [i64; 3] {
        [self.amount, self.applied(), self.refunded]
    }

    /// What of it pays an invoice.
    pub fn of_invoice(&self, invoice: usize) -> i64 {
        self.parts.iter().find(|part| part.invoice == invoice).map_or(0, Part::left)
    }

    /// Whether its gateway, if it is to be asked, may give so much back.
    fn may_send(&self, amount: i64, is_electronic: bool) -> bool {
        !is_electronic || (self.is_electronic && self.sent + amount <= self.amount)
    }

    fn pay(&mut self, invoice: usize, delta: i64) {
        match self.parts.iter_mut().find(|part| part.invoice == invoice) {
            Some(part) => part.amount += delta,
            None => self.parts.push(Part { invoice, amount: delta, refunded: 0 }),
        }
    }
}

impl Part {
    pub fn left(&self) -> i64 {
        self.amount - self.refunded
    }
}

impl Refund {
    fn standing(&self) -> String {
        match self.status {
            "gone" => "gone".to_owned(),
            status => format!("{status} {} {}", self.gateway_state, self.is_compensated),
        }
    }
}
