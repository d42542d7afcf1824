//! Writes XML in one line.
//!
//! What must stay true: with names that are names, no order of calls and no text can make the
//! result ill-formed. Texts are escaped and cleared of what XML forbids, elements that were left
//! open are closed, and what would stand outside the one root is not written.

use super::characters::is_xml;

/// Builds a document from its root element inwards.
///
/// Names are literals of the program, with the prefix that the program itself declares.
#[derive(Debug, Clone, Default)]
pub struct Writer {
    out: String,
    open: Vec<&'static str>,
    has_root: bool,
}

/// An attribute or namespace declaration to write: its name and its value.
type Pair<'v> = (&'static str, &'v str);

impl Writer {
    /// A writer of an empty document.
    pub fn new() -> Self {
        Self::default()
    }

    /// A writer that has room for so many bytes before it must grow.
    pub fn with_capacity(bytes: usize) -> Self {
        Self { out: String::with_capacity(bytes), ..Self::default() }
    }

    /// Writes the XML declaration, which only the very start of a document can have: later it
    /// does nothing.
    pub fn declaration(&mut self) -> &mut Self {
        if self.out.is_empty() {
            self.out.push_str("<?xml version='1.0' encoding='UTF-8'?>");
        }
        self
    }

    /// Opens an element without attributes.
    pub fn open(&mut self, name: &'static str) -> &mut Self {
        self.open_with(name, &[])
    }

    /// Opens an element with attributes and namespace declarations.
    pub fn open_with(&mut self, name: &'static str, attributes: &[Pair<'_>]) -> &mut Self {
        if self.start_tag(name, attributes) {
            self.out.push('>');
            self.open.push(name);
        }
        self
    }

    /// Closes the element that was opened last and is still open.
    pub fn close(&mut self) -> &mut Self {
        if let Some(name) = self.open.pop() {
            self.end_tag(name);
        }
        self
    }

    /// Writes text into the open element.
    pub fn text(&mut self, text: &str) -> &mut Self {
        if !self.open.is_empty() {
            self.escape(text, |character| match character {
                '&' => Some("&amp;"),
                '<' => Some("&lt;"),
                '>' => Some("&gt;"),
                '\r' => Some("&#13;"),
                _ => None,
            });
        }
        self
    }

    /// Writes an element that has only text.
    pub fn text_element(&mut self, name: &'static str, text: &str) -> &mut Self {
        let depth = self.open.len();
        self.open(name);
        if self.open.len() > depth {
            self.text(text).close();
        }
        self
    }

    /// Writes an element that has only text and whose name has a prefix. Both parts are literals,
    /// or names that were checked to need no escapes.
    pub fn prefixed_text_element(
        &mut self,
        prefix: &'static str,
        local: &str,
        text: &str,
    ) -> &mut Self {
        if !self.open.is_empty() {
            for part in ["<", prefix, ":", local, ">"] {
                self.out.push_str(part);
            }
            self.text(text);
            for part in ["</", prefix, ":", local, ">"] {
                self.out.push_str(part);
            }
        }
        self
    }

    /// Writes an element that has only attributes, closed as the original closes it.
    pub fn empty_with(&mut self, name: &'static str, attributes: &[Pair<'_>]) -> &mut Self {
        if self.start_tag(name, attributes) {
            self.out.push_str(" />");
        }
        self
    }

    /// Closes what is open and gives the document.
    pub fn into_bytes(mut self) -> Vec<u8> {
        while let Some(name) = self.open.pop() {
            self.end_tag(name);
        }
        self.out.into_bytes()
    }

    /// Writes a tag up to its end; false if it would be a second root.
    fn start_tag(&mut self, name: &'static str, attributes: &[Pair<'_>]) -> bool {
        if self.open.is_empty() && self.has_root {
            return false;
        }
        self.has_root = true;
        self.out.push('<');
        self.out.push_str(name);
        for (name, value) in attributes {
            self.out.push(' ');
            self.out.push_str(name);
            self.out.push_str("=\"");
            self.escape(value, |character| match character {
                '&' => Some("&amp;"),
                '<' => Some("&lt;"),
                '>' => Some("&gt;"),
                '"' => Some("&quot;"),
                '\r' => Some("&#13;"),
                '\n' => Some("&#10;"),
                '\t' => Some("&#9;"),
                _ => None,
            });
            self.out.push('"');
        }
        true
    }

    fn end_tag(&mut self, name: &'static str) {
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }

    fn escape(&mut self, text: &str, escaped: fn(char) -> Option<&'static str>) {
        // Almost every text is an id, a number or a word of ours, which a pass without a branch
        // finds out.
        let is_odd = |byte: u8| {
            let is_markup = (byte == b'&') | (byte == b'<') | (byte == b'>') | (byte == b'"');
            u8::from(!(b' '..=b'~').contains(&byte) | is_markup)
        };
        if text.bytes().fold(0, |seen, byte| seen | is_odd(byte)) == 0 {
            self.out.push_str(text);
            return;
        }
        let mut rest = text;
        let replacement = |character: char| {
            escaped(character).or_else(|| (!is_xml(character)).then_some("\u{FFFD}"))
        };
        while let Some((at, character, instead)) = rest
            .char_indices()
            .find_map(|(at, character)| Some((at, character, replacement(character)?)))
        {
            let (plain, special) = rest.split_at(at);
            self.out.push_str(plain);
            self.out.push_str(instead);
            rest = special.split_at(character.len_utf8()).1;
        }
        self.out.push_str(rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::{ElementRef, XSI, XmlLimits, parse};
    use proptest::prelude::*;

    fn written(write: impl FnOnce(&mut Writer)) -> String {
        let mut writer = Writer::new();
        write(&mut writer);
        String::from_utf8(writer.into_bytes()).expect("UTF-8")
    }

    #[test]
    fn an_answer_is_written_as_the_original_writes_it() {
        let text = written(|writer| {
            let envelope = [("xmlns:soapenv", "http://schemas.xmlsoap.org/soap/envelope/")];
            writer.declaration().open_with("soapenv:Envelope", &envelope).open("soapenv:Body");
            writer
                .text_element("ns1:Id", "8a80")
                .empty_with("ns1:queryLocator", &[("xsi:nil", "1")]);
            writer.close().close();
        });
        let expected = "<?xml version='1.0' encoding='UTF-8'?><soapenv:Envelope \
                        xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\"><soapenv:Body>\
                        <ns1:Id>8a80</ns1:Id><ns1:queryLocator xsi:nil=\"1\" /></soapenv:Body>\
                        </soapenv:Envelope>";
        assert_eq!(text, expected);
    }

    #[test]
    fn texts_and_attributes_are_escaped() {
        let special = "&<>\"'\r\n\té";
        let text = written(|writer| {
            writer.open_with("a", &[("b", special)]).text(special);
        });
        let expected =
            "<a b=\"&amp;&lt;&gt;&quot;'&#13;&#10;&#9;é\">&amp;&lt;&gt;\"'&#13;\n\té</a>";
        assert_eq!(text, expected);
    }

    #[test]
    fn characters_that_xml_forbids_are_replaced() {
        let forbidden = "1\0\u{1}\u{FFFE}\u{FFFF}2";
        let text = written(|writer| {
            writer.open_with("a", &[("b", forbidden)]).text(forbidden);
        });
        let shown = "1\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}2";
        assert_eq!(text, format!("<a b=\"{shown}\">{shown}</a>"));
    }

    #[test]
    fn what_is_open_is_closed_at_the_end() {
        let text = written(|writer| {
            writer.open("a").open("b").close().open("c").text("d");
        });
        assert_eq!(text, "<a><b></b><c>d</c></a>");
    }

    #[test]
    fn nothing_is_written_outside_the_root() {
        let text = written(|writer| {
            writer.close().text("1").open("a").declaration().close().close();
            writer.text("2").open("b").text_element("c", "3").empty_with("d", &[]).declaration();
        });
        assert_eq!(text, "<a></a>");
    }

    #[test]
    fn a_root_alone_may_be_an_element_of_text_or_empty() {
        assert_eq!(
            written(|writer| {
                writer.text_element("a", "1").text("2");
            }),
            "<a>1</a>"
        );
        assert_eq!(
            written(|writer| {
                writer.empty_with("a", &[]).text("2");
            }),
            "<a />"
        );
    }

    const ROOMY: XmlLimits = XmlLimits {
        depth_max: 100,
        elements_max: 1_000,
        attributes_per_tag_max: 10,
        attributes_max: 1_000_000,
        namespaces_per_tag_max: 10,
        name_bytes_max: 10,
        text_bytes_max: 100_000,
    };

    /// An element as it is to be written and expected to be read.
    #[derive(Debug, Clone, PartialEq)]
    struct Node {
        name: &'static str,
        attributes: Vec<(&'static str, String)>,
        text: String,
        children: Vec<Node>,
    }

    const ATTRIBUTES: [&str; 3] = ["p", "q", "xml:r"];

    fn shown(text: &str) -> String {
        text.chars()
            .map(|character| if is_xml(character) { character } else { '\u{FFFD}' })
            .collect()
    }

    fn any_text() -> impl Strategy<Value = String> {
        let any_character = prop_oneof![
            any::<char>(),
            prop::sample::select(vec![
                '&', '<', '>', '"', '\'', ']', '\r', '\n', '\t', ' ', '\0', ';'
            ])
        ];
        prop::collection::vec(any_character, 0..20).prop_map(String::from_iter)
    }

    fn any_tree() -> impl Strategy<Value = Node> {
        let name = || prop::sample::select(vec!["a", "b", "Größe", "c-1"]);
        let attributes = || {
            prop::collection::vec(any_text(), 0..=ATTRIBUTES.len())
                .prop_map(|values| ATTRIBUTES.into_iter().zip(values).collect::<Vec<_>>())
        };
        let node = |(name, attributes, text, children)| Node { name, attributes, text, children };
        let leaf = (name(), attributes(), any_text(), Just(Vec::new())).prop_map(node);
        leaf.prop_recursive(5, 50, 5, move |inner| {
            let children = prop::collection::vec(inner, 0..5);
            (name(), attributes(), any_text(), children).prop_map(node)
        })
    }

    fn write(node: &Node, writer: &mut Writer) {
        let attributes: Vec<_> =
            node.attributes.iter().map(|(name, value)| (*name, value.as_str())).collect();
        writer.open_with(node.name, &attributes).text(&node.text);
        for child in &node.children {
            write(child, writer);
        }
        writer.close();
    }

    fn assert_read_back(node: &Node, element: ElementRef<'_>) {
        assert!(element.is("", node.name));
        assert_eq!(element.text(), shown(&node.text));
        let locals = element.attributes().map(|attribute| (attribute.local, attribute.value));
        let expected: Vec<_> = node
            .attributes
            .iter()
            .map(|(name, value)| (name.trim_start_matches("xml:"), shown(value)))
            .collect();
        let read: Vec<_> = locals.map(|(local, value)| (local, value.to_owned())).collect();
        assert_eq!(read, expected);
        assert_eq!(element.children().count(), node.children.len());
        for (child, element) in node.children.iter().zip(element.children()) {
            assert_read_back(child, element);
        }
    }

    proptest! {
        #[test]
        fn any_tree_is_read_back_as_it_was_written(tree in any_tree()) {
            let text = written(|writer| write(&tree, writer.declaration()));
            let document = parse(&text, &ROOMY).expect(&text);
            assert_read_back(&tree, document.root());
        }

        #[test]
        fn no_order_of_calls_writes_anything_ill_formed(
            calls in prop::collection::vec((0_u8..7, any_text()), 0..30)
        ) {
            let text = written(|writer| {
                for (call, text) in &calls {
                    match call {
                        0 => writer.declaration(),
                        1 => writer.open("a"),
                        2 => writer.open_with("b", &[("xmlns:i", XSI), ("i:nil", text)]),
                        3 => writer.close(),
                        4 => writer.text(text),
                        5 => writer.text_element("c", text),
                        _ => writer.empty_with("d", &[("e", text)]),
                    };
                }
            });
            let has_root = text.contains("<a") || text.contains("<b") || text.contains("<c")
                || text.contains("<d");
            prop_assert_eq!(parse(&text, &ROOMY).is_ok(), has_root, "{}", text);
        }
    }
}
