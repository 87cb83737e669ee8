//! One gzip member (RFC 1952), in bounded memory, and nothing after it: what follows the first member other programs
//! would show as a part of the file, and no digest speaks of it.

use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZFlush, MZStatus};

const HEADER_BYTES: usize = 10;
/// Checksum and length.
const TRAILER_BYTES: usize = 8;
const STEP_BYTES: usize = 64 << 10;

/// What was compressed; at most `limit` bytes of it.
pub fn expand(bytes: &[u8], limit: usize) -> Result<Vec<u8>, String> {
    let broken = || "it is not whole gzip".to_owned();
    let mut rest = body(bytes).ok_or_else(broken)?;
    let mut state = InflateState::new_boxed(DataFormat::Raw);
    let mut plain = Vec::new();
    loop {
        let start = plain.len();
        plain.resize(start + STEP_BYTES, 0);
        let step = inflate(&mut state, rest, &mut plain[start..], MZFlush::None);
        plain.truncate(start + step.bytes_written);
        rest = &rest[step.bytes_consumed..];
        if plain.len() > limit {
            return Err(format!("it holds more than {limit} bytes"));
        }
        match step.status {
            Ok(MZStatus::StreamEnd) => break,
            Ok(_) if step.bytes_written > 0 => {}
            _ => return Err(broken()),
        }
    }
    // The checksum is left to SHA-256, which whoever proves something compares.
    let length = rest.get(4..TRAILER_BYTES).ok_or_else(broken)?;
    if length != (plain.len() as u32).to_le_bytes() {
        return Err(broken());
    }
    if rest.len() > TRAILER_BYTES {
        return Err("something follows the end of its gzip".to_owned());
    }
    Ok(plain)
}

/// What comes after the header.
fn body(bytes: &[u8]) -> Option<&[u8]> {
    let (header, mut rest) = bytes.split_at_checked(HEADER_BYTES)?;
    let &[0x1f, 0x8b, 8, flags, ..] = header else { return None };
    if flags & 0xe0 != 0 {
        return None;
    }
    if flags & 4 != 0 {
        let (length, after) = rest.split_first_chunk::<2>()?;
        rest = after.get(usize::from(u16::from_le_bytes(*length))..)?;
    }
    for flag in [8, 16] {
        if flags & flag != 0 {
            let end = rest.iter().position(|byte| *byte == 0)?;
            rest = &rest[end + 1..];
        }
    }
    if flags & 2 != 0 { rest.get(2..) } else { Some(rest) }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// As simple as a gzip file can be: stored blocks.
    pub(crate) fn stored(plain: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
        let mut chunks = plain.chunks(0xffff).peekable();
        if plain.is_empty() {
            bytes.extend([1, 0, 0, 0xff, 0xff]);
        }
        while let Some(chunk) = chunks.next() {
            let length = chunk.len() as u16;
            bytes.push(u8::from(chunks.peek().is_none()));
            bytes.extend(length.to_le_bytes());
            bytes.extend((!length).to_le_bytes());
            bytes.extend(chunk);
        }
        bytes.extend([0; 4]);
        bytes.extend((plain.len() as u32).to_le_bytes());
        bytes
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(32))]

        #[test]
        fn what_was_stored_comes_out(byte in 0u8..=255, length in 0usize..200_000) {
            let plain: Vec<u8> = (0..length).map(|at| (at % 251) as u8 ^ byte).collect();
            let bytes = stored(&plain);
            proptest::prop_assert_eq!(&expand(&bytes, 1 << 20).unwrap(), &plain);
            proptest::prop_assert!(expand(&bytes[..bytes.len() - 1], 1 << 20).is_err());
            let twice = [bytes.clone(), bytes].concat();
            proptest::prop_assert!(expand(&twice, 1 << 20).is_err());
        }

        #[test]
        fn nothing_makes_it_panic(bytes in proptest::collection::vec(0u8..=255, 0..400)) {
            drop(expand(&bytes, 1 << 16));
            let mut member = vec![0x1f, 0x8b, 8, bytes.first().copied().unwrap_or(0), 0, 0, 0, 0, 0, 255];
            member.extend(&bytes);
            drop(expand(&member, 1 << 16));
        }
    }

    #[test]
    fn a_small_file_cannot_become_a_large_one() {
        assert!(expand(&stored(&vec![7; 100_000]), 65_536).unwrap_err().contains("more than 65536"));
    }
}
