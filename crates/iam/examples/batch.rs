//! Answers the cases on standard input, one a line, without the rest of the product.

use std::io::{BufRead, Write};

fn main() -> std::io::Result<()> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        writeln!(out, "{}", iam::answer_line(&line?))?;
    }
    out.flush()
}
