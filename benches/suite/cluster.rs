//! A PostgreSQL server for measurements: the newest of Debian, in a place for ledgers, with the
//! syncs of that place, as durable as one in service.

use crate::place::Place;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server; it ends with this.
pub struct Cluster {
    server: Child,
    binaries: PathBuf,
    pub port: u16,
}

impl Cluster {
    /// Starts one; none where PostgreSQL is not installed.
    pub fn start(place: &Place) -> Option<Self> {
        let Some(binaries) = binaries() else {
            eprintln!("SKIPPED: {}: PostgreSQL is not installed", place.about);
            return None;
        };
        // The server's user has to get to its data and to the library.
        fs::set_permissions(place.folder(), fs::Permissions::from_mode(0o711)).unwrap();
        let folder = place.folder().join("postgresql");
        fs::create_dir(&folder).unwrap();
        let owner = owner(&folder);
        let data = folder.join("data");
        let mut make = as_owner(owner, &binaries.join("initdb"));
        make.args(["-k", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-D"]);
        assert!(make.arg(&data).stdout(Stdio::null()).status().unwrap().success());
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = as_owner(owner, &binaries.join("postgres"));
        command.arg("-D").arg(&data).arg("-k").arg(&folder).args(["-p", &port.to_string()]);
        for setting in [
            "listen_addresses=127.0.0.1",
            "max_connections=120",
            "shared_buffers=512MB",
            "max_wal_size=8GB",
            "checkpoint_timeout=30min",
            "wal_compression=on",
        ] {
            command.args(["-c", setting]);
        }
        place.apply(&mut command);
        let server = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let cluster = Self { server, binaries, port };
        let began = Instant::now();
        while !cluster.client("pg_isready").arg("-q").status().unwrap().success() {
            assert!(began.elapsed() < PATIENCE, "PostgreSQL does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(cluster)
    }

    /// A client's program, with the server named.
    pub fn client(&self, name: &str) -> Command {
        let mut command = Command::new(self.binaries.join(name));
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", "postgres"]);
        command
    }

    /// Makes a database.
    pub fn database(&self, name: &str, statements: &str) {
        let run = |database: &str, statements: &str| {
            let mut psql = self.client("psql");
            psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", statements]);
            assert!(psql.stdout(Stdio::null()).status().unwrap().success(), "{statements}");
        };
        run("postgres", &format!("create database {name}"));
        run(name, statements);
    }

    /// The URL of a database, at this port or at that of a relay.
    pub fn url(name: &str, port: u16) -> String {
        format!("postgres://postgres@127.0.0.1:{port}/{name}")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let process = rustix::process::Pid::from_child(&self.server);
        // It may have ended already.
        let _ = rustix::process::kill_process(process, rustix::process::Signal::INT);
        let _ = self.server.wait();
    }
}

fn binaries() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let versions = versions.filter_map(|one| one.file_name().to_str()?.parse::<u32>().ok());
    let newest = versions.filter(|version| *version >= 15).max()?;
    let found = PathBuf::from(format!("/usr/lib/postgresql/{newest}/bin"));
    found.join("initdb").exists().then_some(found)
}

/// Whom the server runs as, who gets the folder: it refuses to be root.
fn owner(folder: &Path) -> Option<(u32, u32)> {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return None;
    }
    let passwd = fs::read_to_string("/etc/passwd").unwrap();
    let user = passwd.lines().find(|line| line.starts_with("postgres:")).unwrap();
    let id = |place: usize| user.split(':').nth(place).unwrap().parse().unwrap();
    chown(folder, Some(id(2)), Some(id(3))).unwrap();
    Some((id(2), id(3)))
}

fn as_owner(owner: Option<(u32, u32)>, program: &Path) -> Command {
    let Some((user, group)) = owner else { return Command::new(program) };
    let mut command = Command::new("setpriv");
    command.args([format!("--reuid={user}"), format!("--regid={group}")]);
    command.arg("--clear-groups").arg(program);
    command
}
