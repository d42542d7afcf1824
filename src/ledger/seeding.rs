//! Loading a seed: all of it, or, on a conflict, nothing; one file for each kind of object.
//!
//! What is there already and equal is left alone, what differs is a conflict. What must stay true:
//! rows are written out some at a time, so that memory does not grow with the seed; so a seed that
//! is refused has to be taken back with the transaction, which is its own.

mod accounts;
mod credit_memos;
mod gateways;
mod invoices;
mod methods;
mod naming;
mod payments;
mod tenant;

use crate::domain::calendar::{day_at, moment_at};
use crate::domain::facts::{SANDBOX_GATEWAY, Tenant};
use crate::domain::id::ObjectId;
use crate::domain::money::{Currency, MinorUnits};
use crate::ledger::books::BooksError;
use crate::ledger::record::Field;
use crate::ledger::records::{ACCOUNT_BY_ID, Account, AccountRow};
use crate::ledger::seed::packed::Packed;
use crate::ledger::seed::{SeedConflict, SeedPlan, SeedReport};
use crate::ledger::unit::Unit;
use crate::ledger::work::loading::Seen;
use crate::ledger::work::trail_facts;
use crate::ledger::world;
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use rust_decimal::Decimal;
use sha2::{Digest, Sha256};

/// How many objects are loaded before their rows are written out.
const WRITTEN_AT_ONCE: usize = 1_000;

/// Why a seed was not loaded.
enum Refusal {
    Conflict(SeedConflict),
    Books(BooksError),
}

impl From<BooksError> for Refusal {
    fn from(error: BooksError) -> Self {
        Self::Books(error)
    }
}

/// Loads a seed. After a conflict the transaction has to be rolled back.
pub fn load(
    unit: &mut Unit<'_>,
    plan: SeedPlan,
) -> Result<Result<SeedReport, SeedConflict>, BooksError> {
    let (at, act) = (plan.at, plan.act.clone());
    let (tenant, report) = (unit.world.tenant.clone(), SeedReport::default());
    let had_accounts = unit.newest_key::<AccountRow>()? > 0;
    let mut loader = Loader { unit, at, tenant, gateways: Vec::new(), had_accounts, report };
    match loader.load(plan) {
        Ok(()) => {}
        Err(Refusal::Conflict(conflict)) => return Ok(Err(conflict)),
        Err(Refusal::Books(error)) => return Err(error),
    }
    let report = loader.report;
    trail_facts::record_seed(unit, act.as_ref(), report)?;
    Ok(Ok(report))
}

struct Loader<'l, 'u> {
    unit: &'l mut Unit<'u>,
    /// When it is loaded.
    at: DateTime<Utc>,
    /// The tenant's settings, those of this seed among them.
    tenant: Tenant,
    /// The names of all gateways, those of this seed and of the configuration among them.
    gateways: Vec<String>,
    /// Whether the ledger had any account before.
    had_accounts: bool,
    report: SeedReport,
}

/// A key of the seed file, what the ledger has for it, and what the seed says.
type Pair = (&'static str, String, String);

impl Loader<'_, '_> {
    fn load(&mut self, plan: SeedPlan) -> Result<(), Refusal> {
        for (gateway, script) in &plan.gateways {
            self.gateway(gateway, script)?;
        }
        let configured = self.unit.world.configured.iter().map(|gateway| gateway.name.clone());
        let configured: Vec<String> = configured.collect();
        let known = world::gateways(self.unit)?.into_iter().map(|(gateway, _)| gateway.name);
        self.gateways = known.chain(configured).collect();
        for (key, value) in &plan.tenant {
            self.tenant(key, value)?;
        }
        self.tenant = world::tenant(self.unit)?;
        for user in &plan.users {
            self.user(user)?;
        }
        for client in &plan.clients {
            self.client(client)?;
        }
        // Accounts and methods refer to each other: first the accounts without their defaults.
        let mut defaults = Packed::default();
        self.each(plan.accounts, Self::see_account, |loader, account| {
            loader.account(account, &mut defaults)
        })?;
        self.each(plan.payment_methods, Self::see_method, Self::payment_method)?;
        self.each(defaults, Self::see_default, |loader, one| loader.default_method(&one))?;
        self.each(plan.invoices, Self::see_invoice, Self::invoice)?;
        self.each(plan.payments, Self::see_payment, |loader, one| loader.payment(&one))?;
        self.each(plan.credit_memos, Self::see_memo, |loader, one| loader.credit_memo(&one))?;
        for identity in &plan.gateway_identities {
            self.gateway_identity(identity)?;
        }
        for field in &plan.custom_fields {
            self.custom_field(field)?;
        }
        self.unit.change_world();
        Ok(())
    }

    /// Loads each of many objects, some at a time: what these name is looked up at once, as `see`
    /// says, and their rows are written out together.
    fn each<T: crate::ledger::seed::packed::Pack>(
        &mut self,
        objects: Packed<T>,
        see: fn(&mut Self, &T) -> Seen,
        mut load: impl FnMut(&mut Self, T) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let mut objects = objects.into_iter();
        loop {
            let some: Vec<T> = objects.by_ref().take(WRITTEN_AT_ONCE).collect();
            if some.is_empty() {
                return Ok(self.unit.write_out()?);
            }
            while self.unit.is_far()
                && some.iter().map(|object| see(self, object)).fold(Ok(()), Result::and).is_err()
            {
                self.unit.load()?;
            }
            some.into_iter().try_for_each(|object| load(self, object))?;
            self.unit.write_out()?;
        }
    }

    fn check_gateway(
        &self,
        object: &str,
        key: &'static str,
        name: Option<&str>,
    ) -> Result<(), Refusal> {
        let Some(name) = name.filter(|name| *name != SANDBOX_GATEWAY) else { return Ok(()) };
        match self.gateways.iter().any(|known| known == name) {
            true => Ok(()),
            false => Err(dangling(object, key, name)),
        }
    }

    /// The account that an object belongs to.
    fn owner(&mut self, object: &str, id: &ObjectId) -> Result<Account, Refusal> {
        let found = self.unit.find(&ACCOUNT_BY_ID, &[id.stored()])?;
        found.ok_or_else(|| dangling(object, "account", id.as_str()))
    }

    fn add(&mut self) {
        self.report.added += 1;
    }

    /// Notes that an object is there already, unless one of its values differs.
    fn compare(
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

    /// The tenant's day at the moment of loading.
    fn today(&self) -> NaiveDate {
        day_at(self.at, self.tenant.time_zone)
    }

    /// When a day begins for the tenant. A seed does not say when things were written down, and
    /// what it makes must not depend on when it is loaded.
    fn beginning_of(&self, day: NaiveDate) -> DateTime<Utc> {
        moment_at(day.and_time(NaiveTime::MIN), self.tenant.time_zone)
    }
}

/// An amount in a currency.
fn units(
    currency: Currency,
    object: &str,
    key: &'static str,
    amount: Decimal,
) -> Result<MinorUnits, Refusal> {
    currency.minor_units(amount).ok_or_else(|| {
        let (code, decimals) = (currency.code(), currency.decimals());
        let why = format!("does not fit {code}, which has {decimals} decimals");
        unfit(object, key, &amount.to_string(), &why)
    })
}

fn differs(object: &str, (key, stored, seeded): Pair) -> Refusal {
    Refusal::Conflict(SeedConflict::Differs { object: object.to_owned(), key, stored, seeded })
}

fn dangling(object: &str, key: &'static str, value: &str) -> Refusal {
    let (object, value) = (object.to_owned(), value.to_owned());
    Refusal::Conflict(SeedConflict::Dangling { object, key, value })
}

fn unfit(object: &str, key: &'static str, value: &str, why: &str) -> Refusal {
    let [object, value, why] = [object, value, why].map(str::to_owned);
    Refusal::Conflict(SeedConflict::Unfit { object, key, value, why })
}

fn or_none(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| value.to_string())
}

/// The id of what is made without naming an id: the same in every ledger, so that captures compare.
pub(super) fn stable_id(name: &str) -> ObjectId {
    let digest: [u8; 32] = Sha256::digest(name.as_bytes()).into();
    ObjectId::of_digest(&digest)
}
