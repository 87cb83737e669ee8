//! A tar archive (POSIX ustar and pax, GNU's long names) that comes in parts: files and folders, and nothing that leads out.
//! Links, devices and holes are refused, as are paths that are absolute, go up, stand twice, or are both file and folder.
//!
//! Source: POSIX.1-2017, `pax`, "ustar Interchange Format" and "pax Extended Header"; GNU tar manual, "Basic Tar Format".

use std::collections::BTreeSet;

const BLOCK: usize = 512;
/// So long may a path and the records beside an entry be.
const LONGEST_PATH: usize = 1000;
const LONGEST_RECORDS: usize = 1 << 20;
/// So many entries at most.
const MOST_ENTRIES: usize = 20_000;

/// Something that the archive holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// A file begins, at a path with slashes.
    Begin(&'a str),
    /// What comes next of it.
    Part(&'a [u8]),
    /// It is whole.
    End,
}

/// What the next bytes are.
enum Next {
    Header,
    /// Bytes of a file: how many, and how many fill the block after it.
    File(u64, usize),
    /// Records for the entry that comes: of which sort, and the same.
    Records(u8, u64, usize),
    /// What fills a block.
    Fill(usize),
    /// The end was seen.
    Over,
}

/// An archive that comes in parts.
pub(super) struct Archive {
    next: Next,
    /// A header or records, as far as they came.
    held: Vec<u8>,
    /// What records said of the entry that comes.
    path: Option<String>,
    size: Option<u64>,
    files: BTreeSet<String>,
    folders: BTreeSet<String>,
}

impl Archive {
    /// Nothing came yet.
    pub(super) fn new() -> Self {
        let (files, folders) = (BTreeSet::new(), BTreeSet::new());
        Self { next: Next::Header, held: Vec::new(), path: None, size: None, files, folders }
    }

    /// Takes in what comes next, and gives out what it holds.
    pub(super) fn push<E: From<String>>(
        &mut self,
        mut bytes: &[u8],
        give: &mut dyn FnMut(Piece<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        while !bytes.is_empty() {
            match self.next {
                Next::Header => {
                    self.hold(&mut bytes, BLOCK);
                    if self.held.len() == BLOCK {
                        let block = std::mem::take(&mut self.held);
                        self.header(&block, give)?;
                    }
                }
                Next::File(left, fill) => {
                    let (now, later) = split(bytes, left);
                    give(Piece::Part(now))?;
                    bytes = later;
                    let left = left - now.len() as u64;
                    self.next = if left > 0 { Next::File(left, fill) } else { Next::Fill(fill) };
                    if left == 0 {
                        give(Piece::End)?;
                    }
                }
                Next::Records(sort, size, fill) => {
                    self.hold(&mut bytes, usize::try_from(size).unwrap_or(LONGEST_RECORDS));
                    if self.held.len() as u64 == size {
                        let records = std::mem::take(&mut self.held);
                        self.records(sort, &records)?;
                        self.next = Next::Fill(fill);
                    }
                }
                Next::Fill(fill) => {
                    let (now, later) = split(bytes, fill as u64);
                    bytes = later;
                    let left = fill - now.len();
                    self.next = if left > 0 { Next::Fill(left) } else { Next::Header };
                }
                Next::Over if bytes.iter().any(|byte| *byte != 0) => {
                    return Err("something follows the end of the archive".to_owned().into());
                }
                Next::Over => return Ok(()),
            }
        }
        Ok(())
    }

    /// That all of it came.
    pub(super) fn finish(self) -> Result<(), String> {
        match self.next {
            Next::Over => Ok(()),
            _ => Err("the archive ends before its end".to_owned()),
        }
    }

    /// Keeps what is missing to `whole` bytes.
    fn hold(&mut self, bytes: &mut &[u8], whole: usize) {
        let (now, later) = split(bytes, whole.saturating_sub(self.held.len()) as u64);
        self.held.extend_from_slice(now);
        *bytes = later;
    }

    fn header<E: From<String>>(
        &mut self,
        block: &[u8],
        give: &mut dyn FnMut(Piece<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        if block.iter().all(|byte| *byte == 0) {
            if self.path.is_some() || self.size.is_some() {
                return Err("records stand before no entry".to_owned().into());
            }
            self.next = Next::Over;
            return Ok(());
        }
        let field = |at: usize, length: usize| block.get(at..at + length).unwrap_or_default();
        check_sum(block)?;
        let sort = field(156, 1).first().copied().unwrap_or_default();
        let said =
            number(field(124, 12)).ok_or_else(|| "an entry has a size that is no number".to_owned())?;
        if matches!(sort, b'x' | b'L' | b'g') {
            if said == 0 || said > LONGEST_RECORDS as u64 {
                return Err("the records of an entry are empty or too long".to_owned().into());
            }
            self.next = Next::Records(sort, said, fill(said));
            return Ok(());
        }
        let path = match self.path.take() {
            Some(path) => path,
            None => named(block)?,
        };
        let size = self.size.take().unwrap_or(said);
        let shown: String = path.chars().take(80).collect();
        let shown = shown.escape_debug();
        let folder = sort == b'5' || (matches!(sort, b'0' | 0) && path.ends_with('/'));
        if !folder && !matches!(sort, b'0' | 0) {
            let what = match sort {
                b'1' | b'2' => "a link",
                b'3' | b'4' | b'6' => "a device",
                _ => "neither a file nor a folder",
            };
            return Err(format!("`{shown}` is {what}: a version holds files and folders only").into());
        }
        let path = self.placed(&path, folder).map_err(|why| format!("`{shown}` {why}"))?;
        if folder {
            return if size == 0 { Ok(()) } else { Err(format!("`{shown}` is a folder with bytes").into()) };
        }
        give(Piece::Begin(&path))?;
        self.next = Next::File(size, fill(size));
        if size == 0 {
            self.next = Next::Header;
            give(Piece::End)?;
        }
        Ok(())
    }

    /// The path in the form in which it is kept, if nothing else is there.
    fn placed(&mut self, path: &str, folder: bool) -> Result<String, &'static str> {
        if self.files.len() + self.folders.len() > MOST_ENTRIES {
            return Err("is one entry too many");
        }
        if path.starts_with('/') {
            return Err("is an absolute path");
        }
        if path.len() > LONGEST_PATH || path.chars().any(|c| c.is_control() || c == '\\') {
            return Err("is too long, or holds letters that no file name should");
        }
        let mut path = path;
        while let Some(rest) = path.strip_prefix("./") {
            path = rest;
        }
        let path = if folder { path.trim_end_matches('/') } else { path };
        if folder && matches!(path, "" | ".") {
            return Ok(String::new());
        }
        if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err("leads elsewhere");
        }
        for (at, _) in path.match_indices('/') {
            let above = path.get(..at).unwrap_or_default();
            if self.files.contains(above) {
                return Err("is below a file");
            }
            self.folders.insert(above.to_owned());
        }
        if folder {
            self.folders.insert(path.to_owned());
            return if self.files.contains(path) { Err("is a file, too") } else { Ok(path.to_owned()) };
        }
        if self.folders.contains(path) {
            return Err("is a folder, too");
        }
        if self.files.insert(path.to_owned()) { Ok(path.to_owned()) } else { Err("stands twice") }
    }

    /// Takes in what records say of the entry that comes.
    fn records(&mut self, sort: u8, records: &[u8]) -> Result<(), String> {
        let text = |bytes: &[u8]| {
            String::from_utf8(bytes.to_vec()).map_err(|_| "the archive has a path that is no text".to_owned())
        };
        if sort == b'L' {
            let path = text(records.strip_suffix(&[0]).unwrap_or(records))?;
            self.path = Some(path);
            return Ok(());
        }
        let mut rest = records;
        while !rest.is_empty() {
            let (name, value, after) = record(rest).ok_or("the records of an entry are not whole")?;
            rest = after;
            match name {
                b"path" | b"size" if sort == b'g' => {
                    return Err("one path or size for all entries makes no sense".to_owned());
                }
                b"path" => self.path = Some(text(value)?),
                b"size" => {
                    let size = std::str::from_utf8(value).ok().and_then(|digits| digits.parse().ok());
                    self.size = Some(size.ok_or("an entry has a size that is no number")?);
                }
                name if name.starts_with(b"GNU.sparse.") => return Err("a file has holes".to_owned()),
                // Times, owners and remarks are not kept.
                _ => {}
            }
        }
        Ok(())
    }
}

fn split(bytes: &[u8], most: u64) -> (&[u8], &[u8]) {
    bytes.split_at(usize::try_from(most).unwrap_or(usize::MAX).min(bytes.len()))
}

/// How many bytes fill the last block of so many.
fn fill(size: u64) -> usize {
    let last = (size % BLOCK as u64) as usize;
    if last == 0 { 0 } else { BLOCK - last }
}

/// The sum of all bytes of a header, its own field as spaces.
fn check_sum(block: &[u8]) -> Result<(), String> {
    let of = |(at, byte): (usize, &u8)| if (148..156).contains(&at) { 32 } else { u64::from(*byte) };
    let sum: u64 = block.iter().enumerate().map(of).sum();
    match block.get(148..156).and_then(number) {
        Some(said) if said == sum => Ok(()),
        _ => Err("it is not a tar archive, or damaged".to_owned()),
    }
}

/// A number: octal digits between spaces and zeros, or GNU's form for large ones.
fn number(field: &[u8]) -> Option<u64> {
    if let Some((0x80, rest)) = field.split_first() {
        let (high, low) = rest.split_at_checked(rest.len().checked_sub(8)?)?;
        let low: [u8; 8] = low.try_into().ok()?;
        return high
            .iter()
            .all(|byte| *byte == 0)
            .then(|| u64::from_be_bytes(low))
            .filter(|size| *size < 1 << 62);
    }
    let text = std::str::from_utf8(field).ok()?.trim_matches([' ', '\0']);
    if text.is_empty() {
        return Some(0);
    }
    text.bytes().all(|digit| matches!(digit, b'0'..=b'7')).then(|| u64::from_str_radix(text, 8).ok())?
}

/// The path in a header itself.
fn named(block: &[u8]) -> Result<String, String> {
    let until_zero = |at: usize, length: usize| {
        let field = block.get(at..at + length).unwrap_or_default();
        let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
        field.get(..end).unwrap_or_default()
    };
    let mut path = Vec::new();
    // GNU's headers hold something else there.
    if block.get(257..263) == Some(b"ustar\0") && !until_zero(345, 155).is_empty() {
        path.extend_from_slice(until_zero(345, 155));
        path.push(b'/');
    }
    path.extend_from_slice(until_zero(0, 100));
    String::from_utf8(path).map_err(|_| "the archive has a path that is no text".to_owned())
}

/// The first of the records: name, value, and what comes after it.
fn record(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = bytes.iter().take(12).position(|byte| *byte == b' ')?;
    let length: usize = std::str::from_utf8(bytes.get(..space)?).ok()?.parse().ok()?;
    let (own, after) = bytes.split_at_checked(length)?;
    let own = own.get(space + 1..)?.strip_suffix(b"\n")?;
    let equals = own.iter().position(|byte| *byte == b'=')?;
    Some((own.get(..equals)?, own.get(equals + 1..)?, after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::Value;
    use std::collections::BTreeMap;
    use std::process::Command;

    /// What an archive holds, when it comes in parts of a size.
    fn unpacked(bytes: &[u8], part: usize) -> Result<BTreeMap<String, Vec<u8>>, String> {
        let (mut archive, mut files, mut now) = (Archive::new(), BTreeMap::new(), None::<String>);
        for part in bytes.chunks(part) {
            archive.push(part, &mut |piece| {
                match piece {
                    Piece::Begin(path) => {
                        assert!(now.is_none() && files.insert(path.to_owned(), Vec::new()).is_none());
                        now = Some(path.to_owned());
                    }
                    Piece::Part(bytes) => {
                        files.get_mut(now.as_ref().unwrap()).unwrap().extend_from_slice(bytes);
                    }
                    Piece::End => assert!(now.take().is_some()),
                }
                Ok::<(), String>(())
            })?;
        }
        archive.finish()?;
        Ok(files)
    }

    #[test]
    fn python_writes_and_reads_the_same() {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tars.py");
        for seed in ["1", "2"] {
            let output = Command::new("python3").args([script, seed]).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let text = String::from_utf8(output.stdout).unwrap();
            let (mut good, mut bad) = (0, 0);
            for line in text.lines() {
                let case: Value = serde_json::from_str(line).unwrap();
                let bytes = STANDARD.decode(case["tar"].as_str().unwrap()).unwrap();
                for part in [1 << 20, 1000, 7] {
                    let ours = unpacked(&bytes, part);
                    let Some(files) = case["files"].as_object() else {
                        assert!(ours.is_err(), "{} {ours:?}", case["format"]);
                        continue;
                    };
                    let theirs = files
                        .iter()
                        .map(|(name, of)| (name.clone(), STANDARD.decode(of.as_str().unwrap()).unwrap()));
                    assert_eq!(ours.unwrap(), theirs.collect(), "{}", case["format"]);
                }
                if case["files"].is_null() { bad += 1 } else { good += 1 }
            }
            assert!(good == 36 && bad == 48, "{good} {bad}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let output = Command::new("python3")
            .args([concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tars.py"), "3"])
            .output();
        let text = String::from_utf8(output.unwrap().stdout).unwrap();
        let cases = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let refused = cases.filter(|case| case["files"].is_null() && case["format"] == "pax");
        let said = refused
            .map(|case| unpacked(&STANDARD.decode(case["tar"].as_str().unwrap()).unwrap(), 512).unwrap_err());
        insta::assert_snapshot!(said.collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn damaged_archives_are_no_panic_and_no_half() {
        let output = Command::new("python3")
            .args([concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tars.py"), "4"])
            .output();
        let text = String::from_utf8(output.unwrap().stdout).unwrap();
        let mut state = 1_u64;
        let mut random = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % below
        };
        for line in text.lines() {
            let case: Value = serde_json::from_str(line).unwrap();
            let bytes = STANDARD.decode(case["tar"].as_str().unwrap()).unwrap();
            for _ in 0..20 {
                let mut damaged = bytes.clone();
                let at = random(damaged.len());
                damaged[at] ^= 1 << random(8);
                drop(unpacked(&damaged, 512));
                let cut = random(bytes.len());
                let end = bytes.iter().rposition(|byte| *byte != 0).unwrap_or_default();
                if cut < end && !case["files"].is_null() {
                    assert!(unpacked(&bytes[..cut], 4096).is_err(), "cut at {cut}");
                }
            }
        }
    }
}
