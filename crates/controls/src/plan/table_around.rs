//! The same table for what records, and for what stands behind other resources: authorizers, channels of delivery,
//! policies of organisations.

use super::table::{Form, Role, Type};
use super::table_services::same;

pub(super) const TYPES: &[Type] = &[
    Type {
        terraform: "aws_cloudtrail",
        kind: "AWS::CloudTrail::Trail",
        role: Role::Whole,
        fields: &[
            same("name", "TrailName"),
            same("s3_bucket_name", "S3BucketName"),
            same("is_multi_region_trail", "IsMultiRegionTrail"),
            same("kms_key_id", "KMSKeyId"),
            same("enable_log_file_validation", "EnableLogFileValidation"),
            same("cloud_watch_logs_group_arn", "CloudWatchLogsLogGroupArn"),
            same("enable_logging", "IsLogging"),
            same("event_selector[].read_write_type", "EventSelectors[].ReadWriteType"),
            same("event_selector[].data_resource[].type", "EventSelectors[].DataResources[].Type"),
            same("event_selector[].data_resource[].values", "EventSelectors[].DataResources[].Values"),
            same(
                "advanced_event_selector[].field_selector[].field",
                "AdvancedEventSelectors[].FieldSelectors[].Field",
            ),
            same(
                "advanced_event_selector[].field_selector[].equals",
                "AdvancedEventSelectors[].FieldSelectors[].Equals",
            ),
            same(
                "advanced_event_selector[].field_selector[].starts_with",
                "AdvancedEventSelectors[].FieldSelectors[].StartsWith",
            ),
            same(
                "advanced_event_selector[].field_selector[].not_starts_with",
                "AdvancedEventSelectors[].FieldSelectors[].NotStartsWith",
            ),
            same(
                "advanced_event_selector[].field_selector[].not_equals",
                "AdvancedEventSelectors[].FieldSelectors[].NotEquals",
            ),
        ],
    },
    Type {
        terraform: "aws_config_configuration_recorder",
        kind: "AWS::Config::ConfigurationRecorder",
        role: Role::Whole,
        fields: &[
            same("name", "Name"),
            same("recording_group.all_supported", "RecordingGroup.AllSupported"),
            same(
                "recording_group.include_global_resource_types",
                "RecordingGroup.IncludeGlobalResourceTypes",
            ),
            same("recording_group.resource_types", "RecordingGroup.ResourceTypes"),
            same(
                "recording_group.exclusion_by_resource_types.resource_types",
                "RecordingGroup.ExclusionByResourceTypes.ResourceTypes",
            ),
        ],
    },
    Type {
        terraform: "aws_api_gateway_authorizer",
        kind: "AWS::ApiGateway::Authorizer",
        role: Role::Whole,
        fields: &[
            same("name", "Name"),
            same("type", "Type"),
            same("authorizer_uri", "AuthorizerUri"),
            same("provider_arns", "ProviderARNs"),
        ],
    },
    Type {
        terraform: "aws_apigatewayv2_authorizer",
        kind: "AWS::ApiGatewayV2::Authorizer",
        role: Role::Whole,
        fields: &[
            same("name", "Name"),
            same("authorizer_type", "AuthorizerType"),
            same("authorizer_uri", "AuthorizerUri"),
            same("jwt_configuration.issuer", "JwtConfiguration.Issuer"),
            same("jwt_configuration.audience", "JwtConfiguration.Audience"),
        ],
    },
    Type {
        terraform: "aws_config_delivery_channel",
        kind: "AWS::Config::DeliveryChannel",
        role: Role::Whole,
        fields: &[same("name", "Name"), same("s3_bucket_name", "S3BucketName")],
    },
    Type {
        terraform: "aws_organizations_policy",
        kind: "AWS::Organizations::Policy",
        role: Role::Whole,
        fields: &[same("name", "Name"), same("type", "Type"), ("content", "Content", Form::Json)],
    },
    Type {
        terraform: "aws_organizations_policy_attachment",
        kind: "AWS::Organizations::Policy",
        role: Role::Part { of: "AWS::Organizations::Policy", by: "policy_id" },
        fields: &[("target_id", "TargetIds", Form::List)],
    },
];
