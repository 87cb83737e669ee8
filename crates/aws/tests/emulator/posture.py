"""Makes what controls are about in the emulator at the URL that is given; all names begin with `posture`."""
import base64
import json
import sys

import boto3


def client(service):
    return boto3.client(
        service, endpoint_url=sys.argv[1], region_name="eu-central-1", aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="secret",
    )


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


s3, kms, iam, sagemaker = client("s3"), client("kms"), client("iam"), client("sagemaker")
ACCOUNT = "arn:aws:iam::123456789012"

key = kms.create_key(Description="posture", Tags=[{"TagKey": "owner", "TagValue": "ml"}], Policy=policy(
    {"Sid": "Account", "Effect": "Allow", "Principal": {"AWS": f"{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}))
arn, key_id = key["KeyMetadata"]["Arn"], key["KeyMetadata"]["KeyId"]
kms.create_alias(AliasName="alias/posture", TargetKeyId=key_id)
kms.enable_key_rotation(KeyId=key_id)

for bucket in ("posture-good", "posture-bare"):
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
good = "posture-good"
s3.put_bucket_encryption(Bucket=good, ServerSideEncryptionConfiguration={"Rules": [{
    "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": arn}, "BucketKeyEnabled": True}]})
s3.put_public_access_block(Bucket=good, PublicAccessBlockConfiguration={
    "BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": True})
s3.put_bucket_versioning(Bucket=good, VersioningConfiguration={"Status": "Enabled"})
s3.put_bucket_ownership_controls(
    Bucket=good, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]})
s3.put_bucket_lifecycle_configuration(Bucket=good, LifecycleConfiguration={"Rules": [{
    "ID": "year", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 365},
    "Transitions": [{"Days": 30, "StorageClass": "STANDARD_IA"}], "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}}]})
s3.put_bucket_tagging(Bucket=good, Tagging={"TagSet": [
    {"Key": name, "Value": value} for name, value in
    (("owner", "ml & co"), ("data-class", "personal"), ("purpose", "training"), ("retention", "365"))]})
s3.put_bucket_policy(Bucket=good, Policy=policy(
    {"Sid": "Tls", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
     "Resource": [f"arn:aws:s3:::{good}", f"arn:aws:s3:::{good}/*"], "Condition": {"Bool": {"aws:SecureTransport": "false"}}}))

trust = policy({"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"})
role = iam.create_role(RoleName="posture-trainer", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
iam.put_role_policy(RoleName="posture-trainer", PolicyName="in", PolicyDocument=policy(
    {"Effect": "Allow", "Action": "*", "Resource": "*"}))
iam.create_user(UserName="posture-anna")
iam.create_access_key(UserName="posture-anna")
iam.create_policy(PolicyName="posture-read", PolicyDocument=policy(
    {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{good}/*"}))

image = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/posture@sha256:" + "0" * 64
sagemaker.create_model(ModelName="posture-credit", ExecutionRoleArn=role, EnableNetworkIsolation=True,
                       PrimaryContainer={"Image": image, "ModelDataUrl": f"s3://{good}/model.tar.gz"})
sagemaker.create_endpoint_config(EndpointConfigName="posture-config", KmsKeyId=arn, ProductionVariants=[{
    "VariantName": "all", "ModelName": "posture-credit", "InitialInstanceCount": 2, "InstanceType": "ml.m5.large"}])
sagemaker.create_endpoint(EndpointName="posture-endpoint", EndpointConfigName="posture-config")
sagemaker.create_notebook_instance(NotebookInstanceName="posture-notebook", InstanceType="ml.t3.medium", RoleArn=role)
client("logs").create_log_group(logGroupName="posture-logs", kmsKeyId=arn)
client("logs").put_retention_policy(logGroupName="posture-logs", retentionInDays=365)
client("ecr").create_repository(repositoryName="posture", imageTagMutability="IMMUTABLE",
                                imageScanningConfiguration={"scanOnPush": True})
s3.put_bucket_policy(Bucket="posture-bare", Policy=policy(
    {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": ["s3:PutObject", "s3:GetBucketAcl"],
     "Resource": ["arn:aws:s3:::posture-bare", "arn:aws:s3:::posture-bare/*"]}))
client("cloudtrail").create_trail(Name="posture-trail", S3BucketName="posture-bare", EnableLogFileValidation=True)

# The registry: two versions, one approved, with its artefact.
models = "posture-models"
s3.create_bucket(Bucket=models, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"},
                 ObjectLockEnabledForBucket=True)
s3.put_bucket_encryption(Bucket=models, ServerSideEncryptionConfiguration={"Rules": [{
    "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": arn}}]})
tag = s3.put_object(Bucket=models, Key="model.tar.gz", Body=b"model")["ETag"].strip('"')
sagemaker.create_model_package_group(ModelPackageGroupName="posture-group")
for status in ("Approved", "PendingManualApproval"):
    sagemaker.create_model_package(
        ModelPackageGroupName="posture-group", ModelApprovalStatus=status,
        MetadataProperties={"CommitId": "c0ffee", "GeneratedBy": "posture-pipeline"},
        InferenceSpecification={"Containers": [{"Image": image, "ModelDataUrl": f"s3://{models}/model.tar.gz",
                                                "ModelDataETag": tag}],
                                "SupportedContentTypes": ["text/csv"], "SupportedResponseMIMETypes": ["text/csv"]})
script = base64.b64encode(b"#!/bin/sh\nexport AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE\n").decode()
sagemaker.create_notebook_instance_lifecycle_config(
    NotebookInstanceLifecycleConfigName="posture-start", OnStart=[{"Content": script}])
sagemaker.create_pipeline(PipelineName="posture-pipeline", ClientRequestToken="posture" * 5, RoleArn=role,
                          PipelineDefinition="{}")

gateway = client("apigateway")
api = gateway.create_rest_api(name="posture-api", endpointConfiguration={"types": ["REGIONAL"]}, policy=policy(
    {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "*"}))["id"]
root = gateway.get_resources(restApiId=api)["items"][0]["id"]
gateway.put_method(restApiId=api, resourceId=root, httpMethod="POST", authorizationType="NONE")
gateway.put_integration(
    restApiId=api, resourceId=root, httpMethod="POST", type="AWS", integrationHttpMethod="POST", credentials=role,
    uri="arn:aws:apigateway:eu-central-1:runtime.sagemaker:path/endpoints/posture-endpoint/invocations")
deployment = gateway.create_deployment(restApiId=api)["id"]
gateway.create_stage(restApiId=api, stageName="posture-stage", deploymentId=deployment)
gateway.update_stage(restApiId=api, stageName="posture-stage", patchOperations=[
    {"op": "replace", "path": "/*/*/logging/loglevel", "value": "INFO"}])
gateway.create_usage_plan(name="posture-plan", apiStages=[{"apiId": api, "stage": "posture-stage"}],
                          throttle={"rateLimit": 5.0, "burstLimit": 5}, quota={"limit": 100, "period": "DAY"})
gateway.create_domain_name(domainName="posture.example.com", securityPolicy="TLS_1_2")
http = client("apigatewayv2")
http_api = http.create_api(Name="posture-http", ProtocolType="HTTP")["ApiId"]
target = http.create_integration(ApiId=http_api, IntegrationType="HTTP_PROXY", IntegrationMethod="POST",
                                 IntegrationUri="https://posture.example.com", PayloadFormatVersion="1.0")["IntegrationId"]
http.create_route(ApiId=http_api, RouteKey="POST /posture", AuthorizationType="AWS_IAM", Target=f"integrations/{target}")
http.create_stage(ApiId=http_api, StageName="posture-http-stage")

users = client("cognito-idp")
pool = users.create_user_pool(PoolName="posture-users", Policies={"PasswordPolicy": {
    "MinimumLength": 12, "RequireUppercase": True, "RequireLowercase": True, "RequireNumbers": True, "RequireSymbols": True}},
    AdminCreateUserConfig={"AllowAdminCreateUserOnly": True})["UserPool"]["Id"]
users.set_user_pool_mfa_config(UserPoolId=pool, MfaConfiguration="ON", SoftwareTokenMfaConfiguration={"Enabled": True})
users.create_user_pool_client(UserPoolId=pool, ClientName="posture-client", GenerateSecret=True, AccessTokenValidity=30,
                              TokenValidityUnits={"AccessToken": "minutes"}, EnableTokenRevocation=True)
client("cognito-identity").create_identity_pool(IdentityPoolName="posture-guests", AllowUnauthenticatedIdentities=True)

client("bedrock").put_model_invocation_logging_configuration(loggingConfig={
    "cloudWatchConfig": {"logGroupName": "posture-logs", "roleArn": role}, "textDataDeliveryEnabled": True})
agents = client("bedrock-agent")
agents.create_agent(agentName="posture-agent", agentResourceRoleArn=role)
agents.create_knowledge_base(
    name="posture-knowledge", roleArn=role,
    knowledgeBaseConfiguration={"type": "VECTOR", "vectorKnowledgeBaseConfiguration": {"embeddingModelArn": "arn:aws:bedrock:eu-central-1::foundation-model/posture"}},
    storageConfiguration={"type": "RDS"})
core = client("bedrock-agentcore-control")
core.create_agent_runtime(
    agentRuntimeName="posture_runtime", roleArn=role, networkConfiguration={"networkMode": "PUBLIC"},
    agentRuntimeArtifact={"containerConfiguration": {"containerUri": image}})
core.create_gateway(name="posture-gateway", roleArn=role, protocolType="MCP", authorizerType="AWS_IAM")
core.create_memory(name="posture_memory", eventExpiryDuration=30, encryptionKeyArn=arn, clientToken="posture" * 5)

ecs = client("ecs")
ecs.create_cluster(clusterName="posture-cluster")
for privileged in (True, False):
    ecs.register_task_definition(family="posture-task", networkMode="awsvpc", containerDefinitions=[{
        "name": "posture", "image": image, "user": "1000", "memory": 128, "privileged": privileged, "readonlyRootFilesystem": True,
        "environment": [{"name": "DB_PASSWORD", "value": "hunter2"}],
        "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "posture-logs"}}}])
ecs.create_service(cluster="posture-cluster", serviceName="posture-service", taskDefinition="posture-task:2", desiredCount=1)
client("eks").create_cluster(
    name="posture-eks", version="1.32", roleArn=role, resourcesVpcConfig={"subnetIds": [], "endpointPublicAccess": True},
    encryptionConfig=[{"resources": ["secrets"], "provider": {"keyArn": arn}}],
    logging={"clusterLogging": [{"types": ["audit", "api"], "enabled": True}, {"types": ["scheduler"], "enabled": False}]})

config = client("config")
config.put_configuration_recorder(ConfigurationRecorder={
    "name": "posture-recorder", "roleARN": role, "recordingGroup": {"allSupported": True, "includeGlobalResourceTypes": True}})
client("cloudwatch").put_metric_alarm(
    AlarmName="posture-errors", ComparisonOperator="GreaterThanThreshold", EvaluationPeriods=1, Threshold=1, Period=60,
    Statistic="Sum", Namespace="AWS/SageMaker", MetricName="Invocation5XXErrors", AlarmActions=["arn:aws:sns:eu-central-1:123456789012:posture"],
    Dimensions=[{"Name": "EndpointName", "Value": "posture-endpoint"}, {"Name": "VariantName", "Value": "all"}])
client("logs").put_metric_filter(
    logGroupName="posture-logs", filterName="posture-filter", filterPattern="ERROR",
    metricTransformations=[{"metricName": "errors", "metricNamespace": "posture", "metricValue": "1"}])
