//! AWS identities: a call of `sts:GetCallerIdentity` that somebody signed and did not send. This server sends it, and
//! STS answers who signed. The signature binds it to this server's name and to a few minutes.
//!
//! Sources: IAM User Guide, "Signature Version 4 request signing"; AWS STS API Reference, "GetCallerIdentity"; the
//! same way as aws-iam-authenticator of Amazon EKS and the AWS auth method of Vault.

use super::{MAX_TOKEN_BYTES, Recognised, Unrecognised};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use facts::{Arn, PersonId, Timestamp, percent_decoded, percent_encoded};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What every token begins with.
pub const PREFIX: &str = "wardmote-aws-v1.";
/// The header that is signed with the name of the server that the token is for.
pub const SERVER_HEADER: &str = "x-wardmote-server-id";
/// The longest time from signature to end, in seconds: that of STS itself.
pub const MAX_SECONDS: i64 = 900;
/// Clocks may differ by so many seconds.
const LEEWAY_SECONDS: i64 = 60;

/// Whose AWS identities come in, and as whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The name of this server, which tokens must be for: `registry.bank.example`.
    pub server: String,
    /// The region whose STS is asked; the house's own by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Whom the charter knows under which ARN: of a role (all its sessions), a user, or one session of a role.
    pub people: BTreeMap<Arn, PersonId>,
}

/// Where this server asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sts {
    /// `https://sts.eu-central-1.amazonaws.com`, without a slash at its end.
    pub url: String,
    /// The region that signatures must be for.
    pub region: String,
}

/// A call that somebody signed, taken apart, checked, and put together again from the parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presigned {
    url: String,
    server: String,
    ends: i64,
}

impl Settings {
    /// What is wrong with them, if anything.
    ///
    /// # Errors
    /// A sentence.
    pub fn check(&self) -> Result<(), String> {
        if !is_server_name(&self.server) {
            return Err(not_a_server_name(&self.server));
        }
        for arn in self.people.keys() {
            if Caller::read(arn.as_str()).is_none() {
                return Err(format!(
                    "`{arn}` names nobody who can come in: expected the ARN of a role, of a user, or of one session of a role"
                ));
            }
        }
        Ok(())
    }

    /// Takes a token apart. Nothing was asked of AWS yet.
    ///
    /// # Errors
    /// Why it is no call that this server would make.
    pub fn read(&self, token: &str, sts: &Sts, now: Timestamp) -> Result<Presigned, Unrecognised> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(no(format!("the token is longer than {MAX_TOKEN_BYTES} bytes")));
        }
        let url = token.strip_prefix(PREFIX).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        let url = url.and_then(|bytes| String::from_utf8(bytes).ok());
        let url = url.ok_or_else(|| no("the token is not a signed call; `wardmote aws token` makes one"))?;
        let rest =
            url.strip_prefix(&sts.url).and_then(|rest| rest.strip_prefix("/?").or(rest.strip_prefix('?')));
        let Some(query) = rest else {
            return Err(no(format!("the token is not for `{}`, which this server asks", sts.url)));
        };
        let mut query = Query::read(query)?;
        query.constant("Action", "GetCallerIdentity")?;
        query.constant("Version", "2011-06-15")?;
        query.constant("X-Amz-Algorithm", "AWS4-HMAC-SHA256")?;
        // Any other signed header would be one that we do not send; any fewer would not bind the token to us.
        query.constant("X-Amz-SignedHeaders", &format!("host;{SERVER_HEADER}"))?;
        let time = query.take("X-Amz-Date")?;
        let credential = query.take("X-Amz-Credential")?;
        let seconds = query.take("X-Amz-Expires")?;
        let signature = query.take("X-Amz-Signature")?;
        query.optional("X-Amz-Security-Token");
        query.nothing_else()?;
        if signature.len() != 64 || !signature.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(no("the signature in the token is not one"));
        }
        let mut scope = credential.rsplitn(5, '/');
        let mut part = || scope.next().unwrap_or_default();
        let (end, service, region, day, key) = (part(), part(), part(), part(), part());
        let begins = basic_time(&time).ok_or_else(|| no("the time in the token is not one"))?;
        let fits = end == "aws4_request" && service == "sts" && time.get(..8) == Some(day) && !key.is_empty();
        if !fits || region != sts.region {
            return Err(no(format!("the token is not signed for STS in `{}`", sts.region)));
        }
        let ends = begins + lasting(&seconds)?;
        let now = now.unix_ms() / 1000;
        if begins > now + LEEWAY_SECONDS {
            return Err(no("the token is of a later time; compare the clocks"));
        }
        if now >= ends {
            return Err(no("the token has ended; `wardmote aws token` makes a new one"));
        }
        Ok(Presigned { url: format!("{}/?{}", sts.url, query.whole()), server: self.server.clone(), ends })
    }

    /// As whom the caller comes in whom STS named in answer to `call`.
    ///
    /// # Errors
    /// If nobody is known under that ARN.
    pub fn recognise(&self, _call: &Presigned, arn: &str) -> Result<Recognised, Unrecognised> {
        let unknown =
            || no("no ARN of this server's settings is the caller's: `wardmote aws identity` shows it");
        let caller = Caller::read(arn).ok_or_else(unknown)?;
        let known = |wanted: &dyn Fn(&Caller) -> bool| {
            let mut all = self.people.iter();
            all.find(|(arn, _)| Caller::read(arn.as_str()).as_ref().is_some_and(wanted))
                .map(|(_, id)| id.clone())
        };
        // One session of a role goes before the role.
        let role = Caller { session: None, ..caller.clone() };
        let id = known(&|one| *one == caller).or_else(|| known(&|one| *one == role)).ok_or_else(unknown)?;
        Ok(Recognised { id, roles: None })
    }
}

impl Presigned {
    /// What to ask with `GET`, without following anything.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The header to ask with.
    pub fn header(&self) -> (&'static str, &str) {
        (SERVER_HEADER, &self.server)
    }

    /// When it ends, in seconds since 1970.
    pub fn ends(&self) -> i64 {
        self.ends
    }
}

/// Whether a text can be the name of a server.
pub fn is_server_name(name: &str) -> bool {
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':');
    (1..=128).contains(&name.len()) && name.bytes().all(letters)
}

/// What to say of a text that cannot.
pub fn not_a_server_name(name: &str) -> String {
    format!(
        "`{}` is not the name of a server: expected 1 to 128 of the letters A-Z, a-z, 0-9, `.`, `-`, `_` and `:`, for example `registry.bank.example`",
        name.escape_debug()
    )
}

/// The text of a token that holds this URL.
pub fn token(url: &str) -> String {
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(url))
}

fn no(why: impl Into<String>) -> Unrecognised {
    Unrecognised::new(why)
}

fn lasting(seconds: &str) -> Result<i64, Unrecognised> {
    seconds
        .parse()
        .ok()
        .filter(|seconds| (1..=MAX_SECONDS).contains(seconds))
        .ok_or_else(|| no(format!("the token does not end within {MAX_SECONDS} seconds")))
}

/// `20150830T123600Z` in seconds since 1970.
fn basic_time(text: &str) -> Option<i64> {
    let digits = |range: std::ops::Range<usize>| {
        text.get(range).filter(|part| part.bytes().all(|b| b.is_ascii_digit()))
    };
    let (day, clock) = (digits(0..8)?, digits(9..15)?);
    if text.len() != 16 || text.get(8..9) != Some("T") || !text.ends_with('Z') {
        return None;
    }
    let time = format!(
        "{}-{}-{}T{}:{}:{}Z",
        &day[..4],
        &day[4..6],
        &day[6..],
        &clock[..2],
        &clock[2..4],
        &clock[4..]
    );
    time.parse::<Timestamp>().ok().map(|time| time.unix_ms() / 1000)
}

/// The fields of a query, each of which may be there once.
struct Query {
    all: BTreeMap<String, String>,
    taken: Vec<String>,
}

impl Query {
    fn read(text: &str) -> Result<Self, Unrecognised> {
        let mut all = BTreeMap::new();
        for pair in text.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            // What stands for a space elsewhere has no place here.
            let plain =
                |text: &str| percent_decoded(text).filter(|_| text.is_ascii() && !text.contains(['+', '#']));
            let (Some(name), Some(value)) = (plain(name), plain(value)) else {
                return Err(no("the call in the token is not a URL"));
            };
            if all.insert(name, value).is_some() {
                return Err(no("a field of the call in the token is there twice"));
            }
        }
        Ok(Self { all, taken: Vec::new() })
    }

    fn take(&mut self, name: &str) -> Result<String, Unrecognised> {
        self.taken.push(name.to_owned());
        self.all.get(name).cloned().ok_or_else(|| no(format!("the call in the token lacks `{name}`")))
    }

    fn optional(&mut self, name: &str) {
        self.taken.push(name.to_owned());
    }

    fn constant(&mut self, name: &str, wanted: &str) -> Result<(), Unrecognised> {
        if self.take(name)? == wanted {
            Ok(())
        } else {
            Err(no(format!("the call in the token has another `{name}` than `{wanted}`")))
        }
    }

    fn nothing_else(&self) -> Result<(), Unrecognised> {
        if self.all.keys().all(|name| self.taken.contains(name)) {
            return Ok(());
        }
        Err(no("the call in the token has fields that `GetCallerIdentity` does not have"))
    }

    /// Encoded as signatures have it, so that nothing in it means anything else to whoever reads it next.
    fn whole(&self) -> String {
        let encoded = |text: &str| percent_encoded(text, |_| false);
        let pair = |(name, value): (&String, &String)| format!("{}={}", encoded(name), encoded(value));
        self.all.iter().map(pair).collect::<Vec<_>>().join("&")
    }
}

/// Who calls, without what differs between two ARNs of the same: a role and its sessions have different ones, and
/// those of sessions lack the role's path.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Caller {
    partition: String,
    account: String,
    /// `role/NAME` without its path, or `user/PATH/NAME`.
    name: String,
    session: Option<String>,
}

impl Caller {
    /// Nothing for the account itself (root), federated users and everything else.
    fn read(arn: &str) -> Option<Self> {
        let arn: Arn = arn.parse().ok()?;
        let (kind, name) = arn.resource().split_once('/')?;
        let (name, session) = match (arn.service(), kind) {
            ("iam", "role") => (format!("role/{}", name.rsplit('/').next()?), None),
            ("iam", "user") => (format!("user/{name}"), None),
            ("sts", "assumed-role") => {
                let (role, session) = name.split_once('/')?;
                (format!("role/{role}"), Some(session.to_owned()))
            }
            _ => return None,
        };
        let (partition, account) = (arn.partition().to_owned(), arn.account().to_owned());
        let whole = account.len() == 12 && !name.ends_with('/') && session.as_deref() != Some("");
        whole.then_some(Self { partition, account, name, session })
    }
}
