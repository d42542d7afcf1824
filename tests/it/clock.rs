//! The clock of a test ledger never stands before the newest moment of the ledger.

use crate::admin_api::{api, command, done, told_by};
use crate::gateway::{ENDPOINT, TestGateway, envelope, external_refund, session_header};
use serde_json::{Value, json};
use std::fs;

const ACCOUNT: &str = "402892c72b9e3319012b9e34b88e0001";
const START: &str = "2026-03-04T05:06:07Z";

fn refund(gateway: &TestGateway) {
    let session = gateway.login();
    assert_eq!(gateway.create(&session, &[external_refund(ACCOUNT, "1.00")]).successes(), 1);
}

fn now(gateway: &TestGateway) -> String {
    done(gateway, "GET", "clock", &Value::Null)["now"].as_str().unwrap().to_owned()
}

/// When the refunds were created, oldest first.
fn created(gateway: &TestGateway) -> Vec<String> {
    let query = "<api:query><api:queryString>select Id, CreatedDate from Refund\
                 </api:queryString></api:query>";
    let header = session_header(&gateway.login());
    let text = gateway.post(ENDPOINT, &envelope(&header, query)).text();
    let pieces = text.split("CreatedDate>").skip(1).step_by(2);
    pieces.map(|piece| piece.split('<').next().unwrap().to_owned()).collect()
}

/// Regression: at a restart the clock stood at `--clock` again, and the next refund was older than
/// the last.
#[test]
fn a_restart_goes_on_from_the_newest_moment() {
    let mut gateway = TestGateway::start(&["--demo", "--clock", START, "--id-seed", "7"]);
    assert!(!gateway.stderr().contains("the clock begins at"), "{}", gateway.stderr());
    refund(&gateway);
    told_by(&gateway, &["clock", "--advance", "3600"]);
    refund(&gateway);
    gateway.terminate();
    gateway.restart();
    assert_eq!(now(&gateway), "2026-03-04T06:06:07.000Z");
    let said = "the clock begins at 2026-03-04T06:06:07.000Z, the newest moment of the ledger";
    gateway.until_it_says(said);
    refund(&gateway);
    let created = created(&gateway);
    assert_eq!(created.len(), 3);
    assert!(created.is_sorted(), "{created:?}");
    done(&gateway, "POST", "reset", &json!({}));
    assert_eq!(now(&gateway), "2026-03-04T05:06:07.000Z");
}

#[test]
fn a_clock_that_runs_ahead_goes_on_from_there_too() {
    let mut gateway = TestGateway::demo();
    told_by(&gateway, &["clock", "--advance", "864000"]);
    refund(&gateway);
    let before = now(&gateway);
    gateway.terminate();
    gateway.restart();
    assert!(now(&gateway)[..16] >= before[..16], "{before}, then {}", now(&gateway));
    told_by(&gateway, &["clock", "--run"]);
    assert!(now(&gateway)[..16] >= before[..16], "{before}, then {}", now(&gateway));
}

#[test]
fn the_clock_is_not_set_back_before_what_was_done() {
    let gateway = TestGateway::start(&["--demo", "--clock", START]);
    refund(&gateway);
    for (method, path, body) in [
        ("PUT", "clock", json!({ "now": "2026-03-04T05:06:06Z" })),
        ("POST", "clock/advance", json!({ "seconds": -1 })),
    ] {
        let reported = api(&gateway, method, path, &body);
        let why = reported.body["error"].as_str().unwrap_or_default().to_owned();
        assert_eq!(reported.status, 409, "{why}");
        assert!(why.contains("2026-03-04T05:06:07.000Z") && why.contains("reset"), "{why}");
    }
    let output = command(&gateway, &["clock", "--set", "2026-03-04T05:06:06Z"]);
    assert!(!output.status.success());
    assert_eq!(now(&gateway), "2026-03-04T05:06:07.000Z");
    done(&gateway, "PUT", "clock", &json!({ "now": START }));
    done(&gateway, "POST", "clock/advance", &json!({ "seconds": 60 }));
    done(&gateway, "POST", "clock/advance", &json!({ "seconds": -60 }));
    assert_eq!(now(&gateway), "2026-03-04T05:06:07.000Z");
}

/// A snapshot can come from an earlier run, whose clock was ahead.
#[test]
fn a_snapshot_takes_the_clock_with_it() {
    let mut gateway = TestGateway::start(&["--demo", "--clock", START]);
    told_by(&gateway, &["clock", "--advance", "3600"]);
    refund(&gateway);
    told_by(&gateway, &["snapshot", "save", "later"]);
    done(&gateway, "POST", "reset", &json!({}));
    gateway.terminate();
    gateway.restart();
    assert_eq!(now(&gateway), "2026-03-04T05:06:07.000Z");
    told_by(&gateway, &["snapshot", "restore", "later"]);
    assert_eq!(now(&gateway), "2026-03-04T06:06:07.000Z");
}

/// What documents date is not what was done.
#[test]
fn a_seed_of_another_day_moves_no_clock() {
    let mut gateway = TestGateway::seeded(crate::stage::SEED, &["--clock", "2025-12-31T00:00:00Z"]);
    gateway.login();
    gateway.terminate();
    fs::write(gateway.folder().join("stderr.log"), "").unwrap();
    gateway.restart();
    assert_eq!(now(&gateway), "2025-12-31T00:00:00.000Z");
    assert!(!gateway.stderr().contains("the clock begins at"), "{}", gateway.stderr());
}
