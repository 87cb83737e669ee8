//! Comprehensions: loops over lists and objects, of which each turn costs.

use crate::ast::{Expression, Fold, Id};
use crate::compare;
use crate::evaluate::Machine;
use crate::fault::Fault;
use crate::host::{Host, Outcome};
use crate::operate;
use crate::value::{List, Value};

/// What is gone through, and what is done with each.
struct Loop<'a, H: Host<'a>> {
    range: Value<'a, H::Handle>,
    /// Where the variables lie.
    local: usize,
    two: bool,
}

impl<'a, H: Host<'a>> Machine<'_, 'a, H> {
    pub(crate) fn fold(&mut self, expression: &'a Expression) -> Outcome<'a, H::Handle> {
        let Expression::Fold { fold, range, local, two, test, result } = expression else {
            return Err(Fault::failed("not a comprehension"));
        };
        let range = self.value(*range)?;
        let turns = match &range {
            Value::List(list) => operate::length(list, self.host)?,
            Value::Map(map) => compare::members(map, self.host)?,
            other => {
                let message = format!("`{}` is not for a `{}`", fold.name(), other.kind().name());
                return Err(Fault::failed(message));
            }
        };
        let round = Loop::<'a, H> { range, local: *local, two: *two };
        let before = self.locals.len();
        let outcome = match (fold, test) {
            (Fold::All, Some(test)) => self.until_one(&round, turns, *test, false),
            (Fold::Exists, Some(test)) => self.until_one(&round, turns, *test, true),
            (Fold::ExistsOne, Some(test)) => self.count_one(&round, turns, *test),
            _ => self.collect(&round, turns, (*test, *result)),
        };
        self.locals.truncate(before);
        outcome
    }

    /// Puts the variables of a turn where the test finds them.
    fn turn(&mut self, round: &Loop<'a, H>, at: usize) -> Result<(), Fault> {
        self.budget.spend(1)?;
        self.locals.truncate(round.local);
        let (name, value) = match &round.range {
            Value::List(list) => {
                let place = || Value::Int(i64::try_from(at).unwrap_or(i64::MAX));
                let item = operate::item(list, at, self.host)?;
                if round.two { (Some(place()), item) } else { (None, item) }
            }
            Value::Map(map) => {
                let key = compare::key(map, at, self.host)?;
                if round.two {
                    let value = compare::member(map, &key, self.host, self.budget)?;
                    (Some(key), value.ok_or_else(|| Fault::failed("a member is gone"))?)
                } else {
                    (None, key)
                }
            }
            _ => return Err(Fault::failed("not a list")),
        };
        self.locals.extend(name);
        self.locals.push(value);
        Ok(())
    }

    /// `all` and `exists`: one that decides is enough, whatever the others are.
    fn until_one(
        &mut self,
        round: &Loop<'a, H>,
        turns: usize,
        test: Id,
        deciding: bool,
    ) -> Outcome<'a, H::Handle> {
        let mut fault: Option<Fault> = None;
        for at in 0..turns {
            match self.turn(round, at).and_then(|()| self.truth(test)) {
                Ok(truth) if truth == deciding => return Ok(Value::Bool(deciding)),
                Ok(_) => {}
                Err(stopped @ Fault::Stopped(_)) => return Err(stopped),
                Err(other) => other.beside(&mut fault),
            }
        }
        fault.map_or(Ok(Value::Bool(!deciding)), Err)
    }

    fn count_one(&mut self, round: &Loop<'a, H>, turns: usize, test: Id) -> Outcome<'a, H::Handle> {
        let mut count = 0_usize;
        for at in 0..turns {
            self.turn(round, at)?;
            count += usize::from(self.truth(test)?);
        }
        Ok(Value::Bool(count == 1))
    }

    /// `map` and `filter`.
    fn collect(
        &mut self,
        round: &Loop<'a, H>,
        turns: usize,
        (test, result): (Option<Id>, Option<Id>),
    ) -> Outcome<'a, H::Handle> {
        let mut all = Vec::new();
        for at in 0..turns {
            self.turn(round, at)?;
            // What may not be there must not become something that is.
            if let (Value::List(List::Made(_)), Some(Value::Open(handle))) =
                (&round.range, self.locals.last())
            {
                return Err(self.host.cause(*handle));
            }
            if let Some(test) = test
                && !self.truth(test)?
            {
                continue;
            }
            let value = match result {
                Some(result) => self.raw(result)?,
                None => self.locals.last().cloned().ok_or_else(|| Fault::failed("no such variable"))?,
            };
            self.budget.make(size_of::<Value<'a, H::Handle>>())?;
            all.push(value);
        }
        Ok(Value::list(all))
    }
}
