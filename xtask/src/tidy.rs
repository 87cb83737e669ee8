//! The rules of the house that a compiler does not know: headers, sizes, storeys, purity, words that mean unfinished.

use crate::scan;
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};
use std::path::{Path, PathBuf};

/// Comfortable and hardest size of a file, in lines of code.
const FILE_LINES: usize = 500;
const FUNCTION_LINES: usize = 70;
const MAX_FILE_BYTES: u64 = 1 << 20;

/// Every room and its storey. A room imports only lower storeys, and the siblings named.
const STOREYS: [(&str, u8); 23] = [
    ("facts", 0),
    ("charter", 1),
    ("blueprint", 1),
    ("ledger", 1),
    ("iam", 1),
    ("cel", 1),
    ("controls", 1),
    ("trail", 1),
    ("registry", 1),
    ("signing", 1),
    ("monitor", 1),
    ("privacy", 1),
    ("guard", 1),
    ("onnx", 1),
    ("mlflow", 1),
    ("world", 1),
    ("engine", 2),
    ("dossier", 2),
    ("local", 3),
    ("gateway", 3),
    ("server", 3),
    ("aws", 3),
    ("wardmote", 4),
];
const SIBLINGS: [(&str, &str); 9] = [
    ("world", "ledger"),
    ("registry", "ledger"),
    ("signing", "ledger"),
    ("engine", "dossier"),
    ("controls", "cel"),
    ("controls", "iam"),
    ("blueprint", "charter"),
    ("blueprint", "controls"),
    ("blueprint", "iam"),
];

/// Storeys 0 and 1 do no I/O and read no clock, environment or chance.
const IMPURE: [&str; 9] = [
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "SystemTime::now",
    "Instant::now",
    "thread::sleep",
    "rand::fill",
    "SystemRandom",
];

/// Words that mean unfinished, written so that this list does not find itself.
fn unfinished() -> Vec<String> {
    [
        ("todo", "!("),
        ("unimplemented", "!("),
        ("dbg", "!("),
        ("FIX", "ME"),
        ("#[ign", "ore]"),
        ("should_", "panic"),
        ("#[al", "low("),
    ]
    .map(|(a, b)| format!("{a}{b}"))
    .to_vec()
}

const LICENCES: [&str; 16] = [
    "Apache-2.0",
    "MIT",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "MPL-2.0",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Zlib",
    "CC0-1.0",
    "0BSD",
    "Unlicense",
    "BSL-1.0",
    "MIT-0",
    "Apache-2.0 WITH LLVM-exception",
    "OpenSSL",
];

/// Everything that is wrong, one line each: where, what, what to do.
pub(crate) fn check(root: &Path) -> Result<Vec<String>, String> {
    let mut findings = Vec::new();
    let mut files = Vec::new();
    collect(root, &mut files).map_err(|error| error.to_string())?;
    for path in &files {
        let name = path.strip_prefix(root).unwrap_or(path).display().to_string();
        let size = std::fs::metadata(path).map_or(0, |meta| meta.len());
        if size > MAX_FILE_BYTES {
            findings.push(format!("{name}: {size} bytes; keep files under {MAX_FILE_BYTES}"));
        }
        if name.ends_with(".rs") {
            let source = std::fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
            source_rules(&name, &source, &mut findings);
        }
    }
    documents(root, &mut findings);
    let metadata = MetadataCommand::new()
        .current_dir(root)
        .other_options(vec!["--locked".to_owned()])
        .exec()
        .map_err(|error| error.to_string())?;
    storeys(&metadata, &mut findings);
    licences(&metadata, &mut findings);
    Ok(findings)
}

fn source_rules(name: &str, source: &str, findings: &mut Vec<String>) {
    if !source.starts_with("//!") {
        findings.push(format!("{name}:1: no `//!` header; say what the room is for"));
    }
    let blanked = scan::blank(source);
    let lines = scan::code_lines(&blanked);
    if lines > FILE_LINES {
        findings.push(format!("{name}: {lines} lines of code; split it below {FILE_LINES}"));
    }
    for function in scan::functions(&blanked).iter().filter(|function| function.lines > FUNCTION_LINES) {
        findings.push(format!(
            "{name}:{}: `{}` has {} lines; keep functions within {FUNCTION_LINES}",
            function.line, function.name, function.lines
        ));
    }
    for word in unfinished() {
        if let Some(at) = blanked.find(&word) {
            findings.push(format!(
                "{name}:{}: `{word}` means unfinished",
                blanked[..at].matches('\n').count() + 1
            ));
        }
    }
    let pure =
        STOREYS.iter().any(|(room, storey)| *storey <= 1 && name.starts_with(&format!("crates/{room}/src/")));
    // A contract suite runs in tests of adapters, and may use threads and the like.
    if pure && !name.contains("/contract/") {
        let body = blanked.split("#[cfg(test)]").next().unwrap_or_default();
        for word in IMPURE.iter().filter(|word| body.contains(**word)) {
            findings.push(format!("{name}: `{word}` in a pure room; take it as an argument"));
        }
    }
}

fn documents(root: &Path, findings: &mut Vec<String>) {
    let read = |name: &str| std::fs::read_to_string(root.join(name)).unwrap_or_default();
    let architecture = read("ARCHITECTURE.md");
    let lines = architecture.lines().count();
    if lines == 0 || lines > 300 {
        findings.push(format!("ARCHITECTURE.md: {lines} lines; between 1 and 300 are wanted"));
    }
    for (room, _) in STOREYS {
        if !architecture.contains(&format!("`{room}`")) {
            findings.push(format!("ARCHITECTURE.md: the room `{room}` is not in it"));
        }
    }
    for name in ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE"] {
        if read(name).is_empty() {
            findings.push(format!("{name}: missing"));
        }
    }
}

fn storeys(metadata: &Metadata, findings: &mut Vec<String>) {
    let storey = |name: &str| STOREYS.iter().find(|(room, _)| *room == name).map(|(_, storey)| *storey);
    for package in metadata.workspace_packages() {
        let name = package.name.as_str();
        let ours = package.manifest_path.as_str().contains("/crates/");
        if ours && storey(name).is_none() {
            findings.push(format!("{name}: not in the table of storeys in xtask/src/tidy.rs"));
        }
        if package.license.as_deref() != Some("Apache-2.0") {
            findings.push(format!("{name}: its licence must be Apache-2.0"));
        }
        let Some(own) = storey(name) else { continue };
        for dependency in
            package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal)
        {
            let Some(other) = storey(&dependency.name) else { continue };
            let sibling = SIBLINGS.contains(&(name, dependency.name.as_str()));
            if other >= own && !sibling {
                findings.push(format!("{name}: imports {}, which is not on a lower storey", dependency.name));
            }
        }
    }
}

/// Licences of all that is built: each must offer one that is allowed.
fn licences(metadata: &Metadata, findings: &mut Vec<String>) {
    for package in metadata.packages.iter().filter(|package| package.source.is_some()) {
        let text = package.license.clone().unwrap_or_default();
        let allowed = text
            .replace('/', " OR ")
            .replace(['(', ')'], "")
            .split(" OR ")
            .any(|choice| choice.split(" AND ").all(|one| LICENCES.contains(&one.trim())));
        if !allowed {
            findings.push(format!(
                "{} {}: the licence `{text}` is not among the allowed",
                package.name, package.version
            ));
        }
    }
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let hidden = name.starts_with('.') || name == "target" || name.starts_with("wardmote-demo");
        if hidden {
            continue;
        }
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_repository_is_tidy() {
        let findings = super::check(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).unwrap();
        assert!(findings.is_empty(), "\n{}", findings.join("\n"));
    }

    #[test]
    fn each_rule_finds_what_it_is_for() {
        let mut findings = Vec::new();
        let long = format!("fn a() {{\n{}}}\n", "let x = 1;\n".repeat(80));
        super::source_rules(
            "crates/facts/src/x.rs",
            &format!("{long}use std::fs;\nfn b() {{ {}!() }}", "dbg"),
            &mut findings,
        );
        let text = findings.join("\n");
        for word in ["header", "`a` has 82 lines", "means unfinished", "pure room"] {
            assert!(text.contains(word), "{word} not in {text}");
        }
    }
}
