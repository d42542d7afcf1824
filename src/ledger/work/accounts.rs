//! Accounts: look up what a draft names, let the domain decide, write the account and its balance.

use super::loading::{self, Seen, all};
use super::numbering::{self, Numbered};
use super::{custom, facts};
use crate::domain::draft::account::AccountDraft;
use crate::domain::facts::{AccountKey, ExistingAccount, ParentAccount};
use crate::domain::id::{IdKind, ObjectId};
use crate::domain::money::MinorUnits;
use crate::domain::row_error::RowError;
use crate::domain::rules::{
    AccountFacts, AccountUpdate, Asking, decide_account, decide_account_deletion,
    decide_account_update,
};
use crate::ledger::books::BooksError;
use crate::ledger::change::ChangeResult;
use crate::ledger::record::{ByName, Field};
use crate::ledger::records::{
    ACCOUNT_BY_ID, ACCOUNT_BY_NUMBER, ACCOUNT_BY_PARENT, ADJUSTMENT_BY_ACCOUNT, Account,
    AccountRow, Adjustment, Balance, EVENT_BY_ACCOUNT, EventRow, INVOICE_BY_ACCOUNT, Invoice,
    METHOD_BY_ACCOUNT, Method, PAYMENT_BY_ACCOUNT, Payment,
};
use crate::ledger::unit::{Unit, Unmet, World};
use crate::ledger::{RowResult, Saved, UserKey};
use chrono::{DateTime, Utc};
use std::collections::HashSet;

/// Makes an account, or finds why not.
pub(super) fn create(
    unit: &mut Unit<'_>,
    user: UserKey,
    asking: &Asking,
    draft: &AccountDraft,
) -> Result<RowResult, BooksError> {
    let facts = named(unit, draft, None)?;
    let account = match decide_account(draft, &facts, asking) {
        Ok(account) => account,
        Err(error) => return Ok(Err(error)),
    };
    let at = asking.now;
    let key = numbering::next_key::<AccountRow>(unit, "account")?;
    let id = ObjectId::from(unit.row_id(IdKind::Account, at, key)?);
    let key = AccountKey(key);
    let number = match account.number {
        Some(number) => number.to_owned(),
        None => Numbered::Account.next::<Account>(unit)?,
    };
    unit.insert(AccountRow {
        key,
        id: id.clone(),
        number: number.clone(),
        name: account.name.to_owned(),
        currency: account.currency,
        opening: MinorUnits::ZERO,
        opened: None,
        default_payment_method: account.default_method,
        gateway: account.gateway.map(str::to_owned),
        parent: account.parent,
        status: ByName(account.status),
        kept: custom::kept(None, &account.kept)?,
        created_by: Some(user),
        created_ms: Some(at),
        updated_by: Some(user),
        updated_ms: Some(at),
        custom: custom::merged(None, &account.custom)?,
    })?;
    let units = MinorUnits::ZERO;
    unit.insert(Balance { account: key, units, newest_entry: None, newest_refund: None })?;
    Ok(Ok(Saved::numbered(id, number)))
}

/// Changes an account, or finds why not.
pub(super) fn update(
    unit: &mut Unit<'_>,
    user: UserKey,
    asking: &Asking,
    draft: &AccountDraft,
) -> Result<ChangeResult, BooksError> {
    let id = draft.common.id.given();
    let found = draft.common.id.look_up(|id| existing(unit, id))?;
    let facts = named(unit, draft, found.as_ref().map(|account| account.key))?;
    let update = match decide_account_update(draft, found.as_ref(), &facts, asking) {
        Ok(update) => update,
        Err(error) => return Ok(Err(error)),
    };
    let (Some(id), Some(ExistingAccount { key, .. })) = (id, found) else {
        return Ok(Err(RowError::missing("Id")));
    };
    write(unit, user, key, update, asking.now)?;
    Ok(Ok(id.clone().into()))
}

fn write(
    unit: &mut Unit<'_>,
    user: UserKey,
    key: AccountKey,
    update: AccountUpdate<'_>,
    at: DateTime<Utc>,
) -> Result<(), BooksError> {
    let AccountUpdate { number, name, status, gateway, default_method, parent, kept, custom } =
        update;
    let row: AccountRow = unit.existing(&(key,))?;
    let kept = custom::kept(Some(&row.kept), &kept)?;
    let custom = custom::merged(row.custom.as_deref(), &custom)?;
    let (sets_gateway, gateway) = gateway.map(str::to_owned).into_parts();
    let (sets_method, method) = default_method.into_parts();
    let (sets_parent, parent) = parent.into_parts();
    let is_renamed = number.is_some_and(|number| number != row.number);
    unit.change::<AccountRow>(&(key,), |row| {
        if let Some(number) = number {
            number.clone_into(&mut row.number);
        }
        if let Some(name) = name {
            name.clone_into(&mut row.name);
        }
        if let Some(status) = status {
            row.status = ByName(status);
        }
        if sets_gateway {
            row.gateway = gateway;
        }
        if sets_method {
            row.default_payment_method = method;
        }
        if sets_parent {
            row.parent = parent;
        }
        (row.kept, row.custom) = (kept, custom);
        (row.updated_by, row.updated_ms) = (Some(user), Some(at));
    })?;
    // The next of the batch may take the number that is free now.
    if is_renamed { unit.flush() } else { Ok(()) }
}

/// Deletes an account, or finds why not.
pub(super) fn delete(
    unit: &mut Unit<'_>,
    asking: &Asking,
    id: &ObjectId,
) -> Result<ChangeResult, BooksError> {
    let found = existing(unit, id)?;
    if let Err(error) = decide_account_deletion(id, found.as_ref(), asking) {
        return Ok(Err(error));
    }
    if let Some(account) = found {
        unit.remove::<Balance>(&(account.key,))?;
        unit.remove::<AccountRow>(&(account.key,))?;
    }
    Ok(Ok(id.clone().into()))
}

/// What a draft names, for the account `own` if it is there already.
fn named<'w>(
    unit: &mut Unit<'w>,
    draft: &AccountDraft,
    own: Option<AccountKey>,
) -> Result<AccountFacts<'w>, BooksError> {
    let method = draft.default_method.look_up(|id| facts::method(unit, id))?;
    let holder: Option<Account> =
        draft.number.look_up(|number| unit.find(&ACCOUNT_BY_NUMBER, &[number.stored()]))?;
    let is_number_taken = holder.is_some_and(|holder| Some(holder.key) != own);
    let parent = draft.parent.look_up(|id| parent(unit, id, own))?;
    let World { tenant, gateways, .. } = unit.world;
    Ok(AccountFacts { tenant, gateways, method, parent, is_number_taken })
}

/// The account of this id, as one that `own` is to belong below.
fn parent(
    unit: &mut Unit<'_>,
    id: &ObjectId,
    own: Option<AccountKey>,
) -> Result<Option<ParentAccount>, BooksError> {
    let found: Option<Account> = unit.find(&ACCOUNT_BY_ID, &[id.stored()])?;
    let Some(Account { key, .. }) = found else { return Ok(None) };
    // It and those above it; a circle could only be another program's, and ends here all the same.
    let mut above = HashSet::new();
    let mut next = own.is_some().then_some(key);
    while let Some(one) = next.filter(|one| above.insert(*one)) {
        next = unit.existing::<AccountRow>(&(one,))?.parent;
    }
    let is_below = own.is_some_and(|own| above.contains(&own));
    Ok(Some(ParentAccount { key, is_below }))
}

fn existing(unit: &mut Unit<'_>, id: &ObjectId) -> Result<Option<ExistingAccount>, BooksError> {
    let found: Option<Account> = unit.find(&ACCOUNT_BY_ID, &[id.stored()])?;
    let Some(row) = found else { return Ok(None) };
    Ok(Some(ExistingAccount {
        key: row.key,
        currency: row.currency,
        balance: unit.balance(row.key)?.units,
        has_history: has_history(unit, &row)?,
        is_parent: unit.any::<AccountRow>(&ACCOUNT_BY_PARENT, &[row.key.stored()])?,
    }))
}

/// Whether all is known that [`existing`] asks for of the account of an id, and its row.
pub(super) fn see(unit: &mut Unit<'_>, id: &ObjectId) -> Seen {
    let found = unit.see_one::<Account>(&ACCOUNT_BY_ID, &[id.stored()])?;
    let Some((key, opening)) = found.map(|row| (row.key, row.opening)) else { return Ok(()) };
    let is_parent = unit.see_any::<AccountRow>(&ACCOUNT_BY_PARENT, &[key.stored()]);
    all([
        loading::balance(unit, key),
        loading::row::<AccountRow>(unit, &(key,)),
        is_parent.map(|_| ()),
        see_history(unit, key, opening).map(|_| ()),
    ])
}

/// As [`has_history`], in whose order the engine is asked.
fn see_history(
    unit: &mut Unit<'_>,
    account: AccountKey,
    opening: MinorUnits,
) -> Result<bool, Unmet> {
    let key = [account.stored()];
    Ok(opening != MinorUnits::ZERO
        || unit.see_any::<Method>(&METHOD_BY_ACCOUNT, &key)?
        || unit.see_any::<Payment>(&PAYMENT_BY_ACCOUNT, &key)?
        || unit.see_any::<Invoice>(&INVOICE_BY_ACCOUNT, &key)?
        || unit.see_any::<Adjustment>(&ADJUSTMENT_BY_ACCOUNT, &key)?
        || unit.see_any::<EventRow>(&EVENT_BY_ACCOUNT, &key)?)
}

/// Whether anything belongs to an account or happened on it. An opening balance and the entries are
/// history as well: they are what a balance adds up from.
fn has_history(unit: &mut Unit<'_>, account: &Account) -> Result<bool, BooksError> {
    let key = [account.key.stored()];
    Ok(account.opening != MinorUnits::ZERO
        || unit.any::<Method>(&METHOD_BY_ACCOUNT, &key)?
        || unit.balance(account.key)?.newest_refund.is_some()
        || unit.any::<Payment>(&PAYMENT_BY_ACCOUNT, &key)?
        || unit.any::<Invoice>(&INVOICE_BY_ACCOUNT, &key)?
        || unit.any::<Adjustment>(&ADJUSTMENT_BY_ACCOUNT, &key)?
        || unit.any::<EventRow>(&EVENT_BY_ACCOUNT, &key)?)
}
