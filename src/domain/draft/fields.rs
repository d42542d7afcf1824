//! The fields of an object, as a table: which there are, and how the text of each becomes a value.
//!
//! A draft is a struct of values and a table in the order of the WSDL. What is common to all of
//! them stands here once: blanks, ids that are none, a field that comes twice, one that holds
//! elements, fields that a caller may not set, fieldsToNull.

use super::super::boolean::parse_boolean;
use super::super::calendar::CalendarText;
use super::super::id::ObjectId;
use super::super::money::{parse_amount, parse_decimal};
use super::super::row_error::RowError;
use super::super::vocabulary::CustomizedObject;
use super::super::white_space::trim;
use super::common::{Common, Kept, KeptAs};
use super::masked::{MaskedNumber, is_card_number};
use super::{AmountText, Field};
use rust_decimal::Decimal;

/// The field that every object has; an update names its object by it.
pub const ID: &str = "Id";
/// The names of the fields that an update takes the values of away.
pub const FIELDS_TO_NULL: &str = "fieldsToNull";

/// A field that a client may send.
pub struct FieldRule<D> {
    /// The name in the WSDL.
    pub name: &'static str,
    /// Whether its type is ID.
    pub is_id: bool,
    becomes: Becomes<D>,
}

/// What becomes of a field.
enum Becomes<D> {
    /// This reads it.
    Value(fn(&mut D, Sent<'_>)),
    /// A text of at most so many characters is kept.
    Text(usize),
    /// An id is kept.
    Id,
    /// A boolean is kept.
    Boolean,
    /// A whole number between these two is kept.
    Number(i64, i64),
    /// Of what this finds, the mask is kept under this name.
    Mask(&'static str, fn(&str) -> Option<MaskedNumber>),
    /// A gateway's token of at most so many characters is kept.
    Token(usize),
    /// A caller may not set it: only its form is checked.
    Nothing,
}

impl<D> FieldRule<D> {
    /// A field that `set` reads.
    pub const fn value(name: &'static str, set: fn(&mut D, Sent<'_>)) -> Self {
        Self { name, is_id: false, becomes: Becomes::Value(set) }
    }

    /// A field of type ID that `set` reads.
    pub const fn id(name: &'static str, set: fn(&mut D, Sent<'_>)) -> Self {
        Self { name, is_id: true, becomes: Becomes::Value(set) }
    }

    /// A text of at most so many characters, which is only kept.
    pub const fn kept_text(name: &'static str, chars_max: usize) -> Self {
        Self { name, is_id: false, becomes: Becomes::Text(chars_max) }
    }

    /// An id that is only kept.
    pub const fn kept_id(name: &'static str) -> Self {
        Self { name, is_id: true, becomes: Becomes::Id }
    }

    /// A boolean that is only kept.
    pub const fn kept_boolean(name: &'static str) -> Self {
        Self { name, is_id: false, becomes: Becomes::Boolean }
    }

    /// A whole number between two others that is only kept.
    pub const fn kept_number(name: &'static str, least: i64, most: i64) -> Self {
        Self { name, is_id: false, becomes: Becomes::Number(least, most) }
    }

    /// The number of a card or a bank account, of which only a mask is kept, under another name.
    pub const fn masked(
        name: &'static str,
        mask: &'static str,
        read: fn(&str) -> Option<MaskedNumber>,
    ) -> Self {
        Self { name, is_id: false, becomes: Becomes::Mask(mask, read) }
    }

    /// A gateway's token of at most so many characters, which is only kept. A card number in its
    /// place is refused.
    pub const fn token(name: &'static str, chars_max: usize) -> Self {
        Self { name, is_id: false, becomes: Becomes::Token(chars_max) }
    }

    /// The name under which it is kept and how, if it is only kept.
    const fn kept(&self) -> Option<(&'static str, KeptAs)> {
        match self.becomes {
            Becomes::Value(_) | Becomes::Nothing => None,
            Becomes::Text(_) | Becomes::Id | Becomes::Token(_) => Some((self.name, KeptAs::Text)),
            Becomes::Boolean => Some((self.name, KeptAs::Boolean)),
            Becomes::Number(..) => Some((self.name, KeptAs::Number)),
            Becomes::Mask(mask, _) => Some((mask, KeptAs::Text)),
        }
    }

    /// A field of type ID that is the server's.
    pub const fn unused_id(name: &'static str) -> Self {
        Self { name, is_id: true, becomes: Becomes::Nothing }
    }
}

/// What was sent for a field: a text without the blanks around it.
#[derive(Clone, Copy)]
pub struct Sent<'t> {
    name: &'static str,
    text: &'t str,
    /// It came twice or holds elements.
    is_wrong: bool,
}

impl Sent<'_> {
    /// A value that `read` finds in the text.
    pub fn read<T>(self, read: impl FnOnce(&str) -> Option<T>) -> Field<T> {
        let value = Some(self.text).filter(|_| !self.is_wrong).and_then(read);
        value.map_or_else(|| Field::Wrong(RowError::invalid(self.name, self.text)), Field::Given)
    }

    /// As [`Sent::read`], for what must not be told back.
    pub fn secret<T>(self, read: impl FnOnce(&str) -> Option<T>) -> Field<T> {
        let value = Some(self.text).filter(|_| !self.is_wrong).and_then(read);
        value.map_or_else(|| Field::Wrong(RowError::invalid_secret(self.name)), Field::Given)
    }

    /// A text of at most so many characters.
    pub fn text(self, chars_max: usize) -> Field<String> {
        if self.text.chars().count() > chars_max {
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

    /// A whole number between two others. What stands there instead may be a card number that
    /// slipped into the wrong field, so it is not told back.
    fn number(self, least: i64, most: i64) -> Field<i64> {
        self.secret(|text| text.parse().ok().filter(|one| (least..=most).contains(one)))
    }

    /// A token of at most so many characters that is no card number; it is not told back.
    fn token(self, chars_max: usize) -> Field<String> {
        let is_token = |text: &str| text.chars().count() <= chars_max && !is_card_number(text);
        self.secret(|text| is_token(text).then(|| text.to_owned()))
    }

    /// A boolean.
    pub fn boolean(self) -> Field<bool> {
        self.read(parse_boolean)
    }
}

/// What is kept of `D` under a name, if anything is.
pub fn kept_as<D: Draft>(name: &str) -> Option<KeptAs> {
    let mut kept = D::FIELDS.iter().filter_map(FieldRule::kept);
    kept.find(|(known, _)| *known == name).map(|(_, kept_as)| kept_as)
}

/// An object whose fields a table reads.
pub trait Draft: Default + Sized + 'static {
    /// The object whose fields of the tenant's own it has beside those of the table.
    const OBJECT: CustomizedObject;

    /// Its fields, in WSDL order, without Id. Any of type ID is among them.
    const FIELDS: &'static [FieldRule<Self>];

    /// What every draft has.
    fn common(&mut self) -> &mut Common;

    /// Takes the text of a field; false when a caller may not set one of this name. Blanks around a
    /// value never count, a blank one is absent, and a second one is wrong.
    fn set(&mut self, name: &str, text: &str) -> bool {
        take(self, name, text, false)
    }

    /// Takes the value of a field away (fieldsToNull); false when a caller may not set it.
    fn clear(&mut self, name: &str) -> bool {
        let Some(field) = Self::FIELDS.iter().find(|field| field.name == name) else {
            return false;
        };
        match field.becomes {
            Becomes::Nothing => return false,
            Becomes::Value(_) => self.common().nulls.push(field.name),
            Becomes::Text(_)
            | Becomes::Id
            | Becomes::Boolean
            | Becomes::Number(..)
            | Becomes::Token(_)
            | Becomes::Mask(..) => {
                let kept = field.kept().map_or(field.name, |(name, _)| name);
                self.common().kept_nulls.push(kept);
            }
        }
        true
    }

    /// Takes a field that holds elements instead of a text; false as [`Draft::set`].
    fn refuse(&mut self, name: &str, text: &str) -> bool {
        take(self, name, text, true)
    }
}

fn take<D: Draft>(draft: &mut D, name: &str, text: &str, holds_elements: bool) -> bool {
    let text = trim(text);
    if name == ID {
        take_id(draft.common(), text, holds_elements);
        return true;
    }
    let Some(at) = D::FIELDS.iter().position(|field| field.name == name) else {
        return false;
    };
    let Some(FieldRule { name, is_id, becomes }) = D::FIELDS.get(at) else {
        return false;
    };
    let is_settable = !matches!(becomes, Becomes::Nothing);
    let is_absent = text.is_empty() && !holds_elements;
    if *is_id && !holds_elements && !is_absent && ObjectId::parse(text).is_none() {
        // Before the first of the table comes Id.
        draft.common().malformed(at + 1, name, text);
        return is_settable;
    }
    if !is_settable || is_absent {
        return is_settable;
    }
    let common = draft.common();
    let is_second = common.seen.contains(name);
    common.seen.push(name);
    let sent = Sent { name, text, is_wrong: is_second || holds_elements };
    match becomes {
        Becomes::Value(set) => set(draft, sent),
        Becomes::Text(chars_max) => common.keep(name, sent.text(*chars_max), Kept::Text),
        Becomes::Id => common.keep(name, sent.object(), |id| Kept::Text(id.to_string())),
        Becomes::Boolean => common.keep(name, sent.boolean(), Kept::Boolean),
        Becomes::Number(least, most) => {
            common.keep(name, sent.number(*least, *most), |number| Kept::Text(number.to_string()));
        }
        Becomes::Mask(mask, read) => {
            let number = sent.secret(|text| read(text).map(MaskedNumber::into_text));
            common.keep(mask, number, Kept::Text);
        }
        Becomes::Token(chars_max) => common.keep(name, sent.token(*chars_max), Kept::Text),
        Becomes::Nothing => {}
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
    common.id = Sent { name: ID, text, is_wrong }.object();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default)]
    struct Thing {
        common: Common,
        amount: Field<AmountText>,
        pin: Field<u32>,
        owner: Field<ObjectId>,
    }

    impl Draft for Thing {
        const OBJECT: CustomizedObject = CustomizedObject::Account;
        const FIELDS: &'static [FieldRule<Self>] = &[
            FieldRule::value("Amount", |thing, sent| thing.amount = sent.amount_or_zero()),
            FieldRule::unused_id("CreatedById"),
            FieldRule::kept_boolean("Flag"),
            FieldRule::kept_text("Note", 3),
            FieldRule::id("OwnerId", |thing, sent| thing.owner = sent.object()),
            FieldRule::value("Pin", |thing, sent| {
                thing.pin = sent.secret(|text| text.parse().ok());
            }),
        ];

        fn common(&mut self) -> &mut Common {
            &mut self.common
        }
    }

    fn thing(fields: &[(&str, &str)]) -> Thing {
        let mut thing = Thing::default();
        for (name, text) in fields {
            thing.set(name, text);
        }
        thing
    }

    #[test]
    fn blank_is_absent_and_a_second_value_is_wrong() {
        let read = thing(&[("Amount", " "), ("Amount", "\n0.00 ")]);
        assert!(read.amount.given().is_some_and(|amount| amount.value.is_zero()));
        let twice = thing(&[("Amount", "1"), ("Amount", "1"), ("Amount", "")]);
        assert_eq!(twice.amount.checked(), Err(RowError::invalid("Amount", "1")));
        let mut elements = Thing::default();
        assert!(elements.refuse("Amount", ""));
        assert_eq!(elements.amount.checked(), Err(RowError::invalid("Amount", "")));
        assert!(!elements.set("amount", "1") && !elements.set("CreatedById", "7"));
    }

    #[test]
    fn an_id_that_holds_elements_is_wrong_as_any_other_field() {
        let mut read = Thing::default();
        assert!(read.refuse("OwnerId", "") && read.refuse("Id", ""));
        assert_eq!(read.common.check_ids(), Ok(()));
        assert_eq!(read.owner.checked(), Err(RowError::invalid("OwnerId", "")));
        assert_eq!(read.common.id.checked(), Err(RowError::invalid("Id", "")));
    }

    #[test]
    fn the_first_id_that_is_none_is_told_in_the_order_of_the_wsdl() {
        let mut read = thing(&[("OwnerId", " "), ("CreatedById", "")]);
        assert_eq!((read.common.check_ids(), read.owner.is_absent()), (Ok(()), true));
        read.set("OwnerId", "?");
        assert_eq!(read.common.check_ids(), Err(RowError::invalid_id("OwnerId", "?")));
        assert!(!read.set("CreatedById", "x"));
        assert_eq!(read.common.check_ids(), Err(RowError::invalid_id("CreatedById", "x")));
        read.set("Id", "y");
        assert_eq!(read.common.check_ids(), Err(RowError::invalid_id("Id", "y")));
        read.set("OwnerId", "z");
        assert_eq!(read.common.check_ids(), Err(RowError::invalid_id("Id", "y")));
        let empty = thing(&[("Id", " ")]);
        assert_eq!(empty.common.check_ids(), Err(RowError::invalid_id("Id", "")));
    }

    #[test]
    fn a_secret_is_never_told_back() {
        for fields in [&[("Pin", "12x4")][..], &[("Pin", "1234"), ("Pin", "1234")]] {
            let read = thing(fields);
            let error = read.pin.checked().unwrap_err();
            assert_eq!(error.message.to_string(), "Invalid value for field Pin");
            assert!(!format!("{read:?}").contains("12x4"));
        }
    }

    #[test]
    fn a_value_is_taken_away_or_set_but_not_both() {
        let mut read = thing(&[("Amount", "1")]);
        assert!(read.clear("Note") && read.clear("Amount") && !read.clear("CreatedById"));
        assert_eq!(read.common.kept_values().unwrap(), [("Note", None)].into());
        let error = Err(RowError::invalid(FIELDS_TO_NULL, "Amount"));
        assert_eq!(read.common.check_nulls(&["Amount"]), error);
        let mut read = thing(&[("Note", "abc")]);
        assert!(read.clear("Amount") && read.clear("Note"));
        assert_eq!(read.common.check_nulls(&["Amount"]), Ok(()));
        assert_eq!(read.common.check_nulls(&[]), error);
        let error = RowError::invalid(FIELDS_TO_NULL, "Note");
        assert_eq!(read.common.kept_values(), Err(error));
    }

    #[test]
    fn what_is_only_kept_is_checked_in_order() {
        let read = thing(&[("Note", "abc"), ("Flag", "no")]);
        let kept = read.common.kept_values().unwrap();
        assert_eq!(serde_json::to_string(&kept).unwrap(), r#"{"Flag":false,"Note":"abc"}"#);
        let read = thing(&[("Note", "abcd"), ("Flag", "maybe")]);
        assert_eq!(read.common.kept_values(), Err(RowError::invalid("Flag", "maybe")));
    }
}
