//! Rows as typed values: what a table of the ledger holds, whatever engine keeps it.
//!
//! A [`Record`] names its table and columns once; reading, writing and finding follow from that.
//! What must stay true: a value that its type does not know is an error and never a guess, and the
//! columns of a record begin with those of its key.

mod day;
mod sum;
mod table;
mod value;

use crate::domain::entry_kind::EntryKind;
use crate::domain::facts::{
    AccountKey, AdjustmentKey, InvoiceKey, MemoKey, MemoLineKey, MemoPartKey, MethodKey, PartKey,
    PaymentKey,
};
use crate::domain::id::{ObjectId, RefundNumber};
use crate::domain::invoicing::{InvoiceAdjustmentKey, LineKey};
use crate::domain::money::{Currency, MinorUnits};
use crate::domain::permission::Permissions;
use crate::domain::rules::MethodChoice;
use crate::domain::vocabulary::{
    AccountStatus, AdjustmentStatus, AdjustmentType, CreditMemoStatus, GatewayState,
    InvoiceAdjustmentType, MethodStatus, MethodType, PaymentStatus, PaymentType, RefundStatus,
    RefundTransactionType, RefundType, SourceType,
};
use crate::ledger::UserKey;
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use std::borrow::Cow;
use std::hash::Hash;

pub use day::DayText;
pub use sum::{Sum, differs};
pub use table::{Lead, Lookup, Table, Within, places};
pub use value::Value;

/// A row whose values are read by their place.
pub trait Columns {
    /// The value of the column at a place, from 0.
    fn value(&self, place: usize) -> Value<'_>;
}

/// A row of a table.
pub trait Record: Clone + Send + 'static {
    /// What it is found by.
    type Key: Clone + Eq + Ord + Hash + Send + 'static;
    /// Where it is kept.
    const TABLE: &'static Table;
    /// The way to it by its key.
    const BY_KEY: &'static Lookup;

    /// Reads a row; the place of the column is the error where a value is not known.
    fn read(columns: &dyn Columns) -> Result<Self, usize>;

    /// Passes on the values of the columns, in their order.
    fn write(&self, put: &mut dyn FnMut(Value<'_>));

    /// Its key.
    fn key(&self) -> Self::Key;

    /// The values of a key.
    fn key_values(key: &Self::Key) -> Vec<Value<'static>>;

    /// What is wrong with the row, if it must not be written: invariants that the tables do not
    /// check themselves.
    fn fault(&self) -> Option<&'static str> {
        None
    }
}

/// A type that one column holds.
pub trait Field: Sized {
    /// The value that is kept.
    fn stored(&self) -> Value<'_>;

    /// The typed value of what is kept, if it is one.
    fn from_stored(value: Value<'_>) -> Option<Self>;
}

impl<T: Field> Field for Option<T> {
    fn stored(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, T::stored)
    }

    fn from_stored(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            value => T::from_stored(value).map(Some),
        }
    }
}

impl Field for String {
    fn stored(&self) -> Value<'_> {
        Value::Text(Cow::Borrowed(self))
    }

    fn from_stored(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text.into_owned()),
            _ => None,
        }
    }
}

impl Field for Vec<u8> {
    fn stored(&self) -> Value<'_> {
        Value::Bytes(Cow::Borrowed(self))
    }

    fn from_stored(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Bytes(bytes) => Some(bytes.into_owned()),
            _ => None,
        }
    }
}

/// Fields that are integers in a column.
macro_rules! integer_fields {
    ($($type:ty: $to:expr, $from:expr;)+) => {
        $(impl Field for $type {
            fn stored(&self) -> Value<'_> {
                let to: fn(&Self) -> i64 = $to;
                Value::Integer(to(self))
            }

            fn from_stored(value: Value<'_>) -> Option<Self> {
                let from: fn(i64) -> Option<Self> = $from;
                match value {
                    Value::Integer(value) => from(value),
                    _ => None,
                }
            }
        })+
    };
}

impl<const N: usize> Field for [u8; N] {
    fn stored(&self) -> Value<'_> {
        Value::Bytes(Cow::Borrowed(self))
    }

    fn from_stored(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Bytes(bytes) => Self::try_from(bytes.as_ref()).ok(),
            _ => None,
        }
    }
}

integer_fields! {
    i64: |value| *value, Some;
    u32: |value| i64::from(*value), |value| Self::try_from(value).ok();
    Permissions: |permissions| i64::from(permissions.bits()), |bits| Some(Self::from_bits(bits));
    bool: |value| i64::from(*value), |value| match value {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    };
    MinorUnits: |amount| amount.units(), |units| Some(Self::new(units));
    RefundNumber: |number| number.value(), Self::new;
    AccountKey: |key| key.0, |key| Some(Self(key));
    AdjustmentKey: |key| key.0, |key| Some(Self(key));
    InvoiceAdjustmentKey: |key| key.0, |key| Some(Self(key));
    InvoiceKey: |key| key.0, |key| Some(Self(key));
    LineKey: |key| key.0, |key| Some(Self(key));
    MemoKey: |key| key.0, |key| Some(Self(key));
    MemoLineKey: |key| key.0, |key| Some(Self(key));
    MemoPartKey: |key| key.0, |key| Some(Self(key));
    MethodKey: |key| key.0, |key| Some(Self(key));
    PartKey: |key| key.0, |key| Some(Self(key));
    PaymentKey: |key| key.0, |key| Some(Self(key));
    UserKey: |key| key.0, |key| Some(Self(key));
    EntryKind: |kind| kind.code(), Self::from_code;
    MethodChoice: |choice| choice.code(), Self::from_code;
    RefundType: |value| value.code(), Self::from_code;
    SourceType: |value| value.code(), Self::from_code;
    MethodType: |value| value.code(), Self::from_code;
    RefundStatus: |value| value.code(), Self::from_code;
    GatewayState: |value| value.code(), Self::from_code;
    DateTime<Utc>: |moment| moment.timestamp_millis(), DateTime::from_timestamp_millis;
    NaiveDate: |day| i64::from(day.num_days_from_ce() - UNIX_EPOCH_DAY),
        |day| {
            let day = i32::try_from(day).ok()?.checked_add(UNIX_EPOCH_DAY)?;
            Self::from_num_days_from_ce_opt(day)
        };
}

/// The number of 1970-01-01 in the calendar's own count of days.
const UNIX_EPOCH_DAY: i32 = 719_163;

/// Fields that are texts in a column.
macro_rules! text_fields {
    ($($type:ty: $to:expr, $from:expr;)+) => {
        $(impl Field for $type {
            fn stored(&self) -> Value<'_> {
                let to: fn(&Self) -> &str = $to;
                Value::Text(Cow::Borrowed(to(self)))
            }

            fn from_stored(value: Value<'_>) -> Option<Self> {
                let from: fn(&str) -> Option<Self> = $from;
                match value {
                    Value::Text(text) => from(&text),
                    _ => None,
                }
            }
        })+
    };
}

text_fields! {
    ObjectId: |id| id.as_str(), Self::parse;
    Currency: |currency| currency.code(), Self::from_code;
}

/// A value of a closed set whose column holds its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByName<T>(pub T);

macro_rules! named_fields {
    ($($type:ty),+) => {
        $(impl Field for ByName<$type> {
            fn stored(&self) -> Value<'_> {
                Value::Text(Cow::Borrowed(self.0.name()))
            }

            fn from_stored(value: Value<'_>) -> Option<Self> {
                match value {
                    Value::Text(name) => <$type>::from_name(&name).map(Self),
                    _ => None,
                }
            }
        })+
    };
}

named_fields!(
    AccountStatus,
    AdjustmentStatus,
    AdjustmentType,
    CreditMemoStatus,
    InvoiceAdjustmentType,
    MethodStatus,
    MethodType,
    PaymentStatus,
    PaymentType,
    RefundTransactionType
);

/// Declares the record of a table: its name, the columns of its key, then the others. A field and
/// its column have one name, unless `as` gives the column's. Behind `of` stands the whole record of
/// the table, where this one is narrower.
macro_rules! record {
    (
        $(#[$doc:meta])+
        $name:ident in $table:literal $(of $whole:ident)? [
            $($(#[$key_doc:meta])+ $key:ident: $key_type:ty),+ $(,)?
        ] {
            $($(#[$field_doc:meta])+ $field:ident $(as $column:literal)?: $type:ty),* $(,)?
        }
        $(fault $fault:expr)?
    ) => {
        $(#[$doc])+
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name {
            $($(#[$key_doc])+ pub $key: $key_type,)+
            $($(#[$field_doc])+ pub $field: $type,)*
        }

        impl $crate::ledger::record::Record for $name {
            type Key = ($($key_type,)+);
            const TABLE: &'static $crate::ledger::record::Table = &$crate::ledger::record::Table {
                name: $table,
                columns: &[
                    $(stringify!($key),)+
                    $($crate::ledger::record::column!($field $($column)?),)*
                ],
                key_columns: [$(stringify!($key)),+].len(),
                within: $crate::ledger::record::within!(
                    [
                        $(stringify!($key),)+
                        $($crate::ledger::record::column!($field $($column)?),)*
                    ] $($whole)?
                ),
            };
            const BY_KEY: &'static $crate::ledger::record::Lookup =
                &$crate::ledger::record::Lookup::new(
                    Self::TABLE,
                    &[$(stringify!($key)),+],
                );

            fn read(columns: &dyn $crate::ledger::record::Columns) -> Result<Self, usize> {
                let mut places = 0_usize..;
                let mut next = || places.next().unwrap_or(usize::MAX);
                Ok(Self {
                    $($key: {
                        let place = next();
                        $crate::ledger::record::Field::from_stored(columns.value(place))
                            .ok_or(place)?
                    },)+
                    $($field: {
                        let place = next();
                        $crate::ledger::record::Field::from_stored(columns.value(place))
                            .ok_or(place)?
                    },)*
                })
            }

            fn write(&self, put: &mut dyn FnMut($crate::ledger::record::Value<'_>)) {
                $(put($crate::ledger::record::Field::stored(&self.$key));)+
                $(put($crate::ledger::record::Field::stored(&self.$field));)*
            }

            fn key(&self) -> Self::Key {
                ($(self.$key.clone(),)+)
            }

            fn key_values(
                key: &Self::Key,
            ) -> Vec<$crate::ledger::record::Value<'static>> {
                let ($($key,)+) = key;
                vec![$($crate::ledger::record::Field::stored($key).into_owned(),)+]
            }

            $(fn fault(&self) -> Option<&'static str> {
                let fault: fn(&Self) -> Option<&'static str> = $fault;
                fault(self)
            })?
        }
    };
}

/// The name of a field's column.
macro_rules! column {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $column:literal) => {
        $column
    };
}

/// Where the columns of a record are in the whole one, if there is one.
macro_rules! within {
    ([$($column:expr,)+]) => {
        None
    };
    ([$($column:expr,)+] $whole:ident) => {
        Some($crate::ledger::record::Within {
            whole: <$whole as $crate::ledger::record::Record>::TABLE,
            places: {
                const NARROW: &[&str] = &[$($column),+];
                const PLACES: [usize; NARROW.len()] = $crate::ledger::record::places(
                    NARROW,
                    <$whole as $crate::ledger::record::Record>::TABLE.columns,
                );
                &PLACES
            },
        })
    };
}

pub(crate) use {column, record, within};
