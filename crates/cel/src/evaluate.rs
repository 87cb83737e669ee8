//! The evaluator. Every node costs a step; recursion is as deep as the tree, whose depth the parser bounds.

use crate::ast::{Builtin, Constant, Expression, Id, Operator, Program};
use crate::budget::Budget;
use crate::compare;
use crate::fault::Fault;
use crate::functions;
use crate::host::{Host, Outcome};
use crate::operate::{self, no_overload};
use crate::pattern;
use crate::value::{Map, Pair, Value};
use std::cmp::Ordering;
use std::rc::Rc;

impl Program {
    /// What the expression says of what the host has.
    ///
    /// # Errors
    /// If it fails, if it depends on what is not known, or if the budget is used up.
    pub fn evaluate<'a, H: Host<'a>>(&'a self, host: &mut H, budget: &mut Budget) -> Outcome<'a, H::Handle> {
        Machine { program: self, host, budget, locals: Vec::new() }.value(self.root)
    }
}

pub(crate) struct Machine<'m, 'a, H: Host<'a>> {
    program: &'a Program,
    pub(crate) host: &'m mut H,
    pub(crate) budget: &'m mut Budget,
    /// Variables of the comprehensions around.
    pub(crate) locals: Vec<Value<'a, H::Handle>>,
}

impl<'a, H: Host<'a>> Machine<'_, 'a, H> {
    /// What a node says; what is open is not known.
    #[inline]
    pub(crate) fn value(&mut self, id: Id) -> Outcome<'a, H::Handle> {
        match self.raw(id)? {
            Value::Open(handle) => Err(self.host.cause(handle)),
            value => Ok(value),
        }
    }

    /// The same; what is open stays so, for the host to look at.
    pub(crate) fn raw(&mut self, id: Id) -> Outcome<'a, H::Handle> {
        self.budget.spend(1)?;
        let program: &'a Program = self.program;
        let node = program.node(id);
        let outcome = match &node.expression {
            Expression::Literal(constant) => Ok(literal(constant)),
            Expression::Variable(at) => self.host.variable(*at),
            Expression::Local(at) => {
                self.locals.get(*at).cloned().ok_or_else(|| Fault::failed("no such variable"))
            }
            Expression::Select { of, field, optional } => self.select(*of, field, *optional),
            Expression::Has { of, field } => self.has(*of, field),
            Expression::Index { of, at, optional } => self.index(*of, *at, *optional),
            Expression::List(items) => self.raws(items).and_then(|items| {
                self.budget.make(size_of_val(items.as_slice()))?;
                Ok(Value::list(items))
            }),
            Expression::Map(members) => self.map(members),
            Expression::Not(of) => self.truth(*of).map(|truth| Value::Bool(!truth)),
            Expression::Negate(of) => self.negate(*of),
            Expression::And(all) => self.until(all, false),
            Expression::Or(all) => self.until(all, true),
            Expression::Binary(operator, one, other) => self.binary(*operator, *one, *other),
            Expression::Choice(condition, yes, no) => match self.truth(*condition) {
                Ok(true) => self.raw(*yes),
                Ok(false) => self.raw(*no),
                Err(fault) => Err(fault),
            },
            Expression::Call(builtin, arguments) => self.call(*builtin, arguments),
            Expression::Matches(text, pattern) => self.matches(*text, pattern),
            Expression::Outside(function, arguments) => {
                self.raws(arguments).and_then(|arguments| self.host.call(*function, &arguments, self.budget))
            }
            Expression::Fold { .. } => self.fold(&node.expression),
        };
        outcome.map_err(|fault| fault.at(node.at))
    }

    /// All of them; what is not known of one goes before what fails of another.
    fn values(&mut self, ids: &[Id]) -> Result<Vec<Value<'a, H::Handle>>, Fault> {
        self.all(ids, Self::value)
    }

    /// All of them; what is open stays so.
    fn raws(&mut self, ids: &[Id]) -> Result<Vec<Value<'a, H::Handle>>, Fault> {
        self.all(ids, Self::raw)
    }

    fn all(
        &mut self,
        ids: &[Id],
        one: fn(&mut Self, Id) -> Outcome<'a, H::Handle>,
    ) -> Result<Vec<Value<'a, H::Handle>>, Fault> {
        let mut all = Vec::with_capacity(ids.len());
        let mut fault: Option<Fault> = None;
        for id in ids {
            match one(self, *id) {
                Ok(value) => all.push(value),
                Err(stopped @ Fault::Stopped(_)) => return Err(stopped),
                Err(other) => other.beside(&mut fault),
            }
        }
        fault.map_or(Ok(all), Err)
    }

    fn two(&mut self, one: Id, other: Id) -> Result<Pair<'a, H::Handle>, Fault> {
        match self.value(one) {
            Ok(one) => Ok((one, self.value(other)?)),
            Err(stopped @ Fault::Stopped(_)) => Err(stopped),
            Err(fault) => Err(match self.value(other) {
                Ok(_) => fault,
                Err(more) => fault.and(more),
            }),
        }
    }

    pub(crate) fn truth(&mut self, id: Id) -> Result<bool, Fault> {
        let value = self.value(id)?;
        value.truth().ok_or_else(|| {
            Fault::failed(format!("expected a truth value, found a `{}`", value.kind().name()))
                .at(self.program.node(id).at)
        })
    }

    /// `&&` and `||`: one that decides is enough, whatever the others are; else what is not known, then what fails.
    fn until(&mut self, all: &[Id], deciding: bool) -> Outcome<'a, H::Handle> {
        let mut fault: Option<Fault> = None;
        for id in all {
            match self.truth(*id) {
                Ok(truth) if truth == deciding => return Ok(Value::Bool(deciding)),
                Ok(_) => {}
                Err(stopped @ Fault::Stopped(_)) => return Err(stopped),
                Err(other) => other.beside(&mut fault),
            }
        }
        fault.map_or(Ok(Value::Bool(!deciding)), Err)
    }

    fn select(&mut self, of: Id, field: &'a str, optional: bool) -> Outcome<'a, H::Handle> {
        match self.value(of)? {
            Value::Map(Map::Host(handle)) => {
                found(self.host.member(handle, field)?, optional, || field.chars().take(80).collect())
            }
            of => self.member(of, &Value::given(field), optional),
        }
    }

    fn index(&mut self, of: Id, at: Id, optional: bool) -> Outcome<'a, H::Handle> {
        let (of, at) = self.two(of, at)?;
        self.member(of, &at, optional)
    }

    fn member(
        &mut self,
        of: Value<'a, H::Handle>,
        key: &Value<'a, H::Handle>,
        optional: bool,
    ) -> Outcome<'a, H::Handle> {
        let (of, optional) = match of {
            Value::Optional(None) => return Ok(Value::Optional(None)),
            Value::Optional(Some(held)) => (Rc::unwrap_or_clone(held), true),
            other => (other, optional),
        };
        let member = match &of {
            Value::Open(handle) => return Err(self.host.cause(*handle)),
            Value::Map(map) => compare::member(map, key, self.host, self.budget)?,
            Value::List(list) => match place(key)? {
                Some(at) if at < operate::length(list, self.host)? => {
                    Some(operate::item(list, at, self.host)?)
                }
                _ => None,
            },
            other => {
                let message = format!("a `{}` has no `{}`", other.kind().name(), shown(key));
                return Err(Fault::failed(message));
            }
        };
        found(member, optional, || shown(key))
    }

    fn has(&mut self, of: Id, field: &'a str) -> Outcome<'a, H::Handle> {
        let found = match self.value(of)? {
            Value::Map(Map::Host(handle)) => self.host.has(handle, field)?,
            Value::Map(map) => compare::member(&map, &Value::given(field), self.host, self.budget)?.is_some(),
            optional @ Value::Optional(_) => {
                matches!(self.member(optional, &Value::given(field), true)?, Value::Optional(Some(_)))
            }
            other => {
                return Err(Fault::failed(format!("a `{}` has no `{field}`", other.kind().name())));
            }
        };
        Ok(Value::Bool(found))
    }

    fn map(&mut self, members: &[(Id, Id)]) -> Outcome<'a, H::Handle> {
        let ids: Vec<Id> = members.iter().flat_map(|(key, value)| [*key, *value]).collect();
        let mut values = self.values(&ids)?.into_iter();
        let mut all: Vec<Pair<'a, H::Handle>> = Vec::with_capacity(members.len());
        while let (Some(key), Some(value)) = (values.next(), values.next()) {
            if !compare::is_key(&key) {
                return Err(Fault::failed(format!("`{}` is no type of keys", key.kind().name())));
            }
            self.budget.spend(all.len() as u64)?;
            if all.iter().any(|(other, _)| compare::same_key(other, &key)) {
                return Err(Fault::failed(format!("the key `{}` stands twice", shown(&key))));
            }
            all.push((key, value));
        }
        self.budget.make(size_of_val(all.as_slice()))?;
        Ok(Value::Map(Map::Made(all.into())))
    }

    fn negate(&mut self, of: Id) -> Outcome<'a, H::Handle> {
        match self.value(of)? {
            Value::Int(number) => {
                number.checked_neg().map(Value::Int).ok_or_else(|| Fault::failed("a whole number overflows"))
            }
            Value::Double(number) => Ok(Value::Double(-number)),
            other => Err(no_overload("-", &[other])),
        }
    }

    fn binary(&mut self, operator: Operator, one: Id, other: Id) -> Outcome<'a, H::Handle> {
        if let (Operator::In, Some(constants)) = (operator, self.constants(other)) {
            return self.is_among(one, constants);
        }
        let (one, other) = self.two(one, other)?;
        let order = |machine: &mut Self, is: fn(Ordering) -> bool| {
            let order = compare::order(operator.sign(), &one, &other, machine.budget)?;
            Ok(Value::Bool(order.is_some_and(is)))
        };
        match operator {
            Operator::Equal => Ok(Value::Bool(compare::equal(&one, &other, self.host, self.budget)?)),
            Operator::NotEqual => Ok(Value::Bool(!compare::equal(&one, &other, self.host, self.budget)?)),
            Operator::Less => order(self, Ordering::is_lt),
            Operator::LessOrEqual => order(self, Ordering::is_le),
            Operator::Greater => order(self, Ordering::is_gt),
            Operator::GreaterOrEqual => order(self, Ordering::is_ge),
            Operator::In => self.is_in(&one, &other),
            _ => operate::arithmetic(operator, one, other, (self.host, self.budget)),
        }
    }

    /// The items of a list that is written in the expression, if all are constants.
    fn constants(&self, list: Id) -> Option<&'a [Id]> {
        let program: &'a Program = self.program;
        let Expression::List(items) = &program.node(list).expression else { return None };
        let is_constant = |id: &Id| matches!(program.node(*id).expression, Expression::Literal(_));
        items.iter().all(is_constant).then_some(items)
    }

    /// Whether a value is one of these constants. It pays for the list as if it were made, and makes none.
    fn is_among(&mut self, one: Id, constants: &'a [Id]) -> Outcome<'a, H::Handle> {
        let one = self.value(one)?;
        self.budget.spend(1)?;
        self.budget.make(constants.len() * size_of::<Value<'a, H::Handle>>())?;
        for id in constants {
            self.budget.spend(1)?;
            let constant = self.raw(*id)?;
            if compare::equal(&one, &constant, self.host, self.budget)? {
                return Ok(Value::Bool(true));
            }
        }
        Ok(Value::Bool(false))
    }

    fn is_in(&mut self, one: &Value<'a, H::Handle>, all: &Value<'a, H::Handle>) -> Outcome<'a, H::Handle> {
        let list = match all {
            Value::List(list) => list,
            Value::Map(map) => {
                let found = match (map, one) {
                    (Map::Host(handle), Value::Text(key)) => self.host.has(*handle, key.as_str())?,
                    _ => compare::member(map, one, self.host, self.budget)?.is_some(),
                };
                return Ok(Value::Bool(found));
            }
            _ => return Err(no_overload("in", &[one.clone(), all.clone()])),
        };
        let mut unclear: Option<Fault> = None;
        for at in 0..operate::length(list, self.host)? {
            self.budget.spend(1)?;
            let item = operate::item(list, at, self.host);
            match item.and_then(|item| compare::equal(one, &item, self.host, self.budget)) {
                Ok(true) => return Ok(Value::Bool(true)),
                Ok(false) => {}
                Err(stopped @ Fault::Stopped(_)) => return Err(stopped),
                Err(fault) => fault.beside(&mut unclear),
            }
        }
        unclear.map_or(Ok(Value::Bool(false)), Err)
    }

    fn call(&mut self, builtin: Builtin, arguments: &[Id]) -> Outcome<'a, H::Handle> {
        // Most functions have one or two arguments; they need no list of their own.
        match arguments {
            [one] => {
                let one = [self.value(*one)?];
                functions::call(builtin, &one, self.host, self.budget)
            }
            [one, other] => {
                let (one, other) = self.two(*one, *other)?;
                functions::call(builtin, &[one, other], self.host, self.budget)
            }
            all => {
                let all = self.values(all)?;
                functions::call(builtin, &all, self.host, self.budget)
            }
        }
    }

    fn matches(&mut self, text: Id, pattern: &pattern::Pattern) -> Outcome<'a, H::Handle> {
        let value = self.value(text)?;
        let Some(text) = value.text() else { return Err(no_overload("matches", &[value])) };
        self.budget.spend(pattern::cost(text.len()))?;
        Ok(Value::Bool(pattern.matches(text)))
    }
}

fn literal<'a, H: Copy>(constant: &'a Constant) -> Value<'a, H> {
    match constant {
        Constant::Null => Value::Null,
        Constant::Bool(truth) => Value::Bool(*truth),
        Constant::Int(number) => Value::Int(*number),
        Constant::Uint(number) => Value::Uint(*number),
        Constant::Double(number) => Value::Double(*number),
        Constant::Text(text) => Value::given(text),
        Constant::Bytes(bytes) => Value::Bytes(bytes.as_slice().into()),
        Constant::Type(kind) => Value::Type(*kind),
    }
}

/// What `of.key` or `of.?key` is, if this was found.
fn found<'a, H>(
    member: Option<Value<'a, H>>,
    optional: bool,
    key: impl FnOnce() -> String,
) -> Outcome<'a, H> {
    match (member, optional) {
        (Some(value), true) => Ok(Value::Optional(Some(Rc::new(value)))),
        (None, true) => Ok(Value::Optional(None)),
        (Some(value), false) => Ok(value),
        (None, false) => Err(Fault::failed(format!("there is no `{}`", key()))),
    }
}

/// The place in a list that a value is; nothing if no list has it.
fn place<H: Copy>(key: &Value<'_, H>) -> Result<Option<usize>, Fault> {
    match key {
        Value::Int(at) => Ok(usize::try_from(*at).ok()),
        Value::Uint(at) => Ok(usize::try_from(*at).ok()),
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is whole and within bounds"
        )]
        Value::Double(at) if at.fract() == 0.0 && (0.0..4e9).contains(at) => Ok(Some(*at as usize)),
        Value::Double(_) => Ok(None),
        _ => Err(Fault::failed(format!("a `{}` is no place in a list", key.kind().name()))),
    }
}

/// A key in messages.
fn shown<H>(key: &Value<'_, H>) -> String {
    match key {
        Value::Text(text) => text.as_str().chars().take(80).collect(),
        Value::Int(number) => number.to_string(),
        Value::Uint(number) => number.to_string(),
        Value::Double(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        _ => "?".to_owned(),
    }
}
