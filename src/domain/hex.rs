//! Bytes as lower-case hexadecimal digits, and the number that 32 of them are.

/// Two digits for each byte.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or_default();
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 0xf));
    }
    text
}

/// The number that 32 lower-case digits are; none for any other text.
pub fn number_of(text: &str) -> Option<u128> {
    let (upper, lower) = text.split_at_checked(16).filter(|_| text.len() == 32)?;
    Some(u128::from(half_of(upper)?) << 64 | u128::from(half_of(lower)?))
}

/// The number that 16 lower-case digits are.
fn half_of(digits: &str) -> Option<u64> {
    digits.bytes().try_fold(0, |number: u64, byte| {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_two_digits() {
        assert_eq!(hex(&[0, 10, 255]), "000aff");
        assert_eq!(hex(&[]), "");
    }

    #[test]
    fn only_thirty_two_lower_case_digits_are_a_number() {
        let text = "000000000000000000000000000000ff";
        assert_eq!(number_of(text), Some(255));
        assert_eq!(
            number_of("0123456789abcdef0f1e2d3c4b5a6978"),
            Some(0x0123_4567_89ab_cdef_0f1e_2d3c_4b5a_6978)
        );
        for wrong in [
            &text[1..],
            "000000000000000000000000000000FF",
            "+00000000000000000000000000000ff",
            "ä000000000000000000000000000000f",
        ] {
            assert_eq!(number_of(wrong), None, "{wrong}");
        }
    }
}
