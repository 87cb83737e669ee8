"""A topic and an event bus whose messages end in a queue, and what arrived there and in CloudWatch. Arguments: `make` or
`read`, the endpoint, and a name. `make` prints the ARN of the topic; the bus has the name."""
import json
import sys
from datetime import datetime, timedelta, timezone

import boto3

what, url, name = sys.argv[1:4]
service = lambda id: boto3.client(
    id, endpoint_url=url, region_name="eu-central-1", aws_access_key_id="test", aws_secret_access_key="test"
)
sqs, sns, events, cloudwatch = (service(id) for id in ("sqs", "sns", "events", "cloudwatch"))
if what == "make":
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = sns.create_topic(Name=name)["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    events.create_event_bus(Name=name)
    events.put_rule(Name=name, EventBusName=name, EventPattern=json.dumps({"source": ["wardmote"]}))
    events.put_targets(Rule=name, EventBusName=name, Targets=[{"Id": "queue", "Arn": arn}])
    print(topic)
else:
    queue = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    messages = []
    while received := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for message in received:
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            messages.append(json.loads(message["Body"]))
    topic = [
        {"subject": m["Subject"], "text": m["Message"], "attributes": {k: v["Value"] for k, v in m["MessageAttributes"].items()}}
        for m in messages if m.get("Type") == "Notification"
    ]
    bus = [{"type": m["detail-type"], "detail": m["detail"]} for m in messages if "detail-type" in m]
    metrics = []
    for metric in cloudwatch.list_metrics(Namespace=f"Wardmote/{name}")["Metrics"]:
        now = datetime.now(timezone.utc)
        points = cloudwatch.get_metric_statistics(
            Namespace=metric["Namespace"], MetricName=metric["MetricName"], Dimensions=metric["Dimensions"],
            StartTime=datetime(2025, 1, 1, tzinfo=timezone.utc), EndTime=now + timedelta(minutes=5), Period=864000,
            Statistics=["Average"],
        )["Datapoints"]
        metrics.append({
            "name": metric["MetricName"],
            "dimensions": {d["Name"]: d["Value"] for d in metric["Dimensions"]},
            "average": [point["Average"] for point in points],
            "unit": sorted({point["Unit"] for point in points}),
        })
    keep = ["AlarmName", "MetricName", "Namespace", "Dimensions", "Statistic", "ComparisonOperator", "Threshold", "Period",
            "EvaluationPeriods", "TreatMissingData", "AlarmActions"]
    alarms = [
        {key: alarm[key] for key in keep if key in alarm}
        for alarm in cloudwatch.describe_alarms(AlarmNamePrefix=f"wardmote/{name}")["MetricAlarms"]
    ]
    order = lambda one: json.dumps(one, sort_keys=True)
    print(json.dumps({"topic": topic, "bus": bus, "metrics": sorted(metrics, key=order), "alarms": sorted(alarms, key=order)}))
