//! A real PostgreSQL for tests: on a port, a socket and a data folder of its own, as durable as one
//! in service, and gone when the test process is, however that ends.
//!
//! Where there is none, tests skip and say so; in CI they fail.

use super::skipped;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Mutex, OnceLock};

/// A server.
pub(crate) struct Server {
    folder: PathBuf,
    port: u16,
    binaries: PathBuf,
    /// Ends the server once its standard input ends, and prints a line for each start.
    keeper: Mutex<(Child, BufReader<ChildStdout>)>,
}

/// What a statement of a node says before it, so that the server takes it as one of a program that
/// knows no sums: the rows that it changes lose theirs, as if nothing behind the gateway's back had
/// changed them.
pub(crate) const AS_A_NODE: &str =
    "set enable_seqscan = off; set plan_cache_mode = force_generic_plan; ";

/// Runs in a shell: makes the data, then keeps the server running, started again on each line of
/// input, until the input ends, and then leaves nothing behind. A schema takes some hundred locks
/// while it is made, and tests make theirs side by side.
const KEEP: &str = r#"
cd "$1"
"$2/initdb" -D data -U postgres -A scram-sha-256 --pwfile pw -E UTF8 --locale=C >initdb.log 2>&1 \
    || { cat initdb.log >&2; exit 1; }
start() {
    "$2/postgres" -D data -k "$1" -p "$3" -c listen_addresses=127.0.0.1 -c max_connections=40 \
        -c max_locks_per_transaction=256 -c shared_buffers=32MB >>log 2>&1 &
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

/// Runs in a shell, in a place for mounts that nothing else sees: adds a disk of 24 MB for as long
/// as it runs what is left.
const ADD_SMALL_DISK: &str = r#"
    owner=$(stat -c uid=%u,gid=%g "$0") && mkdir "$0/small" &&
        mount -t tmpfs -o "size=24m,mode=700,$owner" small "$0/small" && "$@"
    umount "$0/small" && rm -rf "$0"
"#;

impl Server {
    /// Starts a server of its own.
    pub(crate) fn start() -> Option<Self> {
        Self::start_by(|_, command| command)
    }

    /// Starts one that has a small disk beside its own, in the folder `small`; none where this
    /// process may not mount one.
    pub(crate) fn with_small_disk() -> Option<Self> {
        let about = ["--version"];
        if !skipped::runs("unshare", &about, "util-linux")
            || !skipped::runs("mount", &about, "mount")
        {
            return None;
        }
        let mounting = ["-m", "mount", "-t", "tmpfs", "none", "/mnt"];
        let tried = Command::new("unshare").args(mounting).output().unwrap();
        if !skipped::is_allowed(tried.status.success(), "a mount of its own") {
            return None;
        }
        Self::start_by(|folder, inner| {
            let mut outer = Command::new("unshare");
            outer.args(["-m", "sh", "-c", ADD_SMALL_DISK]).arg(folder);
            outer.arg(inner.get_program()).args(inner.get_args());
            outer
        })
    }

    fn start_by(wrap: impl FnOnce(&Path, Command) -> Command) -> Option<Self> {
        let binaries = binaries()?;
        let folder = tempfile::Builder::new().prefix("pg").tempdir().unwrap().keep();
        fs::write(folder.join("pw"), "secret\n").unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = wrap(&folder, as_postgres(&folder));
        command.args(["sh", "-c", KEEP, "sh"]).arg(&folder).arg(&binaries).arg(port.to_string());
        let mut keeper = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(keeper.stdout.take().unwrap());
        let server = Self { folder, port, binaries, keeper: Mutex::new((keeper, lines)) };
        server.await_start();
        Some(server)
    }

    /// One that tests share, each in a schema of its own.
    pub(crate) fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Server>> = OnceLock::new();
        SHARED.get_or_init(Self::start).as_ref()
    }

    /// The URL of a database, by its socket.
    pub(crate) fn url(&self, database: &str, query: &str) -> String {
        let folder = self.folder.display().to_string().replace('/', "%2F");
        format!("postgres://postgres:secret@{folder}:{}/{database}?{query}", self.port)
    }

    /// The port on the loopback.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// The folder of all that it has.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Speaks TLS from now on to clients that want it, with this certificate and its key (PEM).
    pub(crate) fn serve_tls(&self, certificate: &str, key: &str) {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
        let owner = fs::metadata(&self.folder).unwrap();
        for (setting, pem) in [("ssl_cert_file", certificate), ("ssl_key_file", key)] {
            let path = self.folder.join(setting);
            fs::write(&path, pem).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            chown(&path, Some(owner.uid()), Some(owner.gid())).unwrap();
            self.sql("postgres", &format!("alter system set {setting} = '{}'", path.display()));
        }
        self.sql("postgres", "alter system set ssl = on");
        self.sql("postgres", "select pg_reload_conf()");
        let is_on = || self.sql("postgres", "select pg_sleep(0.02); show ssl").ends_with("on");
        assert!((0..500).any(|_| is_on()), "the server has not read its settings");
    }

    /// Runs statements by the server's own client, and gives what it prints.
    pub(crate) fn sql(&self, database: &str, statements: &str) -> String {
        let found = self.client(database).args(["-c", statements]).output().unwrap();
        let errors = String::from_utf8_lossy(&found.stderr).into_owned();
        assert!(found.status.success(), "{statements}: {errors}");
        String::from_utf8(found.stdout).unwrap().trim_end().to_owned()
    }

    /// The server's own client.
    pub(crate) fn client(&self, database: &str) -> Command {
        let mut client = Command::new(self.binaries.join("psql"));
        client.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h"]).arg(&self.folder);
        client.args(["-p", &self.port.to_string(), "-U", "postgres", "-d", database]);
        client.env("PGPASSWORD", "secret");
        client
    }

    /// Ends the server as a loss of power would, and starts it again.
    pub(crate) fn kill_and_start(&self) {
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

/// The newest PostgreSQL of Debian; where there is none, a test is skipped, and fails in CI.
pub(crate) fn binaries() -> Option<PathBuf> {
    // tests/mutation/run sets it where starting a server would take longer than all else.
    if std::env::var_os("WITHOUT_POSTGRES").is_some() {
        skipped::say("WITHOUT_POSTGRES is set");
        return None;
    }
    let found = newest();
    skipped::is_installed(found.is_some(), "PostgreSQL (postgresql)");
    found
}

fn newest() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let versions = versions.filter_map(|one| one.file_name().to_str()?.parse::<u32>().ok());
    let newest = versions.filter(|version| *version >= 15).max()?;
    let found = PathBuf::from(format!("/usr/lib/postgresql/{newest}/bin"));
    found.join("initdb").exists().then_some(found)
}

/// What runs a command as a user that the server runs as: it refuses to be root.
pub(crate) fn as_postgres(folder: &Path) -> Command {
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
