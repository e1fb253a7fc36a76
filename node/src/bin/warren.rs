//! The program `warren`: a node, and what is needed to look after it.

use std::process::ExitCode;

fn main() -> ExitCode {
    node::warren_cli::main()
}
