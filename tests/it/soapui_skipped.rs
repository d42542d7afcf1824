//! What a SoapUI project needs of steps that are not run here: it is skipped by its name with the
//! reason, never FAILED, and never sent with a value that the project does not mean.

use crate::soapui::{
    Run, assertion, case, good_login, holds, login, project, request, request_to, transfer,
    transfers, xpath,
};

/// A script step.
fn groovy(name: &str, script: &str) -> String {
    format!(
        "<con:testStep type='groovy' name='{name}'><con:config><script><![CDATA[{script}]]>\
         </script></con:config></con:testStep>"
    )
}

fn properties(pairs: &[(&str, &str)]) -> String {
    let property = |(name, value): &(&str, &str)| {
        format!(
            "<con:property><con:name>{name}</con:name><con:value>{value}</con:value>\
             </con:property>"
        )
    };
    let all: String = pairs.iter().map(property).collect();
    format!("<con:properties>{all}</con:properties>")
}

/// A step that cannot be sent, because what it needs is only known to a script.
fn unsent(name: &str) -> String {
    request(name, &login("demo@example.com", "${=secretFor('demo')}"), &[holds()])
}

#[test]
fn an_unknown_property_of_an_endpoint_is_no_failure() {
    let to =
        |endpoint: &str| case("to", &request_to("ours", endpoint, "r", &good_login(), &[holds()]));
    let cases = to("${serviceUrl}")
        + &to("https://${#Env#HOST}:${#Project#port}/apps/services/a/91.0")
        + &to("${#Project#url}")
        + &to("${=hostOf('zuora')}/apps/services/a/91.0")
        + &to("https://h/apps/services/a/${version}");
    let text = project(&cases).replace(
        "<con:interface type='wsdl' name='theirs'",
        "<con:interface type='wsdl' name='unused'><con:endpoints><con:endpoint>${gone}\
         </con:endpoint></con:endpoints></con:interface><con:interface type='wsdl' name='theirs'",
    );
    let run = Run::of(&text, &[]);
    run.says("4 passed, 1 failed");
    run.says(
        "note: `${serviceUrl}`: there is no such property; only the path of an endpoint is used, \
         here /apps/services/a/91.0",
    );
    // What is needed is named.
    run.says("✗ FAILED r (request): `${version}`: there is no such property");
}

#[test]
fn a_step_that_needs_a_skipped_one_is_skipped_too() {
    let session = "${login#Response#//*:Session}";
    let second = |text: &str| request("second", &login(text, "x"), &[holds()]);
    let cases = case("response", &(unsent("login") + &second(session)))
        + &case("script", &(groovy("auth", "return 1") + &second("${auth#result}")))
        + &case("source", &{
            let source = "<con:testStep type='datasource' name='rows'><con:config/></con:testStep>";
            source.to_owned() + &second("${rows#user}")
        })
        + &case("chain", &{
            let via = properties(&[("via", session), ("more", "${via}")]);
            unsent("login")
                + &second("${#TestCase#more}")
                + &request("third", &login("${second#Response}", "x"), &[holds()])
                + &via
        })
        + &case("endpoint", &{
            let to = "https://h/apps/services/a/${auth#result}";
            groovy("auth", "") + &request_to("ours", to, "second", &good_login(), &[holds()])
        })
        + &case("disabled", &{
            let off = request("login", &good_login(), &[holds()])
                .replace("<con:testStep ", "<con:testStep disabled='true' ");
            off + &second(session)
        });
    let run = Run::of(&project(&cases), &[]);
    for line in [
        "– skipped second (request): `${login#Response#//*:Session}` is not known: the step \
         `login` was skipped",
        "– skipped second (request): `${auth#result}` is not known: the step `auth` was skipped",
        "– skipped second (request): `${rows#user}` is not known: the step `rows` was skipped",
        "– skipped third (request): `${second#Response}` is not known: the step `second` was \
         skipped",
        "– skipped second (request): `${login#Response#//*:Session}` is not known: the step \
         `login` is disabled",
    ] {
        run.says(line);
    }
    run.says("0 passed, 0 failed, 6 skipped");
    assert_eq!(run.code(), Some(1));
}

#[test]
fn what_a_skipped_transfer_would_have_set_is_not_known() {
    let line = ["login", "Response", "//*:Session", "#TestSuite#", "user", ""];
    let json = transfer("", ["first", "Response", "$.session", "#TestCase#", "mine", ""])
        .replace("</con:transfers>", "<con:type>JSONPATH</con:type></con:transfers>");
    let into = ["login", "Response", "//*:Session", "second", "Request", "//*:username"];
    let copy = ["#TestCase#", "mine", "", "#TestCase#", "copy", ""];
    let stale = properties(&[("mine", "stale"), ("copy", "stale")]);
    // The suite's user has a value in the file, which is not what the transfer would have left.
    let cases = case("sets", &(unsent("login") + &transfers(&transfer("", line))))
        + &case("needs", &request("r", &login("${#TestSuite#user}", "demo"), &[holds()]))
        + &case("nearest", &request("r", &login("${user}", "demo"), &[holds()]))
        + &case(
            "json",
            &(request("first", &good_login(), &[holds()])
                + &transfers(&(json + &transfer("", copy)))
                + &request("r", &login("${#TestCase#copy}", "demo"), &[holds()])
                + &stale),
        )
        + &case(
            "into a request",
            &(unsent("login")
                + &transfers(&transfer("", into))
                + &request("second", &good_login(), &[holds()])),
        );
    let run = Run::of(&project(&cases), &[]);
    for line in [
        "– skipped line: the `Response` of `login` is not known: the step `login` was skipped",
        "– skipped r (request): `${#TestSuite#user}` is not known: the transfer `line` would have \
         set it, and was skipped",
        "– skipped r (request): `${user}` is not known: the transfer `line` would have set it, \
         and was skipped",
        "– skipped line: the `mine` of `#TestCase#` is not known: the transfer `line` would have \
         set it, and was skipped",
        "– skipped r (request): `${#TestCase#copy}` is not known: the transfer `line` would have \
         set it, and was skipped",
        "– skipped second (request): `${second#Request}` is not known: the transfer `line` would \
         have set it, and was skipped",
    ] {
        run.says(line);
    }
    run.says("0 passed, 0 failed, 5 skipped");
}

#[test]
fn what_a_script_would_have_set_is_not_known() {
    let sets = "def r = call()\ntestRunner.testCase.testSuite.setPropertyValue( \"user\", r.user)";
    let by_script = assertion(
        "GroovyScriptAssertion",
        "keeps",
        &[("scriptText", "messageExchange.modelItem.testStep.testCase.setPropertyValue('s', x)")],
    );
    let uses = |text: &str| request("r", &login(text, "demo"), &[holds()]);
    let cases = case("script", &(groovy("sets", sets) + &uses("${#TestSuite#user}")))
        + &case(
            "assertion",
            &(request("first", &good_login(), &[holds(), by_script]) + &uses("${#TestCase#s}")),
        )
        + &case(
            "set up",
            &format!("<con:setupScript>context.who = 'x'</con:setupScript>{}", uses("${who}")),
        )
        // It is set again by what is run.
        + &case("again", &{
            let line = ["#Project#", "user", "", "#TestSuite#", "user", ""];
            transfers(&transfer("", line)) + &uses("${#TestSuite#user}")
        });
    let text = project(&cases).replace(
        "<con:value>project</con:value></con:property>",
        "<con:value>project</con:value></con:property><con:property><con:name>user</con:name>\
         <con:value>demo@example.com</con:value></con:property>",
    );
    let run = Run::of(&text, &[]);
    for line in [
        "– skipped r (request): `${#TestSuite#user}` is not known: the step `sets` would have set \
         it, and was skipped",
        "– skipped r (request): `${#TestCase#s}` is not known: the assertion `keeps` would have \
         set it, and scripts are not run here",
        "– skipped r (request): `${who}` is not known: the set-up script of the case would have \
         set it, and scripts are not run here",
    ] {
        run.says(line);
    }
    run.says("1 passed, 0 failed, 3 skipped");
}

#[test]
fn an_assertion_over_a_skipped_answer_is_skipped_and_the_rest_is_judged() {
    let expected = "${first#Response#//*:ServerUrl}";
    let checks = [holds(), xpath("same", "//a:ServerUrl", expected)];
    let steps = unsent("first") + &request("second", &good_login(), &checks);
    let run = Run::of(&project(&case("c", &steps)), &[]);
    run.says(&format!("– skipped same: `{expected}` is not known: the step `first` was skipped"));
    run.says("✓ passed second (request)");
    run.says("0 passed, 0 failed, 1 skipped");
}

#[test]
fn what_a_disabled_case_would_have_left_is_not_known_unless_the_file_has_it() {
    let line = |name| {
        let line = ["login", "Response", "//*:Session", "#TestSuite#", name, ""];
        transfer("", line)
    };
    let off = case(
        "off",
        &(request("login", &good_login(), &[holds()]) + &transfers(&(line("user") + &line("s")))),
    )
    .replace("<con:testCase ", "<con:testCase disabled='true' ");
    let cases = off
        + &case("kept", &request("r", &login("${#TestSuite#user}", "demo"), &[holds()]))
        + &case("none", &request("r", &login("${#TestSuite#s}", "demo"), &[holds()]));
    let run = Run::of(&project(&cases), &[]);
    run.says("✓ passed kept");
    run.says(
        "– skipped r (request): `${#TestSuite#s}` is not known: the step `move` would have set \
         it, and is disabled",
    );
    run.says("1 passed, 0 failed, 2 skipped");
}
