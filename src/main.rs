//! The binary: hands the command line to the library and turns the result into an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    refund_gateway::cli::main()
}
