//! The namespaces of a document, each kept once and known by its number.

use std::borrow::Cow;
use std::collections::HashMap;

use quick_xml::name::{NamespaceResolver, QName, ResolveResult};

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

/// Gives numbers to namespaces.
pub(super) struct Namespaces {
    names: Vec<String>,
    beyond_searched: HashMap<String, NamespaceId>,
}

impl Namespaces {
    pub(super) fn new() -> Self {
        let mut names = Vec::with_capacity(8);
        names.push(String::new());
        Self { names, beyond_searched: HashMap::new() }
    }

    pub(super) fn name(&self, id: NamespaceId) -> &str {
        let index = usize::try_from(id).unwrap_or(usize::MAX);
        self.names.get(index).map_or("", String::as_str)
    }

    pub(super) fn into_names(self) -> Vec<String> {
        self.names
    }

    /// The namespace of a name at this place; nothing if its prefix is not declared. Only elements
    /// and type names use the default namespace.
    pub(super) fn resolve(
        &mut self,
        name: &str,
        resolver: &NamespaceResolver,
        uses_default: bool,
    ) -> Option<NamespaceId> {
        match resolver.resolve(QName(name), uses_default).0 {
            ResolveResult::Unbound => Some(NONE),
            ResolveResult::Bound(namespace) => Some(self.number(namespace.into_inner())),
            ResolveResult::Unknown(_) => None,
        }
    }

    /// The tokenizer hands out namespaces as they are written, so references are resolved here.
    pub(super) fn number(&mut self, written: &str) -> NamespaceId {
        // A value that cannot be resolved was refused with the tag that declared it.
        let name = attribute_value(written).unwrap_or(Cow::Borrowed(written));
        let searched = self.names.iter().take(SEARCHED_MAX).position(|known| *known == name);
        let known = match searched {
            Some(index) => NamespaceId::try_from(index).ok(),
            None => self.beyond_searched.get(name.as_ref()).copied(),
        };
        known.unwrap_or_else(|| self.add(name.into_owned()))
    }

    fn add(&mut self, name: String) -> NamespaceId {
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

    #[test]
    fn a_namespace_has_one_number_however_many_there_are() {
        let mut namespaces = Namespaces::new();
        let names: Vec<String> = (0..50).map(|number| format!("urn:{number}")).collect();
        let first: Vec<_> = names.iter().map(|name| namespaces.number(name)).collect();
        let second: Vec<_> = names.iter().map(|name| namespaces.number(name)).collect();
        assert_eq!(first, (1..=50).collect::<Vec<_>>());
        assert_eq!(first, second);
        assert_eq!(namespaces.number(""), NONE);
        assert_eq!(namespaces.into_names().split_off(1), names);
    }

    #[test]
    fn references_do_not_make_another_namespace() {
        let mut namespaces = Namespaces::new();
        assert_eq!(namespaces.number("urn:a&amp;b"), namespaces.number("urn:&#97;&#38;b"));
        assert_eq!(namespaces.into_names(), ["", "urn:a&b"]);
    }
}
