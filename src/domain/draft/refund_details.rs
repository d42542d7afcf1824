//! What the refund of a credit memo and that of an unapplied payment have in common, as a client of
//! the v1 operations asks for it.
//!
//! Names and limits by "Refund a credit memo" and "Refund a payment".

use super::super::custom_value::CustomDraft;
use super::super::id::ObjectId;
use super::super::money::Currency;
use super::super::row_error::RowError;
use super::super::vocabulary::{MethodType, RefundType, TransferredToAccounting};
use super::json::Sent;
use super::{AmountText, Field, GatewayOption};
use chrono::NaiveDate;
use serde::Serialize;
use std::collections::BTreeMap;

/// The longest comment, in characters.
pub const COMMENT_CHARS_MAX: usize = 255;
/// The longest reference id, in characters.
pub const REFERENCE_CHARS_MAX: usize = 100;
/// The longest softDescriptor, in characters.
const SOFT_DESCRIPTOR_CHARS_MAX: usize = 35;
/// The longest softDescriptorPhone, in characters.
const SOFT_DESCRIPTOR_PHONE_CHARS_MAX: usize = 20;
/// The longest reasonCode, in characters, as on the Refund object.
pub const REASON_CHARS_MAX: usize = 32;
/// The longest accounting code and the longest field for NetSuite, in characters.
const KEPT_CHARS_MAX: usize = 255;
/// The most custom rates: one of the home currency, one of the reporting currency.
pub const RATES_MAX: usize = 2;
/// The most gateway options, and the longest name and value of one, as by SOAP.
const OPTIONS_MAX: usize = 200;
const OPTION_CHARS_MAX: usize = 255;

/// The fields for NetSuite.
pub const NETSUITE: [&str; 5] = [
    "IntegrationId__NS",
    "IntegrationStatus__NS",
    "Origin__NS",
    "SyncDate__NS",
    "SynctoNetSuite__NS",
];
/// The accounting codes of financeInformation.
pub const ACCOUNTING_CODES: [&str; 3] =
    ["bankAccountAccountingCode", "onAccountAccountingCode", "unappliedPaymentAccountingCode"];
/// Whether it has reached the accounting system, in financeInformation.
pub const TRANSFERRED: &str = "transferredToAccounting";

/// A rate that the client knows better (customRates).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct RateDraft {
    /// The home or the reporting currency.
    pub currency: Field<Currency>,
    /// What a unit of the refund's currency is in it, above zero.
    pub custom_fx_rate: Field<AmountText>,
    /// The day of the rate.
    pub rate_date: Field<NaiveDate>,
}

impl RateDraft {
    /// Takes a field; false when there is none of this name.
    pub fn set(&mut self, name: &str, value: Sent<'_>) -> bool {
        match name {
            "currency" => self.currency = value.read("customRates.currency", Currency::from_code),
            "customFxRate" => self.custom_fx_rate = value.amount("customRates.customFxRate"),
            "rateDate" => self.rate_date = value.day("customRates.rateDate"),
            _ => return false,
        }
        true
    }
}

/// Whether a refund has reached the accounting system: nothing says so, or one of the names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Transferred {
    /// `No`, and `false`.
    No,
    /// The others; `true` is `Yes`.
    As(TransferredToAccounting),
}

impl Transferred {
    fn read(value: Sent<'_>) -> Field<Self> {
        match value {
            Sent::Boolean(false) => Field::Given(Self::No),
            Sent::Boolean(true) => Field::Given(Self::As(TransferredToAccounting::Yes)),
            _ => value.read(&format!("financeInformation.{TRANSFERRED}"), |text| match text {
                "No" => Some(Self::No),
                name => TransferredToAccounting::from_name(name).map(Self::As),
            }),
        }
    }
}

/// Values that are only kept: the accounting codes and the fields for NetSuite, by their names.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct Notes(pub BTreeMap<&'static str, Field<String>>);

impl Notes {
    /// Takes a field for NetSuite; false when there is none of this name.
    pub fn set_netsuite(&mut self, name: &str, value: Sent<'_>) -> bool {
        self.set(&NETSUITE, name, name, value)
    }

    /// Takes an accounting code; false when there is none of this name.
    pub fn set_accounting_code(&mut self, name: &str, value: Sent<'_>) -> bool {
        self.set(&ACCOUNTING_CODES, name, &format!("financeInformation.{name}"), value)
    }

    fn set(
        &mut self,
        known: &'static [&'static str],
        name: &str,
        path: &str,
        value: Sent<'_>,
    ) -> bool {
        let Some(name) = known.iter().find(|known| **known == name) else { return false };
        self.0.insert(name, value.text(path, KEPT_CHARS_MAX));
        true
    }

    /// The values that were sent; fails with the first that is wrong.
    pub fn checked(&self) -> Result<BTreeMap<&'static str, String>, RowError> {
        let mut kept = BTreeMap::new();
        for (name, field) in &self.0 {
            if let Some(value) = field.checked()? {
                kept.insert(*name, value.clone());
            }
        }
        Ok(kept)
    }
}

/// What every v1 refund may be asked for with.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct RefundDetails {
    /// type: who moves the money.
    pub refund_type: Field<RefundType>,
    /// totalAmount, in the account's currency.
    pub total_amount: Field<AmountText>,
    /// methodType: how an external refund was paid.
    pub method_type: Field<MethodType>,
    /// refundDate: the day of an external refund.
    pub refund_date: Field<NaiveDate>,
    /// comment, at most 255 characters.
    pub comment: Field<String>,
    /// reasonCode: one of the tenant's.
    pub reason_code: Field<String>,
    /// referenceId, at most 100 characters; a gateway's replaces it.
    pub reference_id: Field<String>,
    /// secondRefundReferenceId, at most 100 characters; a gateway's replaces it.
    pub second_reference_id: Field<String>,
    /// softDescriptor, at most 35 characters.
    pub soft_descriptor: Field<String>,
    /// softDescriptorPhone, at most 20 characters.
    pub soft_descriptor_phone: Field<String>,
    /// gatewayOptions, by name and value.
    pub gateway_options: Vec<Field<GatewayOption>>,
    /// financeInformation.transferredToAccounting.
    pub transferred: Field<Transferred>,
    /// The accounting codes and the fields for NetSuite.
    pub notes: Notes,
    /// customRates.
    pub custom_rates: Vec<RateDraft>,
    /// Fields of the tenant's own.
    pub custom: CustomDraft,
}

impl RefundDetails {
    /// Takes a scalar field of the document's top level; false when there is none of this name.
    pub fn set(&mut self, name: &str, value: Sent<'_>) -> bool {
        match name {
            "type" => self.refund_type = value.read(name, RefundType::from_name),
            "totalAmount" => self.total_amount = value.amount(name),
            "methodType" => self.method_type = value.read(name, MethodType::from_name),
            "refundDate" => self.refund_date = value.day(name),
            "comment" => self.comment = value.text(name, COMMENT_CHARS_MAX),
            "reasonCode" => self.reason_code = value.text(name, REASON_CHARS_MAX),
            "referenceId" => self.reference_id = value.text(name, REFERENCE_CHARS_MAX),
            "secondRefundReferenceId" => {
                self.second_reference_id = value.text(name, REFERENCE_CHARS_MAX);
            }
            "softDescriptor" => {
                self.soft_descriptor = value.text(name, SOFT_DESCRIPTOR_CHARS_MAX);
            }
            "softDescriptorPhone" => {
                self.soft_descriptor_phone = value.text(name, SOFT_DESCRIPTOR_PHONE_CHARS_MAX);
            }
            _ => return self.notes.set_netsuite(name, value),
        }
        true
    }

    /// Takes a field of financeInformation; false when there is none of this name.
    pub fn set_finance(&mut self, name: &str, value: Sent<'_>) -> bool {
        if name == TRANSFERRED {
            self.transferred = Transferred::read(value);
            return true;
        }
        self.notes.set_accounting_code(name, value)
    }

    /// Adds a member of gatewayOptions; null and empty ones are passed over.
    pub fn add_gateway_option(&mut self, name: &str, value: Sent<'_>) {
        let text = match value {
            Sent::Number(number) => Field::Given(number.to_owned()),
            Sent::Boolean(value) => Field::Given(value.to_string()),
            _ => value.text("gatewayOptions", OPTION_CHARS_MAX),
        };
        if text.is_absent() {
            return;
        }
        let is_long = name.chars().count() > OPTION_CHARS_MAX;
        let option = if is_long || self.gateway_options.len() >= OPTIONS_MAX {
            Field::Wrong(RowError::too_long_field("gatewayOptions", OPTION_CHARS_MAX))
        } else {
            text.map(|value| GatewayOption { name: name.to_owned(), value })
        };
        self.gateway_options.push(option);
    }

    /// Adds a member of customRates.
    pub fn add_custom_rate(&mut self, rate: RateDraft) {
        self.custom_rates.push(rate);
    }

    /// That there are at most two custom rates.
    pub fn check_rates(&self) -> Result<(), RowError> {
        match self.custom_rates.len() > RATES_MAX {
            true => Err(RowError::too_many("customRates", RATES_MAX)),
            false => Ok(()),
        }
    }

    /// The options for the gateway; fails with the first that is wrong.
    pub fn options(&self) -> Result<Vec<GatewayOption>, RowError> {
        let checked = self.gateway_options.iter().map(Field::checked);
        Ok(checked.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().cloned().collect())
    }
}

/// How an object is named in a path: by its id, or by its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum ObjectKey {
    /// By its id.
    Id(ObjectId),
    /// By its number, such as `CM00000001`.
    Number(String),
}

impl ObjectKey {
    /// What a path names.
    pub fn of(text: &str) -> Self {
        ObjectId::parse_stored(text).map_or_else(|| Self::Number(text.to_owned()), Self::Id)
    }

    /// The id, if it is one.
    pub const fn id(&self) -> Option<&ObjectId> {
        match self {
            Self::Id(id) => Some(id),
            Self::Number(_) => None,
        }
    }

    /// The text in the path.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Id(id) => id.as_str(),
            Self::Number(number) => number,
        }
    }
}
