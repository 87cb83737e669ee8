//! A body that is made while it is sent.

use axum::body::{Bytes, HttpBody};
use hyper::body::Frame;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::mpsc;

/// What comes out of a channel. An error in the middle breaks the connection off, so that nobody takes a part for the
/// whole.
pub(crate) struct Parts {
    from: mpsc::Receiver<Result<Bytes, io::Error>>,
}

impl Parts {
    /// A body, and where to put its parts. One waits at a time, so that what is sent needs little memory.
    pub(crate) fn new() -> (mpsc::Sender<Result<Bytes, io::Error>>, Self) {
        let (to, from) = mpsc::channel(1);
        (to, Self { from })
    }
}

impl HttpBody for Parts {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.from.poll_recv(context).map(|part| part.map(|part| part.map(Frame::data)))
    }
}
