//! The namespaces of a document: which prefix means which at the current place, and a number for
//! each that is used.
//!
//! What must stay true: an element or attribute costs no text of its own, only its namespace's
//! number; what is in scope at once is bounded, so that looking a prefix up stays cheap.

use crate::domain::number::saturated;
use std::borrow::Cow;
use std::collections::HashMap;

use super::document::NamespaceId;
use super::references::attribute_value;

/// What the prefix `xml` always means.
pub(super) const XML: &str = "http://www.w3.org/XML/1998/namespace";
/// What the prefix `xmlns` always means.
pub(super) const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

/// The number of "", no namespace.
pub(super) const NONE: NamespaceId = 0;

/// How many namespaces are searched one by one before the hash map is asked; real documents have
/// fewer.
const SEARCHED_MAX: usize = 16;

/// The declarations in scope, and the namespaces that were used so far.
pub(super) struct Namespaces<'a> {
    names: Vec<Cow<'a, str>>,
    beyond_searched: HashMap<Cow<'a, str>, NamespaceId>,
    in_scope: Vec<Binding<'a>>,
    in_scope_max: usize,
}

/// What a prefix means ("" is the default namespace) inside an element.
struct Binding<'a> {
    prefix: &'a str,
    /// The namespace as it stands in the tag.
    written: &'a str,
    /// Its number, once it was used.
    number: Option<NamespaceId>,
    /// How deep the element is that declares it.
    depth: usize,
}

/// Why a declaration cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DeclarationError {
    /// More are in scope than may be.
    TooMany,
    /// A reserved prefix or a reserved namespace.
    Reserved,
}

impl<'a> Namespaces<'a> {
    /// Nothing is declared; up to `in_scope_max` may be at once.
    pub(super) fn new(in_scope_max: usize) -> Self {
        let mut names = Vec::with_capacity(8);
        names.push(Cow::Borrowed(""));
        let in_scope = Vec::with_capacity(8);
        Self { names, beyond_searched: HashMap::new(), in_scope, in_scope_max }
    }

    pub(super) fn name(&self, number: NamespaceId) -> &str {
        let index = saturated::<usize>(number);
        self.names.get(index).map_or("", AsRef::as_ref)
    }

    pub(super) fn into_names(self) -> Vec<Cow<'a, str>> {
        self.names
    }

    /// Takes the declaration of `prefix` by an element at `depth`.
    pub(super) fn declare(
        &mut self,
        prefix: &'a str,
        written: &'a str,
        depth: usize,
    ) -> Result<(), DeclarationError> {
        let is_reserved = match prefix {
            // It needs no declaration, but may have one.
            "xml" if written == XML => return Ok(()),
            "xml" | "xmlns" => true,
            "" => false,
            _ => written == XML || written == XMLNS,
        };
        if is_reserved {
            return Err(DeclarationError::Reserved);
        }
        if self.in_scope.len() >= self.in_scope_max {
            return Err(DeclarationError::TooMany);
        }
        self.in_scope.push(Binding { prefix, written, number: None, depth });
        Ok(())
    }

    /// Forgets what an element at `depth` has declared.
    pub(super) fn leave(&mut self, depth: usize) {
        while self.in_scope.pop_if(|binding| binding.depth >= depth).is_some() {}
    }

    /// The namespace that a prefix means here; nothing if it is not declared. For no prefix it is
    /// the default namespace.
    pub(super) fn resolve(&mut self, prefix: &str) -> Option<NamespaceId> {
        let found = self.in_scope.iter().rposition(|binding| binding.prefix == prefix);
        let Some(binding) = found.and_then(|index| self.in_scope.get(index)) else {
            return match prefix {
                "" => Some(NONE),
                "xml" => Some(self.number(Cow::Borrowed(XML))),
                "xmlns" => Some(self.number(Cow::Borrowed(XMLNS))),
                _ => None,
            };
        };
        if let Some(number) = binding.number {
            return Some(number);
        }
        let written = binding.written;
        if written.is_empty() && !prefix.is_empty() {
            return None;
        }
        // A value that cannot be resolved is refused with the tag that declares it.
        let number = self.number(attribute_value(written).unwrap_or(Cow::Borrowed(written)));
        if let Some(binding) = found.and_then(|index| self.in_scope.get_mut(index)) {
            binding.number = Some(number);
        }
        Some(number)
    }

    /// The number of a namespace, which is given one if it has none yet.
    pub(super) fn number(&mut self, name: Cow<'a, str>) -> NamespaceId {
        let searched = self.names.iter().take(SEARCHED_MAX).position(|known| *known == name);
        let known = match searched {
            Some(index) => NamespaceId::try_from(index).ok(),
            None => self.beyond_searched.get(&name).copied(),
        };
        known.unwrap_or_else(|| self.add(name))
    }

    fn add(&mut self, name: Cow<'a, str>) -> NamespaceId {
        let id = NamespaceId::try_from(self.names.len()).unwrap_or(NamespaceId::MAX);
        if self.names.len() >= SEARCHED_MAX {
            self.beyond_searched.insert(name.clone(), id);
        }
        self.names.push(name);
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number of a namespace, which is forgotten at once as a declaration.
    fn number<'a>(namespaces: &mut Namespaces<'a>, written: &'a str) -> NamespaceId {
        namespaces.declare("p", written, 1).unwrap();
        let number = namespaces.resolve("p").unwrap();
        namespaces.leave(1);
        number
    }

    #[test]
    fn a_namespace_has_one_number_however_many_there_are() {
        let names: Vec<String> = (0..50).map(|number| format!("urn:{number}")).collect();
        let mut namespaces = Namespaces::new(1);
        let first: Vec<_> = names.iter().map(|name| number(&mut namespaces, name)).collect();
        let second: Vec<_> = names.iter().map(|name| number(&mut namespaces, name)).collect();
        assert_eq!(first, (1..=50).collect::<Vec<_>>());
        assert_eq!(first, second);
        assert_eq!(namespaces.resolve(""), Some(NONE));
        assert_eq!(namespaces.into_names().split_off(1), names);
    }

    #[test]
    fn references_do_not_make_another_namespace() {
        let mut namespaces = Namespaces::new(1);
        let first = number(&mut namespaces, "urn:a&amp;b");
        assert_eq!(first, number(&mut namespaces, "urn:&#97;&#38;b"));
        assert_eq!(namespaces.into_names(), ["", "urn:a&b"]);
    }

    #[test]
    fn the_innermost_declaration_counts_and_is_forgotten_with_its_element() {
        let mut namespaces = Namespaces::new(3);
        namespaces.declare("p", "urn:1", 1).unwrap();
        namespaces.declare("", "urn:0", 1).unwrap();
        namespaces.declare("p", "urn:2", 2).unwrap();
        assert_eq!(namespaces.declare("q", "urn:3", 2), Err(DeclarationError::TooMany));
        let mut name = |prefix| {
            let number = namespaces.resolve(prefix)?;
            Some(namespaces.name(number).to_owned())
        };
        assert_eq!(name("p").as_deref(), Some("urn:2"));
        assert_eq!((name("").as_deref(), name("q")), (Some("urn:0"), None));
        assert_eq!(name("xml").as_deref(), Some(XML));
        namespaces.leave(2);
        let number = namespaces.resolve("p").unwrap();
        assert_eq!(namespaces.name(number), "urn:1");
        namespaces.leave(1);
        assert_eq!((namespaces.resolve("p"), namespaces.resolve("")), (None, Some(NONE)));
    }
}
