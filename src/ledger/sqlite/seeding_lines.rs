//! Loading the lines of a seed's invoices: each charge, and the tax on it as a line of its own.
//!
//! Lines are what an invoice began with and never change, so a seed that is loaded again has to
//! name the same ones in the same order.

use super::seeding::{Loader, Refusal, differs, or_none, stable_id};
use super::seeding_billing::Owner;
use crate::domain::money::MinorUnits;
use crate::ledger::seed::{SeedInvoice, SeedItem};
use rusqlite::params;

/// A charge and the tax on it, as the ledger has it or is to have it.
#[derive(PartialEq, Eq)]
struct Item {
    id: String,
    name: Option<String>,
    amount: MinorUnits,
    tax: Option<MinorUnits>,
}

impl Loader<'_> {
    /// Adds the lines of a new invoice, whose key and moment are told.
    pub(super) fn add_lines(
        &mut self,
        object: &str,
        invoice: &SeedInvoice,
        owner: &Owner,
        (key, created_ms): (i64, i64),
    ) -> Result<(), Refusal> {
        let insert = "insert into invoice_line (id, invoice, item, name, amount, created_ms) \
                      values (?1, ?2, ?3, ?4, ?5, ?6)";
        for item in seeded(object, invoice, owner)? {
            let other = "select invoice.number from invoice_line \
                         join invoice on invoice.key = invoice_line.invoice \
                         where invoice_line.id = ?1";
            if let Some(other) = self.text(other, params![item.id])? {
                let object = format!("invoice item `{}`", item.id);
                return Err(differs(&object, ("invoice", other, invoice.number.clone())));
            }
            let (none, amount) = (None::<i64>, item.amount.units());
            let values = params![item.id, key, none, item.name, amount, created_ms];
            self.connection.execute(insert, values)?;
            let charge = self.connection.last_insert_rowid();
            if let Some(tax) = item.tax {
                let id = stable_id(&format!("tax of:{}", item.id));
                let values = params![id, key, charge, item.name, tax.units(), created_ms];
                self.connection.execute(insert, values)?;
            }
        }
        Ok(())
    }

    /// That an invoice which is there already has these lines.
    pub(super) fn check_lines(
        &self,
        object: &str,
        invoice: &SeedInvoice,
        owner: &Owner,
    ) -> Result<(), Refusal> {
        let (stored, seeded) = (self.stored(invoice)?, seeded(object, invoice, owner)?);
        let count = |items: &[Item]| items.len().to_string();
        if stored.len() != seeded.len() {
            return Err(differs(object, ("items", count(&stored), count(&seeded))));
        }
        let tell = |item: &Item| {
            let tax = or_none(item.tax.map(|tax| owner.currency.format(tax)));
            let (name, amount) = (or_none(item.name.as_ref()), owner.currency.format(item.amount));
            format!("{} ({name}): {amount}, tax {tax}", item.id)
        };
        match stored.iter().zip(&seeded).find(|(stored, seeded)| stored != seeded) {
            Some((stored, seeded)) => Err(differs(object, ("items", tell(stored), tell(seeded)))),
            None => Ok(()),
        }
    }

    fn stored(&self, invoice: &SeedInvoice) -> Result<Vec<Item>, Refusal> {
        let select = "select line.id, line.name, line.amount, tax.amount \
                      from invoice_line as line \
                      join invoice on invoice.key = line.invoice \
                      left join invoice_line as tax on tax.item = line.key \
                      where invoice.id = ?1 and line.item is null order by line.key";
        let mut statement = self.connection.prepare(select)?;
        let items = statement.query_map(params![invoice.id.as_str()], |row| {
            Ok(Item {
                id: row.get(0)?,
                name: row.get(1)?,
                amount: MinorUnits::new(row.get(2)?),
                tax: row.get::<_, Option<i64>>(3)?.map(MinorUnits::new),
            })
        })?;
        Ok(items.collect::<Result<_, _>>()?)
    }
}

/// The lines as the seed has them, in the currency of the invoice's account. An item without an id
/// has one that follows from the invoice and its place on it.
fn seeded(object: &str, invoice: &SeedInvoice, owner: &Owner) -> Result<Vec<Item>, Refusal> {
    let item = |(place, item): (usize, &SeedItem)| {
        let units = |amount| owner.units(object, "items", amount);
        Ok(Item {
            id: match &item.id {
                Some(id) => id.to_string(),
                None => stable_id(&format!("invoice item:{}:{place}", invoice.id)),
            },
            name: item.name.clone(),
            amount: units(item.amount)?,
            tax: item.tax.map(units).transpose()?,
        })
    };
    (1..).zip(&invoice.items).map(item).collect()
}
