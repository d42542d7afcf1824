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
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let is_number = text.len() == 32 && text.bytes().all(is_digit);
    u128::from_str_radix(text, 16).ok().filter(|_| is_number)
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
        for wrong in
            [&text[1..], "000000000000000000000000000000FF", "+00000000000000000000000000000ff"]
        {
            assert_eq!(number_of(wrong), None, "{wrong}");
        }
    }
}
