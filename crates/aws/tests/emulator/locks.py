"""Makes a bucket with Object Lock, or shows what holds its versions and tries to delete them. Arguments: `make` or `show`,
the endpoint, and the bucket."""
import json
import sys

import boto3
from botocore.exceptions import ClientError

what, url, bucket = sys.argv[1:4]
s3 = boto3.client("s3", endpoint_url=url, region_name="eu-central-1", aws_access_key_id="test", aws_secret_access_key="test")
if what == "make":
    place = {"LocationConstraint": "eu-central-1"}
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=place, ObjectLockEnabledForBucket=True)
else:
    shown = {}
    for version in s3.list_object_versions(Bucket=bucket)["Versions"]:
        key, id = version["Key"], version["VersionId"]
        head = s3.head_object(Bucket=bucket, Key=key, VersionId=id)
        try:
            s3.delete_object(Bucket=bucket, Key=key, VersionId=id)
            gone = True
        except ClientError:
            gone = False
        shown.setdefault(key, []).append([head.get("ObjectLockMode"), gone])
    print(json.dumps(shown))
