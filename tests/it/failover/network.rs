//! A network of its own for a test, whose cables can be cut.

use super::say;
use std::process::Command;

/// Set for a test that has a network of its own.
const INSIDE: &str = "TEST_HAS_ITS_OWN_NETWORK";

/// Whether this process has one.
pub fn is_own() -> bool {
    std::env::var_os(INSIDE).is_some()
}

/// Runs a test that is otherwise ignored in a network of its own, where the machine allows that.
pub fn run_inside(test: &str) {
    for (program, about) in [("unshare", "--version"), ("ip", "-V")] {
        if !Command::new(program).arg(about).output().is_ok_and(|it| it.status.success()) {
            let missing = format!("a network of its own needs {program}");
            assert!(std::env::var_os("CI").is_none(), "{missing}");
            return say(&format!("SKIPPED: {missing}"));
        }
    }
    let can = Command::new("unshare").args(["-n", "ip", "link", "set", "lo", "up"]).status();
    if !can.is_ok_and(|can| can.success()) {
        return say("SKIPPED: this machine allows no process a network of its own");
    }
    let mut inside = Command::new("unshare");
    inside.args(["-n", "sh", "-c", "ip link set lo up && exec \"$0\" \"$@\""]);
    inside.arg(std::env::current_exe().unwrap());
    inside.args([test, "--exact", "--ignored", "--nocapture"]);
    let ended = inside.env(INSIDE, "1").status().unwrap();
    assert!(ended.success(), "{ended}");
}

/// Has whatever is sent to an address vanish.
pub fn cut(address: &str) {
    route("add", address);
}

/// Has what is sent to an address arrive again.
pub fn heal(address: &str) {
    route("delete", address);
}

fn route(what: &str, address: &str) {
    assert!(is_own(), "this would cut the machine's own network");
    let place = format!("{address}/32");
    let order = ["route", what, "blackhole", place.as_str(), "table", "local"];
    assert!(Command::new("ip").args(order).status().unwrap().success());
}
