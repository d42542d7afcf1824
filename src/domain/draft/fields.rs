//! How the text of each field becomes a value of a draft, by the catalogue.
//!
//! The catalogue says which fields there are, in the order of the WSDL, their limits and what
//! becomes of them; a draft adds how each value that rules judge is read. What is common to all of
//! them stands here once: blanks, ids that are none, a field that comes twice, one that holds
//! elements, fields that a caller may not set, fieldsToNull. What must stay true: a draft reads
//! each field that the catalogue lets callers set, or it does not compile.

use super::super::boolean::parse_boolean;
use super::super::calendar::CalendarText;
use super::super::id::ObjectId;
use super::super::money::{parse_amount, parse_decimal};
use super::super::row_error::RowError;
use super::super::vocabulary::CustomizedObject;
use super::super::white_space::trim;
use super::common::{Common, Kept};
use super::masked::{MaskedNumber, is_card_number};
use super::names::ID;
use super::{AmountText, Field};
use crate::catalogue::field::{Fate, Field as Known, Kind, NumberKind, is_same};
use rust_decimal::Decimal;

/// How a field that rules judge comes into a draft.
pub struct Setter<D> {
    field: &'static Known,
    set: fn(&mut D, Sent<'_>),
}

impl<D> Setter<D> {
    /// This reads that field.
    pub(super) const fn of(field: &'static Known, set: fn(&mut D, Sent<'_>)) -> Self {
        Self { field, set }
    }
}

/// How the judged fields of an object come into a draft: for each, the place it comes into and what
/// of [`Sent`] reads it.
macro_rules! setters {
    ($fields:ident: $($name:ident => $($place:tt).+ = $read:ident($($with:expr)?),)+) => {
        &[$(Setter::of($fields::$name.field(), |draft, sent| {
            draft.$($place).+ = sent.$read($($with)?);
        }),)+]
    };
}
pub(super) use setters;

/// An object whose fields are read by the catalogue.
pub trait Draft: Default + Sized + 'static {
    /// The object.
    const OBJECT: CustomizedObject;

    /// How its judged fields are read, in the order of the WSDL. `reads_created` and
    /// `reads_updated` hold that none is missing.
    const SETTERS: &'static [Setter<Self>];

    /// What every draft has.
    fn common(&mut self) -> &mut Common;

    /// Takes the text of a field; false when a caller may not set one of this name. Blanks around a
    /// value never count, a blank one is absent, and a second one is wrong.
    fn set(&mut self, name: &str, text: &str) -> bool {
        take(self, name, text, false)
    }

    /// Takes the value of a field away (fieldsToNull); false when a caller may not set it.
    fn clear(&mut self, name: &str) -> bool {
        let Some(field) = Self::OBJECT.object().field(name) else {
            return false;
        };
        match (field.kept_under(), setter_of::<Self>(field)) {
            (Some(kept), _) => self.common().kept_nulls.push(kept),
            (None, Some(_)) => self.common().nulls.push(field.name),
            (None, None) => return false,
        }
        true
    }

    /// Takes a field that holds elements instead of a text; false as [`Draft::set`].
    fn refuse(&mut self, name: &str, text: &str) -> bool {
        take(self, name, text, true)
    }
}

/// Fails to compile unless `D` reads each scalar field that may be set when its object is created.
pub(super) const fn reads_created<D: Draft>() {
    reads_all::<D>(false);
}

/// Fails to compile unless `D` reads each scalar field that may be set when its object is updated.
pub(super) const fn reads_updated<D: Draft>() {
    reads_all::<D>(true);
}

const fn reads_all<D: Draft>(on_update: bool) {
    let mut fields = D::OBJECT.object().fields();
    let mut setters = D::SETTERS;
    while let [field, others @ ..] = fields {
        fields = others;
        let is_set = if on_update { field.is_updated } else { field.is_created };
        let is_judged = matches!(field.fate, Fate::Judged | Fate::Dropped);
        if !is_set || !is_judged || matches!(field.kind, Kind::Parts(_)) {
            continue;
        }
        let is_read = matches!(setters, [setter, ..] if is_same(setter.field.name, field.name));
        assert!(is_read, "{}", field.name);
        if let [_, later @ ..] = setters {
            setters = later;
        }
    }
    assert!(setters.is_empty(), "a field is read that no caller may set");
}

/// What was sent for a field: a text without the blanks around it.
#[derive(Clone, Copy)]
pub struct Sent<'t> {
    field: &'static Known,
    text: &'t str,
    /// It came twice or holds elements.
    is_wrong: bool,
}

impl Sent<'_> {
    /// A value that `read` finds in the text.
    pub fn read<T>(self, read: impl FnOnce(&str) -> Option<T>) -> Field<T> {
        let value = Some(self.text).filter(|_| !self.is_wrong).and_then(read);
        let wrong = || Field::Wrong(RowError::invalid(self.field.name, self.text));
        value.map_or_else(wrong, Field::Given)
    }

    /// As [`Sent::read`], for what must not be repeated to the caller.
    pub fn secret<T>(self, read: impl FnOnce(&str) -> Option<T>) -> Field<T> {
        let value = Some(self.text).filter(|_| !self.is_wrong).and_then(read);
        let wrong = || Field::Wrong(RowError::invalid_secret(self.field.name));
        value.map_or_else(wrong, Field::Given)
    }

    /// A text of as many characters as the field may have.
    pub fn text(self) -> Field<String> {
        if self.text.chars().count() > self.field.chars_max {
            return Field::Wrong(RowError::too_long());
        }
        self.read(|text| Some(text.to_owned()))
    }

    /// An id; that it has the form of one was seen to.
    pub fn object(self) -> Field<ObjectId> {
        self.read(ObjectId::parse)
    }

    /// An amount above zero.
    pub fn amount(self) -> Field<AmountText> {
        self.read(|text| Some(AmountText { value: parse_amount(text)?, text: text.to_owned() }))
    }

    /// An amount that may be zero.
    pub fn amount_or_zero(self) -> Field<AmountText> {
        self.read(|text| {
            let zero = parse_decimal(text).filter(Decimal::is_zero);
            Some(AmountText { value: zero.or_else(|| parse_amount(text))?, text: text.to_owned() })
        })
    }

    /// A day or a moment.
    pub fn day(self) -> Field<CalendarText> {
        self.read(CalendarText::parse)
    }

    /// A whole number in the field's range. What stands there instead may be a card number that
    /// slipped into the wrong field, so it is not repeated.
    fn number(self) -> Field<i64> {
        let (least, most) = self.field.range;
        self.secret(|text| text.parse().ok().filter(|one| (least..=most).contains(one)))
    }

    /// A token of as many characters as the field may have that is no card number; it is not
    /// repeated.
    fn token(self) -> Field<String> {
        let chars_max = self.field.chars_max;
        let is_token = |text: &str| text.chars().count() <= chars_max && !is_card_number(text);
        self.secret(|text| is_token(text).then(|| text.to_owned()))
    }

    /// The mask of a number.
    fn mask(self, kind: NumberKind) -> Field<String> {
        let read = match kind {
            NumberKind::Card => MaskedNumber::card,
            NumberKind::Account => MaskedNumber::account,
            NumberKind::Iban => MaskedNumber::iban,
        };
        self.secret(|text| read(text).map(MaskedNumber::into_text))
    }

    /// A boolean.
    pub fn boolean(self) -> Field<bool> {
        self.read(parse_boolean)
    }

    /// A value that is only kept.
    fn kept(self) -> Field<Kept> {
        match (self.field.fate, self.field.kind) {
            (Fate::Token, _) => self.token().map(Kept::Text),
            (Fate::Masked(kind, _), _) => self.mask(kind).map(Kept::Text),
            (_, Kind::Id) => self.object().map(|id| Kept::Text(id.to_string())),
            (_, Kind::Boolean) => self.boolean().map(Kept::Boolean),
            (_, Kind::Int | Kind::Short) => {
                self.number().map(|number| Kept::Text(number.to_string()))
            }
            _ => self.text().map(Kept::Text),
        }
    }
}

/// How a draft reads a field that rules judge.
fn setter_of<D: Draft>(field: &Known) -> Option<&'static Setter<D>> {
    D::SETTERS.iter().find(|setter| setter.field.name == field.name)
}

fn take<D: Draft>(draft: &mut D, name: &str, text: &str, holds_elements: bool) -> bool {
    let text = trim(text);
    if name == ID {
        take_id(draft.common(), text, holds_elements);
        return true;
    }
    let mut fields = D::OBJECT.object().fields().iter().copied().enumerate();
    let Some((at, field)) = fields.find(|(_, field)| field.name == name) else {
        return false;
    };
    let (setter, kept_under) = (setter_of::<D>(field), field.kept_under());
    let is_settable = setter.is_some() || kept_under.is_some();
    let is_absent = text.is_empty() && !holds_elements;
    let is_id = field.kind == Kind::Id;
    if is_id && !holds_elements && !is_absent && ObjectId::parse(text).is_none() {
        // Before the first of the table comes Id.
        draft.common().malformed(at + 1, field.name, text);
        return is_settable;
    }
    if !is_settable || is_absent {
        return is_settable;
    }
    let common = draft.common();
    let is_second = common.seen.contains(&field.name);
    common.seen.push(field.name);
    let sent = Sent { field, text, is_wrong: is_second || holds_elements };
    if let Some(kept_under) = kept_under {
        common.keep(kept_under, sent.kept());
    } else if let Some(setter) = setter {
        (setter.set)(draft, sent);
    }
    true
}

/// Id says which object is meant, so an empty one is wrong.
fn take_id(common: &mut Common, text: &str, holds_elements: bool) {
    if !holds_elements && ObjectId::parse(text).is_none() {
        common.malformed(0, ID, text);
        return;
    }
    let is_wrong = holds_elements || !common.id.is_absent();
    let id = Some(text).filter(|_| !is_wrong).and_then(ObjectId::parse);
    common.id = id.map_or_else(|| Field::Wrong(RowError::invalid(ID, text)), Field::Given);
}

#[cfg(test)]
mod tests {
    use super::super::account::AccountDraft;
    use super::super::names::FIELDS_TO_NULL;
    use super::super::payment::PaymentDraft;
    use super::super::payment_method::MethodDraft;
    use super::super::read;
    use super::*;

    #[test]
    fn blank_is_absent_and_a_second_value_is_wrong() {
        let name = "AppliedInvoiceAmount";
        let read_amount = |fields: &[_]| read::<PaymentDraft>(fields).applied;
        let amount = read_amount(&[(name, " "), (name, "\n0.00 ")]);
        assert!(amount.given().is_some_and(|amount| amount.value.is_zero()));
        let twice = read_amount(&[(name, "1"), (name, "1"), (name, "")]);
        assert_eq!(twice.checked(), Err(RowError::invalid(name, "1")));
        let mut elements = PaymentDraft::default();
        assert!(elements.refuse(name, ""));
        assert_eq!(elements.applied.checked(), Err(RowError::invalid(name, "")));
        assert!(!elements.set("amount", "1") && !elements.set("CreatedById", "7"));
    }

    #[test]
    fn an_id_that_holds_elements_is_wrong_as_any_other_field() {
        let mut read = PaymentDraft::default();
        assert!(read.refuse("AccountId", "") && read.refuse("Id", ""));
        assert_eq!(read.common.check_ids(), Ok(()));
        assert_eq!(read.account_id.checked(), Err(RowError::invalid("AccountId", "")));
        assert_eq!(read.common.id.checked(), Err(RowError::invalid("Id", "")));
    }

    #[test]
    fn the_first_id_that_is_none_is_told_in_the_order_of_the_wsdl() {
        let mut draft: AccountDraft = read(&[("ParentId", " "), ("CreatedById", "")]);
        assert_eq!((draft.common.check_ids(), draft.parent.is_absent()), (Ok(()), true));
        draft.set("ParentId", "?");
        assert_eq!(draft.common.check_ids(), Err(RowError::invalid_id("ParentId", "?")));
        assert!(!draft.set("CreatedById", "x"));
        assert_eq!(draft.common.check_ids(), Err(RowError::invalid_id("CreatedById", "x")));
        draft.set("Id", "y");
        assert_eq!(draft.common.check_ids(), Err(RowError::invalid_id("Id", "y")));
        draft.set("ParentId", "z");
        assert_eq!(draft.common.check_ids(), Err(RowError::invalid_id("Id", "y")));
        let empty: AccountDraft = read(&[("Id", " ")]);
        assert_eq!(empty.common.check_ids(), Err(RowError::invalid_id("Id", "")));
    }

    #[test]
    fn a_secret_is_never_told_back() {
        let name = "CreditCardSecurityCode";
        for fields in [&[(name, "12x4")][..], &[(name, "1234"), (name, "1234")]] {
            let draft: MethodDraft = read(fields);
            let error = draft.security_code.checked().unwrap_err();
            assert_eq!(error.message.to_string(), format!("Invalid value for field {name}"));
            assert!(!format!("{draft:?}").contains("12x4"));
        }
    }

    #[test]
    fn a_value_is_taken_away_or_set_but_not_both() {
        let account = CustomizedObject::Account;
        let mut draft: AccountDraft = read(&[("PaymentGateway", "a")]);
        assert!(draft.clear("Batch") && draft.clear("PaymentGateway"));
        assert!(!draft.clear("CreatedById") && !draft.clear("Balance"));
        assert_eq!(draft.common.kept_values().unwrap(), [("Batch", None)].into());
        let error = |name| Err(RowError::invalid(FIELDS_TO_NULL, name));
        assert_eq!(draft.common.check_nulls(account), error("PaymentGateway"));
        let mut draft: AccountDraft = read(&[("Batch", "abc")]);
        assert!(draft.clear("PaymentGateway") && draft.clear("Batch"));
        assert_eq!(draft.common.check_nulls(account), Ok(()));
        assert!(draft.clear("Name"));
        assert_eq!(draft.common.check_nulls(account), error("Name"));
        assert_eq!(draft.common.kept_values(), error("Batch").map(|()| [].into()));
    }

    #[test]
    fn what_is_only_kept_is_checked_in_order() {
        let draft: AccountDraft = read(&[("CrmId", "abc"), ("AutoPay", "no")]);
        let kept = draft.common.kept_values().unwrap();
        assert_eq!(serde_json::to_string(&kept).unwrap(), r#"{"AutoPay":false,"CrmId":"abc"}"#);
        let draft: AccountDraft = read(&[("Batch", &"a".repeat(21)), ("AutoPay", "maybe")]);
        let error = RowError::invalid("AutoPay", "maybe");
        assert_eq!(draft.common.kept_values(), Err(error));
    }
}
