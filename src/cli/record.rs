//! `record`: a proxy in front of a real endpoint that writes down what goes by.

use super::complaint::read_text;
use super::exit::{ExitStatus, Failure, FailureCode, OrFail};
use super::roots::RootsOption;
use super::signals::{Signals, stay_from_now_on};
use super::values::Listen;
use super::{logging, terminal};
use crate::client::{Endpoint, Trust};
use crate::http::{Exchange, HttpSettings, Proxy, Tap, Upstream};
use crate::replay::{Call, RecordError, Recorded, Recorder};
use clap::builder::BoolishValueParser;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How long an answer of a real endpoint may take; fifty electronic refunds take their time.
const PATIENCE: Duration = Duration::from_secs(300);

/// Record what a client and a real endpoint say, as a proxy between them
///
/// Point the client at --listen instead of the endpoint. Every call is passed on to --upstream and
/// nowhere else, and written into a folder of --out as a case that `replay` can send again.
/// Sessions and passwords become placeholders, numbers of cards and banks test numbers.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The endpoint: its scheme and host
    #[arg(long, value_name = "URL", env = "REFUND_GATEWAY_UPSTREAM")]
    upstream: String,

    /// Where clients are served; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", env = "REFUND_GATEWAY_LISTEN")]
    #[arg(default_value = "127.0.0.1:8080")]
    listen: Listen,

    /// A folder that is new, empty, or a recording to be continued
    #[arg(long, value_name = "DIR", env = "REFUND_GATEWAY_OUT")]
    out: PathBuf,

    /// Believe certificates of these authorities alone, instead of the public ones
    #[arg(long, value_name = "FILE.pem", env = "REFUND_GATEWAY_UPSTREAM_CA")]
    upstream_ca: Option<PathBuf>,

    #[command(flatten)]
    roots: RootsOption,

    /// Serve plain HTTP on an address that is not loopback
    #[arg(long, env = "REFUND_GATEWAY_ALLOW_PLAINTEXT", value_name = "BOOL")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(value_parser = BoolishValueParser::new(), default_value_t = false)]
    allow_plaintext: bool,
}

/// Passes on and records until a signal comes.
pub(super) fn run(args: &Args) -> Result<ExitStatus, Failure> {
    stay_from_now_on()?;
    let Listen(address) = args.listen;
    if !address.ip().to_canonical().is_loopback() && !args.allow_plaintext {
        return Err(Failure::with_hint(
            FailureCode::Configuration,
            format_args!(
                "{address} is not loopback, and plain HTTP shows passwords to the network"
            ),
            "listen on 127.0.0.1, or say --allow-plaintext",
        ));
    }
    args.roots.believe()?;
    let endpoint = Endpoint::parse(&args.upstream).or_fail(FailureCode::Usage, "--upstream")?;
    let trust = match &args.upstream_ca {
        None => Trust::public(),
        Some(file) => {
            let pem = read_text(file, "the file of authorities")?;
            Trust::only(pem.as_bytes())
                .or_fail(FailureCode::Configuration, format_args!("{}", file.display()))?
        }
    };
    let (_log, _) = logging::start("info", None)?;
    let upstream = Upstream { endpoint, trust, patience: PATIENCE };
    let runtime = tokio::runtime::Runtime::new();
    let runtime = runtime.or_fail(FailureCode::Runtime, "starting threads")?;
    runtime.block_on(async {
        let mut signals = Signals::listen_for_server()?;
        let recorder = start(&args.out)?;
        let tap = Tapped::into(&recorder);
        let proxy = Proxy::start(upstream, HttpSettings::default(), address, tap)
            .await
            .or_fail(FailureCode::Runtime, "the listener")?;
        terminal::data(&format!("listening on http://{}", proxy.address()))?;
        signals.next().await;
        let hurry = signals.hurry_at_the_next();
        proxy.stop(hurry.clone().comes()).await;
        hurry.end_if_it_came();
        report(recorder.finish());
        Ok(ExitStatus::Done)
    })
}

/// Hands what a server or the proxy shows on to a recorder, so that neither knows the other.
pub(super) struct Tapped(Arc<Recorder>);

impl Tapped {
    /// A tap that fills this recorder.
    pub(super) fn into(recorder: &Arc<Recorder>) -> Arc<dyn Tap> {
        Arc::new(Self(Arc::clone(recorder)))
    }
}

impl Tap for Tapped {
    fn took_place(&self, exchange: Exchange) {
        let Exchange { method, path, user, headers, .. } = exchange;
        let Exchange { content_type, idempotency_key, request, status, response, .. } = exchange;
        self.0.take(Call {
            method,
            path,
            user,
            headers,
            content_type,
            idempotency_key,
            request,
            status,
            response,
        });
    }
}

/// Starts a recording.
pub(super) fn start(folder: &Path) -> Result<Arc<Recorder>, Failure> {
    Recorder::start(folder).map_err(|error| {
        let code = match &error {
            RecordError::Taken(_) => FailureCode::Configuration,
            RecordError::Unusable(..) => FailureCode::Runtime,
        };
        Failure::new(code, error)
    })
}

/// Says what became of a recording.
pub(super) fn report(recorded: Recorded) {
    let Recorded { written, left_out } = recorded;
    tracing::info!("recorded {written} exchanges, left out {left_out}");
}
