//! Who runs a command, for the audit of the ledger that it changes.

use crate::domain::origin::{FrontDoor, Origin};
use crate::ledger::trail::{Act, Actor};
use chrono::{DateTime, Utc};

/// What the user of this command line does now.
pub(super) fn act(at: DateTime<Utc>) -> Act {
    Act { actor: Actor::Operator(name()), origin: Origin::of(FrontDoor::CommandLine), at }
}

/// Who runs this program, by the system's word and not by that of the environment.
fn name() -> String {
    let uid = rustix::process::getuid().as_raw();
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    });
    name.map_or_else(|| format!("uid {uid}"), |name| format!("{name} (uid {uid})"))
}
