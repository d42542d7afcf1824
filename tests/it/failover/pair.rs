//! A primary and a standby that replicates from it: two real servers, each with an address of the
//! loopback of its own, gone when the test process is.

use crate::postgres_server::{as_postgres, binaries};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

/// Where the primary listens.
pub const FIRST: &str = "127.0.1.1";
/// Where the standby does.
pub const SECOND: &str = "127.0.1.2";

/// Runs in a shell: makes both servers, and then does what lines of input say, each of which is
/// answered by a line, until the input ends; then it leaves nothing behind.
const KEEP: &str = r#"
cd "$1" && export PGPASSWORD=secret
initdb() { "$1/initdb" -k -D one -U postgres -A scram-sha-256 --pwfile pw -E UTF8 --locale=C; }
initdb "$2" >log 2>&1 || { cat log >&2; exit 1; }
for what in all replication; do
    echo "host $what all 127.0.0.0/8 scram-sha-256" >>one/pg_hba.conf
done
start() {
    mkdir -p "./$3" && "$bin/postgres" -D "$1" -k "$folder/$3" -p "$port" -c listen_addresses="$2" \
        -c max_connections=40 -c shared_buffers=32MB -c wal_sender_timeout=5s \
        -c wal_receiver_timeout=5s -c archive_mode=on \
        -c archive_command="cp %p $folder/archive/%f" >>log 2>&1 &
    server=$!
    until "$bin/pg_isready" -q -h "$2" -p "$port"; do
        kill -0 "$server" || { cat log >&2; exit 1; }
        sleep 0.02
    done
}
folder=$1 bin=$2 port=$3
mkdir archive
start one "$4"; one=$server
sql() { "$bin/psql" -X -q -A -t -h "$1" -p "$port" -U postgres -d postgres -c "$2"; }
"$bin/pg_basebackup" -D two -R -c fast -X stream -h "$4" -p "$port" -U postgres >>log 2>&1 \
    || { cat log >&2; exit 1; }
start two "$5" second; two=$server
until [ "$(sql "$4" "select state from pg_stat_replication")" = streaming ]; do sleep 0.02; done
if [ "$6" = synchronous ]; then
    sql "$4" "alter system set synchronous_standby_names = '*'"
    sql "$4" "select pg_reload_conf()" >>log
    until [ "$(sql "$4" "select sync_state from pg_stat_replication")" = sync ]; do
        sleep 0.02
    done
fi
echo started
while read -r line; do
    case $line in
    kill) kill -KILL "$one"; wait "$one" 2>>log ;;
    promote) "$bin/pg_ctl" promote -w -D two >>log 2>&1 || cat log >&2 ;;
    backup) "$bin/pg_basebackup" -D base -c fast -X stream -h "$4" -p "$port" -U postgres ;;
    recover)
        kill -INT "$one"; wait "$one" 2>>log
        cp -a base three && touch three/recovery.signal
        echo "restore_command = 'cp $folder/archive/%f %p'
            recovery_target_name = 'wanted'
            recovery_target_action = 'promote'" >>three/postgresql.auto.conf
        start three "$4"; one=$server
        until [ "$(sql "$4" "select pg_is_in_recovery()")" = f ]; do sleep 0.02; done ;;
    esac
    echo "$line"
done
kill -INT "$one" "$two" 2>>log; wait
rm -rf "$1"
"#;

/// Two servers.
pub struct Pair {
    port: u16,
    binaries: PathBuf,
    keeper: (Child, BufReader<ChildStdout>),
}

impl Pair {
    /// Starts both; none where PostgreSQL is not installed.
    pub fn start(is_synchronous: bool) -> Option<Self> {
        let binaries = binaries()?;
        let folder = tempfile::Builder::new().prefix("pg").tempdir().unwrap().keep();
        fs::write(folder.join("pw"), "secret\n").unwrap();
        let port = TcpListener::bind((FIRST, 0)).unwrap().local_addr().unwrap().port();
        let mut command = as_postgres(&folder);
        command.args(["sh", "-c", KEEP, "sh"]).arg(&folder).arg(&binaries).arg(port.to_string());
        command.args([FIRST, SECOND, if is_synchronous { "synchronous" } else { "not" }]);
        let mut keeper = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(keeper.stdout.take().unwrap());
        let mut pair = Self { port, binaries, keeper: (keeper, lines) };
        pair.hear("started");
        Some(pair)
    }

    /// The URL of both.
    pub fn url(&self) -> String {
        let port = self.port;
        let hosts = format!("{FIRST}:{port},{SECOND}:{port}");
        format!("postgres://postgres:secret@{hosts}/postgres?connect_timeout=1")
    }

    /// Has a server do what a word says, and waits until it has.
    pub fn order(&mut self, word: &str) {
        writeln!(self.keeper.0.stdin.as_mut().unwrap(), "{word}").unwrap();
        self.hear(word);
    }

    /// What a statement finds at a server.
    pub fn sql(&self, address: &str, statement: &str) -> Vec<String> {
        let found = Command::new(self.binaries.join("psql"))
            .args(["-X", "-q", "-A", "-t", "-h", address, "-p", &self.port.to_string()])
            .args(["-U", "postgres", "-d", "postgres", "-c", statement])
            .env("PGPASSWORD", "secret")
            .output()
            .unwrap();
        assert!(found.status.success(), "{}", String::from_utf8_lossy(&found.stderr));
        String::from_utf8(found.stdout).unwrap().lines().map(str::to_owned).collect()
    }

    fn hear(&mut self, word: &str) {
        let mut line = String::new();
        self.keeper.1.read_line(&mut line).unwrap();
        assert_eq!(line.trim_end(), word, "the servers did not do it");
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        drop(self.keeper.0.stdin.take());
        let _ = self.keeper.0.wait();
    }
}
