//! The values that policies compare: texts with wildcards and variables, ARNs, numbers, dates, addresses.

mod date;
mod decimal;
mod ip;
mod same;
mod template;

pub(crate) use date::Moment;
pub(crate) use decimal::Decimal;
pub(crate) use ip::Block;
pub(crate) use same::{after, begins, same};
pub(crate) use template::{ArnTemplate, Atom, Template, Writing, pattern_fields, split_arn};
