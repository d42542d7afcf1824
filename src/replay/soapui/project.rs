//! Reads a SoapUI project from its file. Projects come from anywhere, so the file and each part of
//! it are bounded.

use super::super::error::ReplayError;
use super::model::{
    Assertion, Case, End, Interface, Kind, Project, Properties, Request, Step, Suite, Transfer,
};
use crate::domain::number::saturated;
use crate::xml::{ElementRef, XmlLimits, decode, parse};
use base64ct::{Base64, Encoding};
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The namespace of every element of a project.
const CONFIG: &str = "http://eviware.com/soapui/config";
/// No project may be larger; the cached WSDLs in it are what makes one large.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// The start of a file that is read to find out whether it is a project.
const HEAD_BYTES: u64 = 64 * 1024;
const LIMITS: XmlLimits = XmlLimits {
    depth_max: 64,
    elements_max: 1_000_000,
    attributes_per_tag_max: 64,
    attributes_max: 4_000_000,
    namespaces_per_tag_max: 32,
    name_bytes_max: 256,
    text_bytes_max: 32 * 1024 * 1024,
};

/// Whether a file is meant as a SoapUI project, judged by its root.
pub(super) fn is_project(file: &Path) -> bool {
    let mut head = Vec::new();
    let read = File::open(file).and_then(|file| file.take(HEAD_BYTES).read_to_end(&mut head));
    let is_read = read.is_ok();
    is_read && String::from_utf8_lossy(&head).contains("soapui-project")
}

impl Project {
    /// Reads a file.
    pub(super) fn open(file: &Path) -> Result<Self, ReplayError> {
        let unreadable = |message: &dyn std::fmt::Display| {
            ReplayError::capture(file, None, format_args!("{message}"))
        };
        let meta = std::fs::metadata(file).map_err(|error| unreadable(&error))?;
        if meta.is_dir() {
            return Err(unreadable(
                &"a composite project, which is a folder, is not read: save it as one file",
            ));
        }
        let mut bytes = Vec::new();
        let opened = File::open(file).map_err(|error| unreadable(&error))?;
        let limit = FILE_BYTES_MAX.saturating_add(1);
        opened.take(limit).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
        if bytes.len() > saturated::<usize>(FILE_BYTES_MAX) {
            return Err(unreadable(&format_args!("it is larger than {FILE_BYTES_MAX} bytes")));
        }
        let text = decode(&bytes, None).map_err(|error| unreadable(&error))?;
        Self::read(&text)
            .map_err(|Refused { line, message }| ReplayError::capture(file, line, message))
    }

    fn read(text: &str) -> Result<Self, Refused> {
        let document = parse(text, &LIMITS).map_err(|error| Refused::at(text, &error))?;
        let root = document.root();
        let refused = |message: &str| Err(Refused { line: None, message: message.to_owned() });
        if !root.is(CONFIG, "soapui-project") {
            return refused(
                "expected a SoapUI project: a soapui-project in http://eviware.com/soapui/config",
            );
        }
        let encryption = root.attribute("", "encryptionMode").unwrap_or_default();
        let is_encrypted = !matches!(encryption, "" | "Not encrypted");
        if is_encrypted || children(root, "encryptedContent").next().is_some() {
            return refused("the project is encrypted: save it without a password");
        }
        let is_shell = children(root, "testSuite").next().is_none();
        if is_shell && root.text().trim().len() > 200 {
            return refused("the project is encrypted: save it without a password");
        }
        Ok(Self {
            name: name(root),
            properties: Properties::read(root),
            script: ["afterLoadScript", "beforeRunScript"]
                .into_iter()
                .flat_map(|script| children(root, script))
                .map(|script| script.text())
                .collect::<Vec<_>>()
                .join("\n"),
            interfaces: children(root, "interface").map(Interface::read).collect(),
            suites: children(root, "testSuite").map(Suite::read).collect(),
        })
    }
}

/// Why a text is no project.
#[derive(Debug)]
struct Refused {
    line: Option<usize>,
    message: String,
}

impl Refused {
    fn at(text: &str, error: &crate::xml::XmlError) -> Self {
        let line = match error {
            crate::xml::XmlError::NotWellFormed { position, .. } => {
                let before = text.as_bytes().iter().take(*position);
                let ends = before.filter(|byte| **byte == b'\n').count();
                Some(ends.saturating_add(1))
            }
            _ => None,
        };
        Self { line, message: format!("expected a SoapUI project: {error}") }
    }
}

impl Properties {
    fn read(parent: ElementRef<'_>) -> Self {
        let mut properties = Self::default();
        let all = children(parent, "properties").flat_map(|all| children(all, "property"));
        for property in all {
            let value = text(property, "value").unwrap_or_default();
            properties.set(text(property, "name").unwrap_or_default(), value.to_owned());
        }
        properties
    }
}

impl Interface {
    fn read(element: ElementRef<'_>) -> Self {
        let binding = element.attribute("", "bindingName").unwrap_or_default();
        let namespace = binding.strip_prefix('{').and_then(|rest| rest.split_once('}'));
        let action = |operation: ElementRef<'_>| {
            let action = operation.attribute("", "action").unwrap_or_default();
            (name(operation), action.to_owned())
        };
        Self {
            name: name(element),
            namespace: namespace.map_or("", |(namespace, _)| namespace).to_owned(),
            is_soap_12: element.attribute("", "soapVersion") == Some("1_2"),
            actions: children(element, "operation").map(action).collect(),
        }
    }
}

impl Suite {
    fn read(element: ElementRef<'_>) -> Self {
        Self {
            name: name(element),
            disabled: is_true(element, "disabled", false),
            properties: Properties::read(element),
            script: text(element, "setupScript").unwrap_or_default().to_owned(),
            cases: children(element, "testCase").map(Case::read).collect(),
        }
    }
}

impl Case {
    fn read(element: ElementRef<'_>) -> Self {
        Self {
            name: name(element),
            disabled: is_true(element, "disabled", false),
            fail_on_error: is_true(element, "failOnError", true),
            properties: Properties::read(element),
            script: text(element, "setupScript").unwrap_or_default().to_owned(),
            steps: children(element, "testStep").map(Step::read).collect(),
        }
    }
}

impl Step {
    fn read(element: ElementRef<'_>) -> Self {
        let of_type = element.attribute("", "type").unwrap_or_default();
        let config = children(element, "config").next();
        let kind = match (of_type, config) {
            ("request", Some(config)) => Request::read(config).map(Kind::Request),
            ("properties", Some(config)) => Some(Kind::Properties(Properties::read(config))),
            ("transfer", Some(config)) => {
                Some(Kind::Transfers(children(config, "transfers").map(Transfer::read).collect()))
            }
            ("delay", Some(config)) => text(config, "delay").map(|it| Kind::Delay(it.to_owned())),
            ("groovy", Some(config)) => {
                Some(Kind::Script(text(config, "script").unwrap_or_default().to_owned()))
            }
            _ => None,
        };
        Self {
            name: name(element),
            disabled: is_true(element, "disabled", false),
            of_type: of_type.to_owned(),
            kind: kind.unwrap_or(Kind::Unknown),
        }
    }
}

impl Request {
    fn read(config: ElementRef<'_>) -> Option<Self> {
        let request = children(config, "request").next()?;
        let body = children(request, "request").next().map(body).unwrap_or_default();
        // Some writers put the assertions beside the request.
        let assertions = children(request, "assertion").chain(children(config, "assertion"));
        Some(Self {
            interface: text(config, "interface").unwrap_or_default().to_owned(),
            operation: text(config, "operation").unwrap_or_default().to_owned(),
            endpoint: text(request, "endpoint").unwrap_or_default().to_owned(),
            body,
            headers: headers(request),
            left_out: left_out(request),
            assertions: assertions.map(Assertion::read).collect(),
        })
    }
}

/// The text of a request. Large ones may be kept in gzip, and the carriage return, which XML would
/// make a line feed, is kept as `\r`.
fn body(element: ElementRef<'_>) -> String {
    let text = element.text();
    let inflated = match element.attribute("", "compression") {
        Some("gzip") => inflated(text),
        _ => None,
    };
    inflated.as_deref().unwrap_or(text).replace("\\r", "\r")
}

fn inflated(text: &str) -> Option<String> {
    let text: String = text.chars().filter(|character| !character.is_whitespace()).collect();
    let bytes = Base64::decode_vec(&text).ok()?;
    let mut inflated = String::new();
    let decoder = MultiGzDecoder::new(bytes.as_slice());
    decoder.take(FILE_BYTES_MAX).read_to_string(&mut inflated).ok()?;
    Some(inflated)
}

/// What of a request is not sent, by the words for it.
fn left_out(request: ElementRef<'_>) -> Vec<&'static str> {
    let has = |name: &str| request.attribute("", name).is_some_and(|value| !value.is_empty());
    let credentials = children(request, "credentials");
    let has_user = |it: ElementRef<'_>| text(it, "username").is_some_and(|name| !name.is_empty());
    let is_there = [
        ("credentials", credentials.into_iter().any(has_user)),
        ("WS-Security", has("outgoingWss") || has("wssPasswordType")),
        ("WS-Addressing", is_true(request, "useWsAddressing", false)),
        ("attachments", children(request, "attachment").next().is_some()),
    ];
    is_there.into_iter().filter(|(_, is_there)| *is_there).map(|(word, _)| word).collect()
}

/// The headers of a request, which its settings keep as XML inside a text.
fn headers(request: ElementRef<'_>) -> Vec<(String, String)> {
    let settings = children(request, "settings").flat_map(|all| children(all, "setting"));
    let kept = settings.filter(|setting| {
        setting.attribute("", "id").is_some_and(|id| id.ends_with("@request-headers"))
    });
    let mut headers = Vec::new();
    for setting in kept {
        let Ok(fragment) = parse(setting.text(), &XmlLimits::default()) else { continue };
        let root = fragment.root();
        let entries = std::iter::once(root).chain(root.children());
        for entry in entries.filter(|entry| entry.local() == "entry") {
            let part = |of: &str| entry.attribute("", of).unwrap_or_default().to_owned();
            headers.push((part("key"), part("value")));
        }
    }
    headers
}

impl Assertion {
    fn read(element: ElementRef<'_>) -> Self {
        let of_type = element.attribute("", "type").unwrap_or_default();
        let given = element.attribute("", "name").filter(|given| !given.is_empty());
        let settings = children(element, "configuration").flat_map(|all| all.children());
        Self {
            name: given.unwrap_or(of_type).to_owned(),
            of_type: of_type.to_owned(),
            disabled: is_true(element, "disabled", false),
            settings: settings
                .map(|setting| (setting.local().to_lowercase(), setting.text().to_owned()))
                .collect(),
        }
    }
}

impl Transfer {
    fn read(element: ElementRef<'_>) -> Self {
        let part = |of: &str| text(element, of).unwrap_or_default().to_owned();
        let language = part("type").to_uppercase();
        let uses_xquery = is_true(element, "useXQuery", false);
        Self {
            name: part("name"),
            disabled: is_true(element, "disabled", false),
            source: End {
                step: part("sourceStep"),
                property: part("sourceType"),
                path: part("sourcePath"),
            },
            target: End {
                step: part("targetStep"),
                property: part("targetType"),
                path: part("targetPath"),
            },
            language: match language.as_str() {
                _ if uses_xquery => "XQUERY".to_owned(),
                "" => "XPATH".to_owned(),
                _ => language,
            },
            fail_on_error: is_true(element, "failOnError", true),
            null_on_missing: is_true(element, "setNullOnMissingSource", true),
            ignore_empty: is_true(element, "ignoreEmpty", false),
            to_all: is_true(element, "transferToAll", false),
            entitize: is_true(element, "entitize", false),
            whole: !is_true(element, "transferTextContent", true),
            children: is_true(element, "transferChildNodes", false),
        }
    }
}

fn children<'d>(
    element: ElementRef<'d>,
    local: &'static str,
) -> impl Iterator<Item = ElementRef<'d>> {
    element.children().filter(move |child| child.local() == local)
}

fn text<'d>(element: ElementRef<'d>, local: &str) -> Option<&'d str> {
    element.children().find(|child| child.local() == local).map(|child| child.text())
}

/// The name, which some versions keep in an element.
fn name(element: ElementRef<'_>) -> String {
    let given = element.attribute("", "name").or_else(|| text(element, "name"));
    given.unwrap_or_default().to_owned()
}

fn is_true(element: ElementRef<'_>, attribute: &str, otherwise: bool) -> bool {
    element.attribute("", attribute).map_or(otherwise, |value| matches!(value, "true" | "1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(inner: &str) -> Project {
        let text = format!(
            "<con:soapui-project name='p' xmlns:con='{CONFIG}'>{inner}</con:soapui-project>"
        );
        Project::read(&text).unwrap_or_else(|refused| panic!("{refused:?}"))
    }

    #[test]
    fn headers_are_read_out_of_the_settings() {
        let step = |setting: &str| {
            request(&format!(
                "<con:request><con:settings><con:setting id='a.WsdlRequest@request-headers'>\
                 <![CDATA[{setting}]]></con:setting></con:settings></con:request>"
            ))
            .headers
        };
        let one = format!("<entry key='A' value='1' xmlns='{CONFIG}'/>");
        assert_eq!(step(&one), [("A".to_owned(), "1".to_owned())]);
        let two =
            "<xml-fragment><e:entry key='A' value='1' xmlns:e='x'/><entry key='B'/></xml-fragment>";
        assert_eq!(step(two).len(), 2);
        assert_eq!(step("<xml-fragment/>"), []);
        assert_eq!(step("no xml"), []);
    }

    /// The request of a step that is written so.
    fn request(step: &str) -> Request {
        let project = project(&format!(
            "<con:testSuite><con:testCase><con:testStep type='request'><con:config>{step}\
             </con:config></con:testStep></con:testCase></con:testSuite>"
        ));
        match &project.suites[0].cases[0].steps[0].kind {
            Kind::Request(request) => request.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_body_is_what_it_was_before_it_was_saved() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        std::io::Write::write_all(&mut gzip, b"<a>\\r\n</a>").unwrap();
        let packed = Base64::encode_string(&gzip.finish().unwrap());
        for (attributes, text) in [
            ("", "<![CDATA[<a>\\r\n</a>]]>"),
            ("", "&lt;a>\\r\n&lt;/a>"),
            ("compression='gzip'", &packed),
        ] {
            let step = format!(
                "<con:request><con:request {attributes}>{text}</con:request></con:request>"
            );
            assert_eq!(request(&step).body, "<a>\r\n</a>", "{text}");
        }
    }

    #[test]
    fn what_of_a_request_is_not_sent_is_known() {
        let plain = "<con:request outgoingWss='' useWsAddressing='false'><con:credentials>\
                     <con:authType>No Authorization</con:authType></con:credentials></con:request>";
        assert_eq!(request(plain).left_out, [""; 0]);
        let full = "<con:request outgoingWss='x' useWsAddressing='true'><con:attachment/>\
                    <con:credentials><con:username>u</con:username></con:credentials>\
                    </con:request>";
        let left_out = ["credentials", "WS-Security", "WS-Addressing", "attachments"];
        assert_eq!(request(full).left_out, left_out);
    }

    #[test]
    fn names_of_properties_have_no_case() {
        let project = project(
            "<con:properties><con:property><con:name>User</con:name><con:value>a</con:value>\
             </con:property><con:property><con:name>Empty</con:name></con:property>\
             </con:properties>",
        );
        assert_eq!(project.properties.get("USER"), Some("a"));
        assert_eq!(project.properties.get("empty"), Some(""));
        assert_eq!(project.properties.get("other"), None);
    }

    #[test]
    fn a_transfer_fails_and_sets_null_unless_the_file_says_no() {
        let project = project(
            "<con:testSuite><con:testCase><con:testStep type='transfer'><con:config>\
             <con:transfers/><con:transfers failOnError='false' setNullOnMissingSource='false'/>\
             </con:config></con:testStep></con:testCase></con:testSuite>",
        );
        let Kind::Transfers(transfers) = &project.suites[0].cases[0].steps[0].kind else {
            panic!("no transfers");
        };
        let flags: Vec<_> =
            transfers.iter().map(|it| (it.fail_on_error, it.null_on_missing)).collect();
        assert_eq!(flags, [(true, true), (false, false)]);
        assert_eq!(transfers[0].language, "XPATH");
    }
}
