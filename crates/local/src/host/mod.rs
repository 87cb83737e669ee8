//! Embedded adapter: host.
