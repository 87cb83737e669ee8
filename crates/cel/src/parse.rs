//! The grammar of CEL. Recursion is bounded by counted depth; long chains of one operator are loops.

use crate::ast::{Builtin, Constant, Expression, Fold, Id, Node, Operator, Program};
use crate::compile::{Environment, MAX_COMPREHENSIONS};
use crate::fault::Wrong;
use crate::functions::{self, Shape};
use crate::pattern::Pattern;
use crate::token::{Spotted, Token};
use crate::value::Type;

/// How deep an expression may be nested: brackets and calls in one another, and nodes below nodes.
pub const MAX_DEPTH: u32 = 100;
/// Brackets in one another; each costs several calls of the parser.
const MAX_NESTED: u32 = 64;

const RESERVED: [&str; 16] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
];

/// Parses all of an expression.
pub(crate) fn program(
    text: &str,
    tokens: Vec<Spotted>,
    environment: &Environment<'_>,
) -> Result<Program, Wrong> {
    let mut parser = Parser {
        text,
        tokens,
        at: 0,
        nodes: Vec::new(),
        environment,
        nested: 0,
        locals: Vec::new(),
        folds: 0,
    };
    let root = parser.expression()?;
    match parser.token() {
        Token::End => Ok(Program { text: text.to_owned(), nodes: parser.nodes, root }),
        _ => Err(parser.unexpected("an operator or the end")),
    }
}

struct Parser<'p> {
    text: &'p str,
    tokens: Vec<Spotted>,
    at: usize,
    nodes: Vec<Node>,
    environment: &'p Environment<'p>,
    nested: u32,
    /// Variables of the comprehensions around.
    locals: Vec<String>,
    /// How many comprehensions are around.
    folds: usize,
}

type Parsed = Result<Id, Wrong>;

impl Parser<'_> {
    fn token(&self) -> &Token {
        self.tokens.get(self.at).map_or(&Token::End, |spotted| &spotted.token)
    }

    fn after(&self, count: usize) -> &Token {
        self.tokens.get(self.at + count).map_or(&Token::End, |spotted| &spotted.token)
    }

    fn offset(&self) -> usize {
        self.tokens.get(self.at).map_or(self.text.len(), |spotted| spotted.at)
    }

    fn is(&self, sign: &str) -> bool {
        matches!(self.token(), Token::Sign(here) if *here == sign)
    }

    /// Goes on if this sign is here.
    fn takes(&mut self, sign: &str) -> bool {
        let is = self.is(sign);
        self.at += usize::from(is);
        is
    }

    fn expect(&mut self, sign: &str) -> Result<(), Wrong> {
        if self.takes(sign) { Ok(()) } else { Err(self.unexpected(&format!("`{sign}`"))) }
    }

    fn wrong(&self, offset: usize, message: impl Into<String>, help: impl Into<String>) -> Wrong {
        Wrong::new(self.text, offset, message, help)
    }

    fn unexpected(&self, expected: &str) -> Wrong {
        let found = match self.token() {
            Token::End => "the end".to_owned(),
            Token::Sign(sign) => format!("`{sign}`"),
            Token::Name(name, _) => format!("`{name}`"),
            Token::Int(_) | Token::Uint(_) | Token::Double(_) => "a number".to_owned(),
            Token::Text(_) | Token::Bytes(_) => "a text".to_owned(),
        };
        self.wrong(
            self.offset(),
            format!("expected {expected}, found {found}"),
            "check what stands before it",
        )
    }

    fn push(&mut self, expression: Expression, at: usize) -> Parsed {
        let depth =
            1 + expression.children().iter().map(|id| self.nodes[id.0 as usize].depth).max().unwrap_or(0);
        if depth > MAX_DEPTH {
            return Err(self.too_deep(at));
        }
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let id = Id(number(self.nodes.len()));
        self.nodes.push(Node { expression, at: number(at), depth });
        Ok(id)
    }

    fn too_deep(&self, at: usize) -> Wrong {
        self.wrong(
            at,
            format!(
                "the expression is nested more than {MAX_NESTED} deep, or its operators more than {MAX_DEPTH}"
            ),
            "make two rules of it",
        )
    }

    fn expression(&mut self) -> Parsed {
        self.nested += 1;
        if self.nested > MAX_NESTED {
            return Err(self.too_deep(self.offset()));
        }
        let at = self.offset();
        let condition = self.or()?;
        let id = if self.takes("?") {
            let yes = self.or()?;
            self.expect(":")?;
            let no = self.expression()?;
            self.push(Expression::Choice(condition, yes, no), at)?
        } else {
            condition
        };
        self.nested -= 1;
        Ok(id)
    }

    fn or(&mut self) -> Parsed {
        let at = self.offset();
        let mut all = vec![self.and()?];
        while self.takes("||") {
            all.push(self.and()?);
        }
        if let [only] = all.as_slice() { Ok(*only) } else { self.push(Expression::Or(all), at) }
    }

    fn and(&mut self) -> Parsed {
        let at = self.offset();
        let mut all = vec![self.binary(0)?];
        while self.takes("&&") {
            all.push(self.binary(0)?);
        }
        if let [only] = all.as_slice() { Ok(*only) } else { self.push(Expression::And(all), at) }
    }

    /// Relations bind least, then sums, then products.
    fn binary(&mut self, level: u8) -> Parsed {
        if level == 3 {
            return self.unary();
        }
        let at = self.offset();
        let mut left = self.binary(level + 1)?;
        while let Some(operator) = self.operator(level) {
            self.at += 1;
            let right = self.binary(level + 1)?;
            left = self.push(Expression::Binary(operator, left, right), at)?;
        }
        Ok(left)
    }

    fn operator(&self, level: u8) -> Option<Operator> {
        let sign = match self.token() {
            Token::Sign(sign) => *sign,
            Token::Name(name, false) if name == "in" => "in",
            _ => return None,
        };
        Some(match (level, sign) {
            (0, "==") => Operator::Equal,
            (0, "!=") => Operator::NotEqual,
            (0, "<") => Operator::Less,
            (0, "<=") => Operator::LessOrEqual,
            (0, ">") => Operator::Greater,
            (0, ">=") => Operator::GreaterOrEqual,
            (0, "in") => Operator::In,
            (1, "+") => Operator::Add,
            (1, "-") => Operator::Subtract,
            (2, "*") => Operator::Multiply,
            (2, "/") => Operator::Divide,
            (2, "%") => Operator::Remainder,
            _ => return None,
        })
    }

    fn unary(&mut self) -> Parsed {
        let at = self.offset();
        let Some(sign) = ["!", "-"].into_iter().find(|sign| self.is(sign)) else { return self.member() };
        let mut count = 0_usize;
        while self.takes(sign) {
            count += 1;
        }
        if let (Token::Int(number), "-") = (self.token(), sign) {
            // The least number has no positive to be made of.
            if let Some(number) = 0_i64.checked_sub_unsigned(*number) {
                self.at += 1;
                let literal = self.push(Expression::Literal(Constant::Int(number)), at)?;
                let id = self.postfix(literal, at)?;
                return self.repeat(Expression::Negate, count - 1, id, at);
            }
        }
        let id = self.member()?;
        if sign == "!" {
            self.repeat(Expression::Not, count, id, at)
        } else {
            self.repeat(Expression::Negate, count, id, at)
        }
    }

    /// Thrice is once, and four times is twice: what is no truth value fails the first time.
    fn repeat(&mut self, make: fn(Id) -> Expression, count: usize, mut id: Id, at: usize) -> Parsed {
        let times = if count == 0 { 0 } else { 2 - count % 2 };
        for _ in 0..times {
            id = self.push(make(id), at)?;
        }
        Ok(id)
    }

    fn member(&mut self) -> Parsed {
        let at = self.offset();
        let id = self.primary()?;
        self.postfix(id, at)
    }

    /// Selections, calls and indices after a value.
    fn postfix(&mut self, mut id: Id, at: usize) -> Parsed {
        loop {
            if self.takes(".") {
                let optional = self.takes("?");
                let (name_at, Token::Name(name, quoted)) = (self.offset(), self.token().clone()) else {
                    return Err(self.unexpected("a name"));
                };
                if !quoted && ["true", "false", "null", "in"].contains(&name.as_str()) {
                    return Err(self.unexpected("a name"));
                }
                self.at += 1;
                id = if self.is("(") && !optional && !quoted {
                    self.method(id, &name, name_at)?
                } else {
                    self.push(Expression::Select { of: id, field: name, optional }, at)?
                };
            } else if self.takes("[") {
                let optional = self.takes("?");
                let index = self.expression()?;
                self.expect("]")?;
                id = self.push(Expression::Index { of: id, at: index, optional }, at)?;
            } else {
                return Ok(id);
            }
        }
    }

    fn primary(&mut self) -> Parsed {
        let at = self.offset();
        let token = self.token().clone();
        let constant = match token {
            Token::Sign("(") => {
                self.at += 1;
                let id = self.expression()?;
                self.expect(")")?;
                return Ok(id);
            }
            Token::Sign("[") => return self.list(at),
            Token::Sign("{") => return self.map(at),
            Token::Sign(".") | Token::Name(_, false) => return self.name(at),
            Token::Int(number) => match i64::try_from(number) {
                Ok(number) => Constant::Int(number),
                Err(_) => {
                    return Err(self.wrong(
                        at,
                        format!("`{number}` is more than an int holds"),
                        "write `u` after it for a uint",
                    ));
                }
            },
            Token::Uint(number) => Constant::Uint(number),
            Token::Double(number) => Constant::Double(number),
            Token::Text(text) => Constant::Text(text),
            Token::Bytes(bytes) => Constant::Bytes(bytes),
            _ => return Err(self.unexpected("a value")),
        };
        self.at += 1;
        self.push(Expression::Literal(constant), at)
    }

    fn list(&mut self, at: usize) -> Parsed {
        self.at += 1;
        let mut items = Vec::new();
        while !self.takes("]") {
            items.push(self.expression()?);
            if !self.is("]") {
                self.expect(",")?;
            }
        }
        self.push(Expression::List(items), at)
    }

    fn map(&mut self, at: usize) -> Parsed {
        self.at += 1;
        let mut members = Vec::new();
        while !self.takes("}") {
            let key = self.expression()?;
            self.expect(":")?;
            members.push((key, self.expression()?));
            if !self.is("}") {
                self.expect(",")?;
            }
        }
        self.push(Expression::Map(members), at)
    }

    /// A word, a variable, a type, or a function that is called.
    fn name(&mut self, at: usize) -> Parsed {
        let rooted = self.takes(".");
        let Token::Name(name, false) = self.token().clone() else { return Err(self.unexpected("a name")) };
        if RESERVED.contains(&name.as_str()) || name == "in" {
            return Err(self.wrong(at, format!("`{name}` is a reserved word"), "use another name"));
        }
        self.at += 1;
        if self.is("(") {
            return self.global(&name, at);
        }
        let word = match name.as_str() {
            _ if rooted => None,
            "true" => Some(Constant::Bool(true)),
            "false" => Some(Constant::Bool(false)),
            "null" => Some(Constant::Null),
            _ => None,
        };
        if let Some(word) = word {
            return self.push(Expression::Literal(word), at);
        }
        if let Some(local) = self.locals.iter().rposition(|local| *local == name).filter(|_| !rooted) {
            return self.push(Expression::Local(local), at);
        }
        if let Some(variable) = self.environment.variables.iter().position(|variable| *variable == name) {
            return self.push(Expression::Variable(variable), at);
        }
        if let Some(kind) = self.type_name(&name) {
            return self.push(Expression::Literal(Constant::Type(kind)), at);
        }
        let known: Vec<String> = self.environment.variables.iter().map(|name| format!("`{name}`")).collect();
        let help = match known.as_slice() {
            [] => "text stands between quotes".to_owned(),
            known => format!("there is {}; text stands between quotes", known.join(", ")),
        };
        Err(self.wrong(at, format!("there is no variable `{name}`"), help))
    }

    /// The type that a name is of, which may have points in it.
    fn type_name(&mut self, name: &str) -> Option<Type> {
        let mut full = name.to_owned();
        let mut more = 0;
        while let (Token::Sign("."), Token::Name(next, false)) = (self.after(more), self.after(more + 1)) {
            if name != "google" || more == 4 {
                break;
            }
            full = format!("{full}.{next}");
            more += 2;
        }
        let kind = Type::named(&full)?;
        self.at += more;
        Some(kind)
    }

    /// Arguments after a name, from the bracket on.
    fn arguments(&mut self) -> Result<Vec<Id>, Wrong> {
        self.expect("(")?;
        let mut all = Vec::new();
        while !self.takes(")") {
            if !all.is_empty() {
                self.expect(",")?;
            }
            all.push(self.expression()?);
        }
        Ok(all)
    }

    fn global(&mut self, name: &str, at: usize) -> Parsed {
        if name == "has" {
            let inner_at = self.offset();
            let arguments = self.arguments()?;
            let [only] = arguments.as_slice() else { return Err(self.has(inner_at)) };
            return match self.nodes[only.0 as usize].expression.clone() {
                Expression::Select { of, field, optional: false } => {
                    self.push(Expression::Has { of, field }, at)
                }
                _ => Err(self.has(inner_at)),
            };
        }
        let outside = self.environment.functions.iter().position(|function| function.name == name);
        if let Some((function, known)) =
            outside.and_then(|at| Some((at, *self.environment.functions.get(at)?)))
        {
            let arguments = self.arguments()?;
            if !(known.fewest..=known.most).contains(&arguments.len()) {
                return Err(self.count(name, at, arguments.len(), (known.fewest, known.most)));
            }
            return self.push(Expression::Outside(function, arguments), at);
        }
        let shape = functions::named(name, false).ok_or_else(|| self.no_function(name, at))?;
        let arguments = self.arguments()?;
        self.call(name, shape, arguments, at)
    }

    fn has(&self, at: usize) -> Wrong {
        self.wrong(
            at,
            "`has` takes one selection, as in `has(resource.tags.owner)`",
            "for a key use `'key' in object`",
        )
    }

    fn method(&mut self, of: Id, name: &str, at: usize) -> Parsed {
        if let Some(fold) = Fold::named(name) {
            return self.fold(fold, of, at);
        }
        let shape = functions::named(name, true).ok_or_else(|| self.no_function(name, at))?;
        let mut arguments = vec![of];
        arguments.extend(self.arguments()?);
        self.call(name, shape, arguments, at)
    }

    fn call(&mut self, name: &str, shape: Shape, arguments: Vec<Id>, at: usize) -> Parsed {
        let receiver = usize::from(shape.method);
        if !(shape.fewest..=shape.most).contains(&arguments.len()) {
            let given = arguments.len() - receiver;
            return Err(self.count(name, at, given, (shape.fewest - receiver, shape.most - receiver)));
        }
        if let (Builtin::Matches, [text, pattern]) = (shape.builtin, arguments.as_slice()) {
            let node = &self.nodes[pattern.0 as usize];
            if let Expression::Literal(Constant::Text(pattern)) = &node.expression {
                let pattern_at = node.at as usize;
                let pattern = Pattern::compile(pattern).map_err(|said| {
                    self.wrong(pattern_at, said, "patterns are those of RE2; write them as `r'...'`")
                })?;
                return self.push(Expression::Matches(*text, pattern), at);
            }
        }
        self.push(Expression::Call(shape.builtin, arguments), at)
    }

    /// A call with another number of arguments than the function takes.
    fn count(&self, name: &str, at: usize, given: usize, (fewest, most): (usize, usize)) -> Wrong {
        let wanted = match (fewest, most) {
            (1, 1) => "one argument".to_owned(),
            (0, 0) => "no arguments".to_owned(),
            (fewest, most) if fewest == most => format!("{fewest} arguments"),
            (fewest, most) => format!("{fewest} to {most} arguments"),
        };
        self.wrong(at, format!("`{name}` takes {wanted}, not {given}"), "see the list of functions")
    }

    fn no_function(&self, name: &str, at: usize) -> Wrong {
        let other = functions::named(name, true).or(functions::named(name, false));
        let own = self.environment.functions.iter().map(|function| format!("`{}`", function.name));
        let help = match other {
            Some(shape) if shape.method => format!("it is called on a value: `value.{name}(...)`"),
            Some(_) => format!("it is called with a value: `{name}(value)`"),
            None if Fold::named(name).is_some() => {
                format!("it is called on a list: `list.{name}(item, ...)`")
            }
            None => format!(
                "there are {}, and those of CEL such as `size`, `startsWith`, `matches`",
                own.collect::<Vec<_>>().join(", ")
            ),
        };
        self.wrong(at, format!("there is no function `{name}` here"), help)
    }

    /// `range.all(item, test)` and its kin; the name is behind us.
    fn fold(&mut self, fold: Fold, range: Id, at: usize) -> Parsed {
        if self.folds == MAX_COMPREHENSIONS {
            let message =
                format!("`{}` stands in more than {MAX_COMPREHENSIONS} comprehensions", fold.name());
            return Err(self.wrong(at, message, "make two rules of it, or use `in`"));
        }
        self.expect("(")?;
        let before = self.locals.len();
        self.local()?;
        self.expect(",")?;
        let is_name =
            matches!(self.token(), Token::Name(_, false)) && matches!(self.after(1), Token::Sign(","));
        let two = is_name && matches!(fold, Fold::All | Fold::Exists | Fold::ExistsOne);
        if two {
            self.local()?;
            self.expect(",")?;
        }
        self.folds += 1;
        let first = self.expression()?;
        let second = if fold == Fold::Map && self.takes(",") { Some(self.expression()?) } else { None };
        self.folds -= 1;
        self.expect(")")?;
        self.locals.truncate(before);
        let (test, result) = match (fold, second) {
            (Fold::Map, None) => (None, Some(first)),
            (_, result) => (Some(first), result),
        };
        self.push(Expression::Fold { fold, range, local: before, two, test, result }, at)
    }

    fn local(&mut self) -> Result<(), Wrong> {
        match self.token().clone() {
            Token::Name(name, false)
                if !RESERVED.contains(&name.as_str())
                    && !["true", "false", "null", "in"].contains(&name.as_str()) =>
            {
                self.at += 1;
                self.locals.push(name);
                Ok(())
            }
            _ => Err(self.unexpected("the name of a variable")),
        }
    }
}
