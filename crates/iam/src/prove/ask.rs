//! How a question is asked: caller by caller, until one of them has a request for which the formula holds.

use super::Proof;
use super::problem::{Formula, Pieces};
use super::search::{Literals, Search, Searched};
use super::witness::{Frame, request};
use crate::eval::Program;
use crate::policy::{Element, Policy};
use crate::request::Request;
use crate::text::{Span, Spanned};

/// The account in which requests are imagined when nothing says otherwise.
pub(super) const HOME: &str = "111122223333";

/// What is asked of every caller.
pub(super) struct Question<'q> {
    /// All policies that bear on it; witnesses spell their keys as these do.
    pub(super) programs: &'q [&'q Program],
    /// What must hold.
    pub(super) formula: &'q dyn Fn(&mut Pieces, &Frame) -> Formula,
    /// Whether the evaluator says so too.
    pub(super) confirm: &'q dyn Fn(&Request) -> bool,
}

impl Question<'_> {
    /// Looks for a request of one of the callers.
    pub(super) fn ask(&self, callers: impl IntoIterator<Item = Frame>) -> Proof {
        let mut doubt = None;
        for frame in callers {
            let mut pieces = Pieces::default();
            let formula = (self.formula)(&mut pieces, &frame);
            let mut finish = |pieces: &Pieces, literals: &Literals| self.finish(pieces, literals, &frame);
            match Search::new(&pieces, &mut finish).run(&formula) {
                Searched::Yes(mut found) => {
                    let sources: Vec<&Policy> =
                        self.programs.iter().map(|program| program.source()).collect();
                    found.spell_like(&sources);
                    return Proof::Witness(Box::new(found));
                }
                Searched::No => {}
                Searched::Unknown(cause) => doubt = Some(cause),
            }
        }
        doubt.map_or(Proof::Proved, Proof::Unknown)
    }

    fn finish(
        &self,
        pieces: &Pieces,
        literals: &Literals,
        frame: &Frame,
    ) -> Result<Option<Request>, &'static str> {
        let Some(found) = request(pieces, literals, frame)? else { return Ok(None) };
        if let Some(one) = frame.sample.settled(&found) {
            let found = found.by(one, found.context().clone());
            if (self.confirm)(&found) {
                return Ok(Some(found));
            }
        }
        if !(self.confirm)(&found) {
            return Err("prover and evaluator disagree on a request; please report it");
        }
        Ok(Some(found))
    }
}

/// An element of a policy that lists these texts.
pub(super) fn element<T: AsRef<str>>(texts: &[T]) -> Element<Spanned> {
    let spanned = |text: &T| Spanned { text: text.as_ref().to_owned(), span: Span::default() };
    Element { negated: false, items: texts.iter().map(spanned).collect(), span: Span::default() }
}
