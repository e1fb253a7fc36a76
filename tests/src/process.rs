//! A program that runs beside the test.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// A running program whose output is read line by line. It is killed when the value goes.
#[derive(Debug)]
pub struct Process {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Process {
    /// Starts a program.
    ///
    /// # Panics
    /// If it cannot be started.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let (sender, lines) = channel();
        follow(child.stdout.take().expect("it is piped"), sender.clone());
        follow(child.stderr.take().expect("it is piped"), sender);
        Self {
            child,
            lines,
            seen: Vec::new(),
        }
    }

    /// Waits for a line, on standard output or standard error, that contains `text`.
    ///
    /// # Panics
    /// If the program ends before, or does not print it within `limit`.
    pub fn wait_for(&mut self, text: &str, limit: Duration) -> String {
        let begin = Instant::now();
        loop {
            let left = limit.saturating_sub(begin.elapsed());
            match self.lines.recv_timeout(left) {
                Ok(line) => {
                    self.seen.push(line);
                    let line = self.seen.last().expect("it was just put there");
                    if line.contains(text) {
                        return line.clone();
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    panic!("no {text:?} within {limit:?}; so far:\n{}", self.log());
                }
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("the program ended without {text:?}:\n{}", self.log());
                }
            }
        }
    }

    /// Everything printed so far, one line a line.
    pub fn log(&mut self) -> String {
        self.seen.extend(self.lines.try_iter());
        self.seen.join("\n")
    }

    /// Asks the program to stop as Ctrl-C does.
    pub fn interrupt(&self) {
        let pid = self.id();
        let sent = Command::new("sh")
            .arg("-c")
            .arg(format!("kill -INT {pid}"))
            .status();
        assert!(
            sent.is_ok_and(|status| status.success()),
            "process {pid} takes no signal"
        );
    }

    /// Kills the program without notice, as `kill -9` does.
    pub fn kill(&mut self) {
        // An error means that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits for the program to end by itself.
    ///
    /// # Panics
    /// If it does not within `limit`.
    pub fn wait(&mut self, limit: Duration) -> ExitStatus {
        let begin = Instant::now();
        loop {
            // Both pipes close when the program ends.
            match self
                .lines
                .recv_timeout(limit.saturating_sub(begin.elapsed()))
            {
                Ok(line) => self.seen.push(line),
                Err(RecvTimeoutError::Disconnected) => {
                    return self
                        .child
                        .wait()
                        .expect("the program is a child of this one");
                }
                Err(RecvTimeoutError::Timeout) => {
                    panic!("the program did not end within {limit:?}:\n{}", self.log());
                }
            }
        }
    }

    /// Whether the program still runs.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            self.show_log();
        }
    }
}

impl Process {
    #[expect(
        clippy::print_stdout,
        reason = "the test harness shows it when the test fails"
    )]
    fn show_log(&mut self) {
        let log = self.log();
        println!("--- process {}:\n{log}", self.id());
    }
}

/// Sends every line of a pipe until it closes.
fn follow(pipe: impl Read + Send + 'static, lines: Sender<String>) {
    thread::spawn(move || {
        for line in BufReader::new(pipe).split(b'\n') {
            let Ok(line) = line else { return };
            if lines
                .send(String::from_utf8_lossy(&line).into_owned())
                .is_err()
            {
                return;
            }
        }
    });
}

/// Memory that a process has now, in bytes, where the system tells (Linux).
#[must_use]
pub fn memory_now(pid: u32) -> Option<u64> {
    memory(pid, "VmRSS:")
}

/// Most memory that a process has had so far, in bytes, where the system tells (Linux).
#[must_use]
pub fn memory_peak(pid: u32) -> Option<u64> {
    memory(pid, "VmHWM:")
}

fn memory(pid: u32, field: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024)
}
