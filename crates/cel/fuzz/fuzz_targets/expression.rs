//! Any text as an expression: compiled and evaluated, without a panic.
#![no_main]

#[path = "../targets/expression.rs"]
mod expression;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    expression::run(data);
});
