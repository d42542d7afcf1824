//! Accounts inside the open transaction: look up what a draft names, let the domain decide, write.

use super::custom::{self, Owner};
use super::rows::{self, known};
use super::store::{Store, kept_json};
use crate::domain::draft::account::AccountDraft;
use crate::domain::facts::{AccountKey, ExistingAccount, ParentAccount};
use crate::domain::id::{IdKind, ObjectId};
use crate::domain::money::{Currency, MinorUnits};
use crate::domain::rules::{
    AccountFacts, Asking, NewAccount, decide_account, decide_account_deletion,
    decide_account_update,
};
use crate::domain::vocabulary::AccountStatus;
use crate::ledger::change::ChangeResult;
use crate::ledger::{RowResult, UserKey};
use rusqlite::{Connection, OptionalExtension, named_params, params};

/// Makes an account, or finds why not.
pub(super) fn create(
    store: &Store,
    user: UserKey,
    asking: &Asking,
    draft: &AccountDraft,
) -> rusqlite::Result<RowResult> {
    let facts = facts(store, draft, None)?;
    let account = match decide_account(draft, &facts, asking) {
        Ok(account) => account,
        Err(error) => return Ok(Err(error)),
    };
    let at_ms = asking.now.timestamp_millis();
    let key = store.next_key("account")?;
    let id = ObjectId::from(store.row_id(IdKind::Account, at_ms, key)?);
    insert(store, key, &id, user, &account, at_ms)?;
    custom::keep(store.connection(), Owner::Account(&id), &account.custom)?;
    Ok(Ok(id))
}

/// Changes an account, or finds why not.
pub(super) fn update(
    store: &Store,
    user: UserKey,
    asking: &Asking,
    draft: &AccountDraft,
) -> rusqlite::Result<ChangeResult> {
    let existing = draft.common.id.look_up(|id| existing(store.connection(), id))?;
    let facts = facts(store, draft, existing.as_ref().map(|account| account.key))?;
    let update = match decide_account_update(draft, existing.as_ref(), &facts, asking) {
        Ok(update) => update,
        Err(error) => return Ok(Err(error)),
    };
    let sql = "update account_row set number = coalesce(:number, number), \
         name = coalesce(:name, name), status = coalesce(:status, status), \
         gateway = iif(:sets_gateway, :gateway, gateway), \
         default_payment_method = iif(:sets_method, :method, default_payment_method), \
         parent = iif(:sets_parent, :parent, parent), \
         kept = json_patch(kept, :kept), updated_ms = :at_ms, updated_by = :user where id = :id";
    let (sets_gateway, gateway) = update.gateway.into_parts();
    let (sets_method, method) = update.default_method.map(|method| method.0).into_parts();
    let (sets_parent, parent) = update.parent.map(|parent| parent.0).into_parts();
    let id = draft.common.id.given().cloned().ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    store.connection().prepare_cached(sql)?.execute(named_params! {
        ":number": update.number,
        ":name": update.name,
        ":status": update.status.map(AccountStatus::name),
        ":sets_gateway": sets_gateway,
        ":gateway": gateway,
        ":sets_method": sets_method,
        ":method": method,
        ":sets_parent": sets_parent,
        ":parent": parent,
        ":kept": kept_json(&update.kept)?,
        ":at_ms": asking.now.timestamp_millis(),
        ":user": user.0,
        ":id": id.as_str(),
    })?;
    custom::keep(store.connection(), Owner::Account(&id), &update.custom)?;
    Ok(Ok(id))
}

/// Deletes an account, or finds why not.
pub(super) fn delete(
    store: &Store,
    asking: &Asking,
    id: &ObjectId,
) -> rusqlite::Result<ChangeResult> {
    let existing = existing(store.connection(), id)?;
    if let Err(error) = decide_account_deletion(id, existing.as_ref(), asking) {
        return Ok(Err(error));
    }
    let connection = store.connection();
    for delete in [
        "delete from balance where account = (select key from account_row where id = ?1)",
        "delete from account_row where id = ?1",
    ] {
        connection.prepare_cached(delete)?.execute([id.as_str()])?;
    }
    Ok(Ok(id.clone()))
}

/// What a draft names, for the account `own` if it is there already.
fn facts<'s>(
    store: &'s Store,
    draft: &AccountDraft,
    own: Option<AccountKey>,
) -> rusqlite::Result<AccountFacts<'s>> {
    let method = draft.default_method.look_up(|id| rows::payment_method(store.connection(), id))?;
    let holder = draft.number.look_up(|number| holder_of(store.connection(), number))?;
    let is_number_taken = holder.is_some_and(|holder| Some(holder) != own);
    let parent = draft.parent.look_up(|id| parent(store.connection(), id, own))?;
    let (tenant, gateways) = (store.tenant(), store.gateways());
    Ok(AccountFacts { tenant, gateways, method, parent, is_number_taken })
}

/// The account of this id, as one that `own` is to belong below.
fn parent(
    connection: &Connection,
    id: &ObjectId,
    own: Option<AccountKey>,
) -> rusqlite::Result<Option<ParentAccount>> {
    // It and those above it; a circle could only be another program's, and ends here all the same.
    let select = "with recursive above (key) as ( \
             select key from account where id = ?1 \
             union select account.parent from account join above using (key) \
             where account.parent is not null) \
         select (select key from account where id = ?1), \
             exists (select 1 from above where key = ?2) from account where id = ?1";
    let own = own.map(|own| own.0);
    let mut statement = connection.prepare_cached(select)?;
    let found = statement.query_row(params![id.as_str(), own], |row| {
        Ok(ParentAccount { key: AccountKey(row.get(0)?), is_below: row.get(1)? })
    });
    found.optional()
}

fn holder_of(connection: &Connection, number: &str) -> rusqlite::Result<Option<AccountKey>> {
    let mut statement = connection.prepare_cached("select key from account where number = ?1")?;
    statement.query_row([number], |row| row.get(0).map(AccountKey)).optional()
}

fn existing(connection: &Connection, id: &ObjectId) -> rusqlite::Result<Option<ExistingAccount>> {
    // An opening balance and the entries are history as well: they are what a balance adds up from.
    let select = "select key, currency, balance, opening <> 0 \
         or exists (select 1 from payment_method where payment_method.account = account.key) \
         or (select newest_refund from balance where balance.account = account.key) is not null \
         or exists (select 1 from payment where payment.account = account.key) \
         or exists (select 1 from invoice where invoice.account = account.key) \
         or exists (select 1 from adjustment where adjustment.account = account.key) \
         or exists (select 1 from event where event.account = account.key), \
         exists (select 1 from account as below where below.parent = account.key) \
         from account where id = ?1";
    let mut statement = connection.prepare_cached(select)?;
    let found = statement.query_row([id.as_str()], |row| {
        Ok(ExistingAccount {
            key: AccountKey(row.get(0)?),
            currency: known(row, 1, Currency::from_code)?,
            balance: MinorUnits::new(row.get(2)?),
            has_history: row.get(3)?,
            is_parent: row.get(4)?,
        })
    });
    found.optional()
}

fn insert(
    store: &Store,
    key: i64,
    id: &ObjectId,
    user: UserKey,
    account: &NewAccount<'_>,
    at_ms: i64,
) -> rusqlite::Result<()> {
    let number = match account.number {
        Some(number) => number.to_owned(),
        None => store.next_number("account", "account", "A")?,
    };
    let insert = "insert into account_row (key, id, number, name, currency, opening, \
         default_payment_method, gateway, status, kept, created_by, created_ms, updated_by, \
         updated_ms, parent) \
         values (?1, ?2, ?3, ?4, ?5, 0, ?6, ?7, ?8, ?9, ?10, ?11, ?10, ?11, ?12)";
    store.connection().prepare_cached(insert)?.execute(params![
        key,
        id.as_str(),
        number,
        account.name,
        account.currency.code(),
        account.default_method.map(|method| method.0),
        account.gateway,
        account.status.name(),
        kept_json(&account.kept)?,
        user.0,
        at_ms,
        account.parent.map(|parent| parent.0),
    ])?;
    let insert = "insert into balance (account, units) values (?1, 0)";
    store.connection().prepare_cached(insert)?.execute([key]).map(|_| ())
}
