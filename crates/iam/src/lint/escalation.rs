//! Ways from few permissions to all of them. Each row is a way that is publicly known; a statement or two that allow
//! all its actions on open resources are a finding.

use super::subject::{Case, Out, Subject, some};
use super::unit::{Unit, unit};
use crate::policy::PolicyKind;

pub(super) const UNITS: &[Unit] = &[
    unit!("escalation-policies", SecurityWarning, "Whoever has this can give himself any policy", |s, o| {
        single(s, o, POLICIES);
    }),
    unit!(
        "escalation-credentials",
        SecurityWarning,
        "Whoever has this can make credentials for others",
        |s, o| {
            single(s, o, CREDENTIALS);
        }
    ),
    unit!("escalation-trust", SecurityWarning, "Whoever has this can open any role to himself", |s, o| {
        single(s, o, TRUST);
    }),
    unit!("escalation-groups", SecurityWarning, "Whoever has this can join any group", |s, o| single(
        s, o, GROUPS
    )),
    unit!("escalation-boundary", SecurityWarning, "Whoever has this can take off the boundary", |s, o| {
        single(s, o, BOUNDARY);
    }),
    unit!(
        "escalation-assume-any-role",
        SecurityWarning,
        "Whoever has this can become every role that trusts the account",
        |s, o| {
            single(s, o, ASSUME);
        }
    ),
    unit!(
        "escalation-running-code",
        SecurityWarning,
        "Whoever has this can run code with the role of something that exists",
        |s, o| {
            single(s, o, RUNNING);
        }
    ),
    unit!(
        "escalation-pass-role",
        SecurityWarning,
        "Whoever has this can run code with any role that he passes",
        |s, o| {
            passing(s, o, COMPUTE);
        }
    ),
    unit!(
        "escalation-sagemaker",
        SecurityWarning,
        "Whoever has this can run code in SageMaker with any role that he passes",
        |s, o| {
            passing(s, o, SAGEMAKER);
        }
    ),
];

const POLICIES: &[&str] = &[
    "iam:CreatePolicyVersion",
    "iam:SetDefaultPolicyVersion",
    "iam:AttachUserPolicy",
    "iam:AttachGroupPolicy",
    "iam:AttachRolePolicy",
    "iam:PutUserPolicy",
    "iam:PutGroupPolicy",
    "iam:PutRolePolicy",
];
const CREDENTIALS: &[&str] = &[
    "iam:CreateAccessKey",
    "iam:CreateLoginProfile",
    "iam:UpdateLoginProfile",
    "iam:CreateServiceSpecificCredential",
    "iam:ResetServiceSpecificCredential",
    "iam:DeactivateMFADevice",
];
const TRUST: &[&str] = &["iam:UpdateAssumeRolePolicy"];
const GROUPS: &[&str] = &["iam:AddUserToGroup"];
const BOUNDARY: &[&str] = &[
    "iam:DeleteUserPermissionsBoundary",
    "iam:DeleteRolePermissionsBoundary",
    "iam:PutUserPermissionsBoundary",
    "iam:PutRolePermissionsBoundary",
];
const ASSUME: &[&str] = &["sts:AssumeRole"];
const RUNNING: &[&str] = &[
    "lambda:UpdateFunctionCode",
    "lambda:UpdateFunctionConfiguration",
    "ssm:SendCommand",
    "ssm:StartSession",
    "ec2-instance-connect:SendSSHPublicKey",
    "glue:UpdateDevEndpoint",
    "glue:UpdateJob",
    "codebuild:StartBuild",
    "cloudformation:UpdateStack",
    "sagemaker:UpdatePipeline",
    "sagemaker:UpdateNotebookInstanceLifecycleConfig",
];

/// What must be allowed beside `iam:PassRole`.
const COMPUTE: &[&[&str]] = &[
    &["lambda:CreateFunction", "lambda:InvokeFunction"],
    &["lambda:CreateFunction", "lambda:CreateEventSourceMapping"],
    &["lambda:CreateFunction", "lambda:AddPermission"],
    &["ec2:RunInstances"],
    &["ec2:AssociateIamInstanceProfile"],
    &["glue:CreateDevEndpoint"],
    &["glue:CreateJob", "glue:StartJobRun"],
    &["glue:CreateSession", "glue:RunStatement"],
    &["cloudformation:CreateStack"],
    &["cloudformation:CreateChangeSet", "cloudformation:ExecuteChangeSet"],
    &["ecs:RegisterTaskDefinition", "ecs:RunTask"],
    &["ecs:RegisterTaskDefinition", "ecs:StartTask"],
    &["ecs:RegisterTaskDefinition", "ecs:CreateService"],
    &["codebuild:CreateProject", "codebuild:StartBuild"],
    &["codepipeline:CreatePipeline"],
    &["datapipeline:CreatePipeline", "datapipeline:PutPipelineDefinition"],
    &["states:CreateStateMachine", "states:StartExecution"],
    &["batch:RegisterJobDefinition", "batch:SubmitJob"],
    &["apprunner:CreateService"],
    &["scheduler:CreateSchedule"],
    &["autoscaling:CreateLaunchConfiguration", "autoscaling:CreateAutoScalingGroup"],
    &["elasticmapreduce:RunJobFlow"],
    &["bedrock-agentcore:CreateCodeInterpreter", "bedrock-agentcore:InvokeCodeInterpreter"],
];
const SAGEMAKER: &[&[&str]] = &[
    &["sagemaker:CreateNotebookInstance", "sagemaker:CreatePresignedNotebookInstanceUrl"],
    &["sagemaker:CreateTrainingJob"],
    &["sagemaker:CreateProcessingJob"],
    &["sagemaker:CreateHyperParameterTuningJob"],
    &["sagemaker:CreateAutoMLJob"],
    &["sagemaker:CreatePipeline", "sagemaker:StartPipelineExecution"],
    &["sagemaker:CreateModel", "sagemaker:CreateTransformJob"],
    &["sagemaker:CreateModel", "sagemaker:CreateEndpointConfig", "sagemaker:CreateEndpoint"],
    &["sagemaker:CreateDomain", "sagemaker:CreateUserProfile", "sagemaker:CreatePresignedDomainUrl"],
];

/// Whether an identity has this on open resources, with no condition that limits what it does.
fn is_free(case: &Case<'_>) -> bool {
    let fences = [
        "iam:permissionsboundary",
        "iam:policyarn",
        "iam:passedtoservice",
        "iam:associatedresourcearn",
        "aws:resourceaccount",
        "sts:externalid",
    ];
    case.is_open()
        && !case.demands(&fences)
        && !case.has_key_beginning("aws:resourcetag/")
        && !case.has_key_beginning("iam:resourcetag/")
}

/// The first statement that allows an action freely and is not taken back.
fn granting<'s, 'p>(subject: &'s Subject<'p>, action: &str) -> Option<&'s Case<'p>> {
    if subject.kind != PolicyKind::Identity {
        return None;
    }
    let denied = |case: &Case<'_>| {
        case.statement.conditions.is_empty()
            && case.covers(action)
            && case.reach() == super::subject::Reach::Open
    };
    if subject.denies().any(denied) {
        return None;
    }
    // Who may do everything needs no way to more; `allow-everything` says so.
    let all = |case: &Case<'_>| {
        case.statement.conditions.is_empty() && case.listed_actions().iter().any(|item| item.text == "*")
    };
    subject.allows().find(|case| is_free(case) && case.covers(action) && !all(case))
}

/// As [`granting`], but without asking for open resources: what is made new needs none.
fn allowing<'s, 'p>(subject: &'s Subject<'p>, action: &str) -> Option<&'s Case<'p>> {
    subject.allows().find(|case| case.covers(action))
}

fn single(subject: &Subject<'_>, out: &mut Out, actions: &[&str]) {
    let mut by_statement: std::collections::BTreeMap<usize, Vec<&str>> = std::collections::BTreeMap::new();
    for action in actions {
        if let Some(case) = granting(subject, action) {
            by_statement.entry(case.index).or_default().push(action);
        }
    }
    for (index, actions) in by_statement {
        let (Some(case), Some(first)) = (subject.cases.get(index), actions.first()) else { continue };
        let span = case.span_of(first);
        let message = format!("{} on every resource lead to the permissions of others", some(actions));
        let message = if message.contains("` on ") && !message.contains(',') {
            message.replace(" lead ", " leads ")
        } else {
            message
        };
        out.say(
            case,
            span,
            message,
            "name the resources, or add a condition such as `iam:PermissionsBoundary`",
        );
    }
}

fn passing(subject: &Subject<'_>, out: &mut Out, ways: &[&[&str]]) {
    let Some(passes) = granting(subject, "iam:PassRole") else { return };
    let mut found: Vec<&str> = Vec::new();
    for way in ways {
        if way.iter().all(|action| allowing(subject, action).is_some()) {
            found.extend(way.first());
        }
    }
    if !found.is_empty() {
        let message = format!("every role can be passed, and code runs with it by {}", some(found));
        let help = "name the roles that may be passed, and add a condition on `iam:PassedToService`";
        out.say(passes, passes.span_of("iam:PassRole"), message, help);
    }
}
