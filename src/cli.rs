//! The command line: one file a subcommand, and one list of exit codes.
//!
//! Data goes to stdout and everything else to stderr. An error says what failed, where, and what
//! helps; anyhow is used here and nowhere else.

pub mod exit;
mod exposure;

mod admin;
mod admin_authorities;
mod admin_url;
mod check;
mod complaint;
mod config;
mod configuration;
mod copies;
mod credentials;
mod demo;
mod doors;
mod events;
mod explain;
mod gateways;
mod in_process;
mod ledger;
mod ledgers;
mod logging;
mod manual;
mod operation;
mod operator;
mod options;
mod processor;
mod progress;
mod ranges;
mod reconcile;
mod record;
mod refund;
mod reload;
mod replay;
mod roots;
mod secrets;
mod seed;
mod self_signed;
mod serve;
mod setting;
mod settings;
mod signals;
mod terminal;
mod token;
mod user;
mod values;
mod variables;
mod webhooks;

use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};
use exit::{ExitStatus, Failure};
use std::io::{self, IsTerminal};
use std::process::ExitCode;

/// A SOAP server that stands in for Zuora's legacy endpoint for refunds
///
/// Every option can be given as an environment variable too, and those of `serve` in the file that
/// --config names. The command line wins over the environment, and both win over the file.
#[derive(Parser)]
#[command(name = "refund-gateway", version, after_help = exit::table())]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Serve(serve::Args),
    Replay(replay::Args),
    Record(record::Args),
    Seed(seed::Args),
    User(user::Args),
    Tenant(setting::Tenant),
    Gateway(setting::Gateway),
    Refund(refund::Args),
    Reconcile(reconcile::Args),
    Events(events::Args),
    Explain(explain::Args),
    Check(check::Args),
    Config(configuration::Args),
    Backup(copies::BackupArgs),
    Restore(copies::RestoreArgs),
    Ledger(ledgers::Args),
    Admin(admin::Args),
    Completions(manual::CompletionsArgs),
    Man(manual::ManArgs),
}

/// The command line of the whole program.
fn whole_command() -> clap::Command {
    Cli::command()
}

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    let matches = match whole_command().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => return refuse(&error),
    };
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    match run(cli.command, &matches) {
        Ok(status) => ExitCode::from(status as u8),
        Err(failure) => {
            terminal::note(&format!("error: {:#}", failure.error));
            ExitCode::from(failure.code as u8)
        }
    }
}

/// Prints what clap has to say: an error, or the help or version that was asked for.
fn refuse(error: &clap::Error) -> ExitCode {
    let rendered = error.render();
    let coloured =
        if io::stderr().is_terminal() { rendered.ansi().to_string() } else { rendered.to_string() };
    match error.use_stderr().then(|| in_words(&coloured)).flatten() {
        Some(text) => terminal::note(text.trim_end()),
        // A reader that goes away has seen enough.
        None => drop(error.print()),
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(exit::FailureCode::Usage as u8))
}

/// What `text` says in words for users, and without the URL of a ledger, which may hold a password;
/// nothing where that is the same.
fn in_words(text: &str) -> Option<String> {
    let arguments = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned());
    let urls = arguments.filter_map(|argument| {
        let value = argument.split_once('=').map(|(_, value)| value.to_owned());
        [Some(argument), value].into_iter().flatten().find(|one| values::is_on_server(one))
    });
    let hidden = urls.fold(text.to_owned(), |text, url| text.replace(&url, "postgres://…"));
    numbers_in_words(&hidden).or_else(|| (hidden != text).then_some(hidden))
}

/// What is said of a number that is none, in words for users, if `text` says such a thing.
fn numbers_in_words(text: &str) -> Option<String> {
    let words = [
        ("invalid digit found in string", "it must be a whole number"),
        ("cannot parse integer from empty string", "it must be a whole number"),
        ("number too large to fit in target type", "it is too large"),
        ("number too small to fit in target type", "it is too small"),
    ];
    let (theirs, ours) = words.iter().find(|(theirs, _)| text.contains(theirs))?;
    Some(text.replace(theirs, ours))
}

fn run(command: Command, matches: &ArgMatches) -> Result<ExitStatus, Failure> {
    let matches = matches.subcommand().map_or(matches, |(_, of_command)| of_command);
    match command {
        Command::Serve(args) => serve::run(args, matches),
        Command::Replay(args) => replay::run(args),
        Command::Record(args) => record::run(&args),
        Command::Seed(args) => seed::run(args),
        Command::User(args) => user::run(args),
        Command::Tenant(args) => setting::run_tenant(args),
        Command::Gateway(args) => setting::run_gateway(args),
        Command::Refund(args) => refund::run(args),
        Command::Reconcile(args) => reconcile::run(args),
        Command::Events(args) => events::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Check(args) => check::run(args, matches),
        Command::Config(args) => configuration::run(args),
        Command::Backup(args) => copies::run_backup(args),
        Command::Restore(args) => copies::run_restore(&args),
        Command::Ledger(args) => ledgers::run(&args),
        Command::Admin(args) => admin::run(args),
        Command::Completions(args) => manual::complete(&args, whole_command()),
        Command::Man(args) => manual::write(&args, whole_command()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
