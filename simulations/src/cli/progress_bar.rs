//! How far it is, on the terminal.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar as Bar, ProgressStyle};

use crate::experiment::Progress;

/// A bar on stderr; nothing if that is no terminal.
pub(super) struct ProgressBar {
    bar: Bar,
    scenarios: usize,
    begun: AtomicUsize,
}

impl ProgressBar {
    pub(super) fn new(scenarios: usize) -> Self {
        let style = ProgressStyle::with_template(
            "{prefix} {wide_bar} {pos}/{len} {msg}, {elapsed} gone, about {eta} left",
        )
        .expect("a template without mistakes");
        let bar = Bar::new(1).with_style(style);
        bar.enable_steady_tick(Duration::from_millis(500));
        Self {
            bar,
            scenarios,
            begun: AtomicUsize::new(0),
        }
    }

    /// The next scenario begins.
    pub(super) fn next(&self, name: &str) {
        let number = self.begun.fetch_add(1, Ordering::Relaxed) + 1;
        self.bar
            .set_prefix(format!("[{number}/{}] {name}", self.scenarios));
        self.begin("", 1);
    }

    /// Prints something while the bar is out of the way.
    pub(super) fn aside<R>(&self, print: impl FnOnce() -> R) -> R {
        self.bar.suspend(print)
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for ProgressBar {
    fn begin(&self, what: &str, steps: u64) {
        self.bar.set_message(what.to_owned());
        self.bar.set_length(steps);
        self.bar.set_position(0);
        self.bar.reset_eta();
    }

    fn advance(&self, steps: u64) {
        self.bar.inc(steps);
    }
}
