//! Progress on standard error: a bar on a terminal, lines elsewhere when the user asks for them.

use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::report::Blocks;

/// Redraws in a second at most, unless the environment variable `FCP_PROGRESS_FPS` says otherwise.
const FRAMES_PER_SECOND: u8 = 10;
/// Fast enough that a search without news is seen to go on.
const TICK: Duration = Duration::from_millis(250);
/// Time between two lines where there is no terminal.
const LINE_PAUSE: Duration = Duration::from_secs(1);

/// How progress is shown. Without colours, so `NO_COLOR` is always respected.
pub(super) enum Bars {
    /// Not at all.
    Hidden,
    /// One bar that changes its meaning with the phase of the work.
    Drawn(ProgressBar),
    /// A line now and then; the time of the last one.
    Lines(Mutex<Option<Instant>>),
}

impl Bars {
    /// A bar if standard error is a terminal, else lines.
    pub(super) fn visible() -> Self {
        if !io::stderr().is_terminal() {
            return Self::Lines(Mutex::default());
        }
        let frames = std::env::var("FCP_PROGRESS_FPS").ok();
        let frames = frames
            .and_then(|frames| frames.parse().ok())
            .unwrap_or(FRAMES_PER_SECOND);
        let target = ProgressDrawTarget::stderr_with_hz(frames.clamp(1, 60));
        let bar = ProgressBar::with_draw_target(None, target);
        bar.set_style(style("{spinner} {msg} {elapsed}"));
        bar.enable_steady_tick(TICK);
        Self::Drawn(bar)
    }

    /// Shows bytes moved between program and node.
    pub(super) fn bytes(&self, phase: &'static str, done: u64, total: u64) {
        match self {
            Self::Hidden => {}
            Self::Drawn(bar) => {
                bar.set_style(style(
                    "{msg} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec} eta {eta}",
                ));
                bar.set_message(phase);
                bar.set_length(total);
                bar.set_position(done);
            }
            Self::Lines(last) => line(last, &format!("{phase}: {done} bytes of {total}")),
        }
    }

    /// Shows blocks moved between the node and the network; the bar is full when enough are there.
    pub(super) fn blocks(&self, phase: &'static str, blocks: Blocks) {
        let Blocks {
            done,
            needed,
            total,
        } = blocks;
        let text = format!("{phase}: {done} blocks of {total} (need {needed})");
        match self {
            Self::Hidden => {}
            Self::Drawn(bar) => {
                bar.set_style(style("{msg} {percent}% [{bar:30}] {elapsed} eta {eta}"));
                bar.set_message(text);
                bar.set_length(needed.max(1));
                bar.set_position(done.min(needed));
            }
            Self::Lines(last) => line(last, &text),
        }
    }

    /// Takes the bar away while something else is printed.
    pub(super) fn suspend(&self, print: impl FnOnce()) {
        match self {
            Self::Hidden | Self::Lines(_) => print(),
            Self::Drawn(bar) => bar.suspend(print),
        }
    }

    /// Takes the bar away for good.
    pub(super) fn clear(&self) {
        if let Self::Drawn(bar) = self {
            bar.finish_and_clear();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .expect("the templates in this file are right")
        .progress_chars("=> ")
}

fn line(last: &Mutex<Option<Instant>>, text: &str) {
    let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
    if last.is_none_or(|last| last.elapsed() >= LINE_PAUSE) {
        *last = Some(Instant::now());
        // Nobody reads any longer; the exit code still tells.
        drop(writeln!(io::stderr(), "fcp: {text}"));
    }
}
