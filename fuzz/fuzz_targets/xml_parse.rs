//! Any bytes are read or refused, and what is read is XML to another reader as well.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quick_xml::NsReader;
use quick_xml::events::Event;
use refund_gateway::xml::{ElementRef, XmlLimits, decode, parse};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = decode(bytes, None) else { return };
    match parse(&text, &XmlLimits::default()) {
        Ok(document) => {
            let mut found = Counts::default();
            count(document.root(), &mut found);
            assert_eq!(found, tokenized(&text));
        }
        Err(error) => assert_printable(&error.to_string()),
    }
});

#[derive(Debug, Default, PartialEq)]
struct Counts {
    elements: usize,
    attributes: usize,
}

fn count(root: ElementRef<'_>, found: &mut Counts) {
    let mut waiting = vec![root];
    while let Some(element) = waiting.pop() {
        found.elements += 1;
        found.attributes += element.attributes().count();
        let _ = (element.xsi_type(), element.is_nil());
        assert!(element.is(element.namespace(), element.local()));
        assert_printable(element.text());
        waiting.extend(element.children());
    }
}

/// What the tokenizer finds by itself.
fn tokenized(text: &str) -> Counts {
    let mut reader = NsReader::from_str(text);
    let mut counts = Counts::default();
    loop {
        match reader.read_event().expect("what was accepted is tokenized") {
            Event::Start(tag) | Event::Empty(tag) => {
                counts.elements += 1;
                for attribute in tag.attributes() {
                    let attribute = attribute.expect("what was accepted has sound attributes");
                    let is_declaration = attribute.key.as_namespace_binding().is_some();
                    counts.attributes += usize::from(!is_declaration);
                }
            }
            Event::Eof => return counts,
            _ => {}
        }
    }
}

/// No character that XML forbids: answers and logs repeat it.
fn assert_printable(text: &str) {
    let forbidden = |character: char| {
        matches!(character, '\0'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}'
            | '\u{FFFE}' | '\u{FFFF}')
    };
    assert!(!text.contains(forbidden), "{text:?}");
}
