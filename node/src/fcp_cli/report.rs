//! What the user sees: the result on standard output, everything else on standard error, or JSON lines.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::arguments::{Arguments, Command, ProgressChoice};
use super::failure::{ExitStatus, Failure};
use super::progress::Bars;

/// Where lines go.
pub struct Output {
    /// Standard output, or what stands for it.
    pub out: Box<dyn Write + Send>,
    /// Standard error, or what stands for it.
    pub err: Box<dyn Write + Send>,
}

/// Tells the user what happens.
pub struct Report {
    output: Mutex<Output>,
    json: bool,
    /// Set when standard output carries the document itself.
    document_on_stdout: AtomicBool,
    bars: Bars,
}

impl Report {
    /// For the process itself. A progress bar is drawn on standard error when that is a terminal or the user
    /// asked for it.
    #[must_use]
    pub fn to_terminal(arguments: &Arguments) -> Self {
        let visible = match arguments.progress {
            ProgressChoice::Auto => io::stderr().is_terminal(),
            ProgressChoice::Always => true,
            ProgressChoice::Never => false,
        };
        let wanted = !matches!(arguments.command, Command::Keygen(_)) && !arguments.json;
        let output = Output {
            out: Box::new(io::stdout()),
            err: Box::new(io::stderr()),
        };
        let bars = if visible && wanted {
            Bars::visible()
        } else {
            Bars::Hidden
        };
        Self {
            output: Mutex::new(output),
            json: arguments.json,
            document_on_stdout: AtomicBool::new(false),
            bars,
        }
    }

    /// For any other place, without progress bars.
    #[must_use]
    pub fn to(output: Output, json: bool) -> Self {
        Self {
            output: Mutex::new(output),
            json,
            document_on_stdout: AtomicBool::new(false),
            bars: Bars::Hidden,
        }
    }

    /// From here on standard output belongs to the document; JSON lines go to standard error.
    pub(super) fn give_stdout_to_document(&self) {
        self.document_on_stdout.store(true, Ordering::Relaxed);
    }

    /// Writes a piece of the document to standard output.
    pub(super) fn write_document(&self, bytes: &[u8]) -> io::Result<()> {
        self.output().out.write_all(bytes)
    }

    /// The whole document was written.
    pub(super) fn flush_document(&self) -> io::Result<()> {
        self.output().out.flush()
    }

    /// Bytes moved between program and node.
    pub(super) fn bytes(&self, phase: &'static str, done: u64, total: u64) {
        self.bars.bytes(phase, done, total);
    }

    /// Blocks moved between the node and the network.
    pub(super) fn blocks(&self, phase: &'static str, blocks: Blocks) {
        self.bars.blocks(phase, blocks);
        if self.json {
            let Blocks {
                done,
                needed,
                total,
            } = blocks;
            self.json_line(&json!({ "type": "status", "phase": phase, "done": done, "needed": needed, "total": total }));
        }
    }

    /// Something worth knowing that is neither result nor failure.
    pub(super) fn note(&self, text: &str) {
        if self.json {
            self.json_line(&json!({ "type": "status", "note": text }));
        } else {
            self.bars.suspend(|| self.line_to_err(text));
        }
    }

    /// The result: `text` for people, or the fields of `value` as a JSON line.
    pub(super) fn result(&self, text: &str, mut value: Value) -> Result<(), Failure> {
        self.bars.clear();
        if self.json {
            value["type"] = "result".into();
            self.json_line(&value);
            return Ok(());
        }
        if text.is_empty() {
            return Ok(());
        }
        let mut output = self.output();
        let written = writeln!(output.out, "{text}").and_then(|()| output.out.flush());
        drop(output);
        written.map_err(|error| {
            Failure::local("the result could not be written to standard output", error)
        })
    }

    /// Tells of a failure, and says how the process is to end.
    pub fn fail(&self, failure: &Failure) -> ExitStatus {
        self.bars.clear();
        let Failure {
            status,
            what,
            why,
            next,
        } = failure;
        if self.json {
            let code = status.number();
            self.json_line(
                &json!({ "type": "error", "code": code, "what": what, "why": why, "next": next }),
            );
            return *status;
        }
        self.line_to_err(&format!("fcp: {what}"));
        if let Some(why) = why {
            self.line_to_err(&format!("  why: {why}"));
        }
        if let Some(next) = next {
            self.line_to_err(&format!("  next: {next}"));
        }
        *status
    }

    fn json_line(&self, value: &Value) {
        let mut output = self.output();
        let target = if self.document_on_stdout.load(Ordering::Relaxed) {
            &mut output.err
        } else {
            &mut output.out
        };
        // Nobody reads any longer; the exit code still tells.
        drop(writeln!(target, "{value}").and_then(|()| target.flush()));
    }

    fn line_to_err(&self, text: &str) {
        // As above.
        drop(writeln!(self.output().err, "{text}"));
    }

    fn output(&self) -> MutexGuard<'_, Output> {
        self.output.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many blocks of a request are done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Blocks {
    /// Found or stored.
    pub(super) done: u64,
    /// Enough to finish.
    pub(super) needed: u64,
    /// All there are.
    pub(super) total: u64,
}
