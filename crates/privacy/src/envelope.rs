//! Encrypted messages in the format of the AWS Encryption SDK, version 2, algorithm suite 0x0478 (AES-256-GCM with
//! HKDF-SHA-512 and key commitment), framed. What is written here opens in AWS's own tools with a raw AES keyring.
//!
//! Source: AWS Encryption SDK Developer Guide, "AWS Encryption SDK message format reference" and "Body additional
//! authenticated data (AAD) reference".

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hkdf;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// Who can unwrap the data key, and the wrapped key itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edk {
    /// The key provider.
    pub provider: String,
    /// What the provider needs to find the key.
    pub info: Vec<u8>,
    /// The data key, encrypted.
    pub ciphertext: Vec<u8>,
}

/// A message that cannot be made or opened. Says nothing about the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// The bytes end too early or say something impossible.
    #[error("the encrypted message is damaged or cut off")]
    Damaged,
    /// Another version or suite.
    #[error(
        "the encrypted message is of a kind that is not supported (expected version 2, suite 0478, framed)"
    )]
    Unsupported,
    /// The key is not the one it was made with, or bytes were changed.
    #[error("the encrypted message does not open with this key, or was changed")]
    Authentication,
    /// More than the format can hold.
    #[error("the content or its context is too large for the format")]
    TooLarge,
}

const VERSION: u8 = 2;
const SUITE: [u8; 2] = [0x04, 0x78];
const FRAMED: u8 = 2;
const FRAME_BYTES: usize = 64 * 1024;
const TAG: usize = 16;
const FINAL: [u8; 4] = [0xff; 4];
const MAX_EDKS: usize = 16;

/// Encrypts `plain` under `data_key`. `message_id` must be fresh random bytes for every message; `edks` say how the
/// data key can be had again; `context` is bound to the message and readable in it.
pub fn seal(
    plain: &[u8],
    data_key: &[u8; 32],
    message_id: [u8; 32],
    edks: &[Edk],
    context: &BTreeMap<String, String>,
) -> Result<Vec<u8>, EnvelopeError> {
    let sealing = Sealing::new(plain, data_key, message_id, edks, context)?;
    let mut out = Vec::with_capacity(usize::try_from(sealing.length()).unwrap_or_default());
    for piece in sealing.pieces() {
        out.extend(piece?);
    }
    Ok(out)
}

/// A message that is made piece by piece, the same each time: it need not be in memory as a whole beside its content.
pub struct Sealing<'a> {
    plain: &'a [u8],
    message_id: [u8; 32],
    keys: Keys,
    /// The header with its tag.
    header: Vec<u8>,
}

impl<'a> Sealing<'a> {
    /// As [`seal`].
    ///
    /// # Errors
    /// If there is more than the format can hold.
    pub fn new(
        plain: &'a [u8],
        data_key: &[u8; 32],
        message_id: [u8; 32],
        edks: &[Edk],
        context: &BTreeMap<String, String>,
    ) -> Result<Self, EnvelopeError> {
        // The last frame has one number less than there are.
        if plain.len() / FRAME_BYTES + 1 >= u32::MAX as usize {
            return Err(EnvelopeError::TooLarge);
        }
        let keys = derive(data_key, &message_id)?;
        let header = header(&keys, &message_id, edks, context)?;
        Ok(Self { plain, message_id, keys, header })
    }

    /// How many bytes the message has.
    pub fn length(&self) -> u64 {
        let frames = (self.plain.len() / FRAME_BYTES + 1) as u64;
        // Each frame has its number, a nonce and a tag; the last one its mark and its length beside.
        let around = frames * (4 + 12 + TAG as u64) + 8;
        self.header.len() as u64 + around + self.plain.len() as u64
    }

    /// The pieces of the message: the header, then one frame each.
    pub fn pieces(&self) -> impl Iterator<Item = Result<Vec<u8>, EnvelopeError>> + '_ {
        let last = self.plain.len() / FRAME_BYTES;
        let frames = (0..=last).map(move |at| {
            let frame = &self.plain[at * FRAME_BYTES..self.plain.len().min((at + 1) * FRAME_BYTES)];
            self.frame(frame, at + 1, at == last)
        });
        std::iter::once(Ok(self.header.clone())).chain(frames)
    }

    fn frame(&self, plain: &[u8], number: usize, last: bool) -> Result<Vec<u8>, EnvelopeError> {
        let sequence = u32::try_from(number).map_err(|_| EnvelopeError::TooLarge)?;
        let mut frame = plain.to_vec();
        let aad = body_aad(&self.message_id, last, sequence, frame.len());
        let tag = encrypt(&self.keys.cipher, sequence, &aad, &mut frame)?;
        let mut out = Vec::with_capacity(frame.len() + 64);
        if last {
            out.extend(FINAL);
        }
        out.extend(sequence.to_be_bytes());
        out.extend(iv(sequence));
        if last {
            out.extend((frame.len() as u32).to_be_bytes());
        }
        out.extend(&frame);
        out.extend(tag);
        Ok(out)
    }
}

/// What stands before the frames, with its tag.
fn header(
    keys: &Keys,
    message_id: &[u8; 32],
    edks: &[Edk],
    context: &BTreeMap<String, String>,
) -> Result<Vec<u8>, EnvelopeError> {
    let mut out = vec![VERSION];
    out.extend(SUITE);
    out.extend(message_id);
    let aad = encode_context(context)?;
    put_sized(&mut out, &aad)?;
    if edks.is_empty() || edks.len() > MAX_EDKS {
        return Err(EnvelopeError::TooLarge);
    }
    out.extend(u16_of(edks.len())?);
    for edk in edks {
        put_sized(&mut out, edk.provider.as_bytes())?;
        put_sized(&mut out, &edk.info)?;
        put_sized(&mut out, &edk.ciphertext)?;
    }
    out.push(FRAMED);
    out.extend((FRAME_BYTES as u32).to_be_bytes());
    out.extend(keys.commitment);
    let tag = encrypt(&keys.cipher, 0, &out, &mut [])?;
    out.extend(tag);
    Ok(out)
}

/// The readable part of a message. Not authenticated until [`open`] succeeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    message_id: [u8; 32],
    context: BTreeMap<String, String>,
    edks: Vec<Edk>,
    frame_bytes: usize,
    commitment: [u8; 32],
    /// Length of the header body, which is what its tag authenticates.
    length: usize,
}

impl Header {
    /// Reads the header of a message.
    pub fn parse(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let mut from = Reader { bytes, at: 0 };
        if from.array::<1>()? != [VERSION] || from.array::<2>()? != SUITE {
            return Err(EnvelopeError::Unsupported);
        }
        let message_id = from.array()?;
        let context = decode_context(from.sized()?)?;
        let count = usize::from(u16::from_be_bytes(from.array()?));
        if count == 0 || count > MAX_EDKS {
            return Err(EnvelopeError::Damaged);
        }
        let mut edks = Vec::with_capacity(count);
        for _ in 0..count {
            let provider = String::from_utf8(from.sized()?.to_vec()).map_err(|_| EnvelopeError::Damaged)?;
            edks.push(Edk { provider, info: from.sized()?.to_vec(), ciphertext: from.sized()?.to_vec() });
        }
        if from.array::<1>()? != [FRAMED] {
            return Err(EnvelopeError::Unsupported);
        }
        let frame_bytes = u32::from_be_bytes(from.array()?) as usize;
        let commitment = from.array()?;
        if frame_bytes == 0 {
            return Err(EnvelopeError::Damaged);
        }
        Ok(Self { message_id, context, edks, frame_bytes, commitment, length: from.at })
    }

    /// What the message is bound to.
    pub fn context(&self) -> &BTreeMap<String, String> {
        &self.context
    }

    /// How the data key can be had.
    pub fn edks(&self) -> &[Edk] {
        &self.edks
    }
}

/// Decrypts a whole message; an error if a single bit of it is not as it was made.
pub fn open(bytes: &[u8], data_key: &[u8; 32]) -> Result<Vec<u8>, EnvelopeError> {
    let header = Header::parse(bytes)?;
    let keys = derive(data_key, &header.message_id)?;
    if aws_lc_rs::constant_time::verify_slices_are_equal(&keys.commitment, &header.commitment).is_err() {
        return Err(EnvelopeError::Authentication);
    }
    let mut from = Reader { bytes, at: header.length };
    let mut tag = from.take(TAG)?.to_vec();
    decrypt(&keys.cipher, 0, &bytes[..header.length], &mut tag)?;
    let mut plain = Vec::with_capacity(bytes.len());
    for expected in 1u32..u32::MAX {
        let mut sequence = from.array::<4>()?;
        let last = sequence == FINAL;
        if last {
            sequence = from.array()?;
        }
        if u32::from_be_bytes(sequence) != expected || from.array::<12>()? != iv(expected) {
            return Err(EnvelopeError::Damaged);
        }
        let length = if last { u32::from_be_bytes(from.array()?) as usize } else { header.frame_bytes };
        if length > header.frame_bytes {
            return Err(EnvelopeError::Damaged);
        }
        let mut frame = from.take(length + TAG)?.to_vec();
        let aad = body_aad(&header.message_id, last, expected, length);
        decrypt(&keys.cipher, expected, &aad, &mut frame)?;
        plain.extend_from_slice(&frame[..length]);
        if last {
            return if from.at == bytes.len() { Ok(plain) } else { Err(EnvelopeError::Damaged) };
        }
    }
    Err(EnvelopeError::Damaged)
}

/// The encryption context as the format has it, which is also what key providers bind wrapped keys to.
pub fn encode_context(context: &BTreeMap<String, String>) -> Result<Vec<u8>, EnvelopeError> {
    if context.is_empty() {
        return Ok(Vec::new());
    }
    let mut out = u16_of(context.len())?.to_vec();
    for (key, value) in context {
        put_sized(&mut out, key.as_bytes())?;
        put_sized(&mut out, value.as_bytes())?;
    }
    Ok(out)
}

fn decode_context(bytes: &[u8]) -> Result<BTreeMap<String, String>, EnvelopeError> {
    let mut context = BTreeMap::new();
    if bytes.is_empty() {
        return Ok(context);
    }
    let mut from = Reader { bytes, at: 0 };
    for _ in 0..u16::from_be_bytes(from.array()?) {
        let mut text = || String::from_utf8(from.sized()?.to_vec()).map_err(|_| EnvelopeError::Damaged);
        let (key, value) = (text()?, text()?);
        context.insert(key, value);
    }
    if from.at == bytes.len() { Ok(context) } else { Err(EnvelopeError::Damaged) }
}

struct Keys {
    cipher: LessSafeKey,
    commitment: [u8; 32],
}

/// The content key and the commitment, both bound to the message.
fn derive(data_key: &[u8; 32], message_id: &[u8; 32]) -> Result<Keys, EnvelopeError> {
    let prk = hkdf::Salt::new(hkdf::HKDF_SHA512, message_id).extract(data_key);
    let expand = |info: &[&[u8]]| -> Result<Zeroizing<[u8; 32]>, EnvelopeError> {
        let mut out = Zeroizing::new([0; 32]);
        let okm = prk.expand(info, Length32).map_err(|_| EnvelopeError::Authentication)?;
        okm.fill(out.as_mut()).map_err(|_| EnvelopeError::Authentication)?;
        Ok(out)
    };
    let content = expand(&[&SUITE, b"DERIVEKEY"])?;
    let cipher =
        UnboundKey::new(&AES_256_GCM, content.as_ref()).map_err(|_| EnvelopeError::Authentication)?;
    Ok(Keys { cipher: LessSafeKey::new(cipher), commitment: *expand(&[b"COMMITKEY"])? })
}

struct Length32;

impl hkdf::KeyType for Length32 {
    fn len(&self) -> usize {
        32
    }
}

fn encrypt(
    key: &LessSafeKey,
    sequence: u32,
    aad: &[u8],
    content: &mut [u8],
) -> Result<Vec<u8>, EnvelopeError> {
    let nonce = Nonce::assume_unique_for_key(iv(sequence));
    let tag = key
        .seal_in_place_separate_tag(nonce, Aad::from(aad), content)
        .map_err(|_| EnvelopeError::TooLarge)?;
    Ok(tag.as_ref().to_vec())
}

fn decrypt(key: &LessSafeKey, sequence: u32, aad: &[u8], content: &mut [u8]) -> Result<(), EnvelopeError> {
    let nonce = Nonce::assume_unique_for_key(iv(sequence));
    key.open_in_place(nonce, Aad::from(aad), content).map(|_| ()).map_err(|_| EnvelopeError::Authentication)
}

/// The data key is used for one message only, so counting frames gives unique nonces.
fn iv(sequence: u32) -> [u8; 12] {
    let mut iv = [0; 12];
    iv[8..].copy_from_slice(&sequence.to_be_bytes());
    iv
}

fn body_aad(message_id: &[u8; 32], last: bool, sequence: u32, length: usize) -> Vec<u8> {
    let kind: &[u8] =
        if last { b"AWSKMSEncryptionClient Final Frame" } else { b"AWSKMSEncryptionClient Frame" };
    [message_id.as_slice(), kind, &sequence.to_be_bytes(), &(length as u64).to_be_bytes()].concat()
}

fn put_sized(out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), EnvelopeError> {
    out.extend(u16_of(bytes.len())?);
    out.extend(bytes);
    Ok(())
}

fn u16_of(length: usize) -> Result<[u8; 2], EnvelopeError> {
    u16::try_from(length).map(u16::to_be_bytes).map_err(|_| EnvelopeError::TooLarge)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], EnvelopeError> {
        let end = self.at.checked_add(length).ok_or(EnvelopeError::Damaged)?;
        let part = self.bytes.get(self.at..end).ok_or(EnvelopeError::Damaged)?;
        self.at = end;
        Ok(part)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], EnvelopeError> {
        self.take(N)?.try_into().map_err(|_| EnvelopeError::Damaged)
    }

    fn sized(&mut self) -> Result<&'a [u8], EnvelopeError> {
        let length = u16::from_be_bytes(self.array()?);
        self.take(usize::from(length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sealed(plain: &[u8]) -> Vec<u8> {
        let edk =
            Edk { provider: "wardmote-local".into(), info: b"credit-data".to_vec(), ciphertext: vec![9; 48] };
        let context = BTreeMap::from([("kind".to_owned(), "snapshots".to_owned())]);
        seal(plain, &[1; 32], [2; 32], &[edk], &context).unwrap()
    }

    #[test]
    fn opens_again_at_every_length_around_a_frame() {
        for length in [0, 1, FRAME_BYTES - 1, FRAME_BYTES, FRAME_BYTES + 1, 3 * FRAME_BYTES] {
            let plain: Vec<u8> = (0..length).map(|n| n as u8).collect();
            assert_eq!(open(&sealed(&plain), &[1; 32]).unwrap(), plain, "{length}");
        }
        let header = Header::parse(&sealed(b"x")).unwrap();
        assert_eq!(header.context()["kind"], "snapshots");
        assert_eq!(header.edks()[0].provider, "wardmote-local");
    }

    #[test]
    fn a_message_is_as_long_as_it_says_and_the_same_each_time() {
        for length in [0, 1, FRAME_BYTES - 1, FRAME_BYTES, FRAME_BYTES + 1, 3 * FRAME_BYTES + 7] {
            let plain: Vec<u8> = (0..length).map(|n| n as u8).collect();
            let whole = sealed(&plain);
            let edk = Header::parse(&whole).unwrap().edks()[0].clone();
            let context = Header::parse(&whole).unwrap().context().clone();
            let sealing = Sealing::new(&plain, &[1; 32], [2; 32], &[edk], &context).unwrap();
            assert_eq!(sealing.length(), whole.len() as u64, "{length}");
            for _ in 0..2 {
                let pieces: Vec<Vec<u8>> = sealing.pieces().map(Result::unwrap).collect();
                assert!(pieces.iter().all(|piece| piece.len() < FRAME_BYTES + 256), "{length}");
                assert!(pieces.concat() == whole, "{length}");
            }
        }
    }

    #[test]
    fn another_key_is_refused() {
        assert_eq!(open(&sealed(b"secret"), &[3; 32]), Err(EnvelopeError::Authentication));
    }

    proptest! {
        #[test]
        fn any_single_bit_that_changes_is_noticed(at in 0usize..4000, bit in 0u8..8) {
            let mut bytes = sealed(&[5; 300]);
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            prop_assert!(open(&bytes, &[1; 32]).is_err());
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), cut in 0usize..400) {
            prop_assert!(open(&bytes, &[1; 32]).is_err());
            let whole = sealed(&[5; 100]);
            prop_assert!(open(&whole[..cut.min(whole.len() - 1)], &[1; 32]).is_err());
        }
    }
}
