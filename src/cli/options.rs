//! The options of `serve`, which `check` understands too: from the command line, or from the
//! environment. What is in neither may be in the configuration file.

use super::demo::Demo;
use super::roots::RootsOption;
use super::values::{AdminListen, AllowedHosts, LedgerPlace, Listen, Moment};
use clap::builder::BoolishValueParser;
use std::path::PathBuf;

/// See [`super::settings::Settings`] for what becomes of them.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Options {
    /// Where SOAP and REST are served; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR:PORT", env = "REFUND_GATEWAY_LISTEN")]
    pub(super) listen: Option<Listen>,

    /// Where health and metrics are served, or none [default: 127.0.0.1:8081]
    #[arg(long, value_name = "ADDR:PORT|none", env = "REFUND_GATEWAY_ADMIN_LISTEN")]
    pub(super) admin_listen: Option<AdminListen>,

    /// A file with the token of the admin API [default: a new token beside the ledger's file, for
    /// PostgreSQL refund-gateway.admin-token in the working folder]
    #[arg(long, value_name = "FILE", env = "REFUND_GATEWAY_ADMIN_TOKEN_FILE")]
    pub(super) admin_token_file: Option<PathBuf>,

    /// Names by which the admin API may be called, beside localhost and addresses, with commas
    #[arg(long, value_name = "HOST[:PORT],…", env = "REFUND_GATEWAY_ADMIN_ALLOWED_HOSTS")]
    pub(super) admin_allowed_hosts: Option<AllowedHosts>,

    /// The ledger's file, postgres://… for one on a server, or :memory: for one that is gone at exit
    /// [default: refund-gateway.db]
    #[arg(long, value_name = "FILE|URL", env = "REFUND_GATEWAY_LEDGER", hide_env_values = true)]
    pub(super) ledger: Option<LedgerPlace>,

    /// A seed file to load at the start
    #[arg(long, value_name = "FILE.toml", env = "REFUND_GATEWAY_SEED")]
    pub(super) seed: Option<PathBuf>,

    /// Load the built-in seed of the documented examples: true, false or invoice-settlement;
    /// implies --test
    #[arg(long, env = "REFUND_GATEWAY_DEMO", value_name = "DEMO")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(super) demo: Option<Demo>,

    /// Create or open a test ledger, on which reset, clock and faults work
    #[arg(long, env = "REFUND_GATEWAY_TEST", value_name = "BOOL")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(value_parser = BoolishValueParser::new())]
    pub(super) test: Option<bool>,

    /// A configuration file, which may hold all of these options and more
    #[arg(long, value_name = "FILE.toml", env = "REFUND_GATEWAY_CONFIG")]
    pub(super) config: Option<PathBuf>,

    /// The base URL that clients are given, instead of the address that they used
    #[arg(long, value_name = "URL", env = "REFUND_GATEWAY_PUBLIC_URL")]
    pub(super) public_url: Option<String>,

    #[command(flatten)]
    pub(super) roots: RootsOption,

    /// The certificate of the gateway in PEM, with those that lead to its authority
    #[arg(long, value_name = "FILE", env = "REFUND_GATEWAY_TLS_CERT")]
    pub(super) tls_cert: Option<PathBuf>,

    /// The certificate's key in PEM
    #[arg(long, value_name = "FILE", env = "REFUND_GATEWAY_TLS_KEY")]
    pub(super) tls_key: Option<PathBuf>,

    /// The authorities of clients' certificates in PEM; a certificate narrows down whose calls its
    /// connection carries
    #[arg(long, value_name = "FILE", env = "REFUND_GATEWAY_TLS_CLIENT_CA")]
    pub(super) tls_client_ca: Option<PathBuf>,

    /// Speak TLS with a certificate that is made for this run; for tests
    #[arg(long, env = "REFUND_GATEWAY_TLS_SELF_SIGNED", value_name = "BOOL")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(value_parser = BoolishValueParser::new())]
    pub(super) tls_self_signed: Option<bool>,

    /// Answer a field that may not be sent with INVALID_FIELD instead of ignoring it
    #[arg(long, env = "REFUND_GATEWAY_STRICT", value_name = "BOOL")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(value_parser = BoolishValueParser::new())]
    pub(super) strict: Option<bool>,

    /// Let useSingleTransaction create all objects of a call or none
    #[arg(long, env = "REFUND_GATEWAY_SINGLE_TRANSACTION", value_name = "BOOL")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(value_parser = BoolishValueParser::new())]
    pub(super) single_transaction: Option<bool>,

    /// Take the idempotency key of clients that cannot set a header from this field of Refund
    #[arg(long, value_name = "FIELD", env = "REFUND_GATEWAY_IDEMPOTENCY_FIELD")]
    pub(super) idempotency_field: Option<String>,

    /// Let the clock stand still at this moment; implies --test
    #[arg(long, value_name = "RFC3339", env = "REFUND_GATEWAY_CLOCK")]
    pub(super) clock: Option<Moment>,

    /// Derive ids and session tokens from this number; implies --test
    #[arg(long, value_name = "N", env = "REFUND_GATEWAY_ID_SEED")]
    #[arg(allow_negative_numbers = true)]
    pub(super) id_seed: Option<u64>,

    /// Write each call and its answer into this folder, as a catalogue without secrets
    #[arg(long, value_name = "DIR", env = "REFUND_GATEWAY_RECORD")]
    pub(super) record: Option<PathBuf>,

    /// Serve plain HTTP on an address that is not loopback
    #[arg(long, env = "REFUND_GATEWAY_ALLOW_PLAINTEXT", value_name = "BOOL")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(value_parser = BoolishValueParser::new())]
    pub(super) allow_plaintext: Option<bool>,

    /// Serve a test ledger on an address that is not loopback
    #[arg(long, env = "REFUND_GATEWAY_ALLOW_REMOTE_TEST", value_name = "BOOL")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(value_parser = BoolishValueParser::new())]
    pub(super) allow_remote_test: Option<bool>,
}

/// The options of commands that work on a ledger and serve no clients.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct LedgerOptions {
    /// The ledger's file, or postgres://… for one on a server [default: refund-gateway.db]
    #[arg(long, value_name = "FILE|URL", env = "REFUND_GATEWAY_LEDGER", hide_env_values = true)]
    pub(super) ledger: Option<LedgerPlace>,

    /// A configuration file, which may name the ledger
    #[arg(long, value_name = "FILE.toml", env = "REFUND_GATEWAY_CONFIG")]
    pub(super) config: Option<PathBuf>,
}
