//! What Amazon Bedrock AgentCore runs. Properties: AWS::BedrockAgentCore::* of the CloudFormation reference; calls: API
//! reference of the AgentCore control plane.

use super::types::{Member, Tags, Type, always, derived, is, no_more};
use crate::operation::{Call, Protocol, SMALL_TOKEN, Service, call};
use serde_json::json;

/// The control plane of AgentCore; its calls are signed as AgentCore.
const CONTROL: Service =
    Service { id: "BEDROCK_AGENTCORE_CONTROL", name: "bedrock-agentcore", protocol: Protocol::RestJson };

const TAGS: &Call =
    call!(CONTROL, "ListTagsForResource", "bedrock-agentcore:ListTagsForResource", "GET /tags/{resourceArn}");

/// Types of older templates; what is there now has the newer ones.
pub(super) const OLD_KINDS: [&str; 2] =
    ["AWS::BedrockAgentCore::Browser", "AWS::BedrockAgentCore::CodeInterpreter"];

/// What browsers and code interpreters have.
const TOOL: &[Member] = &[
    always("name", "Name"),
    always("networkConfiguration", "NetworkConfiguration"),
    is("executionRoleArn", "ExecutionRoleArn"),
    is("recording", "RecordingConfig"),
    derived("status", "Status"),
];

pub(super) static TYPES: [Type; 5] = [
    Type {
        kind: "AWS::BedrockAgentCore::Runtime",
        children: &[],
        list: call!(
            CONTROL,
            "ListAgentRuntimes",
            "bedrock-agentcore:ListAgentRuntimes",
            "POST /runtimes/?nextToken",
            SMALL_TOKEN.of("agentRuntimes")
        ),
        with: || json!({}),
        id: "agentRuntimeId",
        read: call!(
            CONTROL,
            "GetAgentRuntime",
            "bedrock-agentcore:GetAgentRuntime",
            "GET /runtimes/{agentRuntimeId}/"
        ),
        asked: "agentRuntimeId",
        inside: "",
        arn: "agentRuntimeArn",
        members: &[
            always("agentRuntimeName", "AgentRuntimeName"),
            always("roleArn", "RoleArn"),
            always("networkConfiguration", "NetworkConfiguration"),
            derived("status", "Status"),
        ],
        tags: Tags::By(TAGS, "resourceArn"),
        more: no_more,
    },
    Type {
        kind: "AWS::BedrockAgentCore::Gateway",
        children: &[],
        list: call!(
            CONTROL,
            "ListGateways",
            "bedrock-agentcore:ListGateways",
            "GET /gateways/",
            SMALL_TOKEN.of("items")
        ),
        with: || json!({}),
        id: "gatewayId",
        read: call!(
            CONTROL,
            "GetGateway",
            "bedrock-agentcore:GetGateway",
            "GET /gateways/{gatewayIdentifier}/"
        ),
        asked: "gatewayIdentifier",
        inside: "",
        arn: "gatewayArn",
        members: &[
            always("name", "Name"),
            always("authorizerType", "AuthorizerType"),
            is("roleArn", "RoleArn"),
            is("kmsKeyArn", "KmsKeyArn"),
            derived("status", "Status"),
            derived("webAclArn", "WebAclArn"),
        ],
        tags: Tags::By(TAGS, "resourceArn"),
        more: no_more,
    },
    Type {
        kind: "AWS::BedrockAgentCore::Memory",
        children: &[],
        list: call!(
            CONTROL,
            "ListMemories",
            "bedrock-agentcore:ListMemories",
            "POST /memories/",
            SMALL_TOKEN.of("memories")
        ),
        with: || json!({}),
        id: "id",
        // What is remembered is not decrypted for this.
        read: call!(
            CONTROL,
            "GetMemory",
            "bedrock-agentcore:GetMemory",
            "GET /memories/{memoryId}/details?view=without_decryption"
        ),
        asked: "memoryId",
        inside: "memory",
        arn: "arn",
        members: &[
            always("name", "Name"),
            is("encryptionKeyArn", "EncryptionKeyArn"),
            is("memoryExecutionRoleArn", "MemoryExecutionRoleArn"),
            is("eventExpiryDuration", "EventExpiryDuration"),
            derived("status", "Status"),
        ],
        tags: Tags::By(TAGS, "resourceArn"),
        more: no_more,
    },
    Type {
        kind: "AWS::BedrockAgentCore::BrowserCustom",
        children: &[OLD_KINDS[0]],
        list: call!(
            CONTROL,
            "ListBrowsers",
            "bedrock-agentcore:ListBrowsers",
            "POST /browsers?type=CUSTOM&nextToken",
            SMALL_TOKEN.of("browserSummaries")
        ),
        // Those of AWS cannot be changed, so only those of customers are listed.
        with: || json!({}),
        id: "browserId",
        read: call!(CONTROL, "GetBrowser", "bedrock-agentcore:GetBrowser", "GET /browsers/{browserId}"),
        asked: "browserId",
        inside: "",
        arn: "browserArn",
        members: TOOL,
        tags: Tags::By(TAGS, "resourceArn"),
        more: no_more,
    },
    Type {
        kind: "AWS::BedrockAgentCore::CodeInterpreterCustom",
        children: &[OLD_KINDS[1]],
        list: call!(
            CONTROL,
            "ListCodeInterpreters",
            "bedrock-agentcore:ListCodeInterpreters",
            "POST /code-interpreters?type=CUSTOM&nextToken",
            SMALL_TOKEN.of("codeInterpreterSummaries")
        ),
        with: || json!({}),
        id: "codeInterpreterId",
        read: call!(
            CONTROL,
            "GetCodeInterpreter",
            "bedrock-agentcore:GetCodeInterpreter",
            "GET /code-interpreters/{codeInterpreterId}"
        ),
        asked: "codeInterpreterId",
        inside: "",
        arn: "codeInterpreterArn",
        members: TOOL,
        tags: Tags::By(TAGS, "resourceArn"),
        more: no_more,
    },
];
