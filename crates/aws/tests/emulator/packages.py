"""Somebody else in the SageMaker Model Registry. Arguments: what, the endpoint, a group and more: `show`; `create`, with
the status and perhaps the address of model data; `approve`, `stage`, `card`, `property` or `delete`, with the number of a
version of the house."""
import json
import sys

import boto3

what, url, group, *more = sys.argv[1:]
sagemaker = boto3.client(
    "sagemaker", endpoint_url=url, region_name="eu-central-1", aws_access_key_id="test", aws_secret_access_key="test"
)


def packages():
    listed = sagemaker.list_model_packages(ModelPackageGroupName=group, ModelPackageType="Versioned")
    return [
        sagemaker.describe_model_package(ModelPackageName=one["ModelPackageArn"]) for one in listed["ModelPackageSummaryList"]
    ]


def change(**named):
    for one in packages():
        if one.get("CustomerMetadataProperties", {}).get("wardmote:version") == more[0]:
            sagemaker.update_model_package(ModelPackageArn=one["ModelPackageArn"], **named)


if what == "show":
    keep = [
        "ModelApprovalStatus", "ApprovalDescription", "ModelPackageDescription", "CustomerMetadataProperties", "ModelLifeCycle",
        "ModelCard", "ModelMetrics",
    ]
    arn = sagemaker.describe_model_package_group(ModelPackageGroupName=group)["ModelPackageGroupArn"]
    tags = {tag["Key"]: tag["Value"] for tag in sagemaker.list_tags(ResourceArn=arn)["Tags"]}
    print(json.dumps({"tags": tags, "packages": [{key: one.get(key) for key in keep} for one in packages()]}))
elif what == "approve":
    change(ModelApprovalStatus="Approved")
elif what == "stage":
    change(ModelLifeCycle={"Stage": "Production", "StageStatus": "Live", "StageDescription": "we need it now"})
elif what == "card":
    change(ModelCard={"ModelCardContent": json.dumps({"intended_uses": {"risk_rating": "Low"}}), "ModelCardStatus": "Approved"})
elif what == "property":
    change(CustomerMetadataProperties={"wardmote:separation": "achieved", "team": "x"})
elif what == "delete":
    for one in packages():
        if one.get("CustomerMetadataProperties", {}).get("wardmote:version") == more[0]:
            sagemaker.delete_model_package(ModelPackageName=one["ModelPackageArn"])
else:
    sagemaker.create_model_package(
        ModelPackageGroupName=group, ModelApprovalStatus="Approved", CustomerMetadataProperties={"from": "elsewhere"}
    )
