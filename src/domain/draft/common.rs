//! What every draft of any object has: its Id, what is wrong with it before anything else,
//! and the values that the ledger only keeps.

use super::super::custom_value::CustomDraft;
use super::super::id::ObjectId;
use super::super::row_error::RowError;
use super::super::vocabulary::CustomizedObject;
use super::Field;
use super::field_change::Change;
use super::names::FIELDS_TO_NULL;
use serde::Serialize;
use std::collections::BTreeMap;

/// A value that the ledger keeps and gives back, and otherwise never looks at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Kept {
    /// A text, an id, or a whole number in digits.
    Text(String),
    /// A boolean.
    Boolean(bool),
}

/// An id that has not the form of one, and where in the object it stood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MalformedId {
    #[serde(skip)]
    wsdl_position: usize,
    /// The error that it deserves.
    pub error: RowError,
}

/// The values of kept fields by their names; none for one that is taken away.
pub type KeptValues<'k> = BTreeMap<&'static str, Option<&'k Kept>>;

/// What every draft has.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Common {
    /// Id: which object an update is about.
    pub id: Field<ObjectId>,
    /// The first id, in WSDL order, that has not the form of one; reported before everything else.
    pub malformed_id: Option<MalformedId>,
    /// The first field that a caller may not send; an error only where the configuration is strict.
    pub unknown_field: Option<String>,
    /// Fields of the tenant's own.
    #[serde(skip_serializing_if = "CustomDraft::is_empty")]
    pub custom: CustomDraft,
    /// Values that are only kept, by the names of their fields.
    pub kept: BTreeMap<&'static str, Field<Kept>>,
    /// The fields that an update takes the values of away (fieldsToNull), but for kept ones.
    pub nulls: Vec<&'static str>,
    /// The kept ones among them.
    pub kept_nulls: Vec<&'static str>,
    /// The fields that came with a value so far.
    #[serde(skip)]
    pub(super) seen: Vec<&'static str>,
}

impl Common {
    /// Keeps a value under a name. Where two fields share one, both have to be good.
    pub(super) fn keep(&mut self, name: &'static str, value: Field<Kept>) {
        let is_wrong = matches!(self.kept.get(name), Some(Field::Wrong(_)));
        if !is_wrong {
            self.kept.insert(name, value);
        }
    }

    /// Whether any value of this name is kept.
    pub fn keeps(&self, name: &str) -> bool {
        self.kept.contains_key(name)
    }

    /// The values that are kept, and nothing for those that are taken away. Fails with the first
    /// one that is wrong, in the order of the names.
    pub fn kept_values(&self) -> Result<KeptValues<'_>, RowError> {
        let mut values: KeptValues<'_> = self.kept_nulls.iter().map(|name| (*name, None)).collect();
        for (name, field) in &self.kept {
            if let Some(value) = field.checked()?
                && values.insert(*name, Some(value)).is_some()
            {
                return Err(RowError::invalid(FIELDS_TO_NULL, name));
            }
        }
        Ok(values)
    }

    /// Whether a field came with a value more than once.
    pub fn came_twice(&self, name: &str) -> bool {
        self.seen.iter().filter(|seen| **seen == name).nth(1).is_some()
    }

    /// Fails where a value is taken away that `object` always has, or that is set as well.
    pub fn check_nulls(&self, object: CustomizedObject) -> Result<(), RowError> {
        let is_clearable =
            |name: &str| object.object().field(name).is_some_and(|field| field.is_clearable);
        let is_wrong = |name: &&&str| !is_clearable(name) || self.seen.contains(*name);
        let wrong = self.nulls.iter().find(is_wrong);
        wrong.map_or(Ok(()), |name| Err(RowError::invalid(FIELDS_TO_NULL, name)))
    }

    /// What becomes of the field of this name, whose value is `field`.
    pub fn change<'f, T>(
        &self,
        field: &'f Field<T>,
        name: &str,
    ) -> Result<Change<&'f T>, RowError> {
        Ok(match field.checked()? {
            Some(value) => Change::To(value),
            None if self.nulls.contains(&name) => Change::Clear,
            None => Change::Keep,
        })
    }

    /// Fails with the id that is none, if there is one.
    pub fn check_ids(&self) -> Result<(), RowError> {
        self.malformed_id.as_ref().map_or(Ok(()), |malformed| Err(malformed.error.clone()))
    }

    /// Fails with the first field that may not be sent, where that is an error.
    pub fn check_unknown(&self, is_strict: bool) -> Result<(), RowError> {
        match self.unknown_field.as_ref().filter(|_| is_strict) {
            Some(field) => Err(RowError::unknown_field(field)),
            None => Ok(()),
        }
    }

    /// Notes an id that has not the form of one, unless one before it in WSDL order was.
    pub(super) fn malformed(&mut self, wsdl_position: usize, name: &str, text: &str) {
        let earlier = self.malformed_id.as_ref();
        if earlier.is_none_or(|earlier| wsdl_position < earlier.wsdl_position) {
            let error = RowError::invalid_id(name, text);
            self.malformed_id = Some(MalformedId { wsdl_position, error });
        }
    }
}
