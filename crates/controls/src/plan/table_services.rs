//! The same table for services around models: trails, logs, containers, APIs, sign-in, networks, Bedrock.

use super::table::{Form, Role, Type};

pub(super) const TYPES: &[Type] = &[
    Type {
        terraform: "aws_s3_account_public_access_block",
        kind: "AWS::S3::AccountPublicAccessBlock",
        role: Role::Whole,
        fields: &[
            same("block_public_acls", "BlockPublicAcls"),
            same("block_public_policy", "BlockPublicPolicy"),
            same("ignore_public_acls", "IgnorePublicAcls"),
            same("restrict_public_buckets", "RestrictPublicBuckets"),
        ],
    },
    Type {
        terraform: "aws_kms_key_policy",
        kind: "AWS::KMS::Key",
        role: Role::Part { of: "AWS::KMS::Key", by: "key_id" },
        fields: &[("policy", "KeyPolicy", Form::Json)],
    },
    Type {
        terraform: "aws_cloudwatch_log_group",
        kind: "AWS::Logs::LogGroup",
        role: Role::Whole,
        fields: &[
            same("name", "LogGroupName"),
            same("kms_key_id", "KmsKeyId"),
            same("retention_in_days", "RetentionInDays"),
            same("tags", "Tags"),
        ],
    },
    Type {
        terraform: "aws_cloudwatch_metric_alarm",
        kind: "AWS::CloudWatch::Alarm",
        role: Role::Whole,
        fields: &[
            same("alarm_name", "AlarmName"),
            same("actions_enabled", "ActionsEnabled"),
            same("alarm_actions", "AlarmActions"),
            same("dimensions", "Dimensions"),
        ],
    },
    Type {
        terraform: "aws_ecs_task_definition",
        kind: "AWS::ECS::TaskDefinition",
        role: Role::Whole,
        fields: &[
            same("family", "Family"),
            ("container_definitions", "ContainerDefinitions", Form::Containers),
            same("pid_mode", "PidMode"),
            same("network_mode", "NetworkMode"),
        ],
    },
    Type {
        terraform: "aws_ecs_service",
        kind: "AWS::ECS::Service",
        role: Role::Whole,
        fields: &[
            same("name", "ServiceName"),
            (
                "network_configuration.assign_public_ip",
                "NetworkConfiguration.AwsvpcConfiguration.AssignPublicIp",
                Form::Switch,
            ),
        ],
    },
    Type {
        terraform: "aws_eks_cluster",
        kind: "AWS::EKS::Cluster",
        role: Role::Whole,
        fields: &[
            same("name", "Name"),
            same("vpc_config.endpoint_public_access", "ResourcesVpcConfig.EndpointPublicAccess"),
            same("vpc_config.public_access_cidrs", "ResourcesVpcConfig.PublicAccessCidrs"),
            same("encryption_config[].resources", "EncryptionConfig[].Resources"),
            same("encryption_config[].provider.key_arn", "EncryptionConfig[].Provider.KeyArn"),
            same("enabled_cluster_log_types", "Logging.ClusterLogging.EnabledTypes"),
            same("version", "Version"),
        ],
    },
    Type {
        terraform: "aws_ecr_repository",
        kind: "AWS::ECR::Repository",
        role: Role::Whole,
        fields: &[
            same("name", "RepositoryName"),
            same("image_scanning_configuration.scan_on_push", "ImageScanningConfiguration.ScanOnPush"),
            same("image_tag_mutability", "ImageTagMutability"),
            same("encryption_configuration.encryption_type", "EncryptionConfiguration.EncryptionType"),
            same("encryption_configuration.kms_key", "EncryptionConfiguration.KmsKey"),
        ],
    },
    Type {
        terraform: "aws_ecr_repository_policy",
        kind: "AWS::ECR::Repository",
        role: Role::Part { of: "AWS::ECR::Repository", by: "repository" },
        fields: &[("policy", "RepositoryPolicyText", Form::Json)],
    },
    Type {
        terraform: "aws_api_gateway_rest_api",
        kind: "AWS::ApiGateway::RestApi",
        role: Role::Whole,
        fields: &[
            same("name", "Name"),
            same("endpoint_configuration.types", "EndpointConfiguration.Types"),
            ("policy", "Policy", Form::Json),
        ],
    },
    Type {
        terraform: "aws_api_gateway_method",
        kind: "AWS::ApiGateway::Method",
        role: Role::Whole,
        fields: &[
            same("http_method", "HttpMethod"),
            same("authorization", "AuthorizationType"),
            same("api_key_required", "ApiKeyRequired"),
            same("authorizer_id", "AuthorizerId"),
            same("rest_api_id", "RestApiId"),
        ],
    },
    Type {
        terraform: "aws_api_gateway_stage",
        kind: "AWS::ApiGateway::Stage",
        role: Role::Whole,
        fields: &[
            same("stage_name", "StageName"),
            same("rest_api_id", "RestApiId"),
            same("access_log_settings.destination_arn", "AccessLogSetting.DestinationArn"),
            same("client_certificate_id", "ClientCertificateId"),
        ],
    },
    Type {
        terraform: "aws_api_gateway_method_settings",
        kind: "AWS::ApiGateway::Stage",
        role: Role::Part { of: "AWS::ApiGateway::Stage", by: "stage_name" },
        fields: &[
            same("settings[].logging_level", "MethodSettings[].LoggingLevel"),
            same("settings[].data_trace_enabled", "MethodSettings[].DataTraceEnabled"),
            same("settings[].caching_enabled", "MethodSettings[].CachingEnabled"),
            same("settings[].cache_data_encrypted", "MethodSettings[].CacheDataEncrypted"),
        ],
    },
    Type {
        terraform: "aws_api_gateway_domain_name",
        kind: "AWS::ApiGateway::DomainName",
        role: Role::Whole,
        fields: &[same("domain_name", "DomainName"), same("security_policy", "SecurityPolicy")],
    },
    Type {
        terraform: "aws_api_gateway_usage_plan",
        kind: "AWS::ApiGateway::UsagePlan",
        role: Role::Whole,
        fields: &[
            same("name", "UsagePlanName"),
            same("quota_settings.limit", "Quota.Limit"),
            same("throttle_settings.rate_limit", "Throttle.RateLimit"),
            same("api_stages[].api_id", "ApiStages[].ApiId"),
            same("api_stages[].stage", "ApiStages[].Stage"),
        ],
    },
    Type {
        terraform: "aws_apigatewayv2_route",
        kind: "AWS::ApiGatewayV2::Route",
        role: Role::Whole,
        fields: &[
            same("route_key", "RouteKey"),
            same("authorization_type", "AuthorizationType"),
            same("authorizer_id", "AuthorizerId"),
            same("api_id", "ApiId"),
        ],
    },
    Type {
        terraform: "aws_apigatewayv2_stage",
        kind: "AWS::ApiGatewayV2::Stage",
        role: Role::Whole,
        fields: &[
            same("name", "StageName"),
            same("access_log_settings.destination_arn", "AccessLogSettings.DestinationArn"),
        ],
    },
    Type {
        terraform: "aws_wafv2_web_acl_association",
        kind: "AWS::WAFv2::WebACLAssociation",
        role: Role::Whole,
        fields: &[same("resource_arn", "ResourceArn"), same("web_acl_arn", "WebACLArn")],
    },
    Type {
        terraform: "aws_wafregional_web_acl_association",
        kind: "AWS::WAFRegional::WebACLAssociation",
        role: Role::Whole,
        fields: &[same("resource_arn", "ResourceArn"), same("web_acl_id", "WebACLId")],
    },
    Type {
        terraform: "aws_cognito_user_pool",
        kind: "AWS::Cognito::UserPool",
        role: Role::Whole,
        fields: &[
            same("name", "UserPoolName"),
            same("mfa_configuration", "MfaConfiguration"),
            same("password_policy.minimum_length", "Policies.PasswordPolicy.MinimumLength"),
            same("password_policy.require_lowercase", "Policies.PasswordPolicy.RequireLowercase"),
            same("password_policy.require_uppercase", "Policies.PasswordPolicy.RequireUppercase"),
            same("password_policy.require_numbers", "Policies.PasswordPolicy.RequireNumbers"),
            same("password_policy.require_symbols", "Policies.PasswordPolicy.RequireSymbols"),
            same(
                "admin_create_user_config.allow_admin_create_user_only",
                "AdminCreateUserConfig.AllowAdminCreateUserOnly",
            ),
            same("user_pool_add_ons.advanced_security_mode", "UserPoolAddOns.AdvancedSecurityMode"),
            same("deletion_protection", "DeletionProtection"),
        ],
    },
    Type {
        terraform: "aws_cognito_user_pool_client",
        kind: "AWS::Cognito::UserPoolClient",
        role: Role::Whole,
        fields: &[
            same("name", "ClientName"),
            same("enable_token_revocation", "EnableTokenRevocation"),
            same("prevent_user_existence_errors", "PreventUserExistenceErrors"),
            same("access_token_validity", "AccessTokenValidity"),
            same("token_validity_units.access_token", "TokenValidityUnits.AccessToken"),
        ],
    },
    Type {
        terraform: "aws_cognito_identity_pool",
        kind: "AWS::Cognito::IdentityPool",
        role: Role::Whole,
        fields: &[
            same("identity_pool_name", "IdentityPoolName"),
            same("allow_unauthenticated_identities", "AllowUnauthenticatedIdentities"),
        ],
    },
    Type {
        terraform: "aws_vpc",
        kind: "AWS::EC2::VPC",
        role: Role::Whole,
        fields: &[same("cidr_block", "CidrBlock"), same("tags", "Tags")],
    },
    Type {
        terraform: "aws_subnet",
        kind: "AWS::EC2::Subnet",
        role: Role::Whole,
        fields: &[same("vpc_id", "VpcId"), same("tags", "Tags")],
    },
    Type {
        terraform: "aws_internet_gateway",
        kind: "AWS::EC2::InternetGateway",
        role: Role::Whole,
        fields: &[same("vpc_id", "VpcId")],
    },
    Type {
        terraform: "aws_route_table",
        kind: "AWS::EC2::RouteTable",
        role: Role::Whole,
        fields: &[
            same("vpc_id", "VpcId"),
            same("route[].cidr_block", "Routes[].DestinationCidrBlock"),
            same("route[].ipv6_cidr_block", "Routes[].DestinationIpv6CidrBlock"),
            same("route[].gateway_id", "Routes[].GatewayId"),
        ],
    },
    Type {
        terraform: "aws_security_group",
        kind: "AWS::EC2::SecurityGroup",
        role: Role::Whole,
        fields: &[
            same("name", "GroupName"),
            same("ingress[].cidr_blocks", "SecurityGroupIngress[].CidrIp"),
            same("ingress[].ipv6_cidr_blocks", "SecurityGroupIngress[].CidrIpv6"),
            same("ingress[].from_port", "SecurityGroupIngress[].FromPort"),
            same("ingress[].to_port", "SecurityGroupIngress[].ToPort"),
        ],
    },
    Type {
        terraform: "aws_security_group_rule",
        kind: "AWS::EC2::SecurityGroupIngress",
        role: Role::Whole,
        fields: &[
            same("type", "Direction"),
            same("security_group_id", "GroupId"),
            same("cidr_blocks", "CidrIp"),
            same("ipv6_cidr_blocks", "CidrIpv6"),
            same("from_port", "FromPort"),
            same("to_port", "ToPort"),
        ],
    },
    Type {
        terraform: "aws_vpc_security_group_ingress_rule",
        kind: "AWS::EC2::SecurityGroupIngress",
        role: Role::Whole,
        fields: &[
            same("security_group_id", "GroupId"),
            same("cidr_ipv4", "CidrIp"),
            same("cidr_ipv6", "CidrIpv6"),
            same("from_port", "FromPort"),
            same("to_port", "ToPort"),
        ],
    },
    Type {
        terraform: "aws_vpc_endpoint_policy",
        kind: "AWS::EC2::VPCEndpoint",
        role: Role::Part { of: "AWS::EC2::VPCEndpoint", by: "vpc_endpoint_id" },
        fields: &[("policy", "PolicyDocument", Form::Json)],
    },
    Type {
        terraform: "aws_api_gateway_rest_api_policy",
        kind: "AWS::ApiGateway::RestApi",
        role: Role::Part { of: "AWS::ApiGateway::RestApi", by: "rest_api_id" },
        fields: &[("policy", "Policy", Form::Json)],
    },
    Type {
        terraform: "aws_route",
        kind: "AWS::EC2::Route",
        role: Role::Whole,
        fields: &[
            same("route_table_id", "RouteTableId"),
            same("destination_cidr_block", "DestinationCidrBlock"),
            same("destination_ipv6_cidr_block", "DestinationIpv6CidrBlock"),
            same("gateway_id", "GatewayId"),
        ],
    },
    Type {
        terraform: "aws_route_table_association",
        kind: "AWS::EC2::SubnetRouteTableAssociation",
        role: Role::Whole,
        fields: &[same("subnet_id", "SubnetId"), same("route_table_id", "RouteTableId")],
    },
    Type {
        terraform: "aws_vpc_endpoint",
        kind: "AWS::EC2::VPCEndpoint",
        role: Role::Whole,
        fields: &[
            same("service_name", "ServiceName"),
            same("vpc_id", "VpcId"),
            ("policy", "PolicyDocument", Form::Json),
            same("vpc_endpoint_type", "VpcEndpointType"),
            same("private_dns_enabled", "PrivateDnsEnabled"),
            same("security_group_ids", "SecurityGroupIds"),
        ],
    },
    Type {
        terraform: "aws_flow_log",
        kind: "AWS::EC2::FlowLog",
        role: Role::Whole,
        fields: &[same("vpc_id", "ResourceId")],
    },
    Type {
        terraform: "aws_bedrockagent_agent",
        kind: "AWS::Bedrock::Agent",
        role: Role::Whole,
        fields: &[
            same("agent_name", "AgentName"),
            same(
                "guardrail_configuration.guardrail_identifier",
                "GuardrailConfiguration.GuardrailIdentifier",
            ),
            same("guardrail_configuration.guardrail_version", "GuardrailConfiguration.GuardrailVersion"),
            same("customer_encryption_key_arn", "CustomerEncryptionKeyArn"),
        ],
    },
    Type {
        terraform: "aws_bedrockagent_data_source",
        kind: "AWS::Bedrock::DataSource",
        role: Role::Whole,
        fields: &[
            same("name", "Name"),
            same(
                "server_side_encryption_configuration.kms_key_arn",
                "ServerSideEncryptionConfiguration.KmsKeyArn",
            ),
        ],
    },
    Type {
        terraform: "aws_bedrock_guardrail",
        kind: "AWS::Bedrock::Guardrail",
        role: Role::Whole,
        fields: &[
            same("name", "Name"),
            same("content_policy_config.filters_config[].type", "ContentPolicyConfig.FiltersConfig[].Type"),
            same(
                "content_policy_config.filters_config[].input_strength",
                "ContentPolicyConfig.FiltersConfig[].InputStrength",
            ),
            same(
                "sensitive_information_policy_config.pii_entities_config[].type",
                "SensitiveInformationPolicyConfig.PiiEntitiesConfig[].Type",
            ),
            same(
                "contextual_grounding_policy_config.filters_config[].type",
                "ContextualGroundingPolicyConfig.FiltersConfig[].Type",
            ),
            same("kms_key_arn", "KmsKeyArn"),
        ],
    },
    Type {
        terraform: "aws_bedrock_custom_model",
        kind: "AWS::Bedrock::CustomModel",
        role: Role::Whole,
        fields: &[
            same("custom_model_name", "CustomModelName"),
            same("custom_model_kms_key_id", "ModelKmsKeyId"),
        ],
    },
    Type {
        terraform: "aws_bedrock_model_invocation_logging_configuration",
        kind: "AWS::Bedrock::ModelInvocationLoggingConfiguration",
        role: Role::Whole,
        fields: &[
            same("logging_config.text_data_delivery_enabled", "LoggingConfig.TextDataDeliveryEnabled"),
            same("logging_config.s3_config.bucket_name", "LoggingConfig.S3Config.BucketName"),
            same(
                "logging_config.cloudwatch_config.log_group_name",
                "LoggingConfig.CloudWatchConfig.LogGroupName",
            ),
        ],
    },
    Type {
        terraform: "aws_bedrockagentcore_agent_runtime",
        kind: "AWS::BedrockAgentCore::Runtime",
        role: Role::Whole,
        fields: &[
            same("agent_runtime_name", "AgentRuntimeName"),
            same("network_configuration.network_mode", "NetworkConfiguration.NetworkMode"),
        ],
    },
    Type {
        terraform: "aws_bedrockagentcore_gateway",
        kind: "AWS::BedrockAgentCore::Gateway",
        role: Role::Whole,
        fields: &[
            same("name", "Name"),
            same("authorizer_type", "AuthorizerType"),
            same("kms_key_arn", "KmsKeyArn"),
        ],
    },
    Type {
        terraform: "aws_bedrockagentcore_memory",
        kind: "AWS::BedrockAgentCore::Memory",
        role: Role::Whole,
        fields: &[same("name", "Name"), same("encryption_key_arn", "EncryptionKeyArn")],
    },
    Type {
        terraform: "aws_bedrockagentcore_browser",
        kind: "AWS::BedrockAgentCore::BrowserCustom",
        role: Role::Whole,
        fields: &[
            same("name", "Name"),
            same("network_configuration.network_mode", "NetworkConfiguration.NetworkMode"),
            same("recording.enabled", "RecordingConfig.Enabled"),
        ],
    },
    Type {
        terraform: "aws_bedrockagentcore_code_interpreter",
        kind: "AWS::BedrockAgentCore::CodeInterpreterCustom",
        role: Role::Whole,
        fields: &[
            same("name", "Name"),
            same("network_configuration.network_mode", "NetworkConfiguration.NetworkMode"),
        ],
    },
];

/// A value that keeps its form.
pub(super) const fn same(from: &'static str, to: &'static str) -> (&'static str, &'static str, Form) {
    (from, to, Form::Same)
}
