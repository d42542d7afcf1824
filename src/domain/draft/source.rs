//! Objects as a front door hands them over, field by field, before they are drafts.
//!
//! The form is the front door's: an XML element, an object of JSON. What the fields mean is the
//! same for all, and stands in the drafts (`reading`).

use crate::domain::white_space::trim;

/// What was sent for a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'s> {
    /// Nil or null: there is no value.
    Nil,
    /// A text, or a number or a boolean as it was written.
    Text(&'s str),
    /// Fields, and the text beside them, empty if there is none.
    Nested(&'s str),
}

impl<'s> Value<'s> {
    /// The text, also where fields stand beside it.
    pub const fn text(self) -> &'s str {
        match self {
            Self::Nil => "",
            Self::Text(text) | Self::Nested(text) => text,
        }
    }

    /// Whether it says anything: more than white space.
    pub(super) fn has_value(self) -> bool {
        match self {
            Self::Nil => false,
            Self::Text(text) => !trim(text).is_empty(),
            Self::Nested(_) => true,
        }
    }
}

/// An object, or a field of one, in the form of a front door.
pub trait Source<'s>: Copy {
    /// Why the front door refuses the whole call for what stands in an object.
    type Refusal;

    /// The name of the field, without a prefix.
    fn name(self) -> &'s str;

    /// Its value.
    fn value(self) -> Value<'s>;

    /// The fields in it, in the order in which they were sent; one that came as a list is a field
    /// for each item.
    fn fields(self) -> impl Iterator<Item = Self>;

    /// Whether the field belongs to the API: one of a foreign namespace does not, regardless of its
    /// name. What belongs to it may yet be written in a way that the front door refuses.
    ///
    /// # Errors
    /// Why the whole call is refused.
    fn is_ours(self) -> Result<bool, Self::Refusal>;

    /// Called for a field with a value that is passed over, for a log.
    fn is_passed_over(self) {}
}

/// What is asked for with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Its Id is the server's, and fieldsToNull means nothing.
    Create,
    /// Its Id says which object is meant.
    Update,
}

/// A draft, and what its source said beyond it.
#[derive(Debug)]
pub struct Read<D> {
    /// The draft.
    pub draft: D,
    /// How many fields with a value were passed over.
    pub ignored_fields: u32,
}

/// The text of the first field of this name that has one, without blanks around it. It does not
/// look for what the front door refuses.
pub fn text_of<'s, S: Source<'s>>(object: S, name: &str) -> Option<&'s str> {
    let mut named = object.fields().filter(|field| {
        let text = trim(field.value().text());
        field.name() == name && field.is_ours().unwrap_or(true) && !text.is_empty()
    });
    named.next().map(|field| trim(field.value().text()))
}
