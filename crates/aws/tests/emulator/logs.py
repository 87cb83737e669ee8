"""A group of CloudWatch Logs: how long it keeps what is written, its key, and the lines of its stream `monitor`."""
import json
import sys

import boto3

what, url, name = sys.argv[1:4]
logs = boto3.client("logs", endpoint_url=url, region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
group = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"][0]
events = logs.get_log_events(logGroupName=name, logStreamName="monitor", startFromHead=True)["events"]
print(json.dumps({
    "retention": group.get("retentionInDays"), "key": group.get("kmsKeyId"),
    "events": [json.loads(event["message"]) for event in events],
}))
