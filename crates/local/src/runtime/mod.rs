//! Embedded adapter: runtime.
