"""Somebody else in the SageMaker Model Registry. Arguments: `show`, `approve` or `create`, the endpoint, a group and, to
approve, the number of a version."""
import json
import sys

import boto3

what, url, group, *more = sys.argv[1:]
sagemaker = boto3.client(
    "sagemaker", endpoint_url=url, region_name="eu-central-1", aws_access_key_id="test", aws_secret_access_key="test"
)
packages = [
    sagemaker.describe_model_package(ModelPackageName=one["ModelPackageArn"])
    for one in sagemaker.list_model_packages(ModelPackageGroupName=group, ModelPackageType="Versioned")["ModelPackageSummaryList"]
]
if what == "show":
    keep = ["ModelApprovalStatus", "ApprovalDescription", "ModelPackageDescription", "CustomerMetadataProperties"]
    arn = sagemaker.describe_model_package_group(ModelPackageGroupName=group)["ModelPackageGroupArn"]
    tags = {tag["Key"]: tag["Value"] for tag in sagemaker.list_tags(ResourceArn=arn)["Tags"]}
    print(json.dumps({"tags": tags, "packages": [{key: one.get(key) for key in keep} for one in packages]}))
elif what == "approve":
    for one in packages:
        properties = one["CustomerMetadataProperties"]
        if properties["wardmote:version"] == more[0]:
            # The emulator forgets properties that an update does not name; SageMaker keeps them.
            sagemaker.update_model_package(
                ModelPackageArn=one["ModelPackageArn"], ModelApprovalStatus="Approved", CustomerMetadataProperties=properties
            )
else:
    sagemaker.create_model_package(
        ModelPackageGroupName=group, ModelApprovalStatus="Approved", CustomerMetadataProperties={"from": "elsewhere"}
    )
