//! Objects in parts: each part is checked by its SHA-256 and tried again by itself, the object appears when the last call
//! puts the parts together, and an upload that fails is taken back. In memory is one part at a time.
//!
//! Source: Amazon S3 API Reference, `CreateMultipartUpload`, `UploadPart`, `CompleteMultipartUpload`,
//! `AbortMultipartUpload`; User Guide, "Amazon S3 multipart upload limits" and "Checking object integrity".

use super::borrowed::{How, Object};
use super::{S3Objects, on};
use crate::error::{AwsError, Trouble};
use crate::operation::{On, Operation, Retry, S3};
use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use object_store::multipart::PartId;
use std::io::Read;
use world::{Content, PortError, wrong_length};

/// Twice is one upload more, which holds nothing and which the lifecycle of the bucket ends.
pub(super) const CREATE: Operation = Operation {
    service: &S3,
    name: "CreateMultipartUpload",
    retry: Retry::Safe,
    needs: &[
        on("s3:PutObject", On::Objects),
        on("kms:GenerateDataKey", On::BucketKey),
        on("kms:Decrypt", On::BucketKey),
    ],
    pages: None,
};
/// The same where objects are locked.
pub(super) const CREATE_LOCKED: Operation = Operation {
    needs: &[
        on("s3:PutObject", On::Objects),
        on("s3:PutObjectRetention", On::Objects),
        on("kms:GenerateDataKey", On::BucketKey),
        on("kms:Decrypt", On::BucketKey),
    ],
    ..CREATE
};
pub(super) const PART: Operation = Operation { name: "UploadPart", ..CREATE };
/// A second one finds the upload gone; then what is there is looked at.
pub(super) const COMPLETE: Operation = Operation { name: "CompleteMultipartUpload", ..CREATE };
pub(super) const ABORT: Operation = Operation {
    service: &S3,
    name: "AbortMultipartUpload",
    retry: Retry::Safe,
    needs: &[on("s3:AbortMultipartUpload", On::Objects)],
    pages: None,
};

/// An object has at most so many parts.
const MOST_PARTS: u64 = 10_000;

/// How objects are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parting {
    /// The most that goes up in one request.
    single: u64,
    /// A part, unless there would be too many.
    part: u64,
}

impl Default for Parting {
    fn default() -> Self {
        Self { single: 64 << 20, part: 16 << 20 }
    }
}

impl Parting {
    /// All parts but the last have this size.
    fn part_bytes(self, whole: u64) -> u64 {
        self.part.max(whole.div_ceil(MOST_PARTS))
    }

    fn of<'a>(self, name: &'a str, content: &'a dyn Content) -> Parts<'a> {
        Parts::of(name, content, self.part_bytes(content.length()))
    }

    pub(super) fn cuts(self, length: u64) -> bool {
        length > self.single
    }

    /// Whether a checksum over those of as many parts as ours is not that of ours.
    pub(super) fn is_other(self, kept: &str, bytes: &[u8]) -> bool {
        let length = bytes.len() as u64;
        let part = usize::try_from(self.part_bytes(length)).unwrap_or(usize::MAX);
        let parts = bytes.chunks(part);
        let (sum, count) = kept.rsplit_once('-').unwrap_or((kept, ""));
        if !self.cuts(length) || count != parts.len().to_string() {
            return false;
        }
        let sums: Vec<u8> =
            parts.flat_map(|part| digest::digest(&digest::SHA256, part).as_ref().to_vec()).collect();
        STANDARD.encode(digest::digest(&digest::SHA256, &sums)) != sum
    }
}

/// Content in parts, of which one at a time is in memory.
pub(super) struct Parts<'a> {
    name: &'a str,
    content: &'a dyn Content,
    reader: Box<dyn Read + 'a>,
    part: u64,
    left: u64,
}

impl<'a> Parts<'a> {
    pub(super) fn of(name: &'a str, content: &'a dyn Content, part: u64) -> Self {
        Self { name, content, reader: content.reader(), part, left: content.length() }
    }

    /// The next part; nothing after the last.
    pub(super) fn next_part(&mut self) -> Result<Option<Vec<u8>>, AwsError> {
        if self.left == 0 {
            return Ok(None);
        }
        let wanted = self.part.min(self.left);
        let part = world::next_part(self.reader.as_mut(), wanted).map_err(|error| unread(&error))?;
        if part.len() as u64 != wanted {
            return Err(unread(&wrong_length(self.name, self.content)));
        }
        self.left -= wanted;
        Ok(Some(part))
    }

    /// That nothing comes after the last part.
    pub(super) fn ended(&mut self) -> Result<(), AwsError> {
        match world::next_part(self.reader.as_mut(), 1) {
            Ok(more) if more.is_empty() => Ok(()),
            Ok(_) => Err(unread(&wrong_length(self.name, self.content))),
            Err(error) => Err(unread(&error)),
        }
    }
}

/// Nothing that AWS said: what is to be put cannot be read.
fn unread(error: &PortError) -> AwsError {
    AwsError::new(Trouble::Unreadable, error.to_string())
}

impl S3Objects {
    /// The same with objects of more than `bytes` put in parts of so many. Larger parts are fewer calls, smaller ones less to
    /// send again; S3 takes none below 5 MiB but the last.
    #[must_use]
    pub fn in_parts_of(mut self, bytes: usize) -> Self {
        self.parting = Parting { single: bytes as u64, part: bytes as u64 };
        self
    }

    pub(super) fn put_in_parts(
        &self,
        name: &str,
        content: &dyn Content,
        only_new: bool,
    ) -> Result<(), AwsError> {
        let object = self.object(name, How { only_new, whole: content.length(), most: None })?;
        let upload = object.begin()?;
        let sent = self
            .send_parts(name, (&object, &upload), content)
            .and_then(|parts| object.complete(&upload, parts));
        sent.map_err(|error| match object.abort(&upload) {
            Err(gone) if gone.trouble() == Trouble::Absent => error,
            Ok(()) => error,
            Err(_) => error.with_help(format!(
                "parts of `{name}` may have stayed in the bucket; `wardmote aws lifecycle` says whether they end by themselves"
            )),
        })
    }

    fn send_parts(
        &self,
        name: &str,
        (object, upload): (&Object, &String),
        content: &dyn Content,
    ) -> Result<Vec<PartId>, AwsError> {
        let mut sent = Vec::new();
        let mut parts = self.parting.of(name, content);
        while let Some(part) = parts.next_part()? {
            sent.push(object.part(upload, sent.len(), part)?);
        }
        parts.ended().map(|()| sent)
    }

    /// Whether an object has these bytes; nothing if there is none. Of a large one, a part at a time is read.
    pub(super) fn holds(&self, name: &str, content: &dyn Content) -> Result<Option<bool>, PortError> {
        if !self.parting.cuts(content.length()) {
            return self.small_holds(name, content);
        }
        let mut at = 0;
        let mut parts = self.parting.of(name, content);
        while let Some(part) = parts.next_part()? {
            let to = at + part.len() as u64;
            let object = self.object(name, How { most: Some(part.len()), ..How::default() })?;
            let got = match object.get(Some(at..to)) {
                Ok(got) => got,
                Err(error) if error.code() == "NoSuchKey" => return Ok(None),
                // It is shorter than this.
                Err(error) if error.code() == "InvalidRange" => return Ok(Some(false)),
                Err(error) => return Err(self.explain(&error)),
            };
            if got.whole != content.length() || got.bytes != part {
                return Ok(Some(false));
            }
            at = to;
        }
        Ok(Some(true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_few_enough_for_the_largest_object() {
        let parting = Parting::default();
        assert_eq!(parting.part_bytes(65 << 20), 16 << 20);
        let largest = super::super::LARGEST as u64;
        let part = parting.part_bytes(largest);
        assert!(part <= 5 << 30, "a part is at most 5 GiB");
        assert!(largest.div_ceil(part) <= MOST_PARTS);
    }

    #[test]
    fn checksums_of_parts_are_checked_where_they_are_of_our_parts() {
        let parting = Parting { single: 4, part: 4 };
        let sums: Vec<u8> = [&b"1234"[..], b"5678", b"9"]
            .iter()
            .flat_map(|part| digest::digest(&digest::SHA256, part).as_ref().to_vec())
            .collect();
        let sum = STANDARD.encode(digest::digest(&digest::SHA256, &sums));
        assert!(!parting.is_other(&format!("{sum}-3"), b"123456789"));
        assert!(parting.is_other(&format!("{sum}-3"), b"123456780"), "a byte is another");
        assert!(!parting.is_other(&format!("{sum}-2"), b"123456780"), "parts of somebody else");
    }
}
