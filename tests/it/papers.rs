//! The papers say what the program does: settings and their defaults, exit codes, the seed.

use self::capacity::{Figures, sizes, table};
use crate::gateway::{finish, program};
use refund_gateway::cli::exit;
use refund_gateway::domain::presets::PRESETS;
use refund_gateway::processor::http::Secret;
use refund_gateway::service::seed::Seed;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fs;
use tempfile::TempDir;

#[allow(dead_code, reason = "a program of its own, of which the figures are asked for")]
#[path = "../../examples/capacity.rs"]
mod capacity;

const README: &str = include_str!("../../README.md");
const PROCESSORS: &str = include_str!("../../docs/PROCESSORS.md");
const SCALE: &str = include_str!("../../docs/SCALE.md");
const SEED: &str = include_str!("../../docs/SEED.md");

/// The first cells of the README's table rows that begin with `key` in backticks.
fn settings_in_readme() -> BTreeSet<(String, String)> {
    let rows = README.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| {
        let (key, rest) = row.split_once("` | `")?;
        let (default, _) = rest.split_once("` |")?;
        Some((key.to_owned(), default.to_owned()))
    })
    .collect()
}

#[test]
fn the_readme_lists_every_setting_with_its_default() {
    let folder = TempDir::new().unwrap();
    let output = finish(program(folder.path()).arg("check"));
    assert!(output.status.success());
    let printed: BTreeSet<(String, String)> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?.to_owned(), words.next()?.to_owned()))
        })
        .collect();
    assert!(printed.len() > 30, "{printed:?}");
    assert_eq!(settings_in_readme(), printed);
}

#[test]
fn the_readme_lists_every_exit_code() {
    for (code, _) in exit::ALL {
        let row = format!("| {code} | ");
        assert!(README.lines().any(|line| line.starts_with(&row)), "{code}");
    }
}

#[test]
fn the_documented_seed_is_one() {
    let (_, rest) = SEED.split_once("```toml\n").unwrap();
    let (text, _) = rest.split_once("```").unwrap();
    Seed::parse(text).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn the_worked_signatures_are_right() {
    let (_, example) = PROCESSORS.split_once("## A worked example").unwrap();
    let mut blocks = example.split("```").skip(1).step_by(2);
    let mut block = || blocks.next().unwrap().split_once('\n').unwrap().1.trim_end().to_owned();
    let (body, digest, signed, sent, inquiry) = (block(), block(), block(), block(), block());
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert_eq!(hex(&Sha256::digest(&body)), digest);
    let lines: Vec<&str> = signed.lines().collect();
    let ["v1", method, path, time, of_body] = lines[..] else { panic!("{signed}") };
    assert_eq!(of_body, digest);
    let quoted = example.split('`').nth(1).unwrap();
    let secret = Secret::parse(quoted).unwrap();
    let time = time.parse().unwrap();
    let signature = secret.sign(method, path, time, body.as_bytes());
    assert!(sent.ends_with(&format!("Refund-Gateway-Signature: {signature}")), "{signature}");
    let reference = sent.split_once("Idempotency-Key: ").unwrap().1.lines().next().unwrap();
    assert!(body.contains(reference));
    assert_eq!(secret.sign("GET", &format!("{path}/{reference}"), time, b""), inquiry);
}

#[test]
fn the_documented_gateway_is_one() {
    let (_, rest) = PROCESSORS.split_once("```toml\n").unwrap();
    let (text, _) = rest.split_once("```").unwrap();
    let folder = TempDir::new().unwrap();
    let authority = rcgen::generate_simple_self_signed(Vec::new()).unwrap().cert.pem();
    fs::write(folder.path().join("ca.pem"), authority).unwrap();
    fs::write(folder.path().join("secret"), "0123456789abcdef\n").unwrap();
    let text =
        text.replace("/etc/ssl/our-ca.pem", "ca.pem").replace("/run/secrets/cards", "secret");
    fs::write(folder.path().join("c.toml"), &text).unwrap();
    let output = finish(program(folder.path()).args(["check", "--config", "c.toml"]));
    let reported = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{reported}{}", String::from_utf8_lossy(&output.stderr));
    let shown = reported.lines().filter_map(|line| line.strip_prefix("gateway.cards."));
    for line in shown {
        let key = line.split([' ', '.']).next().unwrap();
        let is_written = text.lines().any(|line| line.contains(key));
        assert!(is_written, "{key} is not in the paper");
    }
    let plain = "[[gateway]]\nname = 'cards'\nkind = 'http'\nurl = 'http://127.0.0.1'\n\
                 secret_file = 'secret'\n";
    fs::write(folder.path().join("c.toml"), plain).unwrap();
    let output = finish(program(folder.path()).args(["check", "--config", "c.toml"]));
    let reported = String::from_utf8(output.stdout).unwrap();
    let numbers = ["connect_timeout_ms", "timeout_ms", "connections_max", "key_retention_h"];
    for key in [&numbers[..], &["breaker.failures", "breaker.open_ms"]].concat() {
        let row = reported.lines().find(|line| line.starts_with(&format!("gateway.cards.{key} ")));
        let default = row.and_then(|row| row.split_whitespace().nth(1)).unwrap();
        let written = format!("{} = {default}", key.trim_start_matches("breaker."));
        assert!(text.contains(&written), "{written} is not in the paper");
    }
}

/// What docs/SCALE.md shows of the model is what it prints, and what it says of other figures.
#[test]
fn the_table_of_scale_is_what_the_model_prints() {
    let figures = Figures::default();
    let sized = sizes(&figures);
    for shown in [&sized, &table(&figures)] {
        assert!(SCALE.contains(shown.as_str()), "{shown}");
    }
    let with = |name: &str, value: f64| {
        let mut figures = Figures::default();
        assert!(figures.set(name, value), "{name}");
        sizes(&figures)
    };
    // "With the six trips … it was 7.5 ms, and 34,000 refunds a second."
    let slower = with("--trips", 6.0);
    assert!(slower.starts_with("a shard: 7.5 ms a batch of 256, 34"), "{slower}");
    assert!(SCALE.contains("(`--trips 6`) it was 7.5 ms") && SCALE.contains("34,000 refunds"));
    // "With five of a hundred calls across two shards four are just enough".
    let across = with("--across", 0.05);
    assert!(across.contains(": 4 shards") && SCALE.contains("(`--across 0.05`) four are"));
}

#[test]
fn every_preset_is_documented() {
    for preset in PRESETS {
        let yes = |is_so: bool| if is_so { "yes" } else { "no" };
        let types = preset.method_types.map_or_else(
            || "all".to_owned(),
            |types| types.iter().map(|one| one.name()).collect::<Vec<_>>().join(", "),
        );
        let window = preset
            .refund_window_days
            .map_or_else(|| "none".to_owned(), |days| format!("{days} days"));
        let (name, referenced) = (preset.name, yes(preset.referenced_refunds));
        let non_referenced = yes(preset.non_referenced_refunds);
        let row = format!("| `{name}` | {referenced} | {non_referenced} | {types} | {window} |");
        assert!(PROCESSORS.lines().any(|line| line == row), "{row}");
    }
}
