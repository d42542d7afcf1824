//! Numbers of cards and bank accounts, masked while they are read.
//!
//! What must stay true: nothing here keeps, shows or hashes more of such a number than its last
//! characters, at most four and at most half of it. The number itself ends with the request's text.

/// What is left of a number: stars, and its last characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaskedNumber(String);

/// How many characters of a number are shown at most.
const SHOWN_MAX: usize = 4;

impl MaskedNumber {
    /// A card number: 12 to 19 digits whose last is the check digit of ISO/IEC 7812 (Luhn).
    pub fn card(text: &str) -> Option<Self> {
        let number = compact(text);
        let is_card = (12..=19).contains(&number.len())
            && number.bytes().all(|byte| byte.is_ascii_digit())
            && luhn(&number);
        is_card.then(|| Self::mask(&number))
    }

    /// A bank account's number: 3 to 34 letters or digits.
    pub fn account(text: &str) -> Option<Self> {
        let number = compact(text);
        let is_number = (3..=34).contains(&number.len())
            && number.bytes().all(|byte| byte.is_ascii_alphanumeric());
        is_number.then(|| Self::mask(&number))
    }

    /// An IBAN of 15 to 34 characters with good check digits (ISO 13616).
    pub fn iban(text: &str) -> Option<Self> {
        let number = compact(text).to_ascii_uppercase();
        let is_iban = (15..=34).contains(&number.len())
            && number.bytes().take(2).all(|byte| byte.is_ascii_uppercase())
            && number.bytes().skip(2).take(2).all(|byte| byte.is_ascii_digit())
            && remainder_97(&number) == Some(1);
        is_iban.then(|| Self::mask(&number))
    }

    /// The stars and what follows them.
    pub fn into_text(self) -> String {
        self.0
    }

    fn mask(number: &str) -> Self {
        let shown = SHOWN_MAX.min(number.len() / 2);
        let (hidden, last) = number.split_at(number.len() - shown);
        Self(format!("{}{last}", "*".repeat(hidden.len())))
    }
}

/// Whether a text holds what must not be kept in the clear: a card number, alone.
pub fn is_card_number(text: &str) -> bool {
    MaskedNumber::card(text).is_some()
}

/// Whether a text is an IBAN, alone.
pub fn is_iban(text: &str) -> bool {
    MaskedNumber::iban(text).is_some()
}

/// Three or four digits; they are looked at and dropped (no one may keep a security code).
pub fn is_security_code(text: &str) -> bool {
    (3..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A number without the blanks and dashes that people group it by.
fn compact(text: &str) -> String {
    text.chars().filter(|character| !matches!(character, ' ' | '-')).collect()
}

fn luhn(digits: &str) -> bool {
    let value = |(at, byte): (usize, u8)| {
        let digit = u32::from(byte - b'0');
        match (at % 2, digit * 2) {
            (0, _) => digit,
            (_, doubled) => doubled / 10 + doubled % 10,
        }
    };
    digits.bytes().rev().enumerate().map(value).sum::<u32>() % 10 == 0
}

/// The number of an IBAN, its first four characters moved to the end, modulo 97.
fn remainder_97(iban: &str) -> Option<u32> {
    let moved = iban.chars().skip(4).chain(iban.chars().take(4));
    moved.map(|character| character.to_digit(36)).try_fold(0, |rest, digit| {
        let digit = digit?;
        let shift = if digit < 10 { 10 } else { 100 };
        Some((rest * shift + digit) % 97)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(mask: Option<MaskedNumber>) -> Option<String> {
        mask.map(MaskedNumber::into_text)
    }

    #[test]
    fn good_numbers_are_masked() {
        let card = Some("************1111".to_owned());
        assert_eq!(text(MaskedNumber::card("4111111111111111")), card);
        assert_eq!(text(MaskedNumber::card("4111 1111-1111 1111")), card);
        assert_eq!(
            text(MaskedNumber::iban("DE89 3704 0044 0532 0130 00")).as_deref(),
            Some("******************3000")
        );
        assert_eq!(
            text(MaskedNumber::iban("gb82west12345698765432")).as_deref(),
            Some("******************5432")
        );
        assert_eq!(text(MaskedNumber::account("123456789")).as_deref(), Some("*****6789"));
        assert_eq!(text(MaskedNumber::account("12345")).as_deref(), Some("***45"));
    }

    #[test]
    fn bad_numbers_are_none() {
        for bad in ["4111111111111112", "411111111111", "", "x", "4111111111111111x", "４111"] {
            assert_eq!(MaskedNumber::card(bad), None, "{bad}");
        }
        for bad in ["DE88370400440532013000", "DE89", "89DE370400440532013000", "é"] {
            assert_eq!(MaskedNumber::iban(bad), None, "{bad}");
        }
        for bad in ["12", "1234567890123456789012345678901234567", "12 é4"] {
            assert_eq!(MaskedNumber::account(bad), None, "{bad}");
        }
        for (text, good) in [("123", true), ("1234", true), ("12", false), ("12a", false)] {
            assert_eq!(is_security_code(text), good, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_mask_shows_more_than_half_or_four(number in "[0-9]{3,34}") {
            let shown = text(MaskedNumber::account(&number)).unwrap();
            let last = shown.trim_start_matches('*');
            prop_assert!(last.len() <= 4 && last.len() * 2 <= number.len());
            prop_assert_eq!(shown.len(), number.len());
            prop_assert!(number.ends_with(last));
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = (MaskedNumber::card(&text), MaskedNumber::iban(&text));
            let _ = MaskedNumber::account(&text);
        }
    }
}
