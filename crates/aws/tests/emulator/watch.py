"""Changes an account that is watched, and tells of it by a queue.

Arguments: what to do, the URL, and names with a bar between them.
"""
import gzip
import json
import sys

import boto3

WHAT, URL, NAMES = (sys.argv[1:] + [""])[:3]
ONE, TWO, THREE = (NAMES.split("|") + ["", "", ""])[:3]


def client(service):
    return boto3.client(
        service, endpoint_url=URL, region_name="eu-central-1", aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="secret",
    )


def close(name):
    client("s3").put_public_access_block(Bucket=name, PublicAccessBlockConfiguration={
        "BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": True})


def record(name, call):
    return {
        "eventVersion": "1.11", "eventSource": "s3.amazonaws.com", "eventName": call, "eventID": "event-of-" + name,
        "eventTime": "2026-11-21T10:00:00Z", "awsRegion": "eu-central-1", "recipientAccountId": "123456789012",
        "readOnly": False, "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::123456789012:user/mallory"},
        "requestParameters": {"bucketName": name},
    }


def send(queue, body):
    client("sqs").send_message(QueueUrl=f"{URL}/123456789012/{queue}", MessageBody=body)


if WHAT == "bucket":
    client("s3").create_bucket(Bucket=ONE, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    close(ONE)
elif WHAT == "open":
    client("s3").delete_public_access_block(Bucket=ONE)
elif WHAT == "close":
    close(ONE)
elif WHAT == "delete":
    client("s3").delete_bucket(Bucket=ONE)
elif WHAT == "queue":
    client("sqs").create_queue(QueueName=ONE, Attributes={"VisibilityTimeout": TWO or "1"})
    print(f"{URL}/123456789012/{ONE}")
elif WHAT == "event":
    send(ONE, json.dumps({
        "version": "0", "id": "b", "detail-type": "AWS API Call via CloudTrail", "source": "aws.s3",
        "account": "123456789012", "time": "2026-11-21T10:00:01Z", "region": "eu-central-1", "resources": [],
        "detail": record(TWO, THREE)}))
elif WHAT == "log":
    # A log file of CloudTrail in the bucket `trail`, and what CloudTrail says of it.
    key = f"AWSLogs/123456789012/CloudTrail/eu-central-1/2026/11/21/{TWO}.json.gz"
    body = gzip.compress(json.dumps({"Records": [record(TWO, THREE)]}).encode()) if THREE else b"nothing"
    client("s3").put_object(Bucket="trail", Key=key, Body=body)
    send(ONE, json.dumps({"s3Bucket": "trail", "s3ObjectKey": [key]}))
elif WHAT == "say":
    send(ONE, TWO)
elif WHAT == "rule":
    item = {"resourceType": "AWS::S3::Bucket", "resourceId": TWO, "resourceName": TWO, "configurationItemStatus": "OK",
            "configurationItemCaptureTime": "2026-11-21T10:00:00.000Z"}
    event = {"messageType": "ConfigurationItemChangeNotification", "configurationItem": item}
    if not TWO:
        event = {"messageType": "ScheduledNotification", "notificationCreationTime": "2026-11-21T10:00:00.000Z"}
    send(ONE, json.dumps({
        "version": "1.0", "invokingEvent": json.dumps(event), "ruleParameters": json.dumps({"control": THREE}),
        "resultToken": "token-of-" + THREE, "eventLeftScope": False, "configRuleName": "wardmote-" + THREE.lower(),
        "accountId": "123456789012"}))
elif WHAT == "left":
    attributes = client("sqs").get_queue_attributes(QueueUrl=f"{URL}/123456789012/{ONE}", AttributeNames=["All"])
    told = attributes["Attributes"]
    print(int(told["ApproximateNumberOfMessages"]) + int(told["ApproximateNumberOfMessagesNotVisible"]))
elif WHAT == "findings":
    found = client("securityhub").get_findings()["Findings"]
    print(json.dumps(found, default=str))
elif WHAT == "hub":
    client("securityhub").enable_security_hub()
