//! The client program: see [`node::fcp_cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    node::fcp_cli::main()
}
