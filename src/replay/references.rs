//! The objects that a capture takes for granted: those that its requests and answers name by id.

use super::compare::{LIMITS, operation};
use crate::domain::zoql::{self, Literal};
use crate::xml::{ElementRef, decode, parse};
use std::fmt;

/// An object that is named.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Reference {
    /// Its type.
    pub(super) object: String,
    /// Its id; of an account also its number.
    pub(super) id: String,
}

impl fmt::Display for Reference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.object, self.id)
    }
}

/// The fields that name an object of another type, and that type.
const FIELDS: [(&str, &str); 8] = [
    ("AccountId", "Account"),
    ("PaymentMethodId", "PaymentMethod"),
    ("PaymentMethodID", "PaymentMethod"),
    ("DefaultPaymentMethodId", "PaymentMethod"),
    ("PaymentId", "Payment"),
    ("InvoiceId", "Invoice"),
    ("RefundId", "Refund"),
    ("SourceTransactionId", "Invoice"),
];

/// Whether a text is an id: 32 letters or digits.
pub(super) fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Everything that a message names: the body of a request, or of an answer with records.
pub(super) fn named_in(message: &[u8]) -> Vec<Reference> {
    let mut found = Vec::new();
    let Ok(text) = decode(message, None) else { return found };
    let Ok(document) = parse(&text, &LIMITS) else { return found };
    if let Some(operation) = operation(document.root()) {
        below(operation, &mut found);
    }
    found.sort();
    found.dedup();
    found
}

/// Everything that an object or a record names, itself included.
pub(super) fn named_below(object: ElementRef<'_>) -> Vec<Reference> {
    let mut found = Vec::new();
    below(object, &mut found);
    found
}

fn below(element: ElementRef<'_>, found: &mut Vec<Reference>) {
    let of_type = element.xsi_type().map(|name| name.local.to_owned());
    let deleted = element.children().find(|child| child.local() == "type");
    let deleted = deleted.map(|child| child.text().trim().to_owned());
    for child in element.children() {
        let text = child.text().trim();
        match child.local() {
            "Id" => add(found, of_type.as_deref(), text),
            "ids" => add(found, deleted.as_deref(), text),
            "queryString" => queried(text, found),
            field => {
                let object = FIELDS.iter().find(|(name, _)| *name == field);
                add(found, object.map(|(_, object)| *object), text);
            }
        }
        below(child, found);
    }
}

fn add(found: &mut Vec<Reference>, object: Option<&str>, text: &str) {
    let is_account_number = object == Some("Account") && is_number(text);
    if let Some(object) = object.filter(|_| is_id(text) || is_account_number) {
        found.push(Reference { object: object.to_owned(), id: text.to_owned() });
    }
}

/// Whether a text may be the number of an account.
fn is_number(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    (2..=50).contains(&text.len())
        && text.bytes().all(is_part)
        && text.bytes().any(|byte| byte.is_ascii_digit())
}

fn queried(text: &str, found: &mut Vec<Reference>) {
    let Ok(query) = zoql::parse(text) else { return };
    for comparison in query.conditions.iter().flatten() {
        let Literal::Quoted(value) = &comparison.literal else { continue };
        let field = comparison.field.as_str();
        let object = match FIELDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(field)) {
            Some((_, object)) => Some(*object),
            None if field.eq_ignore_ascii_case("Id") => Some(query.object.as_str()),
            None if field.eq_ignore_ascii_case("AccountNumber") => Some("Account"),
            None => None,
        };
        add(found, object, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "402892c72b9e3319012b9e34b88e0001";
    const OTHER: &str = "8a80812f3ec0d1a5013ec0d1a5aa0002";

    fn reported(body: &str) -> Vec<String> {
        let envelope = format!(
            "<e xmlns:i='http://www.w3.org/2001/XMLSchema-instance'><Body>{body}</Body></e>"
        );
        named_in(envelope.as_bytes()).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn objects_are_named_by_fields_types_and_queries() {
        let refund = format!(
            "<create><zObjects i:type='Refund'><AccountId>{ONE}</AccountId>\
             <PaymentMethodId>{OTHER}</PaymentMethodId><Comment>{OTHER}</Comment></zObjects>\
             </create>"
        );
        let expected = [format!("Account {ONE}"), format!("PaymentMethod {OTHER}")];
        assert_eq!(reported(&refund), expected);
        assert_eq!(
            reported(&format!(
                "<update><zObjects i:type='Account'><Id>{ONE}</Id></zObjects></update>"
            )),
            [format!("Account {ONE}")]
        );
        assert_eq!(
            reported(&format!("<delete><type>Refund</type><ids>{ONE}</ids></delete>")),
            [format!("Refund {ONE}")]
        );
        let query = format!(
            "<query><queryString>select Id from Payment where Id = '{ONE}' and AccountId = 'A-1'\
             </queryString></query>"
        );
        assert_eq!(reported(&query), ["Account A-1".to_owned(), format!("Payment {ONE}")]);
        assert_eq!(
            reported("<create><zObjects><AccountId>?</AccountId></zObjects></create>"),
            [""; 0]
        );
    }
}
