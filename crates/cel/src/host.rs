//! What an expression can see of the world: names, the lists and objects behind them, and functions of the host. The host
//! is asked for nothing that the expression does not look at, so it can tell what was read.

use crate::budget::Budget;
use crate::fault::Fault;
use crate::value::Value;
use std::fmt;

/// A value, or why there is none.
pub type Outcome<'a, H> = Result<Value<'a, H>, Fault>;

/// Where values come from.
pub trait Host<'a> {
    /// How it knows a list or an object of its own again.
    type Handle: Copy + fmt::Debug;

    /// The variable at this place of the environment.
    ///
    /// # Errors
    /// If it is not known.
    fn variable(&mut self, at: usize) -> Outcome<'a, Self::Handle>;

    /// The member of an object; nothing if there certainly is none.
    ///
    /// # Errors
    /// If it is not known.
    fn member(&mut self, of: Self::Handle, key: &str) -> Result<Option<Value<'a, Self::Handle>>, Fault>;

    /// Whether an object has a member, whatever it is.
    ///
    /// # Errors
    /// If it is not known.
    fn has(&mut self, of: Self::Handle, key: &str) -> Result<bool, Fault> {
        Ok(self.member(of, key)?.is_some())
    }

    /// Why something that is open is not known.
    fn cause(&mut self, of: Self::Handle) -> Fault;

    /// How many items a list has, or members an object.
    ///
    /// # Errors
    /// If it is not known.
    fn size(&mut self, of: Self::Handle) -> Result<usize, Fault>;

    /// An item of a list; it is asked only below its size.
    ///
    /// # Errors
    /// If it is not known.
    fn item(&mut self, of: Self::Handle, at: usize) -> Outcome<'a, Self::Handle>;

    /// The name of a member of an object; it is asked only below its size.
    ///
    /// # Errors
    /// If it is not known.
    fn key(&mut self, of: Self::Handle, at: usize) -> Result<&'a str, Fault>;

    /// What a function of the environment answers. What it does is paid from the budget.
    ///
    /// # Errors
    /// If it fails, is not known, or is stopped.
    fn call(
        &mut self,
        function: usize,
        arguments: &[Value<'a, Self::Handle>],
        budget: &mut Budget,
    ) -> Outcome<'a, Self::Handle>;
}

/// A host that has nothing, for expressions that need none.
#[derive(Debug, Clone, Copy)]
pub struct NoHost;

/// There is none.
#[derive(Debug, Clone, Copy)]
pub enum Nothing {}

impl<'a> Host<'a> for NoHost {
    type Handle = Nothing;

    fn variable(&mut self, _: usize) -> Outcome<'a, Nothing> {
        Err(Fault::failed("there are no variables here"))
    }

    fn member(&mut self, of: Nothing, _: &str) -> Result<Option<Value<'a, Nothing>>, Fault> {
        match of {}
    }

    fn cause(&mut self, of: Nothing) -> Fault {
        match of {}
    }

    fn size(&mut self, of: Nothing) -> Result<usize, Fault> {
        match of {}
    }

    fn item(&mut self, of: Nothing, _: usize) -> Outcome<'a, Nothing> {
        match of {}
    }

    fn key(&mut self, of: Nothing, _: usize) -> Result<&'a str, Fault> {
        match of {}
    }

    fn call(&mut self, _: usize, _: &[Value<'a, Nothing>], _: &mut Budget) -> Outcome<'a, Nothing> {
        Err(Fault::failed("there are no functions here"))
    }
}
