//! How a value of a JSON document becomes the field of a draft.
//!
//! A front door hands over scalars as they are written, so that no number is ever a float. What
//! must stay true: null and an empty text are absent; a value of a wrong type or form is kept as
//! the error that it deserves, with the name of its field.

use super::super::calendar::parse_date;
use super::super::id::ObjectId;
use super::super::money::parse_decimal;
use super::super::row_error::RowError;
use super::{AmountText, Field};
use chrono::NaiveDate;
use rust_decimal::Decimal;

/// The largest exponent that is read, of either sign.
const EXPONENT_MAX: i32 = 28;

/// A value of a JSON document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent<'j> {
    /// `null`.
    Null,
    /// A string, unescaped.
    Text(&'j str),
    /// A number, as it is written.
    Number(&'j str),
    /// `true` or `false`.
    Boolean(bool),
    /// An object or an array, where a scalar is expected.
    Nested,
}

impl<'j> Sent<'j> {
    /// Whether nothing is said with it.
    pub const fn is_absent(self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) => text.is_empty(),
            Self::Number(_) | Self::Boolean(_) | Self::Nested => false,
        }
    }

    /// What of it is repeated in an error.
    fn shown(self) -> &'j str {
        match self {
            Self::Null => "null",
            Self::Text(text) | Self::Number(text) => text,
            Self::Boolean(true) => "true",
            Self::Boolean(false) => "false",
            Self::Nested => "an object or an array",
        }
    }

    /// What `read` finds in a text.
    pub(super) fn read<T>(self, name: &str, read: impl FnOnce(&str) -> Option<T>) -> Field<T> {
        if self.is_absent() {
            return Field::Absent;
        }
        let value = match self {
            Self::Text(text) => read(text),
            _ => None,
        };
        value.map_or_else(|| Field::Wrong(RowError::invalid(name, self.shown())), Field::Given)
    }

    /// A text of at most `chars_max` characters, none of which is NUL.
    pub(super) fn text(self, name: &str, chars_max: usize) -> Field<String> {
        match self {
            Self::Text(text) if text.chars().count() > chars_max => {
                Field::Wrong(RowError::too_long_field(name, chars_max))
            }
            _ => self.read(name, |text| (!text.contains('\0')).then(|| text.to_owned())),
        }
    }

    /// An id of 32 letters or digits.
    pub(super) fn id(self, name: &str) -> Field<ObjectId> {
        self.read(name, ObjectId::parse_stored)
    }

    /// A day, `yyyy-mm-dd`.
    pub(super) fn day(self, name: &str) -> Field<NaiveDate> {
        self.read(name, parse_date)
    }

    /// A truth value.
    pub(super) fn boolean(self, name: &str) -> Field<bool> {
        match self {
            Self::Boolean(value) => Field::Given(value),
            _ => self.read(name, |_| None),
        }
    }

    /// An exact decimal above zero: a number, or a text that is one.
    pub(super) fn amount(self, name: &str) -> Field<AmountText> {
        match self.decimal(name) {
            Field::Given(amount) if amount.value <= Decimal::ZERO => {
                Field::Wrong(RowError::invalid(name, self.shown()))
            }
            read => read,
        }
    }

    /// An exact decimal of any sign. A number may have an exponent, as JSON has it; a text is a
    /// decimal as in SOAP.
    pub(super) fn decimal(self, name: &str) -> Field<AmountText> {
        let (text, value) = match self {
            Self::Number(text) => (text, exact_number(text)),
            Self::Text(text) => (text, parse_decimal(text)),
            _ => return self.read(name, |_| None),
        };
        if self.is_absent() {
            return Field::Absent;
        }
        match value {
            Some(value) => Field::Given(AmountText { value, text: text.to_owned() }),
            None => Field::Wrong(RowError::invalid(name, text)),
        }
    }
}

/// The decimal that a JSON number is, exponents included; none where it has more digits than can be
/// held exactly.
pub fn exact_number(text: &str) -> Option<Decimal> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        None => return parse_decimal(text),
        Some((mantissa, exponent)) => (parse_decimal(mantissa)?, exponent.parse::<i32>().ok()?),
    };
    if mantissa == Decimal::ZERO {
        return Some(Decimal::ZERO);
    }
    if exponent.abs() > EXPONENT_MAX {
        return None;
    }
    let scale = i32::try_from(mantissa.scale()).ok()?.checked_sub(exponent)?;
    let digits = mantissa.mantissa();
    let value = match u32::try_from(scale) {
        Ok(scale) => Decimal::try_from_i128_with_scale(digits, scale).ok()?,
        Err(_) => {
            let grown = digits.checked_mul(10_i128.checked_pow(scale.unsigned_abs())?)?;
            Decimal::try_from_i128_with_scale(grown, 0).ok()?
        }
    };
    Some(value.normalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact_or_none() {
        let read = |text| exact_number(text).map(|value| value.to_string());
        for (text, value) in [
            ("10", "10"),
            ("10.50", "10.5"),
            ("1e2", "100"),
            ("1.5E+1", "15"),
            ("125e-2", "1.25"),
            ("0e400", "0"),
            ("-3", "-3"),
            ("0.1000000001", "0.1000000001"),
        ] {
            assert_eq!(read(text).as_deref(), Some(value), "{text}");
        }
        for wrong in ["1e400", "1e29", "99999999999999999999999999999999", "NaN", "1e", "e1", ""] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_value_of_a_wrong_type_is_wrong_and_an_empty_one_absent() {
        assert!(Sent::Null.amount("totalAmount").is_absent());
        assert!(Sent::Text("").text("comment", 3).is_absent());
        assert!(Sent::Text("").decimal("totalAmount").is_absent());
        let wrong = RowError::invalid("totalAmount", "true");
        assert_eq!(Sent::Boolean(true).amount("totalAmount").checked(), Err(wrong));
        assert_eq!(Sent::Text("äöü").text("c", 3).given().unwrap(), "äöü");
        let too_long = RowError::too_long_field("c", 3);
        assert_eq!(Sent::Text("äöüß").text("c", 3).checked(), Err(too_long));
        assert!(Sent::Text("a\0b").text("c", 9).given().is_none());
        assert!(Sent::Number("5").text("c", 9).given().is_none());
        for none in ["0", "-1", "1e400"] {
            assert!(Sent::Number(none).amount("totalAmount").given().is_none(), "{none}");
        }
        // Regression: an exponent in a text was read, though no decimal has one.
        for none in ["1e1", "1E1", "1e-1", "10.0e0", " 10", "1,0"] {
            assert!(Sent::Text(none).amount("totalAmount").given().is_none(), "{none}");
        }
        assert_eq!(Sent::Text("10.5").amount("a").given().unwrap().value, Decimal::new(105, 1));
    }
}
