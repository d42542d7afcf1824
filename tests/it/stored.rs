//! What tests look up in the ledger of a gateway, and how they hold it, whichever engine keeps it.

use crate::postgres_server::{AS_A_NODE, Server};
use rusqlite::config::DbConfig;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use std::cell::RefCell;
use std::fmt::Debug;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Stdio};
use std::str::FromStr;
use std::time::Duration;

/// Where a ledger is.
#[derive(Debug, Clone)]
pub enum Stored {
    /// In a file.
    File(PathBuf),
    /// In a schema of the server that tests share.
    Schema(String),
}

impl Stored {
    /// The rows that a statement selects, each value as a text.
    pub fn select(&self, sql: &str) -> Vec<Vec<String>> {
        match self {
            Self::File(path) => {
                let connection = connect(path);
                let mut statement = connection.prepare(sql).unwrap();
                let columns = statement.column_count();
                let rows = statement.query_map([], |row| {
                    (0..columns).map(|place| row.get::<_, Value>(place).map(shown)).collect()
                });
                rows.unwrap().map(Result::unwrap).collect()
            }
            Self::Schema(schema) => {
                let sql = format!("set search_path = {schema}; {sql}");
                let found = Server::shared().unwrap().sql("postgres", &sql);
                let rows = found.lines().map(|line| line.split('|').map(str::to_owned).collect());
                rows.collect()
            }
        }
    }

    /// How many rows an update changes behind the gateway's back; they get the sums of what
    /// they hold.
    pub fn change(&self, update: &str) -> usize {
        match self {
            Self::File(path) => {
                let connection = connect(path);
                let changed = connection.execute(update, []).unwrap();
                crate::sums::renew(&connection);
                changed
            }
            Self::Schema(_) => {
                let counted = counted(update);
                self.select(&format!("{AS_A_NODE}{counted}"))[0][0].parse().unwrap()
            }
        }
    }

    /// How many rows an update changes that nothing of the ledger's takes part in, so that their
    /// sums are those of what they were.
    pub fn change_unseen(&self, update: &str) -> usize {
        match self {
            Self::File(path) => connect(path).execute(update, []).unwrap(),
            Self::Schema(_) => self.select(&counted(update))[0][0].parse().unwrap(),
        }
    }

    /// Why the ledger refuses a statement, which it has to.
    pub fn refusal(&self, statement: &str) -> String {
        match self {
            Self::File(path) => connect(path).execute_batch(statement).unwrap_err().to_string(),
            Self::Schema(schema) => {
                let mut client = Server::shared().unwrap().client("postgres");
                let statement = format!("set search_path = {schema}; {statement}");
                let refused = client.args(["-c", &statement]).output().unwrap();
                assert!(!refused.status.success(), "{statement}");
                String::from_utf8(refused.stderr).unwrap()
            }
        }
    }

    /// Where a ledger is that `--ledger` names so in a folder.
    pub fn of(place: &str, folder: &Path) -> Self {
        match place.split_once("search_path%3D") {
            Some((_, schema)) => Self::Schema(schema.to_owned()),
            None => Self::File(folder.join(place)),
        }
    }

    /// A connection for a test that looks often.
    pub fn reader(&self) -> Reader {
        match self {
            Self::File(path) => Reader::File(connect(path)),
            Self::Schema(schema) => {
                let mut client = Server::shared().unwrap().client("postgres");
                client.stdin(Stdio::piped()).stdout(Stdio::piped());
                let mut client = client.spawn().unwrap();
                let lines = BufReader::new(client.stdout.take().unwrap());
                let reader = Reader::Server(RefCell::new((client, lines)));
                reader.ask(&format!("set search_path = {schema}"));
                reader
            }
        }
    }

    /// Lets no batch begin until this is dropped.
    pub fn hold(&self) -> Hold {
        match self {
            Self::File(path) => {
                let connection = connect(path);
                connection.busy_timeout(Duration::from_secs(60)).unwrap();
                connection.execute_batch("begin immediate").unwrap();
                Hold::File(connection)
            }
            Self::Schema(schema) => {
                let mut client = Server::shared().unwrap().client("postgres");
                client.stdin(Stdio::piped()).stdout(Stdio::piped());
                let mut client = client.spawn().unwrap();
                let statements = format!(
                    "set search_path = {schema};\nbegin;\nselect from turn for update;\n\
                     \\echo held\n"
                );
                client.stdin.as_mut().unwrap().write_all(statements.as_bytes()).unwrap();
                let lines = BufReader::new(client.stdout.take().unwrap()).lines();
                assert!(lines.map_while(Result::ok).any(|line| line == "held"));
                Hold::Server(client)
            }
        }
    }
}

/// An update that gives how many rows it changed.
fn counted(update: &str) -> String {
    format!("with done as ({update} returning 1) select count(*) from done")
}

/// A connection that is kept.
pub enum Reader {
    File(Connection),
    Server(RefCell<(Child, BufReader<ChildStdout>)>),
}

impl Reader {
    /// The rows that a statement selects, with these values in the places of `?1`, `?2`, …
    pub fn rows<T>(&self, sql: &str, values: &[&str]) -> Vec<Vec<T>>
    where
        T: FromStr,
        T::Err: Debug,
    {
        let rows = match self {
            Self::File(connection) => {
                let mut statement = connection.prepare_cached(sql).unwrap();
                let columns = statement.column_count();
                let rows = statement.query_map(params_from_iter(values), |row| {
                    (0..columns).map(|place| row.get::<_, Value>(place).map(shown)).collect()
                });
                rows.unwrap().collect::<Result<Vec<Vec<String>>, _>>().unwrap()
            }
            Self::Server(_) => {
                let places = (1..).zip(values);
                let sql = places.fold(sql.to_owned(), |sql, (place, value)| {
                    sql.replace(&format!("?{place}"), &format!("'{value}'"))
                });
                let split = |line: String| line.split('|').map(str::to_owned).collect();
                self.ask(&sql).into_iter().map(split).collect()
            }
        };
        let parsed = |row: Vec<String>| row.iter().map(|value| value.parse().unwrap()).collect();
        rows.into_iter().map(parsed).collect()
    }

    /// The lines that the server's client prints for a statement.
    fn ask(&self, sql: &str) -> Vec<String> {
        const END: &str = "that was all";
        let Self::Server(server) = self else { panic!("a file has no client") };
        let (client, lines) = &mut *server.borrow_mut();
        let asked = format!("{sql};\n\\echo {END}\n");
        client.stdin.as_mut().unwrap().write_all(asked.as_bytes()).unwrap();
        let mut found = Vec::new();
        loop {
            let mut line = String::new();
            assert!(lines.read_line(&mut line).unwrap() > 0, "{sql}");
            match line.trim_end_matches('\n') {
                END => return found,
                line => found.push(line.to_owned()),
            }
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Self::Server(server) = self {
            let (client, _) = server.get_mut();
            drop(client.stdin.take());
            client.wait().unwrap();
        }
    }
}

/// What keeps batches from beginning.
pub enum Hold {
    File(Connection),
    Server(Child),
}

impl Drop for Hold {
    fn drop(&mut self) {
        match self {
            Self::File(connection) => drop(connection.execute_batch("rollback")),
            Self::Server(client) => {
                drop(client.stdin.take());
                client.wait().unwrap();
            }
        }
    }
}

/// A connection that leaves the log beside the ledger, also when its gateway was killed meanwhile:
/// any other program would take it into the file, and the next start could not distinguish that
/// from one that is lost.
fn connect(ledger: &Path) -> Connection {
    let connection = Connection::open(ledger).unwrap();
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
    connection
}

fn shown(value: Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Integer(value) => value.to_string(),
        Value::Text(text) => text,
        Value::Real(_) | Value::Blob(_) => panic!("{value:?} is no value of a test"),
    }
}
