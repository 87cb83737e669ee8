//! Repository checks and generators: `cargo xtask tidy`, `cargo xtask iam-data PACKAGE_DIR`.

mod iam_data;
mod scan;
mod tidy;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut out = std::io::stdout();
    let mut say = |text: &str| writeln!(out, "{text}").is_ok();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["tidy"] => match tidy::check(&root) {
            Ok(findings) if findings.is_empty() => {
                say("tidy: nothing to complain about");
                ExitCode::SUCCESS
            }
            Ok(findings) => {
                say(&format!("{}\ntidy: {} findings", findings.join("\n"), findings.len()));
                ExitCode::FAILURE
            }
            Err(error) => {
                say(&format!("tidy: {error}"));
                ExitCode::FAILURE
            }
        },
        ["iam-data", package] => match iam_data::compile(Path::new(package), &root) {
            Ok(report) => {
                say(&report);
                ExitCode::SUCCESS
            }
            Err(error) => {
                say(&format!("iam-data: {error}"));
                ExitCode::FAILURE
            }
        },
        _ => {
            say("usage: cargo xtask tidy | cargo xtask iam-data PACKAGE_DIR");
            ExitCode::from(2)
        }
    }
}
