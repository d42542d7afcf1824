//! The WSDL as strangers' programs see it: a schema processor and two generators of clients.
//!
//! xmllint judges every distinct rendering by WSDL 1.1's rules and by the letter of the three
//! schemas inside; zeep and PHP's SoapClient load it and make a call with it. What must stay true:
//! what our side writes, and what those clients write, is valid by the WSDL of that very version.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::skipped::runs;
use refund_gateway::domain::version::ApiVersion;
use refund_gateway::soap::wsdl;

const ID: &str = "402892c72b9e3319012b9e34b88e0001";
const ENVELOPE: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const SUCCESS: &str = "<ns1:createResponse xmlns:ns1=\"http://api.zuora.com/\"><ns1:result>\
    <ns1:Id>402892c72b9e3319012b9e34b88e0001</ns1:Id><ns1:Success>true</ns1:Success>\
    </ns1:result></ns1:createResponse>";

#[test]
fn xmllint_accepts_every_rendering_and_what_is_written_by_it() {
    if !has_xmllint() {
        return;
    }
    for version in distinct_renderings() {
        let room = Room::new(version);
        room.accepts("wsdl11.xsd", &room.path("service.wsdl"));
        for (name, body) in valid_bodies(version) {
            let file = room.write(&format!("{name}.xml"), &envelope(&body));
            room.accepts("envelope.xsd", &file);
        }
        for (name, body) in invalid_bodies(version) {
            let file = room.write(&format!("{name}.xml"), &envelope(&body));
            assert!(!room.lint("envelope.xsd", &file).0, "{version}: {name} must be refused");
        }
    }
}

#[test]
fn zeep_makes_a_valid_create_call() {
    if !runs("python3", &["-c", "import zeep"], "zeep") || !has_xmllint() {
        return;
    }
    for version in [19, 38, 69, 150].map(ApiVersion::major) {
        let said = call_from("python3", "zeep_client.py", version);
        said.has(&format!("result {ID} True []"));
        said.has(
            "fault fns:INVALID_TYPE {http://fault.api.zuora.com/}InvalidTypeFault \
             Invalid type: Nothing",
        );
    }
}

#[test]
fn php_soapclient_makes_a_valid_create_call() {
    let has_soap = "exit(extension_loaded('soap') ? 0 : 1);";
    if !runs("php", &["-r", has_soap], "php-soap") || !has_xmllint() {
        return;
    }
    for version in [19, 38, 69, 150].map(ApiVersion::major) {
        let said = call_from("php", "php_client.php", version);
        said.has(&format!("result {ID} true"));
        said.has("fault fns:INVALID_TYPE InvalidTypeFault Invalid type: Nothing");
    }
}

/// What a client's program printed.
struct Said(Vec<String>);

impl Said {
    fn has(&self, line: &str) {
        assert!(self.0.iter().any(|said| said == line), "no line `{line}` in {:#?}", self.0);
    }

    fn all(&self, word: &str) -> Vec<&str> {
        let start = format!("{word} ");
        self.0.iter().filter_map(|line| line.strip_prefix(start.as_str())).collect()
    }
}

/// Lets a client's program load the WSDL of `version` and create a refund, and checks what both
/// programs have to say alike: address, operations, Refund's fields, a request valid by the WSDL.
fn call_from(program: &str, script: &str, version: ApiVersion) -> Said {
    let room = Room::new(version);
    let answer = room.write("answer.xml", &envelope(SUCCESS));
    let fault = fault("InvalidTypeFault", "INVALID_TYPE", "Invalid type: Nothing");
    let fault = room.write("fault.xml", &envelope(&fault));
    let request = room.path("request.xml");
    let output = Command::new(program)
        .arg(support(script))
        .args([&room.path("service.wsdl"), &answer, &fault, &request])
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{program} at {version}:\n{said}\n{errors}");
    let said = Said(said.lines().map(str::to_owned).collect());

    assert_eq!(said.all("address"), [address(version)], "{version}");
    let mut operations = said.all("operation");
    let mut expected: Vec<_> = wsdl::operations(version).collect();
    operations.sort_unstable();
    expected.sort_unstable();
    assert_eq!(operations, expected, "{version}");
    let fields: Vec<_> = wsdl::fields(version, "Refund")
        .into_iter()
        .map(|(name, of_type)| format!("{name} {}", of_type.trim_start_matches("zns:")))
        .collect();
    assert_eq!(said.all("field"), fields, "{version}");

    room.accepts("envelope.xsd", &request);
    let request = fs::read_to_string(request).unwrap();
    for part in ["token<", ">10.50<", ">External<", ":Refund\"", "http://api.zuora.com/"] {
        assert!(request.contains(part), "{version}: no {part} in {request}");
    }
    said
}

/// A directory with the WSDL of a version, the schemas cut out of it, and ours to judge them by.
struct Room {
    directory: tempfile::TempDir,
    version: ApiVersion,
}

impl Room {
    fn new(version: ApiVersion) -> Self {
        let room = Self { directory: tempfile::tempdir().unwrap(), version };
        let service = wsdl::render(version, &address(version));
        let schemas: Vec<_> = service.split("<schema ").skip(1).collect();
        assert_eq!(schemas.len(), 3);
        for (file, schema) in ["object.xsd", "api.xsd", "fault.xsd"].iter().zip(schemas) {
            room.write(file, &stand_alone(schema));
        }
        for file in ["envelope.xsd", "wsdl11.xsd", "wsdl11-soap.xsd"] {
            fs::copy(support(file), room.path(file)).unwrap();
        }
        room.write("service.wsdl", &service);
        room
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        path
    }

    fn accepts(&self, schema: &str, file: &Path) {
        let (is_valid, said) = self.lint(schema, file);
        let content = fs::read_to_string(file).unwrap();
        let content = content.get(..2000).unwrap_or(&content);
        assert!(is_valid, "{} by {schema}:\n{said}\n{content}", self.version);
    }

    /// Whether the file is valid by the schema; a schema that does not compile is a failed test.
    fn lint(&self, schema: &str, file: &Path) -> (bool, String) {
        let output = Command::new("xmllint")
            .args(["--nonet", "--noout", "--schema"])
            .args([&self.path(schema), file])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let code = output.status.code();
        assert!(matches!(code, Some(0 | 3)), "{} {schema}: {code:?}\n{said}", self.version);
        (code == Some(0), said)
    }
}

/// A schema of the WSDL as a file of its own: with the prefixes that the WSDL's root declares, and
/// with the places where the imported schemas are now.
fn stand_alone(schema: &str) -> String {
    let (schema, _) = schema.split_once("</schema>").unwrap();
    let mut schema = format!(
        "<schema xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" \
         xmlns:zns=\"http://api.zuora.com/\" xmlns:ons=\"http://object.api.zuora.com/\" \
         xmlns:fns=\"http://fault.api.zuora.com/\" {schema}</schema>"
    );
    for (namespace, file) in [
        ("http://object.api.zuora.com/", "object.xsd"),
        ("http://api.zuora.com/", "api.xsd"),
        ("http://fault.api.zuora.com/", "fault.xsd"),
    ] {
        let import = format!("<import namespace=\"{namespace}\"");
        schema = schema.replace(&import, &format!("{import} schemaLocation=\"{file}\""));
    }
    schema
}

/// The first of each run of versions whose WSDL is the same, and a few that stand for the rest.
fn distinct_renderings() -> Vec<ApiVersion> {
    let mut versions: Vec<_> = (18..=150).map(ApiVersion::major).collect();
    versions.dedup_by_key(|version| wsdl::render(*version, "http://127.0.0.1/"));
    assert!(versions.len() > 10, "{versions:?}");
    versions.extend([38, 68, 91, 150].map(ApiVersion::major));
    versions
}

fn valid_bodies(version: ApiVersion) -> Vec<(&'static str, String)> {
    let has = |operation| wsdl::operation(version, operation).is_some();
    let mut bodies = vec![
        ("create", create(version)),
        ("success", SUCCESS.to_owned()),
        ("failure", failure("INVALID_VALUE")),
        ("login", login_response()),
        ("fault", fault("LoginFault", "INVALID_VALUE", "Invalid login.")),
        (
            "nothing-found",
            query_response(&format!("<ns1:records xmlns:xsi=\"{XSI}\" xsi:nil=\"1\" />"), 0),
        ),
        ("found", query_response(&record("Refund", "ns1:records", version), 1)),
    ];
    if has("getUserInfo") {
        bodies.push(("user", user_info_response()));
    }
    if has("rasd") {
        bodies.push(("limit", failure("REQUEST_EXCEEDED_LIMIT")));
    }
    bodies
}

/// What generated clients stumble over: the schemas must be strict enough to find it.
fn invalid_bodies(version: ApiVersion) -> Vec<(&'static str, String)> {
    let request = create(version);
    let (now, then) = if version.has_plain_dates() {
        ("2026-01-02", "2026-01-02T03:04:05Z")
    } else {
        ("2026-01-02T03:04:05Z", "2026-01-02")
    };
    let swap = |from: &str, to: &str| {
        assert!(request.contains(from), "{version}: no {from}");
        request.replace(from, to)
    };
    let date = |value| format!("RefundDate>{value}<");
    let mut bodies = vec![
        (
            "order",
            SUCCESS
                .replace("<ns1:Success>true</ns1:Success>", "")
                .replace("<ns1:Id>", "<ns1:Success>true</ns1:Success><ns1:Id>"),
        ),
        ("dashes", SUCCESS.replace("402892c7", "402892c-")),
        ("unknown-code", failure("NO_SUCH_CODE")),
        ("unknown-field", swap("ons:AccountingCode>", "ons:AccountingCodes>")),
        ("date-form", swap(&date(now), &date(then))),
        ("type", swap("ons:Refund\"", "ons:Nothing\"")),
    ];
    if version < ApiVersion::major(60) {
        bodies.push(("newer-code", failure("REQUEST_EXCEEDED_LIMIT")));
    }
    bodies
}

const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// A create call with one object of each type of the version, each with all its fields.
fn create(version: ApiVersion) -> String {
    let objects: String = wsdl::object_types(version)
        .into_iter()
        .map(|object| record(object, "zns:zObjects", version))
        .collect();
    format!("<zns:create xmlns:zns=\"http://api.zuora.com/\">{objects}</zns:create>")
}

/// An object with every field that the version says it has, in the order that it says.
fn record(object: &str, element: &str, version: ApiVersion) -> String {
    let inherited = wsdl::fields(version, "zObject");
    let own = wsdl::fields(version, object);
    let fields: String = inherited
        .into_iter()
        .chain(own)
        .map(|(name, of_type)| format!("<ons:{name}>{}</ons:{name}>", sample(of_type)))
        .collect();
    format!(
        "<{element} xmlns:xsi=\"{XSI}\" xmlns:ons=\"http://object.api.zuora.com/\" \
         xsi:type=\"ons:{object}\">{fields}</{element}>"
    )
}

fn sample(of_type: &str) -> &'static str {
    match of_type {
        "string" => "text",
        "decimal" | "double" => "10.50",
        "boolean" => "true",
        "int" | "short" => "1",
        "date" => "2026-01-02",
        "dateTime" => "2026-01-02T03:04:05Z",
        "zns:ID" => ID,
        "zns:GatewayOptionData" => {
            "<GatewayOption xmlns=\"http://api.zuora.com/\"><ons:name>a</ons:name>\
             <ons:value>b</ons:value></GatewayOption>"
        }
        "zns:InvoicePaymentData" => {
            "<InvoicePayment xmlns=\"http://api.zuora.com/\"><ons:Amount>1</ons:Amount>\
             </InvoicePayment>"
        }
        "zns:RefundInvoicePaymentData" => {
            "<RefundInvoicePayment xmlns=\"http://api.zuora.com/\">\
             <ons:RefundAmount>1</ons:RefundAmount></RefundInvoicePayment>"
        }
        other => panic!("no sample of the type {other}"),
    }
}

fn failure(code: &str) -> String {
    format!(
        "<ns1:createResponse xmlns:ns1=\"http://api.zuora.com/\"><ns1:result><ns1:Errors>\
         <ns1:Code>{code}</ns1:Code><ns1:Message>Missing required value: Type</ns1:Message>\
         </ns1:Errors><ns1:Success>false</ns1:Success></ns1:result></ns1:createResponse>"
    )
}

fn login_response() -> String {
    let session = "s".repeat(255);
    format!(
        "<ns1:loginResponse xmlns:ns1=\"http://api.zuora.com/\"><ns1:result><ns1:Session>{session}\
         </ns1:Session><ns1:ServerUrl>http://127.0.0.1/</ns1:ServerUrl></ns1:result>\
         </ns1:loginResponse>"
    )
}

fn query_response(records: &str, size: u32) -> String {
    format!(
        "<ns1:queryResponse xmlns:ns1=\"http://api.zuora.com/\"><ns1:result><ns1:done>true\
         </ns1:done><ns1:queryLocator xmlns:xsi=\"{XSI}\" xsi:nil=\"1\" />{records}\
         <ns1:size>{size}</ns1:size></ns1:result></ns1:queryResponse>"
    )
}

fn user_info_response() -> String {
    let children: String =
        ["TenantId", "TenantName", "UserEmail", "UserFullName", "UserId", "Username"]
            .map(|name| format!("<ns1:{name}>text</ns1:{name}>"))
            .concat();
    format!(
        "<ns1:getUserInfoResponse xmlns:ns1=\"http://api.zuora.com/\">{children}\
         </ns1:getUserInfoResponse>"
    )
}

fn fault(of_type: &str, code: &str, text: &str) -> String {
    format!(
        "<soapenv:Fault xmlns:fns=\"http://fault.api.zuora.com/\"><faultcode>fns:{code}\
         </faultcode><faultstring>{text}</faultstring><detail><fns:{of_type}><fns:FaultCode>{code}\
         </fns:FaultCode><fns:FaultMessage>{text}</fns:FaultMessage></fns:{of_type}></detail>\
         </soapenv:Fault>"
    )
}

fn envelope(body: &str) -> String {
    format!(
        "<?xml version='1.0' encoding='UTF-8'?><soapenv:Envelope xmlns:soapenv=\"{ENVELOPE}\">\
         <soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
    )
}

fn address(version: ApiVersion) -> String {
    format!("http://127.0.0.1:8080/apps/services/a/{version}")
}

fn support(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/wsdl").join(file)
}

fn has_xmllint() -> bool {
    runs("xmllint", &["--version"], "libxml2-utils")
}
