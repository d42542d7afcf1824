//! Loading the invoices of a seed with their lines: each charge, and the tax on it as a line of its
//! own.
//!
//! What began with a seed moves on: refunds reopen invoices. So a seed that is loaded again is
//! compared with how things began, not with how they stand. Lines never change, so it has to name
//! the same ones in the same order.

use super::{Loader, Refusal, dangling, differs, or_none, stable_id, unfit, units};
use crate::domain::facts::InvoiceKey;
use crate::domain::id::ObjectId;
use crate::domain::invoicing::LineKey;
use crate::domain::money::MinorUnits;
use crate::ledger::record::{DayText, Field};
use crate::ledger::records::{
    Account, INVOICE_BY_ID, INVOICE_BY_NUMBER, Invoice, LINE_BY_ID, LINE_BY_INVOICE, Line,
};
use crate::ledger::seed::{SeedInvoice, SeedItem, SeedPart};
use chrono::{DateTime, Utc};

/// A charge and the tax on it, as the ledger has it or is to have it.
#[derive(PartialEq, Eq)]
struct Item {
    id: ObjectId,
    name: Option<String>,
    amount: MinorUnits,
    tax: Option<MinorUnits>,
}

impl Loader<'_, '_> {
    pub(super) fn invoice(&mut self, invoice: SeedInvoice) -> Result<(), Refusal> {
        let object = format!("invoice `{}`", invoice.id);
        let owner = self.owner(&object, &invoice.account)?;
        let amount = units(owner.currency, &object, "amount", invoice.amount)?;
        let opening = units(owner.currency, &object, "balance", invoice.balance)?;
        let stored: Option<Invoice> = self.unit.find(&INVOICE_BY_ID, &[invoice.id.stored()])?;
        if let Some(stored) = stored {
            return self.known_invoice(&object, &invoice, &owner, (stored, amount, opening));
        }
        let number = [invoice.number.stored()];
        if let Some(other) = self.unit.find::<Invoice>(&INVOICE_BY_NUMBER, &number)? {
            let object = format!("invoice number `{}`", invoice.number);
            return Err(differs(&object, ("id", other.id.to_string(), invoice.id.to_string())));
        }
        let items = seeded(&object, &invoice, &owner)?;
        let key = InvoiceKey(self.unit.next_key::<Invoice>()?);
        let created = self.beginning_of(invoice.date);
        self.unit.insert(Invoice {
            key,
            id: invoice.id,
            number: invoice.number.clone(),
            account: owner.key,
            date: DayText(invoice.date),
            amount,
            opening,
            balance: opening,
            created_ms: created,
            updated_ms: created,
            custom: None,
        })?;
        self.add();
        self.add_lines(&invoice.number, items, key, created)
    }

    /// The invoice that a part of a payment or of a credit memo is applied to.
    pub(super) fn invoice_of(
        &mut self,
        object: &str,
        part: &SeedPart,
        owner: &Account,
    ) -> Result<Invoice, Refusal> {
        let found: Option<Invoice> =
            self.unit.find(&INVOICE_BY_NUMBER, &[part.invoice.stored()])?;
        let invoice = found.ok_or_else(|| dangling(object, "applied", &part.invoice))?;
        match invoice.account == owner.key {
            true => Ok(invoice),
            false => Err(unfit(object, "applied", &part.invoice, "belongs to another account")),
        }
    }

    /// Compares an invoice that is there, and its lines, with the amounts that the seed has.
    fn known_invoice(
        &mut self,
        object: &str,
        invoice: &SeedInvoice,
        owner: &Account,
        (stored, amount, opening): (Invoice, MinorUnits, MinorUnits),
    ) -> Result<(), Refusal> {
        let account = match stored.account == owner.key {
            true => owner.id.clone(),
            false => self.unit.existing::<Account>(&(stored.account,))?.id,
        };
        let shown = |amount| owner.currency.format(amount);
        self.check_lines(object, invoice, owner, stored.key)?;
        let pairs = [
            ("number", stored.number, invoice.number.clone()),
            ("account", account.to_string(), owner.id.to_string()),
            ("date", stored.date.0.to_string(), invoice.date.to_string()),
            ("amount", shown(stored.amount), shown(amount)),
            ("balance", shown(stored.opening), shown(opening)),
        ];
        self.compare(object, pairs)
    }

    /// Adds the lines of a new invoice.
    fn add_lines(
        &mut self,
        number: &str,
        items: Vec<Item>,
        invoice: InvoiceKey,
        created: DateTime<Utc>,
    ) -> Result<(), Refusal> {
        for Item { id, name, amount, tax } in items {
            if let Some(other) = self.unit.find::<Line>(&LINE_BY_ID, &[id.stored()])? {
                let other: Invoice = self.unit.existing(&(other.invoice,))?;
                let object = format!("invoice item `{id}`");
                return Err(differs(&object, ("invoice", other.number, number.to_owned())));
            }
            let of_tax = tax.map(|tax| (stable_id(&format!("tax of:{id}")), tax));
            let key = LineKey(self.unit.next_key::<Line>()?);
            let charge = Line { key, id, invoice, item: None, name, amount, created_ms: created };
            if let Some((id, amount)) = of_tax {
                self.unit.insert(charge.clone())?;
                let tax = LineKey(self.unit.next_key::<Line>()?);
                self.unit.insert(Line { key: tax, id, item: Some(key), amount, ..charge })?;
            } else {
                self.unit.insert(charge)?;
            }
        }
        Ok(())
    }

    /// That an invoice which is there already has these lines.
    fn check_lines(
        &mut self,
        object: &str,
        invoice: &SeedInvoice,
        owner: &Account,
        key: InvoiceKey,
    ) -> Result<(), Refusal> {
        let (stored, seeded) = (self.stored_items(key)?, seeded(object, invoice, owner)?);
        let count = |items: &[Item]| items.len().to_string();
        if stored.len() != seeded.len() {
            return Err(differs(object, ("items", count(&stored), count(&seeded))));
        }
        let shown = |item: &Item| {
            let tax = or_none(item.tax.map(|tax| owner.currency.format(tax)));
            let (name, amount) = (or_none(item.name.as_ref()), owner.currency.format(item.amount));
            format!("{} ({name}): {amount}, tax {tax}", item.id)
        };
        match stored.iter().zip(&seeded).find(|(stored, seeded)| stored != seeded) {
            Some((stored, seeded)) => Err(differs(object, ("items", shown(stored), shown(seeded)))),
            None => Ok(()),
        }
    }

    fn stored_items(&mut self, invoice: InvoiceKey) -> Result<Vec<Item>, Refusal> {
        let lines: Vec<Line> = self.unit.all(&LINE_BY_INVOICE, &[invoice.stored()])?;
        let tax_on = |charge: LineKey| {
            lines.iter().find(|line| line.item == Some(charge)).map(|line| line.amount)
        };
        let charges = lines.iter().filter(|line| line.item.is_none());
        let item = |line: &Line| Item {
            id: line.id.clone(),
            name: line.name.clone(),
            amount: line.amount,
            tax: tax_on(line.key),
        };
        Ok(charges.map(item).collect())
    }
}

/// The lines as the seed has them, in the currency of the invoice's account. An item without an id
/// has one that follows from the invoice and its place on it.
fn seeded(object: &str, invoice: &SeedInvoice, owner: &Account) -> Result<Vec<Item>, Refusal> {
    let item = |(place, item): (usize, &SeedItem)| {
        let units = |amount| units(owner.currency, object, "items", amount);
        Ok(Item {
            id: match &item.id {
                Some(id) => id.clone(),
                None => stable_id(&format!("invoice item:{}:{place}", invoice.id)),
            },
            name: item.name.clone(),
            amount: units(item.amount)?,
            tax: item.tax.map(units).transpose()?,
        })
    };
    (1..).zip(&invoice.items).map(item).collect()
}
