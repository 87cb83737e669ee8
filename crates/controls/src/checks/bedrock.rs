//! Bedrock: records of invocations, rights to invoke, keys, and agents that run in AgentCore.

use super::keys::{IDENTITIES, of_documents};
use super::logs::sound_group;
use crate::answer::{Answer, Spot, all, any, find};
use crate::policies::{acts, conditioned, policy};
use crate::resource::State;
use crate::unit::{Case, Unit, part, unit};
use iam::{Effect, Statement};

const LOGGING: &str = "AWS::Bedrock::ModelInvocationLoggingConfiguration";
const RUNTIME: &str = "AWS::BedrockAgentCore::Runtime";
const GATEWAY: &str = "AWS::BedrockAgentCore::Gateway";
const MEMORY: &str = "AWS::BedrockAgentCore::Memory";
const BROWSERS: [&str; 2] = ["AWS::BedrockAgentCore::BrowserCustom", "AWS::BedrockAgentCore::Browser"];
const INTERPRETERS: [&str; 2] =
    ["AWS::BedrockAgentCore::CodeInterpreterCustom", "AWS::BedrockAgentCore::CodeInterpreter"];
const AGENT: &str = "AWS::Bedrock::Agent";
const SOURCE: &str = "AWS::Bedrock::DataSource";
const OTHERS: [&str; 4] =
    ["AWS::Bedrock::Guardrail", "AWS::Bedrock::Prompt", "AWS::Bedrock::Flow", "AWS::Bedrock::CustomModel"];
const INVOKE: [&str; 2] = ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"];

pub(crate) const UNITS: &[Unit] = &[
    unit!(
        "BR-01",
        Medium,
        Single,
        "invocations of foundation models are recorded, with their text",
        [LOGGING],
        ["bedrock_model_invocation_logging_enabled"],
        |case| {
            let to = ["CloudWatchConfig.LogGroupName", "S3Config.BucketName"];
            let target = any(to.map(|path| find(case.resource, &format!("LoggingConfig.{path}")).present()));
            let text = find(case.resource, "LoggingConfig.TextDataDeliveryEnabled").flag(true, true);
            all(target.into_iter().chain([text]))
        }
    ),
    unit!(
        "BR-02",
        High,
        Cross,
        "where invocations are recorded is encrypted, kept and private",
        [LOGGING],
        ["bedrock_model_invocation_logs_encryption_enabled"],
        kept_well
    ),
    unit!("BR-05", High, Cross, "models are invoked only with a guardrail", IDENTITIES, [], |case| {
        let own = of_documents(
            case,
            |statement| {
                let free = invokes(statement) && !conditioned(statement, &["bedrock:guardrailidentifier"]);
                free.then(|| {
                    "it invokes models without a condition on `bedrock:GuardrailIdentifier`".to_owned()
                })
            },
            "no statement invokes models without a guardrail",
        );
        unless(own, || enforced(case))
    }),
    unit!(
        "BR-06",
        Medium,
        Single,
        "agents, sources, prompts and models of Bedrock are encrypted with customer keys",
        [AGENT, SOURCE, OTHERS[0], OTHERS[1], OTHERS[2], OTHERS[3]],
        [],
        customer_keys
    ),
    part!(
        "BR-06",
        "agent",
        Medium,
        "an agent is encrypted with a customer key",
        [AGENT],
        ["CKV_AWS_373"],
        customer_keys
    ),
    part!(
        "BR-06",
        "source",
        Medium,
        "a data source is encrypted with a customer key",
        [SOURCE],
        ["Bedrock.1"],
        customer_keys
    ),
    unit!(
        "BR-07",
        High,
        Single,
        "what AgentCore runs is in a VPC, asks who calls, has customer keys, and records",
        [RUNTIME, GATEWAY, MEMORY, BROWSERS[0], BROWSERS[1], INTERPRETERS[0], INTERPRETERS[1]],
        [],
        |case| match case.resource.kind.as_str() {
            GATEWAY => all([caller(case), gateway_key(case)]),
            MEMORY => memory_key(case),
            kind if BROWSERS.contains(&kind) => all([not_public(case), recording(case)]),
            RUNTIME => in_vpc(case),
            _ => not_public(case),
        }
    ),
    part!("BR-07", "runtime", High, "a runtime is in a VPC", [RUNTIME], ["BedrockAgentCore.1"], in_vpc),
    part!("BR-07", "caller", High, "a gateway asks who calls", [GATEWAY], ["BedrockAgentCore.2"], caller),
    part!(
        "BR-07",
        "memory",
        Medium,
        "a memory has a customer key",
        [MEMORY],
        ["BedrockAgentCore.3"],
        memory_key
    ),
    part!(
        "BR-07",
        "gateway",
        Medium,
        "a gateway has a customer key",
        [GATEWAY],
        ["BedrockAgentCore.4"],
        gateway_key
    ),
    part!(
        "BR-07",
        "browser",
        High,
        "a browser is not on the public network",
        BROWSERS,
        ["BedrockAgentCore.5"],
        not_public
    ),
    part!(
        "BR-07",
        "recording",
        Medium,
        "a browser's sessions are recorded",
        BROWSERS,
        ["BedrockAgentCore.6"],
        recording
    ),
    part!(
        "BR-07",
        "interpreter",
        High,
        "a code interpreter is not on the public network",
        INTERPRETERS,
        ["BedrockAgentCore.7"],
        not_public
    ),
    unit!(
        "BR-08",
        Medium,
        Cross,
        "only foundation models that are named can be invoked",
        IDENTITIES,
        [],
        |case| {
            let own = of_documents(
                case,
                |statement| {
                    (invokes(statement) && every_model(statement))
                        .then(|| "it invokes every foundation model".to_owned())
                },
                "no statement invokes every foundation model",
            );
            unless(own, || any([boundary(case), of_organization(case)].into_iter().flatten()))
        }
    ),
];

fn invokes(statement: &Statement) -> bool {
    INVOKE.iter().any(|action| acts(statement, action))
}

/// What is broken by itself may be bounded by something else: what holds or is unknown there decides.
fn unless(own: Answer, bound: impl FnOnce() -> Option<Answer>) -> Answer {
    if !own.is_broken() {
        return own;
    }
    bound().filter(|answer| !answer.is_broken()).unwrap_or(own)
}

/// Whether the account puts a guardrail on every invocation.
fn enforced(case: &Case<'_>) -> Option<Answer> {
    let all = case.estate.of_kind("AWS::Bedrock::EnforcedGuardrailConfiguration");
    any(all.map(|all| find(all, "GuardrailIdentifier").present().if_exists(all, case.resource)))
}

/// Whether the permissions boundary of an identity names the models.
fn boundary(case: &Case<'_>) -> Option<Answer> {
    let found = find(case.resource, "PermissionsBoundary");
    let node = match &found.state {
        State::Absent => return None,
        State::Unknown(missing) => return Some(found.spot.clone().unknown(missing.clone())),
        State::Known(node) => *node,
    };
    let Some(bound) = case.estate.target(node, "AWS::IAM::ManagedPolicy") else {
        return Some(found.spot.clone().unknown(format!("what the boundary `{}` allows", node.shown())));
    };
    let wide = |statement: &Statement| {
        (invokes(statement) && every_model(statement))
            .then(|| "it lets every foundation model pass".to_owned())
    };
    let inner = of_documents(&Case { resource: bound, ..*case }, wide, "the boundary names the models");
    Some(
        inner
            .by_way_of(found.spot, &format!("the boundary is `{}`", bound.id))
            .if_exists(bound, case.resource),
    )
}

/// Whether a service control policy that is attached to something denies every model that it does not name.
fn of_organization(case: &Case<'_>) -> Option<Answer> {
    let denies = |statement: &Statement| {
        let named = statement.resource.as_ref().is_some_and(|r| {
            r.negated
                && !r.items.is_empty()
                && r.items.iter().all(|item| !item.text.ends_with("foundation-model/*") && item.text != "*")
        });
        let whole = INVOKE.iter().all(|action| acts(statement, action));
        statement.effect == Effect::Deny && named && whole && statement.conditions.is_empty()
    };
    any(case.estate.of_kind("AWS::Organizations::Policy").filter_map(|scp| {
        let kind = find(scp, "Type").word(&["SERVICE_CONTROL_POLICY"], None);
        let content = find(scp, "Content");
        let State::Known(node) = content.state else {
            return kind.is_holds().then(|| content.spot.unknown("what a service control policy denies"));
        };
        let answer = match policy(case, node) {
            Ok(read) if read.statements.iter().any(denies) => {
                content.spot.holds("it denies every foundation model that it does not name")
            }
            Ok(_) => return None,
            Err(missing) => content.spot.unknown(missing),
        };
        Some(all([kind, find(scp, "TargetIds").present(), answer]).if_exists(scp, case.resource))
    }))
}

fn every_model(statement: &Statement) -> bool {
    crate::policies::everything(statement, "foundation-model/")
}

fn kept_well(case: &Case<'_>) -> Answer {
    let mut answers = Vec::new();
    for (path, kind) in
        [("S3Config.BucketName", "AWS::S3::Bucket"), ("CloudWatchConfig.LogGroupName", "AWS::Logs::LogGroup")]
    {
        let found = find(case.resource, &format!("LoggingConfig.{path}"));
        match &found.state {
            State::Absent => {}
            State::Unknown(missing) => answers.push(found.spot.clone().unknown(missing.clone())),
            State::Known(node) => answers.push(match case.estate.target(node, kind) {
                None => found.spot.clone().unknown(format!("`{}` is not among what was read", node.shown())),
                Some(to) if kind == "AWS::S3::Bucket" => {
                    let flag = |flag: &str| {
                        find(to, &format!("PublicAccessBlockConfiguration.{flag}")).flag(true, false)
                    };
                    let sound = all([
                        flag("BlockPublicPolicy"),
                        flag("RestrictPublicBuckets"),
                        find(to, "BucketEncryption.ServerSideEncryptionConfiguration").present(),
                        find(to, "LifecycleConfiguration.Rules").present(),
                    ]);
                    sound
                        .by_way_of(found.spot, &format!("the bucket is `{}`", to.id))
                        .if_exists(to, case.resource)
                }
                Some(to) => {
                    sound_group(case, to).by_way_of(found.spot, &format!("the log group is `{}`", to.id))
                }
            }),
        }
    }
    if answers.is_empty() {
        return Spot::of(case.resource).broken("invocations are recorded nowhere");
    }
    all(answers)
}

fn customer_keys(case: &Case<'_>) -> Answer {
    let path = match case.resource.kind.as_str() {
        "AWS::Bedrock::DataSource" => "ServerSideEncryptionConfiguration.KmsKeyArn",
        "AWS::Bedrock::Guardrail" => "KmsKeyArn",
        "AWS::Bedrock::CustomModel" => "ModelKmsKeyId",
        _ => "CustomerEncryptionKeyArn",
    };
    find(case.resource, path).customer_key()
}

fn in_vpc(case: &Case<'_>) -> Answer {
    find(case.resource, "NetworkConfiguration.NetworkMode").word(&["VPC"], Some("PUBLIC"))
}

fn not_public(case: &Case<'_>) -> Answer {
    find(case.resource, "NetworkConfiguration.NetworkMode").word(&["VPC", "SANDBOX"], Some("PUBLIC"))
}

fn caller(case: &Case<'_>) -> Answer {
    find(case.resource, "AuthorizerType").word(&["CUSTOM_JWT", "AWS_IAM"], Some("NONE"))
}

fn gateway_key(case: &Case<'_>) -> Answer {
    find(case.resource, "KmsKeyArn").customer_key()
}

fn memory_key(case: &Case<'_>) -> Answer {
    find(case.resource, "EncryptionKeyArn").customer_key()
}

fn recording(case: &Case<'_>) -> Answer {
    find(case.resource, "RecordingConfig.Enabled").flag(true, false)
}
