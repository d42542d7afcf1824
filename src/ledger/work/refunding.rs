//! Creating a refund: look up what the draft names, let the domain decide, take the money, and add
//! the refund.

use super::facts::{self, Named};
use super::{ahead, custom, events, exchanges, movement, refund_details};
use crate::domain::draft::{GatewayOption, RefundDraft};
use crate::domain::event::EventKind;
use crate::domain::id::{RefundId, RefundNumber};
use crate::domain::row_error::RowError;
use crate::domain::rules::{Asking, Decision, Facts, Payout, RefundNeeds, Source, decide};
use crate::domain::vocabulary::{GatewayState, RefundStatus};
use crate::ledger::books::BooksError;
use crate::ledger::records::{Balance, Refund};
use crate::ledger::unit::Unit;
use crate::ledger::{Order, RowResult, Saved, UserKey};
use chrono::{DateTime, Utc};

/// Makes a refund, or finds why not; `audit` is the record of the call, and what its gateway has
/// to be asked is added to `orders`.
pub fn create(
    unit: &mut Unit<'_>,
    user: UserKey,
    asking: &Asking,
    draft: &RefundDraft,
    audit: i64,
    orders: &mut Vec<Order>,
) -> Result<RowResult, BooksError> {
    match decide_one(unit, draft, asking)? {
        Ok(decision) => write(unit, user, asking, decision, audit, orders).map(Ok),
        Err(error) => Ok(Err(error)),
    }
}

/// Makes the refund that was decided: takes the money from its source, adds the refund, and adds
/// what its gateway has to be asked to `orders`.
pub(super) fn write(
    unit: &mut Unit<'_>,
    user: UserKey,
    asking: &Asking,
    decision: Decision,
    audit: i64,
    orders: &mut Vec<Order>,
) -> Result<Saved, BooksError> {
    let (id, created) = unit.next_refund(asking.now)?;
    let number = id.number();
    let entry = match decision.source {
        Source::CreditBalance => {
            let (account, amount) = (decision.account, decision.amount);
            let payout = &decision.payout;
            Some(movement::take_credit(unit, number, account, amount, payout, created)?)
        }
        Source::Payment { .. } | Source::CreditMemo { .. } => None,
    };
    let previous = unit.balance(decision.account)?.newest_refund;
    let made = Made { id, created, user, audit, previous, entry };
    let refund = row(&made, &decision)?;
    unit.insert(refund.clone())?;
    unit.change::<Balance>(&(decision.account,), |row| row.newest_refund = Some(number))?;
    match &decision.source {
        Source::CreditBalance => {}
        Source::Payment { payment, parts } => {
            movement::take_payment(unit, &refund, *payment, parts, created)?;
        }
        Source::CreditMemo { memo, lines } => {
            movement::take_memo(unit, &refund, *memo, lines, created)?;
        }
    }
    if let Some(detail) = &decision.detail {
        refund_details::keep(unit, &refund, &decision.source, detail, created)?;
    }
    let kind = match decision.payout {
        Payout::External => EventKind::Processed,
        Payout::Electronic { .. } => EventKind::Processing,
    };
    events::keep(unit, number, kind, created)?;
    if let Payout::Electronic { gateway, payment_method, original_payment, options } =
        decision.payout
    {
        exchanges::begin_order(unit, number, created, asking.earliest)?;
        orders.push(Order {
            refund: id,
            gateway,
            payment_method,
            original_payment,
            repaid: exchanges::repaid(unit, refund.payment, refund.refund_day)?,
            amount: decision.amount,
            currency: decision.currency,
            options,
            trace: None,
        });
    }
    Ok(id.into())
}

/// Looks up what the draft names and applies the rules.
fn decide_one(
    unit: &mut Unit<'_>,
    draft: &RefundDraft,
    asking: &Asking,
) -> Result<Result<Decision, RowError>, BooksError> {
    let needs = RefundNeeds::of(draft);
    let mut account = match needs.account {
        Some(id) => facts::account(unit, id, needs.default_method)?,
        None => None,
    };
    if let Some(account) = &mut account {
        let zone = unit.world.tenant.time_zone;
        let day = needs.day.and_then(|text| text.day(asking.version, zone));
        ahead::look_from(unit, asking, day, account)?;
    }
    let method = match needs.method {
        Some(id) => facts::method(unit, id)?,
        None => None,
    };
    let payment = match needs.payment {
        Some(id) => facts::payment(unit, Named::Id(id))?,
        None => None,
    };
    let (tenant, gateways) = (&unit.world.tenant, unit.world.gateways.as_slice());
    let facts = Facts { tenant, gateways, account, method, payment };
    Ok(decide(draft, &facts, asking))
}

/// What a new refund has beside what was decided.
struct Made {
    id: RefundId,
    created: DateTime<Utc>,
    user: UserKey,
    audit: i64,
    previous: Option<RefundNumber>,
    entry: Option<i64>,
}

fn row(made: &Made, decision: &Decision) -> Result<Refund, BooksError> {
    let (status, gateway, options, gateway_state) = match &decision.payout {
        Payout::External => (RefundStatus::Processed, None, None, None),
        Payout::Electronic { gateway, options, .. } => {
            let state = Some(GatewayState::MarkedForSubmission);
            (RefundStatus::Processing, Some(gateway.clone()), options_text(options)?, state)
        }
    };
    let payment = match &decision.source {
        Source::CreditBalance | Source::CreditMemo { .. } => None,
        Source::Payment { payment, .. } => Some(*payment),
    };
    let detail = decision.detail.as_deref();
    Ok(Refund {
        number: made.id.number(),
        created_ms: made.created,
        salt: i64::from(made.id.salt()),
        account: decision.account,
        previous: made.previous,
        amount: decision.amount,
        refund_type: decision.payout.refund_type(),
        source_type: decision.source.source_type(),
        method_type: decision.method_type,
        payment_method: decision.method,
        status,
        refund_day: decision.refund_date,
        created_by: made.user,
        audit: Some(made.audit),
        method_choice: Some(decision.choice),
        source_before: Some(decision.source_before),
        entry: made.entry,
        payment,
        comment: decision.comment.clone(),
        reason_code: decision.reason_code.clone(),
        soft_descriptor: decision.soft_descriptor.clone(),
        soft_descriptor_phone: decision.soft_descriptor_phone.clone(),
        gateway,
        gateway_options: options,
        gateway_state,
        gateway_response: None,
        gateway_response_code: None,
        reference_id: detail.and_then(|detail| detail.reference_id.clone()),
        second_reference_id: detail.and_then(|detail| detail.second_reference_id.clone()),
        submitted_ms: None,
        settled_ms: None,
        cancelled_ms: None,
        compensated_ms: None,
        updated_ms: None,
        updated_by: None,
        transferred_to_accounting: detail
            .and_then(|detail| detail.transferred)
            .map(|value| value.name().to_owned()),
        custom: custom::merged(None, &decision.custom)?,
    })
}

fn options_text(options: &[GatewayOption]) -> Result<Option<String>, BooksError> {
    let text = (!options.is_empty()).then(|| serde_json::to_string(options));
    text.transpose().map_err(|error| BooksError::Engine(error.to_string()))
}
