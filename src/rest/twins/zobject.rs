//! A JSON object as the drafts read it: each member is a field, each item of an array a field of
//! the array's name.

use super::fault::Fault;
use crate::domain::draft::source::{Source, Value};
use crate::json::{Json, Member};

/// An object, or a field of one.
#[derive(Debug, Clone, Copy)]
pub(super) struct ZObject<'j> {
    name: &'j str,
    value: &'j Json,
}

impl<'j> ZObject<'j> {
    /// An object that is no field of another.
    pub(super) const fn new(value: &'j Json) -> Self {
        Self { name: "", value }
    }

    const fn field(member: &'j Member, value: &'j Json) -> Self {
        Self { name: &member.name, value }
    }
}

impl<'j> Source<'j> for ZObject<'j> {
    type Refusal = Fault;

    fn name(self) -> &'j str {
        self.name
    }

    fn value(self) -> Value<'j> {
        match self.value {
            Json::Null => Value::Nil,
            Json::Bool(true) => Value::Text("true"),
            Json::Bool(false) => Value::Text("false"),
            Json::Number(text) | Json::Text(text) => Value::Text(text),
            Json::List(_) | Json::Object(_) => Value::Nested(""),
        }
    }

    fn fields(self) -> impl Iterator<Item = Self> {
        let members = self.value.members().unwrap_or_default();
        members.iter().flat_map(|member| {
            let items = member.value.items();
            let items = items.unwrap_or_else(|| std::slice::from_ref(&member.value));
            items.iter().map(move |item| Self::field(member, item))
        })
    }

    fn is_ours(self) -> Result<bool, Fault> {
        Ok(true)
    }

    fn is_passed_over(self) {
        tracing::debug!(field = ?self.name, "a field is ignored");
    }
}
