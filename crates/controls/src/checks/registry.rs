//! What the registry says of what is served.

use super::sagemaker::model_containers;
use super::serving::served;
use crate::answer::{Answer, Spot, all, below, find, not_applicable};
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
            let who = super::logs::live_only(
                case,
                "cloudtrail:LookupEvents",
                "who approved the version, and whether it was a second person",
            );
            all([reason, who])
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
        let Some(bucket) = super::serving::bucket_of(case, node) else {
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
    let digest =
        super::logs::live_only(case, "s3:GetObject", "whether the artefact's digest is the registered one");
    all(answers.into_iter().chain([digest]))
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
        _ => super::logs::live_only(
            case,
            "sagemaker:QueryLineage",
            "from which version of which data set it came",
        ),
    };
    all([written, data])
}

/// Whether another approved version of the same group is in the file.
fn rollback(case: &Case<'_>) -> Answer {
    if_approved(case, || {
        let group = |resource: &Resource| {
            resource.properties.get("ModelPackageGroupName").map(crate::node::Node::shown)
        };
        let Some(own) = group(case.resource) else { return not_applicable("the version is of no group") };
        let others = case
            .estate
            .of_kind(PACKAGE)
            .filter(|other| other.id != case.resource.id && group(other).as_ref() == Some(&own));
        let answers = others.map(|other| {
            find(other, "ModelApprovalStatus")
                .word(&["Approved"], Some("PendingManualApproval"))
                .if_exists(other, case.resource)
        });
        match crate::answer::any(answers) {
            Some(answer) if answer.is_holds() => answer,
            _ => super::logs::live_only(
                case,
                "sagemaker:ListModelPackages",
                "whether the group has another approved version that can still be deployed",
            ),
        }
    })
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
