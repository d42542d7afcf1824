//! The gateway as users run it: the release binary with its log, its metrics and synchronous FULL,
//! on a ledger of its own.

use crate::client::{Client, texts};
use crate::place::Place;
use crate::requests::{ID_LENGTH, Template, account, seed, token_request};
use crate::server::Server;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The accounts of most ledgers. The load is spread over them; a few more behind them are quiet.
pub const ACCOUNTS: u64 = 10_000;
/// Accounts that no load moves.
pub const QUIET: u64 = 100;

/// A gateway with a session.
pub struct Gateway {
    server: Server,
    pub ledger: PathBuf,
    pub session: String,
}

impl Deref for Gateway {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl Gateway {
    /// Starts on a new ledger in `place` with the usual accounts and their payment methods.
    pub fn start(program: &Path, place: &Place, name: &str) -> Self {
        Self::seeded(program, place, name, &seed(ACCOUNTS + QUIET, true))
    }

    /// Starts on a new ledger in `place` with this seed.
    pub fn seeded(program: &Path, place: &Place, name: &str, seed: &str) -> Self {
        let ledger = place.folder().join(format!("{name}.db"));
        Self::on(program, place, ledger, seed)
    }

    /// Starts on a new ledger, a file or the URL of a database, with this seed.
    pub fn on(program: &Path, place: &Place, ledger: PathBuf, seed: &str) -> Self {
        let seed_file = place.folder().join("seed.toml");
        std::fs::write(&seed_file, seed).unwrap();
        let mut command = command(program, place, &ledger);
        let server = Server::start("gateway", command.arg("--seed").arg(&seed_file));
        std::fs::remove_file(&seed_file).unwrap();
        Self::logged_in(server, ledger, place)
    }

    /// Starts on a ledger that is there.
    pub fn open(program: &Path, place: &Place, ledger: &Path) -> Self {
        let server = Server::start("gateway", &mut command(program, place, ledger));
        Self::logged_in(server, ledger.to_owned(), place)
    }

    fn logged_in(server: Server, ledger: PathBuf, place: &Place) -> Self {
        if let Some(library) = place.library() {
            assert!(server.has_loaded(library), "the shim was not loaded");
        }
        let login = Template::login();
        let answer = Client::connect(&server.address).expect(&login.bytes, "Session>");
        let session = texts(&answer, "Session")[0].to_owned();
        Self { server, ledger, session }
    }

    /// A bearer token for REST.
    pub fn token(&self) -> String {
        let answer = Client::connect(&self.address).expect(&token_request(), "access_token");
        let (_, rest) = answer.split_once("\"access_token\":\"").unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    }

    /// Makes refunds of one account, 50 a call, and returns their ids.
    pub fn refund(&self, number: u64, count: usize) -> Vec<[u8; ID_LENGTH]> {
        let mut client = Client::connect(&self.address);
        let mut ids = Vec::new();
        while ids.len() < count {
            let rows = 50.min(count - ids.len());
            let template = Template::external(&self.session, rows);
            let answer = client.expect(&template.with_id(account(number)), "Success>true<");
            ids.extend(texts(&answer, "Id").into_iter().map(id));
        }
        assert_eq!(ids.len(), count);
        ids
    }

    /// Ends the gateway as an operator does; the ledger stays.
    pub fn stop(self) -> PathBuf {
        self.server.stop();
        self.ledger
    }
}

/// An id from an answer.
pub fn id(text: &str) -> [u8; ID_LENGTH] {
    text.as_bytes().try_into().unwrap()
}

/// A command that serves a ledger. Its log goes where it costs nothing but its making.
pub fn command(program: &Path, place: &Place, ledger: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]);
    command.arg("--ledger").arg(ledger);
    command.env("REFUND_GATEWAY_LOG", "info").stderr(Stdio::null());
    place.apply(&mut command);
    command
}
