//! Which callers policies tell apart: the principals they name, sessions of their roles, somebody else of an account that
//! they name, and somebody of whom they know nothing.

use super::caller_keys::KEYS;
use super::conditions::{Asked, listed};
use crate::eval::{Level, Program, WhoTest};
use crate::policy::WhoSort;
use crate::request::{AwsPrincipal, AwsSort, Principal, Request, is_account};
use crate::value::split_arn;

/// A caller who stands for himself, or for all of his account, or all services, that are not named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sample {
    pub(super) principal: Principal,
    /// Whether he stands for all who are not named.
    pub(super) of_many: bool,
    /// The ARN of the role of which he is a session, if it is known with its path.
    pub(super) role: Option<Box<str>>,
}

impl Sample {
    fn of(principal: Principal) -> Self {
        Self { principal, of_many: false, role: None }
    }

    fn many(principal: Principal) -> Self {
        Self { of_many: true, ..Self::of(principal) }
    }

    /// Somebody of an account.
    pub(super) fn somebody(partition: &str, account: &str) -> Self {
        let principal = Principal::parse(&format!("arn:{partition}:iam::{account}:user/somebody"));
        Self::many(principal)
    }

    pub(super) fn anonymous() -> Self {
        Self::of(Principal::Anonymous)
    }

    fn root(partition: &str, account: &str) -> Self {
        Self::of(Principal::parse(&format!("arn:{partition}:iam::{account}:root")))
    }

    /// Whether this caller signs requests, if that is known.
    pub(super) fn signs(&self) -> Option<bool> {
        match self.principal {
            Principal::Anonymous => Some(false),
            Principal::Aws(_) => Some(true),
            Principal::Other(_) | Principal::Service(_) => None,
        }
    }

    /// Of those for whom he stands, the one whom the keys of a request name.
    pub(super) fn settled(&self, request: &Request) -> Option<Principal> {
        let text = |key: &str| request.context().single(key);
        match &self.principal {
            _ if !self.of_many => None,
            Principal::Service(_) => {
                text("aws:principalservicename").map(|name| Principal::Service(name.into()))
            }
            Principal::Aws(own) => {
                let AwsPrincipal { partition, account, .. } = own;
                let own_id = text("aws:userid").and_then(|id| id.split_once(':')).map(|(_, name)| name);
                let name = own_id.unwrap_or("somebody");
                let at = format!("arn:{partition}:sts::{account}:");
                let session = |role: &str| Principal::parse(&format!("{at}assumed-role/{role}/{name}"));
                let named = text("aws:principalarn").and_then(AwsPrincipal::parse);
                match (named, text("aws:principaltype")) {
                    (Some(AwsPrincipal { sort: AwsSort::Role { name, .. }, .. }), _) => Some(session(&name)),
                    (Some(named), _) => Some(Principal::Aws(named)),
                    (None, Some("FederatedUser")) => {
                        Some(Principal::parse(&format!("{at}federated-user/{name}")))
                    }
                    (None, Some("AssumedRole")) => Some(session("somebody")),
                    (None, None) => own_id.map(|_| session("somebody")),
                    (None, Some(_)) => None,
                }
            }
            _ => None,
        }
    }
}

/// The partition that policies speak of.
fn partition(programs: &[&Program]) -> String {
    let statements = programs.iter().flat_map(|program| &program.source().statements);
    let texts = statements.flat_map(|s| {
        let principals = s.principal.iter().flat_map(|p| &p.items).map(|who| &who.value);
        principals.chain(s.resource.iter().flat_map(|r| &r.items))
    });
    let named = |text: &str| split_arn(text).map(|fields| fields[1].to_owned());
    let plain = |name: &String| name.starts_with("aws") && !name.contains(['*', '?']);
    texts.filter_map(|text| named(&text.text)).find(plain).unwrap_or_else(|| "aws".to_owned())
}

/// An account that nothing here names.
pub(super) fn stranger(programs: &[&Program], besides: &[String]) -> Sample {
    let named = |account: &str| {
        programs.iter().any(|program| mentions(program, account))
            || besides.iter().any(|b| b.contains(account))
    };
    let mut digit = 999_999_999_999_u64;
    while named(&digit.to_string()) {
        digit -= 1;
    }
    Sample::somebody(&partition(programs), &digit.to_string())
}

/// Whether the text stands anywhere in the policy.
pub(super) fn mentions(program: &Program, text: &str) -> bool {
    let policy = program.source();
    policy.statements.iter().any(|statement| {
        let principals = statement.principal.iter().flat_map(|p| &p.items).map(|who| &who.value);
        let resources = statement.resource.iter().flat_map(|r| &r.items);
        let values = statement.conditions.iter().flat_map(|c| &c.values);
        principals.chain(resources).chain(values).any(|value| value.text.contains(text))
    })
}

/// One caller of every sort that the elements `Principal` tell apart, the usual ones first.
pub(super) fn representatives(programs: &[&Program]) -> Vec<Sample> {
    distinct(all_named(programs, stranger(programs, &[])), programs)
}

/// The same for policies whose conditions tell callers apart too: also somebody of every account that a condition names.
/// The second answer is whether that may leave accounts out, because a condition lists a pattern of accounts.
pub(super) fn all_representatives(
    programs: &[&Program],
    asked: &Asked,
    besides: &[String],
) -> (Vec<Sample>, bool) {
    let stranger = stranger(programs, besides);
    if !KEYS.iter().any(|key| asked.has(key)) {
        return (distinct_by_account(all_named(programs, stranger), programs), false);
    }
    let partition = partition(programs);
    let mut all = vec![stranger.clone()];
    all.extend(stranger.principal.account().map(|account| Sample::root(&partition, account)));
    let (accounts, left_out) = accounts(programs);
    for account in accounts {
        all.push(Sample::somebody(&partition, &account));
        all.push(Sample::root(&partition, &account));
    }
    for key in ["aws:principalservicename", "aws:principalservicenameslist"] {
        let plain = listed(programs, key).filter(|name| !name.contains(['*', '?', '$']));
        all.extend(plain.map(|name| Sample::of(Principal::Service(name.into()))));
    }
    all.extend(all_named(programs, stranger));
    (first_of_each(all, Clone::clone), left_out)
}

/// The accounts that conditions on callers list, an example of every pattern, and whether there are patterns.
fn accounts(programs: &[&Program]) -> (Vec<String>, bool) {
    let (mut accounts, mut patterns) = (Vec::new(), false);
    for key in ["aws:principalaccount", "kms:calleraccount", "aws:principalarn", "aws:userid"] {
        for text in listed(programs, key) {
            let account = match key {
                "aws:principalarn" => split_arn(text).map_or(text, |fields| fields[4]),
                "aws:userid" => text.split(':').next().unwrap_or(text),
                _ => text,
            };
            let open = account.contains(['*', '?', '$']);
            if is_account(account) {
                accounts.push(account.to_owned());
            } else if key != "aws:userid"
                && open
                && account.contains(|c: char| c.is_ascii_digit() || c == '$')
            {
                patterns = true;
                accounts.extend(example(account));
            }
        }
    }
    accounts.sort_unstable();
    accounts.dedup();
    (accounts, patterns)
}

/// An account that a pattern fits.
fn example(pattern: &str) -> Option<String> {
    let rest = 12_usize.checked_sub(pattern.chars().filter(|c| *c != '*').count())?;
    let filled = pattern.replacen('*', &"7".repeat(rest), 1).replace('*', "").replace('?', "7");
    is_account(&filled).then_some(filled)
}

/// The callers whom the elements `Principal` name, after somebody of whom nothing is known.
fn all_named(programs: &[&Program], stranger: Sample) -> Vec<Sample> {
    let mut all = vec![stranger];
    let listed = programs.iter().flat_map(|program| &program.statements).filter_map(|s| s.principal.as_ref());
    for who in listed.flat_map(|test| &test.items) {
        match who {
            WhoTest::Everyone | WhoTest::Nobody => {}
            WhoTest::Account(account) => {
                all.extend([Sample::somebody("aws", account), Sample::root("aws", account)]);
            }
            WhoTest::Aws(aws) => all.extend(relatives(aws)),
            WhoTest::Name(WhoSort::Service, name) => all.push(Sample::of(Principal::Service(name.clone()))),
            WhoTest::Name(_, name) => all.push(Sample::of(Principal::Other(name.clone()))),
        }
    }
    all.push(Sample::anonymous());
    all.push(Sample::many(Principal::Service("somebody.amazonaws.com".into())));
    all.push(Sample::many(Principal::Other("somebody".into())));
    all
}

/// The principal, its sessions, and somebody else of its account.
fn relatives(aws: &AwsPrincipal) -> Vec<Sample> {
    let (partition, account) = (&aws.partition, &aws.account);
    let mut all = vec![Sample::of(Principal::Aws(aws.clone()))];
    let role = matches!(aws.sort, AwsSort::Role { .. }).then(|| aws.arn.clone());
    all.extend(session(aws).map(|arn| Sample { role, ..Sample::of(Principal::parse(&arn)) }));
    all.push(Sample::somebody(partition, account));
    all
}

/// A session of a role, or the federated user of a user.
fn session(aws: &AwsPrincipal) -> Option<String> {
    let AwsPrincipal { partition, account, sort, .. } = aws;
    match sort {
        AwsSort::Role { name, .. } => {
            Some(format!("arn:{partition}:sts::{account}:assumed-role/{name}/somebody"))
        }
        AwsSort::User { name } => Some(format!("arn:{partition}:sts::{account}:federated-user/{name}")),
        _ => None,
    }
}

/// The names of those who are callers of their own: whoever stands for many is none of them.
pub(super) fn named(programs: &[&Program], besides: &[Principal]) -> Vec<String> {
    let mut names = Vec::new();
    let mut add = |aws: &AwsPrincipal| match aws.sort {
        AwsSort::Root | AwsSort::Session { .. } => {}
        AwsSort::User { .. } => {
            names.push(aws.arn.to_string());
            names.extend(session(aws));
        }
        AwsSort::Role { .. } | AwsSort::FederatedUser { .. } => names.push(aws.arn.to_string()),
    };
    let listed = programs.iter().flat_map(|program| &program.statements).filter_map(|s| s.principal.as_ref());
    let mut services = Vec::new();
    for who in listed.flat_map(|test| &test.items) {
        match who {
            WhoTest::Aws(aws) => add(aws),
            WhoTest::Name(WhoSort::Service, name) => services.push(name.to_string()),
            _ => {}
        }
    }
    for principal in besides {
        match principal {
            Principal::Aws(aws) => add(aws),
            Principal::Service(name) => services.push(name.to_string()),
            _ => {}
        }
    }
    names.extend(services);
    names
}

/// Of callers that every statement means equally closely, the first.
fn distinct(all: Vec<Sample>, programs: &[&Program]) -> Vec<Sample> {
    first_of_each(all, |sample| levels(programs, sample))
}

/// The same, where it also matters whose account and what sort of caller it is.
fn distinct_by_account(all: Vec<Sample>, programs: &[&Program]) -> Vec<Sample> {
    first_of_each(all, |sample| {
        let principal = &sample.principal;
        let root = matches!(principal, Principal::Aws(aws) if aws.sort == AwsSort::Root);
        let account = principal.account().map(str::to_owned);
        (levels(programs, sample), std::mem::discriminant(principal), root, account)
    })
}

fn levels(programs: &[&Program], sample: &Sample) -> Vec<Level> {
    let statements = programs.iter().flat_map(|program| &program.statements);
    statements.map(|statement| statement.level(&sample.principal, false)).collect()
}

fn first_of_each<T: PartialEq>(all: Vec<Sample>, key: impl Fn(&Sample) -> T) -> Vec<Sample> {
    let mut seen: Vec<T> = Vec::new();
    let mut kept = Vec::new();
    for sample in all {
        let signature = key(&sample);
        if !seen.contains(&signature) {
            seen.push(signature);
            kept.push(sample);
        }
    }
    kept
}
