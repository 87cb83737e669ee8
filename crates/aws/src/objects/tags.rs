//! Tags of objects: one is set or taken away, and the others stay as they are.
//!
//! Source: Amazon S3 API Reference, `GetObjectTagging`, `PutObjectTagging`, `DeleteObjectTagging`.

use super::{CHECKSUM, S3Objects, checksum, on};
use crate::operation::{On, Operation, Retry, S3};
use crate::wire::from_xml;
use serde::Deserialize;
use world::PortError;

pub(super) const GET_TAGS: Operation = Operation {
    service: &S3,
    name: "GetObjectTagging",
    retry: Retry::Safe,
    needs: &[on("s3:GetObjectTagging", On::Objects)],
    pages: None,
};
/// The whole set is written, so twice is the same as once.
pub(super) const PUT_TAGS: Operation = Operation {
    service: &S3,
    name: "PutObjectTagging",
    retry: Retry::Safe,
    needs: &[on("s3:PutObjectTagging", On::Objects)],
    pages: None,
};
/// Where no tag is left.
pub(super) const DELETE_TAGS: Operation = Operation {
    service: &S3,
    name: "DeleteObjectTagging",
    retry: Retry::Safe,
    needs: &[on("s3:DeleteObjectTagging", On::Objects)],
    pages: None,
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tagging {
    #[serde(default)]
    tag_set: TagSet,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TagSet {
    #[serde(default)]
    tag: Vec<Tag>,
}

#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    #[serde(default)]
    value: String,
}

impl S3Objects {
    /// Sets a tag of an object, or takes it away; the other tags stay.
    pub(crate) fn tag(&self, name: &str, (key, value): (&str, Option<&str>)) -> Result<(), PortError> {
        self.named(name)?;
        let read = self.wire("GET", name)?.parameter("tagging", "");
        let answer = self.client.call(&GET_TAGS, &read).map_err(|error| self.explain(&error))?;
        let before = from_xml::<Tagging>(&GET_TAGS, &answer)?.tag_set.tag;
        let mut tags: Vec<Tag> = before.iter().filter(|tag| tag.key != key).cloned().collect();
        tags.extend(value.map(|value| Tag { key: key.to_owned(), value: value.to_owned() }));
        if tags == before {
            return Ok(());
        }
        if tags.is_empty() {
            let wire = self.wire("DELETE", name)?.parameter("tagging", "");
            return self.client.call(&DELETE_TAGS, &wire).map(|_| ()).map_err(|error| self.explain(&error));
        }
        let tag = |Tag { key, value }: &Tag| {
            format!("<Tag><Key>{}</Key><Value>{}</Value></Tag>", escaped(key), escaped(value))
        };
        let body: String = tags.iter().map(tag).collect();
        let body = format!(
            "<Tagging xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><TagSet>{body}</TagSet></Tagging>"
        );
        let write =
            self.wire("PUT", name)?.parameter("tagging", "").header(CHECKSUM, checksum(body.as_bytes()));
        let write = write.header("content-type", "application/xml").body(body);
        self.client.call(&PUT_TAGS, &write).map(|_| ()).map_err(|error| self.explain(&error))
    }
}

/// Text within an element.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
