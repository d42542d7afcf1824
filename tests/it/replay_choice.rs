//! What `replay` chooses to send: selection, what is no SOAP, what an endpoint does not serve, and
//! captures in which something was replaced by a placeholder.

use crate::gateway::{
    ENDPOINT, EXTERNAL_ACCOUNT, TestGateway, create_envelope, envelope, external_refund,
    login_envelope, session_header,
};
use crate::replaying::{Folder, answer, created, har, har_entry, queried, query};
use serde_json::Value;
use std::fs;

const THEIR_ID: &str = "4028925a2b9e3319012b9e34b88e4711";
const THEIR_SESSION: &str = "l7ZhSm9vbmx5LWFuLWV4YW1wbGU+Lw==";

fn refund(session: &str, amount: &str) -> (String, String) {
    let refund = external_refund(EXTERNAL_ACCOUNT, amount);
    (create_envelope(session, &[refund]), created(THEIR_ID))
}

/// Two folders and a HAR: a refund and a query each, of which the queries differ.
fn captures() -> Folder {
    let (request, response) = refund("{{session}}", "1");
    let find = query("{{session}}", "select Amount from Refund where Amount = 17");
    let found = queried("<obj:Amount>17</obj:Amount>");
    let entries = [
        har_entry(&(request.clone(), response.clone())),
        har_entry(&(find.clone(), found.clone())),
    ];
    Folder::with("all/one/create/request.xml", &request)
        .and("all/one/create/response.xml", &response)
        .and("all/one/query/request.xml", &find)
        .and("all/one/query/response.xml", &found)
        .and("all/two/create/request.xml", &request)
        .and("all/two/create/response.xml", &response)
        .and("all/x.har", har(&entries))
}

#[test]
fn only_and_skip_select_by_name_and_by_operation() {
    let folder = captures();
    for (args, summary) in [
        (&["--only", "op:create"][..], "3 passed, 0 failed, 2 left out"),
        (&["--only", "one/cr*", "--only", "x.har/1"], "2 passed, 0 failed, 3 left out"),
        (&["--skip", "op:QUERY"], "3 passed, 0 failed, 2 left out"),
        (
            &["--only", "all/**", "--skip", "query", "--skip", "*.har"],
            "2 passed, 0 failed, 3 left out",
        ),
    ] {
        folder.passes(&[&["all"], args].concat(), summary);
    }
    let reported = folder.reported(&["all", "--only", "op:query", "--json"], 1);
    let last = reported.lines().find(|line| line.contains("\"summary\"")).unwrap();
    let last: Value = serde_json::from_str(last).unwrap();
    assert_eq!((&last["summary"]["failed"], &last["summary"]["left_out"]), (&2.into(), &3.into()));
}

#[test]
fn a_selection_of_nothing_is_refused_with_what_there_is() {
    let folder = captures();
    folder.refused(
        &["all", "--only", "creat"],
        2,
        "--only creat matches nothing; did you mean `create`?",
    );
    let operations = "--only op:amend matches nothing; the operations here are create, query";
    folder.refused(&["all", "--only", "op:amend"], 2, operations);
    folder.refused(&["all", "--skip", "all"], 2, "--only and --skip leave nothing to replay");
    folder.refused(&["all", "--only", "op:"], 2, "`op:` names nothing");
    let reported = folder.reported(&["all", "--skip", "nothing-like-it", "--skip", "op:query"], 0);
    assert!(reported.contains("--skip nothing-like-it matches nothing"), "{reported}");
}

#[test]
fn a_list_says_what_would_be_sent_and_sends_nothing() {
    let folder = captures().and("all/z.request.xml", refund("<SESSION>", "<AMOUNT>").0);
    let folder = folder.and("all/z.response.xml", created(THEIR_ID));
    // No server is there.
    let args = ["all", "--list", "--skip", "two", "--endpoint", "http://127.0.0.1:1"];
    let reported = folder.reported(&args, 0);
    let expected = "all/x.har/1 create (create of Refund)\nall/x.har/2 query (query of Refund)\n\
                    SKIPPED all/z: it needs AMOUNT: give --set AMOUNT=VALUE\n\
                    all/one/create (create of Refund)\nall/one/query (query of Refund)\n\
                    4 would be sent, 1 skipped, 1 left out\n";
    let sorted = |text: &str| {
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&reported), sorted(expected));
    let reported = folder.reported(&[&args[..], &["--json"]].concat(), 0);
    let lines: Vec<Value> =
        reported.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 6);
    assert!(
        lines.iter().any(|line| line["would"] == "skip" && line["case"] == "all/z"),
        "{reported}"
    );
    assert_eq!(lines[5]["summary"]["send"], 4);
}

#[test]
fn fail_fast_sends_nothing_after_the_first_difference() {
    let gateway = TestGateway::demo();
    let endpoint = format!("http://{}", gateway.public());
    let (request, response) = refund("{{session}}", "1");
    let mut folder = Folder::with("p/1.request.xml", &request).and("p/1.response.xml", &response);
    let wrong = response.replace("true", "false");
    for (name, response) in [("2", &wrong), ("3", &response), ("4", &wrong)] {
        folder = folder.and(&format!("p/{name}.request.xml"), &request);
        folder = folder.and(&format!("p/{name}.response.xml"), response);
    }
    let user = ["--username", "demo@example.com", "--password", "demo"];
    let reports = ["--junit", "j.xml", "--html", "h.html"];
    let args = ["p", "--fail-fast", "--endpoint", &endpoint];
    let reported = folder.reported(&[&args[..], &user, &reports].concat(), 1);
    assert!(reported.contains("1 passed, 1 failed, 2 not run"), "{reported}");
    assert!(reported.contains("NOT RUN 2, from p/3 on: p/2 differed"), "{reported}");
    assert_eq!(gateway.balance(EXTERNAL_ACCOUNT), "998.00");
    let junit = fs::read_to_string(folder.path("j.xml")).unwrap();
    assert_eq!(junit.matches("<skipped message=\"not run: p/2 differed").count(), 2, "{junit}");
    let page = fs::read_to_string(folder.path("h.html")).unwrap();
    assert!(page.contains("p/4") && page.contains("not run"), "{page}");
}

#[test]
fn what_is_not_served_is_no_difference() {
    let contact = "<api:create><api:zObjects xsi:type=\"obj:Contact\"><obj:FirstName>A\
                   </obj:FirstName></api:zObjects></api:create>";
    let subscription =
        "<api:query><api:queryString>select Id from Subscription</api:queryString></api:query>";
    let header = session_header("{{session}}");
    let (request, response) = refund("{{session}}", "1");
    let mut folder = Folder::with("p/z.request.xml", request).and("p/z.response.xml", response);
    for (name, body, operation) in [
        ("a", "<api:amend/>", "amend"),
        ("b", contact, "create"),
        ("c", "<api:execute><api:type>Refund</api:type></api:execute>", "execute"),
        ("d", "<api:generate/>", "generate"),
        ("e", subscription, "query"),
        ("f", "<api:subscribe/>", "subscribe"),
    ] {
        let result = format!("<api:result><api:Id>{THEIR_ID}</api:Id></api:result>");
        folder = folder.and(&format!("p/{name}.request.xml"), envelope(&header, body));
        folder = folder.and(&format!("p/{name}.response.xml"), answer(operation, &result));
    }
    let reported = folder.reported(&["p", "--junit", "j.xml"], 1);
    for line in
        ["NOT SERVED p/b: create of Contact is not served there: ", "NOT SERVED p/f: subscribe"]
    {
        assert!(
            reported.lines().any(|reported| reported.starts_with(line)),
            "{line} in {reported}"
        );
    }
    let summary = "1 passed, 0 failed, 6 not served";
    folder.passes(&["p", "--allow-unserved"], summary);
    let junit = fs::read_to_string(folder.path("j.xml")).unwrap();
    assert_eq!(junit.matches("<skipped message=\"not served: ").count(), 6, "{junit}");
    let json = folder.reported(&["p", "--json", "--allow-unserved"], 0);
    assert_eq!(json.matches("\"outcome\":\"not-served\"").count(), 6, "{json}");
    // A refused refund is a difference as ever.
    let (request, response) = refund("{{session}}", "100000");
    let folder = Folder::with("x.request.xml", request).and("x.response.xml", response);
    assert!(folder.reported(&[".", "--allow-unserved"], 1).contains("0 passed, 1 failed"));
}

#[test]
fn what_a_har_holds_beside_soap_is_never_sent() {
    let entry = |content_type: &str, url: &str, body: &str| {
        let mut entry = har_entry(&(body.to_owned(), String::new()));
        entry["request"]["headers"] =
            serde_json::json!([{ "name": "Content-Type", "value": content_type }]);
        entry["request"]["url"] = url.into();
        entry["response"]["status"] = 204.into();
        entry
    };
    let strange = [
        entry("text/plain", "https://a.example.com/metrics", "{\"a\":1}"),
        entry("text/plain;charset=UTF-8", "https://a.example.com/beacon", "hello"),
        entry("application/xml", "https://a.example.com/rpc", "<methodCall><a/></methodCall>"),
        entry("text/xml", "https://rest.example.com/apps/services/a/91.0", "{\"a\":1}"),
        entry("application/x-www-form-urlencoded", "https://a.example.com/", "a=1"),
    ];
    let entries = [&strange[..], &[har_entry(&refund("x", "1"))]].concat();
    let folder = Folder::with("a.har", har(&entries));
    let reported = folder.reported(&["a.har"], 0);
    assert!(reported.contains("SKIPPED a.har/1 POST: POST /metrics is no SOAP call"), "{reported}");
    assert!(reported.contains("1 passed, 0 failed, 5 skipped"), "{reported}");
}

/// A login, a refund, and a query of it by an id that is only known by its placeholder.
fn with_blanks(blank: impl Fn(&str) -> String) -> Vec<(String, String)> {
    let blank = |name: &str| blank(name);
    let login = login_envelope(&blank("USER"), &blank("PASSWORD"));
    let logged_in = format!(
        "<api:result><api:Session>{}</api:Session><api:ServerUrl>\
        https://www.example.com/apps/services/a/91.0</api:ServerUrl></api:result>",
        blank("SESSION")
    );
    let refund = external_refund(&blank("ACCOUNT_ID"), "12.5");
    let named = format!("select Id, Amount from Refund where Id = '{}'", blank("REFUND_ID"));
    let fields = format!("<obj:Id>{}</obj:Id><obj:Amount>12.50</obj:Amount>", blank("REFUND_ID"));
    vec![
        (login, answer("login", &logged_in)),
        (create_envelope(&blank("SESSION"), &[refund]), created(&blank("REFUND_ID"))),
        (query(&blank("SESSION"), &named), queried(&fields)),
    ]
}

#[test]
fn every_kind_of_placeholder_is_filled_or_skipped_by_its_name() {
    let set = format!("account_id={EXTERNAL_ACCOUNT}");
    let kinds: [fn(&str) -> String; 5] = [
        |name| format!("<{name}>"),
        |name| format!("<%= ENV['{name}'] %>"),
        |name| format!("{{{{{name}}}}}"),
        |name| format!("${{{name}}}"),
        |name| format!("<{}>", name.to_lowercase() + "_x").replace("_id_x", "_id"),
    ];
    for kind in kinds {
        let exchanges = with_blanks(kind);
        let mut folder =
            Folder::with("a.har", har(&exchanges.iter().map(har_entry).collect::<Vec<_>>()));
        for (number, (request, response)) in exchanges.iter().enumerate() {
            folder = folder.and(&format!("pairs/{number}.request.xml"), request);
            folder = folder.and(&format!("pairs/{number}.response.xml"), response);
            folder = folder.and(&format!("cases/{number}/request.xml"), request);
            folder = folder.and(&format!("cases/{number}/response.xml"), response);
        }
        for captures in ["a.har", "pairs", "cases"] {
            let reported = folder.reported(&[captures], 0);
            let missing = format!("it needs {0}: give --set {0}=VALUE", name_in(&reported));
            assert!(reported.contains(&missing), "{reported}");
            assert!(reported.contains("1 passed, 0 failed, 2 skipped"), "{reported}");
            folder.passes(&[captures, "--set", &set], "3 passed, 0 failed");
        }
    }
}

/// The account's placeholder, as it is reported.
fn name_in(reported: &str) -> &str {
    if reported.contains("ACCOUNT_ID") { "ACCOUNT_ID" } else { "account_id" }
}

#[test]
fn a_refusal_with_placeholders_is_sent_with_wrong_words() {
    let gateway = TestGateway::demo();
    let refused = gateway.post(ENDPOINT, &login_envelope("demo@example.com", "wrong"));
    let login = String::from_utf8(refused.body).unwrap();
    let expired = gateway.post(ENDPOINT, &query("expired", "select Id from Refund"));
    let expired = String::from_utf8(expired.body).unwrap();
    let folder = Folder::with("1.request.xml", login_envelope("<USERNAME>", "<PASSWORD>"))
        .and("1.response.xml", &login)
        .and("2.request.xml", login_envelope("demo@example.com", "<%= password %>"))
        .and("2.response.xml", &login)
        .and("3.request.xml", query("<SESSION>", "select Id from Refund"))
        .and("3.response.xml", &expired);
    folder.passes(&["."], "3 passed, 0 failed");
    // The right password makes a difference.
    let reported = folder.reported(&[".", "--set", "password=demo", "--only", "2"], 1);
    assert!(reported.contains("0 passed, 1 failed, 2 left out"), "{reported}");
    assert!(folder.reported(&[".", "--set", "password"], 2).contains("expected NAME=VALUE"));
}

#[test]
fn a_placeholder_in_a_message_of_an_answer_means_any_text() {
    let (request, _) = refund("{{session}}", "0");
    let errors = "<api:Errors><api:Code>INVALID_VALUE</api:Code><api:Message>Invalid value for \
                  field <FIELD>: 0</api:Message></api:Errors>";
    let result = format!("<api:result>{errors}<api:Success>false</api:Success></api:result>");
    let folder =
        Folder::with("x.request.xml", &request).and("x.response.xml", answer("create", &result));
    folder.passes(&["."], "1 passed, 0 failed");
    let reported = folder.reported(&[".", "--set", "FIELD=Type"], 1);
    assert!(reported.contains("Invalid value for field Type: 0"), "{reported}");
}

#[test]
fn a_real_session_in_the_folder_of_a_catalogue_is_swapped() {
    let (request, response) = refund(THEIR_SESSION, "1");
    let login = login_envelope("somebody@example.com", "hunter2hunter2");
    let url = "<api:ServerUrl>https://www.example.com/apps/services/a/91.0</api:ServerUrl>";
    let session = format!("<api:Session>{THEIR_SESSION}</api:Session>");
    let logged_in = answer("login", &format!("<api:result>{session}{url}</api:result>"));
    let folder = Folder::with("all/1/request.xml", login)
        .and("all/1/response.xml", logged_in)
        .and("all/2/request.xml", request)
        .and("all/2/response.xml", response);
    folder.passes(&["all"], "2 passed, 0 failed");
    folder.passes(&["all/2"], "1 passed, 0 failed");
}
