//! Very many objects of a seed in little memory: one after the other as bytes, in blocks that are
//! given back as they are read.

use crate::domain::id::ObjectId;
use crate::domain::money::{Currency, MinorUnits};
use crate::domain::vocabulary::{CreditMemoStatus, MethodStatus, MethodType, PaymentType};
use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;
use std::collections::VecDeque;
use std::fmt;
use std::marker::PhantomData;

/// The size from which a block is full, in bytes: a little below the power of two that its memory
/// grows to, so that it grows no further.
const BLOCK_BYTES: usize = 60 << 10;

/// A value as bytes.
pub trait Pack: Sized {
    /// Appends the bytes of the value.
    fn pack(&self, bytes: &mut Vec<u8>);

    /// Takes the value off the front of what [`Pack::pack`] appended; none where it is not that.
    fn unpack(bytes: &mut &[u8]) -> Option<Self>;
}

/// Objects in the order in which they were pushed.
#[derive(Clone)]
pub struct Packed<T> {
    blocks: VecDeque<Vec<u8>>,
    len: usize,
    of: PhantomData<fn() -> T>,
}

impl<T> Default for Packed<T> {
    fn default() -> Self {
        Self { blocks: VecDeque::new(), len: 0, of: PhantomData }
    }
}

impl<T> fmt::Debug for Packed<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} objects", self.len)
    }
}

impl<T: Pack> Packed<T> {
    /// Appends an object.
    pub fn push(&mut self, object: &T) {
        if self.blocks.back().is_none_or(|block| block.len() >= BLOCK_BYTES) {
            self.blocks.push_back(Vec::new());
        }
        if let Some(block) = self.blocks.back_mut() {
            object.pack(block);
            self.len += 1;
        }
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The objects in their order.
    pub fn iter(&self) -> impl Iterator<Item = T> + '_ {
        self.blocks.iter().flat_map(|block| {
            let mut rest = block.as_slice();
            std::iter::from_fn(move || next(&mut rest))
        })
    }
}

/// The object at the front, if there is one.
fn next<T: Pack>(bytes: &mut &[u8]) -> Option<T> {
    if bytes.is_empty() {
        return None;
    }
    let object = T::unpack(bytes);
    debug_assert!(object.is_some(), "what was packed is read as it was");
    object
}

impl<T: Pack> FromIterator<T> for Packed<T> {
    fn from_iter<I: IntoIterator<Item = T>>(objects: I) -> Self {
        let mut packed = Self::default();
        objects.into_iter().for_each(|object| packed.push(&object));
        packed
    }
}

impl<T: Pack> From<Vec<T>> for Packed<T> {
    fn from(objects: Vec<T>) -> Self {
        objects.into_iter().collect()
    }
}

/// The objects in their order; blocks that were read are given back.
#[derive(Debug)]
pub struct Unpacked<T> {
    packed: Packed<T>,
    read: usize,
}

impl<T: Pack> Iterator for Unpacked<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        loop {
            let mut rest = self.packed.blocks.front()?.get(self.read..)?;
            let before = rest.len();
            if let Some(object) = next(&mut rest) {
                self.read += before - rest.len();
                return Some(object);
            }
            self.packed.blocks.pop_front();
            self.read = 0;
        }
    }
}

impl<T: Pack> IntoIterator for Packed<T> {
    type Item = T;
    type IntoIter = Unpacked<T>;

    fn into_iter(self) -> Unpacked<T> {
        Unpacked { packed: self, read: 0 }
    }
}

/// Has a struct packed field by field.
macro_rules! pack {
    ($($name:ident { $($field:ident),+ })+) => {
        $(impl $crate::ledger::seed::packed::Pack for $name {
            fn pack(&self, bytes: &mut Vec<u8>) {
                $($crate::ledger::seed::packed::Pack::pack(&self.$field, bytes);)+
            }

            fn unpack(bytes: &mut &[u8]) -> Option<Self> {
                Some(Self { $($field: $crate::ledger::seed::packed::Pack::unpack(bytes)?,)+ })
            }
        })+
    };
}
pub(super) use pack;

fn pack_text(text: &str, bytes: &mut Vec<u8>) {
    text.len().pack(bytes);
    bytes.extend_from_slice(text.as_bytes());
}

fn unpack_text<'b>(bytes: &mut &'b [u8]) -> Option<&'b str> {
    let length = usize::unpack(bytes)?;
    let (text, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    std::str::from_utf8(text).ok()
}

/// Types that are packed as a text.
macro_rules! texts {
    ($($type:ty: $to:expr, $from:expr;)+) => {
        $(impl Pack for $type {
            fn pack(&self, bytes: &mut Vec<u8>) {
                let to: fn(&Self) -> &str = $to;
                pack_text(to(self), bytes);
            }

            fn unpack(bytes: &mut &[u8]) -> Option<Self> {
                let from: fn(&str) -> Option<Self> = $from;
                from(unpack_text(bytes)?)
            }
        })+
    };
}

texts! {
    String: |text| text.as_str(), |text| Some(text.to_owned());
    ObjectId: |id| id.as_str(), Self::parse;
    Currency: |currency| currency.code(), Self::from_code;
    MethodType: |method_type| method_type.name(), Self::from_name;
    MethodStatus: |status| status.name(), Self::from_name;
    CreditMemoStatus: |status| status.name(), Self::from_name;
    PaymentType: |payment_type| payment_type.name(), Self::from_name;
}

impl Pack for usize {
    /// Seven bits a byte, the lowest first; the last byte is below 128.
    fn pack(&self, bytes: &mut Vec<u8>) {
        let mut rest = *self;
        while rest >= 0x80 {
            bytes.push(u8::try_from(rest & 0x7f).unwrap_or_default() | 0x80);
            rest >>= 7;
        }
        bytes.push(u8::try_from(rest).unwrap_or_default());
    }

    fn unpack(bytes: &mut &[u8]) -> Option<Self> {
        let mut value = 0;
        for shift in (0..Self::BITS).step_by(7) {
            let (byte, rest) = bytes.split_first()?;
            *bytes = rest;
            value |= Self::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }
}

impl Pack for bool {
    fn pack(&self, bytes: &mut Vec<u8>) {
        bytes.push(u8::from(*self));
    }

    fn unpack(bytes: &mut &[u8]) -> Option<Self> {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        Some(*byte != 0)
    }
}

impl<T: Pack> Pack for Option<T> {
    fn pack(&self, bytes: &mut Vec<u8>) {
        self.is_some().pack(bytes);
        self.iter().for_each(|value| value.pack(bytes));
    }

    fn unpack(bytes: &mut &[u8]) -> Option<Self> {
        match bool::unpack(bytes)? {
            true => T::unpack(bytes).map(Some),
            false => Some(None),
        }
    }
}

impl<T: Pack> Pack for Vec<T> {
    fn pack(&self, bytes: &mut Vec<u8>) {
        self.len().pack(bytes);
        self.iter().for_each(|value| value.pack(bytes));
    }

    fn unpack(bytes: &mut &[u8]) -> Option<Self> {
        (0..usize::unpack(bytes)?).map(|_| T::unpack(bytes)).collect()
    }
}

fn unpack_bytes<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (value, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*value)
}

impl Pack for MinorUnits {
    fn pack(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.units().to_le_bytes());
    }

    fn unpack(bytes: &mut &[u8]) -> Option<Self> {
        unpack_bytes(bytes).map(|units| Self::new(i64::from_le_bytes(units)))
    }
}

impl Pack for Decimal {
    fn pack(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.serialize());
    }

    fn unpack(bytes: &mut &[u8]) -> Option<Self> {
        unpack_bytes(bytes).map(Self::deserialize)
    }
}

impl Pack for NaiveDate {
    fn pack(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.num_days_from_ce().to_le_bytes());
    }

    fn unpack(bytes: &mut &[u8]) -> Option<Self> {
        Self::from_num_days_from_ce_opt(i32::from_le_bytes(unpack_bytes(bytes)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::seed::{SeedPart, SeedPayment};

    fn payment(number: usize) -> SeedPayment {
        SeedPayment {
            id: ObjectId::parse(&format!("4028e6a0000d{number:020}")).unwrap(),
            number: format!("P-{number}"),
            account: ObjectId::parse("4028e6a0000a00000000000000000001").unwrap(),
            payment_type: PaymentType::Electronic,
            amount: Decimal::new(-12_345, 2),
            effective_date: NaiveDate::from_ymd_opt(1969, 12, 31).unwrap(),
            payment_method: None,
            gateway: Some("ä".repeat(number % 200)),
            reference_id: None,
            is_settled: number.is_multiple_of(2),
            applied: (0..number % 3)
                .map(|part| SeedPart { invoice: format!("I-{part}"), amount: Decimal::ONE })
                .collect(),
        }
    }

    #[test]
    fn what_was_packed_is_read_as_it_was_over_many_blocks() {
        let packed: Packed<SeedPayment> = (0..5_000).map(payment).collect();
        assert!(packed.blocks.len() > 5 && packed.len() == 5_000);
        let show = |payment: SeedPayment| format!("{payment:?}");
        let expected: Vec<_> = (0..5_000).map(payment).map(show).collect();
        assert_eq!(packed.iter().map(show).collect::<Vec<_>>(), expected);
        assert_eq!(packed.into_iter().map(show).collect::<Vec<_>>(), expected);
    }
}
