//! A Refund as a front door has it becomes a draft: what its table does not read is read here.
//!
//! GatewayOptionData and RefundInvoicePaymentData hold fields, and PaymentMethodId has two
//! spellings.

use super::fields::Draft as _;
use super::reading::{FromSource, read_with};
use super::source::{Purpose, Read, Source, Value, text_of};
use super::{GatewayOption, RefundDraft};
use crate::domain::custom_field::CustomFields;
use crate::domain::white_space::trim;

/// The field that has two spellings, as the WSDL has it.
const METHOD: &str = "PaymentMethodId";
/// The same as the documented example writes it; read in every version.
const METHOD_AS_DOCUMENTED: &str = "PaymentMethodID";

impl FromSource for RefundDraft {
    fn read_from<'s, S: Source<'s>>(
        object: S,
        purpose: Purpose,
        custom: &CustomFields,
    ) -> Result<Read<Self>, S::Refusal> {
        let mut gateway_options = Vec::new();
        let mut methods = Vec::new();
        let mut read = read_with(object, purpose, custom, |draft: &mut RefundDraft, field: S| {
            match field.name() {
                "GatewayOptionData" => take_gateway_options(&mut gateway_options, field)?,
                "RefundInvoicePaymentData" => take_parts(draft, field)?,
                METHOD | METHOD_AS_DOCUMENTED => take_method(draft, &mut methods, field),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        read.draft.set_gateway_options(gateway_options);
        Ok(read)
    }
}

/// One method under each of the two names, if they say the same, is one value; `earlier` are those
/// that came before.
fn take_method<'s, S: Source<'s>>(draft: &mut RefundDraft, earlier: &mut Vec<S>, field: S) {
    let value = field.value();
    let says_the_same =
        |one: &S| one.name() != field.name() && trim(one.value().text()) == trim(value.text());
    let is_repeated = earlier.len() == 1 && earlier.iter().all(says_the_same);
    earlier.push(field);
    if let Value::Nested(text) = value {
        draft.refuse(METHOD, text);
    } else if !is_repeated {
        draft.set(METHOD, value.text());
    }
}

fn take_gateway_options<'s, S: Source<'s>>(
    options: &mut Vec<GatewayOption>,
    data: S,
) -> Result<(), S::Refusal> {
    for option in data.fields().filter(|field| field.name() == "GatewayOption") {
        if option.is_ours()? && option.value() != Value::Nil {
            let text = |name| text_of(option, name).unwrap_or_default().to_owned();
            let (name, value) = (text("name"), text("value"));
            options.push(GatewayOption { name, value });
        }
    }
    Ok(())
}

/// What the refund takes back of which invoice; what is no part there says nothing.
fn take_parts<'s, S: Source<'s>>(draft: &mut RefundDraft, data: S) -> Result<(), S::Refusal> {
    for part in data.fields().filter(|field| field.name() == "RefundInvoicePayment") {
        if part.is_ours()? && part.value() != Value::Nil {
            let text = |name| text_of(part, name).unwrap_or_default();
            draft.add_part(text("InvoiceId"), text("RefundAmount"));
        }
    }
    Ok(())
}
