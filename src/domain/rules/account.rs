//! The rules of accounts: when one may be made, changed or deleted.
//!
//! Sources: the Account object's field descriptions (Name and, here, Currency are required; a new
//! account is a Draft; an account with a credit balance cannot be cancelled), and captured answers.

use super::custom::OwnFields;
use super::{Asking, require};
use crate::domain::access::{Object, Operation};
use crate::domain::custom_value::CustomValues;
use crate::domain::draft::account::AccountDraft;
use crate::domain::draft::change::Change;
use crate::domain::draft::common::KeptValues;
use crate::domain::facts::{
    AccountKey, ExistingAccount, Gateway, MethodKey, ParentAccount, PaymentMethod, Tenant,
};
use crate::domain::id::ObjectId;
use crate::domain::money::{Currency, MinorUnits};
use crate::domain::row_error::RowError;
use crate::domain::vocabulary::{AccountStatus, CustomizedObject, MethodStatus};

/// What the ledger knows about the things that a draft of an account names.
#[derive(Debug, Clone)]
pub struct AccountFacts<'a> {
    /// The tenant, whose own fields accounts have.
    pub tenant: &'a Tenant,
    /// The tenant's gateways.
    pub gateways: &'a [Gateway],
    /// The method of DefaultPaymentMethodId; none when there is no such method.
    pub method: Option<PaymentMethod>,
    /// The account of ParentId; none when there is no such account.
    pub parent: Option<ParentAccount>,
    /// Whether another account has the AccountNumber.
    pub is_number_taken: bool,
}

/// An account that may be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccount<'d> {
    /// AccountNumber; none where the ledger counts on.
    pub number: Option<&'d str>,
    /// Name.
    pub name: &'d str,
    /// The currency of its balances.
    pub currency: Currency,
    /// Where it stands.
    pub status: AccountStatus,
    /// Its own gateway.
    pub gateway: Option<&'d str>,
    /// Its default method.
    pub default_method: Option<MethodKey>,
    /// The account that it belongs below.
    pub parent: Option<AccountKey>,
    /// What is only kept.
    pub kept: KeptValues<'d>,
    /// Values of the tenant's own fields.
    pub custom: CustomValues,
}

/// What may be changed of an account. Nothing stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountUpdate<'d> {
    /// AccountNumber.
    pub number: Option<&'d str>,
    /// Name.
    pub name: Option<&'d str>,
    /// Where it stands.
    pub status: Option<AccountStatus>,
    /// Its own gateway.
    pub gateway: Change<&'d str>,
    /// Its default method.
    pub default_method: Change<MethodKey>,
    /// The account that it belongs below.
    pub parent: Change<AccountKey>,
    /// What is only kept.
    pub kept: KeptValues<'d>,
    /// Values of the tenant's own fields.
    pub custom: CustomValues,
}

/// Decides whether `draft` may become an account.
pub fn decide_account<'d>(
    draft: &'d AccountDraft,
    facts: &AccountFacts<'_>,
    asking: &Asking,
) -> Result<NewAccount<'d>, RowError> {
    draft.common.check_ids()?;
    require(!draft.name.is_absent(), "Name")?;
    require(!draft.currency.is_absent(), "Currency")?;
    let own = OwnFields::of(facts.tenant, CustomizedObject::Account);
    own.check_present(&draft.common.custom)?;
    draft.common.check_unknown(asking.strict)?;
    let number = draft.number.checked()?;
    let currency = draft.currency.checked()?.ok_or_else(|| RowError::missing("Currency"))?;
    // A new account owns no method yet: only one of the tenant's own can be its default.
    let default_method = default_method(draft, facts, |method| method.account.is_none())?;
    let name = draft.name.checked()?.ok_or_else(|| RowError::missing("Name"))?;
    let parent = known_parent(draft, facts)?;
    let gateway = known_gateway(draft, facts)?;
    let status = draft.status.checked()?.copied().unwrap_or(AccountStatus::Draft);
    if status == AccountStatus::Canceled {
        return Err(RowError::invalid("Status", status.name()));
    }
    let kept = draft.common.kept_values()?;
    let custom = own.checked(&draft.common.custom, asking)?;
    asking.check(Operation::Create, Object::Account)?;
    check_number(draft, facts)?;
    let (number, currency) = (number.map(String::as_str), *currency);
    Ok(NewAccount { number, name, currency, status, gateway, default_method, parent, kept, custom })
}

/// Decides whether `draft` may change `account`; none when its Id is unknown.
pub fn decide_account_update<'d>(
    draft: &'d AccountDraft,
    account: Option<&ExistingAccount>,
    facts: &AccountFacts<'_>,
    asking: &Asking,
) -> Result<AccountUpdate<'d>, RowError> {
    draft.common.check_ids()?;
    require(!draft.common.id.is_absent(), "Id")?;
    draft.common.check_unknown(asking.strict)?;
    let id = draft.common.id.checked()?.map_or("", ObjectId::as_str);
    let account = account.ok_or_else(|| RowError::invalid("Id", id))?;
    draft.common.check_nulls(CustomizedObject::Account)?;
    let number = draft.number.checked()?.map(String::as_str);
    // Balances are in it.
    let other = draft.currency.checked()?.filter(|currency| **currency != account.currency);
    if let Some(other) = other {
        return Err(RowError::invalid("Currency", other.code()));
    }
    let is_own = |method: &PaymentMethod| method.account.is_none_or(|one| one == account.key);
    let default_method = default_method(draft, facts, is_own)?;
    let name = draft.name.checked()?.map(String::as_str);
    let parent = known_parent(draft, facts)?;
    let gateway = known_gateway(draft, facts)?;
    let status = draft.status.checked()?.copied();
    let kept = draft.common.kept_values()?;
    let own = OwnFields::of(facts.tenant, CustomizedObject::Account);
    let custom = own.checked(&draft.common.custom, asking)?;
    asking.check(Operation::Update, Object::Account)?;
    if status == Some(AccountStatus::Canceled) && account.balance != MinorUnits::ZERO {
        return Err(RowError::account_with_balance());
    }
    check_number(draft, facts)?;
    Ok(AccountUpdate {
        number,
        name,
        status,
        gateway: change(gateway, draft, "PaymentGateway"),
        default_method: change(default_method, draft, "DefaultPaymentMethodId"),
        parent: change(parent, draft, "ParentId"),
        kept,
        custom,
    })
}

/// Decides whether `account` may be deleted: one that nothing belongs to and nothing happened on.
pub fn decide_account_deletion(
    id: &ObjectId,
    account: Option<&ExistingAccount>,
    asking: &Asking,
) -> Result<(), RowError> {
    let account = account.ok_or_else(|| RowError::invalid("Id", id.as_str()))?;
    asking.check(Operation::Delete, Object::Account)?;
    if account.is_parent {
        return Err(RowError::account_is_parent());
    }
    if account.has_history { Err(RowError::account_in_use()) } else { Ok(()) }
}

/// The new value, or that the old one goes, or that all stays as it is.
fn change<T>(value: Option<T>, draft: &AccountDraft, name: &str) -> Change<T> {
    match value {
        Some(value) => Change::To(value),
        None if draft.common.nulls.contains(&name) => Change::Clear,
        None => Change::Keep,
    }
}

/// The method that is named, if it is in use and `is_allowed`.
fn default_method(
    draft: &AccountDraft,
    facts: &AccountFacts<'_>,
    is_allowed: impl Fn(&PaymentMethod) -> bool,
) -> Result<Option<MethodKey>, RowError> {
    let Some(id) = draft.default_method.checked()? else {
        return Ok(None);
    };
    let method = facts.method.as_ref().filter(|method| method.status == MethodStatus::Active);
    let method = method.filter(|method| is_allowed(method));
    let method = method.ok_or_else(|| RowError::invalid("DefaultPaymentMethodId", id.as_str()));
    method.map(|method| Some(method.key))
}

/// The account that is named as the one above, if it does not lie below itself then.
fn known_parent(
    draft: &AccountDraft,
    facts: &AccountFacts<'_>,
) -> Result<Option<AccountKey>, RowError> {
    let Some(id) = draft.parent.checked()? else {
        return Ok(None);
    };
    let parent = facts.parent.ok_or_else(|| RowError::invalid("ParentId", id.as_str()))?;
    if parent.is_below { Err(RowError::account_below_itself()) } else { Ok(Some(parent.key)) }
}

fn known_gateway<'d>(
    draft: &'d AccountDraft,
    facts: &AccountFacts<'_>,
) -> Result<Option<&'d str>, RowError> {
    let Some(name) = draft.gateway.checked()? else {
        return Ok(None);
    };
    let is_known = facts.gateways.iter().any(|gateway| gateway.name == *name);
    if is_known { Ok(Some(name)) } else { Err(RowError::invalid("PaymentGateway", name)) }
}

fn check_number(draft: &AccountDraft, facts: &AccountFacts<'_>) -> Result<(), RowError> {
    match draft.number.given().filter(|_| facts.is_number_taken) {
        Some(number) => Err(RowError::account_number_taken(number)),
        None => Ok(()),
    }
}
