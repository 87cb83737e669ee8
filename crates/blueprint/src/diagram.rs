//! The picture: who does what with which key, bucket, endpoint and record; as Mermaid, and as boxes for [`crate::svg`].

use crate::serving::on_sagemaker;
use crate::site::{Site, artefacts, capture, data_bucket, key_id, model_key, role_id};
use crate::template::logical;

/// What an arrow means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verb {
    Administers,
    Uses,
    Encrypts,
    Reads,
    Writes,
    Asks,
    Watches,
}

impl Verb {
    pub(crate) const ALL: [Self; 7] =
        [Self::Administers, Self::Uses, Self::Encrypts, Self::Reads, Self::Writes, Self::Asks, Self::Watches];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Administers => "administers",
            Self::Uses => "uses",
            Self::Encrypts => "encrypts",
            Self::Reads => "reads",
            Self::Writes => "writes",
            Self::Asks => "asks",
            Self::Watches => "watches",
        }
    }
}

/// A box.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Item {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) what: String,
}

/// A picture of an architecture.
#[derive(Debug, Clone, PartialEq)]
pub struct Diagram {
    pub(crate) title: String,
    pub(crate) columns: Vec<(&'static str, Vec<Item>)>,
    pub(crate) arrows: Vec<(String, Verb, String)>,
}

impl Diagram {
    /// The picture as a Mermaid flowchart.
    #[must_use]
    pub fn to_mermaid(&self) -> String {
        let mut out = format!("%% {}\nflowchart LR\n", self.title);
        for (at, (title, items)) in self.columns.iter().enumerate() {
            out.push_str(&format!("  subgraph area{at} [\"{title}\"]\n"));
            for item in items {
                out.push_str(&format!("    {}[\"{}<br/>{}\"]\n", item.id, item.name, item.what));
            }
            out.push_str("  end\n");
        }
        for (from, verb, to) in &self.arrows {
            let arrow = match verb {
                Verb::Administers => "-.->",
                _ => "-->",
            };
            out.push_str(&format!("  {from} {arrow}|{}| {to}\n", verb.word()));
        }
        out
    }

    fn arrow(&mut self, from: &str, verb: Verb, to: &str) {
        self.arrows.push((from.to_owned(), verb, to.to_owned()));
    }
}

fn item(id: impl Into<String>, name: impl Into<String>, what: impl Into<String>) -> Item {
    Item { id: id.into(), name: name.into(), what: what.into() }
}

pub(crate) fn draw(site: &Site<'_>) -> Diagram {
    let columns = vec![
        ("Who", who(site)),
        ("Keys", keys(site)),
        ("Buckets", buckets(site)),
        ("Private network", serving(site)),
        ("Watch", watch(site)),
    ];
    let title = format!("{}: reference architecture on AWS", site.charter.organisation.name);
    let mut diagram = Diagram { title, columns, arrows: Vec::new() };
    of_roles(site, &mut diagram);
    of_models(site, &mut diagram);
    for dataset in &site.charter.datasets {
        if let Some(key) = site.charter.keys.iter().find(|key| key.id == dataset.key) {
            diagram.arrow(&key_id(key), Verb::Encrypts, &data_bucket(dataset));
        }
    }
    diagram.arrow("HouseKey", Verb::Encrypts, "HouseObjects");
    diagram.arrow("HouseKey", Verb::Encrypts, "Evidence");
    diagram.arrow("RecordsKey", Verb::Encrypts, "Records");
    diagram.arrow("Trail", Verb::Writes, "Records");
    diagram
}

fn who(site: &Site<'_>) -> Vec<Item> {
    let what = |role: &crate::site::Role<'_>| match (role.held_by_people, role.trains.is_empty()) {
        (true, _) => "people, by SAML",
        (false, false) => "jobs of SageMaker",
        (false, true) => "tasks of ECS",
    };
    site.roles.iter().map(|(id, role)| item(role_id(id), id.as_str(), what(role))).collect()
}

fn keys(site: &Site<'_>) -> Vec<Item> {
    let own = site.charter.keys.iter().map(|key| item(key_id(key), key.id.as_str(), "key of the charter"));
    let models = site
        .charter
        .models
        .iter()
        .map(|model| item(model_key(model), model.name.as_str(), "key of the model"));
    let rest = [
        item("HouseKey", "house", "objects, evidence, alerts"),
        item("RecordsKey", "records", "trail and logs"),
    ];
    own.chain(models).chain(rest).collect()
}

fn buckets(site: &Site<'_>) -> Vec<Item> {
    let days =
        |days: Option<u32>| days.map_or("kept until removed".to_owned(), |days| format!("{days} days"));
    let data = site.charter.datasets.iter().map(|one| {
        item(
            data_bucket(one),
            one.id.as_str(),
            format!("data, {}", days(one.retention_days.map(facts::Days::get))),
        )
    });
    let models = site.charter.models.iter().flat_map(|model| {
        let kept = &model.retention;
        [
            item(
                artefacts(model),
                format!("{} versions", model.name),
                format!("locked {} days", kept.documents_days.get()),
            ),
            item(capture(model), format!("{} traffic", model.name), days(Some(kept.capture_days.get()))),
        ]
    });
    let locked = format!("locked {} days", site.evidence_days());
    let rest = [
        item("HouseObjects", "house", "objects of the house"),
        item("Evidence", "evidence", locked.clone()),
        item("Records", "records", locked),
    ];
    data.chain(models).chain(rest).collect()
}

fn serving(site: &Site<'_>) -> Vec<Item> {
    let door = match (site.by_cognito(), site.is_private()) {
        (true, _) => "Cognito, PrivateLink, firewall",
        (false, true) => "IAM, PrivateLink, firewall",
        (false, false) => "IAM, quotas, firewall",
    };
    let mut all = vec![item("Api", "API Gateway", door)];
    all.extend(on_sagemaker(site).map(|model| {
        item(
            format!("{}Endpoint", logical(model.name.as_str())),
            model.endpoint.name.as_str(),
            "endpoint, isolated",
        )
    }));
    all.push(item("Network", "VPC endpoints", "no way to the internet"));
    all
}

fn watch(_site: &Site<'_>) -> Vec<Item> {
    vec![
        item("Trail", "CloudTrail", "with data events and digests"),
        item("Recorder", "Config", "rules, remedies by hand"),
        item("Alerts", "CloudWatch, EventBridge", "alarms to SNS"),
    ]
}

fn of_roles(site: &Site<'_>, diagram: &mut Diagram) {
    for (id, role) in &site.roles {
        let own = role_id(id);
        role.administers.iter().for_each(|key| diagram.arrow(&own, Verb::Administers, &key_id(key)));
        role.uses.iter().for_each(|key| diagram.arrow(&own, Verb::Uses, &key_id(key)));
        role.reads.iter().for_each(|one| diagram.arrow(&own, Verb::Reads, &data_bucket(one)));
        role.writes.iter().for_each(|one| diagram.arrow(&own, Verb::Writes, &data_bucket(one)));
        role.trains.iter().for_each(|model| diagram.arrow(&own, Verb::Writes, &artefacts(model)));
        if !role.consumes.is_empty() {
            diagram.arrow(&own, Verb::Asks, "Api");
        }
        if role.audits {
            diagram.arrow(&own, Verb::Reads, "Records");
            diagram.arrow(&own, Verb::Reads, "Evidence");
        }
    }
}

fn of_models(site: &Site<'_>, diagram: &mut Diagram) {
    for model in &site.charter.models {
        let endpoint = format!("{}Endpoint", logical(model.name.as_str()));
        let answers = on_sagemaker(site).any(|one| one.name == model.name);
        if answers {
            diagram.arrow("Api", Verb::Asks, &endpoint);
            diagram.arrow(&endpoint, Verb::Reads, &artefacts(model));
            diagram.arrow(&endpoint, Verb::Writes, &capture(model));
        }
        diagram.arrow(&model_key(model), Verb::Encrypts, &artefacts(model));
        diagram.arrow(&model_key(model), Verb::Encrypts, &capture(model));
        if answers {
            diagram.arrow("Trail", Verb::Watches, &endpoint);
            diagram.arrow("Alerts", Verb::Watches, &endpoint);
        }
    }
}
