"""Somebody else's use of an object: `get`, `put` (what is in a file, or other figures) or `delete`; the endpoint, the bucket,
the name, and perhaps the file."""
import pathlib
import sys

import boto3

what, url, bucket, name, *file = sys.argv[1:]
s3 = boto3.client("s3", endpoint_url=url, region_name="eu-central-1", aws_access_key_id="test", aws_secret_access_key="test")
if what == "get":
    print(s3.get_object(Bucket=bucket, Key=name)["Body"].read().decode(), end="")
elif what == "put":
    s3.put_object(Bucket=bucket, Key=name, Body=pathlib.Path(file[0]).read_bytes() if file else b'{"auc": 1}')
else:
    s3.delete_object(Bucket=bucket, Key=name)
