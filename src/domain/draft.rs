//! A Refund as a client asks for it: every field read, none yet judged against the ledger.
//!
//! Fields are typed here once. What could not be typed is kept as the error it deserves, because
//! the order in which errors are told is fixed (DESIGN of the answers: ids, missing, invalid in
//! WSDL order, …) and differs from the order in which they are found.

pub mod account;
pub mod adjustment;
pub mod batch;
pub mod change;
pub mod common;
pub mod fields;
pub mod masked;
pub mod payment;
pub mod payment_method;

use super::calendar::CalendarText;
use super::custom_value::CustomDraft;
use super::id::ObjectId;
use super::money::parse_amount;
use super::row_error::RowError;
use super::vocabulary::{MethodType, RefundType, SourceType};
use super::white_space::trim;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// One field of a draft.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub enum Field<T> {
    /// Not sent, empty, or nil.
    #[default]
    Absent,
    /// Sent, and of the right form.
    Given(T),
    /// Sent, and not acceptable whatever the ledger says.
    Wrong(RowError),
}

impl<T> Field<T> {
    /// The value, if it was given and is of the right form.
    pub fn given(&self) -> Option<&T> {
        match self {
            Self::Given(value) => Some(value),
            Self::Absent | Self::Wrong(_) => None,
        }
    }

    /// Whether nothing was sent.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// The value if given, nothing if absent, the error if wrong.
    pub fn checked(&self) -> Result<Option<&T>, RowError> {
        match self {
            Self::Absent => Ok(None),
            Self::Given(value) => Ok(Some(value)),
            Self::Wrong(error) => Err(error.clone()),
        }
    }
}

/// The longest texts that the Refund object documents, in characters.
mod limits {
    pub(super) const COMMENT: usize = 255;
    pub(super) const REASON_CODE: usize = 32;
    pub(super) const SOFT_DESCRIPTOR: usize = 35;
    pub(super) const SOFT_DESCRIPTOR_PHONE: usize = 20;
    pub(super) const GATEWAY_OPTION: usize = 255;
    pub(super) const GATEWAY_OPTIONS: usize = 200;
    pub(super) const PARTS: usize = 200;
}

/// A gateway-specific parameter of a refund (GatewayOption).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayOption {
    /// Its name, at most 255 characters.
    pub name: String,
    /// Its value, at most 255 characters.
    pub value: String,
}

/// An amount: its value, and for messages the text that it was sent as.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AmountText {
    /// The value, normalised, so that `10` and `10.0` are one.
    pub value: Decimal,
    /// The text as sent. Two texts of one value make the same request.
    #[serde(skip)]
    pub text: String,
}

/// What a refund takes back of one invoice (RefundInvoicePayment).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartDraft {
    /// The invoice.
    pub invoice_id: Field<ObjectId>,
    /// How much of the payment's part for it, in the account's currency.
    pub amount: Field<AmountText>,
}

/// An id that has not the form of one, and where in the object it stood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MalformedId {
    wsdl_position: usize,
    /// The error that it deserves.
    pub error: RowError,
}

/// Reads an id into the field `name`, one of `fields` (the ids of an object, in WSDL order). One
/// that has not the form of an id is noted in `malformed`, where the first in WSDL order stays.
fn read_id(
    malformed: &mut Option<MalformedId>,
    fields: &[&str],
    name: &str,
    text: &str,
) -> Field<ObjectId> {
    if let Some(id) = ObjectId::parse(text) {
        return Field::Given(id);
    }
    let wsdl_position = fields.iter().position(|field| *field == name).unwrap_or(usize::MAX);
    if malformed.as_ref().is_none_or(|earlier| wsdl_position < earlier.wsdl_position) {
        *malformed = Some(MalformedId { wsdl_position, error: RowError::invalid_id(name, text) });
    }
    Field::Absent
}

/// The fields of Refund whose type is ID, in WSDL order; a caller may set only some of them.
const ID_FIELDS: [&str; 7] = [
    "Id",
    "AccountId",
    "CreatedById",
    "PaymentId",
    "PaymentMethodId",
    "PaymentMethodSnapshotId",
    "UpdatedById",
];

/// A Refund to be created. Fields that a caller may not set are not part of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct RefundDraft {
    /// The first id, in WSDL order, that has not the form of one; told before everything else.
    pub malformed_id: Option<MalformedId>,
    /// The first field that a caller may not send; an error only where the configuration is strict.
    pub unknown_field: Option<String>,
    /// Fields of the tenant's own.
    #[serde(skip_serializing_if = "CustomDraft::is_empty")]
    pub custom: CustomDraft,
    /// Whose credit balance is refunded.
    pub account_id: Field<ObjectId>,
    /// How much, in the account's currency.
    pub amount: Field<AmountText>,
    /// Free text, at most 255 characters.
    pub comment: Field<String>,
    /// Parameters for the gateway, at most 200.
    pub gateway_options: Field<Vec<GatewayOption>>,
    /// How an external refund was paid.
    pub method_type: Field<MethodType>,
    /// The payment that a referenced refund gives back.
    pub payment_id: Field<ObjectId>,
    /// The method to pay to.
    pub payment_method_id: Field<ObjectId>,
    /// Why; one of the tenant's reason codes.
    pub reason_code: Field<String>,
    /// The day of an external refund.
    pub refund_date: Field<CalendarText>,
    /// What it takes back of which invoice (RefundInvoicePaymentData); empty when it is not said.
    /// Only for refunds of a payment.
    pub parts: Field<Vec<PartDraft>>,
    /// What the customer reads on a statement, at most 35 characters.
    pub soft_descriptor: Field<String>,
    /// The phone number beside it, at most 20 characters.
    pub soft_descriptor_phone: Field<String>,
    /// Where the money comes from.
    pub source_type: Field<SourceType>,
    /// Who moves the money.
    pub refund_type: Field<RefundType>,
}

/// A field of the Refund object that a caller may set, by its name in the WSDL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundField {
    /// `AccountId`
    AccountId,
    /// `Amount`
    Amount,
    /// `Comment`
    Comment,
    /// `MethodType`
    MethodType,
    /// `PaymentId`
    PaymentId,
    /// `PaymentMethodId`
    PaymentMethodId,
    /// `ReasonCode`
    ReasonCode,
    /// `RefundDate`
    RefundDate,
    /// `SoftDescriptor`
    SoftDescriptor,
    /// `SoftDescriptorPhone`
    SoftDescriptorPhone,
    /// `SourceType`
    SourceType,
    /// `Type`
    Type,
}

impl RefundField {
    /// Every field, in WSDL order.
    pub const ALL: [Self; 12] = [
        Self::AccountId,
        Self::Amount,
        Self::Comment,
        Self::MethodType,
        Self::PaymentId,
        Self::PaymentMethodId,
        Self::ReasonCode,
        Self::RefundDate,
        Self::SoftDescriptor,
        Self::SoftDescriptorPhone,
        Self::SourceType,
        Self::Type,
    ];

    /// The name in the WSDL.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AccountId => "AccountId",
            Self::Amount => "Amount",
            Self::Comment => "Comment",
            Self::MethodType => "MethodType",
            Self::PaymentId => "PaymentId",
            Self::PaymentMethodId => "PaymentMethodId",
            Self::ReasonCode => "ReasonCode",
            Self::RefundDate => "RefundDate",
            Self::SoftDescriptor => "SoftDescriptor",
            Self::SoftDescriptorPhone => "SoftDescriptorPhone",
            Self::SourceType => "SourceType",
            Self::Type => "Type",
        }
    }

    /// The field that a client means by `name`, letter for letter; `PaymentMethodID`, as the
    /// documented example writes it, is PaymentMethodId in every version.
    pub fn from_name(name: &str) -> Option<Self> {
        if name == "PaymentMethodID" {
            return Some(Self::PaymentMethodId);
        }
        Self::ALL.into_iter().find(|field| field.name() == name)
    }

    /// Whether its values are ids, of which an empty one is an error and not an absent value.
    pub const fn is_id(self) -> bool {
        matches!(self, Self::AccountId | Self::PaymentId | Self::PaymentMethodId)
    }
}

impl RefundDraft {
    /// Reads `text` into `field`. Blanks around a value never count; a blank one is absent.
    pub fn set(&mut self, field: RefundField, text: &str) {
        let text = trim(text);
        if text.is_empty() && !field.is_id() {
            return;
        }
        let name = field.name();
        match field {
            RefundField::AccountId => self.account_id = self.id(name, text),
            RefundField::Amount => self.amount = amount(name, text),
            RefundField::Comment => self.comment = bounded(text, limits::COMMENT),
            RefundField::MethodType => {
                self.method_type = typed(name, text, MethodType::from_name(text));
            }
            RefundField::PaymentId => self.payment_id = self.id(name, text),
            RefundField::PaymentMethodId => self.payment_method_id = self.id(name, text),
            RefundField::ReasonCode => self.reason_code = bounded(text, limits::REASON_CODE),
            RefundField::RefundDate => {
                self.refund_date = typed(name, text, CalendarText::parse(text));
            }
            RefundField::SoftDescriptor => {
                self.soft_descriptor = bounded(text, limits::SOFT_DESCRIPTOR);
            }
            RefundField::SoftDescriptorPhone => {
                self.soft_descriptor_phone = bounded(text, limits::SOFT_DESCRIPTOR_PHONE);
            }
            RefundField::SourceType => {
                self.source_type = typed(name, text, SourceType::from_name(text));
            }
            RefundField::Type => self.refund_type = typed(name, text, RefundType::from_name(text)),
        }
    }

    /// Marks `field` as wrong because it was sent twice, `text` being what came the second time.
    pub fn set_twice(&mut self, field: RefundField, text: &str) {
        let error = RowError::invalid(field.name(), trim(text));
        match field {
            RefundField::AccountId => self.account_id = Field::Wrong(error),
            RefundField::Amount => self.amount = Field::Wrong(error),
            RefundField::Comment => self.comment = Field::Wrong(error),
            RefundField::MethodType => self.method_type = Field::Wrong(error),
            RefundField::PaymentId => self.payment_id = Field::Wrong(error),
            RefundField::PaymentMethodId => self.payment_method_id = Field::Wrong(error),
            RefundField::ReasonCode => self.reason_code = Field::Wrong(error),
            RefundField::RefundDate => self.refund_date = Field::Wrong(error),
            RefundField::SoftDescriptor => self.soft_descriptor = Field::Wrong(error),
            RefundField::SoftDescriptorPhone => self.soft_descriptor_phone = Field::Wrong(error),
            RefundField::SourceType => self.source_type = Field::Wrong(error),
            RefundField::Type => self.refund_type = Field::Wrong(error),
        }
    }

    /// Checks a field of type ID that is sent but not used; true if `name` is one.
    pub fn check_unused_id(&mut self, name: &str, text: &str) -> bool {
        let is_id = ID_FIELDS.contains(&name);
        if is_id {
            let _ = self.id(name, trim(text));
        }
        is_id
    }

    fn id(&mut self, name: &str, text: &str) -> Field<ObjectId> {
        read_id(&mut self.malformed_id, &ID_FIELDS, name, text)
    }

    /// Sets the parameters for the gateway, after checking their number and lengths.
    pub fn set_gateway_options(&mut self, options: Vec<GatewayOption>) {
        let fits = |text: &str| text.chars().count() <= limits::GATEWAY_OPTION;
        self.gateway_options = if options.is_empty() {
            Field::Absent
        } else if options.len() > limits::GATEWAY_OPTIONS
            || !options.iter().all(|option| fits(&option.name) && fits(&option.value))
        {
            Field::Wrong(RowError::too_long())
        } else {
            Field::Given(options)
        };
    }
}

impl RefundDraft {
    /// Adds what the refund takes back of one invoice, as the texts of `InvoiceId` and
    /// `RefundAmount`; blanks around them never count, and blank is absent. At most 200 may come.
    pub fn add_part(&mut self, invoice_id: &str, refund_amount: &str) {
        let (invoice, refund_amount) = (trim(invoice_id), trim(refund_amount));
        let invoice_id = match invoice {
            "" => Field::Absent,
            text => read_id(&mut self.malformed_id, &[], "InvoiceId", text),
        };
        let amount = match refund_amount {
            "" => Field::Absent,
            text => amount("RefundAmount", text),
        };
        let part = PartDraft { invoice_id, amount };
        match &mut self.parts {
            Field::Absent => self.parts = Field::Given(vec![part]),
            Field::Given(parts) if parts.len() == limits::PARTS => {
                self.parts = Field::Wrong(RowError::too_long());
            }
            Field::Given(parts) => parts.push(part),
            Field::Wrong(_) => {}
        }
    }
}

/// An amount above zero in the field `name`.
fn amount(name: &str, text: &str) -> Field<AmountText> {
    let amount = parse_amount(text);
    typed(name, text, amount.map(|value| AmountText { value, text: text.to_owned() }))
}

/// A value of the field `name`, if `text` was one.
fn typed<T>(name: &str, text: &str, value: Option<T>) -> Field<T> {
    value.map_or_else(|| Field::Wrong(RowError::invalid(name, text)), Field::Given)
}

/// A text of at most so many characters.
fn bounded(text: &str, chars_max: usize) -> Field<String> {
    if text.chars().count() <= chars_max {
        Field::Given(text.to_owned())
    } else {
        Field::Wrong(RowError::too_long())
    }
}
