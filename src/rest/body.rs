//! How the body of a v1 operation is taken apart: each member of an object goes to what takes it,
//! and one that nothing takes is an unknown field.
//!
//! Source: "Error handling": v1 operations refuse unknown fields. Values that are wrong are kept in
//! the drafts, so that the order of the rules is the order of the errors.

use super::error::{Reason, Wrong};
use crate::domain::custom_field::CustomFields;
use crate::domain::custom_value::CustomDraft;
use crate::domain::draft::json::Sent;
use crate::domain::row_error::RowError;
use crate::domain::text::Text;
use crate::domain::vocabulary::CustomizedObject;
use crate::json::{Json, JsonError, JsonLimits, Trouble, read};

/// What a body is read for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Body<'b> {
    /// The document.
    pub(super) json: &'b Json,
    /// The tenant's own fields.
    pub(super) own: &'b CustomFields,
}

/// Reads the bytes of a body.
pub(super) fn document(bytes: &[u8]) -> Result<Json, Reason> {
    read(bytes, &JsonLimits::default()).map_err(|error| malformed(&error))
}

/// Why a document cannot be read.
fn malformed(error: &JsonError) -> Reason {
    let JsonError { trouble, place } = error;
    let words = match trouble {
        Trouble::NotUtf8 => Text::new("The body is not in UTF-8.", []),
        Trouble::Empty => Text::new("The body is empty; a JSON object is needed.", []),
        Trouble::Syntax(what) => Text::new(
            "The body is not JSON: <what> at <place>.",
            [("what", what), ("place", place)],
        ),
        Trouble::Twice => Text::new("<place> is there twice.", [("place", place)]),
        Trouble::Nul => Text::new("<place> has the character NUL.", [("place", place)]),
        Trouble::NoCharacter => {
            Text::new("<place> has a character that does not exist.", [("place", place)])
        }
        Trouble::TooDeep(most) => {
            let most = most.to_string();
            Text::new("The body is more than <most> levels deep.", [("most", &most)])
        }
        Trouble::TooMany(most) => {
            let most = most.to_string();
            Text::new("The body has more than <most> values.", [("most", &most)])
        }
    };
    Reason::of_request(Wrong::Malformed, words)
}

/// A value where a scalar is expected.
pub(super) fn sent(value: &Json) -> Sent<'_> {
    match value {
        Json::Null => Sent::Null,
        Json::Bool(value) => Sent::Boolean(*value),
        Json::Number(digits) => Sent::Number(digits),
        Json::Text(text) => Sent::Text(text),
        Json::List(_) | Json::Object(_) => Sent::Nested,
    }
}

impl<'b> Body<'b> {
    /// The same for a part of the document.
    pub(super) const fn of(self, json: &'b Json) -> Self {
        Self { json, own: self.own }
    }

    /// Hands each member of the document to `take`, which says whether it takes it.
    pub(super) fn each(
        self,
        take: impl FnMut(&'b str, &'b Json) -> Result<bool, RowError>,
    ) -> Result<(), RowError> {
        self.each_of("", take)
    }

    /// As [`Body::each`], for an object that is, or is a member of, the field `path`.
    pub(super) fn each_of(
        self,
        path: &str,
        mut take: impl FnMut(&'b str, &'b Json) -> Result<bool, RowError>,
    ) -> Result<(), RowError> {
        let Some(members) = self.json.members() else {
            let field = if path.is_empty() { "the body" } else { path };
            return Err(RowError::invalid(field, self.json.kind().name()));
        };
        for member in members {
            if !take(&member.name, &member.value)? {
                let point = if path.is_empty() { "" } else { "." };
                return Err(RowError::unknown_field(&format!("{path}{point}{}", member.name)));
            }
        }
        Ok(())
    }

    /// Hands each member of the object `value`, which is the field `path`, to `take`; null has
    /// none.
    pub(super) fn object(
        self,
        path: &str,
        value: &'b Json,
        mut take: impl FnMut(&'b str, Sent<'b>) -> bool,
    ) -> Result<bool, RowError> {
        if *value != Json::Null {
            self.of(value).each_of(path, |name, value| Ok(take(name, sent(value))))?;
        }
        Ok(true)
    }

    /// Hands each member of the array `value`, which is the field `path`, to `take`; null has none.
    pub(super) fn list(
        self,
        path: &str,
        value: &'b Json,
        mut take: impl FnMut(&'b Json) -> Result<(), RowError>,
    ) -> Result<bool, RowError> {
        match value {
            Json::Null => {}
            Json::List(items) => items.iter().try_for_each(&mut take)?,
            other => return Err(RowError::invalid(path, other.kind().name())),
        }
        Ok(true)
    }

    /// Takes a field of the tenant's own of `object`; false when there is none of this name.
    pub(super) fn custom(
        self,
        object: CustomizedObject,
        name: &str,
        value: &Json,
        draft: &mut CustomDraft,
    ) -> bool {
        let Some(field) = self.own.find(object, name) else { return false };
        match value {
            Json::Null => draft.clear(field),
            Json::Text(text) => draft.set(field, text),
            Json::Number(digits) => draft.set(field, digits),
            Json::Bool(value) => draft.set(field, if *value { "true" } else { "false" }),
            Json::List(_) | Json::Object(_) => draft.refuse(field, value.kind().name()),
        }
        true
    }
}
