//! Whom a `Principal` element means, and how closely. IAM User Guide, "AWS JSON policy elements: Principal" and
//! "... NotPrincipal".

use crate::policy::{Element, Who, WhoSort};
use crate::request::{AwsPrincipal, AwsSort, Principal, is_account};
use crate::value::same;

/// How closely a resource policy means a caller. The order is that of closeness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// Not at all.
    None,
    /// Its account: a delegation to the policies of that account, not a grant.
    Account,
    /// The role or user of which the caller is a session.
    Role,
    /// The caller itself, or everyone.
    Direct,
}

/// A compiled `Principal` or `NotPrincipal`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PrincipalTest {
    pub(crate) negated: bool,
    pub(crate) items: Box<[WhoTest]>,
}

/// One listed principal.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum WhoTest {
    Everyone,
    Account(Box<str>),
    Aws(AwsPrincipal),
    /// A service, a provider or a canonical user: the same text.
    Name(WhoSort, Box<str>),
    /// A partial wildcard, or the unique id of a principal that no longer exists.
    Nobody,
}

impl WhoTest {
    fn new(who: &Who) -> Self {
        let text = who.value.text.as_str();
        if who.is_everyone() {
            return Self::Everyone;
        }
        if who.sort != WhoSort::Aws {
            return Self::Name(who.sort, text.into());
        }
        if is_account(text) {
            return Self::Account(text.into());
        }
        match AwsPrincipal::parse(text) {
            Some(aws) if aws.sort == AwsSort::Root => Self::Account(aws.account),
            Some(aws) if !text.contains(['*', '?']) => Self::Aws(aws),
            _ => Self::Nobody,
        }
    }

    pub(crate) fn level(&self, caller: &Principal) -> Level {
        match (self, caller) {
            (Self::Everyone, _) => Level::Direct,
            (Self::Account(account), Principal::Aws(aws)) if *account == aws.account => Level::Account,
            (Self::Aws(listed), Principal::Aws(aws)) => level(listed, aws),
            (Self::Name(WhoSort::Service, name), Principal::Service(service)) if name == service => {
                Level::Direct
            }
            (Self::Name(WhoSort::Federated | WhoSort::CanonicalUser, name), Principal::Other(other))
                if name == other =>
            {
                Level::Direct
            }
            (Self::Name(WhoSort::Federated, name), Principal::Service(other)) if name == other => {
                Level::Direct
            }
            _ => Level::None,
        }
    }
}

fn level(listed: &AwsPrincipal, caller: &AwsPrincipal) -> Level {
    if same(&listed.arn, &caller.arn) {
        return if matches!(caller.sort, AwsSort::Role { .. }) { Level::Role } else { Level::Direct };
    }
    let origin = match (&listed.sort, &caller.sort) {
        (AwsSort::Role { name, .. }, AwsSort::Session { role }) => name.eq_ignore_ascii_case(role),
        (AwsSort::User { name }, AwsSort::FederatedUser { name: session }) => name == session,
        _ => false,
    };
    if origin && listed.partition == caller.partition && listed.account == caller.account {
        Level::Role
    } else {
        Level::None
    }
}

impl PrincipalTest {
    pub(crate) fn new(element: &Element<Who>) -> Self {
        Self { negated: element.negated, items: element.items.iter().map(WhoTest::new).collect() }
    }

    /// Whether it means every caller.
    pub(crate) fn is_any(&self) -> bool {
        !self.negated && self.items.contains(&WhoTest::Everyone)
    }

    /// How closely a statement with this `Principal` means the caller.
    pub(crate) fn level(&self, caller: &Principal) -> Level {
        self.items.iter().map(|who| who.level(caller)).max().unwrap_or(Level::None)
    }

    /// Whether `NotPrincipal` spares the caller: it must be listed itself, its account too, and for a session its role.
    pub(crate) fn spares(&self, caller: &Principal) -> bool {
        let listed = |wanted: Level| self.items.iter().any(|who| who.level(caller) == wanted);
        if self.items.contains(&WhoTest::Everyone) {
            return true;
        }
        match caller {
            Principal::Aws(aws) => {
                listed(Level::Account)
                    && match aws.sort {
                        AwsSort::Root => true,
                        AwsSort::User { .. } => listed(Level::Direct),
                        AwsSort::Role { .. } => listed(Level::Role),
                        AwsSort::Session { .. } | AwsSort::FederatedUser { .. } => {
                            listed(Level::Direct) && listed(Level::Role)
                        }
                    }
            }
            _ => listed(Level::Direct),
        }
    }
}
