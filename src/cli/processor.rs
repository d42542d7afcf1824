//! `check processor`: whether a payment processor's adapter keeps the contract.

use super::exit::{ExitStatus, Failure, FailureCode, OrFail};
use super::roots::RootsOption;
use super::{gateways, terminal};
use crate::client::Trust;
use crate::domain::id::{ObjectId, RefundId, RefundNumber};
use crate::domain::money::{Currency, MinorUnits, parse_amount};
use crate::ledger::Order;
use crate::processor::http::conformance::{self, Check, Orders, Outcome};
use crate::processor::http::{BreakerSettings, HttpGateway, Secret, unix_seconds};
use std::path::PathBuf;
use std::time::Duration;
use tokio::runtime::Runtime;

/// Where the secret is taken from when no file is named.
const SECRET_VARIABLE: &str = "REFUND_GATEWAY_PROCESSOR_SECRET";
/// How long the adapter may take for one answer.
const TIMEOUT: Duration = Duration::from_secs(30);
/// An id that names no payment method.
const NO_METHOD: &str = "00000000000000000000000000000000";

/// Check whether a payment processor's adapter keeps the contract of docs/PROCESSORS.md
///
/// Sends real orders: use the processor's test mode.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The adapter's base URL, below which /refunds is
    #[arg(value_name = "URL")]
    url: String,

    /// A file with the secret that requests are signed with, instead of the environment variable
    /// REFUND_GATEWAY_PROCESSOR_SECRET
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,

    /// A PEM file with the authorities to believe, and no others
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,

    #[command(flatten)]
    roots: RootsOption,

    /// The amount of each order
    #[arg(long, value_name = "DECIMAL", default_value = "1.00")]
    amount: String,

    /// An amount that the processor declines; without it no decline is checked
    #[arg(long, value_name = "DECIMAL")]
    declined_amount: Option<String>,

    /// The currency of the amounts
    #[arg(long, value_name = "CODE", default_value = "USD")]
    currency: String,

    /// The id of the payment method to pay to
    #[arg(long, value_name = "ID", default_value = NO_METHOD)]
    payment_method: String,

    /// Ask for the refund of this payment, by the processor's own reference, instead of
    /// non-referenced refunds
    #[arg(long, value_name = "REFERENCE")]
    original_payment: Option<String>,

    /// Send orders to an adapter that is not on this machine
    #[arg(long)]
    allow_remote: bool,
}

/// Runs the conformance kit and prints each check.
pub(super) fn run(args: &Args) -> Result<ExitStatus, Failure> {
    args.roots.believe()?;
    let gateway = gateway(args)?;
    if !gateway.endpoint.is_loopback() && !args.allow_remote {
        let message = format!("{} is not loopback, and may move money", gateway.endpoint);
        let hint = "say --allow-remote if it is the processor's test mode";
        return Err(Failure::with_hint(FailureCode::Usage, message, hint));
    }
    let mut orders = samples(args)?;
    announce(args, &gateway);
    let runtime = Runtime::new().or_fail(FailureCode::Runtime, "starting threads")?;
    let (mut reported, mut failures) = (Ok(()), 0_u32);
    let report = |check: &Check| {
        failures += u32::from(matches!(check.outcome, Outcome::Failed { .. }));
        let shown = lines(check).iter().try_for_each(|line| terminal::data(line));
        if reported.is_ok() {
            reported = shown;
        }
    };
    let passed = runtime.block_on(conformance::run(gateway, &mut orders, report));
    reported?;
    let passed = passed.or_fail(FailureCode::Runtime, "the processor gave no answer")?;
    if passed {
        terminal::data("the adapter keeps the contract")?;
        return Ok(ExitStatus::Done);
    }
    terminal::data(&format!("the adapter does not keep the contract: {failures} FAILED"))?;
    Ok(ExitStatus::Differed)
}

fn announce(args: &Args, gateway: &HttpGateway) {
    terminal::note(&format!(
        "asking {} for refunds of {} {} to the payment method {}; this must be test mode: \
         an adapter that keeps the contract pays two of them, one that does not may pay more",
        gateway.endpoint, args.amount, args.currency, args.payment_method
    ));
}

fn lines(check: &Check) -> Vec<String> {
    let name = check.name;
    match &check.outcome {
        Outcome::Passed => vec![format!("ok       {name}")],
        Outcome::Skipped(why) => vec![format!("skipped  {name}: {why}")],
        Outcome::Failed { found, expected } => vec![
            format!("FAILED   {name}"),
            format!("         found:    {found}"),
            format!("         expected: {expected}"),
        ],
    }
}

fn usage(message: impl std::fmt::Display) -> Failure {
    Failure::new(FailureCode::Usage, message)
}

fn gateway(args: &Args) -> Result<HttpGateway, Failure> {
    let endpoint = gateways::processor_url(&args.url).map_err(usage)?;
    let read = |path: &PathBuf| {
        std::fs::read(path).or_fail(FailureCode::Input, format_args!("reading {}", path.display()))
    };
    let trust = match &args.ca_file {
        None => Trust::public(),
        Some(path) => Trust::only(&read(path)?)
            .or_fail(FailureCode::Input, format_args!("{}", path.display()))?,
    };
    Ok(HttpGateway {
        name: "check".to_owned(),
        endpoint,
        secret: secret(args)?,
        trust,
        connect_timeout: TIMEOUT,
        timeout: TIMEOUT,
        connections_max: 2,
        key_retention: Duration::ZERO,
        refund_window_days: None,
        breaker: BreakerSettings { failures: u32::MAX, open_for: Duration::ZERO },
    })
}

fn secret(args: &Args) -> Result<Secret, Failure> {
    let text = match &args.secret_file {
        Some(path) => std::fs::read_to_string(path)
            .or_fail(FailureCode::Input, format_args!("reading {}", path.display()))?,
        None => std::env::var(SECRET_VARIABLE).map_err(|_| {
            usage(format_args!("say --secret-file, or set {SECRET_VARIABLE} to the secret"))
        })?,
    };
    Secret::parse(&text).map_err(usage)
}

/// Orders under references that were never used: of this moment, with a salt that is drawn.
struct Samples {
    next: i64,
    salt: u32,
    order: Order,
    declined: Option<MinorUnits>,
}

impl Samples {
    fn with(&mut self, amount: MinorUnits) -> Order {
        self.next = self.next.saturating_add(1);
        let created_ms = i64::try_from(unix_seconds().saturating_mul(1000)).unwrap_or_default();
        let refund = RefundNumber::new(self.next)
            .map_or(self.order.refund, |number| RefundId::new(created_ms, self.salt, number));
        Order { refund, amount, ..self.order.clone() }
    }
}

impl Orders for Samples {
    fn next(&mut self) -> Order {
        self.with(self.order.amount)
    }

    fn next_declined(&mut self) -> Option<Order> {
        self.declined.map(|amount| self.with(amount))
    }
}

fn samples(args: &Args) -> Result<Samples, Failure> {
    let code = &args.currency;
    let currency = Currency::from_code(code)
        .ok_or_else(|| usage(format_args!("`{code}` is no currency of ISO 4217 (upper case)")))?;
    let units = |text: &str| {
        let units = parse_amount(text).and_then(|amount| currency.minor_units(amount));
        units.ok_or_else(|| usage(format_args!("`{text}` is no amount of {code} above 0")))
    };
    let method = &args.payment_method;
    let payment_method = ObjectId::parse(method)
        .ok_or_else(|| usage(format_args!("`{method}` is no id: 32 letters or digits")))?;
    let mut drawn = [0_u8; 4];
    getrandom::fill(&mut drawn)
        .map_err(|error| Failure::new(FailureCode::Runtime, format_args!("drawing: {error}")))?;
    let [_, a, b, c] = drawn;
    let salt = u32::from_be_bytes([0, a, b, c]);
    let number = RefundNumber::new(1).ok_or_else(|| usage("there is no first number"))?;
    let order = Order {
        refund: RefundId::new(0, salt, number),
        gateway: "check".to_owned(),
        payment_method,
        original_payment: args.original_payment.clone(),
        repaid: None,
        amount: units(&args.amount)?,
        currency,
        options: Vec::new(),
        trace: None,
    };
    let declined = args.declined_amount.as_deref().map(units).transpose()?;
    Ok(Samples { next: 0, salt, order, declined })
}
