//! What follows from the inventory about the context of a request, and what stays unknown.

use super::{Held, Inventory, Resource};
use crate::request::{AwsSort, Context, Principal, Values};

/// Of the keys that a context does not hold, which are absent and which are not known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    /// Who asks is a principal of which at least account and ARN are known.
    pub(super) caller: Caller,
    /// All tags of the caller are known.
    pub(super) principal_tags: bool,
    /// All tags of the resource are known.
    pub(super) resource_tags: bool,
    /// The organisation is known.
    pub(super) organization: bool,
    /// The resource stands for all whose ARNs begin like its own, up to the star at its end.
    pub(super) class: bool,
}

/// What sort of caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    /// A principal of the inventory.
    Inside,
    /// A principal with this ARN, of which nothing else is known.
    Named,
    /// Somebody of whom nothing is known.
    Somebody,
    /// A service of AWS.
    Service,
    /// Nobody signed.
    Anonymous,
}

/// Keys that only requests between services carry.
const BETWEEN_SERVICES: [&str; 6] = [
    "aws:sourcearn",
    "aws:sourceaccount",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:principalservicename",
    "aws:principalservicenameslist",
];

/// Keys about sessions, which an unsigned request has none of.
const OF_SESSIONS: [&str; 6] = [
    "aws:userid",
    "aws:username",
    "aws:tokenissuetime",
    "aws:multifactorauthpresent",
    "aws:multifactorauthage",
    "aws:sourceidentity",
];

impl Known {
    /// Whether a key (in lower case) that the context does not hold may still be in the request.
    pub(super) fn is_open(&self, key: &str) -> bool {
        if key.starts_with("aws:resource") {
            return match key {
                "aws:resourceaccount" => false,
                "aws:resourceorgid" | "aws:resourceorgpaths" => !self.organization,
                _ => !self.resource_tags,
            };
        }
        if BETWEEN_SERVICES.contains(&key) {
            return self.caller == Caller::Service;
        }
        let principal = key.starts_with("aws:principal");
        match self.caller {
            Caller::Anonymous => !principal && !OF_SESSIONS.contains(&key),
            Caller::Service => !principal && key != "aws:username",
            Caller::Somebody => true,
            Caller::Named => ![
                "aws:principalarn",
                "aws:principalaccount",
                "aws:principaltype",
                "aws:username",
                "aws:principalisawsservice",
            ]
            .contains(&key),
            Caller::Inside => match key {
                "aws:username" => false,
                "aws:principalorgid" | "aws:principalorgpaths" => !self.organization,
                _ if key.starts_with("aws:principaltag/") => !self.principal_tags,
                _ => !principal,
            },
        }
    }
}

fn one(context: &mut Context, key: &str, value: &str) {
    if context.get(&key.to_lowercase()).is_none() {
        context.set(key, Values::One(value.into()));
    }
}

/// The context of a question: what is asked for, and the assumption that requests are encrypted on their way.
pub(super) fn base(asked: &Context) -> Context {
    let mut context = asked.clone();
    one(&mut context, "aws:SecureTransport", "true");
    context
}

/// What the ARN of a principal says.
pub(super) fn of_caller(caller: &Principal, asked: &Context) -> Context {
    let mut context = base(asked);
    match caller {
        Principal::Aws(aws) => {
            one(&mut context, "aws:PrincipalArn", aws.arn());
            one(&mut context, "aws:PrincipalAccount", aws.account());
            one(&mut context, "aws:PrincipalIsAWSService", "false");
            let sort = match &aws.sort {
                AwsSort::Root => "Account",
                AwsSort::User { .. } => "User",
                AwsSort::Role { .. } | AwsSort::Session { .. } => "AssumedRole",
                AwsSort::FederatedUser { .. } => "FederatedUser",
            };
            one(&mut context, "aws:PrincipalType", sort);
            if let AwsSort::User { name } = &aws.sort {
                one(&mut context, "aws:username", name);
            }
        }
        Principal::Service(name) => {
            one(&mut context, "aws:PrincipalIsAWSService", "true");
            one(&mut context, "aws:PrincipalServiceName", name);
        }
        Principal::Anonymous => one(&mut context, "aws:PrincipalType", "Anonymous"),
        Principal::Other(_) => {}
    }
    context
}

/// What the inventory says of one of its principals.
pub(super) fn of_principal(inventory: &Inventory, held: &Held, asked: &Context) -> Context {
    let mut context = of_caller(&held.caller, asked);
    for (key, value) in held.tags.iter().flatten() {
        one(&mut context, &format!("aws:PrincipalTag/{key}"), value);
    }
    // Of a role the id is known, not the name of the session after the colon.
    let whole = |id: &str| id.contains(':') || !held.caller.to_string().contains(":role/");
    if let Some(id) = held.user_id.as_deref().filter(|id| whole(id)) {
        one(&mut context, "aws:userid", id);
    }
    organization(inventory, held.caller.account(), &mut context, "aws:PrincipalOrg");
    context
}

/// Adds what the inventory says of a resource.
pub(super) fn add_resource(inventory: &Inventory, resource: &Resource, context: &mut Context) {
    one(context, "aws:ResourceAccount", &resource.account);
    for (key, value) in resource.tags.iter().flatten() {
        one(context, &format!("aws:ResourceTag/{key}"), value);
    }
    organization(inventory, Some(&resource.account), context, "aws:ResourceOrg");
}

/// The keys `...OrgID` and `...OrgPaths` of an account that belongs to the organisation.
fn organization(inventory: &Inventory, account: Option<&str>, context: &mut Context, prefix: &str) {
    let (Some(id), Some(account)) = (&inventory.organization, account) else { return };
    let Some(known) = inventory.accounts.get(account) else { return };
    if known.path.is_empty() && !known.management {
        return;
    }
    one(context, &format!("{prefix}ID"), id);
    let units = known.path.iter().map(|level| &*level.id).filter(|level| *level != account);
    let path = units.fold(format!("{id}/"), |path, level| format!("{path}{level}/"));
    let key = format!("{prefix}Paths");
    if context.get(&key.to_lowercase()).is_none() {
        context.set(&key, Values::Many([Box::from(path)].into()));
    }
}
