//! Functions that SQL lacks, so that a condition means in the file what it means in the domain:
//! exact amounts across currencies, case beyond ASCII, the patterns of `like`, ids and numbers as
//! clients see them.

use crate::domain::id::{IdKind, RefundId, RefundNumber, RowId};
use crate::domain::money::{Currency, MinorUnits, parse_decimal};
use crate::domain::query::pattern::{Pattern, fold};
use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rust_decimal::Decimal;
use std::sync::Arc;

/// Makes the functions known to a connection. No trigger, index or view can use them.
pub(super) fn register(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_DIRECTONLY;
    connection.create_scalar_function("refund_id", 3, flags, refund_id)?;
    for (name, kind) in [
        ("credit_balance_adjustment_id", IdKind::CreditBalanceAdjustment),
        ("refund_invoice_payment_id", IdKind::RefundInvoicePayment),
        ("refund_transaction_log_id", IdKind::RefundTransactionLog),
    ] {
        let id = move |context: &Context<'_>| row_id(kind, context);
        connection.create_scalar_function(name, 3, flags, id)?;
    }
    connection.create_scalar_function("refund_number", 1, flags, |context| {
        Ok(number(context, 0)?.to_string())
    })?;
    connection.create_scalar_function("adjustment_number", 1, flags, |context| {
        let key: i64 = context.get(0)?;
        Ok(format!("CBA-{key:08}"))
    })?;
    connection.create_scalar_function("folded", 1, flags, |context| {
        let text: Option<String> = context.get(0)?;
        Ok(text.map(|text| fold(&text, false)))
    })?;
    connection.create_scalar_function("is_like", 3, flags, is_like)?;
    connection.create_scalar_function("amount_against", 3, flags, amount_against)?;
    connection.create_scalar_function("decimal_against", 2, flags, decimal_against)
}

fn number(context: &Context<'_>, argument: usize) -> rusqlite::Result<RefundNumber> {
    let value: i64 = context.get(argument)?;
    RefundNumber::new(value).ok_or(rusqlite::Error::IntegralValueOutOfRange(argument, value))
}

/// `refund_id(created_ms, salt, number)`
fn refund_id(context: &Context<'_>) -> rusqlite::Result<String> {
    let id = RefundId::new(context.get(0)?, context.get(1)?, number(context, 2)?);
    Ok(id.to_string())
}

/// `…_id(created_ms, salt, key)`
fn row_id(kind: IdKind, context: &Context<'_>) -> rusqlite::Result<String> {
    let key: i64 = context.get(2)?;
    let id = RowId::new(kind, context.get(0)?, context.get(1)?, key);
    id.map(|id| id.to_string()).ok_or(rusqlite::Error::IntegralValueOutOfRange(2, key))
}

/// `is_like(value, pattern, case_sensitive)`
fn is_like(context: &Context<'_>) -> rusqlite::Result<Option<bool>> {
    let Some(value) = context.get::<Option<String>>(0)? else {
        return Ok(None);
    };
    let pattern = context.get_or_create_aux(1, |text: ValueRef<'_>| {
        Pattern::parse(text.as_str()?).ok_or_else(|| Unreadable.into())
            as Result<Pattern, Box<dyn std::error::Error + Send + Sync>>
    })?;
    Ok(Some(pattern.matches(&value, context.get(2)?)))
}

/// `amount_against(minor units, currency, decimal)`: below, at or above zero as the amount is
/// below, at or above the decimal.
fn amount_against(context: &Context<'_>) -> rusqlite::Result<Option<i64>> {
    let (units, code): (Option<i64>, Option<String>) = (context.get(0)?, context.get(1)?);
    let Some(currency) = code.as_deref().and_then(Currency::from_code) else {
        return Ok(None);
    };
    let decimal = bound_decimal(context, 2)?;
    let amount = units.map(|units| currency.decimal(MinorUnits::new(units)));
    Ok(amount.map(|amount| i64::from(amount.cmp(&decimal) as i8)))
}

/// `decimal_against(text, decimal)`: as `amount_against`, for a text that is a decimal.
fn decimal_against(context: &Context<'_>) -> rusqlite::Result<Option<i64>> {
    let text: Option<String> = context.get(0)?;
    let decimal = bound_decimal(context, 1)?;
    let value = text.as_deref().and_then(parse_decimal);
    Ok(value.map(|value| i64::from(value.cmp(&decimal) as i8)))
}

/// A bound decimal, read once for all rows.
fn bound_decimal(context: &Context<'_>, argument: i32) -> rusqlite::Result<Arc<Decimal>> {
    context.get_or_create_aux(argument, |text: ValueRef<'_>| {
        parse_decimal(text.as_str()?).ok_or_else(|| Unreadable.into())
            as Result<Decimal, Box<dyn std::error::Error + Send + Sync>>
    })
}

/// A bound value is not what this program binds.
#[derive(Debug, thiserror::Error)]
#[error("a value that this program never binds")]
struct Unreadable;
