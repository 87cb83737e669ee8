//! Embedded adapter: objects.
