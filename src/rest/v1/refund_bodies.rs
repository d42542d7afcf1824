//! The bodies of the two refunds: "Refund a credit memo" and "Refund a payment".

use super::bodies::{debit_memos, shares};
use crate::domain::draft::refund_details::{RateDraft, RefundDetails};
use crate::domain::draft::settlement_refunds::{ItemDraft, MemoRefundDraft, PaymentRefundDraft};
use crate::domain::row_error::RowError;
use crate::domain::vocabulary::CustomizedObject;
use crate::json::Json;
use crate::rest::body::{Body, sent};
use crate::rest::version::ZuoraVersion;

/// The refund of the credit memo `key`.
pub(in crate::rest) fn memo_refund(
    body: Body<'_>,
    key: &str,
    version: ZuoraVersion,
) -> Result<MemoRefundDraft, RowError> {
    let mut draft = MemoRefundDraft::of(key);
    body.each(|name, value| match name {
        "items" => body.list(name, value, |item| {
            let mut read = ItemDraft::default();
            body.object(name, item, |name, value| read.set(name, value))?;
            draft.add_item(read);
            Ok(())
        }),
        _ => match details(body, name, value, version, &mut draft.details)? {
            true => Ok(true),
            false => Ok(draft.set(name, sent(value))),
        },
    })?;
    Ok(draft)
}

/// The refund of a payment; `draft` names it, and whether it is unapplied first.
pub(in crate::rest) fn payment_refund(
    body: Body<'_>,
    mut draft: PaymentRefundDraft,
    version: ZuoraVersion,
) -> Result<PaymentRefundDraft, RowError> {
    body.each(|name, value| match (name, &mut draft.unapply) {
        ("invoices", Some(unapply)) => {
            shares(body, name, value, |share| unapply.invoices.push(share))
        }
        ("debitMemos", Some(_)) => debit_memos(body, value),
        ("writeOffOptions", Some(unapply)) => {
            body.object(name, value, |name, value| unapply.options.set(name, value))
        }
        _ => match details(body, name, value, version, &mut draft.details)? {
            true => Ok(true),
            false => Ok(draft.set(name, sent(value))),
        },
    })?;
    Ok(draft)
}

/// Takes what both have and what is no scalar, and the tenant's own fields.
fn details<'b>(
    body: Body<'b>,
    name: &'b str,
    value: &'b Json,
    version: ZuoraVersion,
    details: &mut RefundDetails,
) -> Result<bool, RowError> {
    match name {
        "financeInformation" => {
            body.object(name, value, |name, value| details.set_finance(name, value))
        }
        "gatewayOptions" => body.object(name, value, |name, value| {
            details.add_gateway_option(name, value);
            true
        }),
        "customRates" if version.has_custom_rates() => body.list(name, value, |rate| {
            let mut read = RateDraft::default();
            body.object(name, rate, |name, value| read.set(name, value))?;
            details.add_custom_rate(read);
            Ok(())
        }),
        name => Ok(body.custom(CustomizedObject::Refund, name, value, &mut details.custom)),
    }
}
