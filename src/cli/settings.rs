//! What is in force: an option from the command line, else from the environment, else from the
//! configuration file, else its default; checked, and each with the place that it came from.

mod listeners;
mod table;

use super::config::Config;
use super::demo::Demo;
use super::exit::Failure;
use super::gateways::Configured;
use super::options::Options;
use super::roots::{Roots, RootsOption};
use super::values::{AdminListen, AllowedHosts, LedgerPlace, Listen};
use super::{logging, ranges, token, variables, webhooks};
use crate::http::HttpSettings;
use crate::ledger::opening::LedgerSettings;
use crate::service::ServiceSettings;
use chrono::{DateTime, Utc};
use clap::ArgMatches;
use clap::parser::ValueSource;
use listeners::{TlsOptions, find_credentials, refuse_two_addresses};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

const PORT: u16 = 8080;
const ADMIN_PORT: u16 = 8081;
/// The ledger's file where none is named.
pub(super) const LEDGER_FILE: &str = "refund-gateway.db";

/// Everything that `serve` goes by.
#[derive(Debug)]
pub(super) struct Settings {
    /// Where SOAP is served.
    pub(super) listen: SocketAddr,
    /// Where health and metrics are served, if at all.
    pub(super) admin_listen: Option<SocketAddr>,
    /// Where the token of the admin API comes from.
    pub(super) admin_token: token::Source,
    /// Names by which the admin API may be called, beside localhost and addresses.
    pub(super) admin_allowed_hosts: AllowedHosts,
    /// Where the ledger is.
    pub(super) ledger: LedgerPlace,
    /// A seed file to load.
    pub(super) seed: Option<PathBuf>,
    /// Whether the built-in seed is loaded.
    pub(super) demo: Demo,
    /// Whether the ledger is a test ledger.
    pub(super) test: bool,
    /// When the clock stands still, and where.
    pub(super) clock: Option<DateTime<Utc>>,
    /// What ids are derived from.
    pub(super) id_seed: Option<u64>,
    /// Where calls are recorded, if at all.
    pub(super) record: Option<PathBuf>,
    /// Whether plain HTTP may leave this machine.
    pub(super) allow_plaintext: bool,
    /// Whether a test ledger may be reached from elsewhere.
    pub(super) allow_remote_test: bool,
    /// What is logged, if the file says so and the environment does not.
    pub(super) log: Option<String>,
    /// Whose authorities are believed where nothing names any.
    pub(super) roots: Roots,
    /// How the use cases behave.
    pub(super) service: ServiceSettings,
    /// How the listeners behave.
    pub(super) http: HttpSettings,
    /// How much the ledger's writer takes on.
    pub(super) store: LedgerSettings,
    /// Payment gateways of kind http.
    pub(super) gateways: Vec<Configured>,
    /// The webhooks that events of refunds are delivered to.
    pub(super) webhooks: Vec<webhooks::Configured>,
    /// The environment variables that hold secrets of gateways and webhooks.
    pub(super) secret_variables: Vec<String>,
    /// Each of these and where it came from.
    pub(super) report: Vec<Effective>,
}

/// A setting in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Effective {
    /// Its key in a configuration file.
    pub(super) key: String,
    /// Its value.
    pub(super) value: String,
    /// Where it came from.
    pub(super) origin: String,
}

impl Settings {
    /// Gathers the settings of `serve` and refuses what cannot be; what may not be is refused by
    /// [`super::exposure`].
    pub(super) fn gather(options: Options, matches: &ArgMatches) -> Result<Self, Failure> {
        let config = Config::read(options.config.as_deref())?;
        let gateways = config.gateways()?;
        let webhooks = config.webhooks()?;
        let mut sources = Sources { matches, config: &config, report: Vec::new() };
        let mut settings = sources.gather(options, gateways, webhooks);
        settings.service.wording = config.wording()?;
        settings.report.extend(config.reworded().map(|(key, value, origin)| Effective {
            key,
            value,
            origin,
        }));
        refuse_two_addresses(&config)?;
        find_credentials(&mut settings.http.tls, &config)?;
        ranges::check(&settings.service, &settings.store, &settings.http)
            .map_err(|wrong| config.complain(&wrong.key, wrong.message))?;
        match settings.log.as_deref().and_then(logging::wrong_level) {
            Some(wrong) => Err(config.complain("log", wrong)),
            None => Ok(settings),
        }
    }
}

impl Settings {
    /// Refuses what the environment says and nothing reads.
    pub(super) fn check_environment(&self) -> Result<(), Failure> {
        let keys = self.report.iter().map(|setting| setting.key.as_str());
        variables::check(&super::whole_command(), &self.secret_variables, keys)
    }
}

/// Where values come from, and what was found there.
struct Sources<'a> {
    matches: &'a ArgMatches,
    config: &'a Config,
    report: Vec<Effective>,
}

impl Sources<'_> {
    fn gather(
        &mut self,
        options: Options,
        gateways: Vec<Configured>,
        webhooks: Vec<webhooks::Configured>,
    ) -> Settings {
        let config = self.config;
        let written = &config.written;
        let listen = Listen(loopback(PORT));
        let Listen(listen) = self.choose("listen", options.listen, written.listen, listen);
        let admin = AdminListen(Some(loopback(if listen.port() == 0 { 0 } else { ADMIN_PORT })));
        let AdminListen(admin_listen) =
            self.choose("admin_listen", options.admin_listen, written.admin_listen, admin);
        let admin_token = self.admin_token(options.admin_token_file);
        let admin_allowed_hosts = self.allowed_hosts(options.admin_allowed_hosts);
        let file = LedgerPlace::File(PathBuf::from(LEDGER_FILE));
        let ledger = self.choose("ledger", options.ledger, written.ledger.clone(), file);
        let seed = self.optional("seed", options.seed, written.seed.clone(), |path| shown(path));
        let demo = self.choose("demo", options.demo, written.demo, Demo::Off);
        let clock = self.optional("clock", options.clock, written.clock, ToString::to_string);
        let id_seed = self.optional("id_seed", options.id_seed, written.id_seed, u64::to_string);
        let record =
            self.optional("record", options.record, written.record.clone(), |path| shown(path));
        let tls = (options.tls_cert, options.tls_key, options.tls_client_ca);
        let tls = TlsOptions::of(tls, options.tls_self_signed);
        let implying = [
            (demo != Demo::Off).then_some("demo"),
            clock.map(|_| "clock"),
            id_seed.map(|_| "id_seed"),
        ];
        let test = self.test(implying.into_iter().flatten().next(), options.test);
        let (plain, remote) = (options.allow_plaintext, options.allow_remote_test);
        Settings {
            listen,
            admin_listen,
            admin_token,
            admin_allowed_hosts,
            ledger,
            seed,
            demo,
            test,
            clock: clock.map(|moment| moment.0),
            id_seed,
            record,
            log: self.log(),
            roots: self.roots(&options.roots),
            allow_plaintext: self.is_on("allow_plaintext", plain, written.allow_plaintext),
            allow_remote_test: self.is_on("allow_remote_test", remote, written.allow_remote_test),
            http: self.http(options.public_url, tls),
            service: self.service(
                options.strict,
                options.single_transaction,
                options.idempotency_field,
            ),
            store: self.store(&gateways, !webhooks.is_empty()),
            gateways: self.gateways(gateways),
            webhooks: self.webhooks(webhooks),
            secret_variables: config.secret_variables(),
            report: std::mem::take(&mut self.report),
        }
    }

    /// A switch that is off where nothing says otherwise.
    fn is_on(&mut self, key: &str, option: Option<bool>, written: Option<bool>) -> bool {
        self.choose(key, option, written, false)
    }

    /// Whose authorities are believed.
    fn roots(&mut self, option: &RootsOption) -> Roots {
        let (option, written) = (option.tls_roots, self.config.written.tls_roots);
        self.choose("tls_roots", option, written, Roots::default())
    }

    /// What is logged, as the file says.
    fn log(&mut self) -> Option<String> {
        let written = self.config.written.log.clone();
        self.optional("log", None, written, String::clone)
    }

    /// Whether it is a test ledger: another key can imply it.
    fn test(&mut self, implied_by: Option<&str>, option: Option<bool>) -> bool {
        match implied_by {
            None => self.choose("test", option, self.config.written.test, false),
            Some(key) => {
                self.note("test", true.to_string(), format!("implied by {key}"));
                true
            }
        }
    }

    fn allowed_hosts(&mut self, option: Option<AllowedHosts>) -> AllowedHosts {
        let written = self.config.written.admin_allowed_hosts.clone();
        self.choose("admin_allowed_hosts", option, written, AllowedHosts::default())
    }

    /// The variable that holds the token itself counts as the environment does.
    fn admin_token(&mut self, option: Option<PathBuf>) -> token::Source {
        let key = "admin_token_file";
        let is_said = self.matches.value_source(key) == Some(ValueSource::CommandLine);
        if !is_said && std::env::var_os(token::VARIABLE).is_some() {
            self.note(key, "none".to_owned(), format!("{} is set", token::VARIABLE));
            return token::Source::Variable;
        }
        let written = self.config.written.admin_token_file.clone();
        let file = self.optional(key, option, written, |path| shown(path));
        file.map_or(token::Source::Drawn, token::Source::File)
    }

    fn store(&mut self, gateways: &[Configured], has_webhooks: bool) -> LedgerSettings {
        let table = self.table("store", &self.config.written.store);
        let gateways = gateways.iter().map(|gateway| gateway.ability.clone()).collect();
        let events = self.config.written.events;
        LedgerSettings { gateways, events: Some(events.enabled || has_webhooks), ..table }
    }

    fn gateways(&mut self, gateways: Vec<Configured>) -> Vec<Configured> {
        for gateway in &gateways {
            let origin = self.config.place_of_table(gateway.at);
            for (key, value) in &gateway.shown {
                let key = format!("gateway.{}.{key}", gateway.ability.name);
                self.note(&key, value.clone(), origin.clone());
            }
        }
        gateways
    }

    fn webhooks(&mut self, webhooks: Vec<webhooks::Configured>) -> Vec<webhooks::Configured> {
        for webhook in &webhooks {
            let origin = self.config.place_of_table(webhook.at);
            for (key, value) in &webhook.shown {
                let key = format!("webhook.{}.{key}", webhook.webhook.name);
                self.note(&key, value.clone(), origin.clone());
            }
        }
        webhooks
    }

    fn service(
        &mut self,
        strict: Option<bool>,
        single: Option<bool>,
        field: Option<String>,
    ) -> ServiceSettings {
        let written = &self.config.written;
        let strict = self.choose("strict", strict, written.strict, false);
        let single_transaction =
            self.choose("single_transaction", single, written.single_transaction, false);
        let field = self.optional(
            "idempotency_field",
            field,
            written.idempotency_field.clone(),
            String::clone,
        );
        let table = self.table("service", &written.service);
        let reconciliation = self.table("reconciliation", &written.reconciliation);
        let events = self.table("events", &written.events);
        let soap = self.table("soap", &written.soap);
        let rest = self.table("rest", &written.rest);
        ServiceSettings {
            soap,
            rest,
            strict,
            single_transaction,
            idempotency_field: field,
            reconciliation,
            events,
            ..table
        }
    }

    /// The value of an option that has a default.
    fn choose<T: ToString>(
        &mut self,
        key: &str,
        option: Option<T>,
        written: Option<T>,
        default: T,
    ) -> T {
        match self.find(key, option, written, T::to_string) {
            Some(value) => value,
            None => {
                self.note(key, default.to_string(), "default".to_owned());
                default
            }
        }
    }

    /// The value of an option that may be absent.
    fn optional<T>(
        &mut self,
        key: &str,
        option: Option<T>,
        written: Option<T>,
        show: impl Fn(&T) -> String,
    ) -> Option<T> {
        let found = self.find(key, option, written, show);
        if found.is_none() {
            self.note(key, "none".to_owned(), "default".to_owned());
        }
        found
    }

    /// The value of an option, wherever it is given.
    fn find<T>(
        &mut self,
        key: &str,
        option: Option<T>,
        written: Option<T>,
        show: impl Fn(&T) -> String,
    ) -> Option<T> {
        let (value, origin) = match (option, written) {
            (Some(value), _) => (value, self.option_origin(key)),
            (None, Some(value)) => (value, self.file_origin(key)),
            (None, None) => return None,
        };
        self.note(key, show(&value), origin);
        Some(value)
    }

    /// The place in the file; the address of clients may stand among the listeners' settings.
    fn file_origin(&self, key: &str) -> String {
        let in_table = |key: String| self.config.place_of(&format!("http.{key}"));
        let below = || in_table(key.replacen('_', ".", 1));
        let place = self.config.place_of(key).or_else(|| in_table(key.to_owned()));
        place.or_else(below).unwrap_or_default()
    }

    fn option_origin(&self, key: &str) -> String {
        match self.matches.value_source(key) {
            Some(ValueSource::EnvVariable) => {
                format!("REFUND_GATEWAY_{}", key.to_uppercase())
            }
            _ => format!("--{}", key.replace('_', "-")),
        }
    }

    fn note(&mut self, key: &str, value: String, origin: String) {
        self.report.push(Effective { key: key.to_owned(), value, origin });
    }
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
