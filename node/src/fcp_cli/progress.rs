//! The progress bar on standard error.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::report::Blocks;

/// Redraws in a second at most, unless the environment variable `FCP_PROGRESS_FPS` says otherwise.
const FRAMES_PER_SECOND: u8 = 10;
/// Fast enough that a search without news is seen to go on.
const TICK: Duration = Duration::from_millis(250);

/// One bar that changes its meaning with the phase of the work. Without colours, so `NO_COLOR` is always respected.
pub(super) struct Bars {
    bar: ProgressBar,
}

impl Bars {
    /// A bar on standard error, whether or not that is a terminal.
    pub(super) fn visible() -> Self {
        let frames = std::env::var("FCP_PROGRESS_FPS")
            .ok()
            .and_then(|frames| frames.parse().ok());
        let target =
            ProgressDrawTarget::stderr_with_hz(frames.unwrap_or(FRAMES_PER_SECOND).clamp(1, 60));
        let bar = ProgressBar::with_draw_target(None, target);
        bar.set_style(
            ProgressStyle::with_template("{spinner} {msg} {elapsed}")
                .expect("the template is right"),
        );
        bar.enable_steady_tick(TICK);
        Self { bar }
    }

    /// No bar.
    pub(super) fn hidden() -> Self {
        Self {
            bar: ProgressBar::hidden(),
        }
    }

    /// Shows bytes moved between program and node.
    pub(super) fn bytes(&self, phase: &'static str, done: u64, total: u64) {
        self.style("{msg} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec} eta {eta}");
        self.bar.set_message(phase);
        self.bar.set_length(total);
        self.bar.set_position(done);
    }

    /// Shows blocks moved between the node and the network; the bar is full when enough are there.
    pub(super) fn blocks(&self, phase: &'static str, blocks: Blocks) {
        let Blocks {
            done,
            needed,
            total,
        } = blocks;
        self.style("{msg} {percent}% [{bar:30}] {elapsed} eta {eta}");
        self.bar
            .set_message(format!("{phase}: {done} blocks of {total} (need {needed})"));
        self.bar.set_length(needed.max(1));
        self.bar.set_position(done.min(needed));
    }

    /// Takes the bar away while something else is printed.
    pub(super) fn suspend(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }

    /// Takes the bar away for good.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    fn style(&self, template: &str) {
        self.bar.set_style(
            ProgressStyle::with_template(template)
                .expect("the template is right")
                .progress_chars("=> "),
        );
    }
}
