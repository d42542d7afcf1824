//! The rules of payment methods: when one may be made, changed or deleted.
//!
//! Sources: the PaymentMethod object's field descriptions (what each Type needs; a new one is
//! Active, and an update can only close it) and the table of supported calls (a default method
//! cannot be deleted).

use super::custom::OwnFields;
use super::{Asking, require};
use crate::domain::access::{Object, Operation};
use crate::domain::custom_value::CustomValues;
use crate::domain::draft::common::KeptValues;
use crate::domain::draft::names::FIELDS_TO_NULL;
use crate::domain::draft::payment_method::{MethodDraft, needed_fields, sent_as};
use crate::domain::facts::{Account, AccountKey, ExistingMethod, Tenant};
use crate::domain::id::ObjectId;
use crate::domain::row_error::RowError;
use crate::domain::vocabulary::{CustomizedObject, MethodStatus, MethodType};

/// A payment method that may be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMethod<'d> {
    /// Whose it is.
    pub account: Option<AccountKey>,
    /// Its kind.
    pub method_type: MethodType,
    /// What is only kept, masks among it.
    pub kept: KeptValues<'d>,
    /// Values of the tenant's own fields.
    pub custom: CustomValues,
}

/// What may be changed of a payment method. Nothing stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MethodUpdate<'d> {
    /// Whether it is closed.
    pub closes: bool,
    /// What is only kept.
    pub kept: KeptValues<'d>,
    /// Values of the tenant's own fields.
    pub custom: CustomValues,
}

/// Decides whether `draft` may become a payment method of `account`, which is none when there is no
/// such account.
pub fn decide_method<'d>(
    draft: &'d MethodDraft,
    account: Option<&Account>,
    tenant: &Tenant,
    asking: &Asking,
) -> Result<NewMethod<'d>, RowError> {
    draft.common.check_ids()?;
    require(!draft.method_type.is_absent(), "Type")?;
    let given = draft.method_type.given().copied();
    let is_electronic = given.is_some_and(MethodType::is_electronic);
    require(!is_electronic || !draft.account_id.is_absent(), "AccountId")?;
    for group in given.map_or(&[][..], needed_fields) {
        let is_there = group.iter().any(|name| draft.common.keeps(name));
        require(is_there, group.first().map_or("Type", |name| sent_as(name)))?;
    }
    let own = OwnFields::of(tenant, CustomizedObject::PaymentMethod);
    own.check_present(&draft.common.custom)?;
    draft.common.check_unknown(asking.strict)?;
    let account = match (draft.account_id.checked()?, account) {
        (None, _) => None,
        (Some(_), Some(account)) => Some(account.key),
        (Some(id), None) => return Err(RowError::invalid("AccountId", id.as_str())),
    };
    let kept = check_kept(draft)?;
    if let Some(MethodStatus::Closed) = draft.status.checked()? {
        return Err(RowError::invalid("PaymentMethodStatus", MethodStatus::Closed.name()));
    }
    let method_type = draft.method_type.checked()?.ok_or_else(|| RowError::missing("Type"))?;
    let custom = own.checked(&draft.common.custom, asking)?;
    asking.check(Operation::Create, Object::PaymentMethod)?;
    Ok(NewMethod { account, method_type: *method_type, kept, custom })
}

/// Decides whether `draft` may change `method`; none when its Id is unknown.
///
/// One that is the default of its account may be closed: electronic refunds to it are refused then,
/// as to any other.
pub fn decide_method_update<'d>(
    draft: &'d MethodDraft,
    method: Option<&ExistingMethod>,
    tenant: &Tenant,
    asking: &Asking,
) -> Result<MethodUpdate<'d>, RowError> {
    draft.common.check_ids()?;
    require(!draft.common.id.is_absent(), "Id")?;
    draft.common.check_unknown(asking.strict)?;
    let id = draft.common.id.checked()?.map_or("", ObjectId::as_str);
    let method = method.ok_or_else(|| RowError::invalid("Id", id))?;
    draft.common.check_nulls(CustomizedObject::PaymentMethod)?;
    let is_other = |account: &&ObjectId| method.account_id.as_ref() != Some(*account);
    if let Some(other) = draft.account_id.checked()?.filter(is_other) {
        return Err(RowError::invalid("AccountId", other.as_str()));
    }
    check_needed_stay(draft, method.method_type)?;
    let kept = check_kept(draft)?;
    let closes = match (draft.status.checked()?, method.status) {
        (Some(MethodStatus::Active), MethodStatus::Closed) => {
            let text = MethodStatus::Active.name();
            return Err(RowError::invalid("PaymentMethodStatus", text));
        }
        (status, _) => status == Some(&MethodStatus::Closed),
    };
    let method_type = draft.method_type.checked()?;
    if let Some(other) = method_type.filter(|method_type| **method_type != method.method_type) {
        return Err(RowError::invalid("Type", other.name()));
    }
    let own = OwnFields::of(tenant, CustomizedObject::PaymentMethod);
    let custom = own.checked(&draft.common.custom, asking)?;
    asking.check(Operation::Update, Object::PaymentMethod)?;
    if method.is_built_in {
        return Err(RowError::built_in_method());
    }
    Ok(MethodUpdate { closes, kept, custom })
}

/// Decides whether `method` may be deleted: one that is no account's default, and that no payment
/// came from and no refund went to.
pub fn decide_method_deletion(
    id: &ObjectId,
    method: Option<&ExistingMethod>,
    asking: &Asking,
) -> Result<(), RowError> {
    let method = method.ok_or_else(|| RowError::invalid("Id", id.as_str()))?;
    asking.check(Operation::Delete, Object::PaymentMethod)?;
    if method.is_built_in {
        return Err(RowError::built_in_method_stays());
    }
    if method.is_default {
        return Err(RowError::default_method_stays());
    }
    if method.is_used { Err(RowError::method_in_use()) } else { Ok(()) }
}

/// What is kept, once the security code, which is not, is known to be one as well.
fn check_kept(draft: &MethodDraft) -> Result<KeptValues<'_>, RowError> {
    let kept = draft.common.kept_values()?;
    draft.security_code.checked()?;
    Ok(kept)
}

/// That an update takes nothing away that a method of this type needs.
fn check_needed_stay(draft: &MethodDraft, method_type: MethodType) -> Result<(), RowError> {
    let needed = needed_fields(method_type);
    let is_needed = |name: &&&str| needed.iter().any(|group| group.contains(*name));
    match draft.common.kept_nulls.iter().find(is_needed) {
        Some(name) => Err(RowError::invalid(FIELDS_TO_NULL, name)),
        None => Ok(()),
    }
}
