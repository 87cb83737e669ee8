"""Makes an account in the emulator at the URL that is given: users, groups, roles, a bucket, keys. Prints the keys' ARNs."""
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


def allow(action, resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


iam, s3, kms = client("iam"), client("s3"), client("kms")
ACCOUNT = "arn:aws:iam::123456789012"
DATA = "arn:aws:s3:::live-data"

read = iam.create_policy(PolicyName="read-data", PolicyDocument=policy(allow("s3:GetObject", f"{DATA}/*")))
fence = iam.create_policy(PolicyName="fence", PolicyDocument=policy(allow("s3:*"), allow("kms:Decrypt")))
nothing = iam.create_policy(PolicyName="only-logs", PolicyDocument=policy(allow("logs:*")))

iam.create_user(UserName="anna", Tags=[{"Key": "team", "Value": "fraud & co"}])
iam.put_user_policy(UserName="anna", PolicyName="in", PolicyDocument=policy(allow("s3:GetObject", f"{DATA}/train/*")))
iam.create_user(UserName="bert")
iam.create_group(GroupName="scientists")
iam.put_group_policy(GroupName="scientists", PolicyName="in", PolicyDocument=policy(allow("s3:*", f"{DATA}*")))
iam.add_user_to_group(GroupName="scientists", UserName="bert")
iam.create_user(UserName="carl")
iam.create_user(UserName="dora")
iam.put_user_policy(UserName="dora", PolicyName="in", PolicyDocument=policy(
    allow("*"), {"Effect": "Deny", "Action": "s3:GetObject", "Resource": f"{DATA}/*"}))

trust = policy({"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"})
for name, boundary in (("trainer", fence), ("fenced", nothing)):
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, PermissionsBoundary=boundary["Policy"]["Arn"])
    iam.attach_role_policy(RoleName=name, PolicyArn=read["Policy"]["Arn"])

for bucket in ("live-data", "live-data-2"):
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_bucket_ownership_controls(
        Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]})
s3.put_bucket_policy(Bucket="live-data", Policy=policy(
    {"Sid": "Auditors", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::444455556666:role/auditor"},
     "Action": "s3:GetObject", "Resource": f"{DATA}/*"},
    {"Sid": "NotBert", "Effect": "Deny", "Principal": {"AWS": f"{ACCOUNT}:user/bert"},
     "Action": "s3:DeleteObject", "Resource": f"{DATA}/*"}))
s3.put_public_access_block(Bucket="live-data", PublicAccessBlockConfiguration={
    "BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": True})
s3.put_bucket_tagging(Bucket="live-data", Tagging={"TagSet": [{"Key": "classification", "Value": "personal"}]})

key = kms.create_key(Policy=policy(
    {"Effect": "Allow", "Principal": {"AWS": f"{ACCOUNT}:user/carl"}, "Action": "kms:Decrypt", "Resource": "*"}))
arn = key["KeyMetadata"]["Arn"]
kms.create_grant(KeyId=arn, GranteePrincipal=f"{ACCOUNT}:role/trainer", Operations=["Decrypt"],
                 Constraints={"EncryptionContextSubset": {"job": "restore"}})
print(arn)
