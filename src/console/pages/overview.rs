//! The front page: how the gateway is doing, what needs a hand, and where everything is.

use crate::console::answer;
use crate::console::chart::Chart;
use crate::console::frame::Frame;
use crate::console::pulses::{Pulses, Sample};
use crate::console::section::Section;
use crate::console::visitor::Visitor;
use crate::console::{Answered, Console};
use askama::Template;

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    frame: Frame,
    checks: Vec<ShownCheck>,
    charts: Vec<Chart>,
    others: Vec<Section>,
}

/// A check of readiness, in words.
struct ShownCheck {
    name: &'static str,
    /// What is wrong, if something is.
    why: Option<String>,
}

/// The front page.
pub(super) async fn page(console: &Console, visitor: &Visitor) -> Answered {
    visitor.reads()?;
    let checks = console.inside.checks().await.into_iter();
    let checks = checks.map(|(name, result)| ShownCheck { name, why: result.err() }).collect();
    let frame = visitor.frame(console, Some(Section::Overview), Section::Overview.title());
    let others = frame.sections.iter().copied().filter(|one| *one != Section::Overview).collect();
    let charts = charts(&console.pulses.all());
    answer::page(200, &OverviewPage { frame, checks, charts, others })
}

/// What the last minutes looked like.
fn charts(samples: &[Sample]) -> Vec<Chart> {
    let seconds = Pulses::seconds_each();
    let ago = seconds * samples.len() as u64;
    let span = || (format!("{} ago", spoken(ago)), "now".to_owned());
    let steps: Vec<_> = samples
        .iter()
        .zip(samples.iter().skip(1))
        .map(|(earlier, later)| later.pulse.since(&earlier.pulse))
        .collect();
    let rates: Vec<u64> = steps.iter().map(|step| step.requests.div_ceil(seconds)).collect();
    let slow: Vec<u64> = steps.iter().map(|step| step.quantile_us(99).unwrap_or(0)).collect();
    let queued: Vec<u64> = samples.iter().map(|sample| sample.queued).collect();
    vec![
        Chart::of("Requests", &rates, span(), |rate| format!("{rate} a second")),
        Chart::of("99 of 100 answered within", &slow, span(), microseconds),
        Chart::of("Waiting for the ledger", &queued, span(), |many| many.to_string()),
    ]
}

fn spoken(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} seconds"),
        _ => format!("{} minutes", seconds / 60),
    }
}

fn microseconds(us: u64) -> String {
    match us {
        0 => "nothing".to_owned(),
        1..1_000 => format!("{us} µs"),
        1_000..1_000_000 => format!("{} ms", us / 1_000),
        _ => format!("{} s", us / 1_000_000),
    }
}
