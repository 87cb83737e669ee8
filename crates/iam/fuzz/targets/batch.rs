//! Any bytes as a line for batch, for libFuzzer and for the stable driver in `tests/fuzz.rs`.

/// Answers a line; the answer is one line, says something, and is the same each time.
pub(crate) fn run(data: &[u8]) {
    let Ok(line) = std::str::from_utf8(data) else { return };
    let answer = iam::answer_line(line);
    assert!(answer.starts_with('{') && answer.ends_with('}') && !answer.contains('\n'), "{answer}");
    assert!(
        ["\"decision\":", "\"result\":", "\"error\":"].iter().any(|key| answer.contains(key)),
        "{answer}"
    );
    assert_eq!(answer, iam::answer_line(line));
}
