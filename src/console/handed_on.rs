//! An exchange as a command that sends it again, and as a case of a catalogue that `replay` reads.
//!
//! What must stay true: no secret is in either; where one was, stands the placeholder that a replay
//! fills; a shell takes the bodies as they are.

use super::exchange::Exchange;
use crate::domain::secret::HIDDEN;

/// How much of the text before a secret is looked at to find what it is, in bytes.
const BEFORE_BYTES: usize = 120;

/// A file of a case.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct File {
    pub(super) name: &'static str,
    pub(super) text: String,
}

/// The command that sends a call again, for a shell.
pub(super) fn as_curl(exchange: &Exchange, url: &str) -> String {
    let body = with_placeholders(exchange.request.as_deref().unwrap_or_default());
    let url = quoted(&format!("{url}{}", exchange.path));
    let method = match exchange.method.as_str() {
        "POST" => String::new(),
        method => format!(" --request {method}"),
    };
    let proof = if exchange.is_soap() { "" } else { " -H \"Authorization: Bearer $session\"" };
    let key = exchange
        .key
        .as_ref()
        .map(|key| format!(" -H {}", quoted(&format!("Idempotency-Key: {key}"))));
    let key = key.unwrap_or_default();
    if body.is_empty() {
        return format!(
            "session=   # of a login\ncurl --show-error --silent {url}{method}{proof}{key}\n"
        );
    }
    let media = if exchange.is_soap() { "text/xml; charset=utf-8" } else { "application/json" };
    let end = end_of(&body);
    format!(
        "session=   # of a login\n\
         sed \"s|{{{{session}}}}|$session|\" <<'{end}' |\n\
         {body}\n\
         {end}\n\
         curl --show-error --silent {url}{method} \\\n  -H {}{proof}{key} --data-binary @-\n",
        quoted(&format!("Content-Type: {media}"))
    )
}

/// The files of a case with this exchange.
pub(super) fn as_fixture(exchange: &Exchange) -> Vec<File> {
    let (request, response) = match exchange.is_soap() {
        true => ("request.xml", "response.xml"),
        false => ("request.json", "response.json"),
    };
    let body = |text: &Option<String>| with_placeholders(text.as_deref().unwrap_or_default());
    let about = format!(
        "A call of {} that was answered {}; from the journal, {}.\n",
        exchange.operation,
        exchange.status_word(),
        exchange.moment()
    );
    let mut rules = format!("path = \"{}\"\n", exchange.path);
    if exchange.method != "POST" {
        rules.push_str(&format!("method = \"{}\"\n", exchange.method));
    }
    if let Some(status) = exchange.status {
        rules.push_str(&format!("status = {status}\n"));
    }
    vec![
        File { name: request, text: body(&exchange.request) },
        File { name: response, text: body(&exchange.answer) },
        File { name: "about.md", text: about },
        File { name: "replay.toml", text: rules },
    ]
}

/// A text with the placeholders of a replay in the place of its secrets.
fn with_placeholders(text: &str) -> String {
    let mut pieces = text.split(HIDDEN);
    let mut written = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let start = written.floor_char_boundary(written.len().saturating_sub(BEFORE_BYTES));
        let before = written.get(start..).unwrap_or_default();
        let name = holder(before);
        written.push_str(match name.to_ascii_lowercase().as_str() {
            "session" => "{{session}}",
            "password" => "{{password}}",
            _ => "{{secret}}",
        });
        written.push_str(piece);
    }
    written
}

/// The name of the element, or of the member, whose value follows `before`.
fn holder(before: &str) -> &str {
    if before.ends_with('>') {
        let tag = before.rsplit('<').next().unwrap_or_default();
        let name = tag.split(['>', ' ', '\n', '\t']).next().unwrap_or_default();
        return name.rsplit(':').next().unwrap_or_default();
    }
    before
        .rsplit('"')
        .find(|text| text.starts_with(|first: char| first.is_alphabetic()))
        .unwrap_or_default()
}

/// A word that ends a text for a shell and is no line of it.
fn end_of(text: &str) -> String {
    let mut end = "END".to_owned();
    while text.lines().any(|line| line == end) {
        end.push('D');
    }
    end
}

/// A text in quotes, for a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(request: &str) -> Exchange {
        Exchange {
            id: 7,
            method: "POST".to_owned(),
            path: "/apps/services/a/91.0".to_owned(),
            operation: "login".to_owned(),
            request: Some(request.to_owned()),
            status: Some(200),
            ..Exchange::default()
        }
    }

    #[test]
    fn secrets_become_placeholders() {
        let text = format!(
            "<a:session>{HIDDEN}</a:session><b><Password x='1'>{HIDDEN}</Password></b>\
             <CardNumber>{HIDDEN}</CardNumber>"
        );
        let expected = "<a:session>{{session}}</a:session><b><Password x='1'>{{password}}\
                        </Password></b><CardNumber>{{secret}}</CardNumber>";
        assert_eq!(with_placeholders(&text), expected);
        let json = format!("{{\"password\":\"{HIDDEN}\"}}");
        assert_eq!(with_placeholders(&json), "{\"password\":\"{{password}}\"}");
    }

    #[test]
    fn a_command_holds_the_call_as_it_was() {
        let command = as_curl(&exchange("<a>it's\nEND\n$x</a>"), "http://127.0.0.1:8080");
        assert!(command.contains("<<'ENDD' |\n<a>it's\nEND\n$x</a>\nENDD\n"), "{command}");
        assert!(command.contains("'http://127.0.0.1:8080/apps/services/a/91.0'"), "{command}");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }

    #[test]
    fn a_case_has_the_files_of_the_catalogue() {
        let files = as_fixture(&exchange("<a/>"));
        let names: Vec<_> = files.iter().map(|file| file.name).collect();
        assert_eq!(names, ["request.xml", "response.xml", "about.md", "replay.toml"]);
        assert_eq!(files[3].text, "path = \"/apps/services/a/91.0\"\nstatus = 200\n");
    }
}
