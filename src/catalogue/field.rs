//! What is known of a field, and how the tables of the objects write it down.
//!
//! A row of a table is a name and a value that is put together from what its values are (`text()`,
//! `id()`, …) and from what differs from the rule: a field stands in every version, is nillable,
//! can be queried, is no secret, and is the server's alone unless the row says otherwise.

use super::stand::Stand;

/// A field of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// The name in the WSDL.
    pub name: &'static str,
    /// What its values are.
    pub kind: Kind,
    /// The longest text that a caller may send, in characters.
    pub chars_max: usize,
    /// The least and the greatest whole number that a caller may send.
    pub range: (i64, i64),
    /// The values of a closed set, as far as there is one; empty otherwise.
    pub values: &'static [&'static str],
    /// The versions and tenants whose WSDL lists it. It is read in every version.
    pub stand: Stand,
    /// Whether an element without a value may say so by `xsi:nil`.
    pub is_nillable: bool,
    /// What becomes of a value that a caller sends.
    pub fate: Fate,
    /// Whether a caller may set it when the object is created.
    pub is_created: bool,
    /// Whether a caller may set it when the object is updated.
    pub is_updated: bool,
    /// Whether an update may take its value away (fieldsToNull).
    pub is_clearable: bool,
    /// Whether a query may select it and filter by it.
    pub is_queried: bool,
    /// Whether its values are left out of reports, logs and recordings.
    pub is_secret: bool,
}

/// What the values of a field are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Ids.
    Id,
    /// Texts.
    Text,
    /// Decimal numbers, amounts most of all.
    Decimal,
    /// Whole numbers of 32 bits.
    Int,
    /// Whole numbers of 16 bits.
    Short,
    /// `true` and `false`.
    Boolean,
    /// Moments.
    Moment,
    /// Days, which versions before 69.0 write as moments.
    Day,
    /// A list of things with fields of their own; the type of the list in the WSDL.
    Parts(&'static str),
}

/// What becomes of a value that a caller sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is passed over: the field is the server's. An id must have the form of one all the same.
    Ignored,
    /// A draft carries it, rules judge it, and the ledger has a column for it.
    Judged,
    /// It is kept as it was sent, and given back to queries.
    Kept,
    /// A gateway's token: kept, unless it is the number of a card.
    Token,
    /// The number of a card or a bank account: its mask is kept under the name of another field.
    Masked(NumberKind, &'static str),
    /// It is looked at and stored nowhere.
    Dropped,
}

/// What a number that is masked is the number of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberKind {
    /// A card.
    Card,
    /// A bank account.
    Account,
    /// A bank account, as an IBAN.
    Iban,
}

/// The fields of one object, as an enum that a match has to exhaust.
pub trait Fields: Copy + 'static {
    /// Each of them, in the order of the WSDL.
    const ALL: &'static [Self];
    /// What is known of each, in the same order.
    const FIELDS: &'static [&'static Field];

    /// What is known of this one.
    fn field(self) -> &'static Field;

    /// The field of this name, letter by letter.
    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.field().name == name)
    }
}

/// A table of fields: an enum with a variant for each row, and what is known of each.
macro_rules! fields {
    ($(#[$doc:meta])+ $fields:ident { $($name:ident = $row:expr,)+ }) => {
        $(#[$doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $fields {
            $(#[doc = concat!("`", stringify!($name), "`")] $name,)+
        }

        impl $fields {
            /// What is known of this field.
            pub const fn field(self) -> &'static $crate::catalogue::field::Field {
                match self {
                    $(Self::$name => {
                        const FIELD: $crate::catalogue::field::Field =
                            $row.named(stringify!($name));
                        &FIELD
                    })+
                }
            }
        }

        impl $crate::catalogue::field::Fields for $fields {
            const ALL: &'static [Self] = &[$(Self::$name,)+];
            const FIELDS: &'static [&'static $crate::catalogue::field::Field] =
                &[$(Self::$name.field(),)+];

            fn field(self) -> &'static $crate::catalogue::field::Field {
                self.field()
            }
        }
    };
}
pub(super) use fields;

/// A field of ids.
pub(super) const fn id() -> Field {
    Field::of_kind(Kind::Id)
}

/// A field of texts.
pub(super) const fn text() -> Field {
    Field::of_kind(Kind::Text)
}

/// A field of decimal numbers.
pub(super) const fn decimal() -> Field {
    Field::of_kind(Kind::Decimal)
}

/// A field of whole numbers of 32 bits.
pub(super) const fn int() -> Field {
    Field::of_kind(Kind::Int)
}

/// A field of whole numbers of 16 bits.
pub(super) const fn short() -> Field {
    Field::of_kind(Kind::Short)
}

/// A field that is `true` or `false`.
pub(super) const fn boolean() -> Field {
    Field::of_kind(Kind::Boolean)
}

/// A field of moments.
pub(super) const fn moment() -> Field {
    Field::of_kind(Kind::Moment)
}

/// A field of days.
pub(super) const fn day() -> Field {
    Field::of_kind(Kind::Day)
}

/// A field that holds a list of this type. Queries find the parts as objects of their own.
pub(super) const fn parts(of_type: &'static str) -> Field {
    Field::of_kind(Kind::Parts(of_type)).unqueried()
}

impl Field {
    const fn of_kind(kind: Kind) -> Self {
        Self {
            name: "",
            kind,
            chars_max: usize::MAX,
            range: (i64::MIN, i64::MAX),
            values: &[],
            stand: Stand::ALWAYS,
            is_nillable: true,
            fate: Fate::Ignored,
            is_created: false,
            is_updated: false,
            is_clearable: false,
            is_queried: true,
            is_secret: false,
        }
    }

    /// With this name.
    pub(super) const fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    /// In the WSDL from `major.0` on.
    pub(super) const fn since(self, major: u16) -> Self {
        Self { stand: self.stand.since(major), ..self }
    }

    /// In the WSDL up to the last tenth of `major`.
    pub(super) const fn until(self, major: u16) -> Self {
        Self { stand: self.stand.until(major), ..self }
    }

    /// In the WSDL only for tenants that have credit balances.
    pub(super) const fn of_credit(self) -> Self {
        Self { stand: self.stand.of_credit(), ..self }
    }

    /// Never nil.
    pub(super) const fn not_nillable(self) -> Self {
        Self { is_nillable: false, ..self }
    }

    /// At most so many characters.
    pub(super) const fn max(self, chars_max: usize) -> Self {
        Self { chars_max, ..self }
    }

    /// A whole number between these two.
    pub(super) const fn between(self, least: i64, most: i64) -> Self {
        Self { range: (least, most), ..self }
    }

    /// One of a closed set.
    pub(super) const fn of(self, values: &'static [&'static str]) -> Self {
        Self { values, ..self }
    }

    /// Set by callers on create, and judged.
    pub(super) const fn created(self) -> Self {
        Self { fate: Fate::Judged, is_created: true, ..self }
    }

    /// Set by callers on update, and judged.
    pub(super) const fn updated(self) -> Self {
        Self { fate: Fate::Judged, is_updated: true, ..self }
    }

    /// Set by callers on create and on update, and judged.
    pub(super) const fn written(self) -> Self {
        self.created().updated()
    }

    /// Set by callers on create and on update, and only kept. Any update may take it away.
    pub(super) const fn kept(self) -> Self {
        Self { fate: Fate::Kept, is_clearable: true, ..self.written() }
    }

    /// As [`Field::kept`]; a gateway's token.
    pub(super) const fn token(self) -> Self {
        Self { fate: Fate::Token, ..self.kept() }
    }

    /// As [`Field::kept`], but for a number of which a mask is kept under the name of another
    /// field.
    pub(super) const fn masked(self, kind: NumberKind, mask: &'static str) -> Self {
        Self { fate: Fate::Masked(kind, mask), ..self.kept() }
    }

    /// Set by callers on create and on update, looked at, and stored nowhere.
    pub(super) const fn dropped(self) -> Self {
        Self { fate: Fate::Dropped, ..self.written() }
    }

    /// What an update may take away.
    pub(super) const fn clearable(self) -> Self {
        Self { is_clearable: true, ..self }
    }

    /// Never in a query: it is for create or update alone.
    pub(super) const fn unqueried(self) -> Self {
        Self { is_queried: false, ..self }
    }

    /// What is left out of reports, logs and recordings.
    pub(super) const fn secret(self) -> Self {
        Self { is_secret: true, ..self }
    }

    /// The name under which a value that is only kept is kept.
    pub const fn kept_under(&self) -> Option<&'static str> {
        match self.fate {
            Fate::Kept | Fate::Token => Some(self.name),
            Fate::Masked(_, mask) => Some(mask),
            Fate::Ignored | Fate::Judged | Fate::Dropped => None,
        }
    }
}

/// Whether the field `one` stands after the field `other` in the WSDL.
pub fn comes_after(one: &str, other: &str) -> bool {
    let folded = |name: &str| name.to_ascii_lowercase();
    folded(one) > folded(other)
}

/// Whether two texts are the same, for checks at compile time.
pub const fn is_same(one: &str, other: &str) -> bool {
    let (mut one, mut other) = (one.as_bytes(), other.as_bytes());
    loop {
        match (one, other) {
            ([], []) => return true,
            ([first, one_rest @ ..], [second, other_rest @ ..]) if *first == *second => {
                (one, other) = (one_rest, other_rest);
            }
            _ => return false,
        }
    }
}
