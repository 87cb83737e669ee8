//! One gzip member (RFC 1952), in bounded memory, and nothing after it: what follows the first member other programs
//! would show as a part of the file, and no digest speaks of it.

use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZError, MZFlush, MZStatus};

const HEADER_BYTES: usize = 10;
/// The longest header: names and remarks of a file are short.
const LONGEST_HEADER: usize = 1 << 17;
/// Checksum and length.
const TRAILER_BYTES: usize = 8;
const STEP_BYTES: usize = 64 << 10;

/// What was compressed; at most `limit` bytes of it.
pub fn expand(bytes: &[u8], limit: usize) -> Result<Vec<u8>, String> {
    let mut plain = Vec::new();
    let mut expander = Expander::new(limit as u64);
    expander.push(bytes, &mut |part| {
        plain.extend_from_slice(part);
        Ok::<(), String>(())
    })?;
    expander.finish()?;
    Ok(plain)
}

/// A member that comes in parts.
pub struct Expander {
    /// The header as far as it came, until it is whole.
    header: Option<Vec<u8>>,
    state: Box<InflateState>,
    plain: Vec<u8>,
    room: u64,
    limit: u64,
    /// Of what came out.
    checksum: u32,
    length: u32,
    /// What comes after the compressed bytes; nothing before they end.
    trailer: Option<Vec<u8>>,
}

impl Expander {
    /// Nothing came yet; at most `limit` bytes may come out.
    pub fn new(limit: u64) -> Self {
        Self {
            header: Some(Vec::new()),
            state: InflateState::new_boxed(DataFormat::Raw),
            plain: vec![0; STEP_BYTES],
            room: limit,
            limit,
            checksum: !0,
            length: 0,
            trailer: None,
        }
    }

    /// Takes in what comes next, and gives out what it holds.
    ///
    /// # Errors
    /// If it is no gzip, holds more than it may, or `give` fails.
    pub fn push<E: From<String>>(
        &mut self,
        bytes: &[u8],
        give: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let Some(mut header) = self.header.take() else { return self.inflate(bytes, give) };
        header.extend_from_slice(bytes);
        if let Some(rest) = body(&header) {
            return self.inflate(rest, give);
        }
        let begins = header.iter().zip([0x1f, 0x8b, 8]).all(|(byte, expected)| *byte == expected);
        if !begins || header.len() > LONGEST_HEADER {
            return Err(broken().into());
        }
        self.header = Some(header);
        Ok(())
    }

    fn inflate<E: From<String>>(
        &mut self,
        mut rest: &[u8],
        give: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        while self.trailer.is_none() {
            let step = inflate(&mut self.state, rest, &mut self.plain, MZFlush::None);
            rest = rest.get(step.bytes_consumed..).unwrap_or_default();
            let plain = self.plain.get(..step.bytes_written).unwrap_or_default();
            self.room = match self.room.checked_sub(plain.len() as u64) {
                Some(room) => room,
                None => return Err(format!("it holds more than {} bytes", self.limit).into()),
            };
            self.checksum = crc32(self.checksum, plain);
            self.length = self.length.wrapping_add(plain.len() as u32);
            if !plain.is_empty() {
                give(plain)?;
            }
            match step.status {
                Ok(MZStatus::StreamEnd) => self.trailer = Some(Vec::new()),
                Ok(_) if step.bytes_written > 0 || step.bytes_consumed > 0 => {}
                // It goes on with the next part.
                Ok(_) | Err(MZError::Buf) if rest.is_empty() => return Ok(()),
                _ => return Err(broken().into()),
            }
        }
        if let Some(trailer) = &mut self.trailer {
            if trailer.len() + rest.len() > TRAILER_BYTES {
                return Err("something follows the end of its gzip".to_owned().into());
            }
            trailer.extend_from_slice(rest);
        }
        Ok(())
    }

    /// That all of it came, and is what was compressed.
    ///
    /// # Errors
    /// If it did not, or is not.
    pub fn finish(self) -> Result<(), String> {
        let trailer = self.trailer.ok_or_else(broken)?;
        let mut expected = (!self.checksum).to_le_bytes().to_vec();
        expected.extend(self.length.to_le_bytes());
        if trailer == expected { Ok(()) } else { Err(broken()) }
    }
}

fn broken() -> String {
    "it is not whole gzip".to_owned()
}

/// The checksum of RFC 1952 of what comes next, inverted.
fn crc32(so_far: u32, bytes: &[u8]) -> u32 {
    let step = |sum: u32, byte: &u8| (sum >> 8) ^ CRC[((sum ^ u32::from(*byte)) & 0xff) as usize];
    bytes.iter().fold(so_far, step)
}

const CRC: [u32; 256] = {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        let mut sum = at as u32;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum & 1 == 1 { 0xedb8_8320 ^ (sum >> 1) } else { sum >> 1 };
            bit += 1;
        }
        table[at] = sum;
        at += 1;
    }
    table
};

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
        bytes.extend((!crc32(!0, plain)).to_le_bytes());
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
        fn parts_of_any_size_give_the_same(length in 0usize..100_000, cut in 1usize..5_000) {
            let plain: Vec<u8> = (0..length).map(|at| (at % 253) as u8).collect();
            let (mut expander, mut out) = (Expander::new(100_000), Vec::new());
            for part in stored(&plain).chunks(cut) {
                expander.push(part, &mut |part| { out.extend_from_slice(part); Ok::<(), String>(()) }).unwrap();
            }
            expander.finish().unwrap();
            proptest::prop_assert_eq!(out, plain);
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
    fn the_checksum_is_that_of_everybody() {
        assert_eq!(!crc32(!0, b"123456789"), 0xcbf4_3926);
        let mut damaged = stored(b"model");
        let at = damaged.len() - TRAILER_BYTES - 1;
        damaged[at] ^= 1;
        assert!(expand(&damaged, 100).is_err());
    }

    #[test]
    fn a_small_file_cannot_become_a_large_one() {
        assert!(expand(&stored(&vec![7; 100_000]), 65_536).unwrap_err().contains("more than 65536"));
    }
}
