//! Tokens of identity providers: JSON Web Tokens as OpenID Connect has them, signed with RS256 or ES256.
//!
//! Sources: OpenID Connect Core 1.0 and Discovery 1.0; RFC 7515 to 7519; RFC 8725, "JSON Web Token Best Current
//! Practices"; Amazon Cognito Developer Guide, "Verifying JSON web tokens".

use super::{MAX_TOKEN_BYTES, Recognised, Unrecognised, is_private_address};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use facts::{PersonId, RoleId, Timestamp};
use jsonwebtoken::jwk::{
    AlgorithmParameters, CommonParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse,
};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind, Validation};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Clocks may differ by so many seconds.
const LEEWAY_SECONDS: i64 = 60;
/// The largest set of keys that is taken.
const MAX_KEYS: usize = 100;
/// Shorter keys of RSA are not taken, and longer ones cost too much to check with; in bytes.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;

type Claims = Map<String, Value>;

/// An identity provider, and as whom its tokens come in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The issuer, letter for letter as in its tokens.
    pub issuer: String,
    /// For whom tokens must be: audience or client id; one of them is enough.
    pub audience: Vec<String>,
    /// Which of its two kinds of tokens Amazon Cognito must have meant; elsewhere absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_use: Option<TokenUse>,
    /// The claim that names the caller: `sub`, `email`, `cognito:username`, or a JSON pointer that begins with `/`.
    pub claim: String,
    /// Whom the charter knows under which value of that claim. Without it, the value is the id in the charter.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub people: BTreeMap<String, PersonId>,
    /// Which groups leave which roles. Without it, groups do not matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Groups>,
}

/// Groups that an identity provider names. They take away and give nothing: of the roles that the charter gives, a caller
/// holds those that a group of theirs names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Groups {
    /// The claim with the list: `groups`, `cognito:groups`, or a JSON pointer such as `/realm_access/roles`.
    pub claim: String,
    /// Roles by group.
    pub roles: BTreeMap<String, BTreeSet<RoleId>>,
}

/// `token_use` of Amazon Cognito.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenUse {
    /// An ID token: the client id is in `aud`.
    Id,
    /// An access token: the client id is in `client_id`.
    Access,
}

impl Settings {
    /// What is wrong with them, if anything.
    ///
    /// # Errors
    /// A sentence.
    pub fn check(&self) -> Result<(), String> {
        let issuer = self.issuer.escape_debug();
        if !is_private_address(&self.issuer) || self.issuer.contains(['?', '#']) {
            return Err(format!("the issuer `{issuer}` is not a URL: expected `https://HOST[/PATH]`"));
        }
        if self.audience.is_empty() || self.audience.iter().any(String::is_empty) {
            return Err(format!(
                "the issuer `{issuer}` has no `audience`: name the client ids whose tokens are for this server"
            ));
        }
        if self.claim.is_empty() || self.groups.as_ref().is_some_and(|groups| groups.claim.is_empty()) {
            return Err(format!("a claim of the issuer `{issuer}` has no name"));
        }
        Ok(())
    }

    /// Where its configuration is.
    pub fn discovery_url(&self) -> String {
        format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'))
    }

    /// Where its keys are, as its configuration says.
    ///
    /// # Errors
    /// A sentence, if it is the configuration of another issuer or no configuration.
    pub fn keys_url(&self, configuration: &[u8]) -> Result<String, String> {
        #[derive(Deserialize)]
        struct Configuration {
            issuer: String,
            jwks_uri: String,
        }
        let configuration: Configuration = serde_json::from_slice(configuration)
            .map_err(|_| "its configuration is not as OpenID Connect has it".to_owned())?;
        if configuration.issuer != self.issuer {
            return Err("its configuration is that of another issuer".to_owned());
        }
        if !is_private_address(&configuration.jwks_uri) {
            return Err("its keys are not at an `https://` address".to_owned());
        }
        Ok(configuration.jwks_uri)
    }

    /// Whose token it is. `keys` are those of the issuer, `now` the time.
    ///
    /// # Errors
    /// [`Refused::UnknownKey`] if the keys do not hold the one that signed; else why not.
    pub fn recognise(&self, token: &str, keys: &KeySet, now: Timestamp) -> Result<Recognised, Refused> {
        let shown = Shown::read(token)?;
        let candidates = keys.candidates(&shown)?;
        let claims = candidates
            .iter()
            .find_map(|key| key.claims(token, shown.algorithm))
            .ok_or_else(|| no("the signature of the token does not hold"))?;
        self.times(&claims, now)?;
        if text(&claims, "iss") != Some(&self.issuer) {
            return Err(no("the token is of another issuer"));
        }
        self.for_us(&claims)?;
        Ok(Recognised { id: self.person(&claims)?, roles: self.roles(&claims) })
    }

    fn times(&self, claims: &Claims, now: Timestamp) -> Result<(), Refused> {
        let now = now.unix_ms() / 1000;
        let time = |name: &str| match claims.get(name) {
            None => Ok(None),
            // RFC 7519 allows fractions; whole seconds are enough here.
            Some(value) => value
                .as_f64()
                .map(|seconds| Some(seconds as i64))
                .ok_or_else(|| no("a time in the token is not a number")),
        };
        let ends = time("exp")?.ok_or_else(|| no("the token does not say when it ends"))?;
        if now >= ends.saturating_add(LEEWAY_SECONDS) {
            return Err(no("the token has ended; get a new one"));
        }
        for name in ["nbf", "iat"] {
            if time(name)?.is_some_and(|begins| now < begins.saturating_sub(LEEWAY_SECONDS)) {
                return Err(no("the token is not valid yet; compare the clocks"));
            }
        }
        Ok(())
    }

    fn for_us(&self, claims: &Claims) -> Result<(), Refused> {
        let is_use = |wanted: &str| text(claims, "token_use") == Some(wanted);
        let name = match self.token_use {
            None => "aud",
            Some(TokenUse::Id) if is_use("id") => "aud",
            Some(TokenUse::Access) if is_use("access") => "client_id",
            Some(_) => {
                return Err(no(
                    "the token is of the other kind: look at `token_use` in the settings of this server",
                ));
            }
        };
        let named: Vec<&str> = match claims.get(name) {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        if named.iter().any(|one| self.audience.iter().any(|ours| ours == one)) {
            return Ok(());
        }
        Err(no("the token is for somebody else: its audience is not this server's"))
    }

    fn person(&self, claims: &Claims) -> Result<PersonId, Refused> {
        let value = claim(claims, &self.claim)
            .and_then(Value::as_str)
            .ok_or_else(|| no(format!("the token has no text in the claim `{}`", self.claim)))?;
        // An address that nobody verified is whatever its user typed.
        if self.claim == "email" && claims.get("email_verified") != Some(&Value::Bool(true)) {
            return Err(no("the address in the claim `email` is not verified"));
        }
        let unknown = || no(format!("the claim `{}` names nobody whom this server knows", self.claim));
        if self.people.is_empty() {
            return value.parse().map_err(|_| unknown());
        }
        self.people.get(value).cloned().ok_or_else(unknown)
    }

    fn roles(&self, claims: &Claims) -> Option<BTreeSet<RoleId>> {
        let groups = self.groups.as_ref()?;
        let named =
            claim(claims, &groups.claim).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let of = |group: &Value| groups.roles.get(group.as_str()?);
        Some(named.iter().filter_map(of).flatten().cloned().collect())
    }
}

/// Why a token was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// The issuer may have newer keys.
    UnknownKey,
    /// For good.
    No(Unrecognised),
}

fn no(why: impl Into<String>) -> Refused {
    Refused::No(Unrecognised::new(why))
}

fn text<'c>(claims: &'c Claims, name: &str) -> Option<&'c str> {
    claims.get(name).and_then(Value::as_str)
}

/// A claim by its name, or by a JSON pointer.
fn claim<'c>(claims: &'c Claims, name: &str) -> Option<&'c Value> {
    let Some(path) = name.strip_prefix('/') else { return claims.get(name) };
    let (first, rest) = path.split_once('/').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let found = claims.get(first)?;
    rest.map_or(Some(found), |rest| found.pointer(&format!("/{rest}")))
}

/// Whether a text may be such a token: three parts, of which the first begins like a JSON object.
pub fn looks_like(token: &str) -> bool {
    token.starts_with("eyJ") && token.split('.').count() == 3
}

/// Who a token says issued it; nothing of it is checked yet.
pub fn claimed_issuer(token: &str) -> Option<String> {
    if token.len() > MAX_TOKEN_BYTES {
        return None;
    }
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: Claims = serde_json::from_slice(&claims).ok()?;
    text(&claims, "iss").map(str::to_owned)
}

/// What a token says of its signature.
struct Shown {
    algorithm: Algorithm,
    key: Option<String>,
}

impl Shown {
    fn read(token: &str) -> Result<Self, Refused> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(no(format!("the token is longer than {MAX_TOKEN_BYTES} bytes")));
        }
        // `none` is no algorithm of the library; it fails here.
        let header = jsonwebtoken::decode_header(token)
            .map_err(|_| no("the token is not a JSON Web Token that is signed with RS256 or ES256"))?;
        if !matches!(header.alg, Algorithm::RS256 | Algorithm::ES256) {
            return Err(no("the token is not signed with RS256 or ES256"));
        }
        if header.crit.is_some()
            || header.enc.is_some()
            || header.zip.is_some()
            || header.extras.inner().contains_key("b64")
        {
            return Err(no("the token demands what this server does not know"));
        }
        // Logout tokens and the like are signed by the same keys, and are no proof of who calls.
        let kind = header.typ.as_deref().unwrap_or("JWT").to_ascii_lowercase();
        if !matches!(kind.trim_start_matches("application/"), "jwt" | "at+jwt") {
            return Err(no("the token is not of a kind that says who calls"));
        }
        Ok(Self { algorithm: header.alg, key: header.kid })
    }
}

/// The keys with which an issuer signs.
#[derive(Debug, Clone, Default)]
pub struct KeySet {
    keys: Vec<Key>,
}

#[derive(Debug, Clone)]
struct Key {
    id: Option<String>,
    algorithm: Algorithm,
    key: DecodingKey,
}

impl KeySet {
    /// Reads a JSON Web Key Set. Keys for other purposes, of other kinds or too short are left out.
    ///
    /// # Errors
    /// A sentence, if it is none, too large, or holds no key that we can use.
    pub fn read(text: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<Value>,
        }
        let set: Set =
            serde_json::from_slice(text).map_err(|_| "its keys are not a JSON Web Key Set".to_owned())?;
        if set.keys.len() > MAX_KEYS {
            return Err(format!("it has more than {MAX_KEYS} keys"));
        }
        let keys: Vec<Key> = set.keys.into_iter().filter_map(Key::read).collect();
        if keys.is_empty() {
            return Err("none of its keys is for signatures with RS256 or ES256".to_owned());
        }
        Ok(Self { keys })
    }

    /// The keys that may have signed. A token without the id of a key is taken only where there is no choice.
    fn candidates(&self, shown: &Shown) -> Result<Vec<&Key>, Refused> {
        let fitting = || self.keys.iter().filter(|key| key.algorithm == shown.algorithm);
        match &shown.key {
            Some(id) => {
                let named: Vec<&Key> = fitting().filter(|key| key.id.as_ref() == Some(id)).collect();
                if named.is_empty() { Err(Refused::UnknownKey) } else { Ok(named) }
            }
            None if fitting().count() > 1 => Err(no("the token does not say which key signed it")),
            None => fitting().next().map(|key| vec![key]).ok_or(Refused::UnknownKey),
        }
    }
}

impl Key {
    fn read(value: Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(value).ok()?;
        let algorithm = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => Algorithm::RS256,
            AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => {
                Algorithm::ES256
            }
            _ => return None,
        };
        if !for_signatures(&jwk.common, algorithm) {
            return None;
        }
        let key = DecodingKey::from_jwk(&jwk).ok()?;
        let fits = match key.kind() {
            DecodingKeyKind::RsaModulusExponent { n, .. } => {
                RSA_BYTES.contains(&n.iter().skip_while(|byte| **byte == 0).count())
            }
            DecodingKeyKind::SecretOrDer(point) => point.len() == 65,
        };
        fits.then_some(Self { id: jwk.common.key_id, algorithm, key })
    }

    /// The claims, if this key signed them.
    fn claims(&self, token: &str, algorithm: Algorithm) -> Option<Claims> {
        let mut only_the_signature = Validation::new(algorithm);
        only_the_signature.required_spec_claims.clear();
        only_the_signature.validate_exp = false;
        only_the_signature.validate_nbf = false;
        only_the_signature.validate_aud = false;
        jsonwebtoken::decode::<Claims>(token, &self.key, &only_the_signature).ok().map(|data| data.claims)
    }
}

fn for_signatures(common: &CommonParameters, algorithm: Algorithm) -> bool {
    let wanted = if algorithm == Algorithm::RS256 { KeyAlgorithm::RS256 } else { KeyAlgorithm::ES256 };
    common.public_key_use.as_ref().is_none_or(|usage| *usage == PublicKeyUse::Signature)
        && common.key_operations.as_ref().is_none_or(|all| all.contains(&KeyOperations::Verify))
        && common.key_algorithm.is_none_or(|named| named == wanted)
}
