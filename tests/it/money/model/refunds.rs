//! Refunds of the credit balance and of payments, and how they end.

use super::wish::BEFORE_EVERYTHING;
use super::{Cause, Model, Part, Refund};

impl Model {
    pub(super) fn refund_balance(
        &mut self,
        amount: i64,
        is_electronic: bool,
        days_ago: i64,
    ) -> bool {
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

    pub(super) fn refund_payment(
        &mut self,
        payment: usize,
        amount: i64,
        is_electronic: bool,
        reported: &[(usize, i64)],
    ) -> bool {
        let from = &self.payments[payment];
        if !from.is_live || amount > from.left() || (is_electronic && !from.is_electronic) {
            return false;
        }
        let open = from.parts.iter().filter(|part| part.left() > 0).count();
        let taken = if reported.is_empty() {
            if open > 1 && amount < from.left() {
                return false;
            }
            let each = |(at, part): (usize, &Part)| (at, part.left().min(amount));
            from.parts.iter().enumerate().map(each).filter(|(_, taken)| *taken > 0).collect()
        } else {
            let place = |invoice| from.parts.iter().position(|part| part.invoice == invoice);
            let taken: Vec<(usize, i64)> = reported
                .iter()
                .map(|(invoice, taken)| (place(*invoice).unwrap(), *taken))
                .collect();
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

    pub(super) fn end(&mut self, refund: usize, is_approved: bool) {
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
    pub(super) fn take_back(&mut self, refund: usize) -> bool {
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

    pub(super) fn reopen(&mut self, refund: usize, sign: i64) {
        let Refund { payment: Some(payment), taken, .. } = &self.refunds[refund] else { return };
        for (at, taken) in taken {
            let invoice = self.payments[*payment].parts[*at].invoice;
            self.invoices[invoice].balance += sign * taken;
        }
    }

    pub(super) fn give_back(&mut self, refund: usize) {
        let Refund { payment: Some(payment), taken, amount, .. } = &self.refunds[refund] else {
            return;
        };
        let to = &mut self.payments[*payment];
        to.refunded -= amount;
        for (at, taken) in taken {
            to.parts[*at].refunded -= taken;
        }
    }
}
