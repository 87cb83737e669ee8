//! Keys in KMS, found by alias: `data` is `alias/PREFIXdata`.
//!
//! A key that encrypts is two keys of KMS, because none both wraps and derives: a symmetric one, and an HMAC key under
//! `alias/PREFIXdata/derivation`, which never rotates, so that pseudonyms stay the same. The first alias is made last:
//! the key exists when it does. Wrapped keys are those of an `aws-kms` keyring of the AWS Encryption SDK: what is
//! sealed with them opens there. Who administers and who uses can be different callers, and different in key policies.

mod api;
mod grants;
mod policy;
mod usage;

pub use usage::KeyUse;

use crate::client::Client;
use crate::error::{AwsError, Trouble};
use crate::operation::Operation;
use crate::pages::Question;
use crate::permissions::PolicyDocument;
use api::{
    CREATE_ALIAS, CREATE_KEY, CreateAlias, CreateKey, DECRYPT, DESCRIBE_KEY, DISABLE_KEY, Decrypt, Decrypted,
    Described, ENABLE_KEY, GENERATE_DATA_KEY, GENERATE_MAC, GET_PUBLIC_KEY, GenerateDataKey, GenerateMac,
    Generated, LIST_ROTATIONS, Mac, Metadata, Named, Public, Purpose, ROTATE_KEY, Rotations,
    SCHEDULE_DELETION, SIGN, ScheduleDeletion, Sign, Signature, Tag,
};
use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use facts::{Arn, KeyId};
use serde::Serialize;
use serde_json::json;
use std::time::Duration;
use world::{
    DataKey, EncryptionContext, Grant, KeyService, KeyState, Kind, NewGrant, PortError, PublicKey, WrappedKey,
};
use zeroize::Zeroizing;

/// The key provider's name in wrapped keys, as in the AWS Encryption SDK.
const PROVIDER: &str = "aws-kms";
/// What every subject of derivation begins with; local keys have it too.
const DOMAIN: &str = "wardmote pseudonymisation domain";
/// KMS forgets a key at the earliest after so many days.
const SHORTEST_DELETION_DAYS: u32 = 7;
/// KMS is eventually consistent: what was made may not be found at once.
const LOOKS: u32 = 6;

/// Where keys are, and what new ones are like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySettings {
    /// What all aliases begin with, after `alias/`: `wardmote/bank/`.
    pub prefix: String,
    /// The roles that administer new keys and cannot use them. Empty: IAM policies of the account say who can.
    pub administrators: Vec<Arn>,
    /// The roles that use new keys and cannot administer them.
    pub users: Vec<Arn>,
}

/// Keys in KMS.
#[derive(Clone)]
pub struct KmsKeys {
    user: Client,
    administrator: Client,
    settings: KeySettings,
}

impl KmsKeys {
    /// Keys that `client` uses and administers, unless [`KmsKeys::administered_by`] names another. Nothing is called yet.
    pub fn new(client: Client, settings: KeySettings) -> Result<Self, PortError> {
        policy::check(&settings)?;
        Ok(Self { user: client.clone(), administrator: client, settings })
    }

    /// The same, administered by another caller.
    #[must_use]
    pub fn administered_by(mut self, client: Client) -> Self {
        self.administrator = client;
        self
    }

    /// The smallest policy with which these uses of keys work, as far as the caller who uses keys makes the calls.
    pub fn permissions_to_use(&self, uses: &[KeyUse]) -> Result<PolicyDocument, PortError> {
        self.permissions(&self.user, uses.iter().flat_map(|one| one.calls().0))
    }

    /// The same, as far as the caller who administers keys makes the calls.
    pub fn permissions_to_administer(&self, uses: &[KeyUse]) -> Result<PolicyDocument, PortError> {
        self.permissions(&self.administrator, uses.iter().flat_map(|one| one.calls().1))
    }

    fn permissions<'o>(
        &self,
        client: &Client,
        operations: impl Iterator<Item = &'o &'static Operation>,
    ) -> Result<PolicyDocument, PortError> {
        let place = (client.partition()?.name, client.region()?);
        let operations: Vec<&Operation> = operations.copied().collect();
        Ok(policy::of_caller(&self.settings, &operations, place))
    }

    fn alias(&self, key: &KeyId) -> String {
        format!("alias/{}{key}", self.settings.prefix)
    }

    fn derivation(&self, key: &KeyId) -> String {
        format!("{}/derivation", self.alias(key))
    }

    fn describe(&self, alias: &str) -> Result<Metadata, AwsError> {
        let input = Named { key_id: alias };
        self.administrator.json::<Described>(&DESCRIBE_KEY, &input).map(|described| described.key_metadata)
    }

    fn absent(&self, alias: &str) -> Result<bool, AwsError> {
        match self.describe(alias) {
            Ok(_) => Ok(false),
            Err(error) if error.trouble() == Trouble::Absent => Ok(true),
            Err(error) => Err(error),
        }
    }

    fn make(&self, key: &KeyId, purpose: Purpose) -> Result<(), PortError> {
        let exists = || PortError::new(Kind::Conflict, format!("the key `{key}` exists already"));
        let wrong = |error: AwsError| explain(key, &error);
        if !self.absent(&self.alias(key)).map_err(wrong)? {
            return Err(exists());
        }
        // Left from a key that was not finished, it is as good as new: nothing was derived from it.
        if purpose == Purpose::Encrypt && self.absent(&self.derivation(key)).map_err(wrong)? {
            let derivation = self.derivation(key);
            // If somebody else was faster, theirs is as good.
            self.make_one(key, Purpose::Derive, &derivation)?;
        }
        if self.make_one(key, purpose, &self.alias(key))? { Ok(()) } else { Err(exists()) }
    }

    /// A key of KMS under an alias; false if the alias is another's.
    fn make_one(&self, key: &KeyId, purpose: Purpose, alias: &str) -> Result<bool, PortError> {
        let (key_usage, key_spec) = purpose.words();
        let input = CreateKey {
            description: format!("wardmote: {key}"),
            key_usage,
            key_spec,
            policy: policy::of_key(&self.settings),
            tags: [Tag { tag_key: policy::TAG, tag_value: &self.settings.prefix }],
        };
        let described: Described =
            self.administrator.json(&CREATE_KEY, &input).map_err(|error| explain(key, &error))?;
        let arn = described.key_metadata.arn;
        let input = CreateAlias { alias_name: alias, target_key_id: &arn };
        let named = settle(|| match self.administrator.call_without_answer(&CREATE_ALIAS, &input) {
            Err(error) if error.code() == "AlreadyExistsException" => {
                // Perhaps by us, in an attempt whose answer was lost.
                self.describe(alias).map(|there| there.arn == arn)
            }
            done => done.map(|()| true),
        });
        match named {
            Ok(true) => {
                settle(|| self.describe(alias)).map_err(|error| explain(key, &error))?;
                Ok(true)
            }
            other => {
                let input = ScheduleDeletion { key_id: &arn, pending_window_in_days: SHORTEST_DELETION_DAYS };
                let gone = self.administrator.call_without_answer(&SCHEDULE_DELETION, &input).is_ok();
                match other {
                    Err(error) if gone => Err(explain(key, &error)),
                    Err(error) => Err(explain(key, &error).with_help(format!(
                        "schedule the deletion of `{arn}`, which was made and has no alias"
                    ))),
                    Ok(_) => Ok(false),
                }
            }
        }
    }
}

impl KeyService for KmsKeys {
    fn create(&self, key: &KeyId) -> Result<(), PortError> {
        self.make(key, Purpose::Encrypt)
    }

    fn create_signing(&self, key: &KeyId) -> Result<PublicKey, PortError> {
        self.make(key, Purpose::Sign)?;
        self.public(&self.administrator, key)
    }

    fn state(&self, key: &KeyId) -> Result<KeyState, PortError> {
        let metadata = self.describe(&self.alias(key)).map_err(|error| explain(key, &error))?;
        // Pending import, deletion or a custom store: it cannot be used, and fails closed.
        Ok(if metadata.key_state == "Enabled" { KeyState::Enabled } else { KeyState::Disabled })
    }

    fn set_state(&self, key: &KeyId, state: KeyState) -> Result<(), PortError> {
        let main = self.describe(&self.alias(key)).map_err(|error| explain(key, &error))?;
        let mut arns = vec![main.arn];
        match self.describe(&self.derivation(key)) {
            Ok(derivation) => arns.push(derivation.arn),
            Err(error) if error.trouble() == Trouble::Absent => {}
            Err(error) => return Err(explain(key, &error)),
        }
        // Stopped halfway, a key that says that it is disabled derives nothing: the first alias is the last to be
        // disabled and the first to be enabled.
        let operation = match state {
            KeyState::Enabled => &ENABLE_KEY,
            KeyState::Disabled => {
                arns.reverse();
                &DISABLE_KEY
            }
        };
        arns.iter().try_for_each(|arn| {
            self.administrator
                .call_without_answer(operation, &Named { key_id: arn })
                .map_err(|error| explain(key, &error))
        })
    }

    fn rotate(&self, key: &KeyId) -> Result<u32, PortError> {
        let metadata = self.describe(&self.alias(key)).map_err(|error| explain(key, &error))?;
        if metadata.key_usage != Purpose::Encrypt.words().0 {
            let text = format!("key `{key}` signs; it does not encrypt");
            return Err(PortError::new(Kind::Invalid, text));
        }
        let question = Question::Json(json!({ "KeyId": metadata.arn }));
        let mut versions = 1u32;
        for page in self.administrator.pages::<Rotations>(&LIST_ROTATIONS, question) {
            let page = page.map_err(|error| explain(key, &error))?;
            versions = versions.saturating_add(u32::try_from(page.rotations.len()).unwrap_or(u32::MAX));
        }
        self.administrator
            .call_without_answer(&ROTATE_KEY, &Named { key_id: &metadata.arn })
            .map_err(|error| explain(key, &error))?;
        Ok(versions.saturating_add(1))
    }

    fn generate_data_key(
        &self,
        key: &KeyId,
        context: &EncryptionContext,
    ) -> Result<(DataKey, WrappedKey), PortError> {
        let input =
            GenerateDataKey { key_id: &self.alias(key), encryption_context: context, key_spec: "AES_256" };
        let generated: Generated =
            self.user.json(&GENERATE_DATA_KEY, &input).map_err(|error| explain(key, &error))?;
        let ciphertext = decoded(&generated.ciphertext_blob)?.to_vec();
        let info = generated.key_id.into_bytes();
        Ok((data_key(&generated.plaintext)?, WrappedKey { provider: PROVIDER.to_owned(), info, ciphertext }))
    }

    fn unwrap_data_key(
        &self,
        key: &KeyId,
        wrapped: &WrappedKey,
        context: &EncryptionContext,
    ) -> Result<DataKey, PortError> {
        if wrapped.provider != PROVIDER {
            let text = format!("the data key is wrapped by `{}`: expected `{PROVIDER}`", wrapped.provider);
            return Err(PortError::new(Kind::Damaged, text));
        }
        let ciphertext_blob = STANDARD.encode(&wrapped.ciphertext);
        let input = Decrypt { key_id: &self.alias(key), ciphertext_blob, encryption_context: context };
        let decrypted: Decrypted = self.user.json(&DECRYPT, &input).map_err(|error| explain(key, &error))?;
        // As the AWS Encryption SDK does: the key must be the one that the message names.
        if decrypted.key_id.as_bytes() != wrapped.info {
            return Err(damaged(key));
        }
        data_key(&decrypted.plaintext)
    }

    fn sign(&self, key: &KeyId, message: &[u8]) -> Result<Vec<u8>, PortError> {
        let input = Sign {
            key_id: &self.alias(key),
            message: STANDARD.encode(digest::digest(&digest::SHA256, message)),
            message_type: "DIGEST",
            signing_algorithm: "ECDSA_SHA_256",
        };
        let signed: Signature = self.user.json(&SIGN, &input).map_err(|error| explain(key, &error))?;
        Ok(decoded(&signed.signature)?.to_vec())
    }

    fn public_key(&self, key: &KeyId) -> Result<PublicKey, PortError> {
        self.public(&self.user, key)
    }

    fn derive_secret(&self, key: &KeyId, domain: &str) -> Result<DataKey, PortError> {
        // The first block of HKDF-Expand (RFC 5869, 2.3) with the HMAC key as the pseudorandom key.
        let message = [DOMAIN.as_bytes(), &[0], domain.as_bytes(), &[1]].concat();
        let alias = self.derivation(key);
        let input =
            GenerateMac { key_id: &alias, message: STANDARD.encode(message), mac_algorithm: "HMAC_SHA_256" };
        let mac: Mac = self.user.json(&GENERATE_MAC, &input).map_err(|error| explain(key, &error))?;
        data_key(&mac.mac)
    }

    fn create_grant(&self, key: &KeyId, grant: &NewGrant) -> Result<Grant, PortError> {
        self.give(key, grant)
    }

    fn list_grants(&self, key: &KeyId) -> Result<Vec<Grant>, PortError> {
        self.given(key)
    }

    fn revoke_grant(&self, key: &KeyId, id: &str) -> Result<(), PortError> {
        self.take_back(key, id)
    }

    fn retire_grant(&self, key: &KeyId, id: &str, grantee: &str) -> Result<(), PortError> {
        self.give_back(key, id, grantee)
    }

    fn for_grantee(&self, grantee: &str) -> Result<Box<dyn KeyService>, PortError> {
        self.called_by(grantee)
    }
}

impl KmsKeys {
    fn public(&self, client: &Client, key: &KeyId) -> Result<PublicKey, PortError> {
        let input = Named { key_id: &self.alias(key) };
        let public: Public = client.json(&GET_PUBLIC_KEY, &input).map_err(|error| explain(key, &error))?;
        let text = STANDARD.encode(&*decoded(&public.public_key)?);
        let lines: Vec<&str> =
            (0..text.len()).step_by(64).map(|at| &text[at..text.len().min(at + 64)]).collect();
        Ok(PublicKey(format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))))
    }
}

impl Client {
    /// Calls a JSON operation whose answer says nothing.
    fn call_without_answer(
        &self,
        operation: &'static Operation,
        input: &impl Serialize,
    ) -> Result<(), AwsError> {
        self.call(operation, &crate::wire::Wire::json(operation, input)?).map(|_| ())
    }
}

/// Tries again while what was just made is not found.
fn settle<T>(mut call: impl FnMut() -> Result<T, AwsError>) -> Result<T, AwsError> {
    for look in 1..LOOKS {
        match call() {
            Err(error) if error.trouble() == Trouble::Absent => {
                std::thread::sleep(Duration::from_millis(100 << look));
            }
            result => return result,
        }
    }
    call()
}

fn decoded(text: &str) -> Result<Zeroizing<Vec<u8>>, PortError> {
    let wrong = |_| PortError::new(Kind::Failed, "AWS KMS gave an answer that is not base64");
    STANDARD.decode(text).map(Zeroizing::new).map_err(wrong)
}

fn data_key(text: &str) -> Result<DataKey, PortError> {
    let wrong = |_| PortError::new(Kind::Failed, "AWS KMS gave a key that has not 32 bytes");
    Ok(DataKey(<[u8; 32]>::try_from(decoded(text)?.as_slice()).map_err(wrong)?))
}

fn damaged(key: &KeyId) -> PortError {
    PortError::new(Kind::Damaged, format!("the data key does not open with key `{key}` for this use"))
}

/// What KMS says, in the words of the port.
fn explain(key: &KeyId, error: &AwsError) -> PortError {
    let because = |kind, what: &str| PortError::new(kind, format!("key `{key}` {what}"));
    match error.code() {
        "DisabledException" => because(Kind::Disabled, "is disabled, so what it protects cannot be read"),
        "KMSInvalidStateException" => {
            because(Kind::Disabled, "is being made or deleted, so it cannot be used")
                .with_help("look at its state in AWS KMS; a deletion can be cancelled until its day")
        }
        "NotFoundException" => {
            PortError::new(Kind::Absent, format!("there is no key `{key}` in the key service"))
        }
        "InvalidCiphertextException" | "IncorrectKeyException" => damaged(key),
        "InvalidKeyUsageException" | "UnsupportedOperationException" => because(
            Kind::Invalid,
            "is not of the kind that does this: one that encrypts does not sign, one that signs does not encrypt",
        ),
        "ConflictException" => because(Kind::Conflict, "is being changed by somebody else")
            .with_help("run the command again when that is done"),
        "LimitExceededException" => error.port(Kind::Full).with_help("ask AWS for a higher quota"),
        _ => error.clone().into(),
    }
}
