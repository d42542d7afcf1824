//! Invoices and payments of a seed, as far as the file alone shows: amounts that are amounts,
//! days that are days, parts that fit their payment.
//!
//! Their currency is that of an account which the ledger may know already, so the ledger judges
//! whether an amount fits it, and every reference.

use super::check::{Names, Wrong, day, id, name, wrong};
use super::written::{
    DecimalText, WrittenInvoice, WrittenItem, WrittenMemo, WrittenMemoItem, WrittenPart,
    WrittenPayment,
};
use crate::domain::id::ObjectId;
use crate::domain::money::parse_decimal;
use crate::domain::vocabulary::{CreditMemoStatus, PaymentType};
use crate::ledger::seed::{
    SeedInvoice, SeedItem, SeedMemo, SeedMemoItem, SeedMemoTax, SeedPart, SeedPayment,
};
use rust_decimal::Decimal;
use std::collections::HashSet;
use toml::Spanned;

/// An invoice.
pub(super) fn invoice(written: WrittenInvoice, names: &mut Names) -> Result<SeedInvoice, Wrong> {
    names.take("invoice", written.id.get_ref().as_str(), &written.id)?;
    names.take("invoice number", written.number.get_ref(), &written.number)?;
    let amount = decimal(&written.amount)?;
    let balance = decimal(&written.balance)?;
    let is_between = (Decimal::ZERO.min(amount)..=Decimal::ZERO.max(amount)).contains(&balance);
    if !is_between {
        let (balance, amount) = (&written.balance.get_ref().0, &written.amount.get_ref().0);
        let message = format!("lies between 0 and the amount, `{amount}`; `{balance}` does not");
        return Err(wrong(&written.balance, message));
    }
    let items = items(written.items, names)?;
    check_sum(&items, amount, &written.amount, written.number.get_ref())?;
    Ok(SeedInvoice {
        id: id(&written.id)?,
        number: name(written.number)?,
        account: id(&written.account)?,
        date: day(&written.date)?,
        amount,
        balance,
        items,
    })
}

fn items(written: Vec<WrittenItem>, names: &mut Names) -> Result<Vec<SeedItem>, Wrong> {
    let item = |written: WrittenItem| {
        if let Some(id) = &written.id {
            names.take("invoice item", id.get_ref().as_str(), id)?;
        }
        Ok(SeedItem {
            id: written.id.as_ref().map(id).transpose()?,
            name: written.name.map(name).transpose()?,
            amount: decimal(&written.amount)?,
            tax: written.tax.as_ref().map(decimal).transpose()?.filter(|tax| !tax.is_zero()),
        })
    };
    written.into_iter().map(item).collect()
}

/// That the items of an invoice, if it has any, and their taxes add up to its amount.
fn check_sum(
    items: &[SeedItem],
    amount: Decimal,
    place: &Spanned<DecimalText>,
    number: &str,
) -> Result<(), Wrong> {
    let lines = items.iter().flat_map(|item| [item.amount, item.tax.unwrap_or_default()]);
    let sum = lines.fold(Decimal::ZERO, Decimal::saturating_add);
    if items.is_empty() || sum == amount {
        return Ok(());
    }
    let amount = &place.get_ref().0;
    let what = format!("the items of invoice `{number}` and their taxes");
    Err(wrong(place, format!("{what} add up to `{sum}`, and its amount is `{amount}`")))
}

/// A payment and its parts.
pub(super) fn payment(written: WrittenPayment, names: &mut Names) -> Result<SeedPayment, Wrong> {
    names.take("payment", written.id.get_ref().as_str(), &written.id)?;
    names.take("payment number", written.number.get_ref(), &written.number)?;
    let payment_type = *written.payment_type.get_ref();
    match (payment_type, &written.payment_method, &written.gateway) {
        (PaymentType::Electronic, None, _) => {
            let message = "an Electronic payment was made by a payment_method; name it";
            return Err(wrong(&written.payment_type, message));
        }
        (PaymentType::External, _, Some(gateway)) => {
            return Err(wrong(gateway, "an External payment went through no gateway"));
        }
        _ => {}
    }
    let amount = positive(&written.amount)?;
    let mut left = amount;
    let mut seen = HashSet::new();
    let mut applied = Vec::with_capacity(written.applied.len());
    for part in written.applied {
        applied.push(self::part(part, &mut left, &mut seen)?);
    }
    Ok(SeedPayment {
        id: id(&written.id)?,
        number: name(written.number)?,
        account: id(&written.account)?,
        payment_type,
        amount,
        effective_date: day(&written.effective_date)?,
        payment_method: written.payment_method.as_ref().map(id).transpose()?,
        gateway: written.gateway.map(name).transpose()?,
        reference_id: written.reference_id.map(name).transpose()?,
        is_settled: written.settled.unwrap_or(true),
        applied,
    })
}

/// A credit memo with its items and what of it is applied.
pub(super) fn credit_memo(written: WrittenMemo, names: &mut Names) -> Result<SeedMemo, Wrong> {
    names.take("credit_memo", written.id.get_ref().as_str(), &written.id)?;
    names.take("credit_memo number", written.number.get_ref(), &written.number)?;
    let amount = positive(&written.amount)?;
    let status =
        written.status.as_ref().map_or(CreditMemoStatus::Posted, |status| *status.get_ref());
    let mut left = amount;
    let mut seen = HashSet::new();
    let mut applied = Vec::with_capacity(written.applied.len());
    for part in written.applied {
        if status != CreditMemoStatus::Posted {
            return Err(wrong(&part.amount, "only a Posted credit memo is applied"));
        }
        applied.push(self::part(part, &mut left, &mut seen)?);
    }
    let mut items = Vec::with_capacity(written.items.len());
    for item in written.items {
        items.push(memo_item(item, names)?);
    }
    let lines = items.iter().flat_map(|item: &SeedMemoItem| {
        std::iter::once(item.amount).chain(item.taxes.iter().map(|tax| tax.amount))
    });
    let sum = lines.fold(Decimal::ZERO, Decimal::saturating_add);
    if !items.is_empty() && sum != amount {
        let what = "the items of the credit memo and their taxes";
        let amount = &written.amount.get_ref().0;
        let message = format!("{what} add up to `{sum}`, and its amount is `{amount}`");
        return Err(wrong(&written.amount, message));
    }
    Ok(SeedMemo {
        id: id(&written.id)?,
        number: name(written.number)?,
        account: id(&written.account)?,
        date: day(&written.date)?,
        status,
        amount,
        applied,
        items,
    })
}

fn memo_item(written: WrittenMemoItem, names: &mut Names) -> Result<SeedMemoItem, Wrong> {
    let mut taxes = Vec::with_capacity(written.taxes.len());
    for tax in written.taxes {
        let id = line_id(tax.id.as_ref(), names)?;
        taxes.push(SeedMemoTax { id, amount: positive(&tax.amount)? });
    }
    let id = line_id(written.id.as_ref(), names)?;
    Ok(SeedMemoItem { id, amount: positive(&written.amount)?, taxes })
}

fn line_id(
    written: Option<&Spanned<ObjectId>>,
    names: &mut Names,
) -> Result<Option<ObjectId>, Wrong> {
    let Some(written) = written else { return Ok(None) };
    names.take("credit_memo item", written.get_ref().as_str(), written)?;
    id(written).map(Some)
}

/// One part, which takes from what is left of the payment.
fn part(
    written: WrittenPart,
    left: &mut Decimal,
    seen: &mut HashSet<String>,
) -> Result<SeedPart, Wrong> {
    let amount = positive(&written.amount)?;
    if amount > *left {
        let message = format!("the parts add up to more than the payment; `{left}` was left");
        return Err(wrong(&written.amount, message));
    }
    *left = left.saturating_sub(amount);
    if !seen.insert(written.invoice.get_ref().clone()) {
        let number = written.invoice.get_ref();
        return Err(wrong(&written.invoice, format!("invoice `{number}` stands here twice")));
    }
    Ok(SeedPart { invoice: name(written.invoice)?, amount })
}

fn decimal(text: &Spanned<DecimalText>) -> Result<Decimal, Wrong> {
    let written = &text.get_ref().0;
    parse_decimal(written).ok_or_else(|| wrong(text, format!("`{written}` is no decimal amount")))
}

fn positive(text: &Spanned<DecimalText>) -> Result<Decimal, Wrong> {
    let amount = decimal(text)?;
    if amount > Decimal::ZERO {
        return Ok(amount);
    }
    Err(wrong(text, format!("`{}` is no amount above 0", text.get_ref().0)))
}
