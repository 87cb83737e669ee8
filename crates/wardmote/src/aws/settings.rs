//! `house.json`: where a house keeps its objects and keys, if not in its folder, where it sends signals, and the adapters
//! that follow from it.

use super::StoreArgs;
use crate::doors::DoorSettings;
use crate::failure::{Exit, Failure};
use crate::house::write_private;
use aws::calls::Counts;
use aws::signals::{LogSettings, SignalSettings, Signals};
use aws::trails::TrailBucket;
use aws::{AwsError, Client, KeySettings, KmsKeys, ObjectSettings, S3Objects, Settings, Sources};
use facts::Arn;
use facts::serving::LogGroup;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::str::FromStr;

/// What the house called since this process began: `/metrics` shows it.
pub(crate) static CALLS: Counts = Counts::new();

const FILE: &str = "house.json";
/// A larger file is not one of ours.
const LARGEST: u64 = 1 << 20;

/// What `house.json` says. Without the file, everything is in the folder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HouseSettings {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    region: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    profile: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    role: Option<Role>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    objects: Option<Objects>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keys: Option<Keys>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signals: Option<Outlets>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    doors: Option<DoorSettings>,
}

/// Whom the house calls as.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Role {
    arn: Arn,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    session_tags: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Objects {
    place: ObjectPlace,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kms_key: Option<Arn>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bucket_owner: Option<Account>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    place: KeyPlace,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    administrators: Vec<Arn>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    users: Vec<Arn>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    administration_profile: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Outlets {
    /// The namespace in CloudWatch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    metrics: Option<String>,
    /// The group of CloudWatch Logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    logs: Option<Logs>,
    /// The SNS topic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alerts: Option<Arn>,
    /// The EventBridge bus.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    events: Option<String>,
    /// The retraining pipeline elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retraining: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Logs {
    group: LogGroup,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kms_key: Option<Arn>,
}

impl HouseSettings {
    /// The settings of a folder.
    pub(crate) fn read(dir: &Path) -> Result<Self, Failure> {
        let path = dir.join(FILE);
        let unreadable = |error| Failure::io(format!("read `{}`", path.display()), error);
        let mut text = String::new();
        match File::open(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(unreadable(error)),
            Ok(file) => file.take(LARGEST).read_to_string(&mut text).map_err(unreadable)?,
        };
        serde_json::from_str(&text).map_err(|error| {
            Failure::new(Exit::Input, format!("`{}` does not say where a house keeps its things: {error}", path.display()))
                .with_help("`wardmote init --objects s3://BUCKET/PREFIX/ --keys kms:alias/PREFIX/` in an empty folder writes such a file")
        })
    }

    /// What somebody typed. The region is kept: in another one, none of the keys would be found.
    pub(crate) fn typed(args: &StoreArgs) -> Result<Self, Failure> {
        let objects = args.objects.clone().map(|place| Objects {
            place,
            kms_key: args.objects_key.clone(),
            bucket_owner: args.bucket_owner.clone(),
        });
        let keys = args.keys.clone().map(|place| Keys {
            place,
            administrators: args.key_administrators.clone(),
            users: args.key_users.clone(),
            administration_profile: args.administration_profile.clone(),
        });
        let sends =
            [args.metrics.is_some(), args.alerts.is_some(), args.events.is_some(), args.retraining.is_some()]
                .contains(&true);
        let signals = sends.then(|| Outlets {
            metrics: args.metrics.clone(),
            logs: args.logs.clone().map(|group| Logs { group, kms_key: args.logs_key.clone() }),
            alerts: args.alerts.clone(),
            events: args.events.clone(),
            retraining: args.retraining.clone(),
        });
        let session_tags = args.session_tags.iter().cloned().collect();
        let role = args.role.clone().map(|arn| Role { arn, session_tags });
        let (region, profile) = (args.region.clone(), args.profile.clone());
        let mut settings = Self { region, profile, role, objects, keys, signals, doors: None };
        if settings.calls() {
            settings.region = Some(settings.client()?.region().map_err(failure)?.to_owned());
            // Names that AWS would misread are refused before anything is written.
            settings.objects()?;
            settings.keys()?;
            settings.signals()?;
        }
        Ok(settings)
    }

    /// Writes them, if they say anything.
    pub(crate) fn write(&self, dir: &Path) -> Result<(), Failure> {
        if *self == Self::default() || *self == Self::read(dir)? {
            return Ok(());
        }
        if dir.join(FILE).exists() {
            let text =
                format!("there is a `{FILE}` in `{}` already, and it says something else", dir.display());
            return Err(Failure::new(Exit::Conflict, text)
                .with_help("edit it; what is stored already does not move by itself"));
        }
        let text = serde_json::to_vec_pretty(self)
            .map_err(|error| Failure::new(Exit::Failed, format!("cannot encode `{FILE}`: {error}")))?;
        Ok(write_private(&dir.join(FILE), &text)?)
    }

    /// Whether the house calls AWS.
    fn calls(&self) -> bool {
        self.objects.is_some() || self.keys.is_some() || self.signals.is_some()
    }

    /// Whether keys are administered by another caller than the one who uses them.
    pub(crate) fn administered_apart(&self) -> bool {
        self.keys.as_ref().is_some_and(|keys| keys.administration_profile.is_some())
    }

    /// A client as the house calls.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        self.client_as(self.profile.as_deref(), self.role.as_ref())
    }

    /// What is in force of the environment and the shared files, as the house calls.
    pub(crate) fn called(&self) -> Result<Settings, Failure> {
        self.called_as(self.profile.as_deref(), self.role.as_ref())
    }

    /// The doors that are open beside access keys.
    pub(crate) fn doors(&self) -> DoorSettings {
        self.doors.clone().unwrap_or_default()
    }

    fn client_as(&self, profile: Option<&str>, role: Option<&Role>) -> Result<Client, Failure> {
        Client::new(self.called_as(profile, role)?).map_err(failure)
    }

    fn called_as(&self, profile: Option<&str>, role: Option<&Role>) -> Result<Settings, Failure> {
        let mut settings = Settings::load(Sources::of_process(), profile).map_err(failure)?;
        if let Some(Role { arn, session_tags }) = role {
            settings = settings.with_role(arn, session_tags);
        }
        if let Some(region) = &self.region {
            settings = settings.with_region(region).map_err(failure)?;
        }
        Ok(settings.watched(|attempt| CALLS.add(attempt)))
    }

    /// The objects, if they are in S3.
    pub(crate) fn objects(&self) -> Result<Option<S3Objects>, Failure> {
        let Some(Objects { place, kms_key, bucket_owner }) = &self.objects else { return Ok(None) };
        self.bucket(place, kms_key.as_ref(), bucket_owner.as_ref()).map(Some)
    }

    /// A part of a bucket, as the house calls.
    pub(crate) fn bucket(
        &self,
        place: &ObjectPlace,
        key: Option<&Arn>,
        owner: Option<&Account>,
    ) -> Result<S3Objects, Failure> {
        let settings = ObjectSettings {
            bucket: place.bucket.clone(),
            prefix: place.prefix.clone(),
            kms_key: key.map(ToString::to_string),
            owner: owner.map(|account| account.0.clone()),
            path_style: false,
        };
        Ok(S3Objects::new(self.client()?, settings)?)
    }

    /// The bucket of a trail, as the house calls.
    pub(crate) fn trail(&self, place: &ObjectPlace, owner: Option<&Account>) -> Result<TrailBucket, Failure> {
        let owner = owner.map(|account| account.0.as_str());
        TrailBucket::new(self.client()?, &place.bucket, &place.prefix, owner).map_err(failure)
    }

    /// The keys, if they are in KMS.
    pub(crate) fn keys(&self) -> Result<Option<KmsKeys>, Failure> {
        let Some(keys) = &self.keys else { return Ok(None) };
        let settings = KeySettings {
            prefix: keys.place.0.clone(),
            administrators: keys.administrators.clone(),
            users: keys.users.clone(),
        };
        let service = KmsKeys::new(self.client()?, settings)?;
        Ok(Some(match &keys.administration_profile {
            Some(profile) => service.administered_by(self.client_as(Some(profile), None)?),
            None => service,
        }))
    }

    /// The namespace of figures, if they are sent.
    pub(crate) fn namespace(&self) -> Option<&str> {
        self.signals.as_ref()?.metrics.as_deref()
    }

    /// The ways out for figures and alerts, if there are any.
    pub(crate) fn signals(&self) -> Result<Option<Signals>, Failure> {
        let Some(outlets) = &self.signals else { return Ok(None) };
        let settings = SignalSettings {
            namespace: outlets.metrics.clone(),
            logs: outlets
                .logs
                .as_ref()
                .map(|logs| LogSettings { group: logs.group.clone(), key: logs.kms_key.clone() }),
            topic: outlets.alerts.clone(),
            bus: outlets.events.clone(),
            pipeline: outlets.retraining.clone(),
        };
        Signals::new(self.client()?, settings).map(Some).map_err(failure)
    }
}

/// A failure to call, as the command line sees it.
pub(crate) fn failure(error: AwsError) -> Failure {
    world::PortError::from(error).into()
}

/// A bucket and what all names in it begin with: `s3://BUCKET/PREFIX/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct ObjectPlace {
    bucket: String,
    /// Empty, or ending in a slash.
    prefix: String,
}

impl FromStr for ObjectPlace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!("`{}` is not a place for objects: expected `s3://BUCKET/PREFIX/`", text.escape_debug())
        };
        let rest = text.strip_prefix("s3://").ok_or_else(wrong)?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(wrong());
        }
        let end = if prefix.is_empty() || prefix.ends_with('/') { "" } else { "/" };
        Ok(Self { bucket: bucket.to_owned(), prefix: format!("{prefix}{end}") })
    }
}

impl fmt::Display for ObjectPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.prefix)
    }
}

/// What all aliases of keys begin with: `kms:alias/PREFIX/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct KeyPlace(String);

impl FromStr for KeyPlace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let prefix = text.strip_prefix("kms:alias/").filter(|prefix| !prefix.is_empty());
        prefix.map(|prefix| Self(prefix.to_owned())).ok_or_else(|| {
            format!("`{}` is not a place for keys: expected `kms:alias/PREFIX/`", text.escape_debug())
        })
    }
}

impl fmt::Display for KeyPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "kms:alias/{}", self.0)
    }
}

/// The number of an account: twelve digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Account(String);

impl FromStr for Account {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!("`{}` is not the number of an account: expected twelve digits", text.escape_debug()))
        }
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// In the file, each of them is its text.
macro_rules! as_text {
    ($($kind:ident),*) => {$(
        impl TryFrom<String> for $kind {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                text.parse()
            }
        }

        impl From<$kind> for String {
            fn from(value: $kind) -> Self {
                value.to_string()
            }
        }
    )*};
}

as_text!(ObjectPlace, KeyPlace, Account);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_written_as_they_are_read() {
        for (text, written) in [
            ("s3://bank", "s3://bank/"),
            ("s3://bank/", "s3://bank/"),
            ("s3://bank/house", "s3://bank/house/"),
            ("s3://bank/a/b/", "s3://bank/a/b/"),
        ] {
            assert_eq!(text.parse::<ObjectPlace>().unwrap().to_string(), written);
        }
        assert_eq!("kms:alias/bank/".parse::<KeyPlace>().unwrap().to_string(), "kms:alias/bank/");
        for wrong in ["", "bank", "s3:bank", "s3:///house/", "S3://bank"] {
            assert!(wrong.parse::<ObjectPlace>().is_err(), "{wrong}");
        }
        for wrong in ["", "kms:", "kms:alias/", "kms:bank", "alias/bank"] {
            assert!(wrong.parse::<KeyPlace>().is_err(), "{wrong}");
        }
        for wrong in ["", "12345678901", "1234567890123", "12345678901x"] {
            assert!(wrong.parse::<Account>().is_err(), "{wrong}");
        }
    }
}
