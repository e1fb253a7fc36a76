//! The measurements deliver what they claim to have timed.

use super::*;
use crate::link::bench::{MESSAGE_BYTES, measure_plain_quic, measure_throughput};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_measurements_move_all_their_bytes() {
    let bytes = 20_000_000;
    let link = timeout(PATIENCE, measure_throughput(bytes))
        .await
        .unwrap()
        .unwrap();
    let plain = timeout(PATIENCE, measure_plain_quic(bytes))
        .await
        .unwrap()
        .unwrap();
    for measured in [link, plain] {
        assert_eq!(measured.bytes, bytes.next_multiple_of(MESSAGE_BYTES as u64));
        assert!(measured.megabytes_per_second() > 1.0);
    }
}
