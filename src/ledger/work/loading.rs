//! One load of all that the requests of a batch name, in rounds: what they name themselves, then
//! what the rows that were found name, and so on. Each round asks for many rows of a table at once.
//!
//! What must stay true: nothing is changed or decided here. A use case finds what is loaded where
//! it would have looked it up, and looks up itself what is not.

use super::loading_refunds::refund;
use super::naming::{self, Name, Needs, Numbers};
use super::numbering::Numbered;
use super::{accounts, ahead, methods, trail};
use crate::domain::calendar::CalendarText;
use crate::domain::collected::ReferenceKey;
use crate::domain::draft::payment::PaymentChange;
use crate::domain::facts::{AccountKey, InvoiceKey};
use crate::domain::id::{IdKind, ObjectId, RowId};
use crate::domain::rules::{Asking, Named, Need};
use crate::domain::vocabulary::PaymentStatus;
use crate::ledger::books::BooksError;
use crate::ledger::record::{Field, Lookup};
use crate::ledger::records::{
    ACCOUNT_BY_ID, ACCOUNT_BY_NUMBER, ADJUSTMENT_BY_ACCOUNT, Account, Adjustment, Balance,
    COLLECTED_BY_REFERENCE, Collected, CreditMemo, DELIVERY_WAITING, Delivery, Entry,
    GATEWAY_BY_ID, GatewayIdentity, INVOICE_ADJUSTMENT_BY_ID, INVOICE_ADJUSTMENT_BY_LINE,
    INVOICE_ADJUSTMENT_BY_NUMBER, INVOICE_BY_ID, INVOICE_BY_NUMBER, Inquiry, Invoice,
    InvoiceAdjustment, LINE_BY_ID, Line, MEMO_BY_ID, MEMO_BY_NUMBER, MEMO_LINE_BY_ID,
    MEMO_LINE_BY_MEMO, MEMO_PART_BY_MEMO, METHOD_BY_ID, MemoLine, MemoPart, Method, MethodRow,
    PART_BY_PAYMENT, PAYMENT_BY_ID, PAYMENT_BY_NUMBER, Part, Payment, Refund, SessionRow,
    SettlementEvent, StoredAnswer, User,
};
use crate::ledger::unit::{Unit, Unmet};
use crate::ledger::working_set::Shelved;

/// Whether all of it is known now.
pub(in crate::ledger) type Seen = Result<(), Unmet>;

/// Loads what the requests of a batch name.
pub fn load(unit: &mut Unit<'_>, needs: Needs<'_>) -> Result<(), BooksError> {
    if unit.is_far() {
        unit.foresee_newest()?;
    }
    let Needs { mut names, mut numbers } = needs;
    while !(names.is_empty() && numbers.is_empty()) {
        names.retain(|name| of_name(unit, *name).is_err());
        numbers.retain(|given| of_numbers(unit, *given).is_err());
        unit.load()?;
    }
    Ok(())
}

/// Says to the engine what the requests of a batch name themselves, so that it may look that up
/// while the batch begins.
pub fn foresee(unit: &mut Unit<'_>, needs: &Needs<'_>) -> Result<(), BooksError> {
    for name in &needs.names {
        // What is known already needs no look-up.
        let _ = of_name(unit, *name);
    }
    unit.foresee()
}

/// All of it is known. What is not is wanted, all of it in the same round.
pub(in crate::ledger) fn all<const N: usize>(seen: [Seen; N]) -> Seen {
    seen.into_iter().fold(Ok(()), Result::and)
}

/// The row of a key, and no more of it.
pub(in crate::ledger) fn row<R: Shelved>(unit: &mut Unit<'_>, key: &R::Key) -> Seen {
    unit.see::<R>(key).map(|_| ())
}

pub(in crate::ledger) fn rows<R: Shelved>(
    unit: &mut Unit<'_>,
    lookup: &'static Lookup,
    key: &impl Field,
) -> Seen {
    unit.see_each::<R, ()>(lookup, &[key.stored()], |_| ()).map(|_| ())
}

fn of_name(unit: &mut Unit<'_>, name: Name<'_>) -> Seen {
    match name {
        Name::Fact(need) => of_need(unit, need),
        Name::Answer(user, operation, key) => {
            row::<StoredAnswer>(unit, &(user, operation.to_owned(), key.to_owned()))
        }
        Name::Source(user, origin, operation, object) => {
            trail::see_source(unit, user, origin, operation, object)
        }
        Name::User(user) => row::<User>(unit, &(user,)),
        Name::ShownMemo(key) => memo(unit, Named::by(key), true),
        Name::WholeMethod(id) => {
            let key = unit.see_one::<Method>(&METHOD_BY_ID, &[id.stored()])?.map(|row| row.key);
            key.map_or(Ok(()), |key| row::<MethodRow>(unit, &(key,)))
        }
        Name::WholeMethodOf(key) => {
            let found =
                named::<Payment>(unit, Named::by(key), [&PAYMENT_BY_ID, &PAYMENT_BY_NUMBER]);
            let key = found?.and_then(|row| row.payment_method);
            key.map_or(Ok(()), |key| row::<MethodRow>(unit, &(key,)))
        }
        Name::OldAccount(id) => accounts::see(unit, id),
        Name::OldMethod(id) => methods::see(unit, id),
        Name::Adjustment(id, asking) => adjustment(unit, id, asking),
        Name::InvoiceAdjustment(id) => {
            let lookup = &INVOICE_ADJUSTMENT_BY_ID;
            let found = unit.see_one::<InvoiceAdjustment>(lookup, &[id.stored()])?;
            let invoice = found.map(|row| row.invoice);
            invoice.map_or(Ok(()), |key| invoice_by_key(unit, key))
        }
        Name::OldPayment(change) => old_payment(unit, change),
        Name::Refund(name, purpose) => refund(unit, name, purpose),
        Name::Event(id) => row::<SettlementEvent>(unit, &(id.to_owned(),)),
        Name::Inquiry(number) => {
            all([row::<Inquiry>(unit, &(number,)), { row::<Refund>(unit, &(number,)) }])
        }
        Name::Delivery(webhook, event) => delivery(unit, webhook, event),
        Name::Session(token) => row::<SessionRow>(unit, &(token,)),
    }
}

fn of_need(unit: &mut Unit<'_>, need: Need<'_>) -> Seen {
    match need {
        Need::Account(named) => account(unit, named),
        Need::Payer { account, default_method, on } => payer(unit, account, default_method, on),
        Need::Holder(number) => rows::<Account>(unit, &ACCOUNT_BY_NUMBER, number),
        Need::Parent(id) => rows::<Account>(unit, &ACCOUNT_BY_ID, id),
        Need::Method(id) => method(unit, id),
        Need::OwnMethod(method_type) => {
            methods::built_in_id(method_type).map_or(Ok(()), |id| method(unit, &id))
        }
        Need::Payment(named) => payment(unit, named),
        Need::Reference(reference) => known_by(unit, reference),
        Need::Invoice(named) => invoice(unit, named).map(|_| ()),
        Need::Source(named) => source(unit, named),
        Need::Line(id) => {
            let found = unit.see_one::<Line>(&LINE_BY_ID, &[id.stored()])?;
            let line = found.map(|row| row.key);
            let by_line = &INVOICE_ADJUSTMENT_BY_LINE;
            line.map_or(Ok(()), |key| rows::<InvoiceAdjustment>(unit, by_line, &key))
        }
        Need::AdjustmentNumber(number) => {
            let by_number = &INVOICE_ADJUSTMENT_BY_NUMBER;
            unit.see_any::<InvoiceAdjustment>(by_number, &[number.stored()]).map(|_| ())
        }
        Need::CreditMemo { named, lines } => memo(unit, named, lines),
        Need::MemoLine(id) => rows::<MemoLine>(unit, &MEMO_LINE_BY_ID, id),
        Need::Gateway(id) => rows::<GatewayIdentity>(unit, &GATEWAY_BY_ID, id),
        Need::Settled(key) => {
            let names = naming::settled(key);
            names.map_or(Ok(()), |names| all(names.map(|name| of_name(unit, name))))
        }
    }
}

/// The row of an object by what it is named by.
fn named<'u, R: Shelved>(
    unit: &'u mut Unit<'_>,
    named: Named<'_>,
    [by_id, by_number]: [&'static Lookup; 2],
) -> Result<Option<&'u R>, Unmet> {
    match named {
        Named::Id(id) => unit.see_one(by_id, &[id.stored()]),
        Named::Number(number) => unit.see_one(by_number, &[number.stored()]),
    }
}

fn account(unit: &mut Unit<'_>, name: Named<'_>) -> Seen {
    let found = named::<Account>(unit, name, [&ACCOUNT_BY_ID, &ACCOUNT_BY_NUMBER])?;
    let key = found.map(|row| row.key);
    key.map_or(Ok(()), |key| balance(unit, key))
}

pub(super) fn account_by_key(unit: &mut Unit<'_>, key: AccountKey) -> Seen {
    all([row::<Account>(unit, &(key,)), balance(unit, key)])
}

/// A balance with the entry that made it what it is.
pub(super) fn balance(unit: &mut Unit<'_>, key: AccountKey) -> Seen {
    match unit.see::<Balance>(&(key,))?.map(|row| row.newest_entry) {
        Some(Some(entry)) => row::<Entry>(unit, &(entry,)),
        Some(None) => row::<Account>(unit, &(key,)),
        None => Ok(()),
    }
}

fn payer(
    unit: &mut Unit<'_>,
    id: &ObjectId,
    with_method: bool,
    (asking, day): (&Asking, Option<&CalendarText>),
) -> Seen {
    let found = unit.see_one::<Account>(&ACCOUNT_BY_ID, &[id.stored()])?;
    let Some((key, default)) = found.map(|row| (row.key, row.default_payment_method)) else {
        return Ok(());
    };
    let method = default.filter(|_| with_method);
    let method = method.map_or(Ok(()), |method| row::<Method>(unit, &(method,)));
    let moves = match ahead::is_looked_at(unit.world, asking, day) {
        true => rows::<Adjustment>(unit, &ADJUSTMENT_BY_ACCOUNT, &key),
        false => Ok(()),
    };
    all([balance(unit, key), method, moves])
}

fn method(unit: &mut Unit<'_>, id: &ObjectId) -> Seen {
    rows::<Method>(unit, &METHOD_BY_ID, id)
}

fn payment(unit: &mut Unit<'_>, name: Named<'_>) -> Seen {
    let found = named::<Payment>(unit, name, [&PAYMENT_BY_ID, &PAYMENT_BY_NUMBER])?;
    let Some(found) = found else { return Ok(()) };
    let (key, account, method) = (found.key, found.account, found.payment_method);
    let reference = found.reference_id.as_ref().unwrap_or(&found.number);
    let collected = found.gateway.clone().map(|gateway| (reference_key(reference), gateway));
    let invoices = unit.see_each(&PART_BY_PAYMENT, &[key.stored()], |part: &Part| part.invoice);
    let invoices = invoices.and_then(|invoices| each(unit, &invoices, row_of_invoice));
    all([
        method.map_or(Ok(()), |method| row::<Method>(unit, &(method,))),
        collected.map_or(Ok(()), |collected| row::<Collected>(unit, &collected)),
        account_by_key(unit, account),
        invoices,
    ])
}

pub(super) fn row_of_invoice(unit: &mut Unit<'_>, key: InvoiceKey) -> Seen {
    row::<Invoice>(unit, &(key,))
}

/// The same of each of these.
pub(in crate::ledger) fn each<K: Copy>(
    unit: &mut Unit<'_>,
    keys: &[K],
    see: fn(&mut Unit<'_>, K) -> Seen,
) -> Seen {
    keys.iter().map(|key| see(unit, *key)).fold(Ok(()), Result::and)
}

fn reference_key(reference: &str) -> String {
    ReferenceKey::of(reference).as_str().to_owned()
}

fn known_by(unit: &mut Unit<'_>, reference: &str) -> Seen {
    let key = [reference_key(reference)];
    let [key] = key.each_ref().map(Field::stored);
    let payments = unit.see_each(&COLLECTED_BY_REFERENCE, &[key], |row: &Collected| row.payment)?;
    each(unit, &payments, |unit, key| row::<Payment>(unit, &(key,)))
}

/// An invoice with its account; whether it is there.
fn invoice(unit: &mut Unit<'_>, name: Named<'_>) -> Result<bool, Unmet> {
    let found = named::<Invoice>(unit, name, [&INVOICE_BY_ID, &INVOICE_BY_NUMBER])?;
    let Some(account) = found.map(|row| row.account) else { return Ok(false) };
    account_by_key(unit, account)?;
    Ok(true)
}

fn invoice_by_key(unit: &mut Unit<'_>, key: InvoiceKey) -> Seen {
    let account = unit.see::<Invoice>(&(key,))?.map(|row| row.account);
    account.map_or(Ok(()), |account| account_by_key(unit, account))
}

fn source(unit: &mut Unit<'_>, name: Named<'_>) -> Seen {
    if !invoice(unit, name)? {
        return payment(unit, name);
    }
    if !unit.world.tenant.future_dated_adjustments {
        return Ok(());
    }
    let found = named::<Invoice>(unit, name, [&INVOICE_BY_ID, &INVOICE_BY_NUMBER])?;
    let account = found.map(|row| row.account);
    account.map_or(Ok(()), |key| rows::<Adjustment>(unit, &ADJUSTMENT_BY_ACCOUNT, &key))
}

fn memo(unit: &mut Unit<'_>, name: Named<'_>, lines: bool) -> Seen {
    let found = named::<CreditMemo>(unit, name, [&MEMO_BY_ID, &MEMO_BY_NUMBER])?;
    let Some((key, account)) = found.map(|row| (row.key, row.account)) else { return Ok(()) };
    let lines = match lines {
        true => rows::<MemoLine>(unit, &MEMO_LINE_BY_MEMO, &key),
        false => Ok(()),
    };
    let parts = rows::<MemoPart>(unit, &MEMO_PART_BY_MEMO, &key);
    all([account_by_key(unit, account), lines, parts])
}

fn adjustment(unit: &mut Unit<'_>, id: &ObjectId, asking: &Asking) -> Seen {
    let kind = IdKind::CreditBalanceAdjustment;
    let Some(entry) = RowId::parse(kind, id.as_str()) else { return Ok(()) };
    let entry = unit.see::<Entry>(&(entry.key(),))?;
    let Some(key) = entry.and_then(|entry| entry.adjustment) else { return Ok(()) };
    let found = unit.see::<Adjustment>(&(key,))?;
    let Some((account, invoice, payment)) =
        found.map(|row| (row.account, row.invoice, row.payment))
    else {
        return Ok(());
    };
    let moves = match ahead::is_looked_at(unit.world, asking, None) {
        true => rows::<Adjustment>(unit, &ADJUSTMENT_BY_ACCOUNT, &account),
        false => Ok(()),
    };
    all([
        account_by_key(unit, account),
        invoice.map_or(Ok(()), |key| row::<Invoice>(unit, &(key,))),
        payment.map_or(Ok(()), |key| row::<Payment>(unit, &(key,))),
        moves,
    ])
}

fn old_payment(unit: &mut Unit<'_>, change: &PaymentChange) -> Seen {
    let known = change.reference_id.given().map_or(Ok(()), |one| known_by(unit, one));
    let Some(id) = change.common.id.given() else { return known };
    let found = unit.see_one::<Payment>(&PAYMENT_BY_ID, &[id.stored()]);
    let found = found.map(Option::<&_>::cloned);
    let whole = payment(unit, Named::Id(id));
    let Some(row) = found? else { return known };
    let by_own = match change.reference_id.given() {
        Some(_) => Ok(()),
        None => known_by(unit, row.reference_id.as_ref().unwrap_or(&row.number)),
    };
    let mut seen = all([known, whole, by_own]);
    if row.status.0 == PaymentStatus::Draft {
        let by_payment = [row.key.stored()];
        let invoices = unit.see_each(&PART_BY_PAYMENT, &by_payment, |part: &Part| part.invoice)?;
        seen = all([seen, each(unit, &invoices, invoice_by_key)]);
    }
    seen
}

fn delivery(unit: &mut Unit<'_>, webhook: &str, event: i64) -> Seen {
    let found = unit.see::<Delivery>(&(webhook.to_owned(), event))?;
    let Some(account) = found.map(|row| row.account) else { return Ok(()) };
    let webhook = webhook.to_owned();
    let values = [webhook.stored(), account.stored()];
    unit.see_any::<Delivery>(&DELIVERY_WAITING, &values).map(|_| ())
}

/// Whether the next so many numbers are given already.
fn of_numbers(unit: &mut Unit<'_>, numbers: Numbers) -> Seen {
    let Numbers { numbered, count, are_references } = numbers;
    numbered
        .next_ones(unit, count)?
        .iter()
        .map(|number| {
            let by_number = [number.stored()];
            let lookup = numbered.lookup();
            let is_given = match numbered {
                Numbered::Account => unit.see_any::<Account>(lookup, &by_number),
                Numbered::Payment => unit.see_any::<Payment>(lookup, &by_number),
                Numbered::CreditMemo => unit.see_any::<CreditMemo>(lookup, &by_number),
                Numbered::InvoiceAdjustment | Numbered::ItemAdjustment => {
                    unit.see_any::<InvoiceAdjustment>(lookup, &by_number)
                }
            };
            let known = if are_references { known_by(unit, number) } else { Ok(()) };
            all([is_given.map(|_| ()), known])
        })
        .fold(Ok(()), Result::and)
}
