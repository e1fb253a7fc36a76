//! Measures this machine: each part of the node beside the raw figure of the library it is built on.
//!
//! Figures of one run compare with each other; between runs and machines only their ratios do.

mod layers;
mod network;
mod parts;

use std::path::Path;

use serde::Serialize;

use crate::client::Hiding;

pub use layers::measure_layers;
pub use network::{measure_demo, measure_link};
pub use parts::{measure_blocks, measure_erasure_code, measure_store};

/// One measured speed.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    /// What was measured.
    pub name: &'static str,
    /// Megabytes (10^6 bytes) of content per second.
    pub mb_per_s: f64,
}

impl Figure {
    pub(crate) fn new(name: &'static str, mb_per_s: f64) -> Self {
        Self { name, mb_per_s }
    }

    /// From bytes and the time they took.
    pub(crate) fn from_time(name: &'static str, bytes: u64, time: std::time::Duration) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "a speed to three digits")]
        let megabytes = bytes as f64 / 1e6;
        Self::new(name, megabytes / time.as_secs_f64())
    }
}

/// How much to measure.
#[derive(Clone, Debug)]
pub struct BenchConfig<'a> {
    /// Bytes for each of the measurements in memory and on disk.
    pub bytes: u64,
    /// Bytes of the file that goes through the demonstration network.
    pub file_bytes: u64,
    /// Nodes of the demonstration network.
    pub nodes: usize,
    /// How hidden the file is on its way: 0, 2, 4, 6 or 8 hops; `None` as usual.
    pub anonymity: Option<u8>,
    /// Folder for the stores and networks, emptied afterwards.
    pub folder: &'a Path,
}

/// Runs all measurements, telling each figure as soon as it is known.
///
/// # Errors
/// The first failure of any part, with what it was doing.
pub async fn run(
    config: &BenchConfig<'_>,
    tell: &mut dyn FnMut(&str, &[Figure]),
) -> anyhow::Result<()> {
    tell("blocks, one core", &measure_blocks(config.bytes)?);
    tell(
        "erasure coding, one core",
        &measure_erasure_code(config.bytes)?,
    );
    let (folder, bytes) = (config.folder.to_owned(), config.bytes);
    let store = tokio::task::spawn_blocking(move || measure_store(&folder, bytes)).await??;
    tell("store", &store);
    tell(
        "link, both ends in this process",
        &measure_link(config.bytes).await?,
    );
    let hops = config.anonymity.unwrap_or_else(|| Hiding::default().hops());
    if hops > 0 {
        tell(
            &format!("layers of a circuit of {hops} hops, one core"),
            &measure_layers(config.bytes, hops)?,
        );
    }
    tell("demonstration network", &measure_demo(config).await?);
    Ok(())
}
