//! Money: exact decimals at the edges, integer minor units of a currency inside.
//!
//! Floating point never touches an amount. Parsing follows the lexical space of xs:decimal and not
//! that of any library: exponents, underscores, INF and NaN are no amounts.

use super::white_space::trim;
use rust_decimal::Decimal;
use serde::{Serialize, Serializer};
use std::sync::OnceLock;

/// The longest amount that the Refund object documents, in characters.
const AMOUNT_CHARS_MAX: usize = 16;

/// An amount of money in the smallest unit of its currency (cents for USD, yen for JPY).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct MinorUnits(i64);

impl MinorUnits {
    /// No money.
    pub const ZERO: Self = Self(0);

    /// The amount of `units`, which may be negative (a ledger entry that lowers a balance is).
    pub const fn new(units: i64) -> Self {
        Self(units)
    }

    /// The number of units.
    pub const fn units(self) -> i64 {
        self.0
    }
}

const LETTERS: usize = 26;
/// What each code of three letters is, once it was looked up: every account's is read with it, and
/// the crate compares a code with those of all currencies.
static BY_CODE: [OnceLock<Option<Currency>>; LETTERS.pow(3)] =
    [const { OnceLock::new() }; LETTERS.pow(3)];

/// A currency of ISO 4217 that money can be held in: its code and its decimals, 0 to 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Currency(iso_currency::Currency);

impl Serialize for Currency {
    /// Its code.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl Currency {
    /// The yen, which has no decimals.
    pub const YEN: Self = Self(iso_currency::Currency::JPY);

    /// The currency with this upper-case code; none for unknown codes and for those without a
    /// minor unit, such as XAU.
    pub fn from_code(code: &str) -> Option<Self> {
        match Self::place(code) {
            Some(place) => *BY_CODE.get(place)?.get_or_init(|| Self::look_up(code)),
            None => None,
        }
    }

    /// The place of a code in the order of all codes.
    fn place(code: &str) -> Option<usize> {
        let letters: [u8; 3] = code.as_bytes().try_into().ok()?;
        letters.iter().try_fold(0, |place, letter| match letter {
            b'A'..=b'Z' => Some(place * LETTERS + usize::from(letter - b'A')),
            _ => None,
        })
    }

    fn look_up(code: &str) -> Option<Self> {
        let currency = iso_currency::Currency::from_code(code)?;
        currency.exponent().filter(|decimals| *decimals <= 4).map(|_| Self(currency))
    }

    /// The three-letter code.
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// How many decimals an amount may have, 0 to 4.
    pub fn decimals(self) -> u32 {
        self.0.exponent().map_or(0, u32::from)
    }

    /// Whether the decimal has no more significant decimals than the currency.
    pub fn can_hold(self, amount: Decimal) -> bool {
        amount.normalize().scale() <= self.decimals()
    }

    /// The decimal in minor units; none when the currency cannot hold it or it leaves the range,
    /// beyond which no balance can be. Nothing is ever rounded.
    pub fn minor_units(self, amount: Decimal) -> Option<MinorUnits> {
        let factor = Decimal::from(10_i64.pow(self.decimals()));
        let units = amount.checked_mul(factor)?.normalize();
        let is_whole = units.scale() == 0;
        i64::try_from(units.mantissa()).ok().filter(|_| is_whole).map(MinorUnits)
    }

    /// The amount as a decimal.
    pub fn decimal(self, amount: MinorUnits) -> Decimal {
        Decimal::new(amount.0, self.decimals())
    }

    /// The amount with all the decimals of the currency, such as `60.00`.
    pub fn format(self, amount: MinorUnits) -> String {
        self.decimal(amount).to_string()
    }

    /// A decimal that the currency can hold, with all the decimals of the currency.
    pub fn format_decimal(self, mut amount: Decimal) -> String {
        amount.rescale(self.decimals());
        amount.to_string()
    }
}

/// Reads an amount: a valid xs:decimal of at most 16 characters, above zero.
///
/// `+10`, `.5`, `10.`, trailing zeros and blanks around it are fine; the result is normalised, so
/// that equal amounts are equal values.
pub fn parse_amount(text: &str) -> Option<Decimal> {
    let text = trim(text);
    if text.len() > AMOUNT_CHARS_MAX {
        return None;
    }
    parse_decimal(text).filter(|amount| *amount > Decimal::ZERO)
}

/// Reads a valid xs:decimal of any sign, without blanks; none when it has more than 28 digits.
pub fn parse_decimal(text: &str) -> Option<Decimal> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) {
        return None;
    }
    let sign = if text.starts_with('-') { "-" } else { "" };
    let canonical = format!("{sign}0{whole}.{fraction}0");
    Decimal::from_str_exact(&canonical).ok().map(|decimal| decimal.normalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn currency(code: &str) -> Currency {
        Currency::from_code(code).unwrap()
    }

    #[test]
    fn the_lexical_space_is_that_of_xs_decimal() {
        let ten = Decimal::from(10);
        for text in
            ["10", "+10", "10.", "10.0", "10.000", " 10 ", "\t10\n", "0010", "00000000000010."]
        {
            assert_eq!(parse_amount(text), Some(ten), "{text:?}");
        }
        assert_eq!(parse_amount(".5"), Decimal::from_str_exact("0.5").ok());
        let no_amounts = [
            "",
            " ",
            ".",
            "+",
            "-",
            "0",
            "0.00",
            "-1",
            "-0",
            "1e3",
            "1E3",
            "1_000",
            "1,000",
            "INF",
            "-INF",
            "NaN",
            "0x10",
            "1 0",
            "++1",
            "1.2.3",
            "10\u{a0}",
            "１０",
            "12345678901234567",
        ];
        for text in no_amounts {
            assert_eq!(parse_amount(text), None, "{text:?}");
        }
    }

    #[test]
    fn decimals_follow_the_currency_and_nothing_is_rounded() {
        let amount = |text| parse_amount(text).unwrap();
        assert_eq!(currency("JPY").minor_units(amount("5.00")), Some(MinorUnits(5)));
        assert_eq!(currency("JPY").minor_units(amount("5.5")), None);
        assert_eq!(currency("USD").minor_units(amount("5.5")), Some(MinorUnits(550)));
        assert_eq!(currency("USD").minor_units(amount("5.555")), None);
        assert_eq!(currency("KWD").minor_units(amount("5.555")), Some(MinorUnits(5555)));
        assert_eq!(currency("CLF").minor_units(amount("5.5555")), Some(MinorUnits(55555)));
        assert_eq!(currency("CLF").minor_units(amount("9999999999999999")), None);
        assert!(currency("CLF").can_hold(amount("9999999999999999")));
        assert!(!currency("JPY").can_hold(amount("5.5")));
        assert_eq!(Currency::from_code("XAU"), None);
        for code in ["usd", "US", "USDX", "U\u{e9}D", ""] {
            assert_eq!(Currency::from_code(code), None);
        }
        for _ in 0..2 {
            assert_eq!(Currency::from_code("USD").map(Currency::code), Some("USD"));
        }
        assert_eq!(Currency::from_code("ZZZ"), None);
    }

    proptest! {
        #[test]
        fn what_is_formatted_reads_back(
            units in 1_i64..=99_999_999_999,
            code in "(JPY|USD|KWD|CLF)",
        ) {
            let currency = currency(&code);
            let text = currency.format(MinorUnits(units));
            let amount = parse_amount(&text).unwrap();
            prop_assert_eq!(currency.minor_units(amount), Some(MinorUnits(units)));
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = parse_amount(&text).map(|amount| currency("USD").minor_units(amount));
            let _ = parse_decimal(&text);
        }
    }
}
