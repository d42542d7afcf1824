//! How an object in the form of a front door becomes a draft.
//!
//! What must stay true: fields are read in the order in which they were sent; what a caller may not
//! send is passed over but counted, and the first name of it is kept for those who want it strict.

use super::account::AccountDraft;
use super::adjustment::AdjustmentDraft;
use super::change::{AdjustmentChange, RefundChange};
use super::fields::Draft;
use super::invoice_adjustment::{
    InvoiceAdjustmentChange, InvoiceAdjustmentDraft, ItemAdjustmentChange, ItemAdjustmentDraft,
};
use super::names::{FIELDS_TO_NULL, ID};
use super::payment::{PaymentChange, PaymentDraft, PaymentPartDraft};
use super::payment_method::MethodDraft;
use super::source::{Purpose, Read, Source, Value};
use crate::domain::custom_field::{CustomField, CustomFields};
use crate::domain::custom_value::CustomDraft;
use crate::domain::white_space::trim;

/// A draft that is read from an object.
pub trait FromSource: Draft {
    /// Reads the fields that the draft's table lists, and those of the tenant's own.
    ///
    /// # Errors
    /// Why the front door refuses the whole call.
    fn read_from<'s, S: Source<'s>>(
        object: S,
        purpose: Purpose,
        custom: &CustomFields,
    ) -> Result<Read<Self>, S::Refusal> {
        read_with(object, purpose, custom, |_, _| Ok(false))
    }
}

macro_rules! by_their_tables {
    ($($draft:ident),+ $(,)?) => { $(impl FromSource for $draft {})+ };
}

by_their_tables! {
    AccountDraft, AdjustmentChange, AdjustmentDraft, InvoiceAdjustmentChange,
    InvoiceAdjustmentDraft, ItemAdjustmentChange, ItemAdjustmentDraft, MethodDraft, PaymentChange,
    PaymentDraft, PaymentPartDraft, RefundChange,
}

/// The drafts that objects of one type are, in their order. Fields that were passed over are added
/// to `ignored_fields`.
///
/// # Errors
/// Why the front door refuses the whole call, at the first object where it does.
pub fn read_each<'s, S: Source<'s>, D: FromSource>(
    objects: &[S],
    purpose: Purpose,
    custom: &CustomFields,
    ignored_fields: &mut u32,
) -> Result<Vec<D>, S::Refusal> {
    let read_one = |object: &S| {
        let read = D::read_from(*object, purpose, custom)?;
        *ignored_fields = ignored_fields.saturating_add(read.ignored_fields);
        Ok(read.draft)
    };
    objects.iter().map(read_one).collect()
}

/// Reads the fields of an object that its draft's table lists, and those of the tenant's own, but
/// for those that `take_first` takes, as its result says.
pub(super) fn read_with<'s, S: Source<'s>, D: Draft>(
    object: S,
    purpose: Purpose,
    custom: &CustomFields,
    mut take_first: impl FnMut(&mut D, S) -> Result<bool, S::Refusal>,
) -> Result<Read<D>, S::Refusal> {
    let mut read = Read { draft: D::default(), ignored_fields: 0 };
    for field in object.fields() {
        let is_taken = field.is_ours()?
            && (field.value() == Value::Nil
                || take_first(&mut read.draft, field)?
                || take(&mut read.draft, field, purpose, custom));
        if !is_taken {
            ignore(&mut read, field);
        }
    }
    Ok(read)
}

/// Gives a field to the draft; false when it may not be sent.
fn take<'s, S: Source<'s>, D: Draft>(
    draft: &mut D,
    field: S,
    purpose: Purpose,
    custom: &CustomFields,
) -> bool {
    let (name, value) = (field.name(), field.value());
    let text = value.text();
    if name == FIELDS_TO_NULL {
        return purpose == Purpose::Create || clear(draft, trim(text), custom);
    }
    if let Some(own) = custom.find(D::OBJECT, name) {
        set_own(&mut draft.common().custom, own, value);
        return true;
    }
    let is_nested = matches!(value, Value::Nested(_));
    if name == ID && purpose == Purpose::Create && !is_nested && trim(text).is_empty() {
        return true;
    }
    let is_known = if is_nested { draft.refuse(name, text) } else { draft.set(name, text) };
    is_known && (name != ID || purpose == Purpose::Update)
}

/// Takes the value of a field away; false when it may not be set.
fn clear<D: Draft>(draft: &mut D, name: &str, custom: &CustomFields) -> bool {
    match custom.find(D::OBJECT, name) {
        Some(own) => {
            draft.common().custom.clear(own);
            true
        }
        None => draft.clear(name),
    }
}

/// Passes over a field that a caller may not send, or that the object does not have.
fn ignore<'s, S: Source<'s>, D: Draft>(read: &mut Read<D>, field: S) {
    if !field.value().has_value() {
        return;
    }
    read.ignored_fields += 1;
    field.is_passed_over();
    let common = read.draft.common();
    common.unknown_field.get_or_insert_with(|| field.name().to_owned());
}

/// Reads a field of the tenant's own.
fn set_own(draft: &mut CustomDraft, own: &CustomField, value: Value<'_>) {
    match value {
        Value::Nested(text) => draft.refuse(own, text),
        Value::Nil | Value::Text(_) => draft.set(own, value.text()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::draft::RefundDraft;
    use crate::domain::draft::account::AccountDraft;

    /// An object as a test writes it.
    #[derive(Debug, Clone, Copy)]
    enum Object {
        Scalar(&'static str, &'static str),
        Null(&'static str),
        Fields(&'static str, &'static [Self]),
    }

    impl Source<'static> for Object {
        type Refusal = ();

        fn name(self) -> &'static str {
            match self {
                Self::Scalar(name, _) | Self::Null(name) | Self::Fields(name, _) => name,
            }
        }

        fn value(self) -> Value<'static> {
            match self {
                Self::Scalar(_, text) => Value::Text(text),
                Self::Null(_) => Value::Nil,
                Self::Fields(..) => Value::Nested(""),
            }
        }

        fn fields(self) -> impl Iterator<Item = Self> {
            let fields: &[Self] = if let Self::Fields(_, fields) = self { fields } else { &[] };
            fields.iter().copied()
        }

        fn is_ours(self) -> Result<bool, ()> {
            if self.name() == "refused" { Err(()) } else { Ok(self.name() != "foreign") }
        }
    }

    use Object::{Fields, Null, Scalar};

    fn create<D: FromSource>(fields: &'static [Object]) -> Result<Read<D>, ()> {
        D::read_from(Fields("", fields), Purpose::Create, &CustomFields::default())
    }

    #[test]
    fn any_form_of_an_object_becomes_the_same_draft() {
        let read = create::<AccountDraft>(&[
            Scalar("Name", " One "),
            Null("Batch"),
            Scalar("foreign", "x"),
            Fields("Contact", &[Scalar("FirstName", "d")]),
            Scalar("Balance", ""),
        ]);
        let Read { draft, ignored_fields } = read.expect("read");
        assert_eq!(draft.name.given().map(String::as_str), Some("One"));
        assert_eq!((ignored_fields, draft.common.unknown_field.as_deref()), (2, Some("foreign")));
        assert!(create::<AccountDraft>(&[Scalar("refused", "")]).is_err());
    }

    #[test]
    fn what_holds_fields_in_a_refund_is_read_as_well() {
        let option = Fields("GatewayOption", &[Scalar("name", "a"), Scalar("value", " b ")]);
        let options: &'static [Object] = Box::leak(Box::new([option, option]));
        let data: &'static [Object] = Box::leak(Box::new([Fields("GatewayOptionData", options)]));
        let draft = create::<RefundDraft>(data).expect("read").draft;
        let options = draft.gateway_options.given().expect("options");
        assert_eq!(
            (options.len(), options[0].name.as_str(), options[1].value.as_str()),
            (2, "a", "b")
        );
    }
}
