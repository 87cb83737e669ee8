"""The tags of an object. Arguments: `put` or `read`, the endpoint, and `BUCKET|KEY|TAG=VALUE,...`; prints the tags that it has then."""
import sys

import boto3

how, url, what = sys.argv[1:]
bucket, key, tags = what.split("|")
client = boto3.client("s3", endpoint_url=url, region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
if how == "put":
    pairs = [tag.split("=") for tag in tags.split(",")]
    client.put_object_tagging(Bucket=bucket, Key=key, Tagging={"TagSet": [{"Key": k, "Value": v} for k, v in pairs]})
for tag in client.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]:
    print(f"{tag['Key']}={tag['Value']}")
