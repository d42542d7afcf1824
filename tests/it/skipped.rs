//! What a test does where the machine lacks what it needs.
//!
//! A program that is not installed is a failure where `CI` is set, because CI installs all of them.
//! A right that the kernel gives no process here (a network, a mount, a cgroup of its own) is none
//! there either, because what a machine allows is not the project's to say. In both cases the test
//! says aloud that it was skipped: past the capture of the test's own output.

use std::io::Write;
use std::process::Command;

/// Whether a program runs with these arguments; a package has it.
pub(crate) fn runs(program: &str, arguments: &[&str], package: &str) -> bool {
    let tried = Command::new(program).args(arguments).output();
    let name = format!("{program} {arguments:?} ({package})");
    is_installed(tried.is_ok_and(|output| output.status.success()), &name)
}

/// Whether something is installed, as it was found.
pub(crate) fn is_installed(is_there: bool, name: &str) -> bool {
    if !is_there {
        assert!(std::env::var_os("CI").is_none(), "{name} is missing, which CI has to have");
        say(&format!("{name} is missing"));
    }
    is_there
}

/// Whether this machine lets a process have something, as it was tried.
pub(crate) fn is_allowed(has_right: bool, what: &str) -> bool {
    if !has_right {
        say(&format!("this machine allows no process {what}"));
    }
    has_right
}

/// Says that something was skipped.
pub(crate) fn say(why: &str) {
    let _ = std::io::stderr().write_all(format!("SKIPPED: {why}\n").as_bytes());
}
