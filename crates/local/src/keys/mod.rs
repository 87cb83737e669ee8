//! Embedded adapter: keys.
