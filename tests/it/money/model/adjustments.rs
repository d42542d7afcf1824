//! Adjustments of credit balances, of invoices and of their lines.

use super::{Adjustment, Cause, InvoiceAdjustment, Model, Source};

impl Model {
    pub(super) fn adjust_invoice(
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
    pub(super) fn take_back_adjustment(&mut self, adjustment: usize) -> bool {
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

    pub(super) fn adjust(&mut self, is_increase: bool, source: Source, amount: i64) -> bool {
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

    pub(super) fn cancel_adjustment(&mut self, adjustment: usize) -> bool {
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
}
