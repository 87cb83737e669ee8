//! SageMaker: notebooks, endpoints, training, and what should be fixed when they are made.

use super::subject::{Case, Out, Subject};
use super::unit::{Unit, unit};
use crate::policy::PolicyKind;

pub(super) const UNITS: &[Unit] = &[
    unit!(
        "sagemaker-presigned-url",
        SecurityWarning,
        "Every notebook can be opened, with its role",
        presigned
    ),
    unit!("sagemaker-invoke-any", Warning, "Every endpoint can be invoked", invoke_any),
    unit!("sagemaker-without-kms", Suggestion, "Volumes can be made without a key of one's own", without_kms),
    unit!("sagemaker-without-vpc", Suggestion, "Jobs and models can be made outside of a VPC", without_vpc),
    unit!(
        "sagemaker-direct-internet",
        Suggestion,
        "Notebooks can be made with direct access to the Internet",
        internet
    ),
    unit!("sagemaker-root-notebook", Suggestion, "Notebooks can be made with root access", root),
];

/// Statements of identities that name an action of SageMaker, by name or by a pattern of SageMaker.
fn allowing<'s, 'p>(subject: &'s Subject<'p>, action: &'static str) -> impl Iterator<Item = &'s Case<'p>> {
    let identity = subject.kind == PolicyKind::Identity;
    subject.allows().filter(move |case| {
        let named =
            case.listed_actions().iter().any(|item| item.text.to_lowercase().starts_with("sagemaker:"));
        identity && named && case.covers(action)
    })
}

fn presigned(subject: &Subject<'_>, out: &mut Out) {
    for action in ["sagemaker:CreatePresignedNotebookInstanceUrl", "sagemaker:CreatePresignedDomainUrl"] {
        for case in allowing(subject, action)
            .filter(|case| case.is_open() && !case.has_key_beginning("sagemaker:resourcetag/"))
        {
            if !case.has_key_beginning("aws:resourcetag/") {
                let message =
                    format!("`{action}` on every resource opens the notebooks of others, with their roles");
                out.say(
                    case,
                    case.span_of(action),
                    message,
                    "name the resources, or compare `aws:ResourceTag/owner` with the caller",
                );
            }
        }
    }
}

fn invoke_any(subject: &Subject<'_>, out: &mut Out) {
    let action = "sagemaker:InvokeEndpoint";
    for case in
        allowing(subject, action).filter(|case| case.is_open() && !case.has_key_beginning("aws:resourcetag/"))
    {
        let message = "every endpoint of the account can be asked, those of other teams too".to_owned();
        out.say(
            case,
            case.span_of(action),
            message,
            "name the endpoints, `arn:aws:sagemaker:REGION:ACCOUNT:endpoint/NAME`",
        );
    }
}

/// Says that one of these actions is allowed without one of these conditions, once a statement.
fn demand(
    subject: &Subject<'_>,
    out: &mut Out,
    actions: &[&'static str],
    (keys, message, help): (&[&str], &str, &str),
) {
    let denied = subject.denies().any(|case| keys.iter().any(|key| case.has_key_beginning(key)));
    let mut seen = std::collections::BTreeSet::new();
    for action in actions.iter().filter(|_| !denied) {
        for case in
            allowing(subject, action).filter(|case| !keys.iter().any(|key| case.has_key_beginning(key)))
        {
            if seen.insert(case.index) {
                out.say(case, case.span_of(action), format!("`{action}` {message}"), help);
            }
        }
    }
}

fn without_kms(subject: &Subject<'_>, out: &mut Out) {
    let actions = [
        "sagemaker:CreateEndpointConfig",
        "sagemaker:CreateTrainingJob",
        "sagemaker:CreateProcessingJob",
        "sagemaker:CreateTransformJob",
        "sagemaker:CreateNotebookInstance",
    ];
    let help = "add `\"Null\": {\"sagemaker:VolumeKmsKeyArn\": \"false\"}` or compare the key";
    let demanded = (["sagemaker:volumekmskey"].as_slice(), "is allowed without a key of one's own", help);
    demand(subject, out, &actions, demanded);
}

fn without_vpc(subject: &Subject<'_>, out: &mut Out) {
    let actions = ["sagemaker:CreateModel", "sagemaker:CreateTrainingJob", "sagemaker:CreateProcessingJob"];
    let help = "add `\"Null\": {\"sagemaker:VpcSubnets\": \"false\"}`, or compare the subnets with `ForAllValues:` beside it";
    let keys = ["sagemaker:vpcsubnets", "sagemaker:vpcsecuritygroupids"];
    demand(subject, out, &actions, (&keys, "is allowed outside of a VPC", help));
}

fn internet(subject: &Subject<'_>, out: &mut Out) {
    let help = "add `\"StringEquals\": {\"sagemaker:DirectInternetAccess\": \"Disabled\"}`";
    let demanded = (
        ["sagemaker:directinternetaccess"].as_slice(),
        "is allowed with direct access to the Internet",
        help,
    );
    demand(subject, out, &["sagemaker:CreateNotebookInstance"], demanded);
}

fn root(subject: &Subject<'_>, out: &mut Out) {
    let help = "add `\"StringEquals\": {\"sagemaker:RootAccess\": \"Disabled\"}`";
    let demanded = (["sagemaker:rootaccess"].as_slice(), "is allowed with root access", help);
    demand(subject, out, &["sagemaker:CreateNotebookInstance"], demanded);
}
