//! The harness of the tests of `replay`: folders with captures, and the parts that captures are
//! made of. The program is run as a user would, and judged by its output and its exit code.

use crate::gateway::{envelope, finish, program, session_header};
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use std::process::Output;
use tempfile::TempDir;

/// The URL of the captured endpoint.
pub const URL: &str = "https://rest.example.com/apps/services/a/91.0";

/// A folder with captures in it.
pub struct Folder(TempDir);

impl Folder {
    /// A folder with one file in it.
    pub fn with(name: &str, content: impl AsRef<[u8]>) -> Self {
        Self(TempDir::new().unwrap()).and(name, content)
    }

    /// The same folder with one file more, whose folders are made.
    pub fn and(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        let file = self.path(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, content).unwrap();
        self
    }

    /// The path of a file in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs `replay` in it with these arguments.
    pub fn replay(&self, args: &[&str]) -> Output {
        finish(program(self.0.path()).arg("replay").args(args))
    }

    /// What a replay prints that must end with this code.
    pub fn reported(&self, args: &[&str], code: i32) -> String {
        let output = self.replay(args);
        let reported = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let (stdout, stderr) = (reported(&output.stdout), reported(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{stdout}{stderr}");
        format!("{stdout}{stderr}")
    }

    /// Passes with this summary.
    pub fn passes(&self, args: &[&str], summary: &str) {
        let reported = self.reported(args, 0);
        assert!(reported.lines().any(|line| line == summary), "{summary} in {reported}");
    }

    /// Fails with this code before anything is sent, and says this.
    pub fn refused(&self, args: &[&str], code: i32, said: &str) {
        let reported = self.reported(args, code);
        assert!(reported.starts_with("error: ") && reported.contains(said), "{said} in {reported}");
    }
}

/// The envelope of an answer to an operation.
pub fn answer(operation: &str, inside: &str) -> String {
    let body = format!("<api:{operation}Response>{inside}</api:{operation}Response>");
    envelope("", &body).replace("<soapenv:Header></soapenv:Header>", "")
}

/// The answer to a create that made this one object.
pub fn created(id: &str) -> String {
    let result = format!("<api:Id>{id}</api:Id><api:Success>true</api:Success>");
    answer("create", &format!("<api:result>{result}</api:result>"))
}

/// The envelope of a query.
pub fn query(session: &str, zoql: &str) -> String {
    let query = format!("<api:query><api:queryString>{zoql}</api:queryString></api:query>");
    envelope(&session_header(session), &query)
}

/// The answer to a query that found one refund with these fields.
pub fn queried(fields: &str) -> String {
    let record = format!("<api:records xsi:type=\"obj:Refund\">{fields}</api:records>");
    let done = "<api:done>true</api:done><api:queryLocator xsi:nil=\"1\"/>";
    answer("query", &format!("<api:result>{done}{record}<api:size>1</api:size></api:result>"))
}

/// An entry of a HAR: a request with its answer, by HTTP 200.
pub fn har_entry((request, response): &(String, String)) -> Value {
    let headers = json!([
        { "name": "Content-Type", "value": "text/xml; charset=utf-8" },
        { "name": "SOAPAction", "value": "\"\"" },
        { "name": "Cookie", "value": "s3cret=1" },
    ]);
    json!({
        "startedDateTime": "2026-01-02T03:04:05Z",
        "time": 12,
        "request": {
            "method": "POST", "url": URL, "httpVersion": "HTTP/1.1", "headers": headers,
            "postData": { "mimeType": "text/xml", "text": request },
        },
        "response": {
            "status": 200, "headers": [],
            "content": { "size": response.len(), "mimeType": "text/xml", "text": response },
        },
        "cache": {}, "timings": {},
    })
}

/// A HAR with these entries.
pub fn har(entries: &[Value]) -> String {
    json!({ "log": { "version": "1.2", "creator": { "name": "t" }, "entries": entries } })
        .to_string()
}
