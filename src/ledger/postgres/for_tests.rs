//! A real PostgreSQL for tests: on a port, a socket and a data folder of its own, as durable as one
//! in service, and gone when the test process is, however that ends.
//!
//! Where there is none, tests skip and say so; in CI they fail.

use super::address::{Address, Secrets};
use super::starting::{self, Start};
use super::store::Store;
use crate::domain::facts::MethodKey;
use crate::domain::id::ObjectId;
use crate::ledger::unit::World;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};

/// Where a test can step in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ledger) enum At {
    /// COMMIT is about to be sent.
    Commit,
    /// Its answer came, or the connection ended.
    Committed,
}

/// What a test has happen.
pub(in crate::ledger) type Trouble = Box<dyn FnMut(At) + Send>;

/// A server.
pub(in crate::ledger) struct Server {
    folder: PathBuf,
    port: u16,
    binaries: PathBuf,
    /// Ends the server once its standard input ends, and prints a line for each start.
    keeper: Mutex<(Child, BufReader<ChildStdout>)>,
}

/// Runs in a shell: makes the data, then keeps the server running, started again on each line of
/// input, until the input ends, and then leaves nothing behind.
const KEEP: &str = r#"
cd "$1"
"$2/initdb" -D data -U postgres -A scram-sha-256 --pwfile pw -E UTF8 --locale=C >initdb.log 2>&1 \
    || { cat initdb.log >&2; exit 1; }
start() {
    "$2/postgres" -D data -k "$1" -p "$3" -c listen_addresses=127.0.0.1 -c max_connections=40 \
        -c shared_buffers=32MB >>log 2>&1 &
    server=$!
    until "$2/pg_isready" -q -h "$1" -p "$3"; do
        kill -0 "$server" || { cat log >&2; exit 1; }
        sleep 0.02
    done
    echo started
}
start "$@"
while read -r line; do
    kill -KILL "$server"; wait "$server" 2>/dev/null
    while ls /proc/[0-9]*/cwd -l 2>/dev/null | grep -q "$1/data\$"; do sleep 0.02; done
    start "$@"
done
kill -INT "$server"; wait "$server"
rm -rf "$1"
"#;

impl Server {
    /// Starts a server of its own.
    pub(in crate::ledger) fn start() -> Option<Self> {
        let Some(binaries) = binaries() else {
            let missing = "PostgreSQL is not installed (postgresql of Debian)";
            assert!(std::env::var_os("CI").is_none(), "{missing}");
            #[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
            {
                eprintln!("SKIPPED: {missing}");
            }
            return None;
        };
        let folder = tempfile::Builder::new().prefix("pg").tempdir().unwrap().keep();
        fs::write(folder.join("pw"), "secret\n").unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = as_postgres(&folder);
        command.args(["sh", "-c", KEEP, "sh"]).arg(&folder).arg(&binaries).arg(port.to_string());
        let mut keeper = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(keeper.stdout.take().unwrap());
        let server = Self { folder, port, binaries, keeper: Mutex::new((keeper, lines)) };
        server.await_start();
        Some(server)
    }

    /// One that tests share, each in a schema of its own.
    pub(in crate::ledger) fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Server>> = OnceLock::new();
        SHARED.get_or_init(Self::start).as_ref()
    }

    /// The URL of a database, by its socket.
    pub(in crate::ledger) fn url(&self, database: &str, query: &str) -> String {
        let folder = self.folder.display().to_string().replace('/', "%2F");
        format!("postgres://postgres:secret@{folder}:{}/{database}?{query}", self.port)
    }

    /// The port on the loopback.
    pub(in crate::ledger) const fn port(&self) -> u16 {
        self.port
    }

    /// Runs statements by the server's own client, and gives what it prints.
    pub(in crate::ledger) fn sql(&self, database: &str, statements: &str) -> String {
        let found = Command::new(self.binaries.join("psql"))
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h"])
            .arg(&self.folder)
            .args(["-p", &self.port.to_string(), "-U", "postgres", "-d", database])
            .args(["-c", statements])
            .env("PGPASSWORD", "secret")
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&found.stderr).into_owned();
        assert!(found.status.success(), "{statements}: {errors}");
        String::from_utf8(found.stdout).unwrap().trim_end().to_owned()
    }

    /// A new schema, in which there is nothing, and its address.
    pub(in crate::ledger) fn new_schema(&self) -> (String, Address) {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let schema = format!("s{}", COUNT.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("create schema {schema}"));
        let address = self.address_of(&schema);
        (schema, address)
    }

    /// The address of a schema.
    pub(in crate::ledger) fn address_of(&self, schema: &str) -> Address {
        let options = format!("options=-csearch_path%3D{schema}");
        Address::parse(&self.url("postgres", &options), &Secrets::default()).unwrap()
    }

    /// Ends the server as a loss of power would, and starts it again.
    pub(in crate::ledger) fn kill_and_start(&self) {
        let mut keeper = self.keeper.lock().unwrap();
        keeper.0.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
        drop(keeper);
        self.await_start();
    }

    fn await_start(&self) {
        let mut line = String::new();
        self.keeper.lock().unwrap().1.read_line(&mut line).unwrap();
        assert_eq!(line, "started\n", "the server did not start");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut keeper = self.keeper.lock().unwrap();
        drop(keeper.0.stdin.take());
        let _ = keeper.0.wait();
    }
}

/// The newest PostgreSQL of Debian.
fn binaries() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let versions = versions.filter_map(|one| one.file_name().to_str()?.parse::<u32>().ok());
    let newest = versions.filter(|version| *version >= 15).max()?;
    let found = PathBuf::from(format!("/usr/lib/postgresql/{newest}/bin"));
    found.join("initdb").exists().then_some(found)
}

/// What runs a command as a user that the server runs as: it refuses to be root.
fn as_postgres(folder: &Path) -> Command {
    use std::os::unix::fs::{MetadataExt, chown};
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return Command::new("env");
    }
    let passwd = fs::read_to_string("/etc/passwd").unwrap();
    let user = passwd.lines().find(|line| line.starts_with("postgres:")).unwrap();
    let id = |place: usize| user.split(':').nth(place).unwrap().parse::<u32>().unwrap();
    for path in [folder.to_owned(), folder.join("pw")] {
        chown(path, Some(id(2)), Some(id(3))).unwrap();
    }
    let mut command = Command::new("setpriv");
    command.args([
        format!("--reuid={}", id(2)),
        format!("--regid={}", id(3)),
        "--clear-groups".to_owned(),
    ]);
    command
}

/// The writing side of a new ledger in a schema of its own, in a world of the test's own, with a
/// user and with these accounts (each with the key and the id of its card) of an opening balance.
pub(in crate::ledger) fn store_for_tests(
    world: World,
    accounts: &[(ObjectId, MethodKey, ObjectId)],
    opening: i64,
) -> Option<Store> {
    let server = Server::shared()?;
    let (schema, address) = server.new_schema();
    let store = store_at(address, world);
    fill(server, &schema, accounts, opening);
    Some(store)
}

/// Adds a user and these accounts, as another node would.
pub(in crate::ledger) fn fill(
    server: &Server,
    schema: &str,
    accounts: &[(ObjectId, MethodKey, ObjectId)],
    opening: i64,
) {
    let mut rows = "insert into \"user\" (key, id, username, password_hash, permissions) \
                    values (1, lpad('1', 32, '0'), 'demo', '', 0);"
        .to_owned();
    for (key, (account, method_key, method)) in (1_i64..).zip(accounts) {
        let (account, method, method_key) = (account.as_str(), method.as_str(), method_key.0);
        rows += &format!(
            "insert into account_row (key, id, number, name, currency, opening) \
             values ({key}, '{account}', 'A{key}', 'A', 'USD', {opening}); \
             insert into balance (account, units) values ({key}, {opening}); \
             insert into payment_method (key, id, account, type, status) \
             values ({method_key}, '{method}', {key}, 'CreditCard', 'Active');"
        );
    }
    let turn = "update turn set number = number + 1";
    server.sql("postgres", &format!("set search_path = {schema}; begin; {rows} {turn}; commit"));
}

/// The writing side of the ledger at an address, in a world of the test's own.
pub(in crate::ledger) fn store_at(address: Address, world: World) -> Store {
    let start = Start { is_test: Some(true), is_made: true, ..Start::default() };
    let mut store = starting::open(address, start).unwrap().store;
    store.world = world;
    store
}
