//! How large a document may be, and the names by which an exceeded limit is reported and counted.

use serde::{Deserialize, Serialize};

/// The limits of a document. A value that equals its limit is still accepted.
///
/// The attributes of a tag are compared with each other, so raise that limit by tens, not by
/// thousands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct XmlLimits {
    /// How deep elements may nest; the root is at depth 1.
    pub depth_max: usize,
    /// How many elements a document may have.
    pub elements_max: usize,
    /// How many attributes a tag may have, its namespace declarations not counted.
    pub attributes_per_tag_max: usize,
    /// How many attributes all tags of a document may have together.
    pub attributes_max: usize,
    /// How many namespaces a tag may declare; see also [`LimitKind::Namespaces`].
    pub namespaces_per_tag_max: usize,
    /// How many bytes of UTF-8 the name of an element or attribute may have, with its prefix.
    pub name_bytes_max: usize,
    /// How many bytes of UTF-8 the text directly in one element, or one attribute, may have.
    pub text_bytes_max: usize,
}

impl Default for XmlLimits {
    fn default() -> Self {
        Self {
            depth_max: 32,
            elements_max: 10_000,
            attributes_per_tag_max: 32,
            attributes_max: 20_000,
            namespaces_per_tag_max: 32,
            name_bytes_max: 128,
            text_bytes_max: 65_536,
        }
    }
}

/// Which limit a document exceeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LimitKind {
    /// Elements nest too deep.
    Depth,
    /// There are too many elements.
    Elements,
    /// A tag has too many attributes.
    Attributes,
    /// All tags together have too many attributes.
    AllAttributes,
    /// A tag declares too many namespaces, or more than [`LimitKind::NAMESPACES_IN_SCOPE_MAX`]
    /// are in scope at once.
    Namespaces,
    /// A name is too long.
    NameLength,
    /// The text of an element or the value of an attribute is too long.
    TextLength,
}

impl LimitKind {
    /// Every limit, in the order of the fields of [`XmlLimits`].
    pub const ALL: [Self; 7] = [
        Self::Depth,
        Self::Elements,
        Self::Attributes,
        Self::AllAttributes,
        Self::Namespaces,
        Self::NameLength,
        Self::TextLength,
    ];

    /// How many declarations may be in scope at an element, so that looking a prefix up stays
    /// cheap; a larger [`XmlLimits::namespaces_per_tag_max`] raises it.
    pub const NAMESPACES_IN_SCOPE_MAX: usize = 128;

    /// The name in messages and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Depth => "xml depth",
            Self::Elements => "xml elements",
            Self::Attributes => "xml attributes",
            Self::AllAttributes => "xml attributes in all",
            Self::Namespaces => "xml namespaces",
            Self::NameLength => "xml name length",
            Self::TextLength => "xml text length",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_left_out_keep_their_defaults() {
        let limits: XmlLimits = toml::from_str("depth_max = 5").expect("limits");
        assert_eq!(limits, XmlLimits { depth_max: 5, ..XmlLimits::default() });
    }

    #[test]
    fn an_unknown_limit_is_an_error() {
        let error = toml::from_str::<XmlLimits>("depth = 5").expect_err("a misspelt key");
        assert!(error.to_string().contains("unknown field `depth`"), "{error}");
    }

    #[test]
    fn every_limit_has_a_name_of_its_own() {
        let names: std::collections::HashSet<_> =
            LimitKind::ALL.iter().map(|kind| kind.name()).collect();
        assert_eq!(names.len(), LimitKind::ALL.len());
    }
}
