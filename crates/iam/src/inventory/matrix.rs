//! The whole matrix: principals by resources by actions, on several threads, always in the same order.

use super::answer::Verdict;
use super::hear::{self, About, Asked, Prepared};
use super::{BadQuestion, Held, Inventory, Question, Resource, Target};
use crate::catalog::{Action, Service, catalog};
use crate::request::Context;
use crate::value::{Template, Writing, split_arn};
use serde::Serialize;
use std::borrow::Cow;
use std::num::NonZeroUsize;

/// Who may do what to which resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Matrix {
    /// The actions, in the order asked.
    pub actions: Vec<String>,
    /// A row for each pair of principal and resource of which something is not refused.
    pub rows: Vec<MatrixRow>,
}

/// What a principal may do to a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MatrixRow {
    /// The ARN of the principal.
    pub principal: String,
    /// The ARN of the resource.
    pub resource: String,
    /// One for each action.
    pub cells: Vec<Cell>,
}

/// One answer of a matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Cell {
    /// Allowed, whatever else the request says.
    Yes,
    /// Allowed, depending on what else the request says.
    If,
    /// Refused.
    No,
    /// The action is not about such a resource.
    #[serde(rename = "-")]
    Beside,
}

impl Cell {
    /// As it stands in a table.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::If => "if",
            Self::No => "no",
            Self::Beside => "-",
        }
    }
}

impl Matrix {
    /// As comma-separated values (RFC 4180), with a line of headings.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let mut out = String::from("principal,resource");
        for action in &self.actions {
            out.push(',');
            out.push_str(&field(action));
        }
        for row in &self.rows {
            out.push_str("\r\n");
            out.push_str(&field(&row.principal));
            out.push(',');
            out.push_str(&field(&row.resource));
            for cell in &row.cells {
                out.push(',');
                out.push_str(cell.text());
            }
        }
        out.push_str("\r\n");
        out
    }
}

fn field(text: &str) -> Cow<'_, str> {
    if text.contains([',', '"', '\r', '\n']) {
        Cow::Owned(format!("\"{}\"", text.replace('"', "\"\"")))
    } else {
        Cow::Borrowed(text)
    }
}

/// An action on a resource: the ARN to ask about and the statements of the resource's policy about the action.
struct Square<'i> {
    arn: Cow<'i, str>,
    about: About,
}

impl Inventory {
    /// The matrix of these actions over all principals and resources. Actions on objects are asked of a bucket for all
    /// objects, that is with `/*`: for some of them only the answer is `if`.
    ///
    /// # Errors
    /// If an action is none, or the endpoint is not in the inventory.
    pub fn matrix(
        &self,
        actions: &[String],
        question: &Question,
        threads: NonZeroUsize,
    ) -> Result<Matrix, BadQuestion> {
        let asked = actions.iter().map(|action| self.asked(action, question));
        let asked: Vec<Asked<'_>> = asked.collect::<Result<_, _>>()?;
        let board: Vec<Vec<Option<Square<'_>>>> =
            self.resources.iter().map(|resource| squares(resource, &asked)).collect();
        let share = self.principals.len().div_ceil(threads.get()).max(1);
        let work = |part: &[Held]| part.iter().flat_map(|held| self.rows(held, &asked, &board)).collect();
        let parts: Vec<Vec<MatrixRow>> = std::thread::scope(|scope| {
            let parts = self.principals.chunks(share);
            let running: Vec<_> = parts.map(|part| (part, scope.spawn(move || work(part)))).collect();
            // A part whose thread failed is done again here, where a failure is seen.
            running.into_iter().map(|(part, thread)| thread.join().unwrap_or_else(|_| work(part))).collect()
        });
        Ok(Matrix { actions: actions.to_vec(), rows: parts.into_iter().flatten().collect() })
    }

    fn rows<'i>(
        &'i self,
        held: &'i Held,
        asked: &[Asked<'i>],
        board: &'i [Vec<Option<Square<'i>>>],
    ) -> Vec<MatrixRow> {
        let mut prepared: Vec<Prepared<'i>> =
            asked.iter().map(|asked| Prepared::new(self, held, asked)).collect();
        let mut rows = Vec::new();
        let mut cells = Vec::with_capacity(asked.len());
        for (resource, squares) in self.resources.iter().zip(board) {
            cells.clear();
            for (prepared, square) in prepared.iter_mut().zip(squares) {
                cells.push(match square {
                    None => Cell::Beside,
                    Some(square) if prepared.is_hopeless(resource, &square.about) => Cell::No,
                    Some(square) => {
                        let target = Target { arn: &square.arn, resource };
                        match prepared.verdict(self, target, &square.about) {
                            Verdict::Allowed => Cell::Yes,
                            Verdict::Conditional => Cell::If,
                            Verdict::Denied | Verdict::Undecided => Cell::No,
                        }
                    }
                });
            }
            if cells.iter().any(|cell| matches!(cell, Cell::Yes | Cell::If)) {
                rows.push(MatrixRow {
                    principal: held.caller.to_string(),
                    resource: resource.arn.to_string(),
                    cells: cells.clone(),
                });
            }
        }
        rows
    }
}

fn squares<'i>(resource: &'i Resource, asked: &[Asked<'i>]) -> Vec<Option<Square<'i>>> {
    let square = |asked: &Asked<'i>| {
        let arn = match catalog().action(asked.request.action()) {
            Some(action) => asked_arn(&action, &resource.arn)?,
            // Not in the catalogue: it may be about any resource of its service.
            None if split_arn(&resource.arn)?[2] == asked.request.service() => Cow::Borrowed(&*resource.arn),
            None => return None,
        };
        Some(Square { arn, about: hear::about(resource, &asked.request) })
    };
    asked.iter().map(square).collect()
}

/// The actions of the catalogue that may be about such a resource.
pub(super) fn actions_near(arn: &str) -> impl Iterator<Item = Action<'static>> + use<> {
    let service = split_arn(arn).map_or("", |fields| fields[2]);
    // Trust policies are about actions of another service.
    let trust = if service == "iam" { catalog().service("sts") } else { None };
    let services = [catalog().service(service), trust];
    services.into_iter().flatten().flat_map(Service::actions)
}

/// The ARN by which an action is asked about a resource; `None` if it is not about such a resource.
pub(super) fn asked_arn<'r>(action: &Action<'_>, arn: &'r str) -> Option<Cow<'r, str>> {
    let fields = split_arn(arn)?;
    // Some types are written as two ARNs.
    let fits = |fields: &[&str; 6]| {
        let mut types = action.resource_types();
        types.any(|used| used.resource_type().arn().split(", ").any(|template| is_of(template, fields)))
    };
    if fits(&fields) {
        return Some(Cow::Borrowed(arn));
    }
    let bucket = fields[2] == "s3" && fields[4].is_empty() && !fields[5].contains('/');
    let objects = format!("{}/*", fields[5]);
    let of_objects = [fields[0], fields[1], fields[2], fields[3], fields[4], &*objects];
    (bucket && fits(&of_objects)).then(|| Cow::Owned(format!("{arn}/*")))
}

/// Whether an ARN is of the type with this ARN, of which each variable part stands for something.
fn is_of(template: &str, fields: &[&str; 6]) -> bool {
    let parts = template.splitn(6, ':').zip(fields);
    let mut count = 0;
    let all = parts.inspect(|_| count += 1).all(|(wanted, field)| fits(wanted, field));
    all && count == 6
}

fn fits(wanted: &str, field: &str) -> bool {
    let Some(start) = wanted.find("${") else { return wanted == field };
    // A variable that is the whole of a name does not reach over a slash: a bucket is no object.
    let whole = start == 0 && wanted.find('}') == Some(wanted.len() - 1);
    if whole {
        return !field.contains('/');
    }
    let mut pattern = String::new();
    let mut rest = wanted;
    while let Some(start) = rest.find("${") {
        pattern.push_str(&rest[..start]);
        pattern.push_str("?*");
        rest = rest[start..].find('}').map_or("", |end| &rest[start + end + 1..]);
    }
    pattern.push_str(rest);
    let writing = Writing { wildcards: true, variables: false, fold: false };
    Template::new(&pattern, writing).matches(field, &Context::default()) == Some(true)
}
