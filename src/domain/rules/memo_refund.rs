//! Refunds of credit memos.
//!
//! Source: "Refund a credit memo": only posted memos, only their unapplied part; an external refund
//! names its method type and neither method nor gateway; an electronic one names a method, and its
//! gateway is the one that is named, the account's, or the tenant's default.

use super::settlement::{
    Paid, Scope, Valid, check_may_refund, check_present, check_switch, check_values, empty_if,
};
use super::{Asking, Decision, MethodChoice, Payout, Source, TakenLine, gateway_named, require};
use crate::domain::draft::settlement_refunds::{
    ITEMS_MAX, ITEMS_OF_MEMO_MAX, ItemDraft, MemoRefundDraft,
};
use crate::domain::facts::{CreditMemo, Gateway, MemoLine, PaymentMethod, Tenant};
use crate::domain::id::ObjectId;
use crate::domain::money::MinorUnits;
use crate::domain::row_error::RowError;
use crate::domain::vocabulary::{CreditMemoStatus, MethodStatus, RefundType, SourceType};

/// What the ledger knows about the things that such a draft names.
#[derive(Debug, Clone)]
pub struct MemoRefundFacts<'a> {
    /// The tenant's switches.
    pub tenant: &'a Tenant,
    /// The tenant's gateways.
    pub gateways: &'a [Gateway],
    /// The credit memo; none when there is no such one.
    pub memo: Option<CreditMemo>,
    /// The method of paymentMethodId; none when there is no such method.
    pub method: Option<PaymentMethod>,
    /// The name of the gateway of gatewayId; none when there is no such gateway.
    pub gateway: Option<String>,
    /// The item or the tax of each of the draft's items; none where there is no such one.
    pub lines: Vec<Option<MemoLine>>,
}

/// Decides whether `draft` may become a refund.
pub fn decide_memo_refund(
    draft: &MemoRefundDraft,
    facts: &MemoRefundFacts<'_>,
    asking: &Asking,
) -> Result<Decision, RowError> {
    let (tenant, details) = (facts.tenant, &draft.details);
    check_switch(tenant)?;
    check_may_refund(SourceType::CreditMemo, details, asking)?;
    let memo = facts.memo.as_ref().ok_or_else(|| RowError::no_such(draft.memo.as_str()))?;
    let scope = Scope {
        tenant,
        account: &memo.account,
        source: SourceType::CreditMemo,
        not_before: memo.date,
        reasons: &tenant.credit_memo_reason_codes,
        may_be_whole: false,
    };
    check_present(details, &scope)?;
    let is_electronic = details.refund_type.given() == Some(&RefundType::Electronic);
    require(!is_electronic || !draft.payment_method_id.is_absent(), "paymentMethodId")?;
    let valid = check_values(details, &scope, asking)?;
    let is_external = valid.refund_type == RefundType::External;
    let gateway_id = draft.gateway_id.checked()?;
    empty_if(is_external && gateway_id.is_some(), "gatewayId", valid.refund_type)?;
    check_items(&draft.items, tenant)?;
    let method_id = draft.payment_method_id.checked()?;
    empty_if(is_external && method_id.is_some(), "paymentMethodId", valid.refund_type)?;
    let paid = match valid.refund_type {
        RefundType::External => {
            let method_type = details.method_type.given();
            Paid {
                method_type: *method_type.ok_or_else(|| RowError::missing("methodType"))?,
                method: None,
                choice: MethodChoice::TypeAlone,
                payout: Payout::External,
            }
        }
        RefundType::Electronic => electronic(draft, facts, memo, &valid)?,
    };
    if memo.status != CreditMemoStatus::Posted {
        return Err(RowError::memo_not_posted(&memo.number, memo.status));
    }
    let amount = valid.amount.ok_or_else(|| RowError::missing("totalAmount"))?;
    let (rest, currency) = (memo.unapplied(), memo.account.currency);
    if amount > rest {
        let of = ("credit memo", memo.number.as_str());
        return Err(RowError::over_unapplied_of(amount, rest, currency, of));
    }
    let lines = taken_lines(draft, facts, memo, amount)?;
    let source = (Source::CreditMemo { memo: memo.key, lines }, rest);
    Ok(valid.decided(details, source, amount, None, paid))
}

/// The method and the gateway that pay an electronic refund.
fn electronic(
    draft: &MemoRefundDraft,
    facts: &MemoRefundFacts<'_>,
    memo: &CreditMemo,
    valid: &Valid<'_>,
) -> Result<Paid, RowError> {
    let id = draft.payment_method_id.given().map_or("", ObjectId::as_str);
    let owner = memo.account.key;
    let fits = |method: &&PaymentMethod| {
        method.account.is_none_or(|account| account == owner)
            && method.method_type.is_electronic()
            && method.status == MethodStatus::Active
    };
    let method = facts.method.as_ref().filter(fits);
    let method = method.ok_or_else(|| RowError::invalid("paymentMethodId", id))?;
    let name = match draft.gateway_id.given() {
        Some(id) => {
            let named = facts.gateway.as_ref();
            named.ok_or_else(|| RowError::invalid("gatewayId", id.as_str()))?
        }
        None => memo.account.gateway.as_ref().unwrap_or(&facts.tenant.default_gateway),
    };
    let gateway = gateway_named(name, facts.gateways);
    if !gateway.active {
        return Err(RowError::gateway_inactive(&gateway));
    }
    if !gateway.non_referenced_refunds {
        return Err(RowError::gateway_without_non_referenced(&gateway));
    }
    if !gateway.supports(method.method_type) {
        return Err(RowError::gateway_without_method(&gateway, method.method_type));
    }
    Ok(Paid {
        method_type: method.method_type,
        method: Some(method.key),
        choice: MethodChoice::Named,
        payout: Payout::Electronic {
            gateway: gateway.name.clone(),
            payment_method: method.id.clone(),
            original_payment: None,
            options: valid.options.clone(),
        },
    })
}

/// That items may be named, and what each says is good by itself.
fn check_items(items: &[ItemDraft], tenant: &Tenant) -> Result<(), RowError> {
    if items.is_empty() {
        return Ok(());
    }
    if !tenant.invoice_item_settlement {
        return Err(RowError::item_settlement_off("items"));
    }
    if items.len() > ITEMS_MAX {
        return Err(RowError::too_many("items", ITEMS_MAX));
    }
    for item in items {
        require(!item.amount.is_absent(), "items.amount")?;
        item.amount.checked()?;
        match (item.item_id.checked()?, item.tax_item_id.checked()?) {
            (None, None) => return Err(RowError::missing("items.creditMemoItemId")),
            (Some(_), Some(tax)) => {
                return Err(RowError::invalid("items.creditTaxItemId", tax.as_str()));
            }
            _ => {}
        }
    }
    Ok(())
}

/// What is taken of which items and taxes: together the amount, and of none more than is left.
fn taken_lines(
    draft: &MemoRefundDraft,
    facts: &MemoRefundFacts<'_>,
    memo: &CreditMemo,
    amount: MinorUnits,
) -> Result<Vec<TakenLine>, RowError> {
    let currency = memo.account.currency;
    let mut taken: Vec<TakenLine> = Vec::with_capacity(draft.items.len());
    let mut refunded_lines = memo.refunded_lines;
    for (item, line) in draft.items.iter().zip(&facts.lines) {
        let is_tax = item.item_id.is_absent();
        let (field, id) = match is_tax {
            true => ("items.creditTaxItemId", &item.tax_item_id),
            false => ("items.creditMemoItemId", &item.item_id),
        };
        let is_own = |line: &&MemoLine| line.memo == memo.key && line.is_tax == is_tax;
        // Twice the same item is no split.
        let is_new = |line: &&MemoLine| taken.iter().all(|one| one.line != line.key);
        let line = line.as_ref().filter(is_own).filter(is_new);
        let wrong = || RowError::invalid(field, id.given().map_or("", ObjectId::as_str));
        let line = line.ok_or_else(wrong)?;
        let Some(wanted) = item.amount.given() else {
            return Err(RowError::missing("items.amount"));
        };
        let units = currency.minor_units(wanted.value);
        let units = units.ok_or_else(|| RowError::invalid("items.amount", &wanted.text))?;
        if units > line.rest() {
            return Err(RowError::over_item(units, line.rest(), currency, line.id.as_str()));
        }
        refunded_lines += usize::from(line.refunded == MinorUnits::ZERO);
        taken.push(TakenLine { line: line.key, amount: units });
    }
    if taken.is_empty() {
        return Ok(taken);
    }
    if refunded_lines > ITEMS_OF_MEMO_MAX {
        return Err(RowError::too_many_items(&memo.number, ITEMS_OF_MEMO_MAX));
    }
    let add = |sum: i64, one: &TakenLine| sum.saturating_add(one.amount.units());
    let sum = MinorUnits::new(taken.iter().fold(0, add));
    if sum == amount {
        Ok(taken)
    } else {
        Err(RowError::sum_differs("items", sum, amount, currency))
    }
}
