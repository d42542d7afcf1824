//! A network of its own for a test, whose cables can be cut.

use crate::skipped::{is_allowed, runs};
use std::process::Command;

/// Set for a test that has a network of its own.
const INSIDE: &str = "TEST_HAS_ITS_OWN_NETWORK";

/// Whether this process has one.
pub fn is_own() -> bool {
    std::env::var_os(INSIDE).is_some()
}

/// Runs a test that is otherwise ignored in a network of its own, where the machine allows that.
pub fn run_inside(test: &str) {
    if !runs("unshare", &["--version"], "util-linux") || !runs("ip", &["-V"], "iproute2") {
        return;
    }
    let tried = Command::new("unshare").args(["-n", "ip", "link", "set", "lo", "up"]).status();
    if !is_allowed(tried.unwrap().success(), "a network of its own") {
        return;
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
