//! A zObject of any type: what reading one gives, and what is common to reading its fields.

use super::envelope::is_ours;
use crate::domain::custom_field::CustomField;
use crate::domain::custom_value::CustomDraft;
use crate::domain::white_space::trim;
use crate::xml::ElementRef;

/// What a zObject says.
#[derive(Debug, Default)]
pub(super) struct Read<D> {
    pub(super) draft: D,
    /// How many fields with a value were passed over.
    pub(super) ignored_fields: u32,
}

/// The text of the first field of this name that has one.
pub(super) fn text_of<'d>(object: ElementRef<'d>, name: &str) -> Option<&'d str> {
    let mut named = object.children().filter(|field| {
        field.local() == name && is_ours(field.namespace()) && !field.is_nil() && field.has_text()
    });
    named.next().map(|field| trim(field.text()))
}

/// Reads a field of the tenant's own.
pub(super) fn set_own(draft: &mut CustomDraft, own: &CustomField, field: ElementRef<'_>) {
    match field.children().next() {
        Some(_) => draft.refuse(own, field.text()),
        None => draft.set(own, field.text()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::{XmlLimits, parse};

    #[test]
    fn a_field_can_be_looked_up_by_name() {
        let text = "<a><Comment/><Comment xmlns='urn:x'>1</Comment><Comment> 2\n</Comment></a>";
        let document = parse(text, &XmlLimits::default()).expect(text);
        assert_eq!(text_of(document.root(), "Comment"), Some("2"));
        assert_eq!(text_of(document.root(), "Type"), None);
    }
}
