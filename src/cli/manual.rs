//! `completions` and `man`: what shells and `man` know of the command line, made from the command
//! line itself. Packages install both.

use super::exit::{ExitStatus, Failure, FailureCode, OrFail};
use super::terminal;
use clap::Command;
use clap_complete::Shell;
use std::path::PathBuf;

/// The program's name on a command line.
const PROGRAM: &str = "refund-gateway";

/// Print what a shell needs to complete this program's command lines
#[derive(Debug, clap::Args)]
pub(super) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Write the manual pages, one for each subcommand, into a folder
#[derive(Debug, clap::Args)]
pub(super) struct ManArgs {
    /// The folder, which is made if it is not there
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Prints the completions of a shell.
pub(super) fn complete(
    args: &CompletionsArgs,
    mut command: Command,
) -> Result<ExitStatus, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, PROGRAM, &mut script);
    terminal::data(String::from_utf8_lossy(&script).trim_end())?;
    Ok(ExitStatus::Done)
}

/// Writes the manual pages.
pub(super) fn write(args: &ManArgs, command: Command) -> Result<ExitStatus, Failure> {
    let folder = &args.folder;
    let doing = format!("writing manual pages to {}", folder.display());
    std::fs::create_dir_all(folder).or_fail(FailureCode::Runtime, &doing)?;
    clap_mangen::generate_to(command, folder).or_fail(FailureCode::Runtime, &doing)?;
    Ok(ExitStatus::Done)
}
