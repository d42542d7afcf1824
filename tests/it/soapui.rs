//! SoapUI projects through the built program: each kind of step and of assertion, passing and
//! failing, what is skipped by name, and projects that mean no good.

use crate::gateway::{TestGateway, finish, program};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use tempfile::TempDir;

const CONFIG: &str = "http://eviware.com/soapui/config";
const DECLARED: &str = "declare namespace a='http://api.zuora.com/';";

fn fixture() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("fixtures/soapui/refund-gateway-soapui-project.xml")
}

/// A project in a folder of its own, run by the demo gateway that `replay` starts.
pub(crate) struct Run {
    folder: TempDir,
    output: Output,
}

impl Run {
    pub(crate) fn of(project: &str, args: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("p.xml"), project).unwrap();
        let output = finish(program(folder.path()).args(["replay", "p.xml"]).args(args));
        Self { folder, output }
    }

    pub(crate) fn stdout(&self) -> String {
        String::from_utf8(self.output.stdout.clone()).unwrap()
    }

    fn stderr(&self) -> String {
        String::from_utf8(self.output.stderr.clone()).unwrap()
    }

    pub(crate) fn code(&self) -> Option<i32> {
        self.output.status.code()
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.folder.path().join(file)).unwrap()
    }

    /// Whether the text has a line that reads so, whatever its indentation.
    pub(crate) fn says(&self, line: &str) {
        let stdout = self.stdout();
        let reported = stdout.lines().any(|reported| reported.trim_start() == line);
        assert!(reported, "{line}\nin\n{stdout}{}", self.stderr());
    }

    fn refused(&self, code: i32, said: &str) {
        assert_eq!(self.code(), Some(code), "{}{}", self.stdout(), self.stderr());
        assert!(self.stderr().contains(said), "{said} in {}", self.stderr());
        assert_eq!(self.stdout(), "");
    }
}

/// A project with properties of each owner and these cases.
pub(crate) fn project(cases: &str) -> String {
    let properties = |pairs: &[(&str, &str)]| {
        let property = |(name, value): &(&str, &str)| {
            format!(
                "<con:property><con:name>{name}</con:name><con:value>{value}</con:value>\
                 </con:property>"
            )
        };
        let all: String = pairs.iter().map(property).collect();
        format!("<con:properties>{all}</con:properties>")
    };
    format!(
        "<?xml version='1.0' encoding='UTF-8'?><con:soapui-project name='the project' \
         xmlns:con='{CONFIG}'><con:interface type='wsdl' name='ours' bindingName=\
         '{{http://api.zuora.com/}}SoapBinding' soapVersion='1_1'><con:operation name='login' \
         action=''/></con:interface><con:interface type='wsdl' name='theirs' bindingName=\
         '{{http://example.com/}}SoapBinding' soapVersion='1_1'/><con:testSuite name='the suite'>\
         {cases}{}</con:testSuite>{}</con:soapui-project>",
        properties(&[("where", "suite"), ("user", "demo@example.com")]),
        properties(&[("where", "project"), ("loop", "${#Project#loop}"), ("pass", "demo")]),
    )
}

pub(crate) fn case(name: &str, steps: &str) -> String {
    format!("<con:testCase name='{name}' failOnError='true'>{steps}</con:testCase>")
}

pub(crate) fn assertion(of_type: &str, name: &str, settings: &[(&str, &str)]) -> String {
    let setting = |(name, value): &(&str, &str)| format!("<{name}><![CDATA[{value}]]></{name}>");
    let settings: String = settings.iter().map(setting).collect();
    format!(
        "<con:assertion type='{of_type}' name='{name}'><con:configuration>{settings}\
         </con:configuration></con:assertion>"
    )
}

pub(crate) fn request_to(
    interface: &str,
    endpoint: &str,
    name: &str,
    body: &str,
    assertions: &[String],
) -> String {
    format!(
        "<con:testStep type='request' name='{name}'><con:config><con:interface>{interface}\
         </con:interface><con:operation>login</con:operation><con:request name='{name}'>\
         <con:endpoint>{endpoint}</con:endpoint><con:request><![CDATA[{body}]]></con:request>{}\
         </con:request></con:config></con:testStep>",
        assertions.concat()
    )
}

pub(crate) fn request(name: &str, body: &str, assertions: &[String]) -> String {
    // The host is nowhere; only the path is used.
    let endpoint = "https://zuora.invalid/apps/services/a/91.0";
    request_to("ours", endpoint, name, body, assertions)
}

pub(crate) fn login(user: &str, password: &str) -> String {
    format!(
        "<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/' \
         xmlns:a='http://api.zuora.com/'><e:Body><a:login><a:username>{user}</a:username>\
         <a:password>{password}</a:password></a:login></e:Body></e:Envelope>"
    )
}

pub(crate) fn good_login() -> String {
    login("demo@example.com", "demo")
}

pub(crate) fn xpath(name: &str, path: &str, content: &str) -> String {
    let path = format!("{DECLARED}\n{path}");
    assertion("XPath Match", name, &[("path", &path), ("content", content)])
}

pub(crate) fn holds() -> String {
    assertion("SOAP Response", "holds", &[])
}

pub(crate) fn transfer(attributes: &str, parts: [&str; 6]) -> String {
    let names =
        ["sourceStep", "sourceType", "sourcePath", "targetStep", "targetType", "targetPath"];
    let part = |(name, part): (&str, &str)| format!("<con:{name}><![CDATA[{part}]]></con:{name}>");
    let parts: String = names.into_iter().zip(parts).map(part).collect();
    format!("<con:transfers {attributes}><con:name>line</con:name>{parts}</con:transfers>")
}

fn delay(name: &str, millis: &str) -> String {
    format!(
        "<con:testStep type='delay' name='{name}'><con:config><delay>{millis}</delay></con:config>\
         </con:testStep>"
    )
}

pub(crate) fn transfers(lines: &str) -> String {
    format!(
        "<con:testStep type='transfer' name='move'><con:config>{lines}</con:config></con:testStep>"
    )
}

#[test]
fn the_project_of_the_fixtures_passes_without_options() {
    let folder = TempDir::new().unwrap();
    let output = finish(program(folder.path()).arg("replay").arg(fixture()));
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!(stdout.lines().last(), Some("5 passed, 0 failed"), "{stdout}");
    assert_eq!(output.status.code(), Some(0));
    assert!(!stdout.contains("skipped"), "{stdout}");
    // Whatever is in the file has been looked at.
    let text = fs::read_to_string(fixture()).unwrap();
    let assertions = text.matches("<con:assertion ").count();
    let steps = text.matches("<con:testStep ").count();
    let transfers = text.matches("<con:transfers ").count();
    let expected = 5 + steps + assertions + transfers;
    assert_eq!(stdout.matches("✓ passed ").count(), expected, "{stdout}");
}

#[test]
fn a_running_gateway_is_tested_and_its_answers_reported() {
    let gateway = TestGateway::demo();
    let endpoint = format!("http://{}", gateway.public());
    let folder = TempDir::new().unwrap();
    let args = ["--endpoint", &endpoint, "--junit", "j.xml", "--json"];
    let output = finish(program(folder.path()).arg("replay").arg(fixture()).args(args));
    let stdout = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> =
        stdout.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    assert_eq!(lines.len(), 6, "{stdout}");
    assert_eq!(lines[1]["case"], "External refund, read back");
    assert_eq!(lines[1]["outcome"], "passed");
    assert_eq!(lines[1]["steps"][1]["checks"][2]["check"], "Schema Compliance");
    assert_eq!(lines[5]["summary"]["passed"], 5);
    let junit = fs::read_to_string(folder.path().join("j.xml")).unwrap();
    for part in [
        "<testsuite name=\"refund-gateway.Main cases\" tests=\"5\" skipped=\"0\" errors=\"0\" \
         failures=\"0\"",
        "<testcase name=\"Faults\" classname=\"refund-gateway.Main cases\"",
        "passed create (request)",
        "  passed Schema Compliance",
    ] {
        assert!(junit.contains(part), "{part} in {junit}");
    }
}

#[test]
fn every_assertion_passes_where_it_should() {
    let contains = |name: &str, of_type: &str, token: &str, rest: &[(&str, &str)]| {
        assertion(of_type, name, &[&[("token", token)], rest].concat())
    };
    let session = "string-length(//a:Session) > 100";
    let ok = [
        holds(),
        assertion("SOAP Fault Assertion", "no fault", &[]),
        assertion("Schema Compliance", "schema", &[]),
        contains("has", "Simple Contains", "loginResponse", &[]),
        contains("HAS", "Simple Contains", "LOGINRESPONSE", &[("ignoreCase", "true")]),
        contains("has all", "Simple Contains", "(?s)<.xml.*Envelope>", &[("useRegEx", "true")]),
        contains("has not", "Simple NotContains", "LOGINRESPONSE", &[]),
        contains("is not", "Simple NotContains", "login", &[("useRegEx", "true")]),
        xpath("value", session, "true"),
        xpath("count", "count(//a:result)", "1"),
        xpath("exists", "exists(//*:ServerUrl)", "true"),
        assertion(
            "XPath Match",
            "wild",
            &[
                ("path", "//*:result"),
                ("content", "<result><Session>*</Session><ServerUrl>http*</ServerUrl></result>"),
                ("allowWildcards", "true"),
                ("ignoreNamspaceDifferences", "true"),
            ],
        ),
        assertion("Response SLA Assertion", "soon", &[("SLA", "600000")]),
        assertion("Valid HTTP Status Codes", "status", &[("codes", "201, 200")]),
        assertion("Invalid HTTP Status Codes", "no status", &[("codes", "500,404")]),
    ];
    let fault = [
        assertion("Not SOAP Fault Assertion", "fault", &[]),
        xpath("code", "//faultcode", "fns:INVALID_VALUE"),
        assertion("Valid HTTP Status Codes", "status", &[("codes", "500")]),
    ];
    let steps = request("right", &good_login(), &ok)
        + &request("wrong", &login("demo@example.com", "wrong"), &fault);
    let run = Run::of(&project(&case("all", &steps)), &[]);
    assert_eq!(run.code(), Some(0), "{}", run.stdout());
    assert_eq!(run.stdout().matches("✓ passed").count(), 1 + 2 + ok.len() + fault.len());
    run.says("1 passed, 0 failed");
}

#[test]
fn every_assertion_fails_where_it_should() {
    let token = |token: &'static str| [("token", token), ("useRegEx", "false")];
    let fails = [
        (assertion("SOAP Fault Assertion", "a", &[]), "the answer is a fault: Invalid login"),
        (assertion("Simple Contains", "a", &token("Success")), "does not contain `Success`"),
        (assertion("Simple NotContains", "a", &token("Fault")), "the answer contains `Fault`"),
        (xpath("a", "//faultcode", "x"), "expected `x`, got `fns:INVALID_VALUE`"),
        (xpath("a", "//a:Session", ""), "got nothing: the path selects no node"),
        (xpath("a", "//b:x", ""), "the prefix `b` is not declared"),
        (xpath("a", "count(//faultcode)", "2"), "expected `2`, got `1`"),
        (assertion("Response SLA Assertion", "a", &[("SLA", "0")]), "ms, more than 0"),
        (assertion("Response SLA Assertion", "a", &[("SLA", "x")]), "no number"),
        (assertion("Valid HTTP Status Codes", "a", &[("codes", "200")]), "500 is none of 200"),
        (assertion("Invalid HTTP Status Codes", "a", &[("codes", "500")]), "500 is one of 500"),
        (assertion("Valid HTTP Status Codes", "a", &[("codes", "x")]), "no list"),
    ];
    // Each of another user, so that none is held up for failing too often.
    let wrong = |at: usize| login(&format!("somebody-{at}@example.com"), "wrong");
    let mut cases: String = fails
        .iter()
        .enumerate()
        .map(|(at, (it, _))| case("c", &request("r", &wrong(at), std::slice::from_ref(it))))
        .collect();
    let no_fault = assertion("Not SOAP Fault Assertion", "a", &[]);
    cases += &case("c", &request("r", &good_login(), &[no_fault]));
    // An address without a version is answered by no envelope.
    let nowhere = |of_type: &str| {
        let checks = [assertion(of_type, "a", &[])];
        case("c", &request_to("ours", "http://h/nowhere", "r", &good_login(), &checks))
    };
    cases += &nowhere("SOAP Response");
    let run = Run::of(&project(&cases), &["--json"]);
    assert_eq!(run.code(), Some(1));
    let stdout = run.stdout();
    let lines: Vec<Value> =
        stdout.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let reported = fails.iter().map(|(_, reported)| *reported);
    for (line, reported) in
        lines.iter().zip(reported.chain(["the answer is no fault", "the answer is no "]))
    {
        let check = &line["steps"][0]["checks"][0];
        assert_eq!(check["outcome"], "failed", "{line}");
        assert!(check["why"].as_str().unwrap().contains(reported), "{reported} in {check}");
        assert_eq!(line["outcome"], "failed");
    }
    assert_eq!(lines.last().unwrap()["summary"]["failed"], fails.len() + 2);
}

#[test]
fn what_is_not_known_is_skipped_by_name_and_passes_nothing() {
    let groovy = "<con:testStep type='groovy' name='script'><con:config><script>x</script>\
                  </con:config></con:testStep>";
    let rest = "<con:testStep type='restrequest' name='rest'><con:config/></con:testStep>";
    let script = assertion("GroovyScriptAssertion", "by script", &[]);
    let xquery = assertion("XQuery Match", "by xquery", &[]);
    let path = xpath("by XPath 2", "for $x in //a return $x", "");
    let disabled = holds().replace("type=", "disabled='true' type=");
    let foreign = assertion("Schema Compliance", "schema", &[]);
    let foreign_too = foreign.clone();
    let off = request("off", &good_login(), &[holds()])
        .replace("<con:testStep ", "<con:testStep disabled='true' ");
    let only_skipped = [script.clone(), xquery, path, disabled];
    let cases = case(
        "some",
        &(groovy.to_owned() + rest + &off + &request("r", &good_login(), &[holds(), script])),
    ) + &case("none", &request("r", &good_login(), &only_skipped))
        + &case(
            "foreign",
            &request_to("theirs", "/apps/services/a/91.0", "r", &good_login(), &[foreign]),
        )
        + &case("unversioned", &request_to("ours", "/a/x", "r", "", &[foreign_too]))
        + &case("asserts nothing", &request("r", &good_login(), &[]))
        + &case("off", "").replace("<con:testCase ", "<con:testCase disabled='true' ");
    let run = Run::of(&project(&cases), &[]);
    for line in [
        "✓ passed some",
        "– skipped script (groovy): scripts are not run here",
        "– skipped rest (restrequest): steps of type `restrequest` are not known here",
        "– skipped off (request): it is disabled",
        "– skipped by script: scripts are not run here",
        "– skipped by xquery: assertions of type `XQuery Match` are not known here",
        "– skipped holds: it is disabled",
        "– skipped none: nothing that it asserts was checked",
        "– skipped schema: the interface is of a WSDL that is not ours",
        "– skipped asserts nothing: nothing that it asserts was checked",
        "– skipped unversioned: nothing that it asserts was checked",
        "– skipped off: the case is disabled",
        "1 passed, 0 failed, 5 skipped",
    ] {
        run.says(line);
    }
    assert!(run.stdout().contains("– skipped by XPath 2: "), "{}", run.stdout());
    assert_eq!(run.code(), Some(0));
    // Where nothing passed, nothing is proven.
    let suite_off =
        project(&case("c", "")).replace("<con:testSuite ", "<con:testSuite disabled='1' ");
    let run = Run::of(&suite_off, &[]);
    run.says("– skipped c: the suite is disabled");
    assert_eq!(run.code(), Some(1));
}

#[test]
fn properties_are_expanded_and_transferred() {
    let properties = "<con:testStep type='properties' name='Props'><con:config><con:properties>\
        <con:property><con:name>Pass</con:name><con:value>${#Project#pass}</con:value>\
        </con:property><con:property><con:name>Got</con:name><con:value/></con:property>\
        </con:properties></con:config></con:testStep>";
    let server_url = format!("{DECLARED} //a:ServerUrl");
    let lines = transfer("", ["first", "Response", &server_url, "Props", "Got", ""])
        + &transfer("", ["Props", "Got", "", "#TestCase#", "Copy", ""])
        + &transfer(
            "",
            ["#TestSuite#", "user", "", "second", "Request", &format!("{DECLARED} //a:username")],
        )
        + &transfer(
            "setNullOnMissingSource='true'",
            ["first", "Response", "//none", "#TestCase#", "Null", ""],
        )
        + &transfer(
            "setNullOnMissingSource='false' ignoreEmpty='true'",
            ["first", "Response", "//none", "Props", "Pass", ""],
        )
        + &transfer("failOnError='false'", ["nobody", "x", "", "Props", "Got", ""]);
    let checks = [
        xpath("url", "//a:ServerUrl", "${Props#Got}"),
        xpath("copy", "//a:ServerUrl", "${#TestCase#Copy}"),
        xpath("null", "count(//a:none)", "0${#TestCase#Null}"),
        xpath("nested", "//a:ServerUrl", &format!("${{first#Response#{server_url}}}")),
        xpath("sent", "string('${second#Request#//*:username}')", "demo@example.com"),
        xpath("nearest", "string('${where} ${#Project#where}')", "suite project"),
        xpath("of a step before", "//a:ServerUrl", "${Got}"),
        xpath("global", "string('${#Global#x}')", ""),
        xpath("literal", "string('$${x}')", "$${x}"),
    ];
    let body = login("somebody", "${Props#Pass}");
    let steps = properties.to_owned()
        + &request("first", &login("${#TestSuite#user}", "${#Project#pass}"), &[holds()])
        + &transfers(&lines)
        + &delay("wait", "1")
        + &request("second", &body, &checks);
    let run = Run::of(&project(&case("c", &steps)), &[]);
    assert_eq!(run.code(), Some(0), "{}", run.stdout());
    run.says("✓ passed wait (delay)");
    assert!(run.stdout().contains("note: `${#Global#x}` is empty here"), "{}", run.stdout());
    assert!(run.stdout().contains("`nobody` has no property `x`"), "{}", run.stdout());
}

#[test]
fn a_transfer_that_fails_ends_its_case() {
    let lines = [
        (
            transfer(
                "setNullOnMissingSource='false'",
                ["r", "Response", "//none", "#TestCase#", "x", ""],
            ),
            "`//none` selects nothing",
        ),
        (transfer("", ["r", "Response", "", "gone", "x", ""]), "there is no `gone`"),
        (transfer("", ["r", "Response", "", "r", "Request", "//none"]), "selects nothing in `r`"),
        (
            transfer("", ["later", "Response", "", "r", "Request", ""]),
            "`later` has no property `Response`",
        ),
    ];
    let cases: String = lines
        .iter()
        .map(|(line, _)| {
            let steps = request("r", &good_login(), &[holds()])
                + &transfers(line)
                + &request("later", &good_login(), &[holds()]);
            case("c", &steps)
        })
        .collect();
    let run = Run::of(&project(&cases), &[]);
    assert_eq!(run.code(), Some(1));
    for (_, reported) in lines {
        assert!(run.stdout().contains(reported), "{reported} in {}", run.stdout());
    }
    run.says("– skipped later (request): a step before it failed");
    run.says("0 passed, 4 failed");
}

#[test]
fn what_is_of_the_machine_never_gets_into_a_request() {
    let cases: String = ["${#Env#PATH}", "${#System#user.home}", "${=exec()}"]
        .iter()
        .map(|text| case("c", &request("r", &login(text, "x"), &[holds()])))
        .collect();
    let run = Run::of(&project(&cases), &[]);
    let machine = "nothing is read from the machine";
    for (text, why) in [
        ("${#Env#PATH}", machine),
        ("${#System#user.home}", machine),
        ("${=exec()}", "scripts are not run here"),
    ] {
        run.says(&format!("– skipped r (request): `{text}` is never expanded: {why}"));
    }
    run.says("0 passed, 0 failed, 3 skipped");
    assert_eq!(run.code(), Some(1));
}

#[test]
fn hostile_projects_only_fail() {
    // Each of the twenty levels visits every element for every element of the one outside it:
    // no machine is fast enough to end it in time.
    let bomb = format!("{}//*{}", "//*[count(".repeat(20), ")>0]".repeat(20));
    let deep = format!("{}1{}", "(".repeat(1_000), ")".repeat(1_000));
    let cases = case("loop", &request("r", &login("${#Project#loop}", "x"), &[holds()]))
        + &case("bomb", &request("r", &good_login(), &[xpath("bomb", &bomb, "")]))
        + &case("deep", &request("r", &good_login(), &[xpath("deep", &deep, "1")]))
        + &case("unknown", &request("r", &login("${unknown}", "x"), &[holds()]))
        + &case("delay", &delay("d", "soon"))
        + &case("good", &request("r", &good_login(), &[holds()]));
    let run = Run::of(&project(&cases), &[]);
    let stdout = run.stdout();
    for reported in [
        "values name values deeper than 16",
        "the expression did not end in 20000000 steps",
        "its brackets nest deeper than 64",
        "✗ FAILED r (request): `${unknown}`: there is no such property",
        "✗ FAILED d (delay): `soon` is no number of milliseconds",
        "✓ passed good",
    ] {
        assert!(stdout.contains(reported), "{reported} in {stdout}");
    }
    assert_eq!(run.code(), Some(1));
}

#[test]
fn what_is_no_project_is_said_with_its_file() {
    let deep = format!("{}{}", "<a>".repeat(100), "</a>".repeat(100));
    let entity = "<!DOCTYPE con:soapui-project [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>";
    let good = project("");
    for (text, said) in [
        (good.replace("<con:testSuite ", &format!("{deep}<con:testSuite ")), "xml depth"),
        (good.replace("?>", &format!("?>{entity}")), "a DOCTYPE is not allowed"),
        (
            good.replace("</con:testSuite>", "\n</con:testSuit>"),
            "p.xml:2: expected a SoapUI project",
        ),
        (good.replace(CONFIG, "urn:other"), "expected a SoapUI project"),
        (
            good.replace("name='the project'", "name='p' encryptionMode='Encrypt'"),
            "the project is encrypted",
        ),
    ] {
        Run::of(&text, &[]).refused(4, said);
    }
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("composite")).unwrap();
    fs::write(folder.path().join("composite/settings.xml"), &good).unwrap();
    let output = finish(program(folder.path()).args(["replay", "composite"]));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(4), "{stderr}");
    assert!(stderr.contains("a composite project"), "{stderr}");
}

#[test]
fn where_a_project_may_go_is_checked_before_anything_is_sent() {
    let create = "<e><Body><create/></Body></e>";
    let text = project(&case("c", &request("r", create, &[holds()])));
    // Addresses of documentation, where no server is; nothing is sent anyway.
    let remote = ["--endpoint", "http://192.0.2.1:9"];
    Run::of(&text, &remote).refused(2, "--allow-remote");
    let remote = [&remote[..], &["--allow-remote"]].concat();
    Run::of(&text, &remote).refused(2, "the step r may change data");
    for option in ["--update", "--compare=bytes", "--ignore=//a"] {
        Run::of(&text, &[option]).refused(2, "judged by its own assertions");
    }
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("p.xml"), &text).unwrap();
    let output = finish(program(folder.path()).args(["replay", "p.xml", "."]));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("replay each alone"), "{stderr}");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let run = Run::of(&text, &["--endpoint", &endpoint]);
    assert_eq!(run.code(), Some(5), "{}", run.stderr());
    assert!(run.stderr().contains(&endpoint), "{}", run.stderr());
}

#[test]
fn no_secret_of_a_project_is_shown() {
    let secret = "hunter2secret";
    let checks = [
        xpath("session", "//a:Session", "x"),
        xpath("copy", "concat('<', //a:Session, '>')", "y"),
        assertion("Simple Contains", "password", &[("token", secret)]),
    ];
    let wrong = request("wrong", &login("demo@example.com", secret), &checks[2..]);
    let right = request("right", &good_login(), &checks[..2]);
    let text = project(&(case("a", &wrong) + &case("b", &right)));
    let args = ["--html", "page.html", "--junit", "j.xml"];
    let (text_run, json_run) = (Run::of(&text, &args), Run::of(&text, &["--json"]));
    let page = text_run.read("page.html");
    assert!(page.contains("<h3>request</h3>") && page.contains("loginResponse"), "{page}");
    assert!(page.contains("✗ failed: expected &lt;!-- hidden --&gt;, got "), "{page}");
    let shown = [page, text_run.read("j.xml"), text_run.stdout(), json_run.stdout()].concat();
    assert!(!shown.contains(secret), "{shown}");
    let is_word = |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
    let longest = shown.split(|character| !is_word(character)).map(str::len).max();
    assert!(longest < Some(100), "a session in {shown}");
}
