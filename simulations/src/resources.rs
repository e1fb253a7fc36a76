//! What a simulation costs: as Linux tells it; zero elsewhere. Never an input of a simulation.

use std::fs;
use std::time::Duration;

/// The memory of this process that is in use, in bytes.
#[must_use]
pub fn resident_bytes() -> u64 {
    field("/proc/self/statm", 1).unwrap_or(0) * PAGE_LEN
}

/// For how long this thread has run.
#[must_use]
pub fn thread_time() -> Duration {
    Duration::from_nanos(field("/proc/thread-self/schedstat", 0).unwrap_or(0))
}

fn field(path: &str, place: usize) -> Option<u64> {
    let text = fs::read_to_string(path).ok()?;
    text.split_whitespace().nth(place)?.parse().ok()
}

/// Of all machines that this runs on.
const PAGE_LEN: u64 = 4_096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn memory_and_time_grow_with_use() {
        let (bytes, time) = (resident_bytes(), thread_time());
        let memory = vec![1_u8; 64 << 20];
        assert!(memory.iter().map(|&byte| u64::from(byte)).sum::<u64>() == 64 << 20);
        assert!(resident_bytes() > bytes + (32 << 20));
        assert!(thread_time() > time);
    }
}
