"""An alarm of CloudWatch, quiet or loud."""
import sys

import boto3

what, url, name = sys.argv[1:]
client = boto3.client("cloudwatch", endpoint_url=url, region_name="eu-central-1",
                      aws_access_key_id="a", aws_secret_access_key="b")
client.put_metric_alarm(AlarmName=name, MetricName="Invocation5XXErrors", Namespace="AWS/SageMaker", Statistic="Sum",
                        Period=60, EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanThreshold")
client.set_alarm_state(AlarmName=name, StateValue="ALARM" if what == "loud" else "OK", StateReason="a test")
