//! Doors: ways to show who calls that others vouch for. [`oidc`] reads tokens of identity providers, [`aws`] calls to AWS
//! STS that somebody signed. Pure: what comes from outside (keys, answers, the time) is handed in.
//!
//! Whoever comes in by a door is somebody whom the charter names, with at most the roles that it gives: a door says who
//! calls, never what they may.

pub mod aws;
pub mod oidc;

use facts::{PersonId, RoleId};
use std::collections::BTreeSet;

/// The longest token that is looked at, in bytes. Those of AWS hold a session token of up to about 2,000.
pub const MAX_TOKEN_BYTES: usize = 8 << 10;

/// Somebody whom a door has recognised. Made only by the checks of this module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recognised {
    id: PersonId,
    roles: Option<BTreeSet<RoleId>>,
}

impl Recognised {
    /// As whom the charter knows them.
    pub fn id(&self) -> &PersonId {
        &self.id
    }

    /// Whether the door leaves them all roles that the charter gives, whichever these are.
    pub fn holds_all(&self) -> bool {
        self.roles.is_none()
    }

    /// Those of `roles`, which the charter gives, that the door leaves them.
    pub fn held(&self, mut roles: Vec<RoleId>) -> Vec<RoleId> {
        if let Some(left) = &self.roles {
            roles.retain(|role| left.contains(role));
        }
        roles
    }
}

/// Why somebody was not recognised: a sentence without anything of the token that could be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unrecognised(String);

impl Unrecognised {
    /// The sentence.
    pub fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

/// Whether a URL is one that secrets and keys may go over: `https://`, or `http://` to this machine itself.
#[must_use]
pub fn is_private_address(url: &str) -> bool {
    let clean = url.len() <= 512 && url.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let authority = |rest: &str| rest.split(['/', '?', '#']).next().unwrap_or_default().to_owned();
    let host_alone = |authority: &str| !authority.is_empty() && !authority.contains('@');
    if !clean {
        return false;
    }
    if let Some(rest) = url.strip_prefix("https://") {
        return host_alone(&authority(rest));
    }
    let Some(rest) = url.strip_prefix("http://") else { return false };
    let authority = authority(rest);
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority.as_str(),
    };
    host_alone(&authority) && matches!(host, "127.0.0.1" | "[::1]" | "localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_go_over_tls_or_not_at_all_over_the_network() {
        for good in ["https://a.example/x", "http://127.0.0.1:8080", "http://[::1]:1/a", "http://localhost/a"]
        {
            assert!(is_private_address(good), "{good}");
        }
        for bad in [
            "",
            "a.example",
            "http://a.example",
            "http://127.0.0.1.a.example",
            "http://127.0.0.1@a.example",
            "https://",
            "https://user@a.example",
            "https:///a",
            "ftp://127.0.0.1",
            "https://a example",
        ] {
            assert!(!is_private_address(bad), "{bad}");
        }
    }

    #[test]
    fn a_door_takes_roles_away_and_gives_none() {
        let role = |name: &str| name.parse::<RoleId>().unwrap();
        let id: PersonId = "ada".parse().unwrap();
        let left = BTreeSet::from([role("ml-engineer"), role("compliance-officer")]);
        let fewer = Recognised { id: id.clone(), roles: Some(left) };
        assert_eq!(fewer.held(vec![role("ml-engineer"), role("auditor")]), [role("ml-engineer")]);
        let all = Recognised { id, roles: None };
        assert_eq!(all.held(vec![role("auditor")]), [role("auditor")]);
    }
}
