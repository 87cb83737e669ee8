//! The rules of IAM a second time: slow, obvious, on plain JSON, written from the rules and `iam::quirks` and not from
//! the engine. Whatever both say alike is at least not one person's slip of the pen.

mod caller;
mod condition;
mod kms;
mod s3;
mod scalar;
mod statement;
mod text;

pub(crate) use condition::holds;
pub(crate) use s3::is_public;

use caller::{Caller, Sort};
use serde_json::{Map, Value};
use statement::{Levels, Place};
use std::borrow::Cow;

/// A request, looked at.
pub(crate) struct Ask<'a> {
    caller: Caller<'a>,
    action: String,
    resource: &'a str,
    account: Option<&'a str>,
    context: Option<&'a Map<String, Value>>,
}

/// What a context key holds.
pub(crate) enum Held<'a> {
    Absent,
    One(Cow<'a, str>),
    Many(Vec<Cow<'a, str>>),
}

fn scalar_text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

/// Something or a list of it, as a list.
pub(crate) fn list(value: &Value) -> &[Value] {
    match value {
        Value::Array(items) => items,
        Value::Null => &[],
        one => std::slice::from_ref(one),
    }
}

fn texts(value: &Value) -> impl Iterator<Item = Cow<'_, str>> {
    list(value).iter().map(scalar_text)
}

impl<'a> Ask<'a> {
    fn read(request: &'a Value) -> Self {
        let caller = Caller::read(&request["principal"]);
        let resource = request["resource"].as_str().unwrap_or_default();
        let fields: Vec<&str> = resource.splitn(6, ':').collect();
        let named = (fields.len() == 6 && fields[0] == "arn").then(|| fields[4]);
        let named = named.filter(|text| text.len() == 12 && text.chars().all(|c| c.is_ascii_digit()));
        let account = request["resourceAccount"].as_str().or(named);
        Self {
            account: account.or(caller.has_account().then_some(caller.account)),
            action: request["action"].as_str().unwrap_or_default().to_lowercase(),
            context: request["context"].as_object(),
            caller,
            resource,
        }
    }

    /// A context and nothing else.
    pub(crate) fn of_context(context: Option<&'a Map<String, Value>>) -> Self {
        let caller = Caller::read(&Value::Null);
        Self { caller, action: String::new(), resource: "", account: None, context }
    }

    fn held(&self, key: &str) -> Held<'a> {
        let mut keys = self.context.into_iter().flatten();
        let found = keys.find(|(name, _)| name.eq_ignore_ascii_case(key));
        match found.map(|(_, value)| value) {
            None => Held::Absent,
            Some(Value::Array(items)) if items.is_empty() => Held::Absent,
            Some(Value::Array(items)) => Held::Many(items.iter().map(scalar_text).collect()),
            Some(one) => Held::One(scalar_text(one)),
        }
    }

    fn service(&self) -> &str {
        self.action.split(':').next().unwrap_or_default()
    }

    fn operation(&self) -> &str {
        self.action.split(':').nth(1).unwrap_or_default()
    }
}

/// The matching statements of some policies.
#[derive(Default)]
struct Says {
    allow: Levels,
    deny: bool,
}

fn says(policies: &[Value], place: Place, ask: &Ask<'_>, bounded: bool) -> Says {
    let mut says = Says::default();
    for policy in policies {
        let statements = policy.get("Statement").unwrap_or(policy);
        for statement in list(statements) {
            let variables = match policy.get("Version").and_then(Value::as_str) {
                Some(version) => version == "2012-10-17",
                None => policy.get("Statement").is_none(),
            };
            let levels = statement::matches(statement, (place, variables), ask, bounded);
            match statement["Effect"].as_str() {
                Some("Allow") => says.allow = says.allow.or(levels),
                _ => says.deny |= levels.any(),
            }
        }
    }
    says
}

/// Levels of an organisation: all must allow, each by one of its policies.
fn organization(levels: &Value, place: Place, ask: &Ask<'_>) -> (bool, bool) {
    let (mut allow, mut deny) = (true, false);
    for level in list(levels) {
        let says = says(list(&level["policies"]), place, ask, false);
        allow &= says.allow.any();
        deny |= says.deny;
    }
    (allow, deny)
}

/// Services that support resource control policies, of those that the tests use.
const WITH_RCP: [&str; 4] = ["s3", "sts", "kms", "sqs"];

fn resource_place(ask: &Ask<'_>) -> Place {
    match ask.service() {
        "kms" => Place::KmsKey,
        "sts" => Place::Trust,
        _ => Place::Resource,
    }
}

/// Whether identity policies count only if the resource policy delegates to the account.
fn wants_trust(ask: &Ask<'_>) -> bool {
    let mut fields = ask.resource.splitn(6, ':').skip(2);
    let (service, rest) = (fields.next().unwrap_or_default(), fields.nth(2).unwrap_or_default());
    match ask.service() {
        "kms" => service == "kms" && rest.starts_with("key/"),
        "sts" => {
            let about = ["assumerole", "assumerolewithsaml", "assumerolewithwebidentity", "tagsession"];
            let also = ["setsourceidentity", "setcontext"];
            let name = ask.operation();
            service == "iam" && rest.starts_with("role/") && (about.contains(&name) || also.contains(&name))
        }
        _ => false,
    }
}

/// The answer to a case of kind `authorize`.
pub(crate) fn authorize(policies: &Value, request: &Value) -> &'static str {
    let ask = &Ask::read(request);
    let caller = &ask.caller;
    if ask.action == "sts:getcalleridentity" && caller.sort != Sort::Anonymous {
        return "Allowed";
    }
    let has_account = caller.has_account();
    let boundaries = list(&policies["boundaries"]);
    let bounded = !boundaries.is_empty();
    let none = [];
    let of_caller = |given: &'static str| if has_account { list(&policies[given]) } else { &none };
    let identity = says(of_caller("identity"), Place::Identity, ask, bounded);
    let boundary = says(of_caller("boundaries"), Place::Boundary, ask, bounded);
    let session = says(of_caller("session"), Place::Session, ask, bounded);
    let resource = says(list(&policies["resource"]), resource_place(ask), ask, bounded);
    let endpoint = says(list(&policies["endpoint"]), Place::Endpoint, ask, bounded);
    let (mut scp_allow, mut scp_deny) = (true, false);
    if has_account && !caller.linked {
        (scp_allow, scp_deny) = organization(&policies["scp"], Place::Scp, ask);
    }
    let mut rcp_deny = false;
    if WITH_RCP.contains(&ask.service()) && !caller.linked && ask.action != "kms:retiregrant" {
        (_, rcp_deny) = organization(&policies["rcp"], Place::Rcp, ask);
    }
    let denies =
        [identity.deny, boundary.deny, session.deny, resource.deny, endpoint.deny, scp_deny, rcp_deny];
    if denies.contains(&true) {
        return "ExplicitlyDenied";
    }
    let guard = scp_allow && (list(&policies["endpoint"]).is_empty() || endpoint.allow.any());
    let has_session = !list(&policies["session"]).is_empty();
    let i = match caller.sort {
        Sort::Root => true,
        Sort::Federated if !has_session => false,
        _ => identity.allow.any(),
    };
    let b = boundaries.is_empty() || boundary.allow.any();
    let s = !has_session || session.allow.any();
    let granted = kms::granted(&policies["grants"], ask);
    let r = resource.allow;
    let acl = s3::acl_allows(&policies["s3"], ask);
    let same = Some(caller.account) == ask.account;
    let passes = if !has_account {
        r.direct || granted || acl
    } else if same {
        let trust = !wants_trust(ask) || r.account;
        r.direct || (r.role && b && s) || (i && b && s && trust) || (granted && b && s) || (acl && b && s)
    } else {
        i && b && s && (r.any() || granted || acl)
    };
    if !guard || !passes {
        return "ImplicitlyDenied";
    }
    if s3::public_access_blocked(policies, ask) { "ExplicitlyDenied" } else { "Allowed" }
}
