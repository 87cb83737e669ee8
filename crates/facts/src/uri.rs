//! Percent encoding: paths as references in documents for programs, and documents that a service encodes so.

use std::fmt::Write as _;

/// A path as a relative reference (RFC 3986, section 4.2): what an address may not hold is written as a percent sign and
/// two digits, and folders are parted by `/`.
#[must_use]
pub fn relative_reference(path: &str) -> String {
    percent_encoded(&path.replace('\\', "/"), |byte| byte == b'/')
}

/// Percent encoding of everything but the unreserved characters (RFC 3986, section 2.3) and what is to be kept.
#[must_use]
pub fn percent_encoded(text: &str, keep: impl Fn(u8) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || keep(byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a text does not fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Undoes percent encoding (RFC 3986, section 2.1); nothing if it is broken or not UTF-8 then.
#[must_use]
pub fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    let digit = |byte: Option<u8>| char::from(byte?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    while let Some(byte) = rest.next() {
        bytes.push(if byte == b'%' { digit(rest.next())? * 16 + digit(rest.next())? } else { byte });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_encoded_is_decoded() {
        assert_eq!(super::percent_decoded("%7B%22a%22%3A1%7d").as_deref(), Some("{\"a\":1}"));
        assert_eq!(super::percent_decoded(&super::relative_reference("a b/ü")).as_deref(), Some("a b/ü"));
        for broken in ["%7", "%", "%zz", "%ff"] {
            assert_eq!(super::percent_decoded(broken), None, "{broken}");
        }
    }

    #[test]
    fn what_an_address_may_not_hold_is_encoded() {
        assert_eq!(super::relative_reference(r"a b\ü#1.json"), "a%20b/%C3%BC%231.json");
        assert_eq!(super::relative_reference("infra/stack-1_~.yaml"), "infra/stack-1_~.yaml");
    }
}
