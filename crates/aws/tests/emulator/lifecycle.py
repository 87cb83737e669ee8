"""Puts the rules of a bucket's lifecycle. Arguments: `put`, the endpoint, and the bucket and a file with rules: `BUCKET|FILE`."""
import json
import sys

import boto3

_, url, words = sys.argv[1:4]
bucket, file = words.split("|")
s3 = boto3.client("s3", endpoint_url=url, region_name="eu-central-1", aws_access_key_id="test", aws_secret_access_key="test")
with open(file) as rules:
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration=json.load(rules))
