//! Reads a JSON document within limits, or says what is wrong with it and where.
//!
//! `serde_json` checks the syntax of the whole document first; each value is then taken from the
//! slice of the text in which it stands, so that a number keeps its own digits. The slice of a
//! value is passed once for each object and array around it, which the depth bounds.

use super::document::{Json, Member};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;

/// What a document may cost.
#[derive(Debug, Clone, Copy)]
pub struct JsonLimits {
    /// How deep objects and arrays may be in each other.
    pub depth_max: usize,
    /// How many values there may be in all.
    pub values_max: usize,
}

impl Default for JsonLimits {
    fn default() -> Self {
        Self { depth_max: 32, values_max: 100_000 }
    }
}

/// Why a document could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{trouble} at {place}")]
pub struct JsonError {
    /// What is wrong.
    pub trouble: Trouble,
    /// Where: the path to a value such as `items[2].amount`, or line and column.
    pub place: String,
}

/// What can be wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// The bytes are no UTF-8.
    #[error("the body is not in UTF-8")]
    NotUtf8,
    /// There is nothing.
    #[error("the body is empty")]
    Empty,
    /// The text is no JSON.
    #[error("the body is not JSON: {0}")]
    Syntax(String),
    /// An object has a name twice.
    #[error("a name is there twice")]
    Twice,
    /// A string or a name has the character NUL.
    #[error("a text has the character NUL")]
    Nul,
    /// A string has half of a surrogate pair.
    #[error("a text has a character that does not exist")]
    NoCharacter,
    /// Objects and arrays are too deep in each other.
    #[error("objects and arrays are more than {0} deep")]
    TooDeep(usize),
    /// There are too many values.
    #[error("there are more than {0} values")]
    TooMany(usize),
}

/// Reads a document.
///
/// # Errors
/// What is wrong first, in the order of the text, where the syntax is right.
pub fn read(bytes: &[u8], limits: &JsonLimits) -> Result<Json, JsonError> {
    let fail = |trouble, place: String| Err(JsonError { trouble, place });
    let Ok(text) = std::str::from_utf8(bytes) else {
        return fail(Trouble::NotUtf8, "the body".to_owned());
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return fail(Trouble::Empty, "the body".to_owned());
    }
    let raw: &RawValue = match serde_json::from_str(text) {
        Ok(raw) => raw,
        Err(error) => return Err(of_syntax(&error)),
    };
    let reading = Reading { limits, values: 0, path: Vec::new(), trouble: None };
    let reading = RefCell::new(reading);
    value(raw.get(), &reading).map_err(|Failed| {
        let reading = reading.borrow();
        let trouble = reading.trouble.clone().unwrap_or(Trouble::NoCharacter);
        JsonError { trouble, place: reading.place() }
    })
}

fn of_syntax(error: &serde_json::Error) -> JsonError {
    let place = format!("line {} column {}", error.line(), error.column());
    let text = error.to_string();
    let what = text.split(" at line ").next().unwrap_or(&text).to_owned();
    JsonError { trouble: Trouble::Syntax(what), place }
}

/// How far the reading is.
struct Reading<'l> {
    limits: &'l JsonLimits,
    values: usize,
    path: Vec<Step>,
    trouble: Option<Trouble>,
}

enum Step {
    Name(String),
    Number(usize),
}

/// What is wrong is noted in the reading.
struct Failed;

impl Reading<'_> {
    /// Where the reading is.
    fn place(&self) -> String {
        let mut place = String::new();
        for step in &self.path {
            match step {
                Step::Name(name) if place.is_empty() => place.push_str(name),
                Step::Name(name) => place.extend([".", name]),
                Step::Number(number) => place.push_str(&format!("[{number}]")),
            }
        }
        if place.is_empty() { "the body".to_owned() } else { place }
    }

    fn fail(&mut self, trouble: Trouble) -> Failed {
        self.trouble.get_or_insert(trouble);
        Failed
    }

    /// Counts a value that is about to be read, and whether it opens a level.
    fn count(&mut self, opens: bool) -> Result<(), Failed> {
        self.values = self.values.saturating_add(1);
        let (most, deepest) = (self.limits.values_max, self.limits.depth_max);
        if self.values > most {
            return Err(self.fail(Trouble::TooMany(most)));
        }
        if self.path.len().saturating_add(usize::from(opens)) > deepest {
            return Err(self.fail(Trouble::TooDeep(deepest)));
        }
        Ok(())
    }
}

/// The value of a slice, whose syntax is right.
fn value(slice: &str, reading: &RefCell<Reading<'_>>) -> Result<Json, Failed> {
    reading.borrow_mut().count(slice.starts_with(['[', '{']))?;
    let mut source = serde_json::Deserializer::from_str(slice);
    match slice.as_bytes().first() {
        Some(b'n') => Ok(Json::Null),
        Some(b't') => Ok(Json::Bool(true)),
        Some(b'f') => Ok(Json::Bool(false)),
        Some(b'"') => text(slice, reading).map(Json::Text),
        Some(b'[') => source.deserialize_seq(Items(reading)).map_err(|_| Failed),
        Some(b'{') => source.deserialize_map(Members(reading)).map_err(|_| Failed),
        _ => Ok(Json::Number(slice.into())),
    }
}

fn text(slice: &str, reading: &RefCell<Reading<'_>>) -> Result<Box<str>, Failed> {
    let text: String =
        serde_json::from_str(slice).map_err(|_| reading.borrow_mut().fail(Trouble::NoCharacter))?;
    if text.contains('\0') {
        return Err(reading.borrow_mut().fail(Trouble::Nul));
    }
    Ok(text.into())
}

/// Reads what is one step further down.
fn below<E: serde::de::Error>(
    step: Step,
    slice: &RawValue,
    reading: &RefCell<Reading<'_>>,
) -> Result<Json, E> {
    reading.borrow_mut().path.push(step);
    let value = value(slice.get(), reading).map_err(|Failed| E::custom("noted"))?;
    reading.borrow_mut().path.pop();
    Ok(value)
}

struct Items<'r, 'l>(&'r RefCell<Reading<'l>>);

impl<'de> Visitor<'de> for Items<'_, '_> {
    type Value = Json;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut all = Vec::new();
        while let Some(slice) = items.next_element::<&RawValue>()? {
            all.push(below(Step::Number(all.len()), slice, self.0)?);
        }
        Ok(Json::List(all))
    }
}

struct Members<'r, 'l>(&'r RefCell<Reading<'l>>);

impl<'de> Visitor<'de> for Members<'_, '_> {
    type Value = Json;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut members: Vec<Member> = Vec::new();
        let mut names = HashSet::new();
        while let Some(slice) = map.next_key_seed(Name(self.0))? {
            let step = Step::Name(slice.to_string());
            if !names.insert(slice.clone()) {
                let mut reading = self.0.borrow_mut();
                reading.path.push(step);
                reading.fail(Trouble::Twice);
                return Err(A::Error::custom("noted"));
            }
            let value = below(step, map.next_value()?, self.0)?;
            members.push(Member { name: slice, value });
        }
        Ok(Json::Object(members))
    }
}

/// The name of a member.
struct Name<'r, 'l>(&'r RefCell<Reading<'l>>);

impl<'de> DeserializeSeed<'de> for Name<'_, '_> {
    type Value = Box<str>;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Box<str>, D::Error> {
        source.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_, '_> {
    type Value = Box<str>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a name")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Box<str>, E> {
        if name.contains('\0') {
            self.0.borrow_mut().fail(Trouble::Nul);
            return Err(E::custom("noted"));
        }
        Ok(name.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(text: &str) -> Result<Json, JsonError> {
        read(text.as_bytes(), &JsonLimits::default())
    }

    fn fails(text: &str) -> (Trouble, String) {
        let error = of(text).expect_err(text);
        (error.trouble, error.place)
    }

    #[test]
    fn numbers_keep_their_digits_and_members_their_order() {
        let json = of(" {\"b\": 0.10, \"a\": [1e400, -0, true, null, \"\\u00e9\\n\"]} ").unwrap();
        let members = json.members().unwrap();
        assert_eq!(&*members[0].name, "b");
        assert_eq!(json.get("b"), Some(&Json::Number("0.10".into())));
        let items = json.get("a").and_then(Json::items).unwrap();
        assert_eq!(items[0], Json::Number("1e400".into()));
        assert_eq!(items[4], Json::Text("é\n".into()));
        assert_eq!(of("\u{feff}[]"), Ok(Json::List(Vec::new())));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        assert_eq!(fails("{\"a\":{\"b\":1,\"b\":2}}"), (Trouble::Twice, "a.b".to_owned()));
        let escaped = "{\"a\":1,\"\\u0061\":2}";
        assert_eq!(fails(escaped), (Trouble::Twice, "a".to_owned()));
        assert_eq!(fails("{\"a\":[\"x\\u0000\"]}"), (Trouble::Nul, "a[0]".to_owned()));
        assert_eq!(fails("{\"x\\u0000\":1}"), (Trouble::Nul, "the body".to_owned()));
        assert_eq!(fails("[\"\\ud800\"]"), (Trouble::NoCharacter, "[0]".to_owned()));
        assert_eq!(fails(" \n"), (Trouble::Empty, "the body".to_owned()));
        let (trouble, place) = fails("{\"a\": 01}");
        assert!(matches!(trouble, Trouble::Syntax(_)), "{trouble}");
        assert_eq!(place, "line 1 column 8");
        for wrong in ["{", "[1,]", "{'a':1}", "nul", "1 2", "NaN", "[1.]", "{\"a\"}", "// x\n1"] {
            assert!(matches!(fails(wrong).0, Trouble::Syntax(_)), "{wrong}");
        }
        assert_eq!(
            read(b"\"\xff\"", &JsonLimits::default()).unwrap_err().trouble,
            Trouble::NotUtf8
        );
    }

    #[test]
    fn a_document_has_bounds() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(of(&nested(32)).is_ok());
        assert!(of(&format!("{}1{}", "[".repeat(32), "]".repeat(32))).is_ok());
        assert_eq!(fails(&nested(33)).0, Trouble::TooDeep(32));
        assert_eq!(fails(&nested(100_000)).0, Trouble::TooDeep(32));
        let limits = JsonLimits { values_max: 3, ..JsonLimits::default() };
        assert!(read(b"[1,2]", &limits).is_ok());
        assert_eq!(read(b"[1,2,3]", &limits).unwrap_err().trouble, Trouble::TooMany(3));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes, &JsonLimits::default());
        }

        #[test]
        fn it_accepts_what_serde_json_accepts(text in "[\\[\\]{}:, \"a1e.\\-tfn\\\\u0]{0,24}") {
            let ours = of(&text);
            let theirs = serde_json::from_str::<serde_json::Value>(&text);
            let bounded = matches!(&ours, Err(error) if matches!(error.trouble,
                Trouble::Twice | Trouble::Nul));
            // Numbers beyond a float are numbers here.
            let large = text.contains(['e', '1']);
            prop_assert!(ours.is_ok() == theirs.is_ok() || bounded || large, "{ours:?} {theirs:?}");
        }
    }
}
