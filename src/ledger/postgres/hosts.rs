//! The hosts of an address, which are tried one after the other until one takes writes.
//!
//! What must stay true: a host that is silent keeps no other from being tried, whether its machine
//! says nothing or its server does; where none can be used it is said of each why.

use super::address::Address;
use super::fault::PostgresError;
use super::link::late;
use super::settings::EXCHANGE_MAX;
use std::time::Duration;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_postgres::config::Host;
use tokio_postgres::{Client, Config};

/// How many times as long as one address a host may take: it may have several, and its server has
/// to answer.
const ADDRESSES: u32 = 4;

/// A connection to the first host that takes writes, and what drives it.
pub(super) async fn reach(address: &Address) -> Result<(Client, AbortHandle), PostgresError> {
    let hosts = address.of_each_host();
    let most = longest(&hosts);
    let mut failed = Vec::with_capacity(hosts.len());
    for one in hosts {
        let connected = timeout(most, one.config.connect(one.trust.clone())).await;
        let error = match connected {
            Ok(Ok((client, connection))) => {
                let ended = async {
                    if let Err(error) = connection.await {
                        let error = PostgresError::from(error);
                        tracing::warn!(%error, "a connection to PostgreSQL ended");
                    }
                };
                return Ok((client, tokio::spawn(ended).abort_handle()));
            }
            Ok(Err(error)) => error.into(),
            Err(_) => late(),
        };
        failed.push((one, error));
    }
    Err(none_of(&failed))
}

/// How long each of the hosts may take; a single one has all the time there is.
fn longest(hosts: &[Address]) -> Duration {
    let count = u32::try_from(hosts.len()).unwrap_or(u32::MAX).max(1);
    let of_one = hosts.first().and_then(|one| one.config.get_connect_timeout().copied());
    match of_one {
        Some(of_one) if count > 1 => (of_one * ADDRESSES).min(EXCHANGE_MAX / count),
        _ => EXCHANGE_MAX,
    }
}

/// Why none of the hosts can be used.
fn none_of(failed: &[(Address, PostgresError)]) -> PostgresError {
    match failed {
        [] => late(),
        [(_, error)] => error.clone(),
        [.., (_, last)] => {
            let each = failed.iter().map(|(one, error)| format!("{one}: {error}"));
            PostgresError::new(last.kind, each.collect::<Vec<_>>().join("; "))
        }
    }
}

/// Refuses settings of hosts of which it cannot be said which host each is of.
pub(super) fn check(config: &Config) -> Result<(), &'static str> {
    let hosts = config.get_hosts().len();
    let is_of_each = |count: usize| count == 0 || count == hosts;
    let (ports, addresses) = (config.get_ports().len(), config.get_hostaddrs().len());
    if ports != 1 && !is_of_each(ports) {
        return Err("it names not as many ports as hosts");
    }
    if is_of_each(addresses) { Ok(()) } else { Err("it names not as many hostaddr as hosts") }
}

impl Address {
    /// The same for each of its hosts alone.
    fn of_each_host(&self) -> Vec<Self> {
        let hosts = self.config.get_hosts().iter().enumerate();
        let alone = hosts.map(|(place, host)| Self {
            config: alone(&self.config, place, host),
            trust: self.trust.clone(),
        });
        alone.collect()
    }
}

/// The settings for the host at this place.
fn alone(all: &Config, place: usize, host: &Host) -> Config {
    let mut config = Config::new();
    match host {
        Host::Tcp(name) => config.host(name.as_str()),
        Host::Unix(folder) => config.host_path(folder),
    };
    all.get_hostaddrs().get(place).map(|address| config.hostaddr(*address));
    let ports = all.get_ports();
    ports.get(place).or_else(|| ports.first()).map(|port| config.port(*port));
    all.get_user().map(|user| config.user(user));
    all.get_password().map(|password| config.password(password));
    all.get_dbname().map(|name| config.dbname(name));
    all.get_options().map(|options| config.options(options));
    all.get_application_name().map(|name| config.application_name(name));
    all.get_connect_timeout().map(|most| config.connect_timeout(*most));
    all.get_tcp_user_timeout().map(|most| config.tcp_user_timeout(*most));
    all.get_keepalives_interval().map(|interval| config.keepalives_interval(interval));
    all.get_keepalives_retries().map(|retries| config.keepalives_retries(retries));
    config.keepalives(all.get_keepalives()).keepalives_idle(all.get_keepalives_idle());
    config.ssl_mode(all.get_ssl_mode()).ssl_negotiation(all.get_ssl_negotiation());
    config.channel_binding(all.get_channel_binding());
    config.load_balance_hosts(all.get_load_balance_hosts());
    config.target_session_attrs(all.get_target_session_attrs());
    config
}
