//! Data at rest: every object under a data key of its own, every use of a key written down before it happens.

use crate::core::NewEntry;
use crate::record::Fact;
use crate::{Engine, Error};
use aws_lc_rs::digest::{Context, SHA256};
use facts::{Actor, Digest, KeyId};
use guard::{Action, Resource};
use ledger::Outcome;
use privacy::envelope::{self, Edk, EnvelopeError, Header, Sealing};
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::Arc;
use world::{Content, DataKey, KeyService, Kind, WrappedKey};
use zeroize::Zeroizing;

/// Where a sealed object is, and what it was.
pub(crate) struct Sealed {
    /// Name in the object store.
    pub(crate) object: String,
    /// Digest of the stored, encrypted bytes.
    pub(crate) object_digest: Digest,
    /// Digest of the plain bytes.
    pub(crate) digest: Digest,
}

/// A message as it is stored, sealed anew each time that it is read: what is in memory is its content and one frame.
struct Message<'a>(Sealing<'a>);

impl<'a> Message<'a> {
    fn new(
        plain: &'a [u8],
        data_key: &DataKey,
        message_id: [u8; 32],
        edk: &Edk,
        context: &BTreeMap<String, String>,
    ) -> Result<Self, Error> {
        let sealing = Sealing::new(plain, &data_key.0, message_id, std::slice::from_ref(edk), context);
        sealing.map(Self).map_err(|error| Error::damaged(error.to_string()))
    }

    /// The digest of all of it, which is its name.
    fn digest(&self) -> Result<Digest, Error> {
        let mut hash = Context::new(&SHA256);
        for piece in self.0.pieces() {
            hash.update(&piece.map_err(|error| Error::damaged(error.to_string()))?);
        }
        let bytes = hash.finish().as_ref().try_into();
        bytes.map(Digest::from_bytes).map_err(|_| Error::damaged("a digest of another length than SHA-256's"))
    }
}

impl Content for Message<'_> {
    fn length(&self) -> u64 {
        self.0.length()
    }

    fn reader(&self) -> Box<dyn Read + '_> {
        Box::new(Pieces { pieces: Box::new(self.0.pieces()), piece: Vec::new(), at: 0 })
    }
}

/// Reads pieces one after the other.
struct Pieces<'a> {
    pieces: Box<dyn Iterator<Item = Result<Vec<u8>, EnvelopeError>> + 'a>,
    piece: Vec<u8>,
    at: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.at == self.piece.len() {
            match self.pieces.next() {
                Some(piece) => (self.piece, self.at) = (piece.map_err(io::Error::other)?, 0),
                None => return Ok(0),
            }
        }
        let read = (&self.piece[self.at..]).read(into)?;
        self.at += read;
        Ok(read)
    }
}

/// What a sealed object is bound to beside the organisation: its kind and the thing it belongs to.
pub(crate) fn context(kind: &str, subject: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("kind".to_owned(), kind.to_owned()), ("subject".to_owned(), subject.to_owned())])
}

impl Engine {
    /// Encrypts and stores. The name is the digest of the encrypted bytes under `kind/`.
    pub(crate) fn seal(
        &mut self,
        actor: &Actor,
        key: &KeyId,
        context: &BTreeMap<String, String>,
        plain: &[u8],
    ) -> Result<Sealed, Error> {
        let keys = self.key_use(actor, key, "encrypt", context)?;
        let (data_key, wrapped) =
            keys.generate_data_key(key, context).map_err(|error| self.explain_key(key, error))?;
        let edk = Edk { provider: wrapped.provider, info: wrapped.info, ciphertext: wrapped.ciphertext };
        let message = Message::new(plain, &data_key, self.random()?, &edk, context)?;
        let object_digest = message.digest()?;
        let kind = context.get("kind").map_or("object", String::as_str);
        let object = format!("{kind}/{}", object_digest.to_hex());
        self.ports.objects.put_from(&object, &message)?;
        Ok(Sealed { object, object_digest, digest: Digest::of(plain) })
    }

    /// Reads and decrypts; refuses what is not byte for byte what was recorded.
    pub(crate) fn unseal(
        &mut self,
        actor: &Actor,
        key: &KeyId,
        context: &BTreeMap<String, String>,
        (object, expected): (&str, &Digest),
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let keys = self.key_use(actor, key, "decrypt", context)?;
        let bytes = self.ports.objects.get(object)?;
        let damaged =
            |why: String| Error::damaged(format!("the object `{object}` is not what was recorded: {why}"));
        let header = Header::parse(&bytes).map_err(|error| damaged(error.to_string()))?;
        if header.context() != context {
            return Err(damaged("it was sealed for something else".to_owned()));
        }
        let edk = header.edks().first().ok_or_else(|| damaged("it names no key".to_owned()))?;
        let wrapped = WrappedKey {
            provider: edk.provider.clone(),
            info: edk.info.clone(),
            ciphertext: edk.ciphertext.clone(),
        };
        let data_key: DataKey =
            keys.unwrap_data_key(key, &wrapped, context).map_err(|error| self.explain_key(key, error))?;
        let plain =
            Zeroizing::new(envelope::open(&bytes, &data_key.0).map_err(|error| damaged(error.to_string()))?);
        if Digest::of(&plain) != *expected {
            return Err(damaged("its digest differs".to_owned()));
        }
        Ok(plain)
    }

    /// Asks whether `actor` may use `key`, and writes the use down before it happens. Returns the key service as the one who
    /// may: the house, or a grantee.
    pub(crate) fn key_use(
        &mut self,
        actor: &Actor,
        key: &KeyId,
        operation: &str,
        context: &BTreeMap<String, String>,
    ) -> Result<Arc<dyn KeyService>, Error> {
        let mut resource = self.key_resource(key)?;
        let granted = self.granted(actor, (&resource, operation), context);
        if let Some(granted) = &granted {
            self.not_ended(actor, &resource, granted)?;
        }
        if let (Some(granted), Resource::Key { users, .. }) = (&granted, &mut resource) {
            users.push(granted.role.clone());
        }
        self.authorise(actor, Action::KeyUse, &resource)?;
        let fact = Fact::KeyUsed {
            key: key.clone(),
            operation: operation.to_owned(),
            context: context.clone(),
            grant: granted.as_ref().map(|granted| granted.grant.id.clone()),
        };
        let name = resource.name();
        self.record(vec![NewEntry {
            actor,
            action: Action::KeyUse.as_str(),
            resource: &name,
            outcome: Outcome::Done,
            fact,
        }])?;
        Ok(match granted {
            Some(granted) => Arc::from(self.ports.keys.for_grantee(&granted.grant.terms.grantee)?),
            None => Arc::clone(&self.ports.keys),
        })
    }

    /// The key as the charter describes it.
    pub(crate) fn key_resource(&self, key: &KeyId) -> Result<Resource, Error> {
        let charter = self.charter()?;
        let key = charter.key(key).ok_or_else(|| {
            let known: Vec<_> = charter.charter().keys.iter().map(|key| format!("`{}`", key.id)).collect();
            Error::not_found(format!("there is no key `{key}` in the charter"))
                .with_help(format!("keys: {}", known.join(", ")))
        })?;
        Ok(Resource::Key {
            id: key.id.clone(),
            administrators: key.administrators.clone(),
            users: key.users.clone(),
        })
    }

    /// A disabled key is a decision, not an accident: say who can undo it.
    pub(crate) fn explain_key(&self, key: &KeyId, error: world::PortError) -> Error {
        if error.kind() != Kind::Disabled {
            return Error::Port(error);
        }
        let roles = self.state.charter().and_then(|charter| charter.key(key)).map(|key| {
            key.administrators.iter().map(|role| format!("`{role}`")).collect::<Vec<_>>().join(" or ")
        });
        let who = roles.unwrap_or_else(|| "an administrator of the key".to_owned());
        Error::Port(error).with_help(format!("{who} can enable it: `wardmote key enable {key}`"))
    }
}
