//! Content that was found: a stream over any range of it, unpacked and checked.

use std::ops::Range;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::sync::OnceCell;

use super::error::FetchError;
use super::fetcher::Fetcher;
use super::frames::{self, FrameIndex};
use super::metadata::{Codec, Packed};
use super::reader::{Reader, ShardStream};

/// Where the bytes of a document come from.
pub(crate) enum Content {
    /// They are here.
    Memory(Bytes),
    /// They lie in blocks.
    Packed(PackedContent),
}

/// Content that lies in blocks.
pub(crate) struct PackedContent {
    fetcher: Arc<Fetcher>,
    packed: Packed,
    reader: Arc<Reader>,
    index: OnceCell<FrameIndex>,
}

impl Content {
    /// `packed` must be checked.
    pub(crate) fn packed(fetcher: Arc<Fetcher>, packed: Packed) -> Arc<Self> {
        let reader = Reader::new(Arc::clone(&fetcher), packed.codec, packed.stored.clone());
        Arc::new(Self::Packed(PackedContent {
            fetcher,
            packed,
            reader,
            index: OnceCell::new(),
        }))
    }

    /// Bytes.
    pub(crate) const fn size(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::Packed(content) => content.packed.size,
        }
    }

    /// Bytes of its stored form, without check blocks.
    pub(crate) const fn stored_size(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::Packed(content) => content.packed.stored.size,
        }
    }

    /// Streams `range`, cut to the size. If that is everything, its hash is checked.
    pub(crate) fn stream(self: &Arc<Self>, range: Range<u64>) -> DocumentStream {
        let end = range.end.min(self.size());
        let range = range.start.min(end)..end;
        let whole = range == (0..self.size());
        let (pieces, check) = match &**self {
            Self::Memory(bytes) => {
                let place = |byte: u64| usize::try_from(byte).unwrap_or(bytes.len());
                (
                    Pieces::Memory(bytes.slice(place(range.start)..place(range.end))),
                    None,
                )
            }
            Self::Packed(content) => {
                let check = whole.then(|| HashCheck::new(content.packed.blake3));
                (content.pieces(self, range), check)
            }
        };
        DocumentStream { pieces, check }
    }

    /// Reads everything into memory.
    pub(crate) async fn read_all(self: &Arc<Self>) -> Result<Bytes, FetchError> {
        if let Self::Memory(bytes) = &**self {
            return Ok(bytes.clone());
        }
        let mut bytes = BytesMut::new();
        let mut stream = self.stream(0..self.size());
        while let Some(piece) = stream.next().await {
            bytes.extend_from_slice(&piece?);
        }
        Ok(bytes.freeze())
    }
}

impl PackedContent {
    fn pieces(&self, content: &Arc<Content>, range: Range<u64>) -> Pieces {
        match self.packed.codec {
            Codec::None => {
                self.expect(&range);
                Pieces::Plain(self.reader.stream(range))
            }
            Codec::Zstd => {
                let frames = range.start / frames::FRAME_LEN..range.end.div_ceil(frames::FRAME_LEN);
                Pieces::Frames(FrameStream {
                    content: Arc::clone(content),
                    next: frames.start,
                    end: if range.is_empty() {
                        frames.start
                    } else {
                        frames.end
                    },
                    range,
                    stream: None,
                    buffer: BytesMut::new(),
                })
            }
        }
    }

    /// Counts the blocks of a range of the stored bytes.
    fn expect(&self, range: &Range<u64>) {
        let (required, total) = self.reader.block_counts(range);
        self.fetcher.meter.update(|progress| {
            progress.required += required;
            progress.total += total;
            progress.finalized = true;
        });
    }

    async fn frame_index(&self) -> Result<&FrameIndex, FetchError> {
        let load = async || {
            let (size, stored) = (self.packed.size, self.packed.stored.size);
            let table = stored.saturating_sub(frames::index_len(size))..stored;
            if !table.is_empty() {
                self.expect(&table);
            }
            FrameIndex::new(size, stored, &self.reader.read(table).await?)
        };
        self.index.get_or_try_init(load).await
    }
}

/// The bytes of a range of a document, in order. Dropping it gives up everything under way for it.
pub struct DocumentStream {
    pieces: Pieces,
    check: Option<HashCheck>,
}

impl DocumentStream {
    /// Waits for the next piece, never empty. `None` after the last one or after an error.
    ///
    /// When the whole content is read, the last piece only comes if the hash of everything is right.
    pub async fn next(&mut self) -> Option<Result<Bytes, FetchError>> {
        let Some(check) = &mut self.check else {
            return self.pieces.next().await;
        };
        loop {
            match self.pieces.next().await {
                Some(Ok(piece)) => {
                    check.hasher.update(&piece);
                    if let Some(before) = check.held_back.replace(piece) {
                        return Some(Ok(before));
                    }
                }
                Some(Err(error)) => {
                    self.check = None;
                    return Some(Err(error));
                }
                None => {
                    let right = check.hasher.finalize() == check.expected;
                    let last = check.held_back.take();
                    self.check = None;
                    return if right {
                        last.map(Ok)
                    } else {
                        Some(Err(FetchError::HashCheckFailed))
                    };
                }
            }
        }
    }
}

impl std::fmt::Debug for DocumentStream {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("DocumentStream")
            .finish_non_exhaustive()
    }
}

/// The hash of what went by, and the last piece, which waits for the verdict.
struct HashCheck {
    hasher: blake3::Hasher,
    expected: [u8; 32],
    held_back: Option<Bytes>,
}

impl HashCheck {
    fn new(expected: [u8; 32]) -> Self {
        Self {
            hasher: blake3::Hasher::new(),
            expected,
            held_back: None,
        }
    }
}

enum Pieces {
    Memory(Bytes),
    Plain(ShardStream),
    Frames(FrameStream),
}

impl Pieces {
    async fn next(&mut self) -> Option<Result<Bytes, FetchError>> {
        match self {
            Self::Memory(bytes) => {
                let bytes = std::mem::take(bytes);
                (!bytes.is_empty()).then_some(Ok(bytes))
            }
            Self::Plain(stream) => stream.next().await,
            Self::Frames(stream) => match stream.next().await {
                Ok(piece) => piece.map(Ok),
                Err(error) => {
                    stream.next = stream.end;
                    stream.stream = None;
                    Some(Err(error))
                }
            },
        }
    }
}

/// Unpacks the frames of a range.
struct FrameStream {
    content: Arc<Content>,
    range: Range<u64>,
    /// The next frame.
    next: u64,
    end: u64,
    stream: Option<ShardStream>,
    buffer: BytesMut,
}

impl FrameStream {
    async fn next(&mut self) -> Result<Option<Bytes>, FetchError> {
        let Content::Packed(content) = &*self.content else {
            return Ok(None);
        };
        if self.next == self.end {
            return Ok(None);
        }
        let index = content.frame_index().await?;
        let stream = self.stream.get_or_insert_with(|| {
            let stored = index.stored(self.next..self.end);
            content.expect(&stored);
            content.reader.stream(stored)
        });
        let stored = index.stored(self.next..self.next + 1);
        let stored_len = usize::try_from(stored.end - stored.start).map_err(|_| ENDED_EARLY)?;
        while self.buffer.len() < stored_len {
            self.buffer
                .extend_from_slice(&stream.next().await.ok_or(ENDED_EARLY)??);
        }
        let (frame, len) = (
            self.buffer.split_to(stored_len),
            index.content_len(self.next),
        );
        let unpacked = tokio::task::spawn_blocking(move || frames::decompress(&frame, len)).await;
        let unpacked =
            unpacked.map_err(|_| FetchError::Internal("unpacking failed unexpectedly"))??;

        let first = self.next * frames::FRAME_LEN;
        let place = |byte: u64| {
            usize::try_from(byte.saturating_sub(first)).map_or(len, |place| place.min(len))
        };
        self.next += 1;
        Ok(Some(
            Bytes::from(unpacked).slice(place(self.range.start)..place(self.range.end)),
        ))
    }
}

const ENDED_EARLY: FetchError = FetchError::Archive("it ends early");
