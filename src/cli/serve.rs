//! `serve`: the gateway itself, from its settings to its last drained request.

use super::admin_url::UntilTheEnd;
use super::complaint;
use super::demo::Demo;
use super::doors::doors;
use super::exit::{ExitStatus, Failure, FailureCode, OrFail};
use super::ledger::Opened;
use super::options::Options;
use super::reload::Reload;
use super::self_signed::SelfSigned;
use super::settings::{Effective, Settings};
use super::signals::{Signals, stay_from_now_on};
use super::values::LedgerPlace;
use super::{admin_url, exposure, ledger, logging, record, self_signed, terminal, token};
use crate::console::{Console, ShownSetting};
use crate::http::{AdminDoor, AdminToken, Gateway, StartError};
use crate::ledger::opening::{OpenMode, OpenOptions};
use crate::ledger::sqlite::SqliteLedger;
use crate::ledger::trail::Act;
use crate::ledger::{Damage, Ledger, LedgerError};
use crate::processor::Processor;
use crate::processor::http::{HttpGateway, HttpProcessor};
use crate::service::clock::Clock;
use crate::service::seed::{self, Seed, SeedError, SeedTextError};
use crate::service::test_clock;
use crate::service::{Service, ageing};
use chrono::TimeDelta;
use clap::ArgMatches;
use std::fmt::Display;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;

/// What is logged by default.
const LOGGED: &str = "info";
/// How long what is left when the drain is over is waited for: gateways that are being asked, and
/// after them reads whose callers have gone away.
const LAST_TASKS: Duration = Duration::from_secs(5);

/// Serve SOAP and REST until a signal comes
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    options: Options,
}

/// Serves until a signal comes, and drains.
pub(super) fn run(args: Args, matches: &ArgMatches) -> Result<ExitStatus, Failure> {
    stay_from_now_on()?;
    let config = args.options.config.clone();
    let mut settings = exposure::checked(Settings::gather(args.options, matches)?)?;
    settings.check_environment()?;
    settings.roots.believe()?;
    let (_log, logged) = logging::start(LOGGED, settings.log.as_deref())?;
    let self_signed = self_signed::make(&mut settings)?;
    let reload = Reload::of(config, &settings, logged);
    let seeds = read_seeds(&settings)?;
    let mode = OpenMode::CreateOrOpen { test: settings.test };
    let options = OpenOptions { mode, id_seed: settings.id_seed, settings: settings.store.clone() };
    let new_file = new_file(&settings.ledger);
    let place = settings.ledger.clone();
    let named = PathBuf::from(place.to_string());
    let Opened { ledger, file } = ledger::open(&settings.ledger, &options)?;
    let runtime = Runtime::new().or_fail(FailureCode::Runtime, "starting threads")?;
    let served = runtime.block_on(serve(
        settings,
        (Arc::clone(&ledger), file),
        seeds,
        (reload, self_signed),
    ));
    // The ledger is closed last, when nothing is left that could still write to it.
    runtime.shutdown_timeout(LAST_TASKS);
    let noted = ledger.noted();
    drop(ledger);
    if let (Err(_), Some(path)) = (&served, new_file) {
        remove_if_unused(&path);
    }
    served?;
    of_ledger(&noted, &place, &named)
}

/// How the program ends after it served the ledger at `named`.
fn of_ledger(noted: &Damage, place: &LedgerPlace, named: &Path) -> Result<ExitStatus, Failure> {
    if let Some(detail) = noted.found() {
        return Err(ledger::damaged(place, named, detail));
    }
    if let Some(why) = noted.lost() {
        return Err(Failure::with_hint(
            FailureCode::Runtime,
            format_args!("the outcome of a commit to {} is unknown: {why}", named.display()),
            "look at the ledger's disk or server; the next start recovers what was committed",
        ));
    }
    if let Some(why) = noted.parted() {
        return Err(Failure::with_hint(
            FailureCode::Runtime,
            format_args!("the ledger {} was moved while it was served: {why}", named.display()),
            "bring back the file that was served, which is whole and closed if it still has a \
             name; `refund-gateway check` says what the one has that is there now",
        ));
    }
    Ok(ExitStatus::Done)
}

/// The ledger's file, if it is about to be made.
fn new_file(place: &LedgerPlace) -> Option<PathBuf> {
    match place {
        LedgerPlace::File(path) if !path.exists() => Some(path.clone()),
        _ => None,
    }
}

/// A start that failed leaves no ledger behind, whose mark could be in the way of the next.
fn remove_if_unused(path: &Path) {
    if !SqliteLedger::audit_file(path).is_ok_and(|audit| audit.entries == 0 && audit.refunds == 0) {
        return;
    }
    for suffix in ["", "-wal", "-shm", ".lock", ".admin-token", admin_url::SUFFIX] {
        let mut file = path.as_os_str().to_owned();
        file.push(suffix);
        // A file that is not there or cannot be removed is no reason to fail.
        let _ = std::fs::remove_file(file);
    }
}

/// A seed that is loaded at the start.
struct StartSeed {
    /// Where it came from, in words for the user.
    origin: String,
    seed: Seed,
    /// Its text, where a reset may want it again.
    text: Option<String>,
}

/// Reads all seeds before anything is created, so that a mistake in one leaves nothing behind.
fn read_seeds(settings: &Settings) -> Result<Vec<StartSeed>, Failure> {
    let mut seeds = Vec::new();
    let mut built_in = |seed: Result<Seed, SeedTextError>, text: &str| {
        let seed = seed.or_fail(FailureCode::Configuration, "the built-in seed")?;
        let (origin, text) = ("the demo".to_owned(), Some(text.to_owned()));
        seeds.push(StartSeed { origin, seed, text });
        Ok::<_, Failure>(())
    };
    if settings.demo != Demo::Off {
        built_in(Seed::demo(), seed::DEMO)?;
    }
    if settings.demo == Demo::InvoiceSettlement {
        built_in(Seed::demo_settlement(), seed::DEMO_SETTLEMENT)?;
    }
    if let Some(path) = &settings.seed {
        let origin = path.display().to_string();
        seeds.push(match settings.test {
            true => {
                let (text, seed) = read_seed_whole(path)?;
                StartSeed { origin, seed, text: Some(text) }
            }
            false => StartSeed { origin, seed: read_seed(path)?, text: None },
        });
    }
    Ok(seeds)
}

/// Reads a seed file, a large one without having all of its text in memory.
pub(super) fn read_seed(path: &Path) -> Result<Seed, Failure> {
    let file = File::open(path).ok();
    let file = file.filter(|file| file.metadata().is_ok_and(|about| about.is_file()));
    match file.and_then(Seed::read) {
        Some(seed) => Ok(seed),
        None => read_seed_whole(path).map(|(_, seed)| seed),
    }
}

fn read_seed_whole(path: &Path) -> Result<(String, Seed), Failure> {
    let text = complaint::read_text(path, "the seed")?;
    let seed = Seed::parse(&text).map_err(|error| complaint::wrong_text(path, &error))?;
    Ok((text, seed))
}

/// The failure that a seed which was not loaded is.
pub(super) fn seed_failure(origin: impl Display, error: &SeedError) -> Failure {
    let code = match error {
        SeedError::Conflict(_) => FailureCode::Configuration,
        SeedError::Ledger(LedgerError::Damaged(_)) => FailureCode::Damaged,
        SeedError::Ledger(_) | SeedError::Password(_) | SeedError::HashingLost => {
            FailureCode::Runtime
        }
    };
    Failure::new(code, format_args!("{origin}: {error}"))
}

async fn serve(
    settings: Settings,
    (ledger, file): (Arc<dyn Ledger>, Option<PathBuf>),
    seeds: Vec<StartSeed>,
    (reload, self_signed): (Reload, Option<SelfSigned>),
) -> Result<(), Failure> {
    // Before anything else: a signal during a long start then ends it with a drain.
    let mut signals = Signals::listen_for_server()?;
    let mut texts = Vec::with_capacity(seeds.len());
    let recorder = settings.record.as_deref().map(record::start).transpose()?;
    let clock = settings.clock.map_or_else(Clock::system, Clock::fixed);
    let moved_on = test_clock::catch_up(&clock, ledger.as_ref()).await;
    if let Some(to) = moved_on.or_fail(FailureCode::Runtime, "reading the ledger")? {
        let to = test_clock::reported(to);
        tracing::info!("the clock begins at {to}, the newest moment of the ledger");
    }
    let gap = TimeDelta::minutes(i64::from(settings.service.clock_gap_minutes));
    let ages = ageing::begin(&clock, ledger.as_ref(), gap).await;
    ages.or_fail(FailureCode::Runtime, "reading the ledger")?;
    for StartSeed { origin, seed, text } in seeds {
        texts.extend(text);
        let act = Act::of_start(clock.now());
        let report = seed::load(ledger.as_ref(), seed, act).await;
        let report = report.map_err(|error| seed_failure(origin, &error))?;
        tracing::info!(added = report.added, unchanged = report.unchanged, "a seed was loaded");
    }
    let (token, _token_file) = admin_token(&settings, file.as_deref())?;
    let connectors = settings.gateways.into_iter().map(|gateway| connect(gateway.connector));
    let service = Service::start_with(ledger, clock, settings.service, connectors.collect())
        .await
        .or_fail(FailureCode::Runtime, "reading the ledger")?;
    texts.into_iter().for_each(|text| service.remember_seed(text));
    let webhooks = settings.webhooks.into_iter().map(|configured| configured.webhook).collect();
    let started = service.start_webhooks(webhooks).await;
    started.or_fail(FailureCode::Runtime, "reading the ledger")?;
    let service_to_finish = Arc::clone(&service);
    let tap = recorder.as_ref().map(record::Tapped::into);
    let admin = settings.admin_listen.map(|address| {
        let allowed_hosts = settings.admin_allowed_hosts.0;
        let shown = |Effective { key, value, origin }| ShownSetting { key, value, origin };
        let shown = settings.report.into_iter().map(shown).collect();
        let console = Some(Console::furnish(Arc::clone(&service), shown));
        AdminDoor { address, token, allowed_hosts, console }
    });
    let doors = doors(&service, &settings.http);
    let gateway = Gateway::start_tapped(service, doors, settings.http, settings.listen, admin, tap)
        .await
        .map_err(of_listeners)?;
    let admin = announce(&gateway, settings.demo != Demo::Off)?;
    let _url_file = file.zip(admin).and_then(|(ledger, url)| {
        let written = admin_url::write(&ledger, &url);
        written.inspect_err(|error| tracing::warn!(%error, "commands will not find it")).ok()
    });
    if let Some(SelfSigned { certificate, .. }) = &self_signed {
        terminal::data(&format!("certificate in {}", certificate.display()))?;
    }
    service_to_finish.ledger().begin_check();
    signals.next_reloading(|| reload.again(&gateway)).await;
    tracing::info!("draining; a second signal ends at once");
    let hurry = signals.hurry_at_the_next();
    gateway.stop(hurry.clone().comes()).await;
    hurry.end_if_it_came();
    service_to_finish.finish(LAST_TASKS).await;
    if let Some(recorder) = recorder {
        record::report(recorder.finish());
    }
    Ok(())
}

/// The token of the admin API: the one that was given; or a new one, which is written beside the
/// ledger's file for those who may read that, as long as a gateway accepts it; or, on a database
/// server, the one that the gateways of this folder share, which stays.
fn admin_token(
    settings: &Settings,
    beside: Option<&Path>,
) -> Result<(Option<AdminToken>, Option<UntilTheEnd>), Failure> {
    if let Some(token) = settings.admin_token.given()? {
        return Ok((Some(token), None));
    }
    if settings.admin_listen.is_none() {
        return Ok((None, None));
    }
    let file = match (beside, &settings.ledger) {
        (Some(beside), _) => AdminToken::file_of(beside),
        (None, LedgerPlace::Server(_)) => return Ok((shared_token(), None)),
        (None, _) => return Ok((None, None)),
    };
    let token = AdminToken::write_new(&file);
    let token = token.or_fail(FailureCode::Runtime, format_args!("writing {}", file.display()))?;
    if settings.test {
        tracing::info!("the token of the admin API is in {}", file.display());
    }
    Ok((Some(token), Some(UntilTheEnd(file))))
}

/// The token that the gateways of this folder share. Refunds do not wait for one: without it there
/// is no admin API, and a line of the log that says so.
fn shared_token() -> Option<AdminToken> {
    let file = Path::new(token::SHARED_FILE);
    let shared = AdminToken::shared(file).inspect_err(|error| {
        let file = file.display();
        tracing::warn!(%error, "no admin API: {file} can be neither read nor written as its token");
    });
    token::warn_of_readers(file);
    shared.ok()
}

/// Why the listeners did not start: what is wrong with TLS is a matter of configuration.
fn of_listeners(error: StartError) -> Failure {
    let code = match error {
        StartError::Tls(_) => FailureCode::Configuration,
        StartError::Setting(_) | StartError::Listen { .. } => FailureCode::Runtime,
    };
    Failure { code, error: anyhow::Error::new(error).context("the listeners") }
}

/// The connector of a configured gateway, by its name.
fn connect(gateway: HttpGateway) -> (String, Arc<dyn Processor>) {
    (gateway.name.clone(), Arc::new(HttpProcessor::new(gateway)))
}

/// Prints where the gateway is, now that it accepts connections. Returns the URL of its admin
/// listener.
fn announce(gateway: &Gateway, demo: bool) -> Result<Option<String>, Failure> {
    let public = gateway.public_addr();
    let scheme = if gateway.is_tls() { "https" } else { "http" };
    if demo {
        tracing::info!(
            "demo: log in as demo@example.com with the password demo at \
             {scheme}://{public}/apps/services/a/91.0"
        );
    }
    terminal::data(&format!("listening on {scheme}://{public}"))?;
    let scheme = if gateway.is_admin_tls() { "https" } else { "http" };
    let admin = gateway.admin_addr().map(|admin| format!("{scheme}://{admin}"));
    if let Some(admin) = &admin {
        terminal::data(&format!("admin on {admin}"))?;
    }
    Ok(admin)
}
