//! docs/FAULTS.md says exactly what the code answers. `UPDATE_DOCS=1` rewrites its table.

use refund_gateway::domain::error_code::ErrorCode;
use refund_gateway::domain::version::ApiVersion;
use refund_gateway::soap::fault::{FaultEntry, catalogue};
use std::fs;
use std::path::Path;

const BEGIN: &str = "<!-- begin generated -->\n";
const END: &str = "<!-- end generated -->\n";

/// Text in a cell of a Markdown table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn row(entry: &FaultEntry) -> String {
    let reported = if entry.kind == "row" {
        format!("`{}`", entry.code.name())
    } else if entry.faultcode.starts_with("fns:") {
        format!("`{}`", entry.faultcode)
    } else {
        format!("`{}`, in the detail `{}`", entry.faultcode, entry.code.name())
    };
    let since = if entry.code.since() > ApiVersion::FIRST {
        format!(" (below {} `{}`)", entry.code.since(), ErrorCode::UnknownError.name())
    } else {
        String::new()
    };
    let (text, cause) = (cell(&entry.text), cell(entry.cause));
    let (kind, status) = (entry.kind, entry.status);
    format!("| {reported}{since} | {kind} | {status} | `{text}` | {cause} |\n")
}

fn tables() -> String {
    let (rows, faults): (Vec<_>, Vec<_>) =
        catalogue().into_iter().partition(|entry| entry.kind == "row");
    let mut out = String::new();
    for (title, entries) in [("Faults", faults), ("Errors of rows", rows)] {
        let head = "| code | type | HTTP | text | cause |\n| --- | --- | --- | --- | --- |\n";
        let lines: String = entries.iter().map(row).collect();
        out.push_str(&format!("\n## {title}\n\n{head}{lines}"));
    }
    out.push('\n');
    out
}

#[test]
fn the_table_of_faults_is_what_the_code_answers() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/FAULTS.md");
    let written = fs::read_to_string(&path).expect("docs/FAULTS.md");
    let (intro, rest) = written.split_once(BEGIN).expect("the start of the generated part");
    let (table, outro) = rest.split_once(END).expect("the end of the generated part");
    let expected = tables();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, format!("{intro}{BEGIN}{expected}{END}{outro}")).expect("written");
    } else {
        assert_eq!(table, expected, "run the tests with UPDATE_DOCS=1 to rewrite the table");
    }
}
