"""Makes what controls are about in the emulator at the URL that is given; all names begin with `posture`."""
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
