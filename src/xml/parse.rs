//! From text to a [`Document`]: the tokenizer's events, and every rule that it leaves to others.
//!
//! What must stay true: what is accepted here is well-formed XML 1.0 with namespaces, has no
//! DOCTYPE and no processing instruction, and is within the limits. Nothing recurses.

use crate::domain::number::saturated;
use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::events::{BytesText, Event};

use super::XSI;
use super::characters::{first_forbidden, is_blank, split_qualified, trim};
use super::declaration;
use super::document::{AttributeEntry, Document, Element, TypeName};
use super::error::{XmlError, excerpt};
use super::limits::{LimitKind, XmlLimits};
use super::namespaces::{DeclarationError, NONE, Namespaces, XML, XMLNS};
use super::references::{attribute_value, resolve};
use super::tag::{self, RawAttributes};

/// No document is deeper, even if its limits would allow it.
const DEPTH_MOST: usize = 65_535;

/// Reads a document, borrowing from the text wherever nothing had to be resolved.
pub fn parse<'a>(text: &'a str, limits: &XmlLimits) -> Result<Document<'a>, XmlError> {
    if let Some((position, character)) = first_forbidden(text) {
        let detail = format!("found U+{:04X}, which XML forbids,", u32::from(character));
        return Err(XmlError::not_well_formed(detail, position));
    }
    // The tokenizer would drop it, and then count all positions from behind it.
    if text.starts_with('\u{FEFF}') {
        return Err(XmlError::not_well_formed("found a second byte order mark", 0));
    }
    let mut builder = Builder::new(text, limits);
    while builder.read_next()? {}
    builder.finish()
}

struct Builder<'a, 'l> {
    text: &'a str,
    limits: &'l XmlLimits,
    reader: Reader<&'a [u8]>,
    root: Option<Element<'a>>,
    below_root: Vec<Element<'a>>,
    attributes: Vec<AttributeEntry<'a>>,
    namespaces: Namespaces<'a>,
    /// The elements that are not closed yet, each by how many there were before it.
    open: Vec<usize>,
    /// The prefixes that the current tag has declared so far.
    declared: Vec<&'a str>,
}

impl<'a, 'l> Builder<'a, 'l> {
    fn new(text: &'a str, limits: &'l XmlLimits) -> Self {
        let mut reader = Reader::from_str(text);
        reader.config_mut().check_comments = true;
        let in_scope_max = LimitKind::NAMESPACES_IN_SCOPE_MAX.max(limits.namespaces_per_tag_max);
        Self {
            text,
            limits,
            reader,
            root: None,
            below_root: Vec::with_capacity(24),
            attributes: Vec::with_capacity(4),
            namespaces: Namespaces::new(in_scope_max),
            open: Vec::with_capacity(8),
            declared: Vec::new(),
        }
    }

    fn position(&self) -> usize {
        saturated::<usize>(self.reader.buffer_position())
    }

    /// How many elements there are.
    fn count(&self) -> usize {
        usize::from(self.root.is_some()) + self.below_root.len()
    }

    /// The element before which there were so many.
    fn element_mut(&mut self, number: usize) -> Option<&mut Element<'a>> {
        match number.checked_sub(1) {
            None => self.root.as_mut(),
            Some(index) => self.below_root.get_mut(index),
        }
    }

    /// Takes the next event; false at the end of the text.
    fn read_next(&mut self) -> Result<bool, XmlError> {
        let start = self.position();
        self.refuse_doctype(start)?;
        match self.reader.read_event() {
            Ok(Event::Start(_)) => self.start_tag(start, ">")?,
            Ok(Event::Empty(_)) => {
                self.start_tag(start, "/>")?;
                self.end_tag();
            }
            Ok(Event::End(_)) => self.end_tag(),
            Ok(Event::Text(text)) => self.text(&text, start)?,
            Ok(Event::CData(data)) => self.add_text(data.xml10_content(), "CDATA", start)?,
            Ok(Event::GeneralRef(reference)) => {
                let character = resolve(&reference)
                    .map_err(|detail| XmlError::not_well_formed(detail, start))?;
                self.add_text(Cow::Owned(character.to_string()), "a reference", start)?;
            }
            Ok(Event::Comment(_)) => {}
            Ok(Event::Decl(_)) => self.declaration(start)?,
            Ok(Event::DocType(_)) => return Err(XmlError::Doctype),
            Ok(Event::PI(_)) => return Err(XmlError::ProcessingInstruction),
            Ok(Event::Eof) => return Ok(false),
            Err(error) => {
                let position = saturated::<usize>(self.reader.error_position());
                return Err(XmlError::of_tokenizer(error, position));
            }
        }
        Ok(true)
    }

    /// Refuses a DOCTYPE before the tokenizer walks through it.
    fn refuse_doctype(&self, start: usize) -> Result<(), XmlError> {
        const DOCTYPE: &str = "<!DOCTYPE";
        let bytes = self.text.as_bytes().get(start..).unwrap_or_default();
        if !matches!(bytes, [b'<', b'!', b'D' | b'd', ..]) {
            return Ok(());
        }
        match bytes.get(..DOCTYPE.len()) {
            Some(opening) if opening.eq_ignore_ascii_case(DOCTYPE.as_bytes()) => {
                Err(XmlError::Doctype)
            }
            _ => Err(XmlError::not_well_formed("found markup that is not XML", start)),
        }
    }

    fn start_tag(&mut self, start: usize, closing: &str) -> Result<(), XmlError> {
        let tag = self.text.get(start..self.position()).unwrap_or_default();
        let tag =
            tag.strip_prefix('<').and_then(|tag| tag.strip_suffix(closing)).unwrap_or_default();
        let (name, raw_attributes) = tag::split(tag);
        if !raw_attributes.is_empty() {
            self.declarations(raw_attributes, start)?;
        }
        if self.open.is_empty() && self.root.is_some() {
            return Err(XmlError::not_well_formed("found a second root element", start));
        }
        if self.open.len() >= self.limits.depth_max.min(DEPTH_MOST) {
            return Err(XmlError::Limit(LimitKind::Depth));
        }
        let count = self.count();
        if count >= self.limits.elements_max {
            return Err(XmlError::Limit(LimitKind::Elements));
        }
        let (prefix, local) = self.split_name(name, start + 1)?;
        if prefix == "xmlns" {
            return Err(XmlError::not_well_formed("found an element with the prefix xmlns", start));
        }
        let namespace = self.namespaces.resolve(prefix);
        let namespace = namespace.ok_or_else(|| undeclared(prefix, start + 1))?;
        let attributes_start = self.attributes.len();
        let xsi_type = match raw_attributes.is_empty() {
            true => None,
            false => self.attributes(raw_attributes, start + 1)?,
        };
        let element = Element {
            namespace,
            local,
            text: Cow::Borrowed(""),
            descendants: 0,
            attributes_start,
            attributes_count: self.attributes.len() - attributes_start,
            xsi_type,
        };
        self.open.push(count);
        match count {
            0 => self.root = Some(element),
            _ => self.below_root.push(element),
        }
        Ok(())
    }

    /// Takes what a tag declares, which holds for the tag's own names as well. Whether a
    /// declaration is a good one is seen with the attributes.
    fn declarations(&mut self, pairs: RawAttributes<'a>, start: usize) -> Result<(), XmlError> {
        let depth = self.open.len();
        for raw in pairs.map_while(Result::ok) {
            let Some(prefix) = raw.declared_prefix() else { continue };
            self.namespaces.declare(prefix, raw.value, depth).map_err(|error| match error {
                DeclarationError::TooMany => XmlError::Limit(LimitKind::Namespaces),
                DeclarationError::Reserved => {
                    let detail = "found a declaration of a reserved prefix or namespace";
                    XmlError::not_well_formed(detail, start)
                }
            })?;
        }
        Ok(())
    }

    /// Takes the attributes of a tag whose inside starts at `inside`.
    fn attributes(
        &mut self,
        raw_attributes: RawAttributes<'a>,
        inside: usize,
    ) -> Result<Option<TypeName>, XmlError> {
        let start = self.attributes.len();
        let mut xsi_type = None;
        self.declared.clear();
        for raw in raw_attributes {
            let raw = raw.map_err(|(detail, at)| XmlError::not_well_formed(detail, inside + at))?;
            let name_position = inside + raw.name_offset;
            let (prefix, local) = self.split_name(raw.name, name_position)?;
            let value = attribute_value(raw.value).map_err(|(detail, at)| {
                XmlError::not_well_formed(detail, inside + raw.value_offset + at)
            })?;
            if value.len() > self.limits.text_bytes_max {
                return Err(XmlError::Limit(LimitKind::TextLength));
            }
            if prefix == "xmlns" || raw.name == "xmlns" {
                let declared = if prefix.is_empty() { "" } else { local };
                self.namespace_declaration(declared, &value, name_position)?;
            } else {
                let names = (raw.name, prefix, local);
                let type_name = self.attribute(names, value, start, name_position)?;
                xsi_type = xsi_type.or(type_name);
            }
        }
        Ok(xsi_type)
    }

    /// Takes one attribute of the tag whose first is number `first`; the type if it is `xsi:type`.
    /// Its name is given whole, and cut into prefix and local part.
    fn attribute(
        &mut self,
        (name, prefix, local): (&'a str, &'a str, &'a str),
        value: Cow<'a, str>,
        first: usize,
        position: usize,
    ) -> Result<Option<TypeName>, XmlError> {
        let number = self.attributes.len();
        if number - first >= self.limits.attributes_per_tag_max {
            return Err(XmlError::Limit(LimitKind::Attributes));
        }
        if number >= self.limits.attributes_max {
            return Err(XmlError::Limit(LimitKind::AllAttributes));
        }
        // The default namespace is for elements.
        let namespace =
            if prefix.is_empty() { Some(NONE) } else { self.namespaces.resolve(prefix) };
        let namespace = namespace.ok_or_else(|| undeclared(prefix, position))?;
        let is_same =
            |other: &AttributeEntry<'_>| other.local == local && other.namespace == namespace;
        if self.attributes.iter().skip(first).any(is_same) {
            let detail = format!("found the attribute {} twice", excerpt(name));
            return Err(XmlError::not_well_formed(detail, position));
        }
        let is_type = local == "type" && self.namespaces.name(namespace) == XSI;
        let type_name = is_type.then(|| {
            let namespace = match trim(&value).split_once(':') {
                Some(("", _)) => None,
                Some((prefix, _)) => self.namespaces.resolve(prefix),
                None => self.namespaces.resolve(""),
            };
            let namespace = namespace.unwrap_or(NONE);
            TypeName { attribute: number, namespace }
        });
        self.attributes.push(AttributeEntry { namespace, local, value });
        Ok(type_name)
    }

    /// Checks a declaration of `prefix` ("" for the default), which has been taken already.
    fn namespace_declaration(
        &mut self,
        prefix: &'a str,
        namespace: &str,
        position: usize,
    ) -> Result<(), XmlError> {
        if self.declared.len() >= self.limits.namespaces_per_tag_max {
            return Err(XmlError::Limit(LimitKind::Namespaces));
        }
        let detail = if self.declared.contains(&prefix) {
            "found the declaration of one prefix twice"
        } else if prefix == "xmlns" || namespace == XMLNS {
            "found a declaration of the prefix xmlns or of its namespace"
        } else if (prefix == "xml") != (namespace == XML) {
            "found a declaration that parts the prefix xml from its namespace"
        } else if namespace.is_empty() && !prefix.is_empty() {
            "found a declaration of a prefix without a namespace"
        } else {
            self.declared.push(prefix);
            return Ok(());
        };
        Err(XmlError::not_well_formed(detail, position))
    }

    fn split_name(&self, name: &'a str, position: usize) -> Result<(&'a str, &'a str), XmlError> {
        if name.len() > self.limits.name_bytes_max {
            return Err(XmlError::Limit(LimitKind::NameLength));
        }
        split_qualified(name).ok_or_else(|| {
            let detail = format!("expected a name, found {:?}", excerpt(name));
            XmlError::not_well_formed(detail, position)
        })
    }

    /// The tokenizer has compared the names.
    fn end_tag(&mut self) {
        let count = self.count();
        let Some(number) = self.open.pop() else { return };
        if let Some(element) = self.element_mut(number) {
            element.descendants = count - number - 1;
        }
        self.namespaces.leave(self.open.len());
    }

    fn text(&mut self, text: &BytesText<'a>, start: usize) -> Result<(), XmlError> {
        // Nearly no text has a >, and that is found out much faster.
        if text.contains('>')
            && let Some(at) = text.find("]]>")
        {
            return Err(XmlError::not_well_formed("found ]]> outside CDATA", start + at));
        }
        if self.open.is_empty() && is_blank(text) {
            return Ok(());
        }
        self.add_text(text.xml10_content(), "text", start)
    }

    fn add_text(&mut self, text: Cow<'a, str>, what: &str, start: usize) -> Result<(), XmlError> {
        let bytes_max = self.limits.text_bytes_max;
        let element = self.open.last().copied().and_then(|number| self.element_mut(number));
        let Some(element) = element else {
            let detail = format!("found {what} outside the root element");
            return Err(XmlError::not_well_formed(detail, start));
        };
        if element.text.len().saturating_add(text.len()) > bytes_max {
            return Err(XmlError::Limit(LimitKind::TextLength));
        }
        if element.text.is_empty() {
            element.text = text;
        } else {
            element.text.to_mut().push_str(&text);
        }
        Ok(())
    }

    fn declaration(&self, start: usize) -> Result<(), XmlError> {
        if start != 0 {
            let detail = "found an XML declaration after the start of the document";
            return Err(XmlError::not_well_formed(detail, start));
        }
        let declaration = self.text.get(..self.position()).unwrap_or_default();
        let content = declaration.strip_prefix("<?").and_then(|rest| rest.strip_suffix("?>"));
        declaration::read(content.unwrap_or_default())
            .map(|_| ())
            .map_err(|detail| XmlError::not_well_formed(detail, start))
    }

    fn finish(mut self) -> Result<Document<'a>, XmlError> {
        let end = self.text.len();
        if let Some(element) = self.open.last().copied().and_then(|one| self.element_mut(one)) {
            let detail = format!("expected the end of {}, found the end", excerpt(element.local));
            return Err(XmlError::not_well_formed(detail, end));
        }
        let Some(root) = self.root else {
            return Err(XmlError::not_well_formed("expected an element, found the end", end));
        };
        Ok(Document {
            root,
            below_root: self.below_root,
            attributes: self.attributes,
            namespaces: self.namespaces.into_names(),
        })
    }
}

fn undeclared(prefix: &str, position: usize) -> XmlError {
    let detail = format!("found the prefix {}, which is not declared,", excerpt(prefix));
    XmlError::not_well_formed(detail, position)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ROOMY: XmlLimits = XmlLimits {
        depth_max: 1_000_000,
        elements_max: 1_000_000,
        attributes_per_tag_max: 1_000,
        attributes_max: 1_000_000,
        namespaces_per_tag_max: 1_000,
        name_bytes_max: 1_000_000,
        text_bytes_max: 1_000_000,
    };

    fn refused(text: &str) -> String {
        match parse(text, &XmlLimits::default()) {
            Ok(_) => panic!("accepted: {text}"),
            Err(error) => error.to_string(),
        }
    }

    fn root_text(text: &str) -> String {
        parse(text, &XmlLimits::default()).expect(text).root().text().to_owned()
    }

    fn exceeded(text: &str, limits: &XmlLimits) -> Option<LimitKind> {
        match parse(text, limits) {
            Ok(_) => None,
            Err(XmlError::Limit(kind)) => Some(kind),
            Err(error) => panic!("another error: {error}"),
        }
    }

    #[test]
    fn broken_markup_is_refused() {
        let cases = [
            ("", "expected an element, found the end at byte 0"),
            (" <!-- a --> ", "expected an element, found the end at byte 12"),
            ("<a>", "expected the end of a, found the end at byte 3"),
            ("<a><b></b>", "expected the end of a, found the end at byte 10"),
            ("<a></b>", "expected </a>, found </b> at byte 3"),
            ("<a></a b='1'>", "expected </a>, found </a b='1'> at byte 3"),
            ("</a>", "found </a> without its start at byte 0"),
            ("<a/></a>", "found </a> without its start at byte 4"),
            ("<a/><b/>", "found a second root element at byte 4"),
            ("x<a/>", "found text outside the root element at byte 0"),
            ("<a/>x", "found text outside the root element at byte 4"),
            ("<a/>&#32;", "found a reference outside the root element at byte 4"),
            ("<a/><![CDATA[ ]]>", "found CDATA outside the root element at byte 4"),
            ("<a>]]></a>", "found ]]> outside CDATA at byte 3"),
            ("<a>\r\n]]></a>", "found ]]> outside CDATA at byte 5"),
            ("<a><!-- a -- b --></a>", "found -- in a comment at byte 10"),
            ("<a><!-- a ---></a>", "found -- in a comment at byte 10"),
            ("<a><!x></a>", "found markup that is not XML at byte 3"),
            ("<a><!DX></a>", "found markup that is not XML at byte 3"),
            ("< a/>", "expected a name, found \"\" at byte 1"),
            ("<1/>", "expected a name, found \"1\" at byte 1"),
            ("<a:b:c/>", "expected a name, found \"a:b:c\" at byte 1"),
            ("<a / >", "expected = after the name of an attribute at byte 5"),
            ("\u{FEFF}<a/>", "found a second byte order mark at byte 0"),
            ("<a/>\u{FEFF}", "found text outside the root element at byte 4"),
        ];
        for (text, message) in cases {
            assert_eq!(refused(text), message, "{text}");
        }
    }

    #[test]
    fn markup_without_its_end_is_refused() {
        let unclosed = [
            "<",
            "<a",
            "<a b='",
            "<a b=\"",
            "<!",
            "<!-",
            "<!--",
            "<!-->",
            "<!--->",
            "<![CDATA[",
            "<a><![CDATA[x]]</a>",
            "<a><!-- </a>",
            "</",
            "<?",
            "<?xml",
            "<a><![cdata[x]]></a>",
            "<a><!-x-></a>",
        ];
        for text in unclosed {
            assert!(
                matches!(parse(text, &XmlLimits::default()), Err(XmlError::NotWellFormed { .. })),
                "{text}"
            );
        }
    }

    #[test]
    fn a_doctype_is_refused_wherever_and_however_it_is_written() {
        let doctypes = [
            "<!DOCTYPE a><a/>",
            "<?xml version='1.0'?>\n<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
            "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
            "<!DOCTYPE",
            "<!doctype html><a/>",
            "<a><!DOCTYPE a></a>",
            "<a/><!DOCTYPE a [",
        ];
        for text in doctypes {
            let error = parse(text, &XmlLimits::default()).expect_err(text);
            assert_eq!(error, XmlError::Doctype, "{text}");
        }
    }

    #[test]
    fn processing_instructions_are_refused() {
        for text in
            ["<?a?><a/>", "<??><a/>", "<a><?b c?></a>", "<a/><?b?>", "<?XML version='1.0'?><a/>"]
        {
            let error = parse(text, &XmlLimits::default()).expect_err(text);
            assert_eq!(error, XmlError::ProcessingInstruction, "{text}");
        }
    }

    #[test]
    fn a_declaration_is_read_at_the_very_start_only() {
        assert_eq!(root_text("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<a>b</a>\n"), "b");
        let late =
            |at| format!("found an XML declaration after the start of the document at byte {at}");
        assert_eq!(refused("\n<?xml version='1.0'?><a/>"), late(1));
        assert_eq!(refused("<a><?xml version='1.0'?></a>"), late(3));
        assert_eq!(refused("<?xml version='1.0'?><?xml version='1.0'?><a/>"), late(21));
        let version = "expected version 1.0 in the XML declaration at byte 0";
        assert_eq!(refused("<?xml version='2.0'?><a/>"), version);
    }

    #[test]
    fn characters_that_xml_forbids_are_refused_raw_and_as_references() {
        for code in [0, 1, 0x1F, 0xFFFE, 0xFFFF] {
            let character = char::from_u32(code).expect("a character");
            let message = format!("found U+{code:04X}, which XML forbids, at byte");
            for text in [
                format!("<a>{character}</a>"),
                format!("<a b='{character}'/>"),
                format!("<a><!--{character}--></a>"),
                format!("<a><![CDATA[{character}]]></a>"),
                format!("<a{character}/>"),
            ] {
                assert!(refused(&text).starts_with(&message), "{text:?}");
            }
        }
        for reference in ["#0", "#x1", "#xFFFE", "#xD800", "#x110000"] {
            let message = format!("character reference &{reference}; to no XML character at byte");
            assert!(refused(&format!("<a>&{reference};</a>")).starts_with(&message));
            assert!(refused(&format!("<a b='&{reference};'/>")).starts_with(&message));
        }
    }

    #[test]
    fn unknown_and_unfinished_references_are_refused() {
        assert_eq!(refused("<a>&nbsp;</a>"), "unknown entity &nbsp; at byte 3");
        assert_eq!(refused("<a b='&nbsp;'/>"), "unknown entity &nbsp; at byte 6");
        let unfinished = "found & without a ; that ends the reference at byte";
        for text in ["<a>b & c</a>", "<a>&amp</a>", "<a>&a&amp;</a>", "<a b='&amp'/>", "<a>&"] {
            assert!(refused(text).starts_with(unfinished), "{text}");
        }
    }

    #[test]
    fn prefixes_must_be_declared_around_or_on_the_tag() {
        let undeclared =
            |prefix, at| format!("found the prefix {prefix}, which is not declared, at byte {at}");
        assert_eq!(refused("<b:a/>"), undeclared("b", 1));
        assert_eq!(refused("<a b:c='1'/>"), undeclared("b", 3));
        let message = undeclared("b", 26);
        assert_eq!(refused("<a><b xmlns:b='urn:b'/><b b:c=''/></a>"), message);
        assert!(parse("<b:a b:c='1' xmlns:b='urn:b'/>", &XmlLimits::default()).is_ok());
        assert!(parse("<a xml:lang='en'/>", &XmlLimits::default()).is_ok());
    }

    #[test]
    fn no_attribute_comes_twice() {
        assert_eq!(refused("<a b='1' b='1'/>"), "found the attribute b twice at byte 9");
        let message = refused("<a xmlns:p='urn:1' xmlns:q='urn:1' p:b='' q:b=''/>");
        assert_eq!(message, "found the attribute q:b twice at byte 42");
        let message = refused("<a xmlns:p='urn:&#49;' p:b='' xmlns:q='urn:1' q:b=''/>");
        assert_eq!(message, "found the attribute q:b twice at byte 46");
        let different = "<a xmlns='urn:1' xmlns:p='urn:1' xmlns:q='urn:2' b='' p:b='' q:b=''/>";
        assert!(parse(different, &XmlLimits::default()).is_ok());
        let twice = "found the declaration of one prefix twice at byte";
        assert!(refused("<a xmlns:p='urn:1' xmlns:p='urn:1'/>").starts_with(twice));
        assert!(refused("<a xmlns='urn:1' xmlns='urn:2'/>").starts_with(twice));
    }

    #[test]
    fn reserved_prefixes_and_namespaces_stay_reserved() {
        for text in [
            "<a xmlns:p=''/>",
            "<a xmlns:xml='urn:1'/>",
            "<a xmlns:xmlns='urn:1'/>",
            "<a xmlns:p='http://www.w3.org/XML/1998/namespace'/>",
            "<a xmlns:p='http://www.w3.org/2000/xmlns/'/>",
            "<a xmlns='http://www.w3.org/XML/1998/namespace'/>",
            "<a xmlns='http://www.w3.org/2000/xmlns/'/>",
            "<a xmlns:p='http://www.w3.org/2000/xmln&#115;/'/>",
        ] {
            assert!(refused(text).starts_with("found a declaration"), "{text}");
        }
        assert!(refused("<xmlns:a/>").starts_with("found an element with the prefix xmlns"));
        assert!(refused("<a xmlns:='urn:1'/>").starts_with("expected a name"));
        let bound = "<a xmlns:xml='http://www.w3.org/XML/1998/namespace' xmlns=''/>";
        assert!(parse(bound, &XmlLimits::default()).is_ok());
    }

    #[test]
    fn attribute_errors_have_their_place() {
        assert_eq!(refused("<a b='<'/>"), "found < in the value of an attribute at byte 6");
        assert_eq!(refused("<a b=c/>"), "expected a quoted value of an attribute at byte 5");
        let message = "expected white space before the name of an attribute at byte 8";
        assert_eq!(refused("<a b='1'c='2'/>"), message);
        assert_eq!(refused("<a 1='1'/>"), "expected a name, found \"1\" at byte 3");
    }

    #[test]
    fn depth_is_limited() {
        let limits = XmlLimits { depth_max: 2, ..ROOMY };
        assert_eq!(exceeded("<a><b/><b></b></a>", &limits), None);
        assert_eq!(exceeded("<a><b><c/></b></a>", &limits), Some(LimitKind::Depth));
        let deep = "<a>".repeat(50_000);
        assert_eq!(exceeded(&deep, &XmlLimits::default()), Some(LimitKind::Depth));
        let deep = "<a>".repeat(70_000);
        assert_eq!(exceeded(&deep, &ROOMY), Some(LimitKind::Depth), "the tokenizer's own limit");
    }

    #[test]
    fn depth_without_a_limit_does_not_need_the_stack() {
        let deep = "<a>".repeat(60_000) + &"</a>".repeat(60_000);
        let document = parse(&deep, &ROOMY).expect("a deep document");
        let mut depth = 1;
        let mut element = document.root();
        while let Some(child) = element.children().next() {
            element = child;
            depth += 1;
        }
        assert_eq!(depth, 60_000);
    }

    #[test]
    fn elements_are_limited() {
        let limits = XmlLimits { elements_max: 3, ..ROOMY };
        assert_eq!(exceeded("<a><b/><b/></a>", &limits), None);
        assert_eq!(exceeded("<a><b/><b/><b/></a>", &limits), Some(LimitKind::Elements));
        let many = format!("<a>{}</a>", "<b/>".repeat(10_000));
        assert_eq!(exceeded(&many, &XmlLimits::default()), Some(LimitKind::Elements));
    }

    #[test]
    fn attributes_and_namespaces_of_a_tag_are_limited_each() {
        let limits = XmlLimits { attributes_per_tag_max: 2, namespaces_per_tag_max: 1, ..ROOMY };
        assert_eq!(exceeded("<a xmlns='urn:1' b='' c=''/>", &limits), None);
        assert_eq!(exceeded("<a b='' c='' d=''/>", &limits), Some(LimitKind::Attributes));
        let two = "<a xmlns='urn:1' xmlns:b='urn:2'/>";
        assert_eq!(exceeded(two, &limits), Some(LimitKind::Namespaces));
        assert_eq!(exceeded("<a b='' c=''><a d='' e=''/></a>", &limits), None);
    }

    #[test]
    fn attributes_of_all_tags_are_limited_together() {
        let limits = XmlLimits { attributes_max: 3, ..ROOMY };
        assert_eq!(exceeded("<a b='' c='' xmlns='urn:1'><d e=''/></a>", &limits), None);
        let four = "<a b='' c=''><d e=''/><d e=''/></a>";
        assert_eq!(exceeded(four, &limits), Some(LimitKind::AllAttributes));
        let many = format!("<a>{}</a>", "<b c='' d='' e=''/>".repeat(6_667));
        assert_eq!(exceeded(&many, &XmlLimits::default()), Some(LimitKind::AllAttributes));
    }

    #[test]
    fn namespaces_in_scope_are_limited() {
        let declare = |from: usize, to: usize| {
            (from..to).map(|number| format!(" xmlns:p{number}='urn:{number}'")).collect::<String>()
        };
        let nested = |each: usize| {
            let tags =
                (0..5).map(|depth| format!("<a{}>", declare(depth * each, (depth + 1) * each)));
            tags.collect::<String>() + &"</a>".repeat(5)
        };
        assert_eq!(exceeded(&nested(25), &XmlLimits::default()), None);
        assert_eq!(exceeded(&nested(26), &XmlLimits::default()), Some(LimitKind::Namespaces));
        let many = format!("<a{}/>", declare(0, 80_000));
        assert_eq!(exceeded(&many, &XmlLimits::default()), Some(LimitKind::Namespaces));
        assert_eq!(exceeded(&format!("<a{}/>", declare(0, 200)), &ROOMY), None);
    }

    #[test]
    fn names_are_limited() {
        let limits = XmlLimits { name_bytes_max: 3, ..ROOMY };
        assert_eq!(exceeded("<abc abc=''><é/></abc>", &limits), None);
        for text in ["<abcd/>", "<a abcd=''/>", "<éé/>", "<a xmlns='urn:1'/>"] {
            assert_eq!(exceeded(text, &limits), Some(LimitKind::NameLength), "{text}");
        }
    }

    #[test]
    fn text_and_attribute_values_are_limited() {
        let limits = XmlLimits { text_bytes_max: 3, ..ROOMY };
        assert_eq!(exceeded("<a b='123'>1&amp;<b>123</b><![CDATA[3]]></a>", &limits), None);
        for text in [
            "<a>1234</a>",
            "<a>éé</a>",
            "<a>12<b/>34</a>",
            "<a>1<![CDATA[234]]></a>",
            "<a>123&amp;</a>",
            "<a b='1234'/>",
        ] {
            assert_eq!(exceeded(text, &limits), Some(LimitKind::TextLength), "{text}");
        }
    }

    #[test]
    fn messages_repeat_little_of_the_input() {
        let long = "x".repeat(100);
        for text in [
            format!("<{long}></y{long}>"),
            format!("<a>&{long};</a>"),
            format!("<a {long}:b=''/>"),
            format!("<a b='&#{long};'/>"),
            format!("<{long}"),
            format!("<a {long}='' {long}=''/>"),
            format!("<{long}>"),
            format!("<1{long}/>"),
        ] {
            let message = parse(&text, &ROOMY).expect_err(&text).to_string();
            assert!(message.matches('x').count() <= 64 + 3, "{message}");
        }
    }

    #[test]
    fn text_is_put_together_from_its_pieces() {
        assert_eq!(
            root_text("<a>Q&amp;A &lt;<![CDATA[<&amp;>]]>&#233;&#x20AC;</a>"),
            "Q&A <<&amp;>é€"
        );
        assert_eq!(root_text("<a>1<!-- 2 -->3<b>4</b>5</a>"), "135");
        assert_eq!(root_text("<a><![CDATA[]]]]><![CDATA[>]]></a>"), "]]>");
        assert_eq!(root_text("<a>]]<![CDATA[]]>></a>"), "]]>");
    }

    #[test]
    fn line_ends_are_normalized_but_not_their_references() {
        assert_eq!(root_text("<a>1\r\n2\r3\n4<![CDATA[\r\n]]></a>"), "1\n2\n3\n4\n");
        assert_eq!(root_text("<a>&#13;&#10;&#xD;</a>"), "\r\n\r");
    }

    #[test]
    fn text_that_needs_nothing_is_borrowed() {
        let document = parse("<a>10.50</a>", &XmlLimits::default()).expect("a document");
        assert!(matches!(document.root.text, Cow::Borrowed("10.50")));
        let document =
            parse("<a><![CDATA[10.50]]></a>", &XmlLimits::default()).expect("a document");
        assert!(matches!(document.root.text, Cow::Borrowed("10.50")));
    }

    /// Pieces that together often come close to XML.
    fn near_xml() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("<a>"),
            Just("</a>"),
            Just("<b/>"),
            Just("<p:c"),
            Just(" xmlns:p='urn:p'"),
            Just(" d=\"1\""),
            Just(" xsi:type='p:T'"),
            Just(">"),
            Just("/>"),
            Just("<"),
            Just("&"),
            Just(";"),
            Just("&amp;"),
            Just("&#x41;"),
            Just("<!--"),
            Just("-->"),
            Just("<![CDATA["),
            Just("]]>"),
            Just("<!DOCTYPE"),
            Just("["),
            Just("<?xml version='1.0'?>"),
            Just("<?"),
            Just("?>"),
            Just("'"),
            Just("\""),
            Just("="),
            Just(":"),
            Just("é"),
            Just(" "),
            Just("\r\n"),
            Just("x"),
            Just("\u{FEFF}"),
            Just("xmlns"),
            Just("!"),
            Just("-"),
        ];
        prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn any_string_is_read_or_refused(text in any::<String>()) {
            let _ = parse(&text, &XmlLimits::default());
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in any::<Vec<u8>>(), charset in 0_usize..8) {
            let charsets =
                ["utf-8", "utf-16", "utf-16le", "utf-16be", "us-ascii", "latin1", "cp1252"];
            if let Ok(text) = crate::xml::decode(&bytes, charsets.get(charset).copied()) {
                let _ = parse(&text, &XmlLimits::default());
            }
        }

        #[test]
        fn near_xml_is_read_or_refused_with_a_printable_reason(text in near_xml()) {
            if let Err(error) = parse(&text, &XmlLimits::default()) {
                let message = error.to_string();
                prop_assert_eq!(first_forbidden(&message), None);
                prop_assert!(message.len() < 300);
            }
        }
    }
}
