//! From JSON to an inventory. Strict: a key that is not known is a mistake, because what it was meant to restrict would
//! be ignored. A policy that several principals share is compiled once for each kind of use.

use super::{Account, Held, Inventory, LevelPolicies, Policy, Resource};
use crate::eval::{Layers, Program};
use crate::kms::{Constraints, Grant};
use crate::policy::{self, Malformed, PolicyKind};
use crate::request::{AwsPrincipal, AwsSort, Principal, is_account};
use crate::text::{Json, JsonKind, Member, Span, Wrong, read_up_to};
use crate::value::split_arn;
use facts::Diagnostic;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;

/// An inventory larger than this is read part by part.
const MAX_BYTES: usize = 256 << 20;
/// How many mistakes are told at once.
const MAX_WRONGS: usize = 20;

const KEYS: [&str; 8] =
    ["organization", "levels", "accounts", "policies", "groups", "principals", "resources", "endpoints"];

/// Reads an inventory.
pub(super) fn inventory(file: &str, text: &str) -> Result<Inventory, Malformed> {
    let (inventory, wrongs) = match read_up_to(text, MAX_BYTES) {
        Ok(json) => {
            let mut reader = Reader::default();
            let inventory = reader.inventory(&json);
            (inventory, reader.wrongs)
        }
        Err(wrong) => (None, vec![wrong]),
    };
    match inventory {
        Some(inventory) if wrongs.is_empty() => Ok(inventory),
        _ => {
            let say = |wrong: Wrong| {
                Diagnostic::at(file, text, (wrong.span.start, wrong.span.end), (wrong.message, wrong.help))
            };
            Err(Malformed(wrongs.into_iter().take(MAX_WRONGS).map(say).collect()))
        }
    }
}

type Tags = Option<Vec<(Box<str>, Box<str>)>>;

#[derive(Default)]
struct Reader<'j> {
    wrongs: Vec<Wrong>,
    named: HashMap<&'j str, Arc<policy::Policy>>,
    compiled: HashMap<(&'j str, PolicyKind), Policy>,
    levels: HashMap<&'j str, Arc<LevelPolicies>>,
    groups: HashMap<&'j str, Vec<Policy>>,
}

impl<'j> Reader<'j> {
    fn wrong<T>(&mut self, span: Span, message: impl Into<String>, help: &str) -> Option<T> {
        let wrong = Wrong::new(span, message);
        self.wrongs.push(if help.is_empty() { wrong } else { wrong.help(help) });
        None
    }

    fn object(&mut self, json: &'j Json, what: &str) -> Option<&'j [Member]> {
        match &json.kind {
            JsonKind::Object(members) => Some(members),
            _ => self.wrong(json.span, format!("{what} is an object, this is {}", json.what()), ""),
        }
    }

    /// An object with no keys but these.
    fn record(&mut self, json: &'j Json, what: &str, keys: &[&str]) -> Option<&'j [Member]> {
        let members = self.object(json, what)?;
        for member in members.iter().filter(|member| !keys.contains(&member.key.text.as_str())) {
            let help = format!("it has {}", keys.join(", "));
            self.wrong::<()>(member.key.span, format!("{what} has no `{}`", member.key.text), &help);
        }
        Some(members)
    }

    fn list(&mut self, json: Option<&'j Json>, what: &str) -> &'j [Json] {
        match json.map(|json| (&json.kind, json)) {
            None => &[],
            Some((JsonKind::Array(items), _)) => items,
            Some((_, json)) => {
                self.wrong::<()>(json.span, format!("{what} is a list, this is {}", json.what()), "");
                &[]
            }
        }
    }

    fn string(&mut self, json: &'j Json, what: &str) -> Option<&'j str> {
        match &json.kind {
            JsonKind::String(text) if !text.is_empty() => Some(text),
            JsonKind::String(_) => self.wrong(json.span, format!("{what} is empty"), ""),
            _ => self.wrong(json.span, format!("{what} is a string, this is {}", json.what()), ""),
        }
    }

    /// A string that must be there.
    fn needed(&mut self, members: &'j [Member], key: &str, of: (&Json, &str)) -> Option<&'j str> {
        match find(members, key) {
            Some(json) => self.string(json, &format!("`{key}`")),
            None => self.wrong(of.0.span, format!("{} without `{key}`", of.1), ""),
        }
    }

    fn inventory(&mut self, json: &'j Json) -> Option<Inventory> {
        let members = self.record(json, "an inventory", &KEYS)?;
        let part = |key: &str| find(members, key);
        let organization = part("organization").and_then(|id| self.string(id, "`organization`"));
        for member in part("policies").and_then(|part| self.object(part, "`policies`")).unwrap_or_default() {
            match policy::Policy::from_json(&member.value) {
                Ok(policy) => drop(self.named.insert(&member.key.text, Arc::new(policy))),
                Err(wrongs) => self.wrongs.extend(wrongs),
            }
        }
        for member in part("levels").and_then(|part| self.object(part, "`levels`")).unwrap_or_default() {
            self.level(member);
        }
        for member in part("groups").and_then(|part| self.object(part, "`groups`")).unwrap_or_default() {
            let of = format!("group `{}`", member.key.text);
            let policies = self.policies(Some(&member.value), PolicyKind::Identity, &of);
            self.groups.insert(&member.key.text, policies);
        }
        let accounts = self.list(part("accounts"), "`accounts`");
        let accounts = accounts.iter().filter_map(|json| self.account(json)).collect();
        let principals = self.list(part("principals"), "`principals`");
        let principals = principals.iter().filter_map(|json| self.principal(json)).collect();
        let resources = self.list(part("resources"), "`resources`");
        let resources: Vec<Resource> = resources.iter().filter_map(|json| self.resource(json)).collect();
        let endpoints = part("endpoints").and_then(|part| self.object(part, "`endpoints`"));
        let mut named = HashMap::new();
        for member in endpoints.unwrap_or_default() {
            if let Some(policy) = self.policy(&member.value, PolicyKind::Endpoint, &member.key.text) {
                named.insert(member.key.text.as_str().into(), policy);
            }
        }
        let places = resources.iter().enumerate().map(|(at, resource)| (resource.arn.clone(), at)).collect();
        let organization = organization.map(Box::from);
        Some(Inventory { organization, accounts, principals, resources, places, endpoints: named })
    }

    fn level(&mut self, member: &'j Member) {
        let Some(parts) = self.record(&member.value, "a level of an organisation", &["scp", "rcp"]) else {
            return;
        };
        let (scp, of) = (find(parts, "scp"), format!("level `{}`", member.key.text));
        let level = LevelPolicies {
            id: member.key.text.as_str().into(),
            scp: scp.map(|list| self.policies(Some(list), PolicyKind::Scp, &of)),
            rcp: self.policies(find(parts, "rcp"), PolicyKind::Rcp, &of),
        };
        self.levels.insert(&member.key.text, Arc::new(level));
    }

    fn account(&mut self, json: &'j Json) -> Option<(Box<str>, Account)> {
        let members = self.record(json, "an account", &["id", "management", "path"])?;
        let id = self.needed(members, "id", (json, "an account"))?;
        if !is_account(id) {
            return self.wrong(json.span, format!("`{id}` is no account; expected twelve digits"), "");
        }
        let management = match find(members, "management").map(|json| (&json.kind, json.span)) {
            None => false,
            Some((JsonKind::Bool(value), _)) => *value,
            Some((_, span)) => return self.wrong(span, "`management` is true or false", ""),
        };
        let mut path = Vec::new();
        for item in self.list(find(members, "path"), "`path`") {
            let name = self.string(item, "a level of a path")?;
            match self.levels.get(name) {
                Some(level) => path.push(level.clone()),
                None => {
                    let message = format!("there is no level `{name}`");
                    return self.wrong(item.span, message, "every level of a path stands in `levels`");
                }
            }
        }
        Some((id.into(), Account { management, path }))
    }

    fn principal(&mut self, json: &'j Json) -> Option<Held> {
        let keys = ["arn", "inline", "attached", "groups", "boundary", "tags", "userId"];
        let members = self.record(json, "a principal", &keys)?;
        let arn = self.needed(members, "arn", (json, "a principal"))?;
        let aws = AwsPrincipal::parse(arn)
            .filter(|aws| matches!(aws.sort, AwsSort::User { .. } | AwsSort::Role { .. } | AwsSort::Root));
        let Some(aws) = aws.filter(|_| !is_account(arn)) else {
            let message = format!("`{arn}` is no user, role or root user");
            return self.wrong(json.span, message, "sessions are not listed; a role stands for its sessions");
        };
        let mut identity = self.policies(find(members, "inline"), PolicyKind::Identity, "inline");
        identity.extend(self.policies(find(members, "attached"), PolicyKind::Identity, "attached"));
        for item in self.list(find(members, "groups"), "`groups`") {
            let name = self.string(item, "a group")?;
            match self.groups.get(name) {
                Some(policies) => identity.extend(policies.iter().cloned()),
                None => return self.wrong(item.span, format!("there is no group `{name}`"), ""),
            }
        }
        let boundary = find(members, "boundary").filter(|json| json.kind != JsonKind::Null);
        let boundary = boundary.and_then(|json| self.policy(json, PolicyKind::Boundary, "boundary"));
        let tags = self.tags(find(members, "tags"));
        let user_id = find(members, "userId").and_then(|id| self.string(id, "`userId`")).map(Box::from);
        let boundary = boundary.into_iter().collect();
        Some(Held { caller: Principal::Aws(aws), identity, boundary, tags, user_id })
    }

    fn resource(&mut self, json: &'j Json) -> Option<Resource> {
        let keys = ["arn", "account", "policy", "tags", "s3", "grants"];
        let members = self.record(json, "a resource", &keys)?;
        let arn = self.needed(members, "arn", (json, "a resource"))?;
        let Some([_, _, service, _, account, _]) = split_arn(arn) else {
            return self.wrong(json.span, format!("`{arn}` is no ARN"), "");
        };
        let account = match find(members, "account") {
            Some(json) => self.string(json, "`account`")?,
            None if is_account(account) => account,
            None => {
                let message = format!("`{arn}` does not say whose it is");
                return self.wrong(json.span, message, "add `account` with twelve digits");
            }
        };
        let kind = match service {
            "kms" => PolicyKind::KmsKey,
            "iam" => PolicyKind::Trust,
            _ => PolicyKind::Resource,
        };
        let policy = find(members, "policy").filter(|json| json.kind != JsonKind::Null);
        let policy = policy.and_then(|json| self.policy(json, kind, arn));
        let grants: Vec<Grant> = self.value(find(members, "grants"));
        let layers = Layers {
            resource: policy.map(|policy| Program::clone(&policy.program)),
            s3: self.value(find(members, "s3")),
            grants,
            ..Layers::default()
        };
        let constrained = layers.grants.iter().any(|grant| grant.constraints != Constraints::default());
        let unconstrained = constrained.then(|| {
            let mut free = layers.clone();
            free.grants.iter_mut().for_each(|grant| grant.constraints = Constraints::default());
            Box::new(free)
        });
        let tags = self.tags(find(members, "tags"));
        Some(Resource { arn: arn.into(), account: account.into(), tags, layers, unconstrained })
    }

    fn tags(&mut self, json: Option<&'j Json>) -> Tags {
        let members = self.object(json?, "`tags`")?;
        let tag = |me: &mut Self, member: &'j Member| match &member.value.kind {
            JsonKind::String(value) => Some((member.key.text.as_str().into(), value.as_str().into())),
            _ => me.wrong(member.value.span, "the value of a tag is a string", ""),
        };
        Some(members.iter().filter_map(|member| tag(self, member)).collect())
    }

    fn policies(&mut self, json: Option<&'j Json>, kind: PolicyKind, of: &str) -> Vec<Policy> {
        let items = self.list(json, "a list of policies");
        let numbered = items.iter().enumerate();
        numbered.filter_map(|(at, item)| self.policy(item, kind, &format!("{of} {at}"))).collect()
    }

    /// A policy written out, which goes by where it stands, or the name of one in `policies`.
    fn policy(&mut self, json: &'j Json, kind: PolicyKind, of: &str) -> Option<Policy> {
        let JsonKind::String(name) = &json.kind else {
            let policy = match policy::Policy::from_json(json) {
                Ok(policy) => policy,
                Err(wrongs) => {
                    self.wrongs.extend(wrongs);
                    return None;
                }
            };
            return Some(Policy { name: of.into(), program: Arc::new(Program::new(policy, kind)) });
        };
        if let Some(policy) = self.compiled.get(&(name.as_str(), kind)) {
            return Some(policy.clone());
        }
        let Some(source) = self.named.get(name.as_str()) else {
            let message = format!("there is no policy `{name}`");
            return self.wrong(json.span, message, "policies that are named stand in `policies`");
        };
        let program = Arc::new(Program::new(policy::Policy::clone(source), kind));
        let policy = Policy { name: name.as_str().into(), program };
        self.compiled.insert((name, kind), policy.clone());
        Some(policy)
    }

    /// A part in the shape of an API of AWS.
    fn value<T: DeserializeOwned + Default>(&mut self, json: Option<&'j Json>) -> T {
        let Some(json) = json else { return T::default() };
        match serde_json::from_value(plain(json)) {
            Ok(value) => value,
            Err(error) => {
                self.wrong::<()>(json.span, error.to_string(), "");
                T::default()
            }
        }
    }
}

fn find<'j>(members: &'j [Member], key: &str) -> Option<&'j Json> {
    members.iter().find(|member| member.key.text == key).map(|member| &member.value)
}

/// Without positions.
fn plain(json: &Json) -> Value {
    match &json.kind {
        JsonKind::Null => Value::Null,
        JsonKind::Bool(value) => Value::Bool(*value),
        JsonKind::Number(text) => serde_json::from_str(text).unwrap_or(Value::Null),
        JsonKind::String(text) => Value::String(text.clone()),
        JsonKind::Array(items) => items.iter().map(plain).collect(),
        JsonKind::Object(members) => {
            members.iter().map(|member| (member.key.text.clone(), plain(&member.value))).collect()
        }
    }
}
