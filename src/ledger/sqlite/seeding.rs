//! Loading a seed inside the open transaction: all of it, or, on a conflict, nothing.

use super::operating::{self, TENANT};
use super::rows;
use super::store::Store;
use crate::domain::calendar::day_at;
use crate::domain::custom_field::CustomField;
use crate::domain::facts::{Gateway, SANDBOX_GATEWAY};
use crate::domain::id::ObjectId;
use crate::domain::money::MinorUnits;
use crate::domain::permission::Permissions;
use crate::domain::vocabulary::MethodStatus;
use crate::ledger::seed::{
    SeedAccount, SeedConflict, SeedPaymentMethod, SeedPlan, SeedReport, SeedUser,
};
use crate::ledger::work::trail_facts;
use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Params, params};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Why a seed was not loaded.
pub(super) enum Refusal {
    Conflict(SeedConflict),
    Sql(rusqlite::Error),
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

/// Loads the whole seed, or nothing of it.
pub(super) fn load(
    store: &mut Store,
    seed: &SeedPlan,
) -> rusqlite::Result<Result<SeedReport, SeedConflict>> {
    store.connection().execute_batch("savepoint seed")?;
    let (connection, configured) = (store.connection(), store.configured_gateways());
    let at = seed.at;
    let report = SeedReport::default();
    let loaded = Loader { connection, configured, at, report }.load(seed);
    let result = match loaded {
        Ok(report) => {
            store.work_at_once(|unit| trail_facts::record_seed(unit, seed, report))?;
            Ok(report)
        }
        Err(Refusal::Conflict(conflict)) => {
            store.connection().execute_batch("rollback to seed")?;
            Err(conflict)
        }
        Err(Refusal::Sql(error)) => return Err(error),
    };
    store.connection().execute_batch("release seed")?;
    store.reload()?;
    Ok(result)
}

pub(super) struct Loader<'a> {
    pub(super) connection: &'a Connection,
    pub(super) configured: &'a [Gateway],
    at: DateTime<Utc>,
    report: SeedReport,
}

/// A key of the seed file, what the ledger has for it, and what the seed says.
pub(super) type Pair = (&'static str, String, String);

impl Loader<'_> {
    fn load(mut self, seed: &SeedPlan) -> Result<SeedReport, Refusal> {
        for (gateway, script) in &seed.gateways {
            self.gateway(gateway, script)?;
        }
        for (key, value) in &seed.tenant {
            self.tenant(key, value)?;
        }
        for user in &seed.users {
            self.user(user)?;
        }
        // Accounts and methods refer to each other: first the accounts without their defaults.
        let mut new_accounts = Vec::new();
        for account in &seed.accounts {
            if self.account(account)? {
                new_accounts.push(account);
            }
        }
        for method in &seed.payment_methods {
            self.payment_method(method)?;
        }
        for account in new_accounts {
            self.default_method(account)?;
        }
        for invoice in &seed.invoices {
            self.invoice(invoice)?;
        }
        for payment in &seed.payments {
            self.payment(payment)?;
        }
        for field in &seed.custom_fields {
            self.custom_field(field)?;
        }
        Ok(self.report)
    }

    fn tenant(&mut self, key: &'static str, value: &str) -> Result<(), Refusal> {
        if key == "default_gateway" {
            self.check_gateway("tenant", key, Some(value))?;
        }
        let stored = self.text("select value from tenant where key = ?1", params![key])?;
        match stored {
            Some(stored) => {
                let by_operator = operating::is_by_operator(self.connection, TENANT, key)?;
                let seeded = if by_operator { stored.clone() } else { value.to_owned() };
                self.compare("tenant", [(key, stored, seeded)])
            }
            None => {
                self.add("insert into tenant (key, value) values (?1, ?2)", params![key, value])
            }
        }
    }

    fn user(&mut self, user: &SeedUser) -> Result<(), Refusal> {
        let select = "select permissions, permissions_said, permissions_by_operator from user \
                      where username = ?1";
        let stored = self
            .connection
            .query_row(select, params![user.username], |row| {
                let bits: [i64; 3] = [row.get(0)?, row.get(1)?, row.get(2)?];
                Ok(bits.map(Permissions::from_bits))
            })
            .optional()?;
        if let Some(stored) = stored {
            return self.known_user(user, stored);
        }
        let Some(password_hash) = &user.password_hash else {
            let username = user.username.clone();
            return Err(Refusal::Conflict(SeedConflict::NoPassword { username }));
        };
        let insert = "insert into user (id, username, password_hash, permissions, \
                      permissions_said) values (?1, ?2, ?3, ?4, ?5)";
        let id = stable_id(&format!("user:{}", user.username));
        let (bits, said) = (user.permissions.bits(), Permissions::all().bits());
        self.add(insert, params![id, user.username, password_hash, bits, said])
    }

    /// A user that the ledger has, with these permissions, those that were asked about, and those
    /// that an operator has changed: there the operator's word holds, and of what was never asked
    /// about, the seed's.
    fn known_user(&mut self, user: &SeedUser, stored: [Permissions; 3]) -> Result<(), Refusal> {
        let [stored, said, by_operator] = stored;
        let open = Permissions::all().without(said).without(by_operator);
        let seeded = user.permissions.without(by_operator).union(stored.only(by_operator));
        let merged = stored.without(open).union(seeded.only(open));
        let list = |permissions: Permissions| permissions.names().join(", ");
        let pair = ("permissions", list(merged), list(seeded));
        self.compare(&format!("user `{}`", user.username), [pair])?;
        let update = "update user set permissions = ?2, permissions_said = ?3 where username = ?1";
        let (bits, said) = (merged.bits(), Permissions::all().bits());
        self.connection.execute(update, params![user.username, bits, said])?;
        Ok(())
    }

    /// Adds the account without its default method; true when it is new.
    fn account(&mut self, account: &SeedAccount) -> Result<bool, Refusal> {
        let object = format!("account `{}`", account.id);
        self.check_gateway(&object, "gateway", account.gateway.as_deref())?;
        let opening = account.currency.format(account.opening);
        // The default method is what an update changes, so it may be another by now.
        let select = "select account.number, name, currency, opening, account.gateway, opened \
                      from account where account.id = ?1";
        let stored = self
            .connection
            .query_row(select, params![account.id.as_str()], |row| {
                let texts: [String; 3] = [row.get(0)?, row.get(1)?, row.get(2)?];
                let others: [Option<String>; 2] = [row.get(4)?, row.get(5)?];
                Ok((texts, row.get::<_, i64>(3)?, others))
            })
            .optional()?;
        if let Some(([number, name, currency], stored_opening, [gateway, opened])) = stored {
            let stored_opening = MinorUnits::new(stored_opening);
            let pairs = [
                ("number", number, account.number.clone()),
                ("name", name, account.name.clone()),
                ("currency", currency, account.currency.code().to_owned()),
                ("credit_balance", account.currency.format(stored_opening), opening),
                ("opened", or_none(opened), or_none(account.opened)),
                ("gateway", or_none(gateway), or_none(account.gateway.clone())),
            ];
            return self.compare(&object, pairs).map(|()| false);
        }
        let taken = "select id from account where number = ?1";
        if let Some(other) = self.text(taken, params![account.number])? {
            let object = format!("account number `{}`", account.number);
            return Err(differs(&object, ("id", other, account.id.to_string())));
        }
        let today = day_at(self.at, rows::tenant(self.connection)?.time_zone);
        if let Some(opened) = account.opened.filter(|day| *day > today) {
            return Err(unfit(&object, "opened", &opened.to_string(), "is a day to come"));
        }
        let insert = "insert into account_row (id, number, name, currency, opening, gateway, \
                      opened, created_ms, updated_ms) \
                      values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)";
        let at_ms = self.at.timestamp_millis();
        let values = params![
            account.id.as_str(),
            account.number,
            account.name,
            account.currency.code(),
            account.opening.units(),
            account.gateway,
            account.opened.map(|day| day.to_string()),
            at_ms
        ];
        self.add(insert, values)?;
        let insert = "insert into balance (account, units) \
                      select key, opening from account_row where id = ?1";
        self.connection.execute(insert, params![account.id.as_str()])?;
        Ok(true)
    }

    fn payment_method(&mut self, method: &SeedPaymentMethod) -> Result<(), Refusal> {
        let object = format!("payment method `{}`", method.id);
        self.check_gateway(&object, "gateway", method.gateway.as_deref())?;
        // Its name is what an update changes, so it may be another by now.
        let select = "select account.id, type, payment_method.status, payment_method.gateway \
                      from payment_method left join account \
                      on account.key = payment_method.account where payment_method.id = ?1";
        let stored = self
            .connection
            .query_row(select, params![method.id.as_str()], |row| {
                let refers: [Option<String>; 2] = [row.get(0)?, row.get(3)?];
                Ok((refers, row.get(1)?, row.get(2)?))
            })
            .optional()?;
        if let Some(([account, gateway], method_type, status)) = stored {
            // One that was in use may have been closed since.
            let closed = MethodStatus::Closed.name();
            let seeded_status = if status == closed { closed } else { method.status.name() };
            let pairs = [
                ("account", or_none(account), or_none(method.account.as_ref())),
                ("type", method_type, method.method_type.name().to_owned()),
                ("status", status, seeded_status.to_owned()),
                ("gateway", or_none(gateway), or_none(method.gateway.clone())),
            ];
            return self.compare(&object, pairs);
        }
        let owner = match &method.account {
            None => None,
            Some(id) => Some(self.key_of("account", &object, "account", id)?),
        };
        let insert = "insert into payment_method (id, account, type, status, gateway, kept, \
                      created_ms, updated_ms) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)";
        let (id, gateway) = (method.id.as_str(), &method.gateway);
        let at_ms = self.at.timestamp_millis();
        let (method_type, status) = (method.method_type.name(), method.status.name());
        let kept: BTreeMap<_, _> = method.name.iter().map(|name| ("Name", name)).collect();
        let kept = json(&kept)?;
        self.add(insert, params![id, owner, method_type, status, gateway, kept, at_ms])
    }

    fn default_method(&self, account: &SeedAccount) -> Result<(), Refusal> {
        let Some(method) = &account.default_payment_method else {
            return Ok(());
        };
        let object = format!("account `{}`", account.id);
        let key = self.key_of("payment_method", &object, "default_payment_method", method)?;
        let update = "update account_row set default_payment_method = ?2 where id = ?1 \
             and exists ( select 1 from payment_method where key = ?2 \
             and (account is null or account = (select key from account where id = ?1)))";
        match self.connection.execute(update, params![account.id.as_str(), key])? {
            0 => {
                let key = "default_payment_method";
                Err(unfit(&object, key, method.as_str(), "belongs to another account"))
            }
            _ => Ok(()),
        }
    }

    fn custom_field(&mut self, field: &CustomField) -> Result<(), Refusal> {
        let (object_name, name) = (field.object.name(), field.name.as_str());
        let object = format!("custom field `{object_name}.{name}`");
        let select = "select name, type, length, is_required, is_advanced from custom_field \
                      where object = ?1 and name = ?2 collate nocase";
        let stored = self
            .connection
            .query_row(select, params![object_name, name], |row| {
                let texts: [String; 2] = [row.get(0)?, row.get(1)?];
                let switches: [bool; 2] = [row.get(3)?, row.get(4)?];
                Ok((texts, row.get::<_, Option<u32>>(2)?, switches))
            })
            .optional()?;
        let (type_name, length) = (field.custom_type.name(), field.custom_type.length());
        let (required, advanced) = (field.is_required, field.is_advanced);
        if let Some(([stored_name, stored_type], stored_length, switches)) = stored {
            let [stored_required, stored_advanced] = switches.map(|on| on.to_string());
            let pairs = [
                ("name", stored_name, name.to_owned()),
                ("type", stored_type, type_name.to_owned()),
                ("length", or_none(stored_length), or_none(length)),
                ("required", stored_required, required.to_string()),
                ("advanced", stored_advanced, advanced.to_string()),
            ];
            return self.compare(&object, pairs);
        }
        let insert = "insert into custom_field (object, name, type, length, is_required, \
                      is_advanced) values (?1, ?2, ?3, ?4, ?5, ?6)";
        self.add(insert, params![object_name, name, type_name, length, required, advanced])
    }

    /// The key of a row of `table`, or a dangling reference of `object`.
    fn key_of(
        &self,
        table: &'static str,
        object: &str,
        key: &'static str,
        id: &ObjectId,
    ) -> Result<i64, Refusal> {
        let select = format!("select key from {table} where id = ?1");
        let found = self.connection.query_row(&select, params![id.as_str()], |row| row.get(0));
        found.optional()?.ok_or_else(|| dangling(object, key, id.as_str()))
    }

    pub(super) fn check_gateway(
        &self,
        object: &str,
        key: &'static str,
        name: Option<&str>,
    ) -> Result<(), Refusal> {
        let Some(name) = name.filter(|name| *name != SANDBOX_GATEWAY) else {
            return Ok(());
        };
        let is_configured = self.configured.iter().any(|one| one.name == name);
        let exists = is_configured
            || rows::gateways(self.connection)?.iter().any(|(one, _)| one.name == name);
        if exists { Ok(()) } else { Err(dangling(object, key, name)) }
    }

    pub(super) fn text(
        &self,
        select: &str,
        values: impl Params,
    ) -> Result<Option<String>, Refusal> {
        Ok(self.connection.query_row(select, values, |row| row.get(0)).optional()?)
    }

    pub(super) fn add(&mut self, insert: &str, values: impl Params) -> Result<(), Refusal> {
        self.connection.execute(insert, values)?;
        self.report.added += 1;
        Ok(())
    }

    /// Notes that an object is there already, unless one of its values differs.
    pub(super) fn compare(
        &mut self,
        object: &str,
        pairs: impl IntoIterator<Item = Pair>,
    ) -> Result<(), Refusal> {
        match pairs.into_iter().find(|(_, stored, seeded)| stored != seeded) {
            Some(pair) => Err(differs(object, pair)),
            None => {
                self.report.unchanged += 1;
                Ok(())
            }
        }
    }
}

pub(super) fn differs(object: &str, (key, stored, seeded): Pair) -> Refusal {
    Refusal::Conflict(SeedConflict::Differs { object: object.to_owned(), key, stored, seeded })
}

pub(super) fn dangling(object: &str, key: &'static str, value: &str) -> Refusal {
    let (object, value) = (object.to_owned(), value.to_owned());
    Refusal::Conflict(SeedConflict::Dangling { object, key, value })
}

pub(super) fn or_none(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| value.to_string())
}

pub(super) fn json<T: serde::Serialize + ?Sized>(value: &T) -> Result<String, Refusal> {
    serde_json::to_string(value)
        .map_err(|error| Refusal::Sql(rusqlite::Error::ToSqlConversionFailure(Box::new(error))))
}

pub(super) fn unfit(object: &str, key: &'static str, value: &str, why: &str) -> Refusal {
    let [object, value, why] = [object, value, why].map(str::to_owned);
    Refusal::Conflict(SeedConflict::Unfit { object, key, value, why })
}

/// The id of what a seed makes without naming an id: the same in every ledger, so that captures
/// compare.
pub(super) fn stable_id(name: &str) -> String {
    let digest: [u8; 32] = Sha256::digest(name.as_bytes()).into();
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
