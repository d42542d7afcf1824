//! The gateway that `replay` starts when no endpoint is given: its clock, and that nothing is left
//! of it.

use crate::gateway::{
    ELECTRONIC_ACCOUNT, ELECTRONIC_METHOD, EXTERNAL_ACCOUNT, create_envelope, external_refund,
    refund,
};
use crate::replaying::{Folder, created, har, har_entry};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const THEIR_ID: &str = "4028925a2b9e3319012b9e34b88e4711";
/// Some day of the past, as a capture of that day has it.
const DAY: &str = "2015-03-04";

/// An electronic refund of that day: on any other day its RefundDate is refused.
fn dated() -> (String, String) {
    let refund = refund(&[
        ("AccountId", ELECTRONIC_ACCOUNT),
        ("Amount", "10"),
        ("SourceType", "CreditBalance"),
        ("Type", "Electronic"),
        ("PaymentMethodId", ELECTRONIC_METHOD),
        ("RefundDate", DAY),
    ]);
    (create_envelope("{{session}}", &[refund]), created(THEIR_ID))
}

fn case_of_that_day() -> Folder {
    let (request, response) = dated();
    Folder::with("day/case/request.xml", request).and("day/case/response.xml", response)
}

#[test]
fn a_capture_of_another_day_passes_with_its_clock() {
    let folder = case_of_that_day().and("day.har", har(&[har_entry(&dated())]));
    let reported = folder.reported(&["day"], 1);
    assert!(reported.contains("RefundDate"), "{reported}");
    for capture in ["day", "day.har"] {
        folder.passes(&[capture, "--clock", "2015-03-04T20:00:00Z"], "1 passed, 0 failed");
    }
    let rules = folder.and("day/replay.toml", "clock = 2015-03-04T12:00:00-08:00\n");
    rules.passes(&["day"], "1 passed, 0 failed");
    // The command line wins.
    rules.reported(&["day", "--clock", "2015-03-06T20:00:00Z"], 1);
}

#[test]
fn clocks_that_cannot_be_are_refused_before_anything_is_sent() {
    let (request, response) = dated();
    let folder = case_of_that_day()
        .and("day/replay.toml", "clock = '2015-03-04T20:00:00Z'\n")
        .and("day/other/request.xml", request)
        .and("day/other/response.xml", response)
        .and("day/other/replay.toml", "clock = '2015-03-05T20:00:00Z'\n");
    folder.refused(&["day"], 2, "the clock of day/case stands at 2015-03-04T20:00:00+00:00 and");
    folder.passes(&["day", "--clock", "2015-03-04T20:00:00Z"], "2 passed, 0 failed");
    let args = ["day", "--clock", "2015-03-04T20:00:00Z", "--endpoint", "http://127.0.0.1:1"];
    folder.refused(&args, 2, "--clock");
    let reported = folder.reported(&["day", "--clock", "yesterday"], 2);
    assert!(reported.contains("`yesterday` is no moment"), "{reported}");
}

/// Nothing in a folder of temporary files.
fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().next().is_none()
}

/// A folder with a HAR file whose replay takes a while, and a place for temporary files in it.
fn long_replay() -> Folder {
    let request = create_envelope("{{session}}", &[external_refund(EXTERNAL_ACCOUNT, "0.01")]);
    let entries = vec![har_entry(&(request, created(THEIR_ID))); 20_000];
    let folder = Folder::with("long.har", har(&entries)).and("tmp/x", "");
    fs::remove_file(folder.path("tmp/x")).unwrap();
    folder
}

/// Starts `command`, which is to replay it, and waits until it has a temporary ledger.
fn begun(folder: &Folder, command: &mut Command) -> (Child, Pid) {
    let temporary = folder.path("tmp");
    command.env("TMPDIR", &temporary).stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().unwrap();
    let started = Instant::now();
    while is_empty(&temporary) && started.elapsed() < Duration::from_secs(60) {
        thread::sleep(Duration::from_millis(5));
    }
    thread::sleep(Duration::from_millis(200));
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).unwrap();
    (child, pid)
}

/// Regression: a terminal that was closed (SIGHUP) left it behind.
#[test]
fn a_signal_leaves_no_temporary_ledger_behind() {
    let folder = long_replay();
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        // The tests may themselves have been started by `nohup`.
        let mut command = Command::new("env");
        command.args(["--default-signal=HUP", env!("CARGO_BIN_EXE_refund-gateway"), "replay"]);
        command.arg("long.har").current_dir(folder.path(""));
        let (mut child, pid) = begun(&folder, &mut command);
        kill_process(pid, signal).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(5));
        assert!(is_empty(&folder.path("tmp")), "{signal:?}");
    }
}

/// As `nohup` starts it.
#[test]
fn a_closed_terminal_ends_no_replay_that_was_started_to_outlive_it() {
    let folder = long_replay();
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' HUP; exec \"$0\" replay long.har"]);
    command.arg(env!("CARGO_BIN_EXE_refund-gateway")).current_dir(folder.path(""));
    let (mut child, pid) = begun(&folder, &mut command);
    kill_process(pid, Signal::HUP).unwrap();
    thread::sleep(Duration::from_millis(500));
    assert_eq!(child.try_wait().unwrap(), None);
    kill_process(pid, Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(5));
}
