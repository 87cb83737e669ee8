//! Amazon Bedrock: guardrails, records of invocations, custom models, agents and what they know. Properties: AWS::Bedrock::*
//! of the CloudFormation reference; calls: API references of Amazon Bedrock and of Agents for Amazon Bedrock. The records of
//! invocations have no type in CloudFormation; theirs is named in the same way.

use super::items::{Draft, Told, item, learn};
use super::jobs::{Job, Lister};
use super::reader::Reader;
use super::types::{Member, Tags, Type, always, derived, describe, inside, is, no_more, pascal};
use crate::operation::{Call, Protocol, SMALL_TOKEN, Service, call};
use facts::inventory::Item;
use serde_json::{Map, Value, json};

/// Amazon Bedrock.
const BEDROCK: Service = Service { id: "BEDROCK", name: "bedrock", protocol: Protocol::RestJson };
/// Agents for Amazon Bedrock; its calls are signed as Bedrock.
const AGENTS: Service = Service { id: "BEDROCK_AGENT", name: "bedrock", protocol: Protocol::RestJson };

const GUARDRAILS: &Call = call!(
    BEDROCK,
    "ListGuardrails",
    "bedrock:ListGuardrails",
    "GET /guardrails",
    SMALL_TOKEN.of("guardrails")
);
const GUARDRAIL: &Call =
    call!(BEDROCK, "GetGuardrail", "bedrock:GetGuardrail", "GET /guardrails/{guardrailIdentifier}");
const ENFORCED: &Call = call!(
    BEDROCK,
    "ListEnforcedGuardrailsConfiguration",
    "bedrock:ListEnforcedGuardrailsConfiguration",
    "GET /enforcedGuardrailsConfiguration",
    SMALL_TOKEN.of("guardrailsConfig")
);
const LOGGING: &Call = call!(
    BEDROCK,
    "GetModelInvocationLoggingConfiguration",
    "bedrock:GetModelInvocationLoggingConfiguration",
    "GET /logging/modelinvocations"
);
const TAGS: &Call =
    call!(BEDROCK, "ListTagsForResource", "bedrock:ListTagsForResource", "POST /listTagsForResource");
const AGENT_TAGS: &Call =
    call!(AGENTS, "ListTagsForResource", "bedrock:ListTagsForResource", "GET /tags/{resourceArn}");
const SOURCES: &Call = call!(
    AGENTS,
    "ListDataSources",
    "bedrock:ListDataSources",
    "POST /knowledgebases/{knowledgeBaseId}/datasources/",
    SMALL_TOKEN.of("dataSourceSummaries")
);
const SOURCE: &Call = call!(
    AGENTS,
    "GetDataSource",
    "bedrock:GetDataSource",
    "GET /knowledgebases/{knowledgeBaseId}/datasources/{dataSourceId}"
);

pub(super) const CALLS: [&Call; 2] = [SOURCES, SOURCE];

const GUARDRAIL_KIND: &str = "AWS::Bedrock::Guardrail";
const ENFORCED_KIND: &str = "AWS::Bedrock::EnforcedGuardrailConfiguration";
const LOGGING_KIND: &str = "AWS::Bedrock::ModelInvocationLoggingConfiguration";
const SOURCE_KIND: &str = "AWS::Bedrock::DataSource";

pub(super) static TYPES: [Type; 6] = [
    Type {
        kind: GUARDRAIL_KIND,
        children: &[],
        list: GUARDRAILS,
        with: || json!({}),
        id: "id",
        read: GUARDRAIL,
        asked: "guardrailIdentifier",
        inside: "",
        arn: "guardrailArn",
        members: GUARDRAIL_MEMBERS,
        tags: Tags::By(TAGS, "resourceARN"),
        more: versions,
    },
    Type {
        kind: "AWS::Bedrock::CustomModel",
        children: &[],
        list: call!(
            BEDROCK,
            "ListCustomModels",
            "bedrock:ListCustomModels",
            "GET /custom-models",
            SMALL_TOKEN.of("modelSummaries")
        ),
        // Models that others shared are theirs to check.
        with: || json!({"isOwned": true}),
        id: "modelArn",
        read: call!(
            BEDROCK,
            "GetCustomModel",
            "bedrock:GetCustomModel",
            "GET /custom-models/{modelIdentifier}"
        ),
        asked: "modelIdentifier",
        inside: "",
        arn: "modelArn",
        members: &[
            always("modelName", "ModelName"),
            is("modelKmsKeyArn", "ModelKmsKeyId"),
            is("baseModelArn", "BaseModelIdentifier"),
            derived("modelStatus", "ModelStatus"),
            derived("outputDataConfig", "OutputDataConfig"),
        ],
        tags: Tags::By(TAGS, "resourceARN"),
        more: no_more,
    },
    Type {
        kind: "AWS::Bedrock::Agent",
        children: &[],
        list: call!(
            AGENTS,
            "ListAgents",
            "bedrock:ListAgents",
            "POST /agents/",
            SMALL_TOKEN.of("agentSummaries")
        ),
        with: || json!({}),
        id: "agentId",
        read: call!(AGENTS, "GetAgent", "bedrock:GetAgent", "GET /agents/{agentId}/"),
        asked: "agentId",
        inside: "agent",
        arn: "agentArn",
        members: &[
            always("agentName", "AgentName"),
            is("agentResourceRoleArn", "AgentResourceRoleArn"),
            is("customerEncryptionKeyArn", "CustomerEncryptionKeyArn"),
            is("foundationModel", "FoundationModel"),
            is("guardrailConfiguration", "GuardrailConfiguration"),
            is("idleSessionTTLInSeconds", "IdleSessionTTLInSeconds"),
            derived("agentStatus", "AgentStatus"),
        ],
        tags: Tags::By(AGENT_TAGS, "resourceArn"),
        more: no_more,
    },
    Type {
        kind: "AWS::Bedrock::KnowledgeBase",
        children: &[SOURCE_KIND],
        list: call!(
            AGENTS,
            "ListKnowledgeBases",
            "bedrock:ListKnowledgeBases",
            "POST /knowledgebases/",
            SMALL_TOKEN.of("knowledgeBaseSummaries")
        ),
        with: || json!({}),
        id: "knowledgeBaseId",
        read: call!(
            AGENTS,
            "GetKnowledgeBase",
            "bedrock:GetKnowledgeBase",
            "GET /knowledgebases/{knowledgeBaseId}"
        ),
        asked: "knowledgeBaseId",
        inside: "knowledgeBase",
        arn: "knowledgeBaseArn",
        members: &[
            always("name", "Name"),
            always("roleArn", "RoleArn"),
            is("knowledgeBaseConfiguration", "KnowledgeBaseConfiguration"),
            is("storageConfiguration", "StorageConfiguration"),
            derived("status", "Status"),
        ],
        tags: Tags::By(AGENT_TAGS, "resourceArn"),
        more: sources,
    },
    Type {
        kind: "AWS::Bedrock::Prompt",
        children: &[],
        list: call!(
            AGENTS,
            "ListPrompts",
            "bedrock:ListPrompts",
            "GET /prompts/",
            SMALL_TOKEN.of("promptSummaries")
        ),
        with: || json!({}),
        id: "id",
        read: call!(AGENTS, "GetPrompt", "bedrock:GetPrompt", "GET /prompts/{promptIdentifier}/"),
        asked: "promptIdentifier",
        inside: "",
        arn: "arn",
        members: KEPT,
        tags: Tags::By(AGENT_TAGS, "resourceArn"),
        more: no_more,
    },
    Type {
        kind: "AWS::Bedrock::Flow",
        children: &[],
        list: call!(AGENTS, "ListFlows", "bedrock:ListFlows", "GET /flows/", SMALL_TOKEN.of("flowSummaries")),
        with: || json!({}),
        id: "id",
        read: call!(AGENTS, "GetFlow", "bedrock:GetFlow", "GET /flows/{flowIdentifier}/"),
        asked: "flowIdentifier",
        inside: "",
        arn: "arn",
        members: KEPT,
        tags: Tags::By(AGENT_TAGS, "resourceArn"),
        more: no_more,
    },
];

/// Of prompts and flows. What they say is not read.
const KEPT: &[Member] = &[
    always("name", "Name"),
    is("customerEncryptionKeyArn", "CustomerEncryptionKeyArn"),
    is("executionRoleArn", "ExecutionRoleArn"),
];

const GUARDRAIL_MEMBERS: &[Member] = &[
    always("name", "Name"),
    is("kmsKeyArn", "KmsKeyArn"),
    derived("status", "Status"),
    derived("version", "Version"),
];

/// A policy of a guardrail: there, here, and the lists in it.
type PolicyNames = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const POLICIES: [PolicyNames; 5] = [
    ("contentPolicy", "ContentPolicyConfig", &[("filters", "FiltersConfig")]),
    (
        "sensitiveInformationPolicy",
        "SensitiveInformationPolicyConfig",
        &[("piiEntities", "PiiEntitiesConfig"), ("regexes", "RegexesConfig")],
    ),
    ("contextualGroundingPolicy", "ContextualGroundingPolicyConfig", &[("filters", "FiltersConfig")]),
    ("topicPolicy", "TopicPolicyConfig", &[("topics", "TopicsConfig")]),
    (
        "wordPolicy",
        "WordPolicyConfig",
        &[("words", "WordsConfig"), ("managedWordLists", "ManagedWordListsConfig")],
    ),
];

/// The draft's policies, and the guardrail's versions as guardrails of their own: agents use those.
fn versions(reader: &Reader<'_>, told: &Value, draft_one: &mut Item, draft: &mut Draft) {
    let id = draft_one.id.clone();
    policies(draft_one, told);
    let input = json!({ "guardrailIdentifier": id });
    let listed = match reader.all(GUARDRAILS, &input) {
        Ok(listed) => listed,
        Err(error) => return draft.unread(GUARDRAIL_KIND, &GUARDRAILS.operation, &error),
    };
    let numbers = listed.iter().filter_map(|one| one["version"].as_str());
    for number in numbers.filter(|number| *number != "DRAFT") {
        let mut one = item(GUARDRAIL_KIND, &format!("{id}|{number}"));
        let told = reader.ask(GUARDRAIL, &json!({"guardrailIdentifier": id, "guardrailVersion": number}));
        describe(&mut one, &GUARDRAIL.operation, told.as_ref(), GUARDRAIL_MEMBERS);
        match told {
            Ok(told) => policies(&mut one, &told),
            Err(error) => {
                let not =
                    |(_, here, _)| learn(&mut one, here, &GUARDRAIL.operation, Told::Not(error.clone()));
                POLICIES.into_iter().for_each(not);
            }
        }
        one.provenance.extend(draft_one.provenance.get("Tags").map(|told| ("Tags".to_owned(), told.clone())));
        one.properties.extend(draft_one.properties.get("Tags").map(|tags| ("Tags".to_owned(), tags.clone())));
        draft.items.push(one);
    }
}

fn policies(one: &mut Item, told: &Value) {
    // Without an answer, the name says why.
    if let Some(why) = one.provenance.get("Name").filter(|why| !why.status.is_known()).cloned() {
        one.provenance.extend(POLICIES.map(|(_, here, _)| (here.to_owned(), why.clone())));
        return;
    }
    for (there, here, lists) in POLICIES {
        let policy = told.get(there).filter(|policy| !policy.is_null()).map(|policy| {
            let list = |(there, here): &(&str, &str)| Some(((*here).to_owned(), pascal(policy.get(*there)?)));
            Value::Object(lists.iter().filter_map(list).collect::<Map<_, _>>())
        });
        learn(one, here, &GUARDRAIL.operation, policy.map_or(Told::Absent, Told::Is));
    }
}

/// The data sources of a knowledge base.
fn sources(reader: &Reader<'_>, _: &Value, base: &mut Item, draft: &mut Draft) {
    let listed = match reader.all(SOURCES, &json!({"knowledgeBaseId": base.id})) {
        Ok(listed) => listed,
        Err(error) => return draft.unread(SOURCE_KIND, &SOURCES.operation, &error),
    };
    for id in listed.iter().filter_map(|one| one["dataSourceId"].as_str()) {
        let mut one = item(SOURCE_KIND, &format!("{}|{id}", base.id));
        let told = reader.ask(SOURCE, &json!({"knowledgeBaseId": base.id, "dataSourceId": id}));
        let told = told.map(|told| inside(told, "dataSource"));
        let members = [
            always("name", "Name"),
            always("knowledgeBaseId", "KnowledgeBaseId"),
            always("dataSourceConfiguration", "DataSourceConfiguration"),
            is("serverSideEncryptionConfiguration", "ServerSideEncryptionConfiguration"),
            derived("status", "Status"),
        ];
        describe(&mut one, &SOURCE.operation, told.as_ref(), &members);
        draft.items.push(one);
    }
}

/// What there is once for the account and region, or in a list that tells everything.
pub(super) static ACCOUNT: Lister =
    Lister { kinds: &[ENFORCED_KIND, LOGGING_KIND], calls: &[ENFORCED, LOGGING], list: account };

fn account(_: &Reader<'_>, draft: &mut Draft) -> Vec<Job> {
    draft.read(&[LOGGING_KIND]);
    vec![Job::new(&[ENFORCED_KIND], "", enforced), Job::new(&[LOGGING_KIND], "", logging)]
}

fn enforced(reader: &Reader<'_>, draft: &mut Draft) {
    match reader.all(ENFORCED, &json!({})) {
        Err(error) => draft.unread(ENFORCED_KIND, &ENFORCED.operation, &error),
        Ok(all) => {
            draft.read(&[ENFORCED_KIND]);
            for told in all {
                let Some(id) = told["configId"].as_str() else { continue };
                let mut one = item(ENFORCED_KIND, id);
                let members = [
                    always("guardrailArn", "GuardrailIdentifier"),
                    always("guardrailVersion", "GuardrailVersion"),
                    is("inputTags", "InputTags"),
                    is("modelEnforcement", "ModelEnforcement"),
                    derived("owner", "Owner"),
                ];
                describe(&mut one, &ENFORCED.operation, Ok(&told), &members);
                draft.items.push(one);
            }
        }
    }
}

/// Whether invocations are recorded. An account in which they are not has an answer with nothing in it.
fn logging(reader: &Reader<'_>, draft: &mut Draft) {
    let mut one = item(LOGGING_KIND, reader.account);
    let told = Told::by(reader.ask(LOGGING, &json!({})), &[]);
    let told = told.and(|told| told.get("loggingConfig").filter(|config| !config.is_null()).map(pascal));
    learn(&mut one, "LoggingConfig", &LOGGING.operation, told);
    draft.items.push(one);
}
