//! What the policies of an inventory say of an action, for one caller and then for one resource after the other. What
//! does not depend on the resource is found out once.

use super::answer::{Access, Verdict};
use super::facts::{self, Caller, Known};
use super::truth::{self, Truth};
use super::{Held, Inventory, Policy, Resource, Target, ways};
use crate::eval::{Compiled, Layer, Layers, Level, OPEN, Outcome, Sayings, Says, join};
use crate::policy::{Effect, Statement};
use crate::request::{AwsSort, Context, Principal, Request};
use crate::reserved;

/// What is asked, before it is known by whom and for which resource.
pub(super) struct Asked<'i> {
    pub(super) request: Request,
    pub(super) context: &'i Context,
    pub(super) endpoint: Option<&'i Policy>,
}

/// A statement about the action that means the caller and may match.
#[derive(Clone, Copy)]
pub(super) struct Candidate<'i> {
    pub(super) policy: &'i Policy,
    pub(super) statement: usize,
    pub(super) compiled: &'i Compiled,
    pub(super) source: &'i Statement,
    /// Whether its conditions hold, unless they depend on the resource.
    truth: Truth,
    dependent: bool,
}

/// The statements of policies that are united.
#[derive(Default)]
pub(super) struct Side<'i> {
    pub(super) allow: Vec<Candidate<'i>>,
    pub(super) deny: Vec<Candidate<'i>>,
}

/// A caller with its policies, as far as they are about the action.
pub(super) struct Prepared<'i> {
    pub(super) request: Request,
    pub(super) known: Known,
    /// The context without the keys of a resource, and whether the request has them at the moment.
    base: Context,
    full: bool,
    /// Whether any statement depends on the resource.
    dependent: bool,
    /// Policies of the caller are not known, or not needed: they are taken to allow.
    pub(super) assumed: bool,
    pub(super) identity: Side<'i>,
    pub(super) boundary: Option<Side<'i>>,
    pub(super) endpoint: Option<Side<'i>>,
    pub(super) scp: Vec<(&'i str, Side<'i>)>,
    /// By account of the resource, as they come up.
    rcp: Vec<(&'i str, Side<'i>)>,
}

/// The statements of a resource policy that are about an action, and whether they depend on the resource's tags or
/// account.
pub(super) type About = Box<[(usize, bool)]>;

/// Finds them.
pub(super) fn about(resource: &Resource, asked: &Request) -> About {
    let program = resource.layers.resource.iter();
    let statements = program.flat_map(|program| program.about(asked));
    let matching = statements.filter(|(_, compiled)| !compiled.dead && compiled.action.matches(asked));
    let mut about: About =
        matching.map(|(at, compiled)| (at, truth::depends_on_resource(compiled))).collect();
    about.sort_unstable();
    about
}

/// Whether policies that are united allow and deny.
#[derive(Debug, Clone, Copy)]
pub(super) struct Said {
    pub(super) allow: Truth,
    pub(super) deny: Truth,
}

/// What all layers say.
pub(super) struct Heard {
    identity: Said,
    boundary: Said,
    endpoint: Said,
    scp: Said,
    rcp: Truth,
    /// What the resource policy allows to the account, to the role, to the caller itself.
    resource: [Truth; 3],
    resource_deny: Truth,
}

const NO_BOUND: Said = Said { allow: Truth::Yes, deny: Truth::No };

impl<'i> Prepared<'i> {
    /// Of a principal of the inventory.
    pub(super) fn new(inventory: &'i Inventory, held: &'i Held, asked: &Asked<'i>) -> Self {
        let context = facts::of_principal(inventory, held, asked.context);
        let known = Known {
            caller: Caller::Inside,
            principal_tags: held.tags.is_some(),
            resource_tags: false,
            organization: inventory.organization.is_some(),
            class: false,
        };
        let mut prepared = Self::bare(asked, held.caller.clone(), (context, known));
        prepared.assumed = matches!(&held.caller, Principal::Aws(aws) if matches!(aws.sort, AwsSort::Root));
        prepared.identity = prepared.side(&held.identity);
        if !held.boundary.is_empty() {
            prepared.boundary = Some(prepared.side(&held.boundary));
        }
        if reserved::scp_applies(&held.caller) {
            let levels = inventory.levels(held.caller.account());
            let used = levels.filter_map(|level| Some((&*level.id, level.scp.as_ref()?)));
            prepared.scp = used.map(|(id, policies)| (id, prepared.side(policies))).collect();
            prepared.dependent |= prepared.scp.iter().any(|(_, side)| side.is_dependent());
        }
        prepared.finish(asked)
    }

    /// Of somebody of whom no policies are known.
    pub(super) fn outsider(asked: &Asked<'i>, caller: Principal, (context, known): (Context, Known)) -> Self {
        let mut prepared = Self::bare(asked, caller, (context, known));
        prepared.assumed = matches!(prepared.request.principal(), Principal::Aws(_));
        prepared.finish(asked)
    }

    fn bare(asked: &Asked<'i>, caller: Principal, (context, known): (Context, Known)) -> Self {
        Self {
            request: asked.request.by(caller, context.clone()),
            known,
            base: context,
            full: false,
            dependent: false,
            assumed: false,
            identity: Side::default(),
            boundary: None,
            endpoint: None,
            scp: Vec::new(),
            rcp: Vec::new(),
        }
    }

    fn finish(mut self, asked: &Asked<'i>) -> Self {
        self.endpoint = asked.endpoint.map(|policy| self.side(std::slice::from_ref(policy)));
        let sides = [Some(&self.identity), self.boundary.as_ref(), self.endpoint.as_ref()];
        self.dependent |= sides.into_iter().flatten().any(Side::is_dependent);
        self
    }

    pub(super) fn request(&self) -> &Request {
        &self.request
    }

    /// The statements of these policies that are about the action, mean the caller and may match.
    fn side(&self, policies: &'i [Policy]) -> Side<'i> {
        let mut side = Side::default();
        for policy in policies {
            for (statement, compiled) in policy.program.about(&self.request) {
                let meant = compiled.level(self.request.principal(), false) > Level::None;
                if compiled.dead || !meant || !compiled.action.matches(&self.request) {
                    continue;
                }
                let Some(source) = policy.program.source().statements.get(statement) else { continue };
                let dependent = truth::depends_on_resource(compiled);
                let truth = truth::conditions(compiled, &self.known, self.request.context());
                if dependent || truth > Truth::No {
                    let list = match compiled.effect {
                        Effect::Allow => &mut side.allow,
                        Effect::Deny => &mut side.deny,
                    };
                    list.push(Candidate { policy, statement, compiled, source, truth, dependent });
                }
            }
        }
        side
    }

    /// Whether nothing can allow it, whatever is not known.
    pub(super) fn is_hopeless(&self, resource: &Resource, about: &About) -> bool {
        let beside = !resource.layers.grants.is_empty() || !resource.layers.s3.bucket_acl.is_empty();
        let beside = beside || !resource.layers.s3.object_acl.is_empty();
        !self.assumed && self.identity.allow.is_empty() && about.is_empty() && !beside
    }

    /// Turns to a resource.
    fn aim(&mut self, inventory: &'i Inventory, target: Target<'_, 'i>, about: &About) {
        let account = &*target.resource.account;
        self.request.aim(target.arn, Some(account));
        if !self.rcp.iter().any(|(id, _)| *id == account) {
            let policies = inventory.levels(Some(account)).map(|level| level.rcp.as_slice());
            let mut side = Side::default();
            if reserved::rcp_applies(&self.request) {
                policies.for_each(|policies| side.deny.extend(self.side(policies).deny));
            }
            self.dependent |= side.is_dependent();
            self.rcp.push((account, side));
        }
        self.known.class = target.arn.ends_with('*');
        self.known.resource_tags = target.resource.tags.is_some();
        if self.dependent || about.iter().any(|(_, dependent)| *dependent) {
            let mut context = self.base.clone();
            facts::add_resource(inventory, target.resource, &mut context);
            self.request.set_context(context);
            self.full = true;
        } else if self.full {
            self.request.set_context(self.base.clone());
            self.full = false;
        }
    }

    /// Whether a candidate matches the resource at hand.
    pub(super) fn matches(&self, candidate: &Candidate<'_>) -> Truth {
        let about = truth::resource(candidate.compiled.resource.as_ref(), &self.known, &self.request);
        if about == Truth::No {
            return about;
        }
        about.min(if candidate.dependent {
            truth::conditions(candidate.compiled, &self.known, self.request.context())
        } else {
            candidate.truth
        })
    }

    fn most(&self, candidates: &[Candidate<'_>]) -> Truth {
        let mut most = Truth::No;
        for candidate in candidates {
            most = most.max(self.matches(candidate));
            if most == Truth::Yes {
                break;
            }
        }
        most
    }

    pub(super) fn say(&self, side: &Side<'_>) -> Said {
        Said { allow: self.most(&side.allow), deny: self.most(&side.deny) }
    }

    fn bound(&self, side: Option<&Side<'_>>) -> Said {
        side.map_or(NO_BOUND, |side| self.say(side))
    }

    /// The statements of the resource policy that may match, with how closely they mean the caller.
    pub(super) fn resource_statements<'r>(
        &'r self,
        resource: &'r Resource,
        about: &'r About,
    ) -> impl Iterator<Item = (usize, &'r Compiled, Level, Truth)> {
        let program = resource.layers.resource.as_ref();
        let statements = about.iter().filter_map(move |(at, _)| Some((*at, program?.statements.get(*at)?)));
        statements.filter_map(|(at, compiled)| {
            let level = compiled.level(self.request.principal(), self.boundary.is_some());
            if level == Level::None {
                return None;
            }
            let about = truth::resource(compiled.resource.as_ref(), &self.known, &self.request);
            let holds = about.min(truth::conditions(compiled, &self.known, self.request.context()));
            (holds > Truth::No).then_some((at, compiled, level, holds))
        })
    }

    pub(super) fn rcp(&self, resource: &Resource) -> Option<&Side<'i>> {
        self.rcp.iter().find(|(id, _)| *id == &*resource.account).map(|(_, side)| side)
    }

    fn listen(&self, resource: &Resource, about: &About) -> Heard {
        let mut levels = [Truth::No; 3];
        let mut resource_deny = Truth::No;
        for (_, compiled, level, holds) in self.resource_statements(resource, about) {
            match (compiled.effect, level) {
                (Effect::Deny, _) => resource_deny = resource_deny.max(holds),
                (_, Level::Direct) => levels[2] = levels[2].max(holds),
                (_, Level::Role) => levels[1] = levels[1].max(holds),
                _ => levels[0] = levels[0].max(holds),
            }
        }
        let mut identity = self.say(&self.identity);
        if self.assumed {
            identity.allow = Truth::Yes;
        }
        let scp = self.scp.iter().map(|(_, side)| self.say(side)).fold(NO_BOUND, |all, level| Said {
            allow: all.allow.min(level.allow),
            deny: all.deny.max(level.deny),
        });
        Heard {
            identity,
            boundary: self.bound(self.boundary.as_ref()),
            endpoint: self.bound(self.endpoint.as_ref()),
            scp,
            rcp: self.rcp(resource).map_or(Truth::No, |side| self.most(&side.deny)),
            resource: levels,
            resource_deny,
        }
    }

    /// Whether the caller may do it to the target, for every request that could be meant.
    pub(super) fn verdict(
        &mut self,
        inventory: &'i Inventory,
        target: Target<'_, 'i>,
        about: &About,
    ) -> Verdict {
        self.aim(inventory, target, about);
        if reserved::always_allowed(&self.request) {
            return Verdict::Allowed;
        }
        let heard = self.listen(target.resource, about);
        let layers = &target.resource.layers;
        let allowed = |layers: &Layers, best: bool| {
            join(layers, &self.request, &heard.sayings(best)).outcome == Outcome::Allowed
        };
        if allowed(layers, false) {
            Verdict::Allowed
        } else if allowed(self.freest(target.resource), true) {
            Verdict::Conditional
        } else {
            Verdict::Denied
        }
    }

    /// The same with its conditions.
    pub(super) fn access(
        &mut self,
        inventory: &'i Inventory,
        target: Target<'_, 'i>,
        about: &About,
    ) -> Access {
        let verdict = self.verdict(inventory, target, about);
        let principal = self.request.principal().to_string();
        let (mut ways, mut unless) = (Vec::new(), Vec::new());
        if verdict == Verdict::Conditional {
            ways = ways::ways(self, target.resource, about);
            unless = ways::unless(self, target.resource, about);
        }
        Access { principal, verdict, ways, unless }
    }

    /// The layers of the resource with grants that count whatever the encryption context, unless that is known.
    pub(super) fn freest<'r>(&self, resource: &'r Resource) -> &'r Layers {
        let given = self.base.iter().any(|(key, _)| key.starts_with("kms:encryptioncontext:"));
        resource.unconstrained.as_deref().filter(|_| !given).unwrap_or(&resource.layers)
    }
}

impl Side<'_> {
    fn is_dependent(&self) -> bool {
        self.allow.iter().chain(&self.deny).any(|candidate| candidate.dependent)
    }
}

impl Heard {
    /// As it is at best or at worst, in the form that decisions are made of.
    fn sayings(&self, best: bool) -> Sayings {
        let allows = |truth: Truth| if best { truth.at_best() } else { truth.at_worst() };
        let denies = |truth: Truth| if best { truth.at_worst() } else { truth.at_best() };
        let says = |said: Said| Says { allow: allows(said.allow), deny: denies(said.deny) };
        let [account, role, direct] = self.resource.map(allows);
        let level = match (account, role, direct) {
            (_, _, true) => Level::Direct,
            (_, true, _) => Level::Role,
            (true, ..) => Level::Account,
            _ => Level::None,
        };
        Sayings {
            identity: says(self.identity),
            resource: level,
            delegates: account,
            resource_deny: denies(self.resource_deny),
            boundary: says(self.boundary),
            session: OPEN,
            endpoint: says(self.endpoint),
            scp: says(self.scp),
            rcp: Says { allow: true, deny: denies(self.rcp) },
        }
    }
}

/// The layers of a caller with their statements, as ways and exceptions tell them.
pub(super) fn layers<'p, 'i>(
    prepared: &'p Prepared<'i>,
    resource: &Resource,
) -> impl Iterator<Item = (Layer, Option<&'i str>, &'p Side<'i>)> {
    let scp = prepared.scp.iter().map(|(id, side)| (Layer::Scp, Some(*id), side));
    let rcp = prepared.rcp(resource).map(|side| (Layer::Rcp, None, side));
    let endpoint = prepared.endpoint.as_ref().map(|side| (Layer::Endpoint, None, side));
    let identity = [(Layer::Identity, None, &prepared.identity)];
    let boundary = prepared.boundary.as_ref().map(|side| (Layer::Boundary, None, side));
    scp.chain(rcp).chain(endpoint).chain(identity).chain(boundary)
}
