//! The front page: how the gateway is doing, what needs a hand, what came last, and where
//! everything is.

use crate::console::answer;
use crate::console::chart::Chart;
use crate::console::frame::Frame;
use crate::console::pulses::{Pulses, Sample};
use crate::console::refund_rows::{RefundRow, listed};
use crate::console::section::Section;
use crate::console::trouble::Trouble;
use crate::console::visitor::Visitor;
use crate::console::words::{colour, span};
use crate::console::{Answered, Console};
use crate::domain::number::saturated;
use crate::domain::vocabulary::RefundStatus;
use crate::ledger::readings::{OpenRefund, Span};
use askama::Template;

/// How many of the newest refunds are shown.
const NEWEST: u32 = 10;
/// How many refunds that need a hand are named.
const STUCK: u32 = 10;

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    frame: Frame,
    checks: Vec<ShownCheck>,
    hands: Vec<Hand>,
    states: Vec<State>,
    charts: Vec<Chart>,
    label: &'static str,
    zone: &'static str,
    refunds: Vec<RefundRow>,
    others: Vec<Section>,
}

/// A check of readiness, in words.
struct ShownCheck {
    name: &'static str,
    /// What is wrong, if something is.
    why: Option<String>,
}

impl ShownCheck {
    /// A check of `/readyz`, by what it looks at.
    fn of(name: &'static str, result: Result<(), String>) -> Self {
        let name = match name {
            "shutdown" => "Taking calls",
            "ledger" => "Writing to the ledger",
            other => other,
        };
        Self { name, why: result.err() }
    }
}

/// Something that an operator should look at.
struct Hand {
    what: String,
    to: String,
    label: String,
}

/// How many of the newest refunds are in a state.
struct State {
    name: &'static str,
    colour: &'static str,
    count: u64,
    /// How wide its bar is, in hundredths of the whole.
    width: u64,
    /// Where its bar begins.
    x: u64,
}

/// The front page.
pub(super) async fn page(console: &Console, visitor: &Visitor) -> Answered {
    visitor.reads()?;
    let checks = console.inside.checks().await.into_iter();
    let checks = checks.map(|(name, result)| ShownCheck::of(name, result)).collect();
    let refunds = listed(console, visitor, &format!("limit={NEWEST}")).await?.refunds;
    let states = states(console).await?;
    let hands = hands(console).await?;
    let frame = visitor.frame(console, Some(Section::Overview), Section::Overview.title());
    let others = frame.sections.iter().copied().filter(|one| *one != Section::Overview).collect();
    let page = OverviewPage {
        frame,
        checks,
        hands,
        states,
        charts: charts(&console.pulses.all()),
        label: "The newest refunds",
        zone: console.service.tenant().time_zone.name(),
        refunds,
        others,
    };
    answer::page(200, &page)
}

/// How many of the newest refunds stand where.
async fn states(console: &Console) -> Result<Vec<State>, Trouble> {
    let counted = console.service.ledger().count_refunds().await?.by_status;
    let all: u64 = counted.iter().map(|(_, count)| count).sum();
    let mut x = 0;
    let state = |(status, count): (RefundStatus, u64)| {
        let width = count * 100 / all.max(1);
        let state = State { name: status.name(), colour: colour(status.name()), count, width, x };
        x += width;
        state
    };
    Ok(counted.into_iter().map(state).collect())
}

/// What needs a hand: refunds that no gateway ends, gateways whose circuit is open, and webhooks
/// that do not take what happened.
async fn hands(console: &Console) -> Result<Vec<Hand>, Trouble> {
    let ledger = console.service.ledger();
    let mut hands = stuck(console).await?;
    let names = ledger.all_gateways().await?.into_iter().map(|one| one.gateway.name);
    let left_alone = names.filter(|name| console.service.is_left_alone(name));
    hands.extend(left_alone.map(|name| Hand {
        what: "failed again and again and is not asked for a while.".to_owned(),
        to: Section::Gateways.path().to_owned(),
        label: format!("The gateway {name}"),
    }));
    for webhook in console.service.webhook_stats() {
        let failed = ledger.list_failed_deliveries(&webhook.name, Span::first(1)).await?;
        hands.extend(failed.rows.into_iter().map(|one| Hand {
            what: format!(
                "did not take {} of {}, which was tried {} times: {}",
                one.kind,
                one.refund,
                one.attempts,
                one.last_error.as_deref().unwrap_or("no reason is known")
            ),
            to: Section::Webhooks.path().to_owned(),
            label: format!("The webhook {}", webhook.name),
        }));
    }
    Ok(hands)
}

/// Refunds that only an operator can end.
async fn stuck(console: &Console) -> Result<Vec<Hand>, Trouble> {
    let open = console.service.ledger().list_open(Span::first(STUCK)).await?.rows;
    let now = console.service.clock().now();
    let hand = |one: OpenRefund| {
        let number = one.refund.id.number();
        let age = span((now - one.refund.created).num_seconds());
        let gateway = one.refund.gateway.as_deref().unwrap_or("its gateway");
        Hand {
            what: format!(
                "has been in Processing for {age}: {gateway} will not be asked any more, only an \
                 operator can end it."
            ),
            to: format!("/refunds/{number}"),
            label: number.to_string(),
        }
    };
    Ok(open.into_iter().filter(|one| one.next.is_none()).map(hand).collect())
}

/// What the last minutes looked like.
fn charts(samples: &[Sample]) -> Vec<Chart> {
    let seconds = Pulses::seconds_each();
    let ago = seconds * saturated::<u64>(samples.len());
    let ends = || (format!("{} ago", span(saturated(ago))), "now".to_owned());
    let steps: Vec<_> = samples
        .iter()
        .zip(samples.iter().skip(1))
        .map(|(earlier, later)| later.pulse.since(&earlier.pulse))
        .collect();
    let rates: Vec<u64> = steps.iter().map(|step| step.requests.div_ceil(seconds)).collect();
    let slow: Vec<u64> = steps.iter().map(|step| step.quantile_us(99).unwrap_or(0)).collect();
    let queued: Vec<u64> = samples.iter().map(|sample| sample.queued).collect();
    vec![
        Chart::of("Requests", &rates, ends(), |rate| format!("{rate} a second")),
        Chart::of("99 of 100 answered within", &slow, ends(), microseconds),
        Chart::of("Waiting for the ledger", &queued, ends(), |many| many.to_string()),
    ]
}

fn microseconds(us: u64) -> String {
    match us {
        0 => "no requests".to_owned(),
        1..1_000 => format!("{us} µs"),
        1_000..1_000_000 => format!("{} ms", us / 1_000),
        _ => format!("{} s", us / 1_000_000),
    }
}
