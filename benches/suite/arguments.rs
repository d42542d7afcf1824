//! The command line of the suite.

use crate::scenarios;
use std::path::PathBuf;
use std::time::Duration;

/// What the command line asks for.
pub enum Command {
    Measure(Options),
    Help,
    /// Be the do-nothing server; the suite starts itself for that.
    Hello,
    /// Be a relay to a port that holds what it is sent for a while; the same holds.
    Relay(u16, Duration),
}

/// The shape of a run.
#[derive(Debug)]
pub struct Options {
    pub is_quick: bool,
    /// The program that is measured.
    pub gateway: PathBuf,
    /// Another build of it, which creates are compared with.
    pub base: Option<PathBuf>,
    /// Names of scenarios; all where it is empty.
    pub only: Vec<String>,
    /// Where results.json and chart.svg go.
    pub out: PathBuf,
    /// Where ledgers on "this disk" lie while they are measured.
    pub ledgers: PathBuf,
    /// The refunds of the large ledger.
    pub refunds: u64,
    /// The accounts of the ledger with many.
    pub accounts: u64,
    pub rounds: usize,
    /// How long each sample lasts.
    pub sample: Duration,
}

pub fn help() -> String {
    let names: Vec<String> = scenarios::ALL
        .iter()
        .map(|scenario| format!("    {:<12} {}", scenario.name, scenario.about))
        .collect();
    format!(
        "usage: cargo bench --bench suite -- [OPTIONS]\n\n\
         --quick          short samples and small ledgers, without the scenario `accounts`\n\
         --only NAME      one scenario; may be given several times\n\
         --gateway FILE   what is measured [the release binary of this tree]\n\
         --base FILE      another build, which takes its turn in `creates`\n\
         --out DIR        where results.json and chart.svg go [target/tmp/benchmarks]\n\
         --ledgers DIR    where ledgers on disk lie meanwhile [target/tmp]\n\
         --rounds N       samples of each contestant [7, quick 3]\n\
         --seconds S      how long a sample lasts [2, quick 0.7]\n\
         --refunds N      refunds of the large ledger [3000000, quick 100000]\n\
         --accounts N     accounts of the ledger with many [1000000]\n\n\
         scenarios:\n{}",
        names.join("\n")
    )
}

/// Reads the arguments behind the program's name.
pub fn parse(arguments: impl Iterator<Item = String>) -> Result<Command, String> {
    let arguments: Vec<String> = arguments.collect();
    let is_quick = arguments.iter().any(|argument| argument == "--quick");
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let mut options = Options {
        is_quick,
        gateway: env!("CARGO_BIN_EXE_refund-gateway").into(),
        base: None,
        only: Vec::new(),
        out: target.join("benchmarks"),
        ledgers: target,
        refunds: if is_quick { 100_000 } else { 3_000_000 },
        accounts: 1_000_000,
        rounds: if is_quick { 3 } else { 7 },
        sample: Duration::from_millis(if is_quick { 700 } else { 2_000 }),
    };
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            // Cargo adds the first.
            "--bench" | "--quick" => {}
            "hello" => return Ok(Command::Hello),
            "relay" => {
                let port = number(&value()?)?;
                let hold = Duration::from_micros(number(&value()?)?);
                return Ok(Command::Relay(port, hold));
            }
            "--help" | "-h" => return Ok(Command::Help),
            "--only" => options.only.push(known(value()?)?),
            "--gateway" => options.gateway = value()?.into(),
            "--base" => options.base = Some(value()?.into()),
            "--out" => options.out = value()?.into(),
            "--ledgers" => options.ledgers = value()?.into(),
            "--rounds" => options.rounds = number::<usize>(&value()?)?.max(1),
            "--seconds" => options.sample = Duration::from_secs_f64(number(&value()?)?),
            "--refunds" => options.refunds = number(&value()?)?,
            "--accounts" => options.accounts = number(&value()?)?,
            other => return Err(format!("`{other}` is no option")),
        }
    }
    Ok(Command::Measure(options))
}

fn known(name: String) -> Result<String, String> {
    if scenarios::ALL.iter().any(|scenario| scenario.name == name) {
        return Ok(name);
    }
    Err(format!("`{name}` is no scenario"))
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("`{text}` is no number"))
}
