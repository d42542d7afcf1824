//! Loading the invoices and payments of a seed.
//!
//! What began with a seed moves on: refunds reopen invoices, gateways settle payments. So a seed
//! that is loaded again is compared with how things began, not with how they stand.

use super::seeding::{Loader, Refusal, dangling, differs, or_none, stable_id, unfit};
use super::{rows, sending};
use crate::domain::calendar::moment_at;
use crate::domain::facts::PaymentKey;
use crate::domain::id::ObjectId;
use crate::domain::money::{Currency, MinorUnits};
use crate::domain::vocabulary::{MethodType, PaymentType};
use crate::ledger::seed::{SeedInvoice, SeedPart, SeedPayment};
use chrono::{NaiveDate, NaiveTime};
use rusqlite::{OptionalExtension, params};

/// An account that an invoice or a payment belongs to.
pub(super) struct Owner {
    key: i64,
    id: String,
    pub(super) currency: Currency,
    gateway: Option<String>,
}

/// The method that a payment was made by.
struct Method {
    key: i64,
    gateway: Option<String>,
}

impl Loader<'_> {
    pub(super) fn invoice(&mut self, invoice: &SeedInvoice) -> Result<(), Refusal> {
        let object = format!("invoice `{}`", invoice.id);
        let owner = self.owner(&object, &invoice.account)?;
        let amount = owner.units(&object, "amount", invoice.amount)?;
        let opening = owner.units(&object, "balance", invoice.balance)?;
        let select = "select invoice.number, account.id, date, amount, invoice.opening \
                      from invoice join account on account.key = invoice.account \
                      where invoice.id = ?1";
        let stored = self
            .connection
            .query_row(select, params![invoice.id.as_str()], |row| {
                let texts: [String; 3] = [row.get(0)?, row.get(1)?, row.get(2)?];
                Ok((texts, [row.get(3)?, row.get(4)?].map(MinorUnits::new)))
            })
            .optional()?;
        if let Some(([number, account, date], amounts)) = stored {
            let [stored_amount, stored_opening] = amounts.map(|one| owner.currency.format(one));
            let pairs = [
                ("number", number, invoice.number.clone()),
                ("account", account, owner.id.clone()),
                ("date", date, invoice.date.to_string()),
                ("amount", stored_amount, owner.currency.format(amount)),
                ("balance", stored_opening, owner.currency.format(opening)),
            ];
            self.check_lines(&object, invoice, &owner)?;
            return self.compare(&object, pairs);
        }
        self.check_number("invoice", &invoice.number, &invoice.id)?;
        let insert = "insert into invoice (id, number, account, date, amount, opening, balance, \
                      created_ms, updated_ms) values (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, ?7)";
        let created_ms = self.beginning_of(invoice.date)?;
        let (id, date) = (invoice.id.as_str(), invoice.date.to_string());
        let (amount, opening) = (amount.units(), opening.units());
        let values = params![id, invoice.number, owner.key, date, amount, opening, created_ms];
        self.add(insert, values)?;
        let key = self.connection.last_insert_rowid();
        self.add_lines(&object, invoice, &owner, (key, created_ms))
    }

    pub(super) fn payment(&mut self, payment: &SeedPayment) -> Result<(), Refusal> {
        let object = format!("payment `{}`", payment.id);
        let owner = self.owner(&object, &payment.account)?;
        let amount = owner.units(&object, "amount", payment.amount)?;
        self.check_gateway(&object, "gateway", payment.gateway.as_deref())?;
        let method = self.method_of(&object, payment, &owner)?;
        let key = self.known_payment(&object, payment, &owner, amount)?;
        let is_new = key.is_none();
        let key = match key {
            Some(key) => key,
            None => self.add_payment(payment, &owner, amount, method)?,
        };
        for part in &payment.applied {
            self.part(&object, (key, is_new), payment, part, &owner)?;
        }
        Ok(())
    }

    /// The key of a payment that is there already, once nothing of it differs.
    fn known_payment(
        &mut self,
        object: &str,
        payment: &SeedPayment,
        owner: &Owner,
        amount: MinorUnits,
    ) -> Result<Option<i64>, Refusal> {
        let select = "select payment.key, payment.number, account.id, payment.type, amount, \
                      effective_date, payment_method.id, payment.gateway, is_settled, \
                      payment.reference_id \
                      from payment join account on account.key = payment.account \
                      left join payment_method on payment_method.key = payment.payment_method \
                      where payment.id = ?1";
        let stored = self
            .connection
            .query_row(select, params![payment.id.as_str()], |row| {
                let texts: [String; 4] = [row.get(1)?, row.get(2)?, row.get(3)?, row.get(5)?];
                let refers: [Option<String>; 3] = [row.get(6)?, row.get(7)?, row.get(9)?];
                let amount = MinorUnits::new(row.get(4)?);
                Ok((row.get(0)?, texts, amount, refers, row.get::<_, bool>(8)?))
            })
            .optional()?;
        let Some((key, texts, stored_amount, [method, gateway, reference], is_settled)) = stored
        else {
            return Ok(None);
        };
        let [number, account, payment_type, date] = texts;
        // Where the seed names no gateway, the one that was found stays.
        let seeded_gateway = payment.gateway.clone().or_else(|| gateway.clone());
        let seeded_amount = owner.currency.format(amount);
        let pairs = [
            ("number", number, payment.number.clone()),
            ("account", account, owner.id.clone()),
            ("type", payment_type, payment.payment_type.name().to_owned()),
            ("amount", owner.currency.format(stored_amount), seeded_amount),
            ("effective_date", date, payment.effective_date.to_string()),
            ("payment_method", or_none(method), or_none(payment.payment_method.as_ref())),
            ("gateway", or_none(gateway), or_none(seeded_gateway)),
            ("reference_id", or_none(reference), or_none(payment.reference_id.as_ref())),
            // One that was not settled may have been since.
            ("settled", is_settled.to_string(), (is_settled || payment.is_settled).to_string()),
        ];
        self.compare(object, pairs)?;
        Ok(Some(key))
    }

    fn add_payment(
        &mut self,
        payment: &SeedPayment,
        owner: &Owner,
        amount: MinorUnits,
        method: Option<Method>,
    ) -> Result<i64, Refusal> {
        self.check_number("payment", &payment.number, &payment.id)?;
        let object = format!("payment `{}`", payment.id);
        let (method, of_method) = method.map(|one| (one.key, one.gateway)).unzip();
        let gateway = match payment.payment_type {
            PaymentType::External => None,
            PaymentType::Electronic => {
                let named = payment.gateway.clone().or_else(|| of_method.flatten());
                let named = named.or_else(|| owner.gateway.clone());
                Some(named.unwrap_or(rows::tenant(self.connection)?.default_gateway))
            }
        };
        let (reference_key, reference) = match &payment.reference_id {
            Some(reference) => ("reference_id", reference),
            None => ("number", &payment.number),
        };
        if let Some(gateway) = &gateway {
            self.check_reference(&object, reference_key, reference, gateway)?;
        }
        let insert = "insert into payment (id, number, account, type, status, amount, refunded, \
                      to_credit_balance, effective_date, payment_method, gateway, is_settled, \
                      created_ms, updated_ms, reference_id) \
                      values (?1, ?2, ?3, ?4, 'Processed', ?5, 0, 0, ?6, ?7, ?8, ?9, ?10, ?10, \
                      ?11)";
        let values = params![
            payment.id.as_str(),
            payment.number,
            owner.key,
            payment.payment_type.name(),
            amount.units(),
            payment.effective_date.to_string(),
            method,
            gateway,
            payment.is_settled,
            self.beginning_of(payment.effective_date)?,
            payment.reference_id
        ];
        self.add(insert, values)?;
        let key = self.connection.last_insert_rowid();
        if let Some(gateway) = &gateway {
            sending::claim(self.connection, gateway, reference, PaymentKey(key), amount)?;
        }
        Ok(key)
    }

    /// That a gateway knows no other payment by a reference.
    fn check_reference(
        &self,
        object: &str,
        key: &'static str,
        reference: &str,
        gateway: &str,
    ) -> Result<(), Refusal> {
        let known = sending::known_by(self.connection, reference)?;
        match known.iter().find(|known| known.gateway == gateway) {
            None => Ok(()),
            Some(other) => {
                let number = &other.number;
                let why = format!("is how gateway `{gateway}` knows payment `{number}` already");
                Err(unfit(object, key, reference, &why))
            }
        }
    }

    /// The part of payment `key` that pays an invoice. Only a new payment gets new parts.
    fn part(
        &mut self,
        object: &str,
        (key, is_new): (i64, bool),
        payment: &SeedPayment,
        part: &SeedPart,
        owner: &Owner,
    ) -> Result<(), Refusal> {
        let amount = owner.units(object, "applied", part.amount)?;
        let select = "select key, id, account, amount, balance from invoice where number = ?1";
        let invoice = self.connection.query_row(select, params![part.invoice], |row| {
            let numbers: [i64; 4] = [row.get(0)?, row.get(2)?, row.get(3)?, row.get(4)?];
            Ok((numbers, row.get::<_, String>(1)?))
        });
        let invoice = invoice.optional()?;
        let ([invoice, account, asked, balance], invoice_id) =
            invoice.ok_or_else(|| dangling(object, "applied", &part.invoice))?;
        if account != owner.key {
            return Err(unfit(object, "applied", &part.invoice, "belongs to another account"));
        }
        if !is_new {
            let select = "select amount from invoice_payment where payment = ?1 and invoice = ?2";
            let stored = self
                .connection
                .query_row(select, params![key, invoice], |row| row.get(0).map(MinorUnits::new));
            let tell = |amount| format!("{}: {}", part.invoice, owner.currency.format(amount));
            let stored = or_none(stored.optional()?.map(tell));
            let seeded = tell(amount);
            return match stored == seeded {
                true => Ok(()),
                false => Err(differs(object, ("applied", stored, seeded))),
            };
        }
        if asked <= 0 {
            let why = "is no invoice that can be paid: its amount is not above 0";
            return Err(unfit(object, "applied", &part.invoice, why));
        }
        let insert = "insert into invoice_payment (id, invoice, payment, amount, refunded, \
                      created_ms, updated_ms) values (?1, ?2, ?3, ?4, 0, ?5, ?5)";
        let id = stable_id(&format!("invoice payment:{}:{invoice_id}", payment.id));
        let created_ms = self.beginning_of(payment.effective_date)?;
        self.connection.execute(insert, params![id, invoice, key, amount.units(), created_ms])?;
        let apply = "update payment set applied = applied + ?2 where key = ?1";
        self.connection.execute(apply, params![key, amount.units()])?;
        let select = "select sum(amount - refunded) from invoice_payment where invoice = ?1";
        let paid: i64 = self.connection.query_row(select, params![invoice], |row| row.get(0))?;
        if paid > asked - balance {
            let paid = owner.currency.format(MinorUnits::new(paid));
            let covered = owner.currency.format(MinorUnits::new(asked - balance));
            let why =
                format!("has {paid} applied to it, but its balance leaves room for {covered}");
            return Err(unfit(object, "applied", &part.invoice, &why));
        }
        Ok(())
    }

    fn owner(&self, object: &str, id: &ObjectId) -> Result<Owner, Refusal> {
        let select = "select key, id, currency, gateway from account where id = ?1";
        let found = self.connection.query_row(select, params![id.as_str()], |row| {
            Ok(Owner {
                key: row.get(0)?,
                id: row.get(1)?,
                currency: rows::known(row, 2, Currency::from_code)?,
                gateway: row.get(3)?,
            })
        });
        found.optional()?.ok_or_else(|| dangling(object, "account", id.as_str()))
    }

    /// The method of a payment, which has to be the account's or nobody's, and one that a gateway
    /// can be paid by if the payment is electronic.
    fn method_of(
        &self,
        object: &str,
        payment: &SeedPayment,
        owner: &Owner,
    ) -> Result<Option<Method>, Refusal> {
        let Some(id) = &payment.payment_method else {
            return Ok(None);
        };
        let select = "select key, account, type, gateway from payment_method where id = ?1";
        let found = self.connection.query_row(select, params![id.as_str()], |row| {
            let method = Method { key: row.get(0)?, gateway: row.get(3)? };
            let method_type = rows::known(row, 2, MethodType::from_name)?;
            Ok((method, row.get::<_, Option<i64>>(1)?, method_type))
        });
        let key = "payment_method";
        let (method, account, method_type) =
            found.optional()?.ok_or_else(|| dangling(object, key, id.as_str()))?;
        if account.is_some_and(|account| account != owner.key) {
            return Err(unfit(object, key, id.as_str(), "belongs to another account"));
        }
        if payment.payment_type == PaymentType::Electronic && !method_type.is_electronic() {
            let why = format!("is of type {}, which no gateway can be paid by", method_type.name());
            return Err(unfit(object, key, id.as_str(), &why));
        }
        Ok(Some(method))
    }

    /// That no other object of `table` has this number.
    fn check_number(
        &self,
        table: &'static str,
        number: &str,
        id: &ObjectId,
    ) -> Result<(), Refusal> {
        let select = format!("select id from {table} where number = ?1");
        match self.text(&select, params![number])? {
            Some(other) => {
                let object = format!("{table} number `{number}`");
                Err(differs(&object, ("id", other, id.to_string())))
            }
            None => Ok(()),
        }
    }

    /// When a day begins for the tenant. A seed does not say when things were written down, and
    /// what it makes must not depend on when it is loaded.
    fn beginning_of(&self, day: NaiveDate) -> Result<i64, Refusal> {
        let zone = rows::tenant(self.connection)?.time_zone;
        Ok(moment_at(day.and_time(NaiveTime::MIN), zone).timestamp_millis())
    }
}

impl Owner {
    /// The amount in the account's currency.
    pub(super) fn units(
        &self,
        object: &str,
        key: &'static str,
        amount: rust_decimal::Decimal,
    ) -> Result<MinorUnits, Refusal> {
        self.currency.minor_units(amount).ok_or_else(|| {
            let (code, decimals) = (self.currency.code(), self.currency.decimals());
            let why = format!("does not fit {code}, which has {decimals} decimals");
            unfit(object, key, &amount.to_string(), &why)
        })
    }
}
