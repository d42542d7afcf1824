//! The binary: hands the command line to the library and turns the result into an exit code.

fn main() {}
