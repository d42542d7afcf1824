//! The conditions of a statement that is put together, and the values that are bound to it.
//!
//! What must stay true: the texts are literals of this program; whatever a caller wrote is a value.

use crate::ledger::record::Value;

/// Conditions that all have to hold.
#[derive(Default)]
pub(super) struct Conditions {
    texts: Vec<String>,
    values: Vec<Value<'static>>,
}

impl Conditions {
    /// Adds a condition; each `?` in it is the value.
    pub(super) fn add(&mut self, text: &str, value: Value<'static>) {
        let place = self.bind(value);
        self.texts.push(text.replace('?', &place));
    }

    /// Adds that an expression is this text, or nothing.
    pub(super) fn is(&mut self, expression: &str, text: Option<&String>) {
        match text {
            None => self.texts.push(format!("{expression} is null")),
            Some(text) => self.add(&format!("{expression} = ?"), text.clone().into()),
        }
    }

    /// Adds a condition that nothing meets.
    pub(super) fn never(&mut self) {
        self.hold("false");
    }

    /// Adds a condition without a value of its own.
    pub(super) fn hold(&mut self, text: &str) {
        self.texts.push(text.to_owned());
    }

    /// Whether there is no condition.
    pub(super) const fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// Binds a value, and gives its place in the statement.
    pub(super) fn bind(&mut self, value: Value<'static>) -> String {
        self.values.push(value);
        format!("?{}", self.values.len())
    }

    /// The conditions in one; true where there are none.
    pub(super) fn all(&self) -> String {
        if self.texts.is_empty() { "true".to_owned() } else { self.texts.join(" and ") }
    }

    /// What is bound, in the order of the places.
    pub(super) fn values(&self) -> &[Value<'static>] {
        &self.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_caller_wrote_is_bound_and_never_part_of_the_statement() {
        let mut conditions = Conditions::default();
        assert_eq!(conditions.all(), "true");
        conditions.add("(one = ? or other = ?)", 5.into());
        let text = "'; drop table refund; --".to_owned();
        conditions.is("name", Some(&text));
        conditions.is("name", None);
        conditions.never();
        assert_eq!(
            conditions.all(),
            "(one = ?1 or other = ?1) and name = ?2 and name is null and false"
        );
        assert_eq!(conditions.bind(7.into()), "?3");
        assert_eq!(conditions.values(), [5.into(), text.into(), 7.into()]);
    }
}
