//! What must hold for any bytes, one function for each target. The fuzzer and the tests of the
//! repository (`tests/it/fuzzing.rs`) run these same functions.

use flate2::Compression;
use flate2::write::GzEncoder;
use quick_xml::NsReader;
use quick_xml::events::Event;
use refund_gateway::call::{Call, Door, Head, Headers, Holding, Method, Reply, Users};
use refund_gateway::domain::calendar::{CalendarText, Moment, parse_date};
use refund_gateway::domain::money::{Currency, parse_amount, parse_decimal};
use refund_gateway::domain::origin::{FrontDoor, Origin};
use refund_gateway::domain::query::{FieldKind, QueryField, QueryObject, TypedQuery, typed};
use refund_gateway::domain::version::ApiVersion;
use refund_gateway::domain::zoql::{self, CHARS_MAX};
use refund_gateway::http::inflate_now;
use refund_gateway::json::{self, JsonLimits};
use refund_gateway::ledger::Ledger;
use refund_gateway::ledger::sqlite::{LedgerSettings, OpenMode, OpenOptions, SqliteLedger};
use refund_gateway::ledger::trail::Act;
use refund_gateway::replay::{CaseReport, Options, Replay, Reporter, TestCaseReport};
use refund_gateway::rest::Rest;
use refund_gateway::service::clock::Clock;
use refund_gateway::service::seed::{self, DEMO, DEMO_SETTLEMENT, Seed};
use refund_gateway::service::{Service, ServiceSettings};
use refund_gateway::soap::Soap;
use refund_gateway::xml::xpath::{Nodes, XPath, XPathValue};
use refund_gateway::xml::{ElementRef, Writer, XmlLimits, decode, parse};
use std::borrow::Cow;
use std::io::{self, Write as _};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// A check, by the name of its target and of the folder of its corpus.
pub type Check = (&'static str, fn(&[u8]));

/// Every check.
pub const CHECKS: [Check; 12] = [
    ("xml_parse", xml_parse),
    ("xml_round_trip", xml_round_trip),
    ("xpath_evaluate", xpath_evaluate),
    ("zoql_parse", zoql_parse),
    ("decimal_and_date", decimal_and_date),
    ("envelope", envelope),
    ("gzip_envelope", gzip_envelope),
    ("rest_json", rest_json),
    ("seed", seed),
    ("har", har),
    ("vcr", vcr),
    ("soapui", soapui),
];

/// The most that a body inflates to here, in bytes.
const INFLATED_MAX: usize = 1 << 20;

/// Any bytes are read or refused, and what is read is XML to another reader as well.
pub fn xml_parse(bytes: &[u8]) {
    let Ok(text) = decode(bytes, None) else { return };
    match parse(&text, &XmlLimits::default()) {
        Ok(document) => {
            let mut found = Counts::default();
            count(document.root(), &mut found);
            assert_eq!(found, tokenized(&text));
        }
        Err(error) => assert_printable(&error.to_string()),
    }
}

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

const fn is_forbidden(character: char) -> bool {
    matches!(character, '\0'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}'
        | '\u{FFFE}' | '\u{FFFF}')
}

/// No character that XML forbids: answers and logs repeat it.
fn assert_printable(text: &str) {
    assert!(!text.contains(is_forbidden), "{text:?}");
}

const NO_LIMITS: XmlLimits = XmlLimits {
    depth_max: usize::MAX,
    elements_max: usize::MAX,
    attributes_per_tag_max: usize::MAX,
    attributes_max: usize::MAX,
    namespaces_per_tag_max: usize::MAX,
    name_bytes_max: usize::MAX,
    text_bytes_max: usize::MAX,
};

/// Whatever is written is well-formed and is read back as it was written. Each line is a call of
/// the writer: its first byte says which, the rest is what it is given.
pub fn xml_round_trip(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (first, second) = text.split_once('\n').unwrap_or((&text, ""));
    assert_texts_come_back(first, second);
    let mut writer = Writer::new();
    let mut has_root = false;
    for line in text.split('\n') {
        let mut characters = line.chars();
        let which = characters.next().map_or(0, |first| u32::from(first) % 7);
        let rest = characters.as_str();
        match which {
            0 => writer.declaration(),
            1 => writer.open("a"),
            2 => writer.open_with("b", &[("c", rest), ("d", line)]),
            3 => writer.close(),
            4 => writer.text(rest),
            5 => writer.text_element("e", rest),
            _ => writer.empty_with("f", &[("g", rest)]),
        };
        has_root |= ![0, 3, 4].contains(&which);
    }
    let bytes = writer.into_bytes();
    let written = str::from_utf8(&bytes).expect("the writer writes UTF-8");
    assert_eq!(parse(written, &NO_LIMITS).is_ok(), has_root, "{written}");
}

fn assert_texts_come_back(text: &str, value: &str) {
    // What XML forbids comes back as U+FFFD.
    let shown = |text: &str| text.replace(is_forbidden, "\u{FFFD}");
    let mut writer = Writer::new();
    writer.declaration().open_with("a", &[("b", value)]).text(text);
    writer.text_element("c", value).text(value);
    let bytes = writer.into_bytes();
    let written = str::from_utf8(&bytes).expect("the writer writes UTF-8");
    let document = parse(written, &NO_LIMITS).expect("what was written is well-formed");
    let root = document.root();
    assert_eq!(root.attribute("", "b"), Some(shown(value).as_str()));
    assert_eq!(root.text(), shown(text) + &shown(value));
    assert_eq!(root.children().next().map(|child| child.text()), Some(shown(value).as_str()));
}

/// Any expression on any document is evaluated or refused: the first line is the expression, the
/// rest is the document. Nodes come in document order, each once, and each has a text.
pub fn xpath_evaluate(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let (expression, document) = text.split_once('\n').unwrap_or((text, "<a><b n='1'>2</b></a>"));
    let namespaces = [("p".to_owned(), "urn:p".to_owned())];
    let Ok(path) = XPath::parse(expression, &namespaces) else { return };
    let Ok(nodes) = Nodes::read(document, &XmlLimits::default()) else { return };
    match path.evaluate(&nodes) {
        Ok(XPathValue::Nodes(found)) => {
            assert!(found.windows(2).all(|pair| pair[0] < pair[1]), "{expression}");
            for node in found {
                let _ = (nodes.text(node), nodes.local(node), nodes.place(node));
            }
        }
        Ok(value) => drop(value.string(&nodes)),
        Err(error) => drop(error.to_string()),
    }
}

const fn field(name: &'static str, kind: FieldKind) -> QueryField {
    QueryField { name: Cow::Borrowed(name), kind }
}

/// A field of every kind.
const FIELDS: [QueryField; 7] = [
    field("Id", FieldKind::Id),
    field("Active", FieldKind::Boolean),
    field("Amount", FieldKind::Number),
    field("Comment", FieldKind::Text),
    field("CreatedDate", FieldKind::Moment),
    field("OldDate", FieldKind::DayAsMoment),
    field("RefundDate", FieldKind::Day),
];

/// Any text is a query or an error, a query prints as a text that parses to itself, and one that
/// fits its fields reads back from what a locator keeps of it.
pub fn zoql_parse(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    match zoql::parse(text) {
        Ok(query) => {
            let printed = query.to_string();
            // What had just room may print longer, by blanks and escapes.
            if printed.chars().count() <= CHARS_MAX {
                assert_eq!(zoql::parse(&printed).as_ref(), Ok(&query), "{printed}");
            }
            if let Ok(query) = typed(&query, QueryObject::Refund, &FIELDS, false) {
                let kept = serde_json::to_string(&query).expect("a query can be kept");
                let read: TypedQuery = serde_json::from_str(&kept).expect("and read again");
                assert_eq!(read, query, "{kept}");
            }
        }
        Err(error) => assert!(error.to_string().is_ascii(), "{error}"),
    }
}

/// An amount that a currency can hold is the same after it was money; a number and a day are what
/// they are written as.
pub fn decimal_and_date(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    for text in text.lines() {
        if let Some(number) = parse_decimal(text) {
            assert_eq!(parse_decimal(&number.to_string()), Some(number), "{text:?}");
        }
        if let Some(amount) = parse_amount(text) {
            for code in ["USD", "JPY", "KWD"] {
                let currency = Currency::from_code(code).expect("a currency");
                if let Some(units) = currency.minor_units(amount) {
                    assert_eq!(currency.decimal(units), amount, "{text:?}");
                    // With all of a currency's decimals it may have more digits than are read.
                    let read = parse_amount(&currency.format(units));
                    assert!(read.is_none_or(|read| read == amount), "{text:?}");
                }
            }
        }
        let _ = Moment::parse(text).map(|moment| moment.utc(chrono_tz::America::Los_Angeles));
        if let Some(day) = parse_date(text) {
            assert_eq!(parse_date(&day.to_string()), Some(day), "{text:?}");
        }
        if let Some(day) = CalendarText::parse(text) {
            let _ = day.day(ApiVersion::major(91), chrono_tz::Pacific::Apia);
            assert_eq!(day.as_str(), text.trim_matches([' ', '\t', '\r', '\n']), "{text:?}");
        }
    }
}

/// The front doors over a ledger that is made for the checks.
struct House {
    runtime: Runtime,
    session: String,
    soap: Soap,
    rest: Rest,
}

fn house() -> &'static House {
    static HOUSE: OnceLock<House> = OnceLock::new();
    HOUSE.get_or_init(|| {
        let runtime = Runtime::new().expect("a runtime");
        let (service, session) = runtime.block_on(async {
            let mode = OpenMode::CreateOrOpen { test: true };
            let options =
                OpenOptions { mode, id_seed: Some(7), settings: LedgerSettings::default() };
            let ledger = SqliteLedger::temporary(&options).expect("a ledger");
            for text in [DEMO, DEMO_SETTLEMENT] {
                let act = Act::of_start(chrono::DateTime::default());
                let seed = Seed::parse(text).unwrap_or_default();
                seed::load(&ledger, seed, act).await.expect("a seed");
            }
            let ledger: Arc<dyn Ledger> = Arc::new(ledger);
            let settings = ServiceSettings::default();
            let service = Service::start(ledger, Clock::system(), settings).await;
            let service = service.expect("a service");
            let here = std::net::Ipv4Addr::LOCALHOST.into();
            let session = service.login("demo@example.com", "demo", here).await;
            (service, session.expect("a session"))
        });
        let soap = Soap::new(Arc::clone(&service), XmlLimits::default());
        House { runtime, session, soap, rest: Rest::new(service) }
    })
}

fn head(method: Method, path: &str, version: &str, content_type: &str) -> Head {
    Head {
        method,
        path: path.to_owned(),
        query: None,
        version: version.to_owned(),
        base_url: "http://localhost".to_owned(),
        content_type: Some(content_type.to_owned()),
        idempotency_key: None,
        headers: Headers::default(),
        users: Users::default(),
        origin: Origin::of(FrontDoor::Soap),
    }
}

/// The status and the body of the answer of a front door; none where it gives none.
fn answered(door: &dyn Door, head: Head, body: &[u8]) -> Option<(u16, Vec<u8>)> {
    let call = Call {
        head,
        body: body.to_vec().into(),
        turn: None,
        holding: Holding::new(&Arc::new(Semaphore::new(1))),
        deadline: (Instant::now() + Duration::from_secs(60)).into(),
        notes: None,
    };
    match house().runtime.block_on(door.answer(call)) {
        Reply::Answer(answer) => Some((answer.status, answer.body)),
        Reply::Abort(..) | Reply::Reset(..) => None,
    }
}

/// Any body gets a well-formed answer of SOAP. `SESSION` stands for a session that is good.
pub fn envelope(bytes: &[u8]) {
    let place = bytes.windows(7).position(|word| word == b"SESSION");
    let bytes = match place {
        Some(place) => {
            let (before, after) = bytes.split_at(place);
            [before, house().session.as_bytes(), after.get(7..).unwrap_or_default()].concat()
        }
        None => bytes.to_vec(),
    };
    let head = head(Method::Post, "/apps/services/a/91.0", "91.0", "text/xml");
    let (status, body) = answered(&house().soap, head, &bytes).expect("an answer");
    // 429: bodies that log in with ever other passwords are refused as guesses.
    assert!([200, 400, 413, 429, 500].contains(&status), "{status}");
    let text = decode(&body, Some("utf-8")).expect("UTF-8");
    let document = parse(&text, &NO_LIMITS).expect("a well-formed answer");
    assert_eq!(document.root().local(), "Envelope");
}

/// Any bytes are inflated within the limit or refused, and what comes out is answered.
pub fn gzip_envelope(bytes: &[u8]) {
    if let Ok(inflated) = inflate_now(bytes, INFLATED_MAX) {
        assert!(inflated.len() <= INFLATED_MAX);
        return envelope(&inflated);
    }
    // What is not packed is packed, so that what is behind it is reached as well.
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(bytes).expect("memory takes all");
    let packed = packed.finish().expect("memory takes all");
    assert_eq!(inflate_now(&packed, bytes.len()).ok().as_deref(), Some(bytes));
    if let Some(less) = bytes.len().checked_sub(1) {
        assert!(inflate_now(&packed, less).is_err());
    }
}

/// Where the REST door creates and changes things.
const PATHS: [(Method, &str); 9] = [
    (Method::Post, "/v1/credit-memos/CM00000001/refund"),
    (Method::Post, "/v1/payments/P-00000001/refunds"),
    (Method::Post, "/v1/payments/P-00000001/refunds/unapply"),
    (Method::Put, "/v1/refunds/R-00000001"),
    (Method::Post, "/v1/action/create"),
    (Method::Post, "/v1/action/query"),
    (Method::Post, "/v1/object/refund"),
    (Method::Post, "/v1/payments"),
    (Method::Post, "/v1/credit-memos"),
];

/// Any JSON is read or refused, and gets an answer in JSON wherever it is sent: the first byte says
/// where.
pub fn rest_json(bytes: &[u8]) {
    let Some((first, body)) = bytes.split_first() else { return };
    if let Err(error) = json::read(body, &JsonLimits::default()) {
        assert_printable(&error.to_string());
    }
    let (method, path) = PATHS[usize::from(*first) % PATHS.len()];
    let mut head = head(method, path, "v1", "application/json");
    let session = format!("ZSession {}", house().session);
    head.headers = Headers::new(vec![("authorization", session)]);
    let (status, body) = answered(&house().rest, head, body).expect("an answer");
    assert!((200..=503).contains(&status), "{status}");
    if !body.is_empty() {
        json::read(&body, &JsonLimits::default()).expect("an answer in JSON");
    }
}

/// Any text is a seed or an error that says where.
pub fn seed(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    if let Err(error) = Seed::parse(text) {
        assert!(!error.to_string().is_empty());
    }
}

/// Any bytes are a HAR or refused.
pub fn har(bytes: &[u8]) {
    survey("capture.har", bytes);
}

/// Any bytes are a cassette or refused.
pub fn vcr(bytes: &[u8]) {
    survey("capture.yaml", bytes);
}

/// Any bytes are a SoapUI project, a request, or refused.
pub fn soapui(bytes: &[u8]) {
    survey("project.xml", bytes);
}

struct Silent;

impl Reporter for Silent {
    fn case(&mut self, _report: &CaseReport) -> io::Result<()> {
        Ok(())
    }

    fn test_case(&mut self, _report: &TestCaseReport) -> io::Result<()> {
        Ok(())
    }
}

/// Looks at a file as a replay does before it sends anything.
fn survey(name: &str, bytes: &[u8]) {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| TempDir::new().expect("a folder"));
    let file = folder.path().join(name);
    std::fs::write(&file, bytes).expect("a file");
    let options = Options { list: true, ..Options::new(vec![file]) };
    let mut reporter = Silent;
    let replay = Replay::new(options, &mut reporter);
    if let Err(error) = house().runtime.block_on(replay.survey()) {
        assert!(!error.to_string().is_empty());
    }
}
