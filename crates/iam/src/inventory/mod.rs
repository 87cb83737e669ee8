//! Who can do what, over everything that is known of an organisation: accounts, principals, resources, their policies.
//! What a request would say beyond that (its address, its VPC endpoint, whether it came with a second factor) is not
//! known; a condition on it is answered with `allowed if`, never with a pass.

mod answer;
mod facts;
mod hear;
mod matrix;
mod operate;
mod outside;
mod read;
mod truth;
mod ways;

pub use answer::{Access, Possible, Term, Verdict, Way};
pub use matrix::{Cell, Matrix, MatrixRow};
pub use operate::whole;

use crate::catalog::ActionId;
use crate::eval::{Layers, OrganizationLevel, Program};
use crate::policy::Malformed;
use crate::request::{AwsPrincipal, AwsSort, Context, Principal, Request};
use hear::{Asked, Prepared};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::Arc;

/// Everything that is known of an organisation, its policies compiled once.
#[derive(Debug, Clone)]
pub struct Inventory {
    organization: Option<Box<str>>,
    accounts: HashMap<Box<str>, Account>,
    principals: Vec<Held>,
    resources: Vec<Resource>,
    /// Where a resource stands, by ARN.
    places: HashMap<Box<str>, usize>,
    endpoints: HashMap<Box<str>, Policy>,
}

/// A policy with the name that it goes by: its ARN, or where it stands.
#[derive(Debug, Clone)]
struct Policy {
    name: Arc<str>,
    program: Arc<Program>,
}

/// One level of the organisation. `None` means that this sort of policy is not in use there.
#[derive(Debug)]
struct LevelPolicies {
    id: Box<str>,
    scp: Option<Vec<Policy>>,
    rcp: Vec<Policy>,
}

/// An account.
#[derive(Debug, Clone)]
struct Account {
    management: bool,
    /// From the root to the account.
    path: Vec<Arc<LevelPolicies>>,
}

/// A user, role or root user, with its policies and those of its groups.
#[derive(Debug, Clone)]
struct Held {
    caller: Principal,
    identity: Vec<Policy>,
    boundary: Vec<Policy>,
    /// `None` if nobody said which it has.
    tags: Option<Vec<(Box<str>, Box<str>)>>,
    user_id: Option<Box<str>>,
}

/// A resource.
#[derive(Debug, Clone)]
struct Resource {
    arn: Box<str>,
    account: Box<str>,
    tags: Option<Vec<(Box<str>, Box<str>)>>,
    /// Its own policy, its grants and what S3 knows of it; the layers of the caller stay empty here.
    layers: Layers,
    /// The same with grants freed of their constraints, if there are some.
    unconstrained: Option<Box<Layers>>,
}

/// What is asked of an inventory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Question {
    /// Context keys that all requests in question carry. `aws:SecureTransport` is `true` unless it is said here.
    pub context: Context,
    /// The VPC endpoint of the inventory that all go through.
    pub endpoint: Option<String>,
}

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadQuestion(pub String);

impl fmt::Display for BadQuestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadQuestion {}

/// What of a resource is asked about.
#[derive(Debug, Clone, Copy)]
struct Target<'t, 'i> {
    arn: &'t str,
    resource: &'i Resource,
}

impl Inventory {
    /// Reads an inventory. `file` is its name in messages.
    ///
    /// # Errors
    /// Everything that is wrong with it, with places.
    pub fn parse(file: &str, text: &str) -> Result<Self, Malformed> {
        read::inventory(file, text)
    }

    /// The principals, by ARN, in the order of the inventory.
    pub fn principals(&self) -> impl ExactSizeIterator<Item = &Principal> {
        self.principals.iter().map(|held| &held.caller)
    }

    /// The ARNs of the resources, in the order of the inventory.
    pub fn resources(&self) -> impl ExactSizeIterator<Item = &str> {
        self.resources.iter().map(|resource| &*resource.arn)
    }

    /// Who can do this with this resource, or with any whose ARN begins so, if it ends with `*`: every principal of the inventory in its order, then whom the policy of the
    /// resource lets in from outside.
    ///
    /// # Errors
    /// If the action is none, or the resource or the endpoint are not in the inventory.
    pub fn who_can(
        &self,
        action: &str,
        resource: &str,
        question: &Question,
    ) -> Result<Vec<Access>, BadQuestion> {
        let target = self.target(resource)?;
        let asked = self.asked(action, question)?;
        let statements = hear::about(target.resource, &asked.request);
        let mut all = Vec::with_capacity(self.principals.len());
        for held in &self.principals {
            let mut prepared = Prepared::new(self, held, &asked);
            all.push(prepared.access(self, target, &statements));
        }
        outside::accesses(self, target, (&asked, &statements), &mut all);
        Ok(all)
    }

    /// What a principal of the inventory can do: for each resource the known actions that fit it and that are not
    /// refused, in order.
    ///
    /// # Errors
    /// If the principal or the endpoint are not in the inventory.
    pub fn what_can(&self, principal: &str, question: &Question) -> Result<Vec<Possible>, BadQuestion> {
        let held = self.held(principal)?;
        let mut ready: HashMap<ActionId, (String, Prepared<'_>)> = HashMap::new();
        let mut all = Vec::new();
        for resource in &self.resources {
            for action in matrix::actions_near(&resource.arn) {
                let (name, prepared) = match ready.entry(action.id()) {
                    Entry::Occupied(entry) => entry.into_mut(),
                    Entry::Vacant(entry) => {
                        let name = action.to_string();
                        let prepared = Prepared::new(self, held, &self.asked(&name, question)?);
                        entry.insert((name, prepared))
                    }
                };
                let statements = hear::about(resource, prepared.request());
                // Most actions end here, so the closer look at what they are about comes after.
                if prepared.is_hopeless(resource, &statements) {
                    continue;
                }
                let Some(arn) = matrix::asked_arn(&action, &resource.arn) else { continue };
                let access = prepared.access(self, Target { arn: &arn, resource }, &statements);
                if access.verdict != Verdict::Denied {
                    all.push(Possible { action: name.clone(), resource: arn.clone().into_owned(), access });
                }
            }
        }
        Ok(all)
    }

    /// Everything that bears on requests of a principal of the inventory for a resource of it, to be decided and
    /// explained one by one.
    ///
    /// # Errors
    /// If principal, resource or endpoint are not in the inventory.
    pub fn layers(
        &self,
        principal: &str,
        resource: &str,
        question: &Question,
    ) -> Result<Layers, BadQuestion> {
        let (held, target) = (self.held(principal)?, self.target(resource)?);
        let programs =
            |list: &[Policy]| list.iter().map(|policy| Program::clone(&policy.program)).collect::<Vec<_>>();
        let level = |level: &LevelPolicies, policies: &[Policy]| OrganizationLevel {
            id: level.id.clone(),
            policies: programs(policies),
        };
        let scp = self.levels(held.caller.account()).filter_map(|l| Some(level(l, l.scp.as_ref()?)));
        let rcp = self.levels(Some(&target.resource.account)).map(|l| level(l, &l.rcp));
        Ok(Layers {
            identity: programs(&held.identity),
            boundaries: programs(&held.boundary),
            endpoint: self.endpoint(question)?.map(std::slice::from_ref).map(programs).unwrap_or_default(),
            scp: scp.collect(),
            rcp: rcp.collect(),
            ..target.resource.layers.clone()
        })
    }

    /// A request of a principal of the inventory for a resource of it, with all context keys that follow from the
    /// inventory and the question.
    ///
    /// # Errors
    /// If the action is none, or principal or resource are not in the inventory.
    pub fn request(
        &self,
        principal: &str,
        (action, resource): (&str, &str),
        question: &Question,
    ) -> Result<Request, BadQuestion> {
        let (held, target) = (self.held(principal)?, self.target(resource)?);
        let mut context = facts::of_principal(self, held, &question.context);
        facts::add_resource(self, target.resource, &mut context);
        let account = Some(&*target.resource.account);
        Request::new(held.caller.clone(), action, resource, account, context)
            .map_err(|bad| BadQuestion(bad.to_string()))
    }

    /// Whether this principal, or the role of this session, is in the inventory.
    fn knows(&self, aws: &AwsPrincipal) -> bool {
        let role = match &aws.sort {
            AwsSort::Session { role } => Some(role),
            _ => None,
        };
        self.principals.iter().any(|held| match &held.caller {
            Principal::Aws(own) if own.arn() == aws.arn() => true,
            Principal::Aws(own) => {
                own.account() == aws.account()
                    && matches!((&own.sort, role), (AwsSort::Role { name, .. }, Some(role)) if name == role)
            }
            _ => false,
        })
    }

    fn held(&self, principal: &str) -> Result<&Held, BadQuestion> {
        let found = self.principals.iter().find(|held| held.caller.to_string() == principal);
        found.ok_or_else(|| BadQuestion(format!("the inventory has no principal `{principal}`")))
    }

    /// The resource of this ARN; an object belongs to its bucket.
    fn target<'i>(&'i self, arn: &'i str) -> Result<Target<'i, 'i>, BadQuestion> {
        let bucket = arn.split_once(":s3:::").and_then(|(_, name)| name.find('/'));
        let bucket = bucket.map(|slash| &arn[..slash + arn.find(":::").map_or(0, |at| at + 3)]);
        let place = self.places.get(arn).or_else(|| self.places.get(bucket?));
        let resource = place.and_then(|place| self.resources.get(*place));
        let resource = resource.ok_or_else(|| {
            BadQuestion(format!(
                "the inventory has no resource `{arn}`, so nobody knows what its policy says"
            ))
        })?;
        Ok(Target { arn, resource })
    }

    fn asked<'i>(&'i self, action: &str, question: &'i Question) -> Result<Asked<'i>, BadQuestion> {
        let request = Request::new(Principal::Anonymous, action, "*", None, Context::default());
        let request = request.map_err(|bad| BadQuestion(bad.to_string()))?;
        Ok(Asked { request, context: &question.context, endpoint: self.endpoint(question)? })
    }

    fn endpoint(&self, question: &Question) -> Result<Option<&Policy>, BadQuestion> {
        let Some(id) = &question.endpoint else { return Ok(None) };
        let found = self.endpoints.get(id.as_str());
        found.map(Some).ok_or_else(|| BadQuestion(format!("the inventory has no endpoint `{id}`")))
    }

    /// The levels of the organisation above an account whose policies bind it; none for the management account.
    fn levels(&self, account: Option<&str>) -> impl Iterator<Item = &LevelPolicies> {
        let account = account.and_then(|id| self.accounts.get(id)).filter(|account| !account.management);
        account.into_iter().flat_map(|account| account.path.iter().map(|level| &**level))
    }
}
