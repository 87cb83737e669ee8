"""A pipeline of SageMaker and a state machine of one name, and what was started of them. Arguments: `make` or `read`, the
endpoint, and the name."""
import json
import sys

import boto3

what, url, name = sys.argv[1:]
service = lambda id: boto3.client(
    id, endpoint_url=url, region_name="eu-central-1", aws_access_key_id="test", aws_secret_access_key="test"
)
sagemaker, states = service("sagemaker"), service("stepfunctions")
role = "arn:aws:iam::123456789012:role/pipeline"
machine = f"arn:aws:states:eu-central-1:123456789012:stateMachine:{name}"
if what == "make":
    definition = {"Version": "2020-12-01", "Metadata": {}, "Parameters": [], "Steps": []}
    sagemaker.create_pipeline(PipelineName=name, RoleArn=role, PipelineDefinition=json.dumps(definition), ClientRequestToken="x" * 32)
    steps = {"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}
    states.create_state_machine(name=name, definition=json.dumps(steps), roleArn=role)
else:
    pipeline = [
        sagemaker.describe_pipeline_execution(PipelineExecutionArn=one["PipelineExecutionArn"])["PipelineExecutionDescription"]
        for one in sagemaker.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"]
    ]
    machines = [
        {"name": one["name"], "input": json.loads(states.describe_execution(executionArn=one["executionArn"])["input"])}
        for one in states.list_executions(stateMachineArn=machine)["executions"]
    ]
    print(json.dumps({"pipeline": pipeline, "machine": machines}))
