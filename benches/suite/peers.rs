//! The peers: ordinary SOAP servers over SQLite in other languages, in `benches/peers/`. Each
//! checks the session and the balance and writes refund, entry and balance in one durable
//! transaction for each request.

use crate::gateway::ACCOUNTS;
use crate::place::Place;
use crate::server::Server;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The session that both peers know.
pub const SESSION: &str = "a-session-of-the-peers-as-long-as-one-of-the-gateway-is-----------------\
    -----------------------------------------------------------------------------------------------\
    -----------------------------------------------------------------------------------------";

/// Peers that can be started on this machine.
pub struct Peers {
    gsoap: Option<PathBuf>,
    node: Option<PathBuf>,
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers")
}

impl Peers {
    /// Builds what can be built. What cannot is skipped, and said so.
    pub fn build() -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("peers");
        let skipped = |name: &str, why: String| eprintln!("SKIPPED: the peer {name}: {why}");
        let gsoap = build_gsoap(&folder.join("gsoap"));
        let node = build_node(&folder.join("node"));
        Self {
            gsoap: gsoap.map_err(|why| skipped("gsoap", why)).ok(),
            node: node.map_err(|why| skipped("node", why)).ok(),
        }
    }

    /// Starts the peers, each on a new ledger in `place`.
    pub fn start(&self, place: &Place) -> Vec<Server> {
        let schema = source().join("schema.sql");
        let mut started = Vec::new();
        let mut start = |name: &'static str, mut command: Command| {
            let ledger = place.folder().join(format!("{name}.db"));
            command.arg(ledger).arg(&schema).arg(ACCOUNTS.to_string()).arg(SESSION);
            if name == "node" {
                command.arg(source().join("refunds.wsdl"));
            }
            place.apply(&mut command);
            let server = Server::start(name, &mut command);
            if let Some(library) = place.library() {
                assert!(server.has_loaded(library), "{name} did not load the shim");
            }
            started.push(server);
        };
        if let Some(server) = &self.gsoap {
            start("gsoap", Command::new(server));
        }
        if let Some(server) = &self.node {
            let mut node = Command::new("node");
            node.arg(server);
            start("node", node);
        }
        started
    }
}

fn build_gsoap(folder: &Path) -> Result<PathBuf, String> {
    let server = folder.join("server");
    if !is_newer(&server, &source().join("gsoap/server.cpp")) {
        run(Command::new(source().join("gsoap/build")).arg(folder))
            .map_err(|why| format!("{why} (it needs g++, gsoap, libgsoap-dev, libsqlite3-dev)"))?;
    }
    Ok(server)
}

fn build_node(folder: &Path) -> Result<PathBuf, String> {
    fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    let packages = folder.join("package.json");
    if !is_newer(
        &folder.join("node_modules/.package-lock.json"),
        &source().join("node/package.json"),
    ) {
        eprintln!("installing the packages of the peer node, which may take minutes");
        fs::copy(source().join("node/package.json"), &packages).map_err(|why| why.to_string())?;
        let mut npm = Command::new("npm");
        npm.args(["install", "--silent", "--no-audit", "--no-fund"]).current_dir(folder);
        run(&mut npm)?;
    }
    // The program must lie where its packages do.
    let server = folder.join("server.js");
    fs::copy(source().join("node/server.js"), &server).map_err(|why| why.to_string())?;
    let mut check = Command::new("node");
    check.args(["-e", "new (require('better-sqlite3'))(':memory:')"]).current_dir(folder);
    run(&mut check)?;
    Ok(server)
}

fn is_newer(made: &Path, source: &Path) -> bool {
    let modified = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified());
    matches!((modified(made), modified(source)), (Ok(made), Ok(source)) if made > source)
}

/// Runs a command to its end; what it printed is shown where it fails.
fn run(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("{name}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let printed = String::from_utf8_lossy(&output.stderr);
    let last: Vec<&str> = printed.lines().rev().take(5).collect();
    Err(format!("{name}: {}: {}", output.status, last.join(" / ")))
}
