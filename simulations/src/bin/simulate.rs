//! Measures Warren's routing in simulated networks. `simulate --help` says how.

use std::process::ExitCode;

fn main() -> ExitCode {
    simulations::cli::main()
}
