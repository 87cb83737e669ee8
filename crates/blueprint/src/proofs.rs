//! What is proved of a template, whoever wrote it: that nobody but those whom the charter names reads data or opens it
//! with a key, whatever the policies of identities say.

use crate::site::{Site, artefacts, capture, data_bucket, key_id, model_key, role_id, signs};
use charter::model::Model;
use controls::{Estate, Node, Piece, Resource, State, Value};
use facts::RoleId;
use iam::prove::{Grants, Proof, access_not_granted};
use iam::{Layers, Policy, PolicyKind, Program};
use serde::Serialize;
use serde_json::{Map, Value as Json};

/// The account in which a template is imagined.
const ACCOUNT: &str = "111122223333";
/// Whatever an administrator may have given himself.
const ANYTHING: &str =
    r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;

/// Something that must be so of a template, by logical ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The sentence.
    pub sentence: String,
    /// The bucket or key that it is about.
    subject: String,
    is_key: bool,
    actions: &'static [&'static str],
    /// The roles that may.
    except: Vec<String>,
}

/// What became of a claim.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "result")]
pub enum Outcome {
    /// There is no request that gets past it.
    Proved,
    /// This one does.
    Refuted {
        /// As `wardmote iam` writes requests.
        witness: Json,
    },
    /// Not decided, and why.
    Unknown {
        /// Why.
        cause: String,
    },
    /// The template does not have what it is about.
    Absent,
}

impl Outcome {
    /// One word for people.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Proved => "proved",
            Self::Refuted { .. } => "refuted",
            Self::Unknown { .. } => "unknown",
            Self::Absent => "absent",
        }
    }
}

const READ: [&str; 2] = ["s3:GetObject", "s3:GetObjectVersion"];
const WRITE: [&str; 4] =
    ["s3:PutObject", "s3:DeleteObjectVersion", "s3:PutObjectTagging", "s3:DeleteObjectTagging"];
const OPEN: [&str; 4] = ["kms:Decrypt", "kms:ReEncryptFrom", "kms:GenerateDataKey", "kms:Encrypt"];
const SIGN: [&str; 1] = ["kms:Sign"];
const GRANT: [&str; 1] = ["kms:CreateGrant"];

pub(crate) fn claims(site: &Site<'_>) -> Vec<Claim> {
    let mut all = Vec::new();
    for dataset in &site.charter.datasets {
        let bucket = data_bucket(dataset);
        let but = names(&dataset.readers);
        all.push(claim(format!("nobody but {but} reads {}", dataset.id), &bucket, &READ, &dataset.readers));
        let but = names(&dataset.writers);
        all.push(claim(format!("nobody but {but} writes {}", dataset.id), &bucket, &WRITE, &dataset.writers));
    }
    for key in &site.charter.keys {
        let (id, but) = (key_id(key), names(&key.users));
        let (verb, actions): (_, &'static [&'static str]) =
            if signs(key) { ("signs", &SIGN) } else { ("opens or seals", &OPEN) };
        let administrators = names(&key.administrators);
        let said = format!("nobody but {but}, so not {administrators}, {verb} with {}", key.id);
        all.push(Claim { is_key: true, ..claim(said, &id, actions, &key.users) });
        let said = format!("nobody gives {} away by a grant", key.id);
        all.push(Claim { is_key: true, ..claim(said, &id, &GRANT, &[]) });
    }
    for model in &site.charter.models {
        all.extend(of_model(site, model));
    }
    all
}

fn of_model(site: &Site<'_>, model: &Model) -> [Claim; 3] {
    let makers: Vec<RoleId> = site.makers(model).into_iter().cloned().collect();
    let serving = || crate::serving::roles(model);
    let but = names(&makers);
    let mut opens = claim(
        format!("nobody but {but} and the roles that serve it opens what is made of {}", model.name),
        &model_key(model),
        &OPEN,
        &makers,
    );
    opens.is_key = true;
    opens.except.extend(serving());
    let said = format!("nobody but {but} writes versions of {}", model.name);
    let writes = claim(said, &artefacts(model), &WRITE, &makers);
    let watchers: Vec<RoleId> = makers
        .iter()
        .filter(|id| site.roles.get(id).is_some_and(|role| role.trains.is_empty()))
        .cloned()
        .collect();
    let said = format!(
        "nobody but {} and the roles that serve it reads what {} was asked",
        names(&watchers),
        model.name
    );
    let mut reads = claim(said, &capture(model), &READ, &watchers);
    reads.except.extend(serving());
    [opens, writes, reads]
}

fn claim(sentence: String, subject: &str, actions: &'static [&'static str], except: &[RoleId]) -> Claim {
    let except = except.iter().map(role_id).collect();
    Claim { sentence, subject: subject.to_owned(), is_key: false, actions, except }
}

fn names(roles: &[RoleId]) -> String {
    let mut all: Vec<&str> = roles.iter().map(RoleId::as_str).collect();
    all.sort_unstable();
    all.dedup();
    if all.is_empty() { "the root user".to_owned() } else { all.join(", ") }
}

impl Claim {
    /// Proves or refutes it of a template.
    #[must_use]
    pub fn prove(&self, estate: &Estate) -> Outcome {
        let Some(subject) = estate.named(&self.subject) else { return Outcome::Absent };
        let (policy, kind) = match self.is_key {
            true => (document(estate, subject, "KeyPolicy"), PolicyKind::KmsKey),
            false => (bucket_policy(estate, subject), PolicyKind::Resource),
        };
        let policy = match policy {
            Ok(policy) => policy,
            Err(cause) => return Outcome::Unknown { cause },
        };
        let Ok(anything) = Policy::parse("anything", ANYTHING) else {
            return Outcome::Unknown { cause: "the widest policy cannot be read".to_owned() };
        };
        let layers = Layers {
            identity: vec![Program::new(anything, PolicyKind::Identity)],
            resource: Some(Program::new(policy, kind)),
            ..Layers::default()
        };
        let resource = match self.is_key {
            true => attribute(estate, &self.subject, Some("Arn")),
            false => format!("{}/*", attribute(estate, &self.subject, Some("Arn"))),
        };
        let grants = Grants {
            actions: self.actions.iter().map(|action| (*action).to_owned()).collect(),
            resources: vec![resource],
            except: self.except.iter().map(|role| attribute(estate, role, Some("Arn"))).collect(),
        };
        match access_not_granted(&layers, &grants, Some(ACCOUNT)) {
            Proof::Proved => Outcome::Proved,
            Proof::Witness(request) => Outcome::Refuted { witness: iam::request_json(&request) },
            Proof::Unknown(cause) => Outcome::Unknown { cause: cause.to_owned() },
        }
    }
}

fn bucket_policy(estate: &Estate, bucket: &Resource) -> Result<Policy, String> {
    let mut own =
        estate.of_kind("AWS::S3::BucketPolicy").filter(|policy| match policy.property(&["Bucket"]) {
            State::Known(node) => estate.refers(node, bucket),
            _ => false,
        });
    match (own.next(), own.next()) {
        (Some(policy), None) => document(estate, policy, "PolicyDocument"),
        (None, _) => Policy::parse("none", r#"{"Version": "2012-10-17", "Statement": []}"#)
            .map_err(|_| format!("`{}` has no policy", bucket.id)),
        (Some(_), Some(_)) => Err(format!("`{}` has two policies", bucket.id)),
    }
}

fn document(estate: &Estate, resource: &Resource, property: &str) -> Result<Policy, String> {
    let node = match resource.property(&[property]) {
        State::Known(node) => node,
        State::Unknown(cause) => return Err(cause),
        State::Absent => return Err(format!("`{}` has no `{property}`", resource.id)),
    };
    let text = json(estate, node)?.to_string();
    Policy::parse(&resource.id, &text).map_err(|wrong| {
        let said = wrong.0.first().map_or("it is no policy", |first| first.message.as_str());
        format!("the policy of `{}` cannot be read: {said}", resource.id)
    })
}

/// The value with stand-ins for what is known only at deployment; what could be anything makes it unknown.
fn json(estate: &Estate, node: &Node) -> Result<Json, String> {
    Ok(match &node.value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Number(text) | Value::Text(text) => Json::String(text.clone()),
        Value::List(items) => items.iter().map(|item| json(estate, item)).collect::<Result<_, _>>()?,
        Value::Map(members) => {
            let pairs = members.iter().map(|member| Ok((member.key.clone(), json(estate, &member.node)?)));
            Json::Object(pairs.collect::<Result<Map<_, _>, String>>()?)
        }
        Value::Open(pieces) => {
            let part = |piece: &Piece| match piece {
                Piece::Text(text) => Ok(text.clone()),
                Piece::Pseudo(name) => Ok(pseudo(name).to_owned()),
                Piece::Edge(edge) => Ok(attribute(estate, &edge.to, edge.attribute.as_deref())),
                Piece::Hole(hole) => Err(hole.cause.clone()),
            };
            Json::String(pieces.iter().map(part).collect::<Result<String, String>>()?)
        }
    })
}

fn pseudo(name: &str) -> &'static str {
    match name {
        "AWS::AccountId" => ACCOUNT,
        "AWS::Region" => "eu-central-1",
        "AWS::Partition" => "aws",
        "AWS::URLSuffix" => "amazonaws.com",
        _ => "stack",
    }
}

/// What an attribute of a resource will look like.
fn attribute(estate: &Estate, id: &str, attribute: Option<&str>) -> String {
    let kind = estate.named(id).map_or("AWS::IAM::Role", |resource| resource.kind.as_str());
    match (kind, attribute) {
        ("AWS::S3::Bucket", Some("Arn")) => format!("arn:aws:s3:::{}", id.to_lowercase()),
        ("AWS::S3::Bucket", _) => id.to_lowercase(),
        ("AWS::IAM::Role", Some("Arn")) => format!("arn:aws:iam::{ACCOUNT}:role/{id}"),
        ("AWS::KMS::Key", Some("Arn")) => format!("arn:aws:kms:eu-central-1:{ACCOUNT}:key/{id}"),
        ("AWS::EC2::VPCEndpoint", _) => "vpce-0123456789abcdef0".to_owned(),
        _ => id.to_owned(),
    }
}
