//! The program `simulate`: what the user asks for, and what is shown.

mod arguments;
mod commands;
mod print;
mod progress_bar;

use std::process::ExitCode;

use clap::Parser as _;

use arguments::Arguments;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// Everything was done, and no figure misses its bar.
    Well = 0,
    /// A figure misses its bar, or a scenario could not be run.
    Failed = 1,
    /// The user asked for what does not exist or cannot be read.
    Usage = 2,
    /// The results could not be written.
    Unwritten = 3,
}

/// Does what the command line says.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let ended = commands::carry_out(arguments.command).unwrap_or_else(|failure| {
        print::error(&failure.error);
        failure.ended
    });
    ExitCode::from(ended as u8)
}
