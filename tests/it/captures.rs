//! Captures in every format, replayed by the built program: hand-made ones here, and those that the
//! tools of others write in `recorders`.

use crate::gateway::{
    ENDPOINT, EXTERNAL_ACCOUNT, TestGateway, create_envelope, envelope, external_refund,
    login_envelope, session_header,
};
use crate::recording_upstream::{Upstream, http};
use crate::replaying::{Folder, URL, answer, created, har, har_entry, queried, query};
use base64ct::{Base64, Encoding};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::fs;
use std::io::Write;

const DOCUMENTED: &str = "<ns1:create xmlns:ns1=\"http://api.zuora.com/\"> <ns1:zObjects \
    xmlns:ns2=\"http://object.api.zuora.com/\" \
    xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"ns2:Refund\"> \
    <ns2:AccountId>402892c72b9e3319012b9e34b88e0001</ns2:AccountId> <ns2:Amount>10</ns2:Amount> \
    <ns2:SourceType>CreditBalance</ns2:SourceType> <ns2:Type>External</ns2:Type> \
    <ns2:MethodType>Check</ns2:MethodType> </ns1:zObjects> </ns1:create>";
/// A session as another endpoint gave it, and an id as it did.
pub(crate) const THEIR_SESSION: &str = "l7ZhSm9vbmx5LWFuLWV4YW1wbGU+Lw==";
const THEIR_ID: &str = "4028925a2b9e3319012b9e34b88e4711";

fn logged_in() -> String {
    let url = "<api:ServerUrl>https://www.example.com/apps/services/a/91.0</api:ServerUrl>";
    let session = format!("<api:Session>{THEIR_SESSION}</api:Session>");
    answer("login", &format!("<api:result>{session}{url}</api:result>"))
}

/// What a legacy client did at another endpoint: each request with its answer.
pub(crate) fn conversation() -> Vec<(String, String)> {
    let named = format!("SELECT Id, Amount, RefundNumber FROM Refund WHERE Id = '{THEIR_ID}'");
    let number = "<obj:RefundNumber>R-00000417</obj:RefundNumber>";
    let refund = format!("<obj:Id>{THEIR_ID}</obj:Id><obj:Amount>12.50</obj:Amount>{number}");
    let by_number = "SELECT Amount FROM Refund WHERE RefundNumber = 'R-00000417'";
    vec![
        (login_envelope("somebody@example.com", "[FILTERED]"), logged_in()),
        (
            create_envelope(THEIR_SESSION, &[external_refund(EXTERNAL_ACCOUNT, "12.5")]),
            created(THEIR_ID),
        ),
        (query(THEIR_SESSION, &named), queried(&refund)),
        (query(THEIR_SESSION, by_number), queried("<obj:Amount>12.50</obj:Amount>")),
    ]
}

fn conversation_in_har() -> String {
    har(&conversation().iter().map(har_entry).collect::<Vec<_>>())
}

/// A text as a plain-style block of YAML.
fn block(text: &str, indent: usize) -> String {
    let lines = text.lines().map(|line| format!("\n{}{line}", " ".repeat(indent)));
    format!("|-{}", lines.collect::<String>())
}

/// The shape that Ruby's VCR documents; `recorders` has cassettes that it wrote.
fn ruby_cassette(conversation: &[(String, String)]) -> String {
    let interaction = |(request, response): &(String, String)| {
        let (request, response) = (block(request, 8), block(response, 8));
        format!(
            "- request:\n    method: post\n    uri: {URL}\n    body:\n      encoding: UTF-8\n      \
             string: {request}\n    headers:\n      Content-Type:\n      - text/xml\n  \
             response:\n    \
             status:\n      code: 200\n      message: OK\n    headers: {{}}\n    body:\n      \
             encoding: UTF-8\n      string: {response}\n    http_version:\n  recorded_at: now\n"
        )
    };
    let interactions: String = conversation.iter().map(interaction).collect();
    format!("---\nhttp_interactions:\n{interactions}recorded_with: VCR 6.1.0\n")
}

fn python_cassette(conversation: &[(String, String)]) -> String {
    let interaction = |(request, response): &(String, String)| {
        let (request, response) = (block(request, 6), block(response, 8));
        format!(
            "- request:\n    body: {request}\n    headers:\n      Content-Type: [text/xml]\n    \
             method: POST\n    uri: {URL}\n  response:\n    body:\n      string: {response}\n    \
             headers: {{}}\n    status: {{code: 200, message: OK}}\n"
        )
    };
    let interactions: String = conversation.iter().map(interaction).collect();
    format!("interactions:\n{interactions}version: 1\n")
}

#[test]
fn the_same_conversation_passes_in_every_format() {
    let conversation = conversation();
    let mut pairs = Folder::with("seedless/x", "");
    for (number, (request, response)) in conversation.iter().enumerate() {
        pairs = pairs.and(&format!("pairs/{number}.request.xml"), request);
        pairs = pairs.and(&format!("pairs/{number}.response.xml"), response);
    }
    pairs.passes(&["pairs"], "4 passed, 0 failed");
    let files = Folder::with("traffic.har", conversation_in_har())
        .and("ruby.yml", ruby_cassette(&conversation))
        .and("python.yaml", python_cassette(&conversation));
    for file in ["traffic.har", "ruby.yml", "python.yaml"] {
        files.passes(&[file], "4 passed, 0 failed");
    }
    // All three together, each in order with one worker, and with more.
    files.passes(&["."], "12 passed, 0 failed");
    files.passes(&[".", "--concurrency", "3"], "12 passed, 0 failed");
}

#[test]
fn a_changed_value_is_named_in_every_format() {
    let mut conversation = conversation();
    conversation[2].1 = conversation[2].1.replace(">12.50<", ">12.60<");
    let har = har(&conversation.iter().map(har_entry).collect::<Vec<_>>());
    let files = Folder::with("ruby.yml", ruby_cassette(&conversation))
        .and("python.yaml", python_cassette(&conversation))
        .and("traffic.har", har);
    for file in ["ruby.yml", "python.yaml", "traffic.har"] {
        let reported = files.reported(&[file], 1);
        for said in [
            &format!("FAILED {file}/3 query"),
            "body at /Envelope/Body/queryResponse/result/records/Amount",
            "-          <ns2:Amount>12.60</ns2:Amount>",
            "+          <ns2:Amount>12.50</ns2:Amount>",
            "3 passed, 1 failed",
        ] {
            assert!(reported.contains(said), "{said} in {reported}");
        }
    }
}

#[test]
fn a_documented_operation_alone_is_sent_in_an_envelope() {
    let folder = Folder::with("example.xml", DOCUMENTED)
        .and("pair.request.xml", DOCUMENTED)
        .and("pair.response.xml", created(THEIR_ID))
        .and("case/request.xml", DOCUMENTED)
        .and("case/response.xml", created(THEIR_ID))
        .and("copied.xml", DOCUMENTED.replace("\">", "\"\\>"))
        .and("greedy.xml", DOCUMENTED.replace(">10<", ">10000<"))
        .and("other.xml", "<html/>");
    folder.passes(&["example.xml"], "1 passed, 0 failed");
    folder.passes(&["pair.request.xml", "case"], "2 passed, 0 failed");
    folder.refused(&["copied.xml"], 4, "copied.xml:1: expected the XML of a request");
    folder.refused(&["copied.xml"], 4, "backslashes");
    folder.refused(&["other.xml"], 4, "other.xml:1: expected a soapenv:Envelope");
    let reported = folder.reported(&["greedy.xml"], 1);
    assert!(reported.contains("no answer was captured, and this one is a refusal: "), "{reported}");
}

#[test]
fn what_is_no_soap_is_skipped_by_name() {
    let mut entries: Vec<Value> = conversation().iter().map(har_entry).collect();
    let mut page = entries[0].clone();
    page["request"]["method"] = "GET".into();
    page["request"]["url"] = "https://www.example.com/console".into();
    page["request"]["postData"] = Value::Null;
    let mut aborted = entries[1].clone();
    aborted["response"]["status"] = 0.into();
    let mut without_body = entries[2].clone();
    without_body["response"]["content"].as_object_mut().unwrap().remove("text");
    entries.splice(0..0, [page, aborted, without_body]);
    let folder = Folder::with("a.har", har(&entries));
    let reported = folder.reported(&["a.har", "--junit", "junit.xml"], 0);
    for line in [
        "SKIPPED a.har/1 GET: GET /console is no SOAP call",
        "SKIPPED a.har/2 POST: no answer was captured",
        "SKIPPED a.har/3 POST: the body of its answer was not captured",
        "4 passed, 0 failed, 3 skipped",
    ] {
        assert!(reported.lines().any(|reported| reported == line), "{line} in {reported}");
    }
    let junit = fs::read_to_string(folder.path("junit.xml")).unwrap();
    assert_eq!(junit.matches("<skipped ").count(), 3, "{junit}");
}

#[test]
fn bodies_in_base64_and_gzip_are_what_they_were() {
    let encoded = |text: &str| Base64::encode_string(text.as_bytes());
    let mut entries: Vec<Value> = conversation().iter().map(har_entry).collect();
    for (entry, (request, response)) in entries.iter_mut().zip(conversation()) {
        entry["request"]["postData"] = json!({ "text": encoded(&request), "encoding": "base64" });
        entry["response"]["content"]["text"] = encoded(&response).into();
        entry["response"]["content"]["encoding"] = "base64".into();
    }
    let cassette = python_cassette(&conversation());
    let (request, response) = &conversation()[0];
    let cassette = cassette.replace(
        &format!("body: {}", block(request, 6)),
        &format!("body: !!binary |\n      {}", encoded(request)),
    );
    let zipped = {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(response.as_bytes()).unwrap();
        Base64::encode_string(&gzip.finish().unwrap())
    };
    let cassette = cassette.replacen(
        &format!("string: {}\n    headers: {{}}", block(response, 8)),
        &format!("string: !!binary |\n        {zipped}\n    headers: {{Content-Encoding: [gzip]}}"),
        1,
    );
    assert_eq!(cassette.matches("!!binary").count(), 2, "{cassette}");
    let mark = "\u{feff}";
    let folder = Folder::with("a.har", format!("{mark}{}", har(&entries))).and("a.yaml", cassette);
    folder.passes(&["a.har"], "4 passed, 0 failed");
    folder.passes(&["a.yaml"], "4 passed, 0 failed");
}

#[test]
fn cassettes_in_json_are_read_too() {
    let interaction = |(request, response): &(String, String)| {
        let response =
            json!({ "status": { "code": 200 }, "headers": {}, "body": { "string": response } });
        json!({
            "request": { "method": "POST", "uri": URL, "body": request, "headers": {} },
            "response": response,
        })
    };
    let interactions: Vec<Value> = conversation().iter().map(interaction).collect();
    let text = json!({ "version": 1, "interactions": interactions }).to_string();
    let folder = Folder::with("all/a.json", text)
        .and("all/package.json", r#"{"name":"x"}"#)
        .and("all/har.json", conversation_in_har());
    folder.passes(&["all/a.json"], "4 passed, 0 failed");
    folder.passes(&["all"], "8 passed, 0 failed");
}

#[test]
fn rules_beside_a_capture_hold_for_it() {
    let har = conversation_in_har().replace(">12.50</obj:Amount>", ">12.60</obj:Amount>");
    let folder = Folder::with("a/x.har", har);
    folder.reported(&["a/x.har"], 1);
    fs::write(folder.path("a/replay.toml"), "ignore = ['//records/Amount']\n").unwrap();
    folder.passes(&["a/x.har"], "4 passed, 0 failed");
    folder.passes(&["a"], "4 passed, 0 failed");
}

#[test]
fn what_is_no_capture_is_refused_with_file_line_and_what_was_expected() {
    let entry = har_entry(&conversation()[0]);
    let mut no_method = entry.clone();
    no_method["request"].as_object_mut().unwrap().remove("method");
    let mut no_url = entry;
    no_url["request"]["url"] = "http://[".into();
    let folder = Folder::with("text", "hello\n")
        .and("array.har", "\n[]")
        .and("empty.har", "{\n}")
        .and("cut.har", "{\"log\": {\n\"entries\": [\n")
        .and("log.har", "{\"log\": {\n\"entries\": {}}}")
        .and("method.har", format!("{{\"log\":{{\"entries\":[\n{no_method}]}}}}"))
        .and("url.har", format!("{{\"log\":{{\"entries\":[\n{no_url}]}}}}"))
        .and("bad.yml", "interactions:\n- request: {\n")
        .and("list.yml", "- a\n")
        .and("map.yml", "interactions:\n  a: b\n")
        .and("no-uri.yml", "interactions:\n- request:\n    method: POST\n")
        .and("none.yml", "a: b\n")
        .and("latin.yml", b"interactions:\n- request: \xe9\n")
        .and("bare.xml", "<a>\n<b></a>");
    for (file, said) in [
        ("text", "text:1: expected a HAR (JSON), a VCR cassette (YAML) or a request (XML)"),
        ("array.har", "array.har:2: invalid type: sequence, expected a HAR"),
        ("empty.har", "empty.har:1: expected a HAR, an object with a `log`"),
        ("cut.har", "cut.har:3: it is no JSON: EOF"),
        ("log.har", "log.har:2: invalid type: map, expected an array of exchanges"),
        ("method.har", "method.har:2: missing field `method`"),
        ("url.har", "url.har:2: entry 1: its URL is none"),
        ("bad.yml", "bad.yml:"),
        ("list.yml", "list.yml:1: interaction 1: it has no `request`"),
        ("map.yml", "map.yml:2: expected a sequence in `interactions`"),
        ("no-uri.yml", "no-uri.yml:2: interaction 1: its request has no `uri`"),
        ("none.yml", "none.yml"),
        ("latin.yml", "latin.yml:2: expected UTF-8"),
        ("bare.xml", "bare.xml:2: expected the XML of a request"),
    ] {
        folder.refused(&[file], 4, said);
    }
}

#[test]
fn a_replay_of_nothing_does_not_pass() {
    let folder = Folder::with("none.har", r#"{"log":{"entries":[]}}"#)
        .and("none.yml", "http_interactions: []\n");
    for file in ["none.har", "none.yml"] {
        let reported = folder.reported(&[file], 4);
        assert!(reported.contains("error: nothing was replayed"), "{reported}");
    }
}

#[test]
fn aliases_are_followed_but_do_not_multiply() {
    let cassette = python_cassette(&conversation());
    let aliased = cassette
        .replacen(
            "headers:\n      Content-Type: [text/xml]",
            "headers: &h\n      Content-Type: [text/xml]",
            1,
        )
        .replacen("headers:\n      Content-Type: [text/xml]", "headers: *h", 1);
    assert!(aliased.contains("*h"));
    let mut bomb = "lol0: &a0 [lol, lol]\n".to_owned();
    for level in 1..60 {
        let below = level - 1;
        bomb.push_str(&format!("lol{level}: &a{level} [{0}, {0}]\n", format!("*a{below}")));
    }
    let many: String = (0..40).map(|n| format!("x{n}: &b{n} {}\n", "y".repeat(1 << 20))).collect();
    let deep = format!("x: {}{}\n", "[".repeat(2_000), "]".repeat(2_000));
    let folder = Folder::with("a.yaml", aliased)
        .and("bomb.yaml", format!("{bomb}{cassette}"))
        .and("many.yaml", format!("{many}{cassette}"))
        .and("deep.yaml", format!("{deep}{cassette}"))
        .and("loop.yaml", format!("x: &x [*x]\n{cassette}"));
    folder.passes(&["a.yaml"], "4 passed, 0 failed");
    folder.passes(&["bomb.yaml"], "4 passed, 0 failed");
    folder.refused(&["many.yaml"], 4, "its anchors hold more than 16 MiB");
    folder.refused(&["deep.yaml"], 4, "deep.yaml:1: ");
    folder.refused(&["loop.yaml"], 4, "loop.yaml:1: ");
}

#[test]
fn what_is_accepted_is_written_down_without_secrets() {
    let card = "5500000000000004";
    let fields = format!(
        "<obj:CreditCardNumber>{card}</obj:CreditCardNumber>\
         <obj:SecondTokenId><![CDATA[tok&9a]]></obj:SecondTokenId>"
    );
    let create = format!("<api:create><api:zObjects>{fields}</api:zObjects></api:create>");
    let result = format!(
        "<api:result><api:Errors><api:Message>neither {card} nor tok&amp;9a</api:Message>\
         </api:Errors><api:IBAN>DE89370400440532013000</api:IBAN></api:result>"
    );
    let upstream = Upstream::plain(&http("", answer("create", &result).as_bytes()));
    let folder = Folder::with("p/x.request.xml", envelope("", &create))
        .and("p/x.response.xml", created(THEIR_ID));
    let url = upstream.url();
    let shown = folder.reported(&["p", "--endpoint", &url, "--html", "page.html"], 1)
        + &fs::read_to_string(folder.path("page.html")).unwrap();
    folder.passes(&["p", "--endpoint", &url, "--update"], "0 passed, 0 failed, 1 updated");
    let written = fs::read_to_string(folder.path("p/x.response.xml")).unwrap();
    assert!(written.contains("<api:Message>neither {{secret}} nor {{secret}}</"), "{written}");
    for secret in [card, "tok&9a", "tok&amp;9a", "DE89370400440532013000"] {
        assert!(!written.contains(secret), "{secret} in {written}");
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[test]
fn a_har_cannot_be_updated_and_a_pair_can() {
    let (request, response) = &conversation()[1];
    let folder = Folder::with("a.har", conversation_in_har())
        .and("pairs/x.request.xml", request)
        .and("pairs/x.response.xml", response.replace("true", "false"));
    folder.refused(&["a.har", "--update"], 2, "--update cannot change a HAR or a cassette");
    folder.passes(&["pairs", "--update"], "0 passed, 0 failed, 1 updated");
    folder.passes(&["pairs"], "1 passed, 0 failed");
}

#[test]
fn nothing_that_writes_leaves_this_machine_from_any_format() {
    let conversation = conversation();
    let folder = Folder::with("a.har", conversation_in_har())
        .and("a.yml", ruby_cassette(&conversation))
        .and("x.request.xml", &conversation[1].0)
        .and("x.response.xml", &conversation[1].1);
    // An address of documentation, where no server is; nothing is sent anyway.
    let remote = ["--endpoint", "http://192.0.2.1:9"];
    for (file, name) in [
        ("a.har", "a.har/2 create"),
        ("a.yml", "a.yml/2 create"),
        ("x.request.xml", "x may change"),
    ] {
        folder.refused(&[&[file], &remote[..]].concat(), 2, "--allow-remote");
        let args = [&[file], &remote[..], &["--allow-remote"]].concat();
        folder.refused(&args, 2, "--allow-writes");
        folder.refused(&args, 2, name);
    }
}

#[test]
fn no_secret_of_a_capture_is_shown_or_written() {
    let card = "<obj:CreditCardNumber>4111111111111111</obj:CreditCardNumber>";
    let method = format!("<api:zObjects xsi:type=\"obj:PaymentMethod\">{card}</api:zObjects>");
    let body = format!("<api:create>{method}</api:create>");
    let request = envelope(&session_header(THEIR_SESSION), &body);
    let told_back = answer("create", "<api:Message>bad card 4111111111111111</api:Message>");
    let mut exchanges = conversation();
    exchanges[0].0 = login_envelope("somebody@example.com", "hunter2hunter2");
    exchanges[0].1 = exchanges[0].1.replace("91.0", "90.0");
    exchanges.push((request, told_back));
    let entries: Vec<Value> = exchanges.iter().map(har_entry).collect();
    let folder = Folder::with("a.har", har(&entries));
    let mut shown = folder.reported(&["a.har", "--html", "page.html", "--junit", "junit.xml"], 1);
    shown.push_str(&folder.reported(&["a.har", "--json"], 1));
    shown.push_str(&folder.reported(&["a.har", "--compare", "bytes"], 1));
    for file in ["page.html", "junit.xml"] {
        shown.push_str(&fs::read_to_string(folder.path(file)).unwrap());
    }
    assert!(shown.contains("a.har/5 create") && shown.contains("bad card"), "{shown}");
    for secret in ["4111111111111111", "hunter2", THEIR_SESSION, "s3cret"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[test]
fn a_session_that_was_invalid_stays_so() {
    let gateway = TestGateway::demo();
    let request = query("expired", "select Id from Refund");
    let fault = gateway.post(ENDPOINT, &request);
    assert_eq!(fault.status, 500, "{fault}");
    let mut entry = har_entry(&(request, String::from_utf8(fault.body).unwrap()));
    entry["response"]["status"] = 500.into();
    let wrong = login_envelope("demo@example.com", "wrong");
    let refused = gateway.post(ENDPOINT, &wrong);
    let mut login = har_entry(&(wrong, String::from_utf8(refused.body).unwrap()));
    login["response"]["status"] = 500.into();
    let folder = Folder::with("a.har", har(&[entry, login]));
    folder.passes(&["a.har"], "2 passed, 0 failed");
}

#[test]
fn a_capture_is_replayed_with_given_credentials() {
    let gateway = TestGateway::demo();
    let endpoint = format!("http://{}", gateway.public());
    let folder = Folder::with("a.har", conversation_in_har());
    let args = ["a.har", "--endpoint", &endpoint];
    folder.reported(&args, 2);
    let given = ["--username", "demo@example.com", "--password", "demo"];
    folder.passes(&[&args[..], &given].concat(), "4 passed, 0 failed");
    assert_eq!(gateway.balance(EXTERNAL_ACCOUNT), "987.50");
}

/// A host that a recorder blanked out ended the replay, although no replay goes there.
#[test]
fn a_blank_in_a_host_is_nothing_to_a_replay_and_one_in_a_path_is_skipped_by_name() {
    let entry = har_entry(&conversation()[0]);
    let at = |url: &str| {
        let mut entry = entry.clone();
        entry["request"]["url"] = url.into();
        entry
    };
    let path = "/apps/services/a/91.0";
    let hosts = ["{{host}}", "<ZUORA_HOST>", "<%= ENV['HOST'] %>", "${host}:<PORT>", "a.b:<PORT>"];
    let hosts = hosts.map(|host| at(&format!("https://{host}{path}")));
    Folder::with("hosts.har", har(&hosts)).passes(&["hosts.har"], "5 passed, 0 failed");
    let behind = ["https://<HOST>/<SERVICE>/a/91.0", "https://a.b/apps/services/a/91.0?x={{y}}"];
    let entries = [behind.map(at).to_vec(), vec![entry.clone()]].concat();
    let said = Folder::with("paths.har", har(&entries)).reported(&["paths.har"], 0);
    for part in ["its URL needs SERVICE", "its URL needs y", "1 passed, 0 failed, 2 skipped"] {
        assert!(said.contains(part), "no {part} in {said}");
    }
}
