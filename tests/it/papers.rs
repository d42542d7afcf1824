//! The papers say what the program does: settings and their defaults, exit codes, the seed.

use crate::gateway::{finish, program};
use refund_gateway::cli::exit;
use refund_gateway::service::seed::Seed;
use std::collections::BTreeSet;
use tempfile::TempDir;

const README: &str = include_str!("../../README.md");
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
