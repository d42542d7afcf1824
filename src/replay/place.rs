//! Places in a document: the small part of XPath that `ignore` and `match` understand.
//!
//! `/a/b` is a path from the root, `//b` and `//a/b` may start anywhere. Names are local,
//! regardless of their namespace, and `[2]` picks the second of its name. Everything else is an
//! error, so that a rule with no effect is noticed. The paths that reports name can be used as they
//! are.
//!
//! In JSON, `/reasons/0/message` and `$.reasons[0].message` are such a path too: the first item of
//! the member `reasons`, which is numbered from 1 within this room.

use std::fmt;

/// A checked path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct Place {
    anywhere: bool,
    steps: Vec<Step>,
}

/// An element on the way: its local name, and which of its name it is among its siblings.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Step {
    name: String,
    number: Option<usize>,
}

/// Why a text is no place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no place: only /a/b, //b, //a/b, a[2], /a/0 and $.a[0].b, without prefixes, are \
     understood"
)]
pub struct NotAPlace(String);

impl Place {
    /// Reads a path.
    pub fn parse(text: &str) -> Result<Self, NotAPlace> {
        let not_a_place = || NotAPlace(text.to_owned());
        if let Some(rest) = text.strip_prefix('$') {
            let steps = of_json_path(rest).filter(|steps| !steps.is_empty());
            return Ok(Self { anywhere: false, steps: steps.ok_or_else(not_a_place)? });
        }
        let (anywhere, rest) = match text.strip_prefix("//") {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('/').ok_or_else(not_a_place)?),
        };
        let mut steps = Vec::new();
        for part in rest.split('/') {
            let is_index = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            if is_index {
                add_item(&mut steps, part).ok_or_else(not_a_place)?;
            } else {
                steps.push(Step::parse(part).ok_or_else(not_a_place)?);
            }
        }
        Ok(Self { anywhere, steps })
    }

    /// Whether the element at the end of `way` is meant: each element from the root on, with its
    /// number among the siblings of its name.
    pub fn is_at(&self, way: &[(&str, usize)]) -> bool {
        let Some(above) = way.len().checked_sub(self.steps.len()) else { return false };
        let end = way.iter().skip(above);
        (self.anywhere || above == 0) && self.steps.iter().zip(end).all(|(step, at)| step.is(*at))
    }
}

/// The steps of a JSONPath after its `$`: `.name`, `[0]` and `[*]`.
fn of_json_path(mut rest: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let (name, after) = after.split_at(after.find(['.', '[']).unwrap_or(after.len()));
            steps.push(Step::parse(name)?);
            rest = after;
            continue;
        }
        let (index, after) = rest.strip_prefix('[')?.split_once(']')?;
        if index != "*" {
            add_item(&mut steps, index)?;
        }
        rest = after;
    }
    Some(steps)
}

/// Goes on to the item with this index, which counts from 0.
fn add_item(steps: &mut Vec<Step>, index: &str) -> Option<()> {
    let number = index.parse::<usize>().ok()?.checked_add(1)?;
    match steps.last_mut() {
        Some(step) if step.number.is_none() => step.number = Some(number),
        _ => steps.push(Step { name: String::new(), number: Some(number) }),
    }
    Some(())
}

impl Step {
    fn parse(text: &str) -> Option<Self> {
        let (name, number) = match text.strip_suffix(']').map(|text| text.split_once('[')) {
            None => (text, None),
            Some(Some((name, number))) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
                (name, Some(number.parse().ok().filter(|number| *number > 0)?))
            }
            Some(_) => return None,
        };
        let mut characters = name.chars();
        let starts = characters.next().is_some_and(|first| first.is_alphabetic() || first == '_');
        let goes_on = |character: char| character.is_alphanumeric() || "_-.".contains(character);
        let is_name = starts && characters.all(goes_on);
        is_name.then(|| Self { name: name.to_owned(), number })
    }

    fn is(&self, (name, number): (&str, usize)) -> bool {
        self.name == name && self.number.is_none_or(|wanted| wanted == number)
    }
}

impl TryFrom<String> for Place {
    type Error = NotAPlace;

    fn try_from(text: String) -> Result<Self, NotAPlace> {
        Self::parse(&text)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(if self.anywhere { "/" } else { "" })?;
        for step in &self.steps {
            write!(out, "/{}", step.name)?;
            if let Some(number) = step.number {
                write!(out, "[{number}]")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_at(place: &str, way: &[(&str, usize)]) -> bool {
        Place::parse(place).expect(place).is_at(way)
    }

    #[test]
    fn a_path_from_the_root_is_exact() {
        assert!(is_at("/a/b", &[("a", 1), ("b", 3)]));
        assert!(!is_at("/a/b", &[("a", 1)]));
        assert!(!is_at("/a/b", &[("a", 1), ("b", 1), ("c", 1)]));
        assert!(!is_at("/a/b", &[("c", 1), ("a", 1), ("b", 1)]));
    }

    #[test]
    fn a_path_from_anywhere_ends_at_the_element() {
        assert!(is_at("//b", &[("a", 1), ("b", 1)]));
        assert!(is_at("//b", &[("b", 1)]));
        assert!(is_at("//a/b", &[("c", 1), ("a", 1), ("b", 1)]));
        assert!(!is_at("//a/b", &[("a", 1), ("c", 1), ("b", 1)]));
        assert!(!is_at("//a", &[("a", 1), ("b", 1)]));
    }

    #[test]
    fn a_number_picks_one_of_its_name() {
        assert!(is_at("//result[2]/Id", &[("x", 1), ("result", 2), ("Id", 1)]));
        assert!(!is_at("//result[2]/Id", &[("x", 1), ("result", 1), ("Id", 1)]));
    }

    #[test]
    fn places_of_json_count_from_0() {
        for place in
            ["/reasons/0/code", "$.reasons[0].code", "/reasons[1]/code", "//reasons/0/code"]
        {
            assert!(is_at(place, &[("reasons", 1), ("code", 0)]), "{place}");
            assert!(!is_at(place, &[("reasons", 2), ("code", 0)]), "{place}");
        }
        assert!(is_at("$.reasons[*].code", &[("reasons", 7), ("code", 0)]));
        assert!(is_at("$[1].Id", &[("", 2), ("Id", 0)]) && is_at("/1/Id", &[("", 2), ("Id", 0)]));
        for text in ["$", "$.", "$a", "$.a[", "$.a[x]", "$..a", "$.a[-1]"] {
            assert!(Place::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        let refused = [
            "",
            "a",
            "/",
            "//",
            "/a/",
            "/a//b",
            "///a",
            "/ns1:a",
            "/*",
            "/a/@b",
            "/a[b='1']",
            "/a[0]",
            "/a[]",
            "/a[-1]",
            "/a[+1]",
            "/a]",
            "//a/text()",
            "/a | /b",
            "/1a",
            "/a b",
        ];
        for text in refused {
            assert!(Place::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_place_is_shown_as_it_was_given() {
        for text in ["/a/b", "//b", "//a[2]/b-c.d", "/Größe"] {
            assert_eq!(Place::parse(text).expect(text).to_string(), text);
        }
    }
}
