//! One suite per port. An adapter's tests call the suite with a way to make a fresh instance.
