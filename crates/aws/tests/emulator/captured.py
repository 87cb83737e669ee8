"""A file of captured traffic where SageMaker's data capture writes it. Arguments: `put`, the endpoint, and
`BUCKET|KEY|FILE`; or `clear`, as a lifecycle does it, and `BUCKET|PREFIX|`."""
import sys

import boto3

how, url, what = sys.argv[1:]
bucket, key, file = what.split("|")
client = boto3.client("s3", endpoint_url=url, region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
if how == "clear":
    for one in client.list_objects_v2(Bucket=bucket, Prefix=key).get("Contents", []):
        client.delete_object(Bucket=bucket, Key=one["Key"])
    sys.exit()
with open(file, "rb") as content:
    client.put_object(Bucket=bucket, Key=key, Body=content.read(), ServerSideEncryption="aws:kms")
