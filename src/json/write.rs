//! Writes JSON in one line.
//!
//! What must stay true: what is open is closed, commas stand where they belong, and no text can
//! make the result ill-formed.

/// Builds a document from its root inwards.
#[derive(Debug, Default)]
pub struct JsonWriter {
    out: String,
    /// What closes each object and array that is open.
    open: Vec<char>,
    /// Whether a value or member stands before the next one.
    has_one: bool,
}

impl JsonWriter {
    /// A writer of an empty document.
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens an object.
    pub fn object(&mut self) -> &mut Self {
        self.begin('{', '}')
    }

    /// Opens an array.
    pub fn list(&mut self) -> &mut Self {
        self.begin('[', ']')
    }

    /// Closes what was opened last.
    pub fn close(&mut self) -> &mut Self {
        if let Some(end) = self.open.pop() {
            self.out.push(end);
            self.has_one = true;
        }
        self
    }

    /// The name of the member whose value is written next.
    pub fn name(&mut self, name: &str) -> &mut Self {
        self.separate();
        self.quoted(name);
        self.out.push(':');
        self.has_one = false;
        self
    }

    /// A string.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.separate();
        self.quoted(text);
        self.has_one = true;
        self
    }

    /// A string, or `null`.
    pub fn text_or_null(&mut self, text: Option<&str>) -> &mut Self {
        match text {
            Some(text) => self.text(text),
            None => self.null(),
        }
    }

    /// A number in the digits that it is to have, which the caller makes from a number.
    pub fn number(&mut self, digits: impl std::fmt::Display) -> &mut Self {
        self.bare(&digits.to_string())
    }

    /// `true` or `false`.
    pub fn bool(&mut self, value: bool) -> &mut Self {
        self.bare(if value { "true" } else { "false" })
    }

    /// `null`.
    pub fn null(&mut self) -> &mut Self {
        self.bare("null")
    }

    /// The document; what is open yet is closed.
    pub fn into_bytes(mut self) -> Vec<u8> {
        while !self.open.is_empty() {
            self.close();
        }
        self.out.into_bytes()
    }

    fn begin(&mut self, start: char, end: char) -> &mut Self {
        self.separate();
        self.out.push(start);
        self.open.push(end);
        self.has_one = false;
        self
    }

    fn bare(&mut self, text: &str) -> &mut Self {
        self.separate();
        self.out.push_str(text);
        self.has_one = true;
        self
    }

    fn separate(&mut self) {
        if self.has_one {
            self.out.push(',');
        }
    }

    fn quoted(&mut self, text: &str) {
        self.out.push('"');
        for character in text.chars() {
            match character {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                control if control < ' ' => {
                    self.out.push_str(&format!("\\u{:04x}", u32::from(control)));
                }
                other => self.out.push(other),
            }
        }
        self.out.push('"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Json, JsonLimits, read};
    use proptest::prelude::*;

    fn write(json: &Json, writer: &mut JsonWriter) {
        match json {
            Json::Null => writer.null(),
            Json::Bool(value) => writer.bool(*value),
            Json::Number(digits) => writer.number(digits),
            Json::Text(text) => writer.text(text),
            Json::List(items) => {
                writer.list();
                items.iter().for_each(|item| write(item, writer));
                writer.close()
            }
            Json::Object(members) => {
                writer.object();
                for member in members {
                    writer.name(&member.name);
                    write(&member.value, writer);
                }
                writer.close()
            }
        };
    }

    #[test]
    fn what_is_open_is_closed() {
        let mut writer = JsonWriter::new();
        writer.object().name("a").number(10).name("b").list().text("x\"").null().close();
        writer.name("c").object().name("d").bool(true);
        let text = String::from_utf8(writer.into_bytes()).unwrap();
        assert_eq!(text, r#"{"a":10,"b":["x\"",null],"c":{"d":true}}"#);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(text in any::<String>(), name in any::<String>()) {
            let clean = |text: String| text.replace('\0', "");
            let (text, name) = (clean(text), clean(name));
            let mut writer = JsonWriter::new();
            writer.object().name(&name).list().text(&text).number("1.50").null();
            let bytes = writer.into_bytes();
            let json = read(&bytes, &JsonLimits::default()).unwrap();
            let items = json.get(&name).and_then(Json::items).unwrap();
            prop_assert_eq!(items[0].text(), Some(text.as_str()));
            let mut again = JsonWriter::new();
            write(&json, &mut again);
            prop_assert_eq!(again.into_bytes(), bytes);
        }
    }
}
