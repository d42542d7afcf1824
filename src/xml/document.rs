//! A document that has passed every check, and the way through it.
//!
//! The elements lie flat, each directly before all that is below it, so that nothing here recurses
//! and every step is a cut of a slice. Names are compared by namespace and local part; prefixes are
//! gone.

use crate::domain::number::saturated;
use std::borrow::Cow;
use std::fmt;

use super::XSI;
use super::characters::{is_blank, trim};

/// Points into [`Document::namespaces`]; the first is "", no namespace.
pub(super) type NamespaceId = u32;

#[derive(Debug, Clone)]
pub(super) struct Element<'a> {
    pub(super) namespace: NamespaceId,
    pub(super) local: &'a str,
    /// The text and CDATA directly inside.
    pub(super) text: Cow<'a, str>,
    /// How many elements are below, at any depth.
    pub(super) descendants: usize,
    /// Where its attributes start in [`Document::attributes`], and how many they are.
    pub(super) attributes_start: usize,
    pub(super) attributes_count: usize,
    pub(super) xsi_type: Option<TypeName>,
}

/// The value of an `xsi:type`: an attribute, and the namespace that its prefix meant there.
#[derive(Debug, Clone, Copy)]
pub(super) struct TypeName {
    pub(super) attribute: usize,
    pub(super) namespace: NamespaceId,
}

#[derive(Debug, Clone)]
pub(super) struct AttributeEntry<'a> {
    pub(super) namespace: NamespaceId,
    pub(super) local: &'a str,
    pub(super) value: Cow<'a, str>,
}

/// A well-formed document within its limits.
#[derive(Debug, Clone)]
pub struct Document<'a> {
    pub(super) root: Element<'a>,
    /// All other elements in the order of their start tags.
    pub(super) below_root: Vec<Element<'a>>,
    pub(super) attributes: Vec<AttributeEntry<'a>>,
    pub(super) namespaces: Vec<Cow<'a, str>>,
}

impl Document<'_> {
    /// The one outermost element.
    pub fn root(&self) -> ElementRef<'_> {
        ElementRef { document: self, element: &self.root, below: &self.below_root }
    }

    fn namespace(&self, id: NamespaceId) -> &str {
        let index = saturated::<usize>(id);
        self.namespaces.get(index).map_or("", AsRef::as_ref)
    }
}

/// A name with its namespace; "" is no namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct QName<'d> {
    /// The namespace, or "".
    pub namespace: &'d str,
    /// The name without its prefix.
    pub local: &'d str,
    /// Whether there is no prefix, or one that is declared.
    pub is_declared: bool,
}

/// An attribute that is no namespace declaration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Attribute<'d> {
    /// The namespace, or "": an attribute without a prefix has none.
    pub namespace: &'d str,
    /// The name without its prefix.
    pub local: &'d str,
    /// The value, normalized and with its references resolved.
    pub value: &'d str,
}

/// An element of a [`Document`].
#[derive(Clone, Copy)]
pub struct ElementRef<'d> {
    document: &'d Document<'d>,
    element: &'d Element<'d>,
    /// The elements below, each directly before its own.
    below: &'d [Element<'d>],
}

impl<'d> ElementRef<'d> {
    /// The name without its prefix.
    pub fn local(&self) -> &'d str {
        self.element.local
    }

    /// The namespace, or "" for none.
    pub fn namespace(&self) -> &'d str {
        self.document.namespace(self.element.namespace)
    }

    /// Whether the element has this name.
    pub fn is(&self, namespace: &str, local: &str) -> bool {
        self.local() == local && self.namespace() == namespace
    }

    /// The elements directly inside, in their order.
    pub fn children(&self) -> Children<'d> {
        Children { document: self.document, rest: self.below }
    }

    /// Every element inside, at any depth, in the order of their start tags.
    pub fn descendants(&self) -> Descendants<'d> {
        Descendants { document: self.document, rest: self.below }
    }

    /// The text and CDATA directly inside, put together; comments and elements are left out.
    pub fn text(&self) -> &'d str {
        &self.element.text
    }

    /// Whether anything but white space is directly inside. Together with children it is mixed
    /// content.
    pub fn has_text(&self) -> bool {
        !is_blank(&self.element.text)
    }

    /// The attributes in their order, without the namespace declarations.
    pub fn attributes(&self) -> Attributes<'d> {
        let start = self.element.attributes_start;
        let end = start.saturating_add(self.element.attributes_count);
        let entries = self.document.attributes.get(start..end).unwrap_or_default();
        Attributes { document: self.document, entries: entries.iter() }
    }

    /// The value of the attribute with this name; its namespace is "" if it has no prefix.
    pub fn attribute(&self, namespace: &str, local: &str) -> Option<&'d str> {
        self.attributes()
            .find(|attribute| attribute.local == local && attribute.namespace == namespace)
            .map(|attribute| attribute.value)
    }

    /// The type that `xsi:type` names, by the prefixes in scope at this element. A prefix that is
    /// not declared gives the namespace ""; callers that use the type have to check it.
    pub fn xsi_type(&self) -> Option<QName<'d>> {
        let type_name = self.element.xsi_type?;
        let value = trim(&self.document.attributes.get(type_name.attribute)?.value);
        let (prefix, local) = value.split_once(':').unwrap_or(("", value));
        let namespace = self.document.namespace(type_name.namespace);
        let is_declared = prefix.is_empty() || !namespace.is_empty();
        Some(QName { namespace, local, is_declared })
    }

    /// Whether `xsi:nil` says that the element has no value.
    pub fn is_nil(&self) -> bool {
        self.attribute(XSI, "nil").is_some_and(|value| matches!(trim(value), "true" | "1"))
    }
}

impl fmt::Debug for ElementRef<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "<{{{}}}{}>", self.namespace(), self.local())
    }
}

/// The elements directly inside an element.
#[derive(Debug, Clone)]
pub struct Children<'d> {
    document: &'d Document<'d>,
    rest: &'d [Element<'d>],
}

impl<'d> Iterator for Children<'d> {
    type Item = ElementRef<'d>;

    fn next(&mut self) -> Option<Self::Item> {
        let (element, rest) = self.rest.split_first()?;
        let (below, rest) = rest.split_at_checked(element.descendants)?;
        self.rest = rest;
        Some(ElementRef { document: self.document, element, below })
    }
}

/// The elements inside an element, at any depth.
#[derive(Debug, Clone)]
pub struct Descendants<'d> {
    document: &'d Document<'d>,
    rest: &'d [Element<'d>],
}

impl<'d> Iterator for Descendants<'d> {
    type Item = ElementRef<'d>;

    fn next(&mut self) -> Option<Self::Item> {
        let (element, rest) = self.rest.split_first()?;
        self.rest = rest;
        let below = rest.get(..element.descendants)?;
        Some(ElementRef { document: self.document, element, below })
    }
}

/// The attributes of an element.
#[derive(Debug, Clone)]
pub struct Attributes<'d> {
    document: &'d Document<'d>,
    entries: std::slice::Iter<'d, AttributeEntry<'d>>,
}

impl<'d> Iterator for Attributes<'d> {
    type Item = Attribute<'d>;

    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.entries.next()?;
        let namespace = self.document.namespace(entry.namespace);
        Some(Attribute { namespace, local: entry.local, value: &entry.value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::{XmlLimits, parse};

    fn document(text: &str) -> Document<'_> {
        parse(text, &XmlLimits::default()).expect(text)
    }

    /// The first element with this local name, in document order.
    fn find<'d>(root: ElementRef<'d>, local: &str) -> ElementRef<'d> {
        let mut waiting = vec![root];
        while let Some(element) = waiting.pop() {
            if element.local() == local {
                return element;
            }
            waiting.extend(element.children().collect::<Vec<_>>().into_iter().rev());
        }
        panic!("no element {local}");
    }

    fn locals<'d>(element: ElementRef<'d>) -> Vec<&'d str> {
        element.children().map(|child| child.local()).collect()
    }

    #[test]
    fn children_are_only_those_directly_inside() {
        let document = document("<a> <b><c/><d><e/></d></b> <f/><!-- g --><h>i</h> </a>");
        assert_eq!(locals(document.root()), ["b", "f", "h"]);
        assert_eq!(locals(find(document.root(), "b")), ["c", "d"]);
        assert_eq!(locals(find(document.root(), "e")), [""; 0]);
        let inside = document.root().descendants().map(|one| one.local());
        assert_eq!(inside.collect::<Vec<_>>(), ["b", "c", "d", "e", "f", "h"]);
        let inside = find(document.root(), "b").descendants().map(|one| one.local());
        assert_eq!(inside.collect::<Vec<_>>(), ["c", "d", "e"]);
        assert_eq!(find(document.root(), "h").text(), "i");
    }

    #[test]
    fn a_prefix_bound_again_means_the_new_namespace_only_inside() {
        let document = document(
            "<SOAP-ENV:Envelope xmlns:ns0='urn:soap' xmlns:ns1='urn:api' \
             xmlns:SOAP-ENV='urn:soap'><SOAP-ENV:Header><ns1:SessionHeader/></SOAP-ENV:Header>\
             <ns0:Body xmlns:ns1='urn:object'><ns1:Amount/></ns0:Body><ns1:After/>\
             </SOAP-ENV:Envelope>",
        );
        let root = document.root();
        assert!(root.is("urn:soap", "Envelope"));
        assert!(find(root, "SessionHeader").is("urn:api", "SessionHeader"));
        assert!(find(root, "Body").is("urn:soap", "Body"));
        assert!(find(root, "Amount").is("urn:object", "Amount"));
        assert!(find(root, "After").is("urn:api", "After"));
    }

    #[test]
    fn a_prefix_per_field_is_forgotten_with_the_field() {
        let document = document(
            "<a><ns1:b xmlns:ns1='urn:1'>1</ns1:b><ns1:b xmlns:ns1='urn:2'/><c xmlns:ns1='urn:3' \
             ns1:d='4'/></a>",
        );
        let namespaces: Vec<_> = document.root().children().map(|b| b.namespace()).collect();
        assert_eq!(namespaces, ["urn:1", "urn:2", ""]);
        assert_eq!(find(document.root(), "c").attribute("urn:3", "d"), Some("4"));
    }

    #[test]
    fn the_default_namespace_is_for_elements_and_can_be_taken_back() {
        let document = document("<a xmlns='urn:1' b='2'><c xmlns=''><d/></c><e/></a>");
        assert_eq!(document.root().namespace(), "urn:1");
        assert_eq!(document.root().attribute("", "b"), Some("2"));
        assert_eq!(document.root().attribute("urn:1", "b"), None);
        assert_eq!(find(document.root(), "d").namespace(), "");
        assert_eq!(find(document.root(), "e").namespace(), "urn:1");
    }

    #[test]
    fn attributes_come_in_their_order_without_declarations() {
        let document = document("<a z='1' xmlns:p='urn:p' p:y=\"'&quot;&#9;\n\" xml:lang='en'/>");
        let attribute = |namespace, local, value| Attribute { namespace, local, value };
        let expected = [
            attribute("", "z", "1"),
            attribute("urn:p", "y", "'\"\t "),
            attribute("http://www.w3.org/XML/1998/namespace", "lang", "en"),
        ];
        assert_eq!(document.root().attributes().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn mixed_content_is_told_from_white_space() {
        let document = document("<a> <b/>\n<c>x<d/></c><e><![CDATA[ ]]></e><f>&#160;</f></a>");
        assert!(!document.root().has_text());
        assert!(find(document.root(), "c").has_text());
        assert!(!find(document.root(), "e").has_text());
        assert!(find(document.root(), "f").has_text());
    }

    fn type_of(text: &str) -> Option<(String, String)> {
        let document = document(text);
        let name = find(document.root(), "z").xsi_type()?;
        Some((name.namespace.to_owned(), name.local.to_owned()))
    }

    fn named(namespace: &str, local: &str) -> Option<(String, String)> {
        Some((namespace.to_owned(), local.to_owned()))
    }

    #[test]
    fn a_type_is_resolved_by_the_prefixes_at_its_element() {
        let xsi = format!("xmlns:xsi='{XSI}'");
        let typed = |tag: &str| format!("<a {xsi} xmlns='urn:0' xmlns:p='urn:1'>{tag}</a>");
        assert_eq!(type_of(&typed("<z xsi:type='p:Refund'/>")), named("urn:1", "Refund"));
        assert_eq!(type_of(&typed("<z xsi:type=' Refund\n'/>")), named("urn:0", "Refund"));
        let own = "<z xsi:type='p:Refund' xmlns:p='urn:2'><p:b xmlns:p='urn:3'/></z>";
        assert_eq!(type_of(&typed(own)), named("urn:2", "Refund"));
        let inner = "<b xmlns:p='urn:4'/><z xsi:type='p&#58;Refund'/>";
        assert_eq!(type_of(&typed(inner)), named("urn:1", "Refund"));
    }

    #[test]
    fn a_type_with_an_undeclared_prefix_keeps_its_local_part() {
        let text = format!("<z xmlns:i='{XSI}' i:type='ons:Refund'/>");
        assert_eq!(type_of(&text), named("", "Refund"));
        let text = format!("<z xmlns:i='{XSI}' i:type='Refund'/>");
        assert_eq!(type_of(&text), named("", "Refund"));
    }

    #[test]
    fn only_the_attribute_of_the_schema_instance_is_a_type() {
        assert_eq!(type_of("<z type='p:Refund' xmlns:p='urn:1' p:type='p:Refund'/>"), None);
        assert_eq!(type_of(&format!("<a xmlns:i='{XSI}' i:type='a'><z/></a>")), None);
    }

    #[test]
    fn nil_is_true_or_one() {
        let is_nil = |value: &str| {
            document(&format!("<a xmlns:i='{XSI}' i:nil='{value}'/>")).root().is_nil()
        };
        assert!(is_nil("true") && is_nil("1") && is_nil(" true\n"));
        assert!(!is_nil("false") && !is_nil("0") && !is_nil("") && !is_nil("TRUE"));
        assert!(!document("<a nil='true'/>").root().is_nil());
    }

    #[test]
    fn an_element_shows_its_name_for_debugging() {
        let document = document("<a xmlns='urn:1'/>");
        assert_eq!(format!("{:?}", document.root()), "<{urn:1}a>");
    }
}
