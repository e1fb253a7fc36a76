//! Content on its way in: read once to hash it and to see whether compression helps.

use std::io::{Read, Seek, SeekFrom, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::error::InsertError;
use super::event::Event;
use super::frames::{self, Compressor};
use super::geometry::SIZE_MAX;
use super::metadata::Codec;
use super::progress::Meter;
use super::request::{Hashes, Source};

/// Content that was read once and is ready to be cut into blocks.
pub(crate) struct Prepared {
    /// Bytes of the content.
    pub(crate) size: u64,
    pub(crate) hashes: Hashes,
    pub(crate) codec: Codec,
    /// The bytes to store: the content, or its compressed form.
    pub(crate) body: Body,
    /// How many they are.
    pub(crate) stored_size: u64,
}

/// Bytes to read from their beginning.
pub(crate) enum Body {
    Memory(std::io::Cursor<Bytes>),
    File(std::fs::File),
    /// A file without a name, or memory while it is small.
    Temporary(Box<tempfile::SpooledTempFile>),
}

impl Body {
    pub(crate) fn bytes(bytes: Bytes) -> Self {
        Self::Memory(std::io::Cursor::new(bytes))
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Memory(bytes) => bytes.read(buffer),
            Self::File(file) => file.read(buffer),
            Self::Temporary(file) => file.read(buffer),
        }
    }
}

/// How a source is to be prepared.
#[derive(Clone, Debug)]
pub(crate) struct Preparation {
    pub(crate) compress: bool,
    pub(crate) content_type: Option<String>,
    /// Folder for temporary files.
    pub(crate) temp_dir: std::path::PathBuf,
}

/// Opens `source`: its bytes and how many they are. A redirect has none.
pub(crate) fn open_source(source: &Source) -> Result<(Body, u64), InsertError> {
    let (body, size) = match source {
        Source::Bytes(bytes) => (Body::bytes(bytes.clone()), bytes.len() as u64),
        Source::File(path) => opened(std::fs::File::open(path)?)?,
        Source::Checked(file) => opened(file.open()?)?,
        Source::Redirect(_) => return Err(InsertError::Internal("a redirect has no content")),
    };
    if size > SIZE_MAX {
        return Err(InsertError::TooBig {
            size,
            size_max: SIZE_MAX,
        });
    }
    Ok((body, size))
}

fn opened(file: std::fs::File) -> Result<(Body, u64), InsertError> {
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(InsertError::Io {
            kind: std::io::ErrorKind::InvalidInput,
            message: "it is not a regular file".to_owned(),
        });
    }
    Ok((Body::File(file), metadata.len()))
}

/// Reads `source` to its end, on a thread that may block. Stops early when the future is dropped.
pub(crate) async fn prepare(
    source: Source,
    preparation: Preparation,
    meter: Arc<Meter>,
) -> Result<Prepared, InsertError> {
    let stop = StopOnDrop::default();
    let stopped = Arc::clone(&stop.0);
    let work = move || prepare_now(&source, &preparation, &meter, &stopped);
    let prepared = tokio::task::spawn_blocking(work).await;
    drop(stop);
    prepared.map_err(|_| InsertError::Internal("reading the content failed unexpectedly"))?
}

#[derive(Default)]
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn prepare_now(
    source: &Source,
    preparation: &Preparation,
    meter: &Meter,
    stopped: &AtomicBool,
) -> Result<Prepared, InsertError> {
    let (mut body, size) = open_source(source)?;
    let mut hashers = Hashers::default();
    let mut frame = Vec::new();
    let mut squeezer = None;
    let mut read = 0;
    loop {
        if stopped.load(Ordering::Relaxed) {
            return Err(InsertError::Cancelled);
        }
        frame.clear();
        let len = body
            .by_ref()
            .take(frames::FRAME_LEN)
            .read_to_end(&mut frame)?;
        if read == 0 && worth_trying(preparation, size) {
            squeezer = Squeezer::try_on(&frame, size, preparation)?;
            if squeezer.is_some() {
                meter.tell(Event::StartedCompression);
            }
        }
        if len == 0 {
            break;
        }
        read += len as u64;
        hashers.update(&frame);
        if let Some(squeezer) = &mut squeezer {
            squeezer.add(&frame)?;
        }
    }
    if read != size {
        return Err(InsertError::SourceChanged);
    }
    let squeezed = squeezer.map(Squeezer::finish).transpose()?;
    if let Some((_, compressed)) = &squeezed {
        meter.tell(Event::FinishedCompression {
            original: size,
            compressed: *compressed,
        });
    }
    let (codec, body, stored_size) = match squeezed {
        Some((body, compressed)) if is_gain(compressed, size) => (Codec::Zstd, body, compressed),
        _ => (Codec::None, rewound(body)?, size),
    };
    Ok(Prepared {
        size,
        hashes: hashers.finish(),
        codec,
        body,
        stored_size,
    })
}

fn rewound(body: Body) -> std::io::Result<Body> {
    match body {
        Body::Memory(bytes) => Ok(Body::bytes(bytes.into_inner())),
        Body::File(mut file) => {
            file.rewind()?;
            Ok(Body::File(file))
        }
        Body::Temporary(mut file) => {
            file.seek(SeekFrom::Start(0))?;
            Ok(Body::Temporary(file))
        }
    }
}

/// Whether the compressed form is smaller by a tenth: less is not worth the reader's time.
const fn is_gain(compressed: u64, size: u64) -> bool {
    compressed < size - size / 10
}

fn worth_trying(preparation: &Preparation, size: u64) -> bool {
    let compressed_already = preparation
        .content_type
        .as_deref()
        .is_some_and(is_compressed_already);
    preparation.compress && (COMPRESS_MIN..=frames::SIZE_MAX).contains(&size) && !compressed_already
}

/// Smaller content fits into its metadata's block anyway, or one block of its own.
const COMPRESS_MIN: u64 = 1024;

/// Types whose formats are compressed in themselves.
pub(crate) fn is_compressed_already(content_type: &str) -> bool {
    let essence = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let (kind, name) = essence.split_once('/').unwrap_or((&essence, ""));
    match kind {
        "video" => true,
        "audio" => !matches!(name, "wav" | "x-wav" | "aiff" | "x-aiff" | "midi" | "basic"),
        "image" => !matches!(
            name,
            "svg+xml" | "bmp" | "x-ms-bmp" | "tiff" | "x-icon" | "vnd.microsoft.icon"
        ),
        "font" => name.starts_with("woff"),
        "application" => COMPRESSED_APPLICATIONS.contains(&name),
        _ => false,
    }
}

const COMPRESSED_APPLICATIONS: [&str; 13] = [
    "zip",
    "gzip",
    "x-gzip",
    "x-bzip2",
    "x-xz",
    "zstd",
    "x-7z-compressed",
    "vnd.rar",
    "x-rar-compressed",
    "java-archive",
    "epub+zip",
    "vnd.debian.binary-package",
    "vnd.android.package-archive",
];

/// Compresses into a temporary file.
struct Squeezer {
    compressor: Compressor,
    buffer: Vec<u8>,
    file: tempfile::SpooledTempFile,
    len: u64,
}

impl Squeezer {
    /// Compresses the first frame for a trial; none if that gains too little.
    fn try_on(
        first: &[u8],
        size: u64,
        preparation: &Preparation,
    ) -> Result<Option<Self>, InsertError> {
        let mut buffer = Vec::new();
        let len = Compressor::new()?.frame(first, &mut buffer)?.len();
        if !is_gain(len as u64, first.len() as u64) {
            return Ok(None);
        }
        let memory = usize::try_from(size)
            .unwrap_or(usize::MAX)
            .min(IN_MEMORY_MAX);
        Ok(Some(Self {
            compressor: Compressor::new()?,
            buffer,
            file: tempfile::spooled_tempfile_in(memory, &preparation.temp_dir),
            len: 0,
        }))
    }

    fn add(&mut self, frame: &[u8]) -> Result<(), InsertError> {
        let stored = self.compressor.frame(frame, &mut self.buffer)?;
        self.file.write_all(stored)?;
        self.len += stored.len() as u64;
        Ok(())
    }

    fn finish(mut self) -> Result<(Body, u64), InsertError> {
        let index = self.compressor.finish();
        self.file.write_all(&index)?;
        self.file.seek(SeekFrom::Start(0))?;
        Ok((
            Body::Temporary(Box::new(self.file)),
            self.len + index.len() as u64,
        ))
    }
}

/// Compressed bytes kept in memory before they go to a temporary file.
const IN_MEMORY_MAX: usize = 4 << 20;

#[derive(Default)]
struct Hashers {
    blake3: blake3::Hasher,
    sha256: Sha256,
}

impl Hashers {
    fn update(&mut self, bytes: &[u8]) {
        self.blake3.update(bytes);
        self.sha256.update(bytes);
    }

    fn finish(self) -> Hashes {
        Hashes {
            blake3: *self.blake3.finalize().as_bytes(),
            sha256: self.sha256.finalize().into(),
        }
    }
}
