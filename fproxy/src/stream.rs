//! The body of an answer, while its bytes still arrive.

use std::future::Future as _;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::{Instant, Sleep, sleep, timeout};
use tokio_stream::Stream;

use crate::fetches::{Prepared, Ready};
use crate::network::FetchFailure;

/// Streams a part of a document. Waits for the first piece, so that a failure can still be told in words.
pub(crate) async fn body(
    (ready, prepared): (&Arc<Ready>, &Prepared),
    range: Range<u64>,
    piece_time_max: Duration,
) -> Result<Body, FetchFailure> {
    let left = range.end - range.start;
    if left == 0 {
        return Ok(Body::empty());
    }
    let mut pieces = prepared.document.content.read(range);
    let first = timeout(piece_time_max, pieces.recv()).await;
    let first = first.map_err(|_| FetchFailure::TimedOut)?;
    let first = first.unwrap_or(Err(FetchFailure::ShuttingDown))?;
    Ok(Body::from_stream(Pieces {
        first: Some(first),
        pieces,
        left,
        piece_time_max,
        silence: Box::pin(sleep(piece_time_max)),
        _document: Arc::clone(ready),
    }))
}

/// Exactly the promised number of bytes, or an error that breaks the connection: a client must never take a part for the
/// whole.
struct Pieces {
    first: Option<Bytes>,
    pieces: mpsc::Receiver<Result<Bytes, FetchFailure>>,
    left: u64,
    piece_time_max: Duration,
    silence: Pin<Box<Sleep>>,
    /// Lives as long as it is read.
    _document: Arc<Ready>,
}

impl Pieces {
    fn poll_piece(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, FetchFailure>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        if let Poll::Ready(piece) = self.pieces.poll_recv(context) {
            self.silence
                .as_mut()
                .reset(Instant::now() + self.piece_time_max);
            return Poll::Ready(piece);
        }
        let silence = self.silence.as_mut().poll(context);
        silence.map(|()| Some(Err(FetchFailure::TimedOut)))
    }
}

impl Stream for Pieces {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.poll_piece(context).map(|piece| {
            Some(match piece {
                Some(Ok(piece)) if piece.len() as u64 <= self.left => {
                    self.left -= piece.len() as u64;
                    Ok(piece)
                }
                Some(Ok(_)) => Err(io::Error::other(
                    "the node gave more bytes than it promised",
                )),
                Some(Err(failure)) => Err(io::Error::other(failure)),
                None => Err(io::ErrorKind::UnexpectedEof.into()),
            })
        })
    }
}
