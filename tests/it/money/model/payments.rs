//! Payments: made, drafted, processed, applied, renamed and taken back.

use super::{Cause, Model, Name, Part, Payment};

impl Model {
    pub(super) fn rename(&mut self, payment: usize, reference: Option<u8>) -> bool {
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

    pub(super) fn pay(
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

    pub(super) fn draft(
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

    pub(super) fn process(&mut self, payment: usize) -> bool {
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

    pub(super) fn apply(&mut self, payment: usize, invoice: usize, amount: i64) -> bool {
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

    pub(super) fn take_payment_back(&mut self, payment: usize) -> bool {
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
}
