//! A zObject of type Refund becomes a draft: every field read once, nothing judged yet.
//!
//! Fields come in any order, under any of the API's namespaces, with CDATA and comments. What a
//! caller may not send is passed over but never silently: it is counted, and its first name is
//! kept for those who want it strict.

use super::envelope::{is_ours, refuse_reference};
use super::fault::Fault;
use crate::domain::draft::{GatewayOption, RefundDraft, RefundField};
use crate::xml::ElementRef;

/// What a zObject says.
#[derive(Debug, Default)]
pub(super) struct ReadRefund {
    pub(super) draft: RefundDraft,
    /// How many fields with a value were passed over.
    pub(super) ignored_fields: u32,
}

/// Reads the fields of `object`.
pub(super) fn read(object: ElementRef<'_>) -> Result<ReadRefund, Fault> {
    let mut fields = Fields { read: ReadRefund::default(), seen: Vec::with_capacity(12) };
    for field in object.children() {
        fields.take(field)?;
    }
    Ok(fields.read)
}

/// The text of the first field of this name that has one.
pub(super) fn text_of<'d>(object: ElementRef<'d>, name: &str) -> Option<&'d str> {
    let mut named = object.children().filter(|field| {
        field.local() == name && is_ours(field.namespace()) && !field.is_nil() && field.has_text()
    });
    named.next().map(|field| trimmed(field.text()))
}

struct Fields<'d> {
    read: ReadRefund,
    /// The fields that had a value so far, with it.
    seen: Vec<(RefundField, ElementRef<'d>)>,
}

impl<'d> Fields<'d> {
    fn take(&mut self, field: ElementRef<'d>) -> Result<(), Fault> {
        if !is_ours(field.namespace()) {
            self.ignore(field);
            return Ok(());
        }
        refuse_reference(field)?;
        if field.is_nil() {
            return Ok(());
        }
        match (field.local(), RefundField::from_name(field.local())) {
            (_, Some(known)) => self.set(known, field),
            // Only an update means it.
            ("fieldsToNull", _) => {}
            ("GatewayOptionData", _) => self.take_gateway_options(field)?,
            (name, _) => {
                self.read.draft.check_unused_id(name, field.text());
                self.ignore(field);
            }
        }
        Ok(())
    }

    fn set(&mut self, known: RefundField, field: ElementRef<'d>) {
        let draft = &mut self.read.draft;
        let text = field.text();
        let holds_elements = field.children().next().is_some();
        if !holds_elements && !field.has_text() && !known.is_id() {
            return;
        }
        let earlier = self.seen.iter().find(|(seen, _)| *seen == known).map(|(_, field)| *field);
        self.seen.push((known, field));
        match earlier {
            None if holds_elements => draft.set_twice(known, text),
            None => draft.set(known, text),
            Some(earlier) if is_alias(earlier, field) && !holds_elements => {}
            Some(_) => {
                draft.check_unused_id(known.name(), text);
                draft.set_twice(known, text);
            }
        }
    }

    fn take_gateway_options(&mut self, data: ElementRef<'d>) -> Result<(), Fault> {
        let mut options = Vec::new();
        for option in data.children().filter(|child| child.local() == "GatewayOption") {
            refuse_reference(option)?;
            if is_ours(option.namespace()) && !option.is_nil() {
                let text = |name| text_of(option, name).unwrap_or_default().to_owned();
                options.push(GatewayOption { name: text("name"), value: text("value") });
            }
        }
        self.read.draft.set_gateway_options(options);
        Ok(())
    }

    /// Passes over a field that a caller may not send, or that Refund does not have.
    fn ignore(&mut self, field: ElementRef<'_>) {
        let has_value = field.has_text() || field.children().next().is_some();
        if field.is_nil() || !has_value {
            return;
        }
        self.read.ignored_fields += 1;
        tracing::debug!(field = ?field.local(), "a field of Refund is ignored");
        self.read.draft.unknown_field.get_or_insert_with(|| field.local().to_owned());
    }
}

/// Whether both are one field under its two names, and say the same.
fn is_alias(one: ElementRef<'_>, other: ElementRef<'_>) -> bool {
    one.local() != other.local() && trimmed(one.text()) == trimmed(other.text())
}

fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\r', '\n'])
}
