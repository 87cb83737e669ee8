//! Who may do what: Cedar policies decide, ours and the charter's.

use crate::question::{Action, Resource, uid};
use cedar_policy::{
    ActionConstraint, Authorizer as Cedar, Context, Decision as CedarDecision, Entities, Entity, EntityUid,
    Policy, PolicyId, PolicySet, Request, Schema, ValidationMode, Validator,
};
use facts::{Actor, ActorKind, RoleId};
use std::collections::{HashMap, HashSet};
use std::fmt;

/// The policies that ship with the product, by file.
const POLICIES: [(&str, &str); 9] = [
    ("governance.cedar", include_str!("../policies/governance.cedar")),
    ("keys.cedar", include_str!("../policies/keys.cedar")),
    ("data.cedar", include_str!("../policies/data.cedar")),
    ("models.cedar", include_str!("../policies/models.cedar")),
    ("endpoints.cedar", include_str!("../policies/endpoints.cedar")),
    ("tracking.cedar", include_str!("../policies/tracking.cedar")),
    ("remediation.cedar", include_str!("../policies/remediation.cedar")),
    ("posture.cedar", include_str!("../policies/posture.cedar")),
    ("separation-of-duties.cedar", include_str!("../policies/separation-of-duties.cedar")),
];
const SCHEMA: &str = include_str!("../policies/wardmote.cedarschema");

/// The roles that ship with the product; a denial names those of them that would be allowed.
pub(crate) const ROLES: [&str; 10] = [
    "ml-engineer",
    "ml-training",
    "data-steward",
    "security-engineer",
    "business-owner",
    "product-owner",
    "compliance-officer",
    "auditor",
    "model-consumer",
    "automation",
];

/// A policy that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the policy `{id}` cannot be used: {reason}")]
pub struct PolicyError {
    id: String,
    reason: String,
}

/// Proof that a policy allowed something. Made only by [`Authorizer::decide`].
#[derive(Debug, Clone, PartialEq)]
pub struct Authorized {
    actor: Actor,
    action: Action,
    resource: String,
    policies: Vec<String>,
}

impl Authorized {
    /// Who.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }
    /// What.
    pub fn action(&self) -> Action {
        self.action
    }
    /// On what.
    pub fn resource(&self) -> &str {
        &self.resource
    }
    /// The policies that allowed it.
    pub fn policies(&self) -> &[String] {
        &self.policies
    }
}

/// Why not, and who could.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    reason: String,
    policies: Vec<String>,
    who_can: Vec<RoleId>,
}

impl Denial {
    /// One sentence.
    pub fn reason(&self) -> &str {
        &self.reason
    }
    /// The policies that forbade it; empty if nothing permits it.
    pub fn policies(&self) -> &[String] {
        &self.policies
    }
    /// The roles that could.
    pub fn who_can(&self) -> &[RoleId] {
        &self.who_can
    }
    /// Who can help.
    pub fn help(&self) -> Option<String> {
        if self.who_can.is_empty() {
            return None;
        }
        let roles: Vec<String> = self.who_can.iter().map(|role| format!("`{role}`")).collect();
        Some(format!(
            "the role {} may, as far as the charter names somebody who holds it",
            roles.join(" or ")
        ))
    }
}

/// The answer to "may they?".
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Yes, and here is the proof.
    Allowed(Authorized),
    /// No.
    Denied(Denial),
}

/// All policies in force.
pub struct Authorizer {
    /// For each action those that can say anything about it: the scope of the others leaves it out.
    policies: HashMap<Action, PolicySet>,
    reasons: HashMap<PolicyId, (String, String)>,
    cedar: Cedar,
}

impl Authorizer {
    /// The product's policies and `extra` ones of a charter (id and Cedar text). All are checked against the schema.
    pub fn new(extra: &[(String, String)]) -> Result<Self, PolicyError> {
        let mut reasons = HashMap::new();
        let all = all_policies(extra, &mut reasons)?;
        validate(&all)?;
        let policies = Action::ALL.iter().map(|action| Ok((*action, about(&all, *action)?)));
        let policies =
            policies.collect::<Result<_, String>>().map_err(|reason| wrong("the policies", reason))?;
        Ok(Self { policies, reasons, cedar: Cedar::new() })
    }

    /// Decides one question.
    pub fn decide(&self, actor: &Actor, action: Action, resource: &Resource) -> Decision {
        match self.ask(actor, action, resource) {
            Ok((true, policies)) => Decision::Allowed(Authorized {
                actor: actor.clone(),
                action,
                resource: resource.name(),
                policies,
            }),
            Ok((false, forbidding)) => Decision::Denied(self.denial(actor, action, resource, forbidding)),
            // Fail closed: what cannot be decided is not allowed.
            Err(error) => Decision::Denied(Denial {
                reason: format!(
                    "whether {actor} may `{}` on `{}` could not be decided: {error}",
                    action.as_str(),
                    resource.name()
                ),
                policies: Vec::new(),
                who_can: Vec::new(),
            }),
        }
    }

    /// Whether it would be allowed, without the reasons: for precomputed tables.
    pub fn permits(&self, actor: &Actor, action: Action, resource: &Resource) -> bool {
        self.ask(actor, action, resource).is_ok_and(|(allowed, _)| allowed)
    }

    fn ask(&self, actor: &Actor, action: Action, resource: &Resource) -> Result<(bool, Vec<String>), String> {
        let (principal, mut entities) = principal(actor)?;
        let resource_entity = resource.entity()?;
        let resource_uid = resource_entity.uid();
        entities.push(resource_entity);
        let entities = Entities::from_entities(entities, None).map_err(|error| error.to_string())?;
        let policies = self.policies.get(&action).ok_or("the action is not known")?;
        let action = uid("Action", action.as_str())?;
        let request = Request::new(principal, action, resource_uid, Context::empty(), None)
            .map_err(|error| error.to_string())?;
        let response = self.cedar.is_authorized(&request, policies, &entities);
        if let Some(error) = response.diagnostics().errors().next() {
            return Err(error.to_string());
        }
        let mut policies: Vec<String> = response
            .diagnostics()
            .reason()
            .map(|id| self.reasons.get(id).map_or_else(|| id.to_string(), |(name, _)| name.clone()))
            .collect();
        policies.sort();
        Ok((response.decision() == CedarDecision::Allow, policies))
    }

    fn denial(&self, actor: &Actor, action: Action, resource: &Resource, forbidding: Vec<String>) -> Denial {
        let reason = self
            .reasons
            .values()
            .find(|(name, _)| Some(name) == forbidding.first())
            .map(|(_, reason)| reason);
        let subject = format!("{actor} may not `{}` on `{}`", action.as_str(), resource.name());
        let who_can = self.who_can(actor, action, resource);
        let reason = match reason {
            Some(reason) => format!("{subject}: {reason}"),
            None if actor.roles.is_empty() => {
                format!("{subject}: no policy permits it to somebody without a role")
            }
            None => {
                let roles: Vec<String> = actor.roles.iter().map(|role| format!("`{role}`")).collect();
                format!("{subject}: no policy permits it to the role {}", roles.join(", "))
            }
        };
        Denial { reason, policies: forbidding, who_can }
    }

    /// Tries the roles that could matter, on somebody who has nothing else to do with it.
    fn who_can(&self, actor: &Actor, action: Action, resource: &Resource) -> Vec<RoleId> {
        let mut roles: Vec<RoleId> = resource.named_roles(action).to_vec();
        roles.extend(ROLES.iter().filter_map(|role| role.parse().ok()));
        roles.sort();
        roles.dedup();
        let Ok(stranger) = "somebody-else".parse() else { return Vec::new() };
        let allowed = |role: &RoleId, kind: ActorKind| {
            let other = Actor::new(Clone::clone(&stranger), kind, vec![role.clone()]);
            self.ask(&other, action, resource).is_ok_and(|(allowed, _)| allowed)
        };
        let kinds = [ActorKind::Human, ActorKind::Service];
        roles.retain(|role| (actor.roles != [role.clone()]) || kinds.iter().any(|kind| *kind != actor.kind));
        roles.retain(|role| kinds.iter().any(|kind| allowed(role, *kind)));
        roles
    }
}

fn wrong(id: &str, reason: String) -> PolicyError {
    PolicyError { id: id.to_owned(), reason }
}

/// The product's policies and those of a charter, with what each says when it decides.
fn all_policies(
    extra: &[(String, String)],
    reasons: &mut HashMap<PolicyId, (String, String)>,
) -> Result<PolicySet, PolicyError> {
    let mut all = PolicySet::new();
    let extra = extra.iter().map(|(id, text)| (id.as_str(), text.as_str()));
    for (source, text) in POLICIES.into_iter().chain(extra) {
        let set: PolicySet =
            text.parse().map_err(|error: cedar_policy::ParseErrors| wrong(source, error.to_string()))?;
        let mut policies: Vec<Policy> = set.policies().cloned().collect();
        policies.sort_by_key(|policy| policy.id().to_string().len());
        for (n, policy) in policies.into_iter().enumerate() {
            let name = policy.annotation("id").map_or_else(|| format!("{source}#{}", n + 1), str::to_owned);
            let reason = policy
                .annotation("reason")
                .map_or_else(|| format!("the policy `{name}` decides so"), str::to_owned);
            let id = PolicyId::new(&name);
            all.add(policy.new_id(id.clone())).map_err(|error| wrong(source, error.to_string()))?;
            reasons.insert(id, (name, reason));
        }
    }
    Ok(all)
}

/// Those whose scope does not leave the action out.
fn about(all: &PolicySet, action: Action) -> Result<PolicySet, String> {
    let action = uid("Action", action.as_str())?;
    let concerns = |policy: &&Policy| match policy.action_constraint() {
        ActionConstraint::Any => true,
        ActionConstraint::Eq(one) => one == action,
        ActionConstraint::In(some) => some.contains(&action),
    };
    PolicySet::from_policies(all.policies().filter(concerns).cloned()).map_err(|error| error.to_string())
}

fn validate(policies: &PolicySet) -> Result<(), PolicyError> {
    let (schema, _) = Schema::from_cedarschema_str(SCHEMA)
        .map_err(|error| wrong("wardmote.cedarschema", error.to_string()))?;
    let result = Validator::new(schema).validate(policies, ValidationMode::Strict);
    match result.validation_errors().next() {
        None => Ok(()),
        Some(error) => Err(wrong(error.policy_id().as_ref(), error.to_string())),
    }
}

impl fmt::Debug for Authorizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authorizer({} policies)", self.reasons.len())
    }
}

/// The principal, and the entities that tell its roles.
fn principal(actor: &Actor) -> Result<(EntityUid, Vec<Entity>), String> {
    let kind = match actor.kind {
        ActorKind::Human => "Human",
        ActorKind::Service => "Service",
        ActorKind::Alert => "Alert",
    };
    let roles: Vec<EntityUid> =
        actor.roles.iter().map(|role| uid("Role", role.as_str())).collect::<Result<_, _>>()?;
    let id = uid(kind, actor.id.as_str())?;
    let attributes = HashMap::from([(
        "id".to_owned(),
        cedar_policy::RestrictedExpression::new_string(actor.id.to_string()),
    )]);
    let parents: HashSet<EntityUid> = roles.iter().cloned().collect();
    let mut entities = vec![Entity::new(id.clone(), attributes, parents).map_err(|error| error.to_string())?];
    entities.extend(roles.into_iter().map(Entity::with_uid));
    Ok((id, entities))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [ActorKind; 3] = [ActorKind::Human, ActorKind::Service, ActorKind::Alert];

    #[test]
    fn policies_that_are_left_out_would_have_said_nothing() {
        let extra = [
            ("any", "permit(principal, action, resource) when { principal in Wardmote::Role::\"root\" };"),
            ("not-on-monday", "forbid(principal, action == Wardmote::Action::\"model.train\", resource);"),
            (
                "visitors",
                "permit(principal, action in [Wardmote::Action::\"charter.read\", Wardmote::Action::\"ledger.verify\"],
                    resource) when { principal in Wardmote::Role::\"visitor\" };",
            ),
        ]
        .map(|(id, text)| (id.to_owned(), text.to_owned()));
        let few = Authorizer::new(&extra).unwrap();
        let all = all_policies(&extra, &mut HashMap::new()).unwrap();
        assert!(few.policies.values().all(|some| some.policies().count() < all.policies().count() / 2));
        let every = Action::ALL.iter().map(|action| (*action, all.clone())).collect();
        let every = Authorizer { policies: every, reasons: few.reasons.clone(), cedar: Cedar::new() };
        let dataset = Resource::Dataset {
            id: "raw".parse().unwrap(),
            classification: facts::DataClassification::Restricted,
            readers: vec!["data-steward".parse().unwrap()],
            writers: Vec::new(),
        };
        let resources = [Resource::Charter, Resource::Ledger, dataset];
        let mut allowed = 0;
        for role in ROLES.into_iter().chain(["root", "visitor"]) {
            for (kind, action) in
                KINDS.into_iter().flat_map(|kind| Action::ALL.iter().map(move |a| (kind, *a)))
            {
                let actor = Actor::new("somebody".parse().unwrap(), kind, vec![role.parse().unwrap()]);
                for resource in &resources {
                    let said = few.ask(&actor, action, resource);
                    assert_eq!(said, every.ask(&actor, action, resource), "{actor} {action:?} {resource:?}");
                    allowed += usize::from(said.is_ok_and(|(allowed, _)| allowed));
                }
            }
        }
        assert!(allowed > 300, "{allowed}");
    }
}
