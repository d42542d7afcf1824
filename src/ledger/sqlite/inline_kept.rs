//! A file in memory and the connections to it, which the schedules of a thread use one after the
//! other: to open a connection, to read the schema and to prepare the statements costs several
//! times what a schedule does with them.
//!
//! What must stay true: nothing that a process knew outlives it. A connection is given on without
//! an open transaction and without pages; what it keeps is what SQLite knows of the schema and how
//! it goes about its statements. No two connections share pages: what one committed, another finds
//! in the file.

use super::open::{configure as configure_writer, keep_plans};
use super::reading::configure as configure_reader;
use super::{pages, sending};
use rusqlite::{Connection, OpenFlags};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// How many statements a connection keeps: more than there are.
const STATEMENTS_KEPT: usize = 512;

thread_local! {
    static KEPT: Cell<Option<Arc<Mutex<File>>>> = const { Cell::new(None) };
}

/// A file in memory, and the connections to it.
pub(super) struct File {
    uri: String,
    /// Looks at what is committed.
    pub(super) eye: Connection,
    /// Puts what a schedule begins with into the file.
    beginner: Connection,
    /// The ledgers that schedules begin with.
    origins: BTreeMap<PathBuf, Connection>,
    idle_writer: Option<Connection>,
    idle_reader: Option<Connection>,
}

/// The file of this thread's next schedule, with a copy of the ledger at `origin`.
pub(super) fn take(origin: &Path) -> Arc<Mutex<File>> {
    let kept = KEPT.take().unwrap_or_else(|| Arc::new(Mutex::new(File::new())));
    kept.lock().unwrap().begin_with(origin);
    kept
}

/// Keeps a file for the next schedule, unless something still has it.
pub(super) fn give_back(file: &Arc<Mutex<File>>) {
    if Arc::strong_count(file) == 1 && !file.is_poisoned() {
        KEPT.set(Some(Arc::clone(file)));
    }
}

impl File {
    fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let uri = format!("file:/simulated-{number}?vfs=memdb");
        let (beginner, eye) = (connect(&uri), connect(&uri));
        eye.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
        keep_plans(&eye).unwrap();
        sending::add_function(&eye).unwrap();
        let origins = BTreeMap::new();
        Self { uri, eye, beginner, origins, idle_writer: None, idle_reader: None }
    }

    /// Puts a copy of a ledger into the place of what is there. SQLite gives a copy another number
    /// of its schema, by which other connections would prepare their statements anew.
    fn begin_with(&mut self, origin: &Path) {
        let open = || Connection::open(origin).unwrap();
        let origin = self.origins.entry(origin.to_owned()).or_insert_with(open);
        pages::copy(origin, &mut self.beginner).unwrap();
        let schema = |connection: &Connection| {
            connection.pragma_query_value(None, "schema_version", |row| row.get::<_, i64>(0))
        };
        let number = schema(origin).unwrap();
        self.beginner.pragma_update(None, "schema_version", number).unwrap();
        assert_eq!(schema(&self.eye).unwrap(), number);
    }

    /// A connection for the writer of a process that starts.
    pub(super) fn writer(&mut self) -> Connection {
        let open = || open(&self.uri, configure_writer);
        self.idle_writer.take().unwrap_or_else(open)
    }

    /// A connection for the readings of a process that starts.
    pub(super) fn reader(&mut self) -> Connection {
        let open = || open(&self.uri, configure_reader);
        self.idle_reader.take().unwrap_or_else(open)
    }

    /// Takes back what a process had that is no more.
    pub(super) fn take_back(&mut self, writer: Connection, reader: Option<Connection>) {
        for connection in [Some(&writer), reader.as_ref()].into_iter().flatten() {
            if !connection.is_autocommit() {
                connection.execute_batch("rollback").unwrap();
            }
            connection.execute_batch("pragma shrink_memory").unwrap();
        }
        (self.idle_writer, self.idle_reader) = (Some(writer), reader);
    }
}

fn open(uri: &str, configure: fn(&Connection) -> rusqlite::Result<()>) -> Connection {
    let connection = connect(uri);
    configure(&connection).unwrap();
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    connection
}

fn connect(uri: &str) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(uri, flags).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::StatementStatus;
    use tempfile::TempDir;

    /// Two ledgers of one schema, each with its own row.
    fn origins() -> (TempDir, [PathBuf; 2]) {
        let folder = tempfile::tempdir().unwrap();
        let files = ["one", "other"].map(|name| {
            let file = folder.path().join(name);
            let connection = Connection::open(&file).unwrap();
            connection.execute_batch("create table names (name text) strict").unwrap();
            connection.execute("insert into names values (?1)", [name]).unwrap();
            file
        });
        (folder, files)
    }

    fn names(connection: &Connection) -> Vec<String> {
        let mut statement = connection.prepare_cached("select name from names").unwrap();
        let names = statement.query_map([], |row| row.get(0)).unwrap();
        names.map(Result::unwrap).collect()
    }

    #[test]
    fn what_a_process_that_died_had_not_committed_is_known_to_none_after_it() {
        let (_folder, [one, _]) = origins();
        let file = take(&one);
        let mut file = file.lock().unwrap();
        let (writer, reader) = (file.writer(), file.reader());
        writer.execute("insert into names values ('committed')", []).unwrap();
        writer.execute_batch("begin immediate; insert into names values ('begun')").unwrap();
        assert_eq!(names(&writer), ["one", "committed", "begun"]);
        file.take_back(writer, Some(reader));
        let (writer, reader) = (file.writer(), file.reader());
        assert!(writer.is_autocommit());
        for connection in [&writer, &reader, &file.eye] {
            assert_eq!(names(connection), ["one", "committed"]);
        }
    }

    #[test]
    fn a_schedule_begins_with_its_own_ledger_and_the_statements_of_the_one_before() {
        let (_folder, [one, other]) = origins();
        let file = take(&one);
        let writer = file.lock().unwrap().writer();
        writer.execute("insert into names values ('more')", []).unwrap();
        assert_eq!(names(&writer), ["one", "more"]);
        file.lock().unwrap().take_back(writer, None);
        give_back(&file);
        drop(file);
        let file = take(&other);
        let mut file = file.lock().unwrap();
        let writer = file.writer();
        for connection in [&writer, &file.reader(), &file.eye] {
            assert_eq!(names(connection), ["other"]);
        }
        let statement = writer.prepare_cached("select name from names").unwrap();
        assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
        assert_eq!(statement.get_status(StatementStatus::Run), 2);
    }
}
