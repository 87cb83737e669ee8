//! One object as the crate `object_store` sees it. The crate writes what is asked of S3 and reads the answers: puts, also on
//! condition and in parts, reads, also of ranges, and deletions. How a request gets there is `requests.rs`.
//!
//! Lists are not asked this way: the crate takes a page that says "there is more" and not where for the last one, and a key
//! of somebody else with an empty part spoils a whole list.

use super::parts::{ABORT, COMPLETE, CREATE, PART};
use super::put::PUT;
use super::requests::{Kept, Requests};
use super::{DELETE, GET, S3Objects};
use crate::error::{AwsError, Trouble};
use crate::operation::Operation;
use crate::wire::SOMEBODY_ELSE;
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey, Checksum};
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use object_store::{
    ClientOptions, GetOptions, GetRange, ObjectStore, ObjectStoreExt, PutMode, PutOptions, RetryConfig,
};
use std::error::Error;
use std::future::Future;
use std::ops::Range;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

/// The crate's name for how an object is encrypted.
const ENCRYPTION: &str = "aws_server_side_encryption";

/// How an object is put or read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct How {
    /// Only if nothing has its name.
    pub(super) only_new: bool,
    /// How many bytes it will have.
    pub(super) whole: u64,
    /// The most bytes that are taken at once, if it is less than S3 may give.
    pub(super) most: Option<usize>,
}

/// What was read of an object.
pub(super) struct Got {
    pub(super) bytes: Vec<u8>,
    /// How many bytes the whole object has.
    pub(super) whole: u64,
    /// The checksum that S3 keeps with it.
    pub(super) kept: Option<String>,
}

/// One object.
pub(super) struct Object {
    store: AmazonS3,
    path: Path,
    how: How,
}

impl S3Objects {
    /// The object with this name. Nothing is called yet.
    pub(super) fn object(&self, name: &str, how: How) -> Result<Object, AwsError> {
        let unusual = |error: object_store::Error| {
            let text = format!("the name `{}` cannot be asked for: {error}", name.escape_debug());
            AwsError::new(Trouble::Refused, text)
        };
        let path =
            Path::parse(format!("{}{name}", self.settings.prefix)).map_err(|error| unusual(error.into()))?;
        let builder = AmazonS3Builder::new()
            .with_bucket_name(&self.settings.bucket)
            // Who calls, where S3 is, and what is tried again, is the client's.
            .with_http_connector(Requests::of(self.clone(), name, how))
            .with_skip_signature(true)
            .with_access_key_id("")
            .with_secret_access_key("")
            .with_retry(RetryConfig {
                max_retries: 0,
                retry_timeout: Duration::ZERO,
                ..RetryConfig::default()
            })
            .with_client_options(
                ClientOptions::default().with_default_content_type("application/octet-stream"),
            )
            .with_checksum_algorithm(Checksum::SHA256)
            .with_disable_bulk_delete(true)
            .with_bucket_key(true);
        let builder = match &self.settings.kms_key {
            Some(key) => builder.with_sse_kms_encryption(key),
            None => {
                let encryption: AmazonS3ConfigKey = ENCRYPTION.parse().map_err(unusual)?;
                builder.with_config(encryption, "aws:kms")
            }
        };
        let store = builder.build().map_err(unusual)?;
        Ok(Object { store, path, how })
    }
}

impl Object {
    /// Puts it in one request.
    pub(super) fn put(&self, bytes: Vec<u8>) -> Result<(), AwsError> {
        let mode = if self.how.only_new { PutMode::Create } else { PutMode::Overwrite };
        let options = PutOptions { mode, ..PutOptions::default() };
        done(&PUT, self.store.put_opts(&self.path, bytes.into(), options)).map(|_| ())
    }

    /// Reads it, or a range of it.
    pub(super) fn get(&self, range: Option<Range<u64>>) -> Result<Got, AwsError> {
        let options = GetOptions { range: range.map(GetRange::Bounded), ..GetOptions::default() };
        let got = done(&GET, self.store.get_opts(&self.path, options))?;
        let (whole, kept) = (got.meta.size, got.extensions.get::<Kept>().map(|Kept(sum)| sum.clone()));
        Ok(Got { bytes: done(&GET, got.bytes())?.into(), whole, kept })
    }

    /// Deletes it.
    pub(super) fn delete(&self) -> Result<(), AwsError> {
        done(&DELETE, self.store.delete(&self.path))
    }

    /// Begins an upload in parts, and gives its id.
    pub(super) fn begin(&self) -> Result<String, AwsError> {
        let upload = done(&CREATE, self.store.create_multipart(&self.path))?;
        if upload.is_empty() { Err(unreadable(&CREATE)) } else { Ok(upload) }
    }

    /// Puts a part of an upload, of which the first is 0.
    pub(super) fn part(&self, upload: &String, at: usize, bytes: Vec<u8>) -> Result<PartId, AwsError> {
        done(&PART, self.store.put_part(&self.path, upload, at, bytes.into()))
    }

    /// Puts the parts together.
    pub(super) fn complete(&self, upload: &String, parts: Vec<PartId>) -> Result<(), AwsError> {
        done(&COMPLETE, self.store.complete_multipart(&self.path, upload, parts)).map(|_| ())
    }

    /// Takes an upload back with all its parts.
    pub(super) fn abort(&self, upload: &String) -> Result<(), AwsError> {
        done(&ABORT, self.store.abort_multipart(&self.path, upload))
    }
}

/// What came of it: what the client said, or, if it said nothing, that the crate could not read an answer.
fn done<T>(
    operation: &'static Operation,
    asked: impl Future<Output = object_store::Result<T>>,
) -> Result<T, AwsError> {
    let error = match wait(asked) {
        Ok(done) => return Ok(done),
        Err(error) => error,
    };
    let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
    while let Some(error) = cause {
        if let Some(said) = error.downcast_ref::<AwsError>() {
            return Err(said.clone());
        }
        cause = error.source();
    }
    Err(unreadable(operation))
}

/// Whoever calls waits: the ports are synchronous, and so is the client, which is all that the crate waits for.
fn wait<T>(future: impl Future<Output = T>) -> T {
    struct Waiting(Thread);
    impl Wake for Waiting {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Waiting(thread::current())));
    let (mut context, mut future) = (Context::from_waker(&waker), pin!(future));
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(done) => return done,
            Poll::Pending => thread::park(),
        }
    }
}

fn unreadable(operation: &'static Operation) -> AwsError {
    AwsError::new(
        Trouble::Unreadable,
        format!("the answer is not one that `{}` gives", operation.service.name),
    )
    .of(operation)
    .with_help(SOMEBODY_ELSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_waits_is_woken() {
        let mut looks = 0;
        let slow = std::future::poll_fn(|context| {
            looks += 1;
            if looks == 3 {
                return Poll::Ready(looks);
            }
            let waker = context.waker().clone();
            thread::spawn(move || waker.wake());
            Poll::Pending
        });
        assert_eq!(wait(slow), 3);
    }
}
