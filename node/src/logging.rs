//! Log set-up. What goes into the log is decided where it is written: never keys asked for, addresses or content above
//! the level `trace`.

use tracing_subscriber::EnvFilter;

use crate::config::LogLevel;

/// Sends the log to stderr, our own crates at `level` and libraries at `warn` at most. `RUST_LOG` overrides both.
/// A second call changes nothing.
pub fn start(level: LogLevel) {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default_filter(level)));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // An error means that a log is set up already.
    let _ = subscriber.try_init();
}

fn default_filter(level: LogLevel) -> String {
    let others = match level {
        LogLevel::Off | LogLevel::Error => level,
        LogLevel::Warn | LogLevel::Info | LogLevel::Debug | LogLevel::Trace => LogLevel::Warn,
    };
    // quinn_udp names the peer's address when a packet cannot be sent.
    format!("{others},quinn_udp=error,crypto={level},routing={level},fproxy={level},node={level}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_stay_quiet_when_our_own_level_is_high() {
        assert_eq!(
            default_filter(LogLevel::Trace),
            "warn,quinn_udp=error,crypto=trace,routing=trace,fproxy=trace,node=trace"
        );
        assert!(default_filter(LogLevel::Off).starts_with("off,"));
    }
}
