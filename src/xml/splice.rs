//! Exchanges the content of one element in a text and leaves every other byte as it is.
//!
//! Writing the document anew would lose what its reader does not keep: prefixes, which values such
//! as that of `xsi:type` still name, comments, and the order of attributes.

use quick_xml::Reader;
use quick_xml::events::Event;

/// The document with `content` as the only content of the element at `place`, or nothing if there
/// is no such element. The place leads from the root, by the number of the child element at each
/// step, from 0. The text must be one that [`super::parse()`] took.
pub fn with_text(text: &str, place: &[usize], content: &str) -> Option<String> {
    let mut reader = Reader::from_str(text);
    // Where the open elements are, and how many children each has had; the root is at [].
    let mut way: Vec<usize> = Vec::new();
    let mut children: Vec<usize> = Vec::new();
    let mut inside: Option<(usize, usize)> = None;
    loop {
        let start = position(&reader)?;
        match reader.read_event().ok()? {
            Event::Start(_) => {
                step(&mut way, &mut children);
                children.push(0);
                if inside.is_none() && way == place {
                    inside = Some((position(&reader)?, children.len()));
                }
            }
            Event::Empty(tag) => {
                step(&mut way, &mut children);
                if way == place {
                    let name = AsRef::<str>::as_ref(&tag.name()).to_owned();
                    let end = position(&reader)?;
                    let open = text.get(..end)?.strip_suffix("/>")?;
                    let rest = text.get(end..)?;
                    return Some(format!("{open}>{}</{name}>{rest}", escaped(content)));
                }
                way.pop();
            }
            Event::End(_) => {
                if let Some((from, depth)) = inside
                    && depth == children.len()
                {
                    let (before, rest) = (text.get(..from)?, text.get(start..)?);
                    return Some(format!("{before}{}{rest}", escaped(content)));
                }
                children.pop();
                way.pop();
            }
            Event::Eof => return None,
            _ => {}
        }
    }
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
    use super::with_text;

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
    }

    #[test]
    fn what_is_not_there_is_not_changed() {
        for place in [&[3][..], &[1, 1], &[0, 0]] {
            assert_eq!(with_text("<a><b/><c><d/></c></a>", place, "x"), None, "{place:?}");
        }
    }
}
