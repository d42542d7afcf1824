//! Takes elements out of a text and exchanges them, and leaves every other byte as it is.
//!
//! Writing the document anew would lose what its reader does not keep: prefixes, which values such
//! as that of `xsi:type` still name, comments, and the order of attributes.
//!
//! A place leads from the root to an element, by the number of the child element at each step, from
//! 0; the root is at the empty place. A text must be one that [`super::parse()`] took.

use super::tag::split;
use quick_xml::Reader;
use quick_xml::events::Event;
use std::ops::Range;

/// An element, by where its parts are in the text.
struct Spot {
    /// From the `<` of its start tag to the `>` of its end tag.
    outer: Range<usize>,
    /// Its start tag, or the only one.
    tag: Range<usize>,
    /// What is between its tags; none if it has only one.
    inner: Option<Range<usize>>,
    /// The prefixes declared above it with their namespaces as they are written, nearest last.
    scope: Declared,
}

/// Prefixes, the empty one too, each with its namespace as it is written.
type Declared = Vec<(String, String)>;

/// The document with `content` as the only content of the element at `place`, as text, or nothing
/// if there is no such element.
pub fn with_text(text: &str, place: &[usize], content: &str) -> Option<String> {
    with_content(text, place, &escaped(content))
}

/// The document with the XML `content` as the only content of the element at `place`.
pub fn with_content(text: &str, place: &[usize], content: &str) -> Option<String> {
    let spot = find(text, place)?;
    if let Some(inner) = spot.inner {
        return replaced(text, inner, content);
    }
    let tag = text.get(spot.tag.clone())?;
    let open = tag.strip_suffix("/>")?;
    let (name, _) = split(open.strip_prefix('<')?);
    replaced(text, spot.tag, &format!("{open}>{content}</{name}>"))
}

/// The document with the XML `element` in the place of the element at `place`.
pub fn with_element(text: &str, place: &[usize], element: &str) -> Option<String> {
    replaced(text, find(text, place)?.outer, element)
}

/// The document with another value of an attribute, which the element at `place` must have.
pub fn with_attribute(
    text: &str,
    place: &[usize],
    (namespace, local): (&str, &str),
    value: &str,
) -> Option<String> {
    let spot = find(text, place)?;
    let start = spot.tag.start.saturating_add(1);
    let scope = [spot.scope, declarations(text, &spot.tag)].concat();
    let is_meant = |name: &str| match name.split_once(':') {
        Some((prefix, found)) => {
            let declared = scope.iter().rev().find(|(known, _)| known == prefix);
            found == local && declared.is_some_and(|(_, declared)| declared == namespace)
        }
        None => name == local && namespace.is_empty(),
    };
    let (_, mut attributes) = split(inside(text, &spot.tag)?);
    let found = attributes.find_map(|found| found.ok().filter(|found| is_meant(found.name)))?;
    let from = start.checked_add(found.value_offset)?;
    let value = escaped(value).replace('"', "&quot;").replace('\'', "&apos;");
    replaced(text, from..from.checked_add(found.value.len())?, &value)
}

/// The element at `place` as a document of its own: with every prefix that is declared above it.
pub fn element(text: &str, place: &[usize]) -> Option<String> {
    let spot = find(text, place)?;
    let own = declarations(text, &spot.tag);
    let (name, _) = split(inside(text, &spot.tag)?);
    let mut added = String::new();
    for (at, (prefix, namespace)) in spot.scope.iter().enumerate() {
        let later = spot.scope.iter().skip(at.saturating_add(1)).chain(&own);
        let is_hidden = later.into_iter().any(|(other, _)| other == prefix);
        if is_hidden || prefix == "xml" {
            continue;
        }
        let colon = if prefix.is_empty() { "" } else { ":" };
        let namespace = namespace.replace('"', "&quot;");
        added.push_str(&format!(" xmlns{colon}{prefix}=\"{namespace}\""));
    }
    let at = spot.tag.start.checked_add(1)?.checked_add(name.len())?;
    let (before, rest) = (text.get(spot.outer.start..at)?, text.get(at..spot.outer.end)?);
    Some(format!("{before}{added}{rest}"))
}

fn find(text: &str, place: &[usize]) -> Option<Spot> {
    let mut reader = Reader::from_str(text);
    // Where the open elements are, and how many children each has had; the root is at [].
    let mut way: Vec<usize> = Vec::new();
    let mut children: Vec<usize> = Vec::new();
    // What each of the open elements declares.
    let mut scopes: Vec<Declared> = Vec::new();
    let mut found: Option<(Range<usize>, usize, Declared)> = None;
    loop {
        let start = position(&reader)?;
        match reader.read_event().ok()? {
            Event::Start(_) => {
                step(&mut way, &mut children);
                children.push(0);
                let tag = start..position(&reader)?;
                if found.is_none() && way == place {
                    found = Some((tag.clone(), children.len(), scopes.concat()));
                }
                scopes.push(declarations(text, &tag));
            }
            Event::Empty(_) => {
                step(&mut way, &mut children);
                if found.is_none() && way == place {
                    let tag = start..position(&reader)?;
                    let scope = scopes.concat();
                    return Some(Spot { outer: tag.clone(), tag, inner: None, scope });
                }
                way.pop();
            }
            Event::End(_) => {
                if found.as_ref().is_some_and(|(_, depth, _)| *depth == children.len()) {
                    let (tag, _, scope) = found?;
                    let outer = tag.start..position(&reader)?;
                    return Some(Spot { outer, inner: Some(tag.end..start), tag, scope });
                }
                children.pop();
                scopes.pop();
                way.pop();
            }
            Event::Eof => return None,
            _ => {}
        }
    }
}

/// What is between the `<` and the `>` or `/>` of a tag.
fn inside<'t>(text: &'t str, tag: &Range<usize>) -> Option<&'t str> {
    let tag = text.get(tag.clone())?.strip_prefix('<')?;
    tag.strip_suffix("/>").or_else(|| tag.strip_suffix('>'))
}

/// What a tag declares.
fn declarations(text: &str, tag: &Range<usize>) -> Declared {
    let Some(tag) = inside(text, tag) else { return Vec::new() };
    let (_, attributes) = split(tag);
    let declared = attributes.filter_map(Result::ok).filter_map(|attribute| {
        let prefix = match attribute.name.strip_prefix("xmlns")? {
            "" => "",
            rest => rest.strip_prefix(':')?,
        };
        Some((prefix.to_owned(), attribute.value.to_owned()))
    });
    declared.collect()
}

fn replaced(text: &str, at: Range<usize>, new: &str) -> Option<String> {
    Some(format!("{}{new}{}", text.get(..at.start)?, text.get(at.end..)?))
}

fn position(reader: &Reader<&[u8]>) -> Option<usize> {
    usize::try_from(reader.buffer_position()).ok()
}

/// Goes down to the next child of the element that is open; the root is no child.
fn step(way: &mut Vec<usize>, children: &mut [usize]) {
    if let Some(count) = children.last_mut() {
        way.push(*count);
        *count = count.saturating_add(1);
    }
}

/// Text as the content of an element.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\r' => out.push_str("&#13;"),
            character => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_element_changes_and_nothing_else() {
        let text = "<?xml version='1.0'?><a xmlns:p='urn:1'><!-- <b/> --><b/><c p:t='p:T'>1<d/>2\
                    </c><b  x=\"1\" /></a>";
        let changed = |place: &[usize]| with_text(text, place, "<&>").expect("an element");
        assert_eq!(changed(&[1]), text.replace("1<d/>2", "&lt;&amp;&gt;"), "with what was in it");
        assert_eq!(changed(&[1, 0]), text.replace("<d/>", "<d>&lt;&amp;&gt;</d>"));
        assert_eq!(changed(&[2]), text.replace("<b  x=\"1\" />", "<b  x=\"1\" >&lt;&amp;&gt;</b>"));
        assert_eq!(changed(&[]), "<?xml version='1.0'?><a xmlns:p='urn:1'>&lt;&amp;&gt;</a>");
        assert_eq!(with_text("<a/>", &[], "x").as_deref(), Some("<a>x</a>"));
        let content = with_content(text, &[1], "<e/>").expect("an element");
        assert_eq!(content, text.replace("1<d/>2", "<e/>"));
        let element = with_element(text, &[1, 0], "<e/>f").expect("an element");
        assert_eq!(element, text.replace("<d/>", "<e/>f"));
    }

    #[test]
    fn what_is_not_there_is_not_changed() {
        for place in [&[3][..], &[1, 1], &[0, 0]] {
            let text = "<a><b/><c><d/></c></a>";
            assert_eq!(with_text(text, place, "x"), None, "{place:?}");
            assert_eq!(element(text, place), None, "{place:?}");
        }
    }

    #[test]
    fn an_attribute_is_found_by_its_namespace() {
        let text = "<a xmlns:p='urn:1'><b t='1' q:t = \"2\" p:t='3' xmlns:q='urn:1&amp;2'/></a>";
        let changed = |namespace, local| with_attribute(text, &[0], (namespace, local), "\"<'");
        let new = "&quot;&lt;&apos;";
        assert_eq!(changed("", "t").expect("t"), text.replace("'1'", &format!("'{new}'")));
        assert_eq!(changed("urn:1", "t").expect("p:t"), text.replace("'3'", &format!("'{new}'")));
        assert_eq!(
            changed("urn:1&amp;2", "t").expect("q:t"),
            text.replace("\"2\"", &format!("\"{new}\""))
        );
        assert_eq!(changed("", "x"), None);
        assert_eq!(changed("urn:2", "t"), None);
    }

    #[test]
    fn an_element_alone_keeps_its_prefixes() {
        let text = "<a xmlns:p='urn:1' xmlns='urn:\"0' xmlns:q='urn:q'><b xmlns:p='urn:2'><p:c \
                    xmlns:q='urn:3' q:t='p:T'>1</p:c><d/></b></a>";
        let alone = |place: &[usize]| element(text, place).expect("an element");
        assert_eq!(
            alone(&[0, 0]),
            "<p:c xmlns=\"urn:&quot;0\" xmlns:p=\"urn:2\" xmlns:q='urn:3' q:t='p:T'>1</p:c>"
        );
        assert_eq!(
            alone(&[0, 1]),
            "<d xmlns=\"urn:&quot;0\" xmlns:q=\"urn:q\" xmlns:p=\"urn:2\"/>"
        );
        assert_eq!(alone(&[]), text);
    }
}
