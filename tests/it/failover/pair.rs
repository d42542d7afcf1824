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
/// answered by a line, until the input ends; then it leaves nothing behind. `lead` is the folder of
/// the primary, `next` that of the other one.
const KEEP: &str = r#"
cd "$1" && export PGPASSWORD=secret
folder=$1 bin=$2 port=$3 archives=
[ "$6" = synchronous ] || archives="-c archive_mode=on"
failed() { cat log >&2; exit 1; }
"$bin/initdb" -k -D one -U postgres -A scram-sha-256 --pwfile pw -E UTF8 --locale=C >log 2>&1 \
    || failed
for what in all replication; do
    echo "host $what all 127.0.0.0/8 scram-sha-256" >>one/pg_hba.conf
done
start() {
    mkdir -p "s$1" && "$bin/postgres" -D "$1" -k "$folder/s$1" -p "$port" \
        -c listen_addresses="$2" -c max_connections=60 -c shared_buffers=32MB \
        -c wal_sender_timeout=5s -c wal_receiver_timeout=5s $archives \
        -c archive_command="cp %p $folder/archive/%f" >>log 2>&1 &
    server=$!
    until "$bin/pg_isready" -q -h "$2" -p "$port"; do
        kill -0 "$server" || failed
        sleep 0.02
    done
}
end() {
    kill -KILL "$2" 2>>log; wait "$2" 2>>log
    while ls /proc/[0-9]*/cwd -l 2>/dev/null | grep -q "$folder/$1\$"; do sleep 0.02; done
}
sql() { "$bin/psql" -X -q -A -t -h "$1" -p "$port" -U postgres -d postgres -c "$2"; }
copy() {
    "$bin/pg_basebackup" -D "$@" -c fast -X stream -h "$lead_at" -p "$port" -U postgres >>log 2>&1 \
        || failed
}
follow() {
    rm -rf "./$next" && copy "$next" -R
    start "$next" "$next_at"; next_pid=$server
    until [ "$(sql "$lead_at" "select state from pg_stat_replication")" = streaming ]; do
        sleep 0.02
    done
    [ -z "$archives" ] || return 0
    sql "$lead_at" "alter system set synchronous_standby_names = '*'"
    sql "$lead_at" "select pg_reload_conf()" >>log
    until [ "$(sql "$lead_at" "select sync_state from pg_stat_replication")" = sync ]; do
        sleep 0.02
    done
}
promote() {
    "$bin/pg_ctl" promote -w -D "$next" >>log 2>&1 || failed
    set -- "$lead" "$lead_at" "$lead_pid"
    lead=$next lead_at=$next_at lead_pid=$next_pid
    next=$1 next_at=$2 next_pid=$3
}
mkdir archive
lead=one lead_at=$4 next=two next_at=$5
start "$lead" "$lead_at"; lead_pid=$server
follow
echo started
while read -r line; do
    case $line in
    kill) end "$lead" "$lead_pid" ;;
    promote) promote ;;
    fence) end "$next" "$next_pid" ;;
    rebuild) follow ;;
    backup) copy base ;;
    recover)
        kill -INT "$lead_pid"; wait "$lead_pid" 2>>log
        cp -a base three && touch three/recovery.signal
        echo "restore_command = 'cp $folder/archive/%f %p'
            recovery_target_name = 'wanted'
            recovery_target_action = 'promote'" >>three/postgresql.auto.conf
        lead=three
        start "$lead" "$lead_at"; lead_pid=$server
        until [ "$(sql "$lead_at" "select pg_is_in_recovery()")" = f ]; do sleep 0.02; done ;;
    esac
    echo "$line"
done
kill -INT "$lead_pid" "$next_pid" 2>>log; wait
rm -rf "$1"
"#;

/// Two servers.
pub struct Pair {
    port: u16,
    /// Where the primary is, and where the other one.
    lead: &'static str,
    next: &'static str,
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
        let keeper = (keeper, lines);
        let mut pair = Self { port, lead: FIRST, next: SECOND, binaries, keeper };
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

    /// Makes the standby the primary. What was the primary may be gone, or out of reach.
    pub fn promote(&mut self) {
        self.order("promote");
        std::mem::swap(&mut self.lead, &mut self.next);
    }

    /// Where the primary is.
    pub const fn lead(&self) -> &'static str {
        self.lead
    }

    /// Where the other server is: the standby, or what was the primary.
    pub const fn next(&self) -> &'static str {
        self.next
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
