//! Paths as references in documents for programs.

use std::fmt::Write as _;

/// A path as a relative reference (RFC 3986, section 4.2): what an address may not hold is written as a percent sign and
/// two digits, and folders are parted by `/`.
#[must_use]
pub fn relative_reference(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.replace('\\', "/").bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a text does not fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_an_address_may_not_hold_is_encoded() {
        assert_eq!(super::relative_reference(r"a b\ü#1.json"), "a%20b/%C3%BC%231.json");
        assert_eq!(super::relative_reference("infra/stack-1_~.yaml"), "infra/stack-1_~.yaml");
    }
}
