//! The binary: hands the command line to the library and turns the result into an exit code.

use mimalloc::MiMalloc;
use std::process::ExitCode;

/// Requests come and go by the thousand, and passwords are hashed in large blocks on threads of
/// their own, which the system's allocator would keep for each thread.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    refund_gateway::cli::main()
}
