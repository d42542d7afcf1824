//! `config`: an example of a configuration file, and whether a file can be used.
//!
//! What must stay true: the example names every setting with the value that it has without a file.

use super::check;
use super::exit::{ExitStatus, Failure, FailureCode, OrFail};
use super::options::Options;
use super::terminal;
use clap::{ArgMatches, Args as _, FromArgMatches, Subcommand};
use std::path::{Path, PathBuf};

/// Every setting with its default, as a file.
const EXAMPLE: &str = include_str!("config/example.toml");

/// Print an example of a configuration file, or check one
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Print a configuration file that names every setting with its default
    Example,
    /// Check a configuration file by itself, and print every setting and where it came from
    Check {
        /// The file
        #[arg(value_name = "FILE.toml")]
        file: PathBuf,
    },
}

/// Prints the example, or what a file comes to.
pub(super) fn run(args: Args) -> Result<ExitStatus, Failure> {
    match args.what {
        What::Example => terminal::data(EXAMPLE.trim_end())?,
        What::Check { file } => {
            let (options, matches) = only_file(&file)?;
            check::print_settings(options, &matches)?;
        }
    }
    Ok(ExitStatus::Done)
}

/// The options of `serve` where the command line names this file and the environment says nothing,
/// so that the same file has the same result everywhere.
fn only_file(file: &Path) -> Result<(Options, ArgMatches), Failure> {
    let doing = "reading the options of serve";
    let command = Options::augment_args(clap::Command::new("serve"));
    let command = command.mut_args(|argument| argument.env(None));
    let line = ["serve".into(), "--config".into(), file.as_os_str().to_owned()];
    let matches = command.try_get_matches_from(line).or_fail(FailureCode::Usage, doing)?;
    let options = Options::from_arg_matches(&matches).or_fail(FailureCode::Usage, doing)?;
    Ok((options, matches))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::settings::{Effective, Settings};
    use std::collections::BTreeMap;

    /// What a file with this text comes to, by key.
    fn settings(folder: &Path, text: &str) -> BTreeMap<String, Effective> {
        let file = folder.join("gateway.toml");
        std::fs::write(&file, text).unwrap();
        let (options, matches) = only_file(&file).unwrap();
        let settings = Settings::gather(options, &matches).map_err(|failure| failure.error);
        let report = settings.unwrap().report;
        report.into_iter().map(|setting| (setting.key.clone(), setting)).collect()
    }

    /// The example with every line in force, its secrets in `folder`.
    fn in_force(folder: &Path) -> String {
        let is_setting =
            |rest: &str| rest.starts_with(|c: char| c.is_ascii_lowercase() || "[\"".contains(c));
        let line = |line: &str| match line.strip_prefix('#') {
            Some(rest) if is_setting(rest) => rest.to_owned(),
            _ => line.to_owned(),
        };
        let text: Vec<String> = EXAMPLE.lines().map(line).collect();
        for secret in ["bank.secret", "webhook.secret"] {
            std::fs::write(folder.join(secret), "0123456789abcdef0123456789abcdef").unwrap();
        }
        text.join("\n").replace("/etc/refund-gateway", &folder.display().to_string())
    }

    #[test]
    fn the_example_changes_nothing_as_it_stands() {
        let folder = tempfile::tempdir().unwrap();
        let (empty, example) = (settings(folder.path(), ""), settings(folder.path(), EXAMPLE));
        let values = |settings: &BTreeMap<String, Effective>| {
            settings.values().map(|one| (one.key.clone(), one.value.clone())).collect::<Vec<_>>()
        };
        assert_eq!(values(&empty), values(&example));
    }

    #[test]
    fn the_example_names_every_setting_with_its_default() {
        let folder = tempfile::tempdir().unwrap();
        let defaults = settings(folder.path(), "");
        let named = settings(folder.path(), &in_force(folder.path()));
        for (key, default) in &defaults {
            let one = &named[key];
            // The example's clock and id_seed make the ledger one for tests, and a switch of TLS
            // that is off counts as one that is not there.
            if key == "test" || key == "tls_self_signed" {
                continue;
            }
            assert!(one.origin.contains("gateway.toml:"), "{key} is not in the example");
            // What has no default is shown with an example.
            if !["none", "[]"].contains(&default.value.as_str()) {
                assert_eq!(one.value, default.value, "{key}");
            }
        }
        for key in
            ["gateway.Bank.timeout_ms", "gateway.Bank.breaker.open_ms", "webhook.bookkeeping.url"]
        {
            assert!(named.contains_key(key), "{key}");
        }
    }
}
