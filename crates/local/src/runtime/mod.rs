//! Embedded adapter: runtime.
pub struct OnnxRuntime;
