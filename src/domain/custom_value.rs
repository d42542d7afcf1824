//! Values of the tenant's own fields, as a caller sends them and as they are kept.
//!
//! The same for every object that can be created or updated: a reader sets what was sent, the
//! rules ask for what is missing and then for the values. What must stay true: a value that is kept
//! is of its field's type, and amounts and days are kept as text that is exact.

use super::boolean::parse_boolean;
use super::calendar::CalendarText;
use super::custom_field::{CustomField, CustomType};
use super::draft::Field;
use super::draft::names::FIELDS_TO_NULL;
use super::money::parse_decimal;
use super::row_error::RowError;
use super::version::ApiVersion;
use super::white_space::trim;
use chrono_tz::Tz;
use rust_decimal::Decimal;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// A value as it was sent, of its field's type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
enum Sent {
    Text(String),
    Decimal(Decimal),
    Boolean(bool),
    /// Which day is meant depends on the caller's version and the tenant's zone.
    Date(CalendarText),
}

/// A value as it is kept: in JSON a string, or `true` and `false`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum CustomValue {
    /// A text, a decimal, or a day like `2026-01-02`.
    Text(String),
    /// A truth value.
    Boolean(bool),
}

/// Values by the names of their fields; none for one that an update takes away.
pub type CustomValues = BTreeMap<String, Option<CustomValue>>;

/// What an object was sent with of the tenant's own fields.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct CustomDraft {
    values: BTreeMap<String, Field<Sent>>,
    /// The fields that an update takes the values of away (fieldsToNull).
    #[serde(skip)]
    nulls: BTreeSet<String>,
}

impl CustomDraft {
    /// Whether nothing was sent.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty() && self.nulls.is_empty()
    }

    /// Reads `text` into `field`. Blanks around a value never count, and a blank one is absent; a
    /// second value is wrong, as that of any field is.
    pub fn set(&mut self, field: &CustomField, text: &str) {
        let (name, text) = (field.name.as_str(), trim(text));
        if text.is_empty() {
            return;
        }
        let value = if self.values.contains_key(name) {
            Field::Wrong(RowError::invalid(name, text))
        } else {
            typed(field, text)
        };
        self.values.insert(name.to_owned(), value);
    }

    /// Takes the value of `field` away.
    pub fn clear(&mut self, field: &CustomField) {
        self.nulls.insert(field.name.as_str().to_owned());
    }

    /// Marks `field` as wrong because what was sent is no text; `text` is what there is of it.
    pub fn refuse(&mut self, field: &CustomField, text: &str) {
        let name = field.name.as_str();
        self.values.insert(name.to_owned(), Field::Wrong(RowError::invalid(name, trim(text))));
    }

    /// The first of `fields` that needs a value and has none, in the order of the WSDL.
    pub fn check_present<'f>(
        &self,
        mut fields: impl Iterator<Item = &'f CustomField>,
    ) -> Result<(), RowError> {
        let is_missing = |field: &&CustomField| {
            field.is_required && !self.values.contains_key(field.name.as_str())
        };
        match fields.find(is_missing) {
            Some(field) => Err(RowError::missing(field.name.as_str())),
            None => Ok(()),
        }
    }

    /// The values to keep of `fields`; the first that is wrong, in the order of the WSDL, is
    /// returned, and so is a value of any other field. What is required cannot be taken away, and
    /// neither can what is set as well.
    pub fn checked<'f>(
        &self,
        fields: impl Iterator<Item = &'f CustomField>,
        version: ApiVersion,
        zone: Tz,
    ) -> Result<CustomValues, RowError> {
        let mut kept = CustomValues::new();
        for field in fields {
            let name = field.name.as_str();
            let sent = self.values.get(name).map(Field::checked).transpose()?.flatten();
            let goes = self.nulls.contains(name);
            if goes && (sent.is_some() || field.is_required) {
                return Err(RowError::invalid(FIELDS_TO_NULL, name));
            }
            let value = sent.map(|sent| sent.kept(name, version, zone)).transpose()?;
            if goes || value.is_some() {
                kept.insert(name.to_owned(), value);
            }
        }
        self.check_known(&kept)?;
        Ok(kept)
    }

    /// Fails with the first field that came and is not among the `kept` ones.
    fn check_known(&self, kept: &CustomValues) -> Result<(), RowError> {
        let is_foreign = |name: &String| !kept.contains_key(name);
        if let Some(name) = self.nulls.iter().find(|name| is_foreign(name)) {
            return Err(RowError::invalid(FIELDS_TO_NULL, name));
        }
        match self.values.iter().find(|(name, _)| is_foreign(name)) {
            Some((name, value)) => {
                value.checked()?;
                Err(RowError::invalid(name, &value.given().map_or_else(String::new, Sent::text)))
            }
            None => Ok(()),
        }
    }
}

impl Sent {
    fn kept(&self, name: &str, version: ApiVersion, zone: Tz) -> Result<CustomValue, RowError> {
        Ok(match self {
            Self::Boolean(value) => CustomValue::Boolean(*value),
            Self::Text(_) | Self::Decimal(_) => CustomValue::Text(self.text()),
            Self::Date(text) => {
                let day = text.day(version, zone);
                let day = day.ok_or_else(|| RowError::invalid(name, text.as_str()))?;
                CustomValue::Text(day.to_string())
            }
        })
    }

    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Decimal(value) => value.to_string(),
            Self::Boolean(value) => value.to_string(),
            Self::Date(text) => text.as_str().to_owned(),
        }
    }
}

fn typed(field: &CustomField, text: &str) -> Field<Sent> {
    let value = match field.custom_type {
        CustomType::String { length } => {
            let fits = u32::try_from(text.chars().count()).is_ok_and(|count| count <= length);
            return match fits {
                true => Field::Given(Sent::Text(text.to_owned())),
                false => Field::Wrong(RowError::too_long()),
            };
        }
        CustomType::Decimal => parse_decimal(text).map(Sent::Decimal),
        CustomType::Boolean => parse_boolean(text).map(Sent::Boolean),
        CustomType::Date => CalendarText::parse(text).map(Sent::Date),
    };
    let wrong = || Field::Wrong(RowError::invalid(field.name.as_str(), text));
    value.map_or_else(wrong, Field::Given)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::custom_field::{CustomFields, CustomName};
    use crate::domain::vocabulary::CustomizedObject;
    use chrono_tz::America::Los_Angeles;

    const OBJECT: CustomizedObject = CustomizedObject::Refund;

    fn fields() -> CustomFields {
        let field = |name, custom_type, is_required| CustomField {
            object: OBJECT,
            name: CustomName::parse(name).unwrap(),
            custom_type,
            is_required,
            is_advanced: false,
        };
        CustomFields::new(vec![
            field("Text__c", CustomType::String { length: 3 }, true),
            field("Day__c", CustomType::Date, false),
            field("Sum__c", CustomType::Decimal, false),
            field("Yes__c", CustomType::Boolean, true),
        ])
    }

    fn draft(values: &[(&str, &str)]) -> CustomDraft {
        let (fields, mut draft) = (fields(), CustomDraft::default());
        for (name, text) in values {
            draft.set(fields.of(OBJECT).find(|one| one.name.as_str() == *name).unwrap(), text);
        }
        draft
    }

    fn checked(values: &[(&str, &str)], version: u16) -> Result<String, RowError> {
        let version = ApiVersion::major(version);
        let values = draft(values).checked(fields().of(OBJECT), version, Los_Angeles)?;
        Ok(serde_json::to_string(&values).unwrap())
    }

    #[test]
    fn values_are_kept_by_their_types() {
        let values =
            [("Text__c", " äöü\n"), ("Sum__c", "+012.50"), ("Yes__c", "YES"), ("Day__c", " ")];
        let kept = "{\"Sum__c\":\"12.5\",\"Text__c\":\"äöü\",\"Yes__c\":true}";
        assert_eq!(checked(&values, 91).as_deref(), Ok(kept));
        let moment = [("Day__c", "2026-11-22T05:40:08Z")];
        assert_eq!(checked(&moment, 68).as_deref(), Ok("{\"Day__c\":\"2026-11-21\"}"));
        let error = RowError::invalid("Day__c", "2026-11-22T05:40:08Z");
        assert_eq!(checked(&moment, 69), Err(error));
    }

    #[test]
    fn what_is_wrong_is_told_in_the_order_of_the_wsdl() {
        for (name, text, error) in [
            ("Text__c", "abcd", RowError::too_long()),
            ("Sum__c", "1e3", RowError::invalid("Sum__c", "1e3")),
            ("Yes__c", "maybe", RowError::invalid("Yes__c", "maybe")),
            ("Day__c", "tomorrow", RowError::invalid("Day__c", "tomorrow")),
        ] {
            assert_eq!(checked(&[(name, text)], 91), Err(error));
        }
        let both = [("Yes__c", "x"), ("Day__c", "y")];
        assert_eq!(checked(&both, 91), Err(RowError::invalid("Day__c", "y")));
        let twice = [("Sum__c", "1"), ("Sum__c", "1")];
        assert_eq!(checked(&twice, 91), Err(RowError::invalid("Sum__c", "1")));
    }

    #[test]
    fn only_what_is_not_required_is_taken_away_and_not_while_it_is_set() {
        let cleared = |values: &[(&str, &str)], names: &[&str]| {
            let (fields, mut draft) = (fields(), draft(values));
            for name in names {
                draft.clear(fields.find(OBJECT, name).unwrap());
            }
            let kept = draft.checked(fields.of(OBJECT), ApiVersion::LAST, Los_Angeles)?;
            Ok(serde_json::to_string(&kept).unwrap())
        };
        let both = cleared(&[("Text__c", "a")], &["Sum__c", "Day__c"]);
        assert_eq!(both.as_deref(), Ok(r#"{"Day__c":null,"Sum__c":null,"Text__c":"a"}"#));
        let wrong = |name| Err(RowError::invalid(FIELDS_TO_NULL, name));
        assert_eq!(cleared(&[], &["Yes__c"]), wrong("Yes__c"));
        assert_eq!(cleared(&[("Sum__c", "1")], &["Sum__c"]), wrong("Sum__c"));
    }

    #[test]
    fn what_is_required_must_be_there_and_what_is_not_asked_for_must_not() {
        let present = |values: &[(&str, &str)]| draft(values).check_present(fields().of(OBJECT));
        assert_eq!(present(&[("Yes__c", "no")]), Err(RowError::missing("Text__c")));
        assert_eq!(present(&[("Text__c", "a")]), Err(RowError::missing("Yes__c")));
        assert_eq!(present(&[("Text__c", "a"), ("Yes__c", "x")]), Ok(()));
        let none = draft(&[("Sum__c", "5")]);
        let refused = none.checked(std::iter::empty(), ApiVersion::LAST, Los_Angeles);
        assert_eq!(refused, Err(RowError::invalid("Sum__c", "5")));
    }
}
