"""Makes an account in which what fixes put right is broken, or changes one thing of it.

Arguments: what to do, the URL, and the name of a bucket.
"""
import json
import sys

import boto3

WHAT, URL, NAME = (sys.argv[1:] + [""])[:3]


def client(service):
    return boto3.client(
        service, endpoint_url=URL, region_name="eu-central-1", aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="secret",
    )


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


s3 = client("s3")


def bucket(name, **more):
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}, **more)


def closed(name):
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration={
        "BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": True})


def encrypted(name, key):
    s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [{
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}]})


def storage(key):
    bucket("fix-open", ObjectOwnership="ObjectWriter")
    s3.put_bucket_tagging(Bucket="fix-open", Tagging={"TagSet": [{"Key": "modelStage", "Value": "development"}]})
    s3.put_bucket_policy(Bucket="fix-open", Policy=policy(
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "s3:GetObject",
         "Resource": "arn:aws:s3:::fix-open/*"}))
    s3.put_bucket_lifecycle_configuration(Bucket="fix-open", LifecycleConfiguration={"Rules": [{
        "ID": "old", "Status": "Disabled", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 3}}]})
    bucket("fix-capture")
    closed("fix-capture")
    encrypted("fix-capture", key)
    bucket("logs-of-fixes", ACL="log-delivery-write")
    closed("logs-of-fixes")
    bucket("fix-read", ACL="public-read")
    bucket("fix-write")
    s3.put_bucket_policy(Bucket="fix-write", Policy=policy(
        {"Effect": "Allow", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::fix-write/*"}))


def keys():
    kms, iam = client("kms"), client("iam")
    key = kms.create_key(Description="sound")["KeyMetadata"]["Arn"]
    kms.enable_key_rotation(KeyId=key)
    idle = kms.create_key(Description="to be deleted")["KeyMetadata"]
    kms.enable_key_rotation(KeyId=idle["KeyId"])
    bucket("fix-keyed")
    encrypted("fix-keyed", idle["Arn"])
    kms.schedule_key_deletion(KeyId=idle["KeyId"], PendingWindowInDays=30)
    kms.create_key(Description="without rotation")
    iam.create_user(UserName="fix-anna")
    iam.create_access_key(UserName="fix-anna")
    trust = policy({"Sid": "Models", "Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"})
    role = iam.create_role(RoleName="fix-trainer", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    return key, role


def records(key):
    trails, logs = client("cloudtrail"), client("logs")
    s3.put_bucket_policy(Bucket="logs-of-fixes", Policy=policy(
        {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": ["s3:PutObject", "s3:GetBucketAcl"],
         "Resource": ["arn:aws:s3:::logs-of-fixes", "arn:aws:s3:::logs-of-fixes/*"]}))
    trails.create_trail(Name="fix-trail", S3BucketName="logs-of-fixes")
    # What AWS gives a new trail.
    trails.put_event_selectors(TrailName="fix-trail", EventSelectors=[
        {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": []}])
    logs.create_log_group(logGroupName="fix-short", kmsKeyId=key)
    logs.put_retention_policy(logGroupName="fix-short", retentionInDays=30)
    logs.create_log_group(logGroupName="fix-for-ever", kmsKeyId=key)
    logs.create_log_group(logGroupName="fix-plain")
    logs.put_retention_policy(logGroupName="fix-plain", retentionInDays=365)
    client("ecr").create_repository(repositoryName="fix-images")


def networks():
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="fix-group", Description="x", VpcId=vpc)["GroupId"]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
        {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443,
         "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "all"}, {"CidrIp": "10.0.0.0/16"}]}])
    ec2.create_vpc_endpoint(VpcId=vpc, VpcEndpointType="Interface", ServiceName="com.amazonaws.eu-central-1.kms",
                            SubnetIds=[subnet], SecurityGroupIds=[group], PrivateDnsEnabled=True)


def serving(key, role):
    sagemaker = client("sagemaker")
    image = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/fix@sha256:" + "0" * 64
    for name, alone in [("fix-model", True), ("fix-open", False)]:
        sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer={"Image": image},
                               EnableNetworkIsolation=alone)
    capture = {"EnableCapture": True, "InitialSamplingPercentage": 100, "DestinationS3Uri": "s3://fix-capture/x",
               "KmsKeyId": key, "CaptureOptions": [{"CaptureMode": "Input"}]}

    def endpoint(name, instances=2, model="fix-model", **more):
        sagemaker.create_endpoint_config(EndpointConfigName=name, Tags=[{"Key": "owner", "Value": "ml"}], ProductionVariants=[{
            "VariantName": "all", "ModelName": model, "InitialInstanceCount": instances, "InstanceType": "ml.m5.large",
            "InitialVariantWeight": 1.0}], **more)
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)

    endpoint("fix-unencrypted", DataCaptureConfig=capture)
    endpoint("fix-uncaptured", KmsKeyId=key)
    endpoint("fix-unisolated", model="fix-open", KmsKeyId=key, DataCaptureConfig=capture)
    endpoint("fix-alone", instances=1, KmsKeyId=key, DataCaptureConfig=capture)


if WHAT == "account":
    key, role = keys()
    storage(key)
    records(key)
    networks()
    serving(key, role)
    print(key)
elif WHAT == "bucket":
    bucket(NAME)
elif WHAT == "suspend":
    s3.put_bucket_versioning(Bucket=NAME, VersioningConfiguration={"Status": "Suspended"})
elif WHAT == "versioning":
    print(s3.get_bucket_versioning(Bucket=NAME).get("Status", "never"))
elif WHAT == "access-key":
    client("iam").create_user(UserName=NAME)
    print(client("iam").create_access_key(UserName=NAME)["AccessKey"]["AccessKeyId"])
