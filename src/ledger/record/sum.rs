//! The sum over the columns of a row, which is kept beside them: by it an engine knows, when it
//! reads a row, that no bit of it has changed since it was written.
//!
//! It is part of the format of a ledger's file, and the migrations of old ledgers have SQL make it;
//! in PostgreSQL it is part of the schema, and programs of two versions make the same.
//! What must stay true: it depends on the values and on their order in the whole record of the
//! table, and neither on names nor on the machine; a column without a value adds nothing, so that
//! one that is added behind the others leaves all sums as they are. One value that changes changes
//! the 64 bits that are mixed; the sum is 32 of them, so one damaged row in four thousand million
//! passes.

use super::Value;

/// An odd factor that spreads a change over the bits above it.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// The kinds of values; a place is counted in steps of their number.
const INTEGER: u64 = 1;
const TEXT: u64 = 2;
const BYTES: u64 = 3;
const KINDS: u64 = 4;

/// The sum over the values that were added so far.
#[derive(Debug, Clone, Copy)]
pub struct Sum {
    mixed: u64,
    /// Four times the place of the next value.
    place: u64,
}

impl Default for Sum {
    fn default() -> Self {
        Self { mixed: FACTOR, place: 0 }
    }
}

impl Sum {
    /// Adds the value of the next column.
    pub fn add(&mut self, value: &Value<'_>) {
        match value {
            Value::Null => self.add_nothing(),
            Value::Integer(value) => self.add_integer(*value),
            Value::Text(text) => self.add_text(text.as_bytes()),
            Value::Bytes(bytes) => self.add_bytes(bytes),
        }
    }

    /// The next column has no value.
    pub const fn add_nothing(&mut self) {
        self.place = self.place.wrapping_add(KINDS);
    }

    /// Adds an integer.
    pub const fn add_integer(&mut self, value: i64) {
        self.begin(INTEGER);
        self.mix(value.cast_unsigned());
    }

    /// Adds a text, which is UTF-8 unless it is damaged.
    pub fn add_text(&mut self, text: &[u8]) {
        self.begin(TEXT);
        self.run(text);
    }

    /// Adds bytes.
    pub fn add_bytes(&mut self, bytes: &[u8]) {
        self.begin(BYTES);
        self.run(bytes);
    }

    /// The sum as it is kept: a signed number of 32 bits.
    pub const fn kept(self) -> i64 {
        let [_, _, _, _, upper @ ..] = self.mixed.wrapping_mul(FACTOR).to_le_bytes();
        i32::from_le_bytes(upper) as i64
    }

    const fn begin(&mut self, kind: u64) {
        self.mix(self.place | kind);
        self.place = self.place.wrapping_add(KINDS);
    }

    /// Mixes the length and then eight bytes at a time, the last of them followed by zeros.
    fn run(&mut self, bytes: &[u8]) {
        self.mix(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.mix(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            let last = rest.iter().rev().fold(0, |word, byte| (word << 8) | u64::from(*byte));
            self.mix(last);
        }
    }

    /// Each step can be undone, so that what differed before it differs after it.
    const fn mix(&mut self, word: u64) {
        let mixed = (self.mixed ^ word).wrapping_mul(FACTOR);
        self.mixed = mixed ^ (mixed >> 32);
    }
}

/// A sentence about a row that differs from its sum, with its key where that is a number.
pub fn differs(table: &str, key: Option<i64>) -> String {
    match key {
        Some(key) => format!("the row {key} of {table} is not what was written there"),
        None => format!("a row of {table} is not what was written there"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::borrow::Cow;

    fn sum(values: &[Value<'_>]) -> i64 {
        let mut sum = Sum::default();
        values.iter().for_each(|value| sum.add(value));
        sum.kept()
    }

    fn value() -> impl Strategy<Value = Value<'static>> {
        prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::Integer),
            (-3..3_i64).prop_map(Value::Integer),
            ".{0,20}".prop_map(|text| Value::Text(Cow::Owned(text))),
            prop::collection::vec(any::<u8>(), 0..20)
                .prop_map(|bytes| Value::Bytes(Cow::Owned(bytes))),
        ]
    }

    /// The file format: another number here is another format, and needs a migration.
    #[test]
    fn sums_are_the_same_on_every_machine_and_in_every_version() {
        let text = |text: &'static str| Value::Text(Cow::Borrowed(text));
        assert_eq!(sum(&[]), EMPTY);
        assert_eq!(sum(&[Value::Integer(1), Value::Null, text("a text of 22 bytes, äö")]), SMALL);
        assert_eq!(sum(&[Value::Bytes(Cow::Borrowed(b"12345678"))]), BYTES_OF_EIGHT);
    }

    const EMPTY: i64 = -549_180_126;
    const SMALL: i64 = -17_144_697;
    const BYTES_OF_EIGHT: i64 = 1_068_755_630;

    #[test]
    fn values_of_another_kind_or_place_have_another_sum() {
        let one = Value::Integer(0x31);
        let text = Value::Text(Cow::Borrowed("1"));
        let bytes = Value::Bytes(Cow::Borrowed(b"1"));
        let rows = [
            vec![],
            vec![one.clone()],
            vec![text],
            vec![bytes],
            vec![Value::Null, one.clone()],
            vec![one.clone(), one],
            vec![Value::Text(Cow::Borrowed(""))],
            vec![Value::Text(Cow::Borrowed("1\0"))],
        ];
        for (place, row) in rows.iter().enumerate() {
            for other in rows.iter().skip(place + 1) {
                assert_ne!(sum(row), sum(other), "{row:?} {other:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_column_without_a_value_at_the_end_adds_nothing(
            mut row in prop::collection::vec(value(), 0..12),
        ) {
            let before = sum(&row);
            row.push(Value::Null);
            prop_assert_eq!(sum(&row), before);
        }

        #[test]
        fn one_flipped_bit_changes_the_sum(
            row in prop::collection::vec(value(), 1..12),
            place in any::<prop::sample::Index>(),
            bit in any::<prop::sample::Index>(),
        ) {
            let mut flipped = row.clone();
            match place.get_mut(&mut flipped) {
                Value::Null => return Ok(()),
                Value::Integer(value) => *value ^= 1 << bit.index(64),
                Value::Text(text) if text.is_empty() => return Ok(()),
                Value::Text(text) => {
                    let mut bytes = text.as_bytes().to_vec();
                    let at = bit.index(bytes.len());
                    bytes[at] ^= 1;
                    let Ok(other) = String::from_utf8(bytes) else { return Ok(()) };
                    *text = Cow::Owned(other);
                }
                Value::Bytes(bytes) if bytes.is_empty() => return Ok(()),
                Value::Bytes(bytes) => {
                    let at = bit.index(bytes.len() * 8);
                    bytes.to_mut()[at / 8] ^= 1 << (at % 8);
                }
            }
            prop_assert_ne!(sum(&flipped), sum(&row));
        }
    }
}
