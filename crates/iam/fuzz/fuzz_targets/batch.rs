//! Any line as a case: answered in one line of JSON, without a panic.
#![no_main]

#[path = "../targets/batch.rs"]
mod batch;

libfuzzer_sys::fuzz_target!(|data: &[u8]| batch::run(data));
