//! Whatever is written is well-formed and is read back as it was written.
#![no_main]

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use refund_gateway::xml::{Writer, XmlLimits, parse};

#[derive(Arbitrary, Debug)]
enum Call {
    Declaration,
    Open,
    OpenWith(String, String),
    Close,
    Text(String),
    TextElement(String),
    EmptyWith(String),
}

#[derive(Arbitrary, Debug)]
struct Input {
    calls: Vec<Call>,
    text: String,
    value: String,
}

const LIMITS: XmlLimits = XmlLimits {
    depth_max: usize::MAX,
    elements_max: usize::MAX,
    attributes_per_tag_max: usize::MAX,
    attributes_max: usize::MAX,
    namespaces_per_tag_max: usize::MAX,
    name_bytes_max: usize::MAX,
    text_bytes_max: usize::MAX,
};

fuzz_target!(|input: Input| {
    assert_texts_come_back(&input.text, &input.value);
    assert_always_well_formed(&input.calls);
});

fn assert_texts_come_back(text: &str, value: &str) {
    let mut writer = Writer::new();
    writer.declaration().open_with("a", &[("b", value)]).text(text);
    writer.text_element("c", value).text(value);
    let bytes = writer.into_bytes();
    let written = str::from_utf8(&bytes).expect("the writer writes UTF-8");
    let document = parse(written, &LIMITS).expect("what was written is well-formed");
    let root = document.root();
    assert_eq!(root.attribute("", "b"), Some(shown(value).as_str()));
    assert_eq!(root.text(), shown(text) + &shown(value));
    assert_eq!(root.children().next().map(|child| child.text()), Some(shown(value).as_str()));
}

fn assert_always_well_formed(calls: &[Call]) {
    let mut writer = Writer::new();
    let mut has_root = false;
    for call in calls {
        match call {
            Call::Declaration => writer.declaration(),
            Call::Open => writer.open("a"),
            Call::OpenWith(first, second) => writer.open_with("b", &[("c", first), ("d", second)]),
            Call::Close => writer.close(),
            Call::Text(text) => writer.text(text),
            Call::TextElement(text) => writer.text_element("e", text),
            Call::EmptyWith(value) => writer.empty_with("f", &[("g", value)]),
        };
        has_root |= !matches!(call, Call::Declaration | Call::Close | Call::Text(_));
    }
    let bytes = writer.into_bytes();
    let written = str::from_utf8(&bytes).expect("the writer writes UTF-8");
    assert_eq!(parse(written, &LIMITS).is_ok(), has_root, "{written}");
}

/// What XML forbids comes back as U+FFFD.
fn shown(text: &str) -> String {
    let forbidden = |character: char| {
        matches!(character, '\0'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}'
            | '\u{FFFE}' | '\u{FFFF}')
    };
    text.replace(forbidden, "\u{FFFD}")
}
