//! AWS Signature Version 4 in the `Authorization` header, over the HMAC and SHA-256 of the workspace's one crypto
//! provider. Held by the published test suite (`tests/sigv4`).
//!
//! Source: IAM User Guide, "Create a signed AWS API request".

use aws_lc_rs::{digest, hmac};
use facts::percent_encoded;
use std::cell::RefCell;
use std::fmt::Write as _;
use zeroize::Zeroizing;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// What a signature is made with.
pub(crate) struct Signer<'a> {
    /// Whose: the access key's id.
    pub(crate) key_id: &'a str,
    /// The secret half.
    pub(crate) secret: &'a str,
    /// `eu-central-1`.
    pub(crate) region: &'a str,
    /// `kms`.
    pub(crate) service: &'a str,
    /// `20150830T123600Z`.
    pub(crate) time: &'a str,
    /// Whether the path is encoded once more for the signature: everywhere but in S3.
    pub(crate) encode_again: bool,
}

/// What is signed.
pub(crate) struct Signed<'a> {
    /// `GET`.
    pub(crate) method: &'a str,
    /// As it is sent, without dot segments.
    pub(crate) path: &'a str,
    /// Names and values, not encoded.
    pub(crate) query: &'a [(String, String)],
    /// All headers that are to be signed; names in any case.
    pub(crate) headers: &'a [(String, String)],
    /// SHA-256 of the body in hex.
    pub(crate) payload: &'a str,
}

impl Signer<'_> {
    /// The value of the `Authorization` header.
    pub(crate) fn authorization(&self, request: &Signed<'_>) -> String {
        let headers = canonical_headers(request.headers);
        let canonical = self.canonical(request, &headers);
        let signature = self.signature(&self.string_to_sign(&canonical));
        let names = names(&headers);
        let scope = self.scope();
        format!(
            "{ALGORITHM} Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
            self.key_id
        )
    }

    /// The query of a call that somebody else will send: `seconds` long it is as good as the caller. What is signed lacks
    /// everything that this adds to its query; its headers must be sent as they are.
    pub(crate) fn presigned(&self, request: &Signed<'_>, token: Option<&str>, seconds: u32) -> String {
        let mut query = request.query.to_vec();
        let mut add = |name: &str, value: String| query.push((name.to_owned(), value));
        add("X-Amz-Algorithm", ALGORITHM.to_owned());
        add("X-Amz-Credential", format!("{}/{}", self.key_id, self.scope()));
        add("X-Amz-Date", self.time.to_owned());
        add("X-Amz-Expires", seconds.to_string());
        add("X-Amz-SignedHeaders", names(&canonical_headers(request.headers)));
        if let Some(token) = token {
            add("X-Amz-Security-Token", token.to_owned());
        }
        let signed = Signed { query: &query, ..*request };
        let canonical = self.canonical(&signed, &canonical_headers(signed.headers));
        let signature = self.signature(&self.string_to_sign(&canonical));
        query.push(("X-Amz-Signature".to_owned(), signature));
        let pair = |(name, value): &(String, String)| format!("{}={}", encode(name), encode(value));
        query.iter().map(pair).collect::<Vec<_>>().join("&")
    }

    fn canonical(&self, request: &Signed<'_>, headers: &[(String, String)]) -> String {
        let mut query: Vec<(String, String)> =
            request.query.iter().map(|(name, value)| (encode(name), encode(value))).collect();
        query.sort();
        let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut lines = String::new();
        for (name, value) in headers {
            let _ = writeln!(lines, "{name}:{value}");
        }
        let path = percent_encoded(request.path, |b| b == b'/' || (b == b'%' && !self.encode_again));
        format!(
            "{}\n{path}\n{}\n{lines}\n{}\n{}",
            request.method,
            query.join("&"),
            names(headers),
            request.payload
        )
    }

    fn string_to_sign(&self, canonical: &str) -> String {
        format!("{ALGORITHM}\n{}\n{}\n{}", self.time, self.scope(), sha256_hex(canonical.as_bytes()))
    }

    fn scope(&self) -> String {
        format!("{}/{}/{}/aws4_request", self.day(), self.region, self.service)
    }

    fn day(&self) -> &str {
        self.time.get(..8).unwrap_or(self.time)
    }

    fn signature(&self, text: &str) -> String {
        hex::encode(hmac::sign(&self.key(), text.as_bytes()))
    }

    /// The key of a day, region and service. A thread signs one thing after the other for the same, so its last is kept.
    fn key(&self) -> hmac::Key {
        let of = Zeroizing::new(format!("{}\n{}\n{}", self.secret, self.key_id, self.scope()));
        LAST.with_borrow_mut(|last| match last {
            Some((known, key)) if *known == of => key.clone(),
            _ => {
                let mut key = Zeroizing::new(format!("AWS4{}", self.secret).into_bytes());
                for part in [self.day(), self.region, self.service, "aws4_request"] {
                    key = Zeroizing::new(mac(&key, part.as_bytes()));
                }
                let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
                *last = Some((of, key.clone()));
                key
            }
        })
    }
}

thread_local! {
    /// The last key of this thread, and what it is of.
    static LAST: RefCell<Option<(Zeroizing<String>, hmac::Key)>> = const { RefCell::new(None) };
}

fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text).as_ref().to_vec()
}

/// SHA-256 in hex.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, bytes))
}

/// Names in lower case and sorted, values without needless space, equal names joined in order.
fn canonical_headers(headers: &[(String, String)]) -> Vec<(String, String)> {
    let mut joined: Vec<(String, String)> = Vec::new();
    for (name, value) in headers {
        let name = name.to_ascii_lowercase();
        let value = value.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        match joined.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => {
                values.push(',');
                values.push_str(&value);
            }
            None => joined.push((name, value)),
        }
    }
    joined.sort();
    joined
}

fn names(headers: &[(String, String)]) -> String {
    headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";")
}

/// Percent-encodes everything but the unreserved characters of RFC 3986.
pub(crate) fn encode(text: &str) -> String {
    percent_encoded(text, |_| false)
}

/// The same for a path: slashes stay.
pub(crate) fn encode_path(text: &str) -> String {
    percent_encoded(text, |b| b == b'/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    /// The AWS Signature Version 4 test suite: `tests/sigv4/README.md` says where it is from.
    const SUITE: &str = include_str!("../tests/sigv4/vectors.json");

    #[derive(Deserialize)]
    struct Vector {
        name: String,
        context: Option<Context>,
        request: String,
        canonical_request: String,
        string_to_sign: Option<String>,
        signature: Option<String>,
    }

    #[derive(Deserialize)]
    struct Context {
        credentials: Keys,
        normalize: bool,
        region: String,
        service: String,
        sign_body: bool,
        timestamp: String,
        #[serde(default)]
        omit_session_token: bool,
    }

    #[derive(Deserialize)]
    struct Keys {
        access_key_id: String,
        secret_access_key: String,
        token: Option<String>,
    }

    struct Parsed {
        method: String,
        path: String,
        query: Vec<(String, String)>,
        headers: Vec<(String, String)>,
        body: String,
    }

    fn parse(request: &str) -> Parsed {
        let (head, body) = request.split_once("\n\n").unwrap_or((request, ""));
        let mut lines = head.lines();
        let line = lines.next().unwrap().strip_suffix(" HTTP/1.1").unwrap();
        let (method, target) = line.split_once(' ').unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let decode = |text: &str| -> String {
            let mut bytes = Vec::new();
            let mut rest = text.as_bytes();
            while let [first, tail @ ..] = rest {
                if *first == b'%' {
                    bytes.push(u8::from_str_radix(std::str::from_utf8(&tail[..2]).unwrap(), 16).unwrap());
                    rest = &tail[2..];
                } else {
                    bytes.push(*first);
                    rest = tail;
                }
            }
            String::from_utf8(bytes).unwrap()
        };
        let pair = |text: &str| {
            let (name, value) = text.split_once('=').unwrap_or((text, ""));
            (decode(name), decode(value))
        };
        let query = query.split('&').filter(|text| !text.is_empty()).map(pair).collect();
        let mut headers: Vec<(String, String)> = Vec::new();
        for line in lines {
            match line.split_once(':') {
                Some((name, value)) if !line.starts_with(' ') => headers.push((name.into(), value.into())),
                _ => headers.last_mut().unwrap().1.push_str(line),
            }
        }
        Parsed { method: method.into(), path: path.into(), query, headers, body: body.into() }
    }

    fn check(vector: &Vector) {
        let mut request = parse(&vector.request);
        let payload = sha256_hex(request.body.as_bytes());
        let context = vector.context.as_ref();
        let time = context.map_or("20210511T154045Z".into(), |c| c.timestamp.replace(['-', ':'], ""));
        request.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("x-amz-date"));
        request.headers.push(("X-Amz-Date".into(), time.clone()));
        if let Some(context) = context {
            if context.sign_body {
                request.headers.push(("x-amz-content-sha256".into(), payload.clone()));
            }
            if let Some(token) = context.credentials.token.as_ref().filter(|_| !context.omit_session_token) {
                request.headers.push(("x-amz-security-token".into(), token.clone()));
            }
        }
        let signer = Signer {
            key_id: context.map_or("", |c| &c.credentials.access_key_id),
            secret: context.map_or("", |c| &c.credentials.secret_access_key),
            region: context.map_or("", |c| &c.region),
            service: context.map_or("", |c| &c.service),
            time: &time,
            encode_again: context.is_none(),
        };
        let Parsed { method, path, query, headers, .. } = &request;
        let signed = Signed { method, path, query, headers, payload: &payload };
        let canonical = signer.canonical(&signed, &canonical_headers(headers));
        assert_eq!(canonical, vector.canonical_request, "{}", vector.name);
        if let (Some(_), Some(text), Some(signature)) = (context, &vector.string_to_sign, &vector.signature) {
            assert_eq!(signer.string_to_sign(&canonical), *text, "{}", vector.name);
            assert_eq!(signer.signature(text), *signature, "{}", vector.name);
            assert!(signer.authorization(&signed).ends_with(&format!("Signature={signature}")));
        }
    }

    #[test]
    fn the_published_suite() {
        let vectors: Vec<Vector> = serde_json::from_str(SUITE).unwrap();
        // We send no path with dot segments or double slashes, so nothing here takes them out.
        let ours = |vector: &&Vector| {
            let path = parse(&vector.request).path;
            let plain = !path.contains("//") && !path.contains("/.");
            plain || vector.context.as_ref().is_none_or(|context| !context.normalize)
        };
        let run: Vec<_> = vectors.iter().filter(ours).collect();
        assert_eq!((vectors.len(), run.len()), (40, 34));
        run.into_iter().for_each(check);
    }

    /// Amazon S3 API Reference, "Signature Calculations for the Authorization Header", example "GET Object".
    #[test]
    fn the_example_of_s3() {
        let empty = sha256_hex(b"");
        let headers = [
            ("host", "examplebucket.s3.amazonaws.com"),
            ("range", "bytes=0-9"),
            ("x-amz-content-sha256", &empty),
            ("x-amz-date", "20130524T000000Z"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let signer = Signer {
            key_id: "AKIAIOSFODNN7EXAMPLE",
            secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            region: "us-east-1",
            service: "s3",
            time: "20130524T000000Z",
            encode_again: false,
        };
        let signed =
            Signed { method: "GET", path: "/test.txt", query: &[], headers: &headers, payload: &empty };
        insta::assert_snapshot!(signer.authorization(&signed), @"AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
    }
}
