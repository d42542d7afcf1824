//! Payments under Invoice Settlement: when one may be made, applied and unapplied. What pays no
//! invoice is unapplied.
//!
//! Sources: "Create a payment", "Apply a payment", "Unapply a payment". As by SOAP, an electronic
//! payment is taken as approved by its gateway at once.

use super::credit_memo::{AppliedShare, decide_shares, named_account};
use super::custom::OwnFields;
use super::paying::{NewPayment, check_gateway, check_reference};
use super::settlement::check_switch;
use super::unapplied_refund::movable;
use super::{Asking, gateway_of, require};
use crate::domain::access::{Object, Operation};
use crate::domain::collected::KnownPayment;
use crate::domain::draft::common::KeptValues;
use crate::domain::draft::credit_memo::{Step, StepDraft};
use crate::domain::draft::settlement_payment::SettlementPaymentDraft;
use crate::domain::facts::{Account, Gateway, NamedInvoice, Payment, PaymentMethod, Tenant};
use crate::domain::id::ObjectId;
use crate::domain::money::MinorUnits;
use crate::domain::row_error::RowError;
use crate::domain::rules::Movable;
use crate::domain::vocabulary::{CustomizedObject, MethodStatus, PaymentStatus, PaymentType};

/// What the ledger knows about the things that a draft of a payment names.
#[derive(Debug, Clone)]
pub struct SettlementPaymentFacts<'a> {
    /// The tenant's switches.
    pub tenant: &'a Tenant,
    /// The tenant's gateways.
    pub gateways: &'a [Gateway],
    /// The account of accountId; none when there is no such account.
    pub by_id: Option<Account>,
    /// The account of accountNumber; none when there is no such account.
    pub by_number: Option<Account>,
    /// The method of paymentMethodId, or the tenant's own of paymentMethodType.
    pub method: Option<PaymentMethod>,
    /// The name of the gateway of gatewayId; none when there is no such gateway.
    pub gateway: Option<String>,
    /// The invoices that are named, in the draft's order.
    pub invoices: Vec<NamedInvoice>,
    /// The payments that gateways know by referenceId.
    pub known: Vec<KnownPayment>,
}

/// Decides whether `draft` may become a payment; gives what it pays of which invoice.
pub fn decide_settlement_payment<'d>(
    draft: &'d SettlementPaymentDraft,
    facts: &'d SettlementPaymentFacts<'_>,
    asking: &Asking,
) -> Result<(NewPayment<'d>, Vec<AppliedShare>), RowError> {
    check_switch(facts.tenant)?;
    asking.check(Operation::Create, Object::Payment)?;
    let (by_id, by_number) = (facts.by_id.as_ref(), facts.by_number.as_ref());
    let account = named_account(&draft.account_id, by_id, &draft.account_number, by_number)?;
    require(!draft.amount.is_absent(), "amount")?;
    require(!draft.effective_date.is_absent(), "effectiveDate")?;
    require(!draft.payment_type.is_absent(), "type")?;
    let own = OwnFields::of(facts.tenant, CustomizedObject::Payment);
    own.check_present(&draft.custom)?;
    let amount = draft.amount.checked()?.ok_or_else(|| RowError::missing("amount"))?;
    let units = account.currency.minor_units(amount.value);
    let units = units.ok_or_else(|| RowError::invalid("amount", &amount.text))?;
    if let Some(currency) = draft.currency.checked()?.filter(|one| **one != account.currency) {
        return Err(RowError::invalid("currency", currency.code()));
    }
    let day = draft.effective_date.checked()?.ok_or_else(|| RowError::missing("effectiveDate"))?;
    let payment_type = *draft.payment_type.checked()?.ok_or_else(|| RowError::missing("type"))?;
    let method = usable_method(draft, facts, account, payment_type)?;
    let comment = draft.comment.checked()?.map(String::as_str);
    let reference_id = draft.reference_id.checked()?.map(String::as_str);
    let gateway = gateway(draft, facts, account, method, payment_type)?;
    let custom = own.checked(&draft.custom, asking)?;
    if let (Some(gateway), Some(reference)) = (gateway, reference_id) {
        check_reference(reference, gateway, None, &facts.known)?;
    }
    let source = Movable { account, unapplied: units, applied: Vec::new(), name: ("payment", "") };
    let shares = decide_shares(&draft.invoices, &facts.invoices, &source, true)?;
    let payment = NewPayment {
        account,
        amount: units,
        payment_type,
        status: PaymentStatus::Processed,
        method: method.map(|method| method.key),
        gateway,
        effective_date: *day,
        applied: None,
        credit: None,
        draft_credit: MinorUnits::ZERO,
        comment,
        reference_id,
        kept: KeptValues::new(),
        custom,
    };
    Ok((payment, shares))
}

/// The method, if the account may use it for a payment of this type. An external payment may have
/// none.
fn usable_method<'f>(
    draft: &SettlementPaymentDraft,
    facts: &'f SettlementPaymentFacts<'_>,
    account: &Account,
    payment_type: PaymentType,
) -> Result<Option<&'f PaymentMethod>, RowError> {
    let is_electronic = payment_type == PaymentType::Electronic;
    let id = draft.payment_method_id.checked()?;
    draft.payment_method_type.checked()?;
    let is_named = id.is_some() || (!is_electronic && !draft.payment_method_type.is_absent());
    require(is_named, "paymentMethodId")?;
    let Some(id) = id else { return Ok(facts.method.as_ref()) };
    let fits = |method: &&PaymentMethod| {
        method.account.is_none_or(|owner| owner == account.key)
            && (!is_electronic || method.method_type.is_electronic())
            && method.status == MethodStatus::Active
    };
    let method = facts.method.as_ref().filter(fits);
    method.map(Some).ok_or_else(|| RowError::invalid("paymentMethodId", id.as_str()))
}

/// The gateway of an electronic payment, if it can take it.
fn gateway<'f>(
    draft: &SettlementPaymentDraft,
    facts: &'f SettlementPaymentFacts<'_>,
    account: &'f Account,
    method: Option<&'f PaymentMethod>,
    payment_type: PaymentType,
) -> Result<Option<&'f str>, RowError> {
    let id = draft.gateway_id.checked()?;
    let (PaymentType::Electronic, Some(method)) = (payment_type, method) else {
        return match id {
            Some(id) => Err(RowError::invalid("gatewayId", id.as_str())),
            None => Ok(None),
        };
    };
    let wrong = |id: &ObjectId| RowError::invalid("gatewayId", id.as_str());
    let name = match id {
        Some(id) => facts.gateway.as_deref().ok_or_else(|| wrong(id))?,
        None => gateway_of(method, account, facts.tenant),
    };
    check_gateway(name, facts.gateways, method)?;
    Ok(Some(name))
}

/// Decides whether a payment may be applied or unapplied so; gives the shares that it moves.
pub fn decide_payment_step(
    draft: &StepDraft,
    payment: Option<&Payment>,
    invoices: &[NamedInvoice],
    tenant: &Tenant,
    asking: &Asking,
) -> Result<Vec<AppliedShare>, RowError> {
    check_switch(tenant)?;
    asking.check(Operation::Update, Object::InvoicePayment)?;
    let payment = payment.ok_or_else(|| RowError::no_such(draft.target.as_str()))?;
    draft.effective_date.checked()?;
    let (shares, is_apply) = match &draft.step {
        Step::Apply(shares) => (shares, true),
        Step::Unapply(shares) => (shares, false),
        Step::Post | Step::Cancel => return Ok(Vec::new()),
    };
    require(!shares.is_empty(), "invoices")?;
    if payment.status != PaymentStatus::Processed {
        return Err(RowError::payment_not_processed(payment));
    }
    decide_shares(shares, invoices, &movable(payment), is_apply)
}
