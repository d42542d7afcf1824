//! The inside of a tag or of the XML declaration, cut into `name="value"` pairs.
//!
//! Stricter than the tokenizer's own iterator, which takes pairs without white space between them.

use super::characters::is_space;

/// A pair as it stands in the tag, nothing resolved and no name checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RawAttribute<'a> {
    pub(super) name: &'a str,
    pub(super) value: &'a str,
    /// Where the name starts, in bytes from the start of the tag.
    pub(super) name_offset: usize,
    /// Where the value starts, after its quote.
    pub(super) value_offset: usize,
}

impl<'a> RawAttribute<'a> {
    /// The prefix that the pair declares a namespace for, "" for the default namespace; nothing if
    /// it is no declaration.
    pub(super) fn declared_prefix(&self) -> Option<&'a str> {
        match self.name.strip_prefix("xmlns")? {
            "" => Some(""),
            rest => rest.strip_prefix(':'),
        }
    }
}

/// What is wrong with a pair, and where in the tag.
pub(super) type TagError = (&'static str, usize);

/// Walks over the pairs of a tag; ends after the first error.
#[derive(Clone, Copy)]
pub(super) struct RawAttributes<'a> {
    rest: &'a str,
    tag_bytes: usize,
}

/// Cuts the inside of a tag (what is between `<` and `>` or `/>`) into its name and its pairs.
pub(super) fn split(tag: &str) -> (&str, RawAttributes<'_>) {
    let end = tag.bytes().position(is_space).unwrap_or(tag.len());
    let (name, rest) = tag.split_at(end);
    (name, RawAttributes { rest, tag_bytes: tag.len() })
}

impl<'a> RawAttributes<'a> {
    /// Whether the name of the tag ends it.
    pub(super) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    fn offset(&self) -> usize {
        self.tag_bytes - self.rest.len()
    }

    fn skip_space(&mut self) {
        let end = self.rest.bytes().position(|byte| !is_space(byte)).unwrap_or(self.rest.len());
        self.rest = self.rest.split_at(end).1;
    }

    fn read(&mut self) -> Result<RawAttribute<'a>, TagError> {
        let name_offset = self.offset();
        let is_end = |byte: u8| byte == b'=' || is_space(byte);
        let end = self.rest.bytes().position(is_end).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        self.skip_space();
        let Some(rest) = self.rest.strip_prefix('=') else {
            return Err(("expected = after the name of an attribute", self.offset()));
        };
        self.rest = rest;
        self.skip_space();
        let quote = match self.rest.as_bytes().first() {
            Some(quote @ (b'"' | b'\'')) => *quote,
            _ => return Err(("expected a quoted value of an attribute", self.offset())),
        };
        let quoted = self.rest.split_at(1).1;
        let value_offset = self.offset() + 1;
        let Some(end) = memchr::memchr(quote, quoted.as_bytes()) else {
            return Err(("expected a quote after the value of an attribute", self.tag_bytes));
        };
        let (value, rest) = quoted.split_at(end);
        self.rest = rest.split_at(1).1;
        Ok(RawAttribute { name, value, name_offset, value_offset })
    }
}

impl<'a> Iterator for RawAttributes<'a> {
    type Item = Result<RawAttribute<'a>, TagError>;

    fn next(&mut self) -> Option<Self::Item> {
        let before = self.offset();
        self.skip_space();
        if self.rest.is_empty() {
            return None;
        }
        let result = if self.offset() == before {
            Err(("expected white space before the name of an attribute", before))
        } else {
            self.read()
        };
        if result.is_err() {
            self.rest = "";
        }
        Some(result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(tag: &str) -> Vec<Result<(&str, &str), TagError>> {
        let pair = |raw: RawAttribute<'_>| {
            assert_eq!(
                tag.get(raw.name_offset..).map(|rest| rest.starts_with(raw.name)),
                Some(true)
            );
            assert_eq!(
                tag.get(raw.value_offset..).map(|rest| rest.starts_with(raw.value)),
                Some(true)
            );
        };
        let (_, attributes) = split(tag);
        attributes
            .map(|item| {
                item.map(|raw| {
                    pair(raw);
                    (raw.name, raw.value)
                })
            })
            .collect()
    }

    #[test]
    fn names_and_values_are_cut_out() {
        assert_eq!(split("ns1:create").0, "ns1:create");
        assert_eq!(split("a\tb='1'").0, "a");
        let expected = vec![Ok(("b", "1")), Ok(("c:d", "it's")), Ok(("e", ""))];
        assert_eq!(pairs("a b='1'\r\n c:d = \"it's\" e='' "), expected);
    }

    #[test]
    fn broken_pairs_are_told_with_their_place() {
        let last = |tag| pairs(tag).pop().and_then(Result::err);
        assert_eq!(last("a b"), Some(("expected = after the name of an attribute", 3)));
        assert_eq!(last("a b c='1'"), Some(("expected = after the name of an attribute", 4)));
        assert_eq!(last("a b=1"), Some(("expected a quoted value of an attribute", 4)));
        assert_eq!(last("a b="), Some(("expected a quoted value of an attribute", 4)));
        assert_eq!(last("a b='1"), Some(("expected a quote after the value of an attribute", 6)));
        let glued = ("expected white space before the name of an attribute", 7);
        assert_eq!(last("a b='1'c='2'"), Some(glued));
        assert_eq!(pairs("a b='1'c='2' d='3'").len(), 2);
    }
}
