"""Puts the reference trail into a bucket, as CloudTrail does. Arguments: the endpoint, the bucket, reference.json."""
import base64
import json
import sys

import boto3

url, bucket, reference = sys.argv[1:]
files = json.load(open(reference))["files"]
s3 = boto3.client("s3", endpoint_url=url, region_name="eu-central-1", aws_access_key_id="test", aws_secret_access_key="test")
s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
for name, body in files.items():
    if not name.endswith(".head.json"):
        head = files.get(f"{name}.head.json")
        metadata = json.loads(base64.b64decode(head))["Metadata"] if head else {}
        s3.put_object(Bucket=bucket, Key=name, Body=base64.b64decode(body), Metadata=metadata)
