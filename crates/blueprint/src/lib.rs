//! The reference architecture on AWS that follows from a charter: one CloudFormation template with keys, buckets, roles,
//! a network, serving, an API, records, rules and alarms; a diagram of it; and what is proved of it. Pure: a charter in,
//! text out, always the same.
//!
//! One file for each area; [`template`] holds the pieces, [`yaml`] writes them, [`site`] says what the charter means for
//! an account. [`Claim`]s are proved of any template, so that the deployed one can be compared with the next.

mod alarms;
mod api;
mod buckets;
mod diagram;
mod firewall;
mod keys;
mod network;
mod parts;
mod proofs;
mod roles;
mod rules;
mod serving;
mod sign_in;
mod site;
mod svg;
mod template;
mod trail;
mod yaml;

pub use diagram::Diagram;
pub use parts::{Limits, Parts, joined};
pub use proofs::{Claim, Outcome};
pub use template::{MOST_BYTES, MOST_BYTES_INLINE, MOST_RESOURCES, Template, Unbuildable};
pub use trail::log_days;

use crate::site::Site;
use crate::template::{Output, Parameter, arn, sub, to};
use charter::Checked;

/// Who says who a caller of the API is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Authoriser {
    /// Signatures of IAM.
    #[default]
    Iam,
    /// Tokens of a Cognito user pool.
    Cognito,
}

/// What a charter does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Settings {
    /// Who says who a caller of the API is.
    pub authoriser: Authoriser,
    /// Whether the API is reached through PrivateLink only. With Cognito it always is.
    pub private: bool,
}

/// A template and what is said of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Blueprint {
    /// The template.
    pub template: Template,
    /// The picture of it.
    pub diagram: Diagram,
    /// What must be provable of it.
    pub claims: Vec<Claim>,
    /// What it leaves to others, in sentences.
    pub left_out: Vec<String>,
}

/// Draws the reference architecture of a charter.
///
/// # Errors
/// If two ids of the charter would be one name.
pub fn draw(charter: &Checked, settings: Settings) -> Result<Blueprint, Unbuildable> {
    let site = Site::new(charter.charter(), settings);
    let mut template = Template::new(format!(
        "{}: the reference architecture that follows from its charter {}",
        site.charter.organisation.name,
        charter.digest()
    ));
    template.parameters = parameters(&site);
    template.conditions = serving::conditions(&site);
    template.conditions.extend([rules::condition(), alarms::condition()]);
    template.areas = vec![
        keys::area(&site),
        buckets::area(&site),
        roles::area(&site),
        network::area(&site),
        serving::area(&site),
        api::area(&site),
        trail::area(&site),
        rules::area(&site),
        alarms::area(&site),
    ];
    template.outputs = outputs(&site);
    let diagram = diagram::draw(&site);
    let (claims, left_out) = (proofs::claims(&site), serving::left_out(&site));
    Ok(Blueprint { template: template.checked()?, diagram, claims, left_out })
}

fn parameters(site: &Site<'_>) -> Vec<Parameter> {
    let mut all = vec![
        Parameter {
            name: "LogArchive".to_owned(),
            kind: "AWS::SSM::Parameter::Value<String>",
            description: "Parameter of Systems Manager with the name of the bucket of this account and region that takes \
                          access logs of S3 and the history of Config: with keys of S3 and no default lock, since \
                          neither service delivers into another."
                .to_owned(),
            default: Some(format!("/{}/log-archive", site.org())),
            pattern: None,
        },
        Parameter {
            name: "IdentityProvider".to_owned(),
            kind: "String",
            description: "Name of the SAML provider of IAM from which people come.".to_owned(),
            default: Some(site.org().to_owned()),
            pattern: Some("^[A-Za-z0-9._-]{1,128}$"),
        },
    ];
    all.extend(serving::parameters(site));
    all.extend([rules::parameter(), alarms::parameters()]);
    all
}

fn outputs(site: &Site<'_>) -> Vec<Output> {
    let mut all = vec![
        (
            "HouseObjectsBucket".to_owned(),
            "for `wardmote init --objects s3://BUCKET/house/`",
            to("HouseObjects"),
        ),
        ("HouseKeyArn".to_owned(), "for `wardmote init --objects-key`", arn("HouseKey")),
        ("EvidenceBucket".to_owned(), "for `wardmote aws archive s3://BUCKET/ledger/`", to("Evidence")),
        ("AlertsTopic".to_owned(), "for `wardmote init --alerts`", to("Alerts")),
        ("RecordsBucket".to_owned(), "where the trail is", to("Records")),
    ];
    let url = match site.is_private() {
        true => "https://${Api}-${ApiEndpoint}.execute-api.${AWS::Region}.${AWS::URLSuffix}/${Stage}",
        false => "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/${Stage}",
    };
    all.push(("ApiUrl".to_owned(), "where callers ask", sub(url)));
    for id in site.roles.keys() {
        let name = site::role_id(id);
        all.push((format!("{name}Arn"), "for `--role`, or as a task's or job's role", arn(&name)));
    }
    let output = |(name, description, value)| Output { name, description, value, condition: None };
    all.into_iter().map(output).collect()
}
