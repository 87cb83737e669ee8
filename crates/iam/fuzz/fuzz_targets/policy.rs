//! Any bytes as a policy: read, compiled as every kind, asked for S3's test, without a panic.
#![no_main]

#[path = "../targets/policy.rs"]
mod policy;

libfuzzer_sys::fuzz_target!(|data: &[u8]| policy::run(data));
