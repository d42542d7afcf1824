//! Payment methods: let the domain decide, write. Numbers of cards and banks never come this far: a
//! draft holds their masks.

use super::loading::{self, Seen, all};
use super::{custom, facts, numbering};
use crate::domain::draft::payment_method::MethodDraft;
use crate::domain::facts::{ExistingMethod, MethodKey, PaymentMethod};
use crate::domain::id::{IdKind, ObjectId};
use crate::domain::row_error::RowError;
use crate::domain::rules::{Asking, decide_method, decide_method_deletion, decide_method_update};
use crate::domain::vocabulary::{MethodStatus, MethodType};
use crate::ledger::books::BooksError;
use crate::ledger::change::ChangeResult;
use crate::ledger::record::{ByName, Field};
use crate::ledger::records::{
    ACCOUNT_BY_DEFAULT_METHOD, Account, METHOD_BY_ID, Method, MethodRow, PAYMENT_BY_METHOD,
    Payment, REFUND_BY_METHOD, Refund,
};
use crate::ledger::unit::Unit;
use crate::ledger::{RowResult, UserKey};

/// The ids of the methods that every tenant has, as the schema makes them: Check, Cash,
/// WireTransfer and Other.
const BUILT_IN: [&str; 4] = [
    "c734069ef291f62717f7c390e0c0fd55",
    "61934f5aff784a1a2b6ab4bd8ae646ca",
    "2983abc7c19b8d4b0ae3c07a041a7138",
    "1c629c8e55a26b654b5c193df7bffcbf",
];

/// The tenant's own method of a type that no gateway takes part in; none for other types.
pub(super) fn built_in(
    unit: &mut Unit<'_>,
    method_type: MethodType,
) -> Result<Option<PaymentMethod>, BooksError> {
    match built_in_id(method_type) {
        Some(id) => facts::method(unit, &id),
        None => Ok(None),
    }
}

/// The id of the tenant's own method of a type.
pub(super) fn built_in_id(method_type: MethodType) -> Option<ObjectId> {
    let [check, cash, wire, other] = BUILT_IN;
    ObjectId::parse(match method_type {
        MethodType::Check => check,
        MethodType::Cash => cash,
        MethodType::WireTransfer => wire,
        MethodType::Other => other,
        _ => return None,
    })
}

/// Makes a payment method, or finds why not.
pub(super) fn create(
    unit: &mut Unit<'_>,
    user: UserKey,
    asking: &Asking,
    draft: &MethodDraft,
) -> Result<RowResult, BooksError> {
    let account = draft.account_id.look_up(|id| facts::account(unit, id, false))?;
    let method = match decide_method(draft, account.as_ref(), &unit.world.tenant, asking) {
        Ok(method) => method,
        Err(error) => return Ok(Err(error)),
    };
    let at = asking.now;
    let key = numbering::next_key::<MethodRow>(unit, "payment_method")?;
    let id = ObjectId::from(unit.row_id(IdKind::PaymentMethod, at, key)?);
    unit.insert(MethodRow {
        key: MethodKey(key),
        id: id.clone(),
        account: method.account,
        method_type: ByName(method.method_type),
        status: ByName(MethodStatus::Active),
        gateway: None,
        kept: custom::kept(None, &method.kept)?,
        created_by: Some(user),
        created_ms: Some(at),
        updated_by: Some(user),
        updated_ms: Some(at),
        custom: custom::merged(None, &method.custom)?,
    })?;
    Ok(Ok(id.into()))
}

/// Changes a payment method, or finds why not.
pub(super) fn update(
    unit: &mut Unit<'_>,
    user: UserKey,
    asking: &Asking,
    draft: &MethodDraft,
) -> Result<ChangeResult, BooksError> {
    let id = draft.common.id.given();
    let found = draft.common.id.look_up(|id| existing(unit, id))?;
    let (key, found) = found.unzip();
    let update = match decide_method_update(draft, found.as_ref(), &unit.world.tenant, asking) {
        Ok(update) => update,
        Err(error) => return Ok(Err(error)),
    };
    let (Some(id), Some(key)) = (id, key) else {
        return Ok(Err(RowError::missing("Id")));
    };
    let row: MethodRow = unit.existing(&(key,))?;
    let kept = custom::kept(Some(&row.kept), &update.kept)?;
    let custom = custom::merged(row.custom.as_deref(), &update.custom)?;
    unit.change::<MethodRow>(&(key,), |row| {
        if update.closes {
            row.status = ByName(MethodStatus::Closed);
        }
        (row.kept, row.custom) = (kept, custom);
        (row.updated_by, row.updated_ms) = (Some(user), Some(asking.now));
    })?;
    Ok(Ok(id.clone().into()))
}

/// Deletes a payment method, or finds why not.
pub(super) fn delete(
    unit: &mut Unit<'_>,
    asking: &Asking,
    id: &ObjectId,
) -> Result<ChangeResult, BooksError> {
    let (key, found) = existing(unit, id)?.unzip();
    if let Err(error) = decide_method_deletion(id, found.as_ref(), asking) {
        return Ok(Err(error));
    }
    if let Some(key) = key {
        unit.remove::<MethodRow>(&(key,))?;
    }
    Ok(Ok(id.clone().into()))
}

/// Whether all is known that [`existing`] asks for of the method of an id, and its row.
pub(super) fn see(unit: &mut Unit<'_>, id: &ObjectId) -> Seen {
    let found = unit.see_one::<Method>(&METHOD_BY_ID, &[id.stored()])?;
    let Some((key, owner)) = found.map(|row| (row.key, row.account)) else { return Ok(()) };
    let by_key = [key.stored()];
    let is_default = unit.see_any::<Account>(&ACCOUNT_BY_DEFAULT_METHOD, &by_key);
    let is_refunded = unit.see_any::<Refund>(&REFUND_BY_METHOD, &by_key);
    let is_used = is_refunded.and_then(|is_used| match is_used {
        true => Ok(true),
        false => unit.see_any::<Payment>(&PAYMENT_BY_METHOD, &by_key),
    });
    all([
        owner.map_or(Ok(()), |account| loading::row::<Account>(unit, &(account,))),
        loading::row::<MethodRow>(unit, &(key,)),
        is_default.map(|_| ()),
        is_used.map(|_| ()),
    ])
}

fn existing(
    unit: &mut Unit<'_>,
    id: &ObjectId,
) -> Result<Option<(MethodKey, ExistingMethod)>, BooksError> {
    let found: Option<Method> = unit.find(&METHOD_BY_ID, &[id.stored()])?;
    let Some(row) = found else { return Ok(None) };
    let owner = match row.account {
        Some(account) => unit.get::<Account>(&(account,))?.map(|account| account.id.clone()),
        None => None,
    };
    let key = [row.key.stored()];
    let is_default = unit.any::<Account>(&ACCOUNT_BY_DEFAULT_METHOD, &key)?;
    let is_used = unit.any::<Refund>(&REFUND_BY_METHOD, &key)?
        || unit.any::<Payment>(&PAYMENT_BY_METHOD, &key)?;
    let method = ExistingMethod {
        method_type: row.method_type.0,
        status: row.status.0,
        account_id: owner,
        is_default,
        is_used,
        is_built_in: BUILT_IN.contains(&row.id.as_str()),
    };
    Ok(Some((row.key, method)))
}
