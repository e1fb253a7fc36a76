//! Log set-up. What goes into the log is decided where it is written: never keys asked for, addresses or content above
//! the level `trace`.

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::LogLevel;

/// Sends the log to stderr, our own crates at `level` and libraries at `warn` at most. `RUST_LOG`, a list such as
/// `warn,node=debug`, overrides both. A second call changes nothing.
pub fn start(level: LogLevel) {
    let given = std::env::var("RUST_LOG")
        .ok()
        .filter(|text| !text.is_empty());
    let filter = given
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| default_filter(level));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let subscriber = tracing_subscriber::registry().with(lines).with(filter);
    // An error means that a log is set up already.
    let _ = subscriber.try_init();
}

fn default_filter(level: LogLevel) -> Targets {
    let others = match level {
        LogLevel::Off | LogLevel::Error => level,
        LogLevel::Warn | LogLevel::Info | LogLevel::Debug | LogLevel::Trace => LogLevel::Warn,
    };
    // quinn_udp names the peer's address when a packet cannot be sent.
    format!("{others},quinn_udp=error,crypto={level},routing={level},fproxy={level},node={level}")
        .parse()
        .expect("names of crates and of levels make a list of targets")
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Level;

    #[test]
    fn libraries_stay_quiet_when_our_own_level_is_high() {
        let loud = default_filter(LogLevel::Trace);
        assert!(loud.would_enable("node::link", &Level::TRACE));
        assert!(loud.would_enable("quinn", &Level::WARN));
        assert!(!loud.would_enable("quinn", &Level::INFO));
        assert!(!loud.would_enable("quinn_udp", &Level::WARN));
        let silent = default_filter(LogLevel::Off);
        assert!(!silent.would_enable("node", &Level::ERROR));
        assert!(!silent.would_enable("quinn", &Level::ERROR));
    }

    #[test]
    fn every_level_has_its_filter() {
        use LogLevel::{Debug, Error, Info, Off, Trace, Warn};
        for level in [Off, Error, Warn, Info, Debug, Trace] {
            assert_eq!(
                default_filter(level).would_enable("node", &Level::INFO),
                matches!(level, Info | Debug | Trace),
                "{level}"
            );
        }
    }
}
