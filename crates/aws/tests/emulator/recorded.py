"""Prints what AWS Config answers of the emulator's buckets, roles and policies: the document of BatchGetResourceConfig."""
import json
import sys

import boto3

config = boto3.client("config", endpoint_url=sys.argv[1], region_name="eu-central-1",
                      aws_access_key_id="test", aws_secret_access_key="test")
items = []
for kind in ["AWS::S3::Bucket", "AWS::IAM::Role", "AWS::IAM::Policy"]:
    for found in config.list_discovered_resources(resourceType=kind)["resourceIdentifiers"]:
        key = {"resourceType": kind, "resourceId": found["resourceId"]}
        items += config.batch_get_resource_config(resourceKeys=[key])["baseConfigurationItems"]
print(json.dumps({"baseConfigurationItems": items}, default=lambda time: time.strftime("%Y-%m-%dT%H:%M:%SZ")))
