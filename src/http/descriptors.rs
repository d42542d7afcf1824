//! File descriptors: each connection takes one, and the system lets a process have only so many.
//!
//! What must stay true: the ledger, its readers and whatever asks gateways always find some left,
//! so that clients alone cannot stop refunds that were acknowledged from being worked on.

use super::settings::HttpSettings;
use crate::domain::number::saturated;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What everything but connections needs: files of the ledger, outbound connections, the runtime.
const OTHERS: u64 = 64;
/// The least of either kind of connections, however few descriptors there are.
const LEAST: u64 = 4;

/// The settings with no more connections than the limit of the process allows, which is raised
/// first as far as the system lets it.
pub(super) fn fit(settings: HttpSettings) -> HttpSettings {
    let public = saturated::<u64>(settings.connections_max);
    let admin = saturated::<u64>(settings.admin_connections_max);
    let needed = public.saturating_add(admin).saturating_add(OTHERS);
    let limit = raised(needed);
    if limit >= needed {
        return settings;
    }
    let left = limit.saturating_sub(OTHERS);
    let admin = admin.min((left / 4).max(LEAST));
    let public = public.min(left.saturating_sub(admin).max(LEAST));
    tracing::warn!(
        limit,
        needed,
        connections_max = public,
        admin_connections_max = admin,
        "the limit of open files is too low for the connections of the settings; fewer are \
         served (raise it with ulimit -n or LimitNOFILE=)"
    );
    HttpSettings {
        connections_max: saturated(public),
        admin_connections_max: saturated(admin),
        ..settings
    }
}

/// How many descriptors the process can have, with a limit that is raised to `needed` if it may be.
fn raised(needed: u64) -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let current = current.unwrap_or(u64::MAX);
    let wanted = needed.min(maximum.unwrap_or(u64::MAX));
    if current >= wanted {
        return current;
    }
    let raised = Rlimit { current: Some(wanted), maximum };
    if setrlimit(Resource::Nofile, raised).is_ok() { wanted } else { current }
}
