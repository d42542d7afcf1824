//! A Refund to be created, as a client asks for it.
//!
//! Names, types and lengths by the WSDL and the object's field descriptions. What is no scalar,
//! GatewayOptionData and RefundInvoicePaymentData, does not stand in the table.

use super::super::calendar::CalendarText;
use super::super::id::ObjectId;
use super::super::money::parse_amount;
use super::super::row_error::RowError;
use super::super::vocabulary::{CustomizedObject, MethodType, RefundType, SourceType};
use super::super::white_space::trim;
use super::common::Common;
use super::fields::{Draft, Setter, reads_created, setters};
use super::{AmountText, Field};
use crate::catalogue::refund::RefundField;
use serde::{Deserialize, Serialize};

/// The longest name and the longest value of a GatewayOption, in characters.
const GATEWAY_OPTION_CHARS_MAX: usize = 255;
/// The most GatewayOptions of a refund.
const GATEWAY_OPTIONS_MAX: usize = 200;
/// The most RefundInvoicePayments of a refund.
const PARTS_MAX: usize = 200;

/// A gateway-specific parameter of a refund (GatewayOption).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayOption {
    /// Its name, at most 255 characters.
    pub name: String,
    /// Its value, at most 255 characters.
    pub value: String,
}

/// What a refund takes back of one invoice (RefundInvoicePayment).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartDraft {
    /// The invoice.
    pub invoice_id: Field<ObjectId>,
    /// How much of the payment's part for it, in the account's currency.
    pub amount: Field<AmountText>,
}

/// A Refund to be created. Fields that a caller may not set are not part of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct RefundDraft {
    /// What every draft has.
    pub common: Common,
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

impl Draft for RefundDraft {
    const OBJECT: CustomizedObject = CustomizedObject::Refund;
    const SETTERS: &'static [Setter<Self>] = setters! { RefundField:
        AccountId => account_id = object(),
        Amount => amount = amount(),
        Comment => comment = text(),
        MethodType => method_type = read(MethodType::from_name),
        PaymentId => payment_id = object(),
        PaymentMethodId => payment_method_id = object(),
        ReasonCode => reason_code = text(),
        RefundDate => refund_date = day(),
        SoftDescriptor => soft_descriptor = text(),
        SoftDescriptorPhone => soft_descriptor_phone = text(),
        SourceType => source_type = read(SourceType::from_sent),
        Type => refund_type = read(RefundType::from_name),
    };

    fn common(&mut self) -> &mut Common {
        &mut self.common
    }
}

const _: () = reads_created::<RefundDraft>();

impl RefundDraft {
    /// Sets the parameters for the gateway, after checking their number and lengths.
    pub fn set_gateway_options(&mut self, options: Vec<GatewayOption>) {
        let fits = |text: &str| text.chars().count() <= GATEWAY_OPTION_CHARS_MAX;
        self.gateway_options = if options.is_empty() {
            Field::Absent
        } else if options.len() > GATEWAY_OPTIONS_MAX
            || !options.iter().all(|option| fits(&option.name) && fits(&option.value))
        {
            Field::Wrong(RowError::too_long())
        } else {
            Field::Given(options)
        };
    }

    /// Adds what the refund takes back of one invoice, as the texts of `InvoiceId` and
    /// `RefundAmount`; blanks around them never count, and blank is absent. At most 200 may come.
    pub fn add_part(&mut self, invoice_id: &str, refund_amount: &str) {
        let part = PartDraft {
            invoice_id: self.part_invoice(trim(invoice_id)),
            amount: part_amount(trim(refund_amount)),
        };
        match &mut self.parts {
            Field::Absent => self.parts = Field::Given(vec![part]),
            Field::Given(parts) if parts.len() == PARTS_MAX => {
                self.parts = Field::Wrong(RowError::too_long());
            }
            Field::Given(parts) => parts.push(part),
            Field::Wrong(_) => {}
        }
    }

    fn part_invoice(&mut self, text: &str) -> Field<ObjectId> {
        if let Some(id) = ObjectId::parse(text) {
            return Field::Given(id);
        }
        if !text.is_empty() {
            // The refund's own ids are reported before those of its parts.
            self.common.malformed(usize::MAX, "InvoiceId", text);
        }
        Field::Absent
    }
}

fn part_amount(text: &str) -> Field<AmountText> {
    match (text, parse_amount(text)) {
        ("", _) => Field::Absent,
        (_, Some(value)) => Field::Given(AmountText { value, text: text.to_owned() }),
        (_, None) => Field::Wrong(RowError::invalid("RefundAmount", text)),
    }
}
