//! What a type cannot say about a seed: currencies, amounts, references inside the file, and what
//! may not stand there twice.
//!
//! References to what the file does not hold are the ledger's to judge, which may know it already.

use super::access;
use super::written::{
    DecimalText, WrittenAccount, WrittenCustomField, WrittenGateway, WrittenMethod, WrittenRule,
    WrittenTenant,
};
use crate::domain::calendar::parse_date;
use crate::domain::custom_field::{CustomField, CustomName, CustomType, LENGTH_MAX};
use crate::domain::facts::Gateway;
use crate::domain::id::ObjectId;
use crate::domain::money::{Currency, MinorUnits, parse_amount, parse_decimal};
use crate::domain::script::{Script, ScriptedRule, Switches};
use crate::domain::toml_text::{meant, suggest};
use crate::domain::vocabulary::{CustomizedObject, MethodStatus};
use crate::ledger::seed::{SeedAccount, SeedGatewayIdentity, SeedPaymentMethod};
use chrono::NaiveDate;
use chrono_tz::{TZ_VARIANTS, Tz};
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use toml::Spanned;

/// The longest name that a seed may give to anything, in characters.
const NAME_CHARS_MAX: usize = 255;
/// The longest ReasonCode that the Refund object documents, in characters.
const REASON_CODE_CHARS_MAX: usize = 32;
/// The most reason codes that a tenant can have (documented).
const REASON_CODES_MAX: usize = 300;
/// The longest delay of a scripted answer: ten minutes, in milliseconds.
const DELAY_MS_MAX: u64 = 600_000;
/// The longest time in which the sandbox takes an order for a duplicate: a day, in seconds.
const DUPLICATE_WINDOW_S_MAX: u32 = 86_400;
/// The longest refund window of the sandbox: a hundred years, in days.
const REFUND_WINDOW_DAYS_MAX: u32 = 36_500;

/// Something wrong, and where it stands in the text.
pub(super) struct Wrong {
    pub(super) at: Range<usize>,
    pub(super) message: String,
}

pub(super) fn wrong<T, M: Into<String>>(place: &Spanned<T>, message: M) -> Wrong {
    Wrong { at: place.span(), message: message.into() }
}

/// Names that may stand in a file only once.
pub(super) enum Names {
    /// Each is known, and the second is refused.
    Known(HashSet<(&'static str, String)>),
    /// Of very many the hashes alone; which stand there twice is seen at the end.
    Hashed { hashing: RandomState, hashes: Vec<u64> },
}

impl Default for Names {
    fn default() -> Self {
        Self::Known(HashSet::new())
    }
}

impl Names {
    /// Names of a file that is read in pieces.
    pub(super) fn in_pieces() -> Self {
        Self::Hashed { hashing: RandomState::new(), hashes: Vec::new() }
    }

    /// Whether it is certain that none stands there twice.
    pub(super) fn are_single(self) -> bool {
        match self {
            Self::Known(_) => true,
            Self::Hashed { mut hashes, .. } => {
                hashes.sort_unstable();
                hashes.windows(2).all(|pair| matches!(pair, [one, next] if one != next))
            }
        }
    }

    /// Notes that `name` is taken among things of this `kind`.
    pub(super) fn take<T>(
        &mut self,
        kind: &'static str,
        name: &str,
        place: &Spanned<T>,
    ) -> Result<(), Wrong> {
        let free = match self {
            Self::Known(names) => names.insert((kind, name.to_owned())),
            Self::Hashed { hashing, hashes } => {
                hashes.push(hashing.hash_one((kind, name)));
                true
            }
        };
        if free { Ok(()) } else { Err(wrong(place, format!("{kind} `{name}` stands here twice"))) }
    }
}

/// The settings of `[tenant]` that are written, in their stored form.
pub(super) fn tenant(written: WrittenTenant) -> Result<Vec<(&'static str, String)>, Wrong> {
    let mut settings = Vec::new();
    let switches = [
        ("credit_balance", written.credit_balance),
        ("invoice_settlement", written.invoice_settlement),
        ("future_dated_adjustments", written.future_dated_adjustments),
        ("invoice_item_settlement", written.invoice_item_settlement),
        ("fx_data", written.fx_data),
        ("currency_conversion_exports", written.currency_conversion_exports),
    ];
    settings
        .extend(switches.iter().filter_map(|(key, value)| value.map(|on| (*key, on.to_string()))));
    if let Some(gateway) = written.default_gateway {
        settings.push(("default_gateway", name(gateway)?));
    }
    if let Some(zone) = written.time_zone {
        let unknown = || {
            let meant = zone_meant(zone.get_ref());
            format!("`{}` is no time zone of the IANA database{meant}", zone.get_ref())
        };
        let known: Tz = zone.get_ref().parse().map_err(|_| wrong(&zone, unknown()))?;
        settings.push(("time_zone", known.name().to_owned()));
    }
    for (key, code) in [
        ("home_currency", written.home_currency),
        ("reporting_currency", written.reporting_currency),
    ] {
        if let Some(code) = code {
            settings.push((key, currency(&code)?.code().to_owned()));
        }
    }
    if let Some(version) = written.zuora_version {
        settings.push(("zuora_version", access::minor_version(version)?));
    }
    if let Some(entities) = written.entities {
        if entities.get_ref().is_empty() {
            return Err(wrong(
                &entities,
                "at least one entity is needed; leave the key out for none",
            ));
        }
        settings.push(("entities", json_list(&entities, access::ids("entity", &entities)?)?));
    }
    for (key, codes) in [
        ("payment_reason_codes", written.payment_reason_codes),
        ("credit_memo_reason_codes", written.credit_memo_reason_codes),
        ("reason_codes", written.reason_codes),
        ("adjustment_reason_codes", written.adjustment_reason_codes),
    ] {
        if let Some(codes) = codes {
            settings.push((key, reason_codes(&codes)?));
        }
    }
    Ok(settings)
}

/// The zone whose last part, mostly a city, is spelt much like that of `written`.
fn zone_meant(written: &str) -> String {
    let last = |name: &'static str| name.rsplit('/').next().unwrap_or(name);
    let city = written.rsplit('/').next().unwrap_or(written);
    let near = suggest(city, TZ_VARIANTS.iter().map(|zone| last(zone.name())));
    let zone = near.and_then(|near| TZ_VARIANTS.iter().find(|zone| last(zone.name()) == near));
    zone.map_or_else(String::new, |zone| format!("; did you mean `{}`?", zone.name()))
}

fn currency(code: &Spanned<String>) -> Result<Currency, Wrong> {
    Currency::from_code(code.get_ref()).ok_or_else(|| {
        wrong(code, format!("`{}` is no currency of ISO 4217 (upper case)", code.get_ref()))
    })
}

fn reason_codes(codes: &Spanned<Vec<String>>) -> Result<String, Wrong> {
    let mut seen = HashSet::new();
    for code in codes.get_ref() {
        if code.trim().is_empty() || code.chars().count() > REASON_CODE_CHARS_MAX {
            let bounds = format!("a reason code has 1 to {REASON_CODE_CHARS_MAX} characters");
            return Err(wrong(codes, format!("{bounds}; `{code}` has not")));
        }
        if !seen.insert(code) {
            return Err(wrong(codes, format!("reason code `{code}` stands here twice")));
        }
    }
    if seen.len() > REASON_CODES_MAX {
        let count = seen.len();
        return Err(wrong(codes, format!("has {count} codes, at most {REASON_CODES_MAX}")));
    }
    if seen.is_empty() {
        return Err(wrong(codes, "at least one reason code is needed, the default"));
    }
    json_list(codes, codes.get_ref())
}

/// The stored form of a list.
fn json_list<T>(place: &Spanned<T>, list: &[String]) -> Result<String, Wrong> {
    serde_json::to_string(list).map_err(|error| wrong(place, error.to_string()))
}

/// An account.
pub(super) fn account(written: WrittenAccount, names: &mut Names) -> Result<SeedAccount, Wrong> {
    names.take("account", written.id.get_ref().as_str(), &written.id)?;
    names.take("account number", written.number.get_ref(), &written.number)?;
    let currency = currency(&written.currency)?;
    Ok(SeedAccount {
        id: id(&written.id)?,
        number: name(written.number)?,
        name: name(written.name)?,
        currency,
        opening: opening(&written.credit_balance, currency)?,
        opened: written.opened.as_ref().map(day).transpose()?,
        default_payment_method: written.default_payment_method.as_ref().map(id).transpose()?,
        gateway: written.gateway.map(name).transpose()?,
    })
}

/// An opening credit balance: zero or more, with no more decimals than the currency has.
fn opening(text: &Spanned<DecimalText>, currency: Currency) -> Result<MinorUnits, Wrong> {
    let amount = &text.get_ref().0;
    let decimal = parse_decimal(amount)
        .ok_or_else(|| wrong(text, format!("`{amount}` is no decimal amount")))?;
    let units = currency.minor_units(decimal).ok_or_else(|| {
        let (code, decimals) = (currency.code(), currency.decimals());
        wrong(text, format!("`{amount}` does not fit {code}, which has {decimals} decimals"))
    })?;
    if units < MinorUnits::ZERO {
        return Err(wrong(text, format!("a credit balance is never negative, `{amount}` is")));
    }
    Ok(units)
}

/// A payment method.
pub(super) fn method(
    written: WrittenMethod,
    names: &mut Names,
) -> Result<SeedPaymentMethod, Wrong> {
    names.take("payment method", written.id.get_ref().as_str(), &written.id)?;
    let method_type = *written.method_type.get_ref();
    if method_type.is_electronic() && written.account.is_none() {
        let name = method_type.name();
        let message =
            format!("a method of type {name} belongs to an account; name it as `account`");
        return Err(wrong(&written.method_type, message));
    }
    Ok(SeedPaymentMethod {
        id: id(&written.id)?,
        account: written.account.as_ref().map(id).transpose()?,
        method_type,
        name: written.name.map(name).transpose()?,
        status: written.status.unwrap_or(MethodStatus::Active),
        gateway: written.gateway.map(name).transpose()?,
    })
}

/// A field of the tenant's own.
pub(super) fn custom_field(
    written: &WrittenCustomField,
    names: &mut Names,
) -> Result<CustomField, Wrong> {
    let text = written.name.get_ref();
    let field_name = CustomName::parse(text).ok_or_else(|| {
        let form = "letters, digits and `_`, a letter first, at most 64 characters";
        wrong(&written.name, format!("`{text}` is no name like `Name__c`: {form}"))
    })?;
    // Queries find fields in whatever case.
    let unique = format!("{}.{}", written.object.name(), text.to_ascii_lowercase());
    names.take("custom field", &unique, &written.name)?;
    let type_name = written.custom_type.get_ref().as_str();
    let length = written.length.as_ref().map(|length| *length.get_ref());
    if CustomType::from_parts(type_name, None).is_none() {
        let message = match suggest(type_name, CustomType::NAMES) {
            Some(near) => format!("unknown type `{type_name}`; did you mean `{near}`?"),
            None => {
                let known = CustomType::NAMES.map(|name| format!("`{name}`")).join(", ");
                format!("unknown type `{type_name}`; known are {known}")
            }
        };
        return Err(wrong(&written.custom_type, message));
    }
    if written.advanced && written.object == CustomizedObject::CreditBalanceAdjustment {
        let message = format!("a {} has no advanced fields", written.object.name());
        return Err(wrong(&written.name, message));
    }
    let custom_type = CustomType::from_parts(type_name, length).ok_or_else(|| {
        let at = written.length.as_ref().map_or_else(|| written.name.span(), Spanned::span);
        let message = format!("only a `string` has a length, of 1 to {LENGTH_MAX} characters");
        Wrong { at, message }
    })?;
    Ok(CustomField {
        object: written.object,
        name: field_name,
        custom_type,
        is_required: written.required,
        is_advanced: written.advanced,
    })
}

/// A gateway and its script.
pub(super) fn gateway(
    written: WrittenGateway,
    names: &mut Names,
) -> Result<(Gateway, Script, Option<SeedGatewayIdentity>), Wrong> {
    names.take("gateway", written.name.get_ref(), &written.name)?;
    match written.kind.get_ref().as_str() {
        "sandbox" => {}
        "http" => {
            let message = "gateways of kind http are configuration, never seed";
            return Err(wrong(&written.kind, message));
        }
        other => {
            let meant = meant(other, ["sandbox"]);
            let message = format!("unknown kind `{other}`; a seed knows `sandbox`{meant}");
            return Err(wrong(&written.kind, message));
        }
    }
    let switches = Switches {
        duplicate_window_s: window(written.duplicate_window_s.as_ref(), DUPLICATE_WINDOW_S_MAX)?,
        require_settled: written.require_settled.unwrap_or(false),
        refund_window_days: window(written.refund_window_days.as_ref(), REFUND_WINDOW_DAYS_MAX)?,
    };
    if let Some(none) = written.method_types.as_ref().filter(|types| types.get_ref().is_empty()) {
        return Err(wrong(none, "names no type; leave it out for all types"));
    }
    let identity = match (written.id, written.number) {
        (None, None) => None,
        (id, number) => Some(SeedGatewayIdentity {
            name: written.name.get_ref().clone(),
            id: id.as_ref().map(self::id).transpose()?,
            number: number.map(name).transpose()?,
        }),
    };
    let gateway = Gateway {
        name: name(written.name)?,
        active: written.active.unwrap_or(true),
        referenced_refunds: true,
        non_referenced_refunds: written.non_referenced_refunds.unwrap_or(true),
        method_types: written.method_types.map(Spanned::into_inner),
    };
    let rules: Result<Vec<ScriptedRule>, Wrong> = written.rule.into_iter().map(rule).collect();
    Ok((gateway, Script { rules: rules?, switches }, identity))
}

/// A span of 1 to `most`.
fn window(written: Option<&Spanned<u32>>, most: u32) -> Result<Option<u32>, Wrong> {
    match written {
        Some(span) if !(1..=most).contains(span.get_ref()) => {
            let message = format!("is {}; it must be from 1 to {most}", span.get_ref());
            Err(wrong(span, message))
        }
        span => Ok(span.map(|span| *span.get_ref())),
    }
}

fn rule(written: WrittenRule) -> Result<ScriptedRule, Wrong> {
    let amount = |text: Spanned<DecimalText>| {
        let amount = parse_amount(&text.get_ref().0);
        amount.ok_or_else(|| wrong(&text, format!("`{}` is no amount above 0", text.get_ref().0)))
    };
    if let Some(times) = written.times.as_ref().filter(|times| *times.get_ref() == 0) {
        return Err(wrong(times, "a rule that matches no call is none; at least 1"));
    }
    let delay_ms = written.delay_ms.as_ref().map_or(0, |delay| *delay.get_ref());
    if let Some(delay) = written.delay_ms.filter(|_| delay_ms > DELAY_MS_MAX) {
        return Err(wrong(&delay, format!("is {delay_ms}, at most {DELAY_MS_MAX}")));
    }
    Ok(ScriptedRule {
        amount: written.amount.map(amount).transpose()?,
        payment_method: written.payment_method.as_ref().map(id).transpose()?,
        times: written.times.map(Spanned::into_inner),
        answer: written.answer,
        code: written.code,
        text: written.text,
        delay_ms,
    })
}

pub(super) fn id(written: &Spanned<ObjectId>) -> Result<ObjectId, Wrong> {
    match ObjectId::parse_stored(written.get_ref().as_str()) {
        Some(id) => Ok(id),
        None => {
            Err(wrong(written, format!("`{}` is no id: 32 letters or digits", written.get_ref())))
        }
    }
}

pub(super) fn day(text: &Spanned<String>) -> Result<NaiveDate, Wrong> {
    let written = text.get_ref();
    parse_date(written)
        .ok_or_else(|| wrong(text, format!("`{written}` is no day like `2026-01-02`")))
}

pub(super) fn name(written: Spanned<String>) -> Result<String, Wrong> {
    let text = written.get_ref();
    if text.trim().is_empty() {
        return Err(wrong(&written, "may not be empty"));
    }
    if text.chars().count() > NAME_CHARS_MAX {
        return Err(wrong(&written, format!("is longer than {NAME_CHARS_MAX} characters")));
    }
    Ok(written.into_inner())
}
