//! A link between two endpoints, and a file through a whole network.

use std::time::Instant;

use crypto::InsertUri;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{BenchConfig, Figure};
use crate::client::{EventSink, FetchOptions, InsertOptions, InsertRequest, KeyChoice, Source};
use crate::demo::{Demo, DemoConfig};
use crate::link;

/// The link layer, beside QUIC without the seal around every datagram.
///
/// # Errors
/// When the loopback interface cannot be used.
pub async fn measure_link(bytes: u64) -> anyhow::Result<Vec<Figure>> {
    let sealed = link::bench::measure_throughput(bytes).await?;
    let plain = link::bench::measure_plain_quic(bytes).await?;
    Ok(vec![
        Figure::new("32 KiB messages", sealed.megabytes_per_second()),
        Figure::new(
            "raw: the same over QUIC without the seal",
            plain.megabytes_per_second(),
        ),
    ])
}

/// Inserts a file of random bytes through one node of a demonstration network, and fetches it through another.
///
/// # Errors
/// When the network does not start, or the file does not come back as it was.
pub async fn measure_demo(config: &BenchConfig<'_>) -> anyhow::Result<Vec<Figure>> {
    let folder = tempfile::Builder::new()
        .prefix("warren-bench-")
        .tempdir_in(config.folder)?;
    let file = folder.path().join("input");
    write_random(&file, config.file_bytes)?;
    let demo = Demo::start(&DemoConfig {
        nodes: config.nodes,
        data_dir: folder.path().join("network"),
        fcp_port: 0,
        http_port: 0,
        opennet: false,
        anonymity: config.anonymity,
    })
    .await?;
    let outcome = put_and_get(&demo, &file, config.file_bytes).await;
    demo.stop().await;
    outcome
}

async fn put_and_get(
    demo: &Demo,
    file: &std::path::Path,
    bytes: u64,
) -> anyhow::Result<Vec<Figure>> {
    let nodes = demo.nodes();
    let request = InsertRequest {
        target: InsertUri::Content { path: Vec::new() },
        source: Source::File(file.to_owned()),
        content_type: Some("application/octet-stream".to_owned()),
        file_name: None,
        options: InsertOptions {
            key_choice: KeyChoice::Random,
            ..InsertOptions::default()
        },
    };
    let begin = Instant::now();
    let inserted = nodes[0]
        .client()
        .insert(request, EventSink::ignore())
        .await?;
    let put = begin.elapsed();
    let begin = Instant::now();
    let reader = nodes[nodes.len() / 2].client();
    let document = reader
        .open(&inserted.uri, FetchOptions::default(), EventSink::ignore())
        .await?;
    let copy = file.with_extension("copy");
    document.write_to_file(&copy).await?;
    let get = begin.elapsed();
    let (original, copy) = (hash(file)?, hash(&copy)?);
    anyhow::ensure!(
        original == copy,
        "the file that came back is not the one that went in"
    );
    Ok(vec![
        Figure::from_time("put a file", bytes, put),
        Figure::from_time("get it through another node", bytes, get),
    ])
}

fn hash(path: &std::path::Path) -> anyhow::Result<blake3::Hash> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(std::fs::File::open(path)?)?;
    Ok(hasher.finalize())
}

fn write_random(path: &std::path::Path, bytes: u64) -> anyhow::Result<()> {
    use std::io::Write as _;
    let mut rng = ChaCha8Rng::seed_from_u64(bytes);
    let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
    let mut left = bytes;
    let mut buffer = vec![0; 1 << 20];
    while left > 0 {
        rng.fill_bytes(&mut buffer);
        let length = usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        file.write_all(&buffer[..length])?;
        left -= length as u64;
    }
    file.flush()?;
    Ok(())
}
