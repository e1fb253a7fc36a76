//! The body of an answer, while its bytes still arrive.

use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_stream::Stream;

use crate::network::{Document, FetchFailure};

/// Streams a part of a document. Waits for the first piece, so that a failure can still be told in words.
pub(crate) async fn body(document: &Document, range: Range<u64>) -> Result<Body, FetchFailure> {
    let left = range.end - range.start;
    if left == 0 {
        return Ok(Body::empty());
    }
    let mut pieces = document.content.read(range);
    let first = pieces
        .recv()
        .await
        .unwrap_or(Err(FetchFailure::ShuttingDown))?;
    Ok(Body::from_stream(Pieces {
        first: Some(first),
        pieces,
        left,
    }))
}

/// Exactly the promised number of bytes, or an error that breaks the connection: a client must never take a part for the
/// whole.
struct Pieces {
    first: Option<Bytes>,
    pieces: mpsc::Receiver<Result<Bytes, FetchFailure>>,
    left: u64,
}

impl Stream for Pieces {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let piece = match self.first.take() {
            Some(first) => Some(Ok(first)),
            None => ready!(self.pieces.poll_recv(context)),
        };
        Poll::Ready(Some(match piece {
            Some(Ok(piece)) if piece.len() as u64 <= self.left => {
                self.left -= piece.len() as u64;
                Ok(piece)
            }
            Some(Ok(_)) => Err(io::Error::other(
                "the node gave more bytes than it promised",
            )),
            Some(Err(failure)) => Err(io::Error::other(failure)),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }))
    }
}
