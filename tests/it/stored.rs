//! What tests look up in the ledger of a gateway, and how they hold it, whichever engine keeps it.

use crate::postgres_server::Server;
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use rusqlite::types::Value;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Stdio};
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
fn connect(ledger: &PathBuf) -> Connection {
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
