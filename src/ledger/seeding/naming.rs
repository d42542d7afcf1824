//! What the objects of a seed name: it is looked up for some hundreds of them at once, before the
//! first of these is loaded.
//!
//! What must stay true: nothing is decided here. What is left out is looked up when it is asked
//! for.

use super::Loader;
use crate::domain::collected::ReferenceKey;
use crate::domain::facts::InvoiceKey;
use crate::domain::id::ObjectId;
use crate::ledger::record::{Field, Lookup};
use crate::ledger::records::{
    ACCOUNT_BY_ID, ACCOUNT_BY_NUMBER, Account, AccountRow, COLLECTED_BY_REFERENCE, Collected,
    CreditMemo, INVOICE_BY_ID, INVOICE_BY_NUMBER, Invoice, LINE_BY_INVOICE, Line, MEMO_BY_ID,
    MEMO_BY_NUMBER, METHOD_BY_ID, Method, PART_BY_INVOICE, PART_BY_PAYMENT, PAYMENT_BY_ID,
    PAYMENT_BY_NUMBER, Part, Payment,
};
use crate::ledger::seed::{
    SeedAccount, SeedDefault, SeedInvoice, SeedMemo, SeedPart, SeedPayment, SeedPaymentMethod,
};
use crate::ledger::unit::Unmet;
use crate::ledger::work::loading::{Seen, all, each, row, rows};
use crate::ledger::working_set::Shelved;

impl Loader<'_, '_> {
    /// The key of the row of an id, or, if there is none, that of the row of a number.
    fn see_named<R: Shelved, K>(
        &mut self,
        (by_id, id): (&'static Lookup, &ObjectId),
        (by_number, number): (&'static Lookup, &String),
        key: fn(&R) -> K,
    ) -> Result<Option<K>, Unmet> {
        let found = self.unit.see_one::<R>(by_id, &[id.stored()])?.map(key);
        if found.is_none() {
            rows::<R>(self.unit, by_number, number)?;
        }
        Ok(found)
    }

    pub(super) fn see_account(&mut self, account: &SeedAccount) -> Seen {
        if !self.had_accounts {
            return Ok(());
        }
        let (id, number) = (&account.id, &account.number);
        let by_number = (&ACCOUNT_BY_NUMBER, number);
        let known = self.see_named((&ACCOUNT_BY_ID, id), by_number, |row: &Account| row.key)?;
        known.map_or(Ok(()), |key| row::<AccountRow>(self.unit, &(key,)))
    }

    pub(super) fn see_method(&mut self, method: &SeedPaymentMethod) -> Seen {
        let found = self.unit.see_one::<Method>(&METHOD_BY_ID, &[method.id.stored()])?;
        match (found.map(|row| row.account), &method.account) {
            (Some(owner), _) => owner.map_or(Ok(()), |key| row::<Account>(self.unit, &(key,))),
            (None, Some(owner)) => self.see_owner(owner),
            (None, None) => Ok(()),
        }
    }

    pub(super) fn see_default(&mut self, default: &SeedDefault) -> Seen {
        let method = rows::<Method>(self.unit, &METHOD_BY_ID, &default.method);
        let by_id = [default.account.stored()];
        let owner = self.unit.see_one::<Account>(&ACCOUNT_BY_ID, &by_id);
        let owner = owner.map(|row| row.map(|row| row.key));
        let owner = owner
            .and_then(|owner| owner.map_or(Ok(()), |key| row::<AccountRow>(self.unit, &(key,))));
        all([method, owner])
    }

    pub(super) fn see_invoice(&mut self, invoice: &SeedInvoice) -> Seen {
        let owner = self.see_owner(&invoice.account);
        let by_number = (&INVOICE_BY_NUMBER, &invoice.number);
        let by_id = (&INVOICE_BY_ID, &invoice.id);
        let known = self.see_named(by_id, by_number, |row: &Invoice| row.key);
        let lines = known.and_then(|known| {
            known.map_or(Ok(()), |key| rows::<Line>(self.unit, &LINE_BY_INVOICE, &key))
        });
        all([owner, lines])
    }

    pub(super) fn see_payment(&mut self, payment: &SeedPayment) -> Seen {
        let owner = self.see_owner(&payment.account);
        let method = payment.payment_method.as_ref();
        let method = method.map_or(Ok(()), |id| rows::<Method>(self.unit, &METHOD_BY_ID, id));
        let by_number = (&PAYMENT_BY_NUMBER, &payment.number);
        let by_id = (&PAYMENT_BY_ID, &payment.id);
        let known = self.see_named(by_id, by_number, |row: &Payment| row.key);
        let rest = known.and_then(|known| match known {
            Some(key) => rows::<Part>(self.unit, &PART_BY_PAYMENT, &key),
            None => {
                let reference = payment.reference_id.as_ref().unwrap_or(&payment.number);
                self.see_reference(reference)
            }
        });
        let invoices = self.see_invoices(&payment.applied);
        let paid = invoices.and_then(|keys| {
            each(self.unit, &keys, |unit, key| rows::<Part>(unit, &PART_BY_INVOICE, &key))
        });
        all([owner, method, rest, paid])
    }

    pub(super) fn see_memo(&mut self, memo: &SeedMemo) -> Seen {
        let owner = self.see_owner(&memo.account);
        let by_number = (&MEMO_BY_NUMBER, &memo.number);
        let known = self.see_named((&MEMO_BY_ID, &memo.id), by_number, |row: &CreditMemo| row.key);
        let invoices = self.see_invoices(&memo.applied).map(|_| ());
        all([owner, known.map(|_| ()), invoices])
    }

    fn see_owner(&mut self, id: &ObjectId) -> Seen {
        rows::<Account>(self.unit, &ACCOUNT_BY_ID, id)
    }

    fn see_reference(&mut self, reference: &str) -> Seen {
        let key = ReferenceKey::of(reference).as_str().to_owned();
        rows::<Collected>(self.unit, &COLLECTED_BY_REFERENCE, &key)
    }

    fn see_invoices(&mut self, parts: &[SeedPart]) -> Result<Vec<InvoiceKey>, Unmet> {
        let mut keys = Ok(Vec::with_capacity(parts.len()));
        for part in parts {
            let by_number = [part.invoice.stored()];
            let found = self.unit.see_one::<Invoice>(&INVOICE_BY_NUMBER, &by_number);
            match (&mut keys, found) {
                (Ok(keys), Ok(found)) => keys.extend(found.map(|row| row.key)),
                _ => keys = Err(Unmet),
            }
        }
        keys
    }
}
