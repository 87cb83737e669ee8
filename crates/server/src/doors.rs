//! Who calls: an access key of the house, a token of an identity provider, or a signed call to AWS STS. The checks are
//! `guard::door`'s; here is what they need from outside, kept for a while: keys of issuers, answers of STS.
//!
//! Everything fails closed: what cannot be read now lets nobody in.

use facts::{Digest, Timestamp};
use guard::AccessKey;
use guard::door::aws::Sts;
use guard::door::oidc::{KeySet, Refused};
use guard::door::{MAX_TOKEN_BYTES, Recognised, Unrecognised, aws, oidc};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use world::{Clock, PortError};

/// Keys are read again after so many seconds.
const FRESH_SECONDS: i64 = 600;
/// If that fails, known keys count for so long in all.
const STALE_SECONDS: i64 = 3600;
/// However many tokens name keys that are not known: an issuer is asked once in so many seconds.
const ASK_SECONDS: i64 = 60;
/// An answer of STS counts for so many seconds, and never longer than the token.
const ANSWER_SECONDS: i64 = 120;
/// So many answers of STS are kept.
const MAX_ANSWERS: usize = 1024;
/// So many questions to STS are open at the same time.
const MAX_QUESTIONS: usize = 8;

/// What the doors read from outside. Both must bound size and time, and follow no redirection.
pub trait Outside: Send + Sync {
    /// The JSON document at an address.
    ///
    /// # Errors
    /// If there is none.
    fn document(&self, url: &str) -> Result<Vec<u8>, PortError>;

    /// The ARN that STS answers to this call; none if it refuses.
    ///
    /// # Errors
    /// If there is no answer.
    fn caller(&self, call: &aws::Presigned) -> Result<Option<String>, PortError>;
}

/// What was shown: all that stands in place of a name and a password.
pub enum Shown {
    /// An access key of the house.
    Key(AccessKey),
    /// A token of an identity provider.
    Token(String),
    /// A signed call to STS.
    Aws(String),
}

impl Shown {
    /// What a text is; nothing if it is none of them.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        if text.len() > MAX_TOKEN_BYTES {
            None
        } else if text.starts_with(aws::PREFIX) {
            Some(Self::Aws(text.to_owned()))
        } else if oidc::looks_like(text) {
            Some(Self::Token(text.to_owned()))
        } else {
            AccessKey::parse(text).ok().map(Self::Key)
        }
    }
}

/// The doors that are open beside access keys.
pub struct Doors {
    outside: Arc<dyn Outside>,
    clock: Arc<dyn Clock>,
    issuers: Vec<Issuer>,
    aws: Option<Aws>,
}

struct Issuer {
    settings: oidc::Settings,
    known: RwLock<Known>,
    asking: Mutex<()>,
}

/// The keys of an issuer.
#[derive(Clone, Default)]
struct Known {
    keys: Arc<KeySet>,
    /// When they were read.
    read: Option<Timestamp>,
    /// When the issuer was asked last, whatever came of it.
    asked: Option<Timestamp>,
}

struct Aws {
    settings: aws::Settings,
    sts: Sts,
    answers: Mutex<BTreeMap<Digest, (Recognised, i64)>>,
    questions: AtomicUsize,
}

impl Doors {
    /// The doors that these settings open.
    pub fn new(
        outside: Arc<dyn Outside>,
        clock: Arc<dyn Clock>,
        issuers: Vec<oidc::Settings>,
        aws: Option<(aws::Settings, Sts)>,
    ) -> Self {
        let issuer = |settings| Issuer { settings, known: RwLock::default(), asking: Mutex::default() };
        let aws = aws.map(|(settings, sts)| Aws {
            settings,
            sts,
            answers: Mutex::default(),
            questions: AtomicUsize::new(0),
        });
        Self { outside, clock, issuers: issuers.into_iter().map(issuer).collect(), aws }
    }

    /// The doors that are open, in a few words each.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let tokens = self.issuers.iter().map(|issuer| format!("tokens of `{}`", issuer.settings.issuer));
        let aws = self.aws.iter().map(|aws| format!("AWS identities for `{}`", aws.settings.server));
        std::iter::once("access keys".to_owned()).chain(tokens).chain(aws).collect()
    }

    /// Whose token it is. May ask the issuer, so it may take a while.
    ///
    /// # Errors
    /// Why nobody is recognised.
    pub fn token(&self, token: &str) -> Result<Recognised, Unrecognised> {
        if self.issuers.is_empty() {
            return Err(Unrecognised::new("this server takes no tokens of identity providers"));
        }
        let claimed = oidc::claimed_issuer(token);
        let issuer = self.issuers.iter().find(|issuer| claimed.as_ref() == Some(&issuer.settings.issuer));
        let issuer = issuer
            .ok_or_else(|| Unrecognised::new("the token is not of an issuer that this server knows"))?;
        let now = self.clock.now();
        let known = issuer.keys(&*self.outside, now, false);
        match issuer.settings.recognise(token, &known, now) {
            Err(Refused::UnknownKey) => {
                let newer = issuer.keys(&*self.outside, now, true);
                issuer.settings.recognise(token, &newer, now).map_err(|refused| issuer.why(refused))
            }
            other => other.map_err(|refused| issuer.why(refused)),
        }
    }

    /// Whose signed call it is. May ask STS, so it may take a while.
    ///
    /// # Errors
    /// Why nobody is recognised.
    pub fn aws(&self, token: &str) -> Result<Recognised, Unrecognised> {
        let aws =
            self.aws.as_ref().ok_or_else(|| Unrecognised::new("this server takes no AWS identities"))?;
        let now = self.clock.now();
        let call = aws.settings.read(token, &aws.sts, now)?;
        let now = now.unix_ms() / 1000;
        let name = Digest::of(token.as_bytes());
        if let Some((known, _)) = aws.answers().get(&name).filter(|(_, until)| now < *until) {
            return Ok(known.clone());
        }
        let found = aws.ask(&*self.outside, &call)?;
        let mut answers = aws.answers();
        answers.retain(|_, (_, until)| now < *until);
        if answers.len() < MAX_ANSWERS {
            answers.insert(name, (found.clone(), call.ends().min(now + ANSWER_SECONDS)));
        }
        Ok(found)
    }
}

impl Aws {
    fn answers(&self) -> std::sync::MutexGuard<'_, BTreeMap<Digest, (Recognised, i64)>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&self, outside: &dyn Outside, call: &aws::Presigned) -> Result<Recognised, Unrecognised> {
        let open = Open::one(&self.questions)
            .ok_or_else(|| Unrecognised::new("too many AWS identities wait for STS; try again"))?;
        let arn = outside.caller(call);
        drop(open);
        match arn {
            Ok(Some(arn)) => self.settings.recognise(call, &arn),
            Ok(None) => Err(Unrecognised::new("AWS STS does not accept the signature of the token")),
            Err(error) => Err(Unrecognised::new(format!("AWS STS cannot be asked now: {error}"))),
        }
    }
}

/// One of few open questions.
struct Open<'a>(&'a AtomicUsize);

impl<'a> Open<'a> {
    fn one(count: &'a AtomicUsize) -> Option<Self> {
        let open = Self(count);
        (count.fetch_add(1, Ordering::Relaxed) < MAX_QUESTIONS).then_some(open)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Issuer {
    /// The keys that count now; the issuer is asked if they are old, or if one is `missing`.
    fn keys(&self, outside: &dyn Outside, now: Timestamp, missing: bool) -> Arc<KeySet> {
        let known = self.known();
        let age = |since: Option<Timestamp>| since.map_or(i64::MAX, |since| now.seconds_since(since).max(0));
        let wanted = missing || age(known.read) >= FRESH_SECONDS;
        if wanted && age(known.asked) >= ASK_SECONDS {
            // Whoever waits here finds what the one before has read.
            let first = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
            if self.known().asked == known.asked {
                self.ask(outside, now);
            }
            drop(first);
        }
        let known = self.known();
        if age(known.read) < STALE_SECONDS { known.keys } else { Arc::default() }
    }

    fn known(&self) -> Known {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn ask(&self, outside: &dyn Outside, now: Timestamp) {
        let read = || -> Option<KeySet> {
            let configuration = outside.document(&self.settings.discovery_url()).ok()?;
            let url = self.settings.keys_url(&configuration).ok()?;
            KeySet::read(&outside.document(&url).ok()?).ok()
        };
        let keys = read();
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.asked = Some(now);
        if let Some(keys) = keys {
            known.keys = Arc::new(keys);
            known.read = Some(now);
        }
    }

    fn why(&self, refused: Refused) -> Unrecognised {
        match refused {
            Refused::No(why) => why,
            Refused::UnknownKey => Unrecognised::new(format!(
                "`{}` has no key that signed the token, or cannot be asked for its keys now",
                self.settings.issuer
            )),
        }
    }
}
