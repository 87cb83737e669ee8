//! Who calls, and how closely a listed principal means him.

use super::statement::Levels;
use serde_json::Value;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sort {
    Anonymous,
    Service,
    Other,
    Root,
    User,
    Role,
    Session,
    Federated,
}

/// A caller in parts. `name` is that of the user or role, without its path.
#[derive(Clone, Copy)]
pub(super) struct Caller<'a> {
    pub(super) sort: Sort,
    pub(super) text: &'a str,
    pub(super) account: &'a str,
    partition: &'a str,
    name: &'a str,
    pub(super) linked: bool,
}

impl<'a> Caller<'a> {
    pub(super) fn read(principal: &'a Value) -> Self {
        let Some(text) = principal.as_str() else {
            return Self {
                sort: Sort::Anonymous,
                text: "",
                account: "",
                partition: "",
                name: "",
                linked: false,
            };
        };
        Self::of(text).unwrap_or(Self {
            sort: if text.ends_with(".amazonaws.com") { Sort::Service } else { Sort::Other },
            text,
            account: "",
            partition: "",
            name: "",
            linked: false,
        })
    }

    /// A principal of an account.
    fn of(text: &'a str) -> Option<Self> {
        let fields: Vec<&str> = text.splitn(6, ':').collect();
        let [_, partition, service, _, account, rest] = fields.as_slice() else { return None };
        let mut path = rest.split('/');
        let (first, second) = (path.next()?, path.next().unwrap_or_default());
        let (sort, name) = match (*service, first) {
            ("iam", "root") => (Sort::Root, ""),
            ("iam", "user") => (Sort::User, rest.rsplit('/').next()?),
            ("iam", "role") => (Sort::Role, rest.rsplit('/').next()?),
            ("sts", "assumed-role") => (Sort::Session, second),
            ("sts", "federated-user") => (Sort::Federated, second),
            _ => return None,
        };
        let linked = sort == Sort::Role && second == "aws-service-role";
        Some(Self { sort, text, account, partition, name, linked })
    }

    pub(super) fn has_account(&self) -> bool {
        !matches!(self.sort, Sort::Anonymous | Sort::Service | Sort::Other)
    }

    /// Whether this ARN is the role of the calling session, or the user who called for a federated session.
    fn is_behind(&self, listed: &str) -> bool {
        // A role's own ARN has a path, so it is compared as it is; that of its session has none.
        if self.sort == Sort::Role {
            return listed == self.text;
        }
        let Some(listed) = Caller::of(listed) else { return false };
        let sorts = match self.sort {
            Sort::Session => listed.sort == Sort::Role,
            Sort::Federated => listed.sort == Sort::User,
            _ => false,
        };
        let same = listed.account == self.account && listed.partition == self.partition;
        let name = match self.sort {
            Sort::Session => listed.name.eq_ignore_ascii_case(self.name),
            _ => listed.name == self.name,
        };
        sorts && same && name
    }

    fn is_account(&self, listed: &str) -> bool {
        let root = format!("arn:{}:iam::{}:root", self.partition, self.account);
        self.has_account() && (listed == self.account || listed == root)
    }

    /// How one listed principal means the caller.
    fn level(&self, kind: &str, listed: &str) -> Levels {
        let aws = kind == "AWS";
        let itself = match self.sort {
            Sort::Anonymous | Sort::Root | Sort::Role => false,
            Sort::Service => kind == "Service" && listed == self.text,
            Sort::Other => (kind == "Federated" || kind == "CanonicalUser") && listed == self.text,
            _ => aws && listed == self.text,
        };
        Levels {
            direct: (aws && listed == "*") || itself,
            role: aws && self.is_behind(listed),
            account: aws && self.is_account(listed),
        }
    }

    /// How `Principal` means the caller.
    pub(super) fn meant(&self, principal: &Value) -> Levels {
        let mut levels = Levels::default();
        for (kind, listed) in pairs(principal) {
            levels = levels.or(self.level(kind, listed));
        }
        levels
    }

    /// Whether `NotPrincipal` of a Deny spares the caller.
    pub(super) fn spared(&self, principal: &Value, bounded: bool) -> bool {
        let meant = self.meant(principal);
        let everyone = pairs(principal).iter().any(|(kind, listed)| *kind == "AWS" && *listed == "*");
        if bounded && self.has_account() {
            return false;
        }
        match self.sort {
            _ if everyone => true,
            Sort::Anonymous | Sort::Service | Sort::Other => meant.direct,
            Sort::Root => meant.account,
            Sort::Role => meant.role && meant.account,
            Sort::Session | Sort::Federated => meant.direct && meant.role && meant.account,
            Sort::User => meant.direct && meant.account,
        }
    }

    /// Whether a KMS grant is for the caller.
    pub(super) fn is_grantee(&self, grantee: &str) -> bool {
        match self.sort {
            Sort::Anonymous | Sort::Other => false,
            Sort::Session => grantee == self.text || self.is_behind(grantee),
            _ => grantee == self.text,
        }
    }
}

fn pairs(principal: &Value) -> Vec<(&str, &str)> {
    match principal {
        Value::String(text) => vec![("AWS", text)],
        Value::Object(kinds) => {
            let each = kinds.iter().flat_map(|(kind, listed)| {
                super::list(listed).iter().filter_map(move |one| Some((kind.as_str(), one.as_str()?)))
            });
            each.collect()
        }
        _ => Vec::new(),
    }
}
