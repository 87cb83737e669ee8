//! What the registry says of what is served.

use super::derived::{fact, live_only};
use super::sagemaker::model_containers;
use super::serving::served;
use crate::answer::{Answer, Spot, all, below, find, not_applicable};
use crate::node::Node;
use crate::policies::{policy, public};
use crate::resource::{Resource, State};
use crate::unit::{Case, Unit, unit};

const PACKAGE: &str = "AWS::SageMaker::ModelPackage";

pub(crate) const UNITS: &[Unit] = &[
    unit!(
        "REG-01",
        Critical,
        Cross,
        "an endpoint serves only approved versions of the registry",
        ["AWS::SageMaker::Endpoint"],
        [],
        serves_approved
    ),
    unit!(
        "REG-02",
        High,
        Cross,
        "what a version points at is what was registered, in a bucket that is versioned, locked and encrypted",
        [PACKAGE],
        [],
        artefacts
    ),
    unit!(
        "REG-03",
        High,
        Cross,
        "a version says from which code, job and data it came",
        [PACKAGE],
        [],
        lineage
    ),
    unit!(
        "REG-04",
        High,
        Single,
        "nobody outside can use a group of model packages by its policy",
        ["AWS::SageMaker::ModelPackageGroup"],
        [],
        |case| {
            let found = find(case.resource, "ModelPackageGroupPolicy");
            match &found.state {
                State::Absent => found.spot.holds("without a policy of its own, only its account has access"),
                State::Unknown(cause) => found.spot.clone().unknown(cause.clone()),
                State::Known(node) => match policy(case, node) {
                    Ok(policy) => public(found.spot, &policy, false),
                    Err(missing) => found.spot.unknown(missing),
                },
            }
        }
    ),
    unit!("REG-05", Medium, Cross, "an approved version has a model card", [PACKAGE], [], |case| {
        if_approved(case, || {
            let own = find(case.resource, "ModelCard.ModelCardContent").present();
            let cards = case
                .estate
                .referring(case.resource, "AWS::SageMaker::ModelCard")
                .map(|card| find(card, "Content").present().if_exists(card, case.resource));
            crate::answer::any(std::iter::once(own).chain(cards))
                .unwrap_or_else(|| Spot::of(case.resource).broken("it has no card"))
        })
    }),
    unit!(
        "REG-06",
        High,
        Cross,
        "metrics and a report of bias are attached before a version is approved",
        [PACKAGE],
        [],
        |case| {
            if_approved(case, || {
                all([
                    find(case.resource, "ModelMetrics.ModelQuality.Statistics.S3Uri").present(),
                    find(case.resource, "ModelMetrics.Bias.Report.S3Uri").present(),
                ])
            })
        }
    ),
    unit!("REG-07", Medium, Cross, "there is an approved version to go back to", [PACKAGE], [], rollback),
    unit!("REG-08", High, Cross, "an approval says who, when and why", [PACKAGE], [], |case| {
        if_approved(case, || {
            let reason = find(case.resource, "ApprovalDescription").present();
            all([reason, second_person(case)])
        })
    }),
];

/// Whether an endpoint serves approved versions alone.
pub(super) fn serves_approved(case: &Case<'_>) -> Answer {
    match served(case) {
        Err(answer) => answer,
        Ok(models) => all(models.into_iter().map(|(spot, model)| {
            let said = format!("it serves `{}`", model.id);
            approved(case, model).by_way_of(spot, &said).if_exists(model, case.resource)
        })),
    }
}

/// What must be so of an approved version alone.
fn if_approved(case: &Case<'_>, check: impl FnOnce() -> Answer) -> Answer {
    let status =
        find(case.resource, "ModelApprovalStatus").word(&["Approved"], Some("PendingManualApproval"));
    match () {
        () if status.is_broken() => not_applicable("the version is not approved"),
        () if status.is_holds() => check(),
        () => status,
    }
}

fn artefacts(case: &Case<'_>) -> Answer {
    let containers = find(case.resource, "InferenceSpecification.Containers");
    if let Some(missing) = containers.missing() {
        return containers.spot.unknown(missing);
    }
    let mut answers = Vec::new();
    for (spot, item) in containers.items() {
        let url = below(&spot, item, "ModelDataUrl");
        let State::Known(node) = &url.state else {
            answers.extend(url.missing().map(|missing| url.spot.clone().unknown(missing)));
            continue;
        };
        let Some(bucket) = case.estate.target(node, "AWS::S3::Bucket") else {
            answers.push(
                url.spot
                    .clone()
                    .unknown(format!("the bucket of `{}` is not among what was read", node.shown())),
            );
            continue;
        };
        let sound = all([
            find(bucket, "VersioningConfiguration.Status").word(&["Enabled"], None),
            find(bucket, "ObjectLockEnabled").flag(true, false),
            find(bucket, "BucketEncryption.ServerSideEncryptionConfiguration").present(),
        ]);
        answers.push(
            sound
                .by_way_of(url.spot, &format!("the bucket is `{}`", bucket.id))
                .if_exists(bucket, case.resource),
        );
    }
    if answers.is_empty() {
        return not_applicable("the version names no artefact");
    }
    all(answers.into_iter().chain([unchanged(case)]))
}

/// Whether the artefacts are those that were registered, by the tags that S3 gives to content.
fn unchanged(case: &Case<'_>) -> Answer {
    let what = "whether the artefact's digest is the registered one";
    let (spot, artefacts) = match fact(case, case.resource, "Artefacts", ("s3:ListBucket", what)) {
        Err(answer) => return answer,
        Ok((spot, None)) => return spot.unknown(what),
        Ok((spot, Some(artefacts))) => (spot, artefacts),
    };
    all(artefacts.items().iter().map(|artefact| {
        let text = |name: &str| artefact.get(name).and_then(Node::text);
        let url = text("Url").unwrap_or_default();
        match (text("ETag"), text("Registered")) {
            (None, _) => spot.clone().broken(format!("`{url}` is not there any more")),
            (Some(_), None) => spot.clone().unknown(format!("{what}: none was recorded for `{url}`")),
            (Some(now), Some(then)) if now == then => {
                spot.clone().holds(format!("`{url}` is what was registered"))
            }
            _ => spot.clone().broken(format!("`{url}` is not what was registered")),
        }
    }))
}

/// Whether who approved a version is another than who registered it.
fn second_person(case: &Case<'_>) -> Answer {
    let what = "who approved the version, and whether it was a second person";
    let act = |name: &str| match fact(case, case.resource, name, ("cloudtrail:LookupEvents", what)) {
        Err(answer) => Err(answer),
        Ok((spot, None)) => {
            Err(spot.unknown(format!("{what}: CloudTrail has no event of it in the last 90 days")))
        }
        Ok((spot, Some(act))) => Ok((spot, act)),
    };
    let (registered, (spot, approved)) = match (act("Registration"), act("Approval")) {
        (Ok((_, registered)), Ok(approved)) => (registered, approved),
        (Err(answer), _) | (_, Err(answer)) => return answer,
    };
    let text = |act: &'_ Node, name: &str| act.get(name).and_then(Node::text).map(str::to_owned);
    let both = |name: &str| Some((text(registered, name)?, text(approved, name)?));
    // A session is called as who takes it wishes; a source identity is not.
    let role = |arn: &str| {
        arn.rsplit_once('/').filter(|_| arn.contains(":assumed-role/")).map(|(role, _)| role.to_owned())
    };
    match (both("Person"), both("By")) {
        (Some((one, other)), _) if one == other => {
            spot.broken(format!("`{one}` both registered and approved it"))
        }
        (Some((_, other)), _) => spot.holds(format!("`{other}` approved it, who did not register it")),
        (None, Some((one, other))) if one == other => {
            spot.broken(format!("`{one}` both registered and approved it"))
        }
        (None, Some((one, other))) if role(&one).is_some() && role(&one) == role(&other) => {
            spot.unknown("who approved the version: two sessions of one role registered and approved it")
        }
        (None, Some((_, other))) => spot.holds(format!("`{other}` approved it, who did not register it")),
        (None, None) => spot.unknown(what),
    }
}

fn lineage(case: &Case<'_>) -> Answer {
    let written = all(["CommitId", "GeneratedBy"]
        .map(|name| find(case.resource, &format!("MetadataProperties.{name}")).present()));
    let properties = find(case.resource, "CustomerMetadataProperties");
    let data = match &properties.state {
        State::Unknown(missing) => properties.spot.clone().unknown(missing.clone()),
        State::Known(node)
            if node.members().iter().any(|member| member.key.to_lowercase().contains("dataset")) =>
        {
            properties.spot.clone().holds("a property names the data set")
        }
        _ => data_by_lineage(case),
    };
    all([written, data])
}

/// Whether SageMaker itself recorded from which data a version came.
fn data_by_lineage(case: &Case<'_>) -> Answer {
    let what = "from which version of which data set it came";
    match fact(case, case.resource, "Lineage", ("sagemaker:QueryLineage", what)) {
        Err(answer) => answer,
        Ok((spot, None)) => {
            spot.broken("neither a property names the data set, nor has SageMaker recorded from what it came")
        }
        Ok((spot, Some(lineage))) => match lineage.get("DataSets").map(Node::items).unwrap_or_default() {
            [] => spot.broken("SageMaker has recorded no data set from which it came"),
            [first, ..] => spot.holds(format!("it came from `{}`", first.shown())),
        },
    }
}

/// Whether another approved version of the same group is in the file.
fn rollback(case: &Case<'_>) -> Answer {
    if_approved(case, || {
        let group = |resource: &Resource| resource.properties.get("ModelPackageGroupName").map(Node::shown);
        let Some(own) = group(case.resource) else { return not_applicable("the version is of no group") };
        let others = case
            .estate
            .of_kind(PACKAGE)
            .filter(|other| other.id != case.resource.id && group(other).as_ref() == Some(&own));
        let answers = others.map(|other| {
            all([
                find(other, "ModelApprovalStatus").word(&["Approved"], Some("PendingManualApproval")),
                deployable(case, other),
            ])
            .if_exists(other, case.resource)
        });
        match crate::answer::any(answers) {
            Some(answer) if answer.is_holds() => answer,
            _ if !case.estate.is_live() => live_only(
                case,
                "sagemaker:ListModelPackages",
                "whether the group has another approved version that can still be deployed",
            ),
            Some(answer) if !answer.is_broken() => answer,
            _ => Spot::of(case.resource)
                .broken("no other version of the group is approved and can be deployed"),
        }
    })
}

/// Whether a version can still be deployed, so far as an account tells: it was made, and its artefacts are there.
fn deployable(case: &Case<'_>, version: &Resource) -> Answer {
    if !case.estate.is_live() {
        return Spot::of(version).holds("a file says no more");
    }
    let made = find(version, "ModelPackageStatus").word(&["Completed"], None);
    let artefacts = find(version, "Artefacts");
    let there = artefacts.items().into_iter().map(|(spot, artefact)| {
        match artefact.get("ETag").and_then(Node::text) {
            Some(_) => spot.holds("its artefact is there"),
            None => spot.broken("its artefact is not there any more"),
        }
    });
    let there: Vec<Answer> = there.collect();
    let unknown = artefacts.missing().map(|missing| artefacts.spot.unknown(missing));
    all([made].into_iter().chain(there).chain(unknown))
}

/// Whether every container of a model is an approved package.
fn approved(case: &Case<'_>, model: &Resource) -> Answer {
    let containers = match model_containers(model) {
        Ok(containers) => containers,
        Err(answer) => return answer,
    };
    if containers.is_empty() {
        return Spot::of(model).unknown("the model's containers are not among what was read");
    }
    all(containers.into_iter().map(|(spot, node)| {
        let found = below(&spot, node, "ModelPackageName");
        match &found.state {
            State::Absent => found
                .spot
                .clone()
                .broken("it is a file, not a version of the registry: `ModelPackageName` is absent"),
            State::Unknown(cause) => found.spot.clone().unknown(cause.clone()),
            State::Known(name) => match case.estate.target(name, PACKAGE) {
                Some(package) => {
                    let answer = find(package, "ModelApprovalStatus")
                        .word(&["Approved"], Some("PendingManualApproval"));
                    answer
                        .by_way_of(found.spot.clone(), &format!("it is the version `{}`", package.id))
                        .if_exists(package, case.resource)
                }
                None => found.spot.clone().unknown(format!(
                    "whether `{}` is approved; it is not among what was read",
                    name.shown()
                )),
            },
        }
    }))
}
