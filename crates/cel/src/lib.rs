//! The Common Expression Language (cel-spec), for rules that strangers write: an expression is compiled with the place of
//! every mistake, and evaluated within a number of steps, so that nothing it says can keep a program busy or fill its
//! memory. What is not known is a third outcome beside values and errors, and carries its cause. Pure: text and values in,
//! value out.
//!
//! ```
//! use cel::{Budget, Environment, NoHost, Program, Value};
//! let program = Program::compile("[1, 2, 3].exists(n, n > 2) && 'abc'.startsWith('a')", &Environment::default()).unwrap();
//! let value = program.evaluate(&mut NoHost, &mut Budget::default()).unwrap();
//! assert!(matches!(value, Value::Bool(true)));
//! ```

mod ast;
mod budget;
mod compare;
mod compile;
mod convert;
mod evaluate;
mod fault;
mod fold;
mod functions;
mod host;
mod literal;
mod operate;
mod parse;
mod pattern;
mod strings;
mod time;
mod token;
mod value;

pub use ast::{Builtin, Constant, Expression, Fold, Id, Operator, Program};
pub use budget::{Budget, MAX_BYTES, MAX_STEPS};
pub use compile::{Environment, Function, MAX_COMPREHENSIONS, MAX_LENGTH};
pub use fault::{Failed, Fault, Wrong};
pub use host::{Host, NoHost, Outcome};
pub use parse::MAX_DEPTH;
pub use pattern::Pattern;
pub use value::{List, Map, Text, Type, Value};
