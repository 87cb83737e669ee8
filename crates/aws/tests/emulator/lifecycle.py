"""The rules of a bucket's lifecycle. Arguments: the endpoint after what is done, and then what it is done to:
`put URL BUCKET|FILE` puts the rules of a file, `show URL BUCKET` prints all of them, `lock URL BUCKET|DAYS` makes a bucket that
locks what is put into it."""
import json
import sys

import boto3

what, url, words = sys.argv[1:4]
bucket, _, file = words.partition("|")
s3 = boto3.client("s3", endpoint_url=url, region_name="eu-central-1", aws_access_key_id="test", aws_secret_access_key="test")
if what == "put":
    with open(file) as rules:
        s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration=json.load(rules))
elif what == "show":
    print(json.dumps(s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]))
elif what == "lock":
    here = {"LocationConstraint": "eu-central-1"}
    s3.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True, CreateBucketConfiguration=here)
    retention = {"Mode": "COMPLIANCE", "Days": int(file)}
    lock = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": retention}}
    s3.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=lock)
