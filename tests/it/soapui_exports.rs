//! SoapUI projects in the forms in which its versions save them, which differ from those that one
//! would write by hand: escaped carriage returns, packed requests, other prefixes, settings that
//! no code here reads.

use crate::gateway::{EXTERNAL_ACCOUNT, finish, program};
use base64ct::{Base64, Encoding};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use std::fs;
use std::io::Write;
use tempfile::TempDir;

const API: &str = "declare namespace a='http://api.zuora.com/';\n";

/// What the replay of a project printed: its exit code, a line of JSON for each case, and all that
/// it wrote.
fn replayed(project: &str) -> (Option<i32>, Vec<Value>, String) {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("p.xml"), project).unwrap();
    let reports = ["--json", "--junit", "j.xml", "--html", "h.html"];
    let output = finish(program(folder.path()).args(["replay", "p.xml"]).args(reports));
    let mut reported = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    let lines = reported.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    for report in ["j.xml", "h.html"] {
        reported += &fs::read_to_string(folder.path().join(report)).unwrap_or_default();
    }
    (output.status.code(), lines, reported)
}

/// A project of SoapUI 5.7 with a case of these steps.
fn project(steps: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<con:soapui-project id="4c0a9d2f" activeEnvironment="Default" name="refunds" resourceRoot="" soapui-version="5.7.0" abortOnError="false" runType="SEQUENTIAL" xmlns:con="http://eviware.com/soapui/config"><con:settings/><con:interface xsi:type="con:WsdlInterface" id="46cc5154" wsaVersion="NONE" name="SoapBinding" type="wsdl" bindingName="{{http://api.zuora.com/}}SoapBinding" soapVersion="1_1" anonymous="optional" definition="https://www.zuora.invalid/apps/services/a/91.0?wsdl" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><con:settings/><con:definitionCache type="TEXT" rootPart=""/><con:endpoints><con:endpoint>https://www.zuora.invalid/apps/services/a/91.0</con:endpoint></con:endpoints><con:operation id="6845" isOneWay="false" action="" name="login" bindingOperationName="login" type="Request-Response" inputName="" receivesAttachments="false" sendsAttachments="false" anonymous="optional"><con:settings/><con:call id="0b2" name="Request 1"><con:settings/></con:call></con:operation></con:interface><con:testSuite id="ed80" name="suite"><con:settings/><con:runType>SEQUENTIAL</con:runType><con:testCase id="a696" discardOkResults="true" failOnError="true" failTestCaseOnErrors="true" keepSession="false" name="case" searchProperties="true" timeout="0" maxResults="0"><con:settings/>{steps}<con:properties><con:property><con:name>kept</con:name><con:value/></con:property></con:properties></con:testCase><con:properties/></con:testSuite><con:requirements/><con:properties/><con:wssContainer/><con:oAuth2ProfileContainer/></con:soapui-project>"#
    )
}

/// A request step as it is saved; `attributes` and `body` are those of the element with its text.
fn request(name: &str, attributes: &str, body: &str, more: &str) -> String {
    format!(
        r#"<con:testStep type="request" id="c765" name="{name}"><con:settings/><con:config xsi:type="con:RequestStep" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><con:interface>SoapBinding</con:interface><con:operation>login</con:operation><con:request name="{name}" outgoingWss="" incomingWss="" timeout="" sslKeystore="" useWsAddressing="false" useWsReliableMessaging="false" wssPasswordType="" id="776e"><con:settings><con:setting id="com.eviware.soapui.impl.wsdl.WsdlRequest@request-headers">&lt;xml-fragment/></con:setting></con:settings><con:encoding>UTF-8</con:encoding><con:endpoint>https://www.zuora.invalid/apps/services/a/91.0</con:endpoint><con:request{attributes}>{body}</con:request>{more}<con:jmsConfig JMSDeliveryMode="PERSISTENT"/><con:wsaConfig mustUnderstand="NONE" version="200508"/><con:wsrmConfig version="1.2"/></con:request></con:config></con:testStep>"#
    )
}

fn assertion(of_type: &str, configuration: &str) -> String {
    format!(
        "<con:assertion type=\"{of_type}\" id=\"1e75\" name=\"{of_type}\"><con:configuration>\
         {configuration}</con:configuration></con:assertion>"
    )
}

fn xpath(path: &str, content: &str) -> String {
    let flags = "<allowWildcards>false</allowWildcards><ignoreNamspaceDifferences>false\
                 </ignoreNamspaceDifferences><ignoreComments>false</ignoreComments>";
    let settings = format!("<path>{API}{path}</path><content><![CDATA[{content}]]></content>");
    assertion("XPath Match", &format!("{settings}{flags}"))
}

fn transfer(attributes: &str, source: [&str; 3], target: [&str; 3]) -> String {
    let [source_step, source_type, source_path] = source;
    let [target_step, target_type, target_path] = target;
    format!(
        r#"<con:testStep type="transfer" id="762c" name="move"><con:settings/><con:config xsi:type="con:PropertyTransfersStep" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><con:transfers setNullOnMissingSource="true" failOnError="true" ignoreEmpty="false" entitize="false" {attributes}><con:name>line</con:name><con:sourceType>{source_type}</con:sourceType><con:sourceStep>{source_step}</con:sourceStep><con:sourcePath>{source_path}</con:sourcePath><con:targetType>{target_type}</con:targetType><con:targetStep>{target_step}</con:targetStep><con:targetPath>{target_path}</con:targetPath><con:type>XPATH</con:type><con:targetTransferType>XPATH</con:targetTransferType><con:upgraded>true</con:upgraded></con:transfers></con:config></con:testStep>"#
    )
}

/// A login whose lines end as SoapUI writes them.
const LOGIN: &str = r#"<![CDATA[<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:api="http://api.zuora.com/">\r
   <soapenv:Header/>\r
   <soapenv:Body>\r
      <api:login>\r
         <!--Optional:-->\r
         <api:username>demo@example.com</api:username>\r
         <api:password>demo</api:password>\r
      </api:login>\r
   </soapenv:Body>\r
</soapenv:Envelope>]]>"#;
const SESSION: &str =
    "<con:assertion type=\"SOAP Fault Assertion\" id=\"e1b6\" name=\"Not SOAP Fault\"/>";

/// A create of two refunds, whose fields come from elsewhere.
fn create() -> String {
    let refund = "<api:zObjects xsi:type=\"obj:Refund\"><obj:AccountId>?</obj:AccountId>\
                  <obj:Amount>1</obj:Amount><obj:MethodType>Check</obj:MethodType><obj:SourceType>\
                  CreditBalance</obj:SourceType><obj:Type>External</obj:Type></api:zObjects>";
    format!(
        "<![CDATA[<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:api=\"http://api.zuora.com/\" xmlns:obj=\"http://object.api.zuora.com/\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\\r\n<soapenv:Header>\
         <api:SessionHeader><api:session>?</api:session></api:SessionHeader></soapenv:Header>\\r\n\
         <soapenv:Body><api:create>{refund}{refund}</api:create></soapenv:Body>\\r\n\
         </soapenv:Envelope>]]>"
    )
}

#[test]
fn a_project_as_it_is_saved_passes() {
    let packed = {
        let text = LOGIN.strip_prefix("<![CDATA[").unwrap().strip_suffix("]]>").unwrap();
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(text.as_bytes()).unwrap();
        Base64::encode_string(&gzip.finish().unwrap())
    };
    let user = "<con:credentials><con:username>u</con:username><con:password>basic-secret\
                </con:password><con:authType>Preemptive</con:authType></con:credentials>";
    let steps = request("plain", "", LOGIN, SESSION)
        + &request("packed", " compression=\"gzip\"", &packed, &format!("{SESSION}{user}"));
    let (code, lines, reported) = replayed(&project(&steps));
    assert_eq!(code, Some(0), "{reported}");
    let notes = &lines[0]["steps"][1]["notes"];
    assert_eq!(notes[0], "sent without its credentials", "{reported}");
    assert!(!reported.contains("basic-secret"), "{reported}");
    // The same with another prefix, and with none.
    let other = project(&steps).replace("con:", "soap.ui:").replace("xmlns:con", "xmlns:soap.ui");
    assert_eq!(replayed(&other).0, Some(0), "{other}");
    let none = project(&steps)
        .replace("xmlns:con=", "xmlns=")
        .replace("<con:", "<")
        .replace("</con:", "</")
        .replace("xsi:type=\"con:", "xsi:type=\"");
    assert_eq!(replayed(&none).0, Some(0), "{none}");
}

#[test]
fn transfers_go_by_nodes_in_their_order_and_whole() {
    let session = format!("{API}//a:Session");
    let ids = format!("{API}//a:Id");
    let fields = "declare namespace o='http://object.api.zuora.com/';\n//o:AccountId";
    let account = format!("concat('', '{EXTERNAL_ACCOUNT}')");
    let query = "<![CDATA[<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\" \
                 xmlns:a=\"http://api.zuora.com/\"><e:Header><a:SessionHeader/></e:Header><e:Body>\
                 <a:query><a:queryString>select Id from Refund where Id = \
                 '${#TestCase#kept#//*:Id}'</a:queryString></a:query></e:Body></e:Envelope>]]>";
    let sent_account = |row| {
        let sent = format!("string('${{pairs#RawRequest#//*:zObjects[{row}]/*:AccountId}}')");
        xpath(&sent, &format!("${{create#Response#//*:result[{row}]/*:Id}}"))
    };
    let steps = [
        request("login", "", LOGIN, SESSION),
        transfer("", ["login", "Response", &session], ["create", "Request", "//*:session"]),
        // One value for all targets.
        transfer(
            "transferToAll=\"true\"",
            ["login", "Response", &account],
            ["create", "Request", fields],
        ),
        request("create", "", &create(), &xpath("count(//a:Success[. = 'true'])", "2")),
        // The first source to the first target, the second to the second.
        transfer(
            "transferTextContent=\"true\"",
            ["create", "Response", &ids],
            ["pairs", "Request", fields],
        ),
        request("pairs", "", &create(), &(sent_account(1) + &sent_account(2))),
        // An element whole, and what is in one, with the prefixes that were declared above it.
        transfer(
            "transferTextContent=\"false\"",
            ["create", "Response", &format!("{API}//a:result[2]")],
            ["#TestCase#", "kept", ""],
        ),
        transfer(
            "transferChildNodes=\"true\"",
            ["create", "Request", "//*:SessionHeader"],
            ["query", "Request", "//*:SessionHeader"],
        ),
        request("query", "", query, &xpath("//a:size", "1")),
    ];
    let (code, lines, reported) = replayed(&project(&steps.concat()));
    assert_eq!(code, Some(0), "{reported}");
    assert_eq!(lines[0]["outcome"], "passed");
}

#[test]
fn an_attribute_can_be_written_to() {
    let of_type = "//*:zObjects/@*[local-name() = \"type\"]";
    let check = xpath(&format!("string('${{create#RawRequest#{of_type}}}')"), "obj:Account");
    let steps = request("login", "", LOGIN, SESSION)
        + &transfer(
            "",
            ["login", "Response", "string('obj:Account')"],
            ["create", "Request", of_type],
        )
        + &request("create", "", &create(), &check);
    let (code, _, reported) = replayed(&project(&steps));
    assert_eq!(code, Some(0), "{reported}");
}

#[test]
fn an_element_is_what_was_expected_with_its_attributes() {
    let session = format!("{API}//a:Session");
    let query = "<![CDATA[<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\" \
                 xmlns:a=\"http://api.zuora.com/\"><e:Header><a:SessionHeader><a:session>?\
                 </a:session></a:SessionHeader></e:Header><e:Body><a:query><a:queryString>select \
                 Id from Refund</a:queryString></a:query></e:Body></e:Envelope>]]>";
    let nil = "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:nil";
    let expected =
        |value| format!("<a:queryLocator xmlns:a='http://api.zuora.com/' {nil}='{value}'/>");
    let steps = |value| {
        request("login", "", LOGIN, SESSION)
            + &transfer("", ["login", "Response", &session], ["query", "Request", "//*:session"])
            + &request("query", "", query, &xpath("//a:queryLocator", &expected(value)))
    };
    let (code, _, reported) = replayed(&project(&steps("1")));
    assert_eq!(code, Some(0), "{reported}");
    let (code, _, reported) = replayed(&project(&steps("0")));
    assert_eq!(code, Some(1), "{reported}");
}

#[test]
fn what_is_expected_of_a_secret_is_not_told() {
    let checks = xpath("//a:Session", "guessed-secret")
        + &assertion("Simple NotContains", "<token/>")
        + &assertion("Simple Contains", "<token></token><useRegEx>true</useRegEx>");
    let (code, lines, reported) = replayed(&project(&request("login", "", LOGIN, &checks)));
    assert_eq!(code, Some(1), "{reported}");
    assert!(!reported.contains("guessed-secret"), "{reported}");
    let checks = &lines[0]["steps"][0]["checks"];
    for check in [&checks[1], &checks[2]] {
        assert_eq!(check["outcome"], "skipped", "{reported}");
        assert_eq!(check["why"], "it looks for nothing");
    }
}
