//! Training program.
fn main() {}
