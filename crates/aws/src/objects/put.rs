//! Puts: in one request, or in parts if there is too much for one. Either way an object appears whole or not at all, never in
//! place of another.
//!
//! Source: Amazon S3 API Reference, `PutObject`; User Guide, "Preventing object overwrites with conditional writes".

use super::borrowed::How;
use super::parts::{ABORT, COMPLETE, CREATE, CREATE_LOCKED, PART, Parts};
use super::{LARGEST, S3Objects, on};
use crate::error::AwsError;
use crate::operation::{On, Operation, Retry, S3};
use std::time::Duration;
use world::{Content, Kind, PortError, next_part};

/// A put says that the name must be free, and equal bytes count as done: so it can be tried again.
pub(super) const PUT: Operation = Operation {
    service: &S3,
    name: "PutObject",
    retry: Retry::Safe,
    needs: &[on("s3:PutObject", On::Objects), on("kms:GenerateDataKey", On::BucketKey)],
    pages: None,
};
/// The same where objects are locked.
pub(super) const PUT_LOCKED: Operation = Operation {
    needs: &[
        on("s3:PutObject", On::Objects),
        on("s3:PutObjectRetention", On::Objects),
        on("kms:GenerateDataKey", On::BucketKey),
    ],
    ..PUT
};

/// How often a put is made again when somebody else puts the same name, and after which pause.
const RACES: u32 = 4;
const RACE_PAUSE: Duration = Duration::from_millis(50);

/// What a put may call.
pub(super) fn calls(locked: bool) -> &'static [&'static Operation] {
    match locked {
        true => &[&PUT_LOCKED, &CREATE_LOCKED, &PART, &COMPLETE, &ABORT],
        false => &[&PUT, &CREATE, &PART, &COMPLETE, &ABORT],
    }
}

impl S3Objects {
    /// Puts an object in place of another one, which a versioned bucket keeps as an older version.
    pub fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), PortError> {
        self.named(name)?;
        fits(name, &bytes)?;
        match self.put_once(name, &bytes, false) {
            // Put together already, by an attempt whose answer was lost.
            Err(error) if error.code() == "NoSuchUpload" && self.holds(name, &bytes)? == Some(true) => Ok(()),
            done => done.map_err(|error| self.explain(&error)),
        }
    }

    /// Puts an object that must not be there yet, unless its bytes are the same.
    pub(super) fn put_new(&self, name: &str, content: &dyn Content) -> Result<(), PortError> {
        self.named(name)?;
        fits(name, content)?;
        for _ in 0..RACES {
            match self.put_once(name, content, true) {
                Ok(()) => return Ok(()),
                // Somebody puts or deletes it at this moment.
                Err(error) if matches!(error.code(), "ConditionalRequestConflict" | "OperationAborted") => {}
                // It is there: from an attempt of ours whose answer was lost, from before, or from somebody else.
                Err(error) if matches!(error.code(), "PreconditionFailed" | "NoSuchUpload") => {
                    match self.holds(name, content)? {
                        Some(true) => return Ok(()),
                        Some(false) => {
                            let text = format!("the object `{name}` exists with other content");
                            return Err(PortError::new(Kind::Conflict, text));
                        }
                        None => {}
                    }
                }
                Err(error) => return Err(self.explain(&error)),
            }
            std::thread::sleep(RACE_PAUSE);
        }
        let text = format!("the object `{name}` is being changed by somebody else");
        Err(PortError::new(Kind::Busy, text).with_help("run the command again"))
    }

    fn put_once(&self, name: &str, content: &dyn Content, only_new: bool) -> Result<(), AwsError> {
        if self.parting.cuts(content.length()) {
            return self.put_in_parts(name, content, only_new);
        }
        let mut parts = Parts::of(name, content, content.length());
        let bytes = parts.next_part()?.unwrap_or_default();
        parts.ended()?;
        self.object(name, How { only_new, whole: content.length(), most: None })?.put(bytes)
    }

    /// Whether an object has these bytes; nothing if there is none.
    pub(super) fn small_holds(&self, name: &str, content: &dyn Content) -> Result<Option<bool>, PortError> {
        let wanted = next_part(content.reader().as_mut(), content.length())?;
        match self.read(name, LARGEST) {
            Ok(there) => Ok(Some(there == wanted)),
            Err(error) if error.kind() == Kind::Absent => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn fits(name: &str, content: &dyn Content) -> Result<(), PortError> {
    if content.length() <= LARGEST as u64 {
        return Ok(());
    }
    let text = format!("the object `{name}` has {} bytes: expected at most {LARGEST}", content.length());
    Err(PortError::new(Kind::Invalid, text))
}
