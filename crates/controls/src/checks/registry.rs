//! What the registry says of what is served.

use super::sagemaker::model_containers;
use super::serving::served;
use crate::answer::{Answer, Spot, all, below, find};
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
        |case| {
            match served(case) {
                Err(answer) => answer,
                Ok(models) => all(models.into_iter().map(|(spot, model)| {
                    let said = format!("it serves `{}`", model.id);
                    approved(case, model).by_way_of(spot, &said).if_exists(model, case.resource)
                })),
            }
        }
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
                State::Known(node) => match policy(case.estate, node) {
                    Ok(policy) => public(found.spot, &policy, false),
                    Err(missing) => found.spot.unknown(missing),
                },
            }
        }
    ),
];

/// Whether every container of a model is an approved package.
fn approved(case: &Case<'_>, model: &Resource) -> Answer {
    let containers = match model_containers(model) {
        Ok(containers) => containers,
        Err(answer) => return answer,
    };
    if containers.is_empty() {
        return Spot::of(model).unknown("the model's containers are not in this file");
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
                None => found
                    .spot
                    .clone()
                    .unknown(format!("whether `{}` is approved; it is not in this file", name.shown())),
            },
        }
    }))
}
