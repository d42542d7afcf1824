//! Fields that a tenant declares for its objects, called `Name__c`.
//!
//! What must stay true: a declared name can stand in a WSDL and in a path of JSON as it is, and no
//! standard field can have it, because of its ending.

use super::vocabulary::CustomizedObject;
use std::fmt;

/// What every name ends with.
pub const SUFFIX: &str = "__c";
/// The longest name, in characters.
const NAME_CHARS_MAX: usize = 64;
/// The longest text that a field can be declared for, in characters.
pub const LENGTH_MAX: u32 = 500;
/// How long a text may be where the declaration does not say, in characters.
pub const LENGTH_DEFAULT: u32 = 255;

/// The name of a custom field: a letter, then letters, digits and `_`, and `__c` at the end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CustomName(String);

impl CustomName {
    /// The name that `text` is, letter for letter.
    pub fn parse(text: &str) -> Option<Self> {
        let stem = text.strip_suffix(SUFFIX)?;
        let is_name = stem.starts_with(|first: char| first.is_ascii_alphabetic())
            && text.len() <= NAME_CHARS_MAX
            && stem.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        is_name.then(|| Self(text.to_owned()))
    }

    /// The characters of the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CustomName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// What the values of a custom field are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CustomType {
    /// Texts of at most so many characters, 1 to [`LENGTH_MAX`].
    String {
        /// How many.
        length: u32,
    },
    /// Decimals of any sign.
    Decimal,
    /// `true` and `false`.
    Boolean,
    /// Days.
    Date,
}

impl CustomType {
    /// The name in a seed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::String { .. } => "string",
            Self::Decimal => "decimal",
            Self::Boolean => "boolean",
            Self::Date => "date",
        }
    }

    /// The most characters of a text; none for other types.
    pub const fn length(self) -> Option<u32> {
        match self {
            Self::String { length } => Some(length),
            Self::Decimal | Self::Boolean | Self::Date => None,
        }
    }

    /// The names of the types.
    pub const NAMES: [&str; 4] = ["string", "decimal", "boolean", "date"];

    /// The type of this name and, for texts, this length.
    pub fn from_parts(name: &str, length: Option<u32>) -> Option<Self> {
        match (name, length) {
            ("string", length) => {
                let length = length.unwrap_or(LENGTH_DEFAULT);
                (1..=LENGTH_MAX).contains(&length).then_some(Self::String { length })
            }
            ("decimal", None) => Some(Self::Decimal),
            ("boolean", None) => Some(Self::Boolean),
            ("date", None) => Some(Self::Date),
            _ => None,
        }
    }
}

/// A field as it was declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomField {
    /// Whose field it is.
    pub object: CustomizedObject,
    /// Its name, unique among the object's fields regardless of case.
    pub name: CustomName,
    /// What its values are.
    pub custom_type: CustomType,
    /// Whether every new object must have a value.
    pub is_required: bool,
    /// Whether it was made as an advanced custom field, which refunds of a credit balance do not
    /// show ("Cancel and refund credit balances").
    pub is_advanced: bool,
}

/// Every field that the tenant declared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CustomFields(Vec<CustomField>);

impl CustomFields {
    /// These fields, which come to stand in the order of the WSDL.
    pub fn new(mut fields: Vec<CustomField>) -> Self {
        fields.sort_by_key(|field| field.name.as_str().to_ascii_lowercase());
        Self(fields)
    }

    /// The fields of an object, in the order of the WSDL.
    pub fn of(&self, object: CustomizedObject) -> impl Iterator<Item = &CustomField> {
        self.0.iter().filter(move |field| field.object == object)
    }

    /// The field of an object that is called `name`, letter for letter.
    pub fn find(&self, object: CustomizedObject, name: &str) -> Option<&CustomField> {
        self.of(object).find(|field| field.name.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_ends_with_the_suffix_and_is_plain() {
        for good in ["CaseNumber__c", "a__c", "A_1__c"] {
            assert!(CustomName::parse(good).is_some(), "{good}");
        }
        let long = format!("{}__c", "a".repeat(62));
        for bad in ["", "__c", "1a__c", "a__C", "a_c", "a b__c", "é__c", "a\"__c", long.as_str()] {
            assert_eq!(CustomName::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn types_read_back() {
        for (name, length) in [("string", Some(40)), ("decimal", None), ("date", None)] {
            let read = CustomType::from_parts(name, length).unwrap();
            assert_eq!((read.name(), read.length()), (name, length));
        }
        assert_eq!(CustomType::from_parts("string", None).unwrap().length(), Some(LENGTH_DEFAULT));
        for (name, length) in
            [("string", Some(0)), ("string", Some(501)), ("date", Some(1)), ("text", None)]
        {
            assert_eq!(CustomType::from_parts(name, length), None, "{name}");
        }
    }
}
