//! Embedded adapter: program.
