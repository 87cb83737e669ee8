//! Rules as text of Guard 3, the language of AWS Config's custom-policy rules and of cfn-guard. An expression becomes lines
//! that must all be so, each of clauses of which one is enough. Guard has no word for what is not known: there it fails.
//! What Guard cannot say the same is refused with a sentence, never said otherwise.

use super::guard_path::{Base, Path, Shape, quoted};
use cel::{Builtin, Constant, Expression, Fold, Id, Operator, Program};

/// Lines of one rule; a rule that needs more is refused.
const MAX_LINES: usize = 64;

/// A clause: text, or what must be so of each item of a list.
#[derive(Debug, Clone)]
enum Clause {
    Text(String),
    /// The list, what must be so of each item, and whether the list must be there.
    Each(String, Lines, bool),
}

/// All lines must be so; of a line, one clause.
type Lines = Vec<Vec<Clause>>;

type Said<T> = Result<T, String>;

/// The lines of a rule: that `when` is false, or `expression` is true.
pub(super) fn lines(when: Option<&Program>, expression: &Program, shape: Shape<'_>) -> Said<Vec<String>> {
    let of = |program: &Program, wanted: bool| {
        Writer { program, shape, local: None }.lines(program.root(), wanted)
    };
    let all = match when {
        Some(when) => either(vec![of(when, false)?, of(expression, true)?])?,
        None => of(expression, true)?,
    };
    if all.is_empty() {
        return Err("it is true of everything".to_owned());
    }
    let mut out = Vec::new();
    written(&all, 0, &mut out)?;
    Ok(out)
}

/// Lines as text, indented.
fn written(lines: &Lines, depth: usize, out: &mut Vec<String>) -> Said<()> {
    let indent = "    ".repeat(depth);
    for line in lines {
        if let [Clause::Each(list, body, needed)] = line.as_slice() {
            if *needed {
                out.push(format!("{indent}{list} exists"));
            }
            out.push(format!("{indent}when {list} !empty {{"));
            out.push(format!("{indent}    {list}[*] {{"));
            written(body, depth + 2, out)?;
            out.push(format!("{indent}    }}"));
            out.push(format!("{indent}}}"));
            continue;
        }
        let texts: Said<Vec<&str>> = line
            .iter()
            .map(|clause| match clause {
                Clause::Text(text) => Ok(text.as_str()),
                Clause::Each(..) => {
                    Err("Guard cannot say \"each item, or else something\" in one line".to_owned())
                }
            })
            .collect();
        out.push(format!("{indent}{}", texts?.join(" or ")));
    }
    Ok(())
}

/// One of these must be so.
fn either(all: Vec<Lines>) -> Said<Lines> {
    let mut out: Lines = vec![Vec::new()];
    for lines in all {
        // What is always so.
        if lines.is_empty() {
            return Ok(Vec::new());
        }
        let mut next = Vec::new();
        for line in &out {
            for more in &lines {
                next.push(line.iter().chain(more).cloned().collect());
            }
        }
        out = next;
        if out.len() > MAX_LINES {
            return Err(format!("it would be more than {MAX_LINES} lines of Guard"));
        }
    }
    Ok(out)
}

fn line(text: String) -> Lines {
    vec![vec![Clause::Text(text)]]
}

struct Writer<'w> {
    program: &'w Program,
    shape: Shape<'w>,
    /// The variable of the comprehension around, which Guard calls `this`.
    local: Option<usize>,
}

/// A path, and what counts if it leads nowhere.
struct Operand<'w> {
    path: Path,
    default: Option<&'w Constant>,
}

impl<'w> Writer<'w> {
    fn expression(&self, id: Id) -> &'w Expression {
        self.program.expression(id)
    }

    /// Lines that hold if and only if the expression is `wanted`.
    fn lines(&self, id: Id, wanted: bool) -> Said<Lines> {
        match (self.expression(id), wanted) {
            (Expression::Not(of), _) => self.lines(*of, !wanted),
            (Expression::And(all), true) | (Expression::Or(all), false) => {
                let mut out = Vec::new();
                for id in all {
                    out.extend(self.lines(*id, wanted)?);
                }
                Ok(out)
            }
            (Expression::And(all), false) | (Expression::Or(all), true) => {
                either(all.iter().map(|id| self.lines(*id, wanted)).collect::<Said<_>>()?)
            }
            (Expression::Literal(Constant::Bool(truth)), _) if *truth == wanted => Ok(Vec::new()),
            (Expression::Literal(_), _) => Err("it has a constant that is never so".to_owned()),
            (Expression::Has { of, field }, _) => self.has(*of, field, wanted),
            (Expression::Binary(operator, one, other), _) => self.binary(*operator, *one, *other, wanted),
            (Expression::Matches(of, pattern), _) => self.pattern(*of, pattern.text(), wanted),
            (Expression::Call(builtin, arguments), _) => self.call(*builtin, arguments, id, wanted),
            (Expression::Fold { fold, range, local, two: false, test: Some(test), result: None }, _) => {
                self.fold(*fold, *range, (*local, *test), wanted)
            }
            (Expression::Outside(..), _) => {
                Err("Guard looks at one resource alone: it has no `related` and no `referring`".to_owned())
            }
            (Expression::Choice(..), _) => Err("Guard has no `? :`".to_owned()),
            (Expression::Fold { fold, .. }, _) => Err(format!("Guard has no `{}` of this form", fold.name())),
            _ => self.compared(&self.operand(id)?, Operator::Equal, &Constant::Bool(wanted), true),
        }
    }

    /// A path of the resource, or of the item at hand.
    fn operand(&self, id: Id) -> Said<Operand<'w>> {
        if let Expression::Call(Builtin::OrValue, arguments) = self.expression(id)
            && let [of, default] = arguments.as_slice()
        {
            let Expression::Literal(default) = self.expression(*default) else {
                return Err("Guard has no `orValue` of something that is worked out".to_owned());
            };
            let path = self.path(*of)?;
            return Ok(Operand { path, default: Some(default) });
        }
        let path = self.path(id)?;
        if path.optional.is_some() {
            return Err("what is asked for with `.?` needs `orValue` or `hasValue`".to_owned());
        }
        Ok(Operand { path, default: None })
    }

    fn path(&self, id: Id) -> Said<Path> {
        match self.expression(id) {
            Expression::Variable(_) => Ok(Path::of(Base::Resource)),
            Expression::Local(local) if Some(*local) == self.local => Ok(Path::of(Base::This)),
            Expression::Local(_) => Err("Guard sees only the innermost item".to_owned()),
            Expression::Select { of, field, optional } => self.path(*of)?.then(field, *optional),
            Expression::Index { of, at, optional } => match self.expression(*at) {
                Expression::Literal(Constant::Text(key)) => self.path(*of)?.then(key, *optional),
                _ => Err("Guard has no places in lists that are worked out".to_owned()),
            },
            Expression::Call(builtin, _) => {
                Err(format!("Guard has no words for `{builtin:?}` of a value that is compared"))
            }
            Expression::Outside(..) => {
                Err("Guard looks at one resource alone: it has no `related` and no `referring`".to_owned())
            }
            _ => Err("Guard compares properties with constants only".to_owned()),
        }
    }

    fn literal(&self, id: Id) -> Option<&'w Constant> {
        match self.expression(id) {
            Expression::Literal(constant) => Some(constant),
            _ => None,
        }
    }

    fn has(&self, of: Id, field: &str, wanted: bool) -> Said<Lines> {
        let path = self.path(of)?.then(field, false)?;
        self.exists(&path, wanted)
    }

    fn exists(&self, path: &Path, wanted: bool) -> Said<Lines> {
        if let Some(key) = path.tag() {
            return Ok(self.tag(key, wanted));
        }
        let text = path.written(self.shape)?;
        let mut all = line(format!("{text} {}", if wanted { "exists" } else { "!exists" }));
        // Without what it is in, the question has no answer.
        if !wanted && let Some(parent) = path.needed_parent() {
            all.insert(0, vec![Clause::Text(format!("{} exists", parent.written(self.shape)?))]);
        }
        Ok(all)
    }

    /// Whether there is a tag of this key. Of tags in another shape than a list nothing would be found.
    fn tag(&self, key: &str, wanted: bool) -> Lines {
        let tags = self.shape.tags();
        if !self.shape.has_list_of_tags() {
            return line(format!("{tags}.{} {}", quoted(key), if wanted { "exists" } else { "!exists" }));
        }
        let found = format!("{tags}[ Key == {} ]", text_of(key));
        if wanted {
            return line(format!("{found} !empty"));
        }
        let shape = vec![Clause::Text(format!("{tags} !exists")), Clause::Text(format!("{tags} is_list"))];
        vec![shape, vec![Clause::Text(format!("{found} empty"))]]
    }

    /// Whether there is a tag of this key with a value of which this is so.
    fn tagged(
        &self,
        key: &str,
        clause: impl Fn(&str) -> Said<String>,
        by_default: Option<bool>,
    ) -> Said<Lines> {
        let tags = self.shape.tags();
        let present = match self.shape.has_list_of_tags() {
            // One tag must be both; of a key that is not there, a value would be skipped.
            true => line(format!("{tags}[ Key == {} {} ] !empty", text_of(key), clause("Value")?)),
            false => line(clause(&format!("{tags}.{}", quoted(key)))?),
        };
        match by_default {
            Some(true) => either(vec![self.tag(key, false), present]),
            _ => Ok(present),
        }
    }

    fn binary(&self, operator: Operator, one: Id, other: Id, wanted: bool) -> Said<Lines> {
        if operator == Operator::In {
            return self.is_in(one, other, wanted);
        }
        let (of, operator, constant) = match (self.literal(one), self.literal(other)) {
            (None, Some(constant)) => (one, operator, constant),
            (Some(constant), None) => (other, turned(operator), constant),
            _ => {
                return Err(
                    "Guard compares a property with a constant, not two that are worked out".to_owned()
                );
            }
        };
        if let Expression::Call(Builtin::Size, arguments) = self.expression(of)
            && let [of] = arguments.as_slice()
        {
            return self.size(*of, operator, constant, wanted);
        }
        self.compared(&self.operand(of)?, operator, constant, wanted)
    }

    /// A comparison with what counts if the property is absent.
    fn compared(
        &self,
        of: &Operand<'_>,
        operator: Operator,
        constant: &Constant,
        wanted: bool,
    ) -> Said<Lines> {
        let operator = if wanted { operator } else { negated(operator)? };
        let by_default = of.default.map(|default| holds(operator, default, constant)).transpose()?;
        if let Some(key) = of.path.tag() {
            return self.tagged(key, |value| clause(value, operator, constant), by_default);
        }
        let text = of.path.written(self.shape)?;
        let compared = line(clause(&text, operator, constant)?);
        self.or_absent(&of.path, compared, by_default)
    }

    /// What is so also if the path leads nowhere, or only if it leads somewhere.
    fn or_absent(&self, path: &Path, lines: Lines, by_default: Option<bool>) -> Said<Lines> {
        let mut all = match by_default {
            Some(true) => either(vec![line(format!("{} !exists", path.written(self.shape)?)), lines])?,
            _ => lines,
        };
        if by_default.is_some()
            && let Some(strict) = path.strict()
        {
            all.insert(0, vec![Clause::Text(format!("{} exists", strict.written(self.shape)?))]);
        }
        Ok(all)
    }

    fn size(&self, of: Id, operator: Operator, constant: &Constant, wanted: bool) -> Said<Lines> {
        let operator = if wanted { operator } else { negated(operator)? };
        let is_empty = match (operator, constant) {
            (Operator::Equal | Operator::LessOrEqual, Constant::Int(0))
            | (Operator::Less, Constant::Int(1)) => true,
            (Operator::NotEqual | Operator::Greater, Constant::Int(0))
            | (Operator::GreaterOrEqual, Constant::Int(1)) => false,
            _ => return Err("of sizes Guard is only asked whether there is something".to_owned()),
        };
        let of = self.operand(of)?;
        if of.default.is_some() || of.path.tag().is_some() {
            return Err("Guard has no size of something that may be absent".to_owned());
        }
        let text = of.path.written(self.shape)?;
        Ok(match is_empty {
            true => vec![
                vec![Clause::Text(format!("{text} exists"))],
                vec![Clause::Text(format!("{text} empty"))],
            ],
            false => line(format!("{text} !empty")),
        })
    }

    fn is_in(&self, one: Id, all: Id, wanted: bool) -> Said<Lines> {
        if let Expression::List(items) = self.expression(all) {
            let constants: Option<Vec<&Constant>> = items.iter().map(|item| self.literal(*item)).collect();
            let constants = constants.ok_or("Guard has lists of constants only")?;
            let list: Vec<String> = constants.iter().map(|one| constant(one)).collect::<Said<_>>()?;
            let of = self.operand(one)?;
            // `not IN` is true of an object, which a reference is to Guard; `!=` fails.
            let clauses = |path: &str| -> Vec<String> {
                if wanted {
                    return vec![format!("{path} IN [{}]", list.join(", "))];
                }
                list.iter().map(|one| format!("{path} != {one}")).collect()
            };
            let by_default = of.default.map(|default| constants.contains(&default) == wanted);
            if let Some(key) = of.path.tag() {
                return self.tagged(key, |value| Ok(clauses(value).join(" ")), by_default);
            }
            let text = of.path.written(self.shape)?;
            let lines = clauses(&text).into_iter().map(|one| vec![Clause::Text(one)]).collect();
            return self.or_absent(&of.path, lines, by_default);
        }
        let Some(wanted_item) = self.literal(one) else {
            return Err("Guard compares a property with a constant, not two that are worked out".to_owned());
        };
        let path = self.path(all)?;
        if path.is_tags() {
            let Constant::Text(key) = wanted_item else { return Err("keys of tags are texts".to_owned()) };
            return Ok(self.tag(key, wanted));
        }
        if path.optional.is_some() {
            return Err("Guard has no `in` something that may be absent".to_owned());
        }
        let text = path.written(self.shape)?;
        Ok(match wanted {
            true => line(format!("some {text}[*] == {}", constant(wanted_item)?)),
            false => {
                let body = line(clause("this", Operator::NotEqual, wanted_item)?);
                vec![vec![Clause::Each(text, body, true)]]
            }
        })
    }

    fn call(&self, builtin: Builtin, arguments: &[Id], id: Id, wanted: bool) -> Said<Lines> {
        match (builtin, arguments) {
            (Builtin::StartsWith | Builtin::EndsWith | Builtin::Contains, [of, part]) => {
                let Some(Constant::Text(part)) = self.literal(*part) else {
                    return Err("Guard compares texts with constants only".to_owned());
                };
                let part = escaped(part)?;
                let pattern = match builtin {
                    Builtin::StartsWith => format!("^{part}"),
                    Builtin::EndsWith => format!("{part}$"),
                    _ => part,
                };
                self.pattern(*of, &pattern, wanted)
            }
            (Builtin::HasValue, [of]) => {
                let path = self.path(*of)?;
                let lines = self.exists(&path, wanted)?;
                match path.strict() {
                    Some(strict) if path.tag().is_none() => {
                        let mut all = line(format!("{} exists", strict.written(self.shape)?));
                        all.extend(lines);
                        Ok(all)
                    }
                    _ => Ok(lines),
                }
            }
            (Builtin::OrValue, _) => {
                self.compared(&self.operand(id)?, Operator::Equal, &Constant::Bool(wanted), true)
            }
            _ => Err(format!("Guard has no words for `{builtin:?}` here")),
        }
    }

    fn pattern(&self, of: Id, pattern: &str, wanted: bool) -> Said<Lines> {
        let of = self.operand(of)?;
        if of.default.is_some() {
            return Err("Guard has no pattern of something that may be absent".to_owned());
        }
        let sign = if wanted { "==" } else { "!=" };
        let pattern = delimited(pattern)?;
        match of.path.tag() {
            Some(key) => self.tagged(key, |value| Ok(format!("{value} {sign} {pattern}")), None),
            None => Ok(line(format!("{} {sign} {pattern}", of.path.written(self.shape)?))),
        }
    }

    fn fold(&self, fold: Fold, range: Id, (local, test): (usize, Id), wanted: bool) -> Said<Lines> {
        let inner = Writer { local: Some(local), ..*self };
        let (path, needed) = match self.expression(range) {
            Expression::Call(Builtin::OrValue, arguments) => match arguments.as_slice() {
                [of, default] if matches!(self.expression(*default), Expression::List(items) if items.is_empty()) => {
                    (self.path(*of)?, false)
                }
                _ => return Err("Guard goes through lists of the resource only".to_owned()),
            },
            _ => (self.path(range)?, true),
        };
        if path.optional.is_some() == needed || path.tag().is_some() || path.is_tags() {
            return Err("Guard goes through lists of the resource only".to_owned());
        }
        let text = path.written(self.shape)?;
        let mut all = match (fold, wanted) {
            (Fold::All, true) => vec![vec![Clause::Each(text, inner.lines(test, true)?, needed)]],
            (Fold::Exists, false) => vec![vec![Clause::Each(text, inner.lines(test, false)?, needed)]],
            (Fold::Exists, true) | (Fold::All, false) => {
                let mut inside = Vec::new();
                written(&inner.lines(test, wanted)?, 0, &mut inside)?;
                if inside.iter().any(|line| line.ends_with('{')) {
                    return Err("Guard has no \"each item\" within \"some item\"".to_owned());
                }
                line(format!("{text}[ {} ] !empty", inside.join("\n")))
            }
            _ => return Err(format!("Guard has no `{}`", fold.name())),
        };
        if !needed && let Some(strict) = path.strict() {
            all.insert(0, vec![Clause::Text(format!("{} exists", strict.written(self.shape)?))]);
        }
        Ok(all)
    }
}

/// The operator with its sides changed.
fn turned(operator: Operator) -> Operator {
    match operator {
        Operator::Less => Operator::Greater,
        Operator::LessOrEqual => Operator::GreaterOrEqual,
        Operator::Greater => Operator::Less,
        Operator::GreaterOrEqual => Operator::LessOrEqual,
        other => other,
    }
}

fn negated(operator: Operator) -> Said<Operator> {
    Ok(match operator {
        Operator::Equal => Operator::NotEqual,
        Operator::NotEqual => Operator::Equal,
        Operator::Less => Operator::GreaterOrEqual,
        Operator::LessOrEqual => Operator::Greater,
        Operator::Greater => Operator::LessOrEqual,
        Operator::GreaterOrEqual => Operator::Less,
        other => return Err(format!("Guard has no `{}`", other.sign())),
    })
}

/// A clause of a path and a constant. Of truth values, the texts that mean them count too, as CloudFormation takes them.
fn clause(path: &str, operator: Operator, to: &Constant) -> Said<String> {
    if let Constant::Bool(truth) = to {
        let words = match truth {
            true => "[true, \"true\", \"True\", \"TRUE\"]",
            false => "[false, \"false\", \"False\", \"FALSE\"]",
        };
        return match operator {
            Operator::Equal => Ok(format!("{path} IN {words}")),
            // Of a reference, `not IN` would be true.
            Operator::NotEqual => clause(path, Operator::Equal, &Constant::Bool(!truth)),
            _ => Err("truth values have no order".to_owned()),
        };
    }
    if matches!(operator, Operator::Equal | Operator::NotEqual)
        || matches!(to, Constant::Int(_) | Constant::Double(_))
    {
        return Ok(format!("{path} {} {}", operator.sign(), constant(to)?));
    }
    Err(format!("Guard has no `{}` of texts that we would trust", operator.sign()))
}

fn constant(constant: &Constant) -> Said<String> {
    Ok(match constant {
        Constant::Bool(truth) => truth.to_string(),
        Constant::Int(number) => number.to_string(),
        Constant::Double(number) => format!("{number:?}"),
        Constant::Text(text) if text.contains(['"', '\\', '\n', '\r']) => {
            return Err("it has a text with quotes, backslashes or line breaks in it".to_owned());
        }
        Constant::Text(text) => text_of(text),
        Constant::Null => return Err("`null` is absent here, and something else to Guard".to_owned()),
        _ => return Err("Guard has no constants of this type".to_owned()),
    })
}

fn text_of(text: &str) -> String {
    format!("\"{text}\"")
}

/// Whether a comparison of two constants is so.
fn holds(operator: Operator, one: &Constant, other: &Constant) -> Said<bool> {
    let order = match (one, other) {
        (Constant::Int(a), Constant::Int(b)) => a.partial_cmp(b),
        (Constant::Double(a), Constant::Double(b)) => a.partial_cmp(b),
        (Constant::Text(a), Constant::Text(b)) => a.partial_cmp(b),
        (Constant::Bool(a), Constant::Bool(b)) => a.partial_cmp(b),
        _ => return Err("what `orValue` gives must be of the type that it is compared with".to_owned()),
    };
    Ok(match operator {
        Operator::Equal => order.is_some_and(std::cmp::Ordering::is_eq),
        Operator::NotEqual => order.is_none_or(std::cmp::Ordering::is_ne),
        Operator::Less => order.is_some_and(std::cmp::Ordering::is_lt),
        Operator::LessOrEqual => order.is_some_and(std::cmp::Ordering::is_le),
        Operator::Greater => order.is_some_and(std::cmp::Ordering::is_gt),
        _ => order.is_some_and(std::cmp::Ordering::is_ge),
    })
}

/// A text as a pattern that matches it.
fn escaped(text: &str) -> Said<String> {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_control() {
            return Err("it has a text with line breaks or the like in it".to_owned());
        }
        if "\\.+*?()|[]{}^$".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    Ok(out)
}

/// A pattern between slashes.
fn delimited(pattern: &str) -> Said<String> {
    let mut out = String::from("/");
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                out.push('\\');
                out.extend(chars.next());
            }
            '/' => out.push_str("\\/"),
            c if c.is_control() => {
                return Err("it has a pattern with line breaks or the like in it".to_owned());
            }
            c => out.push(c),
        }
    }
    out.push('/');
    Ok(out)
}
