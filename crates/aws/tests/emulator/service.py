"""A cluster and a service of ECS with no task, as somebody makes them before a model serves there."""
import sys

import boto3

what, url, name = sys.argv[1:]
client = boto3.client("ecs", endpoint_url=url, region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
if what == "make":
    client.create_cluster(clusterName="models")
    container = {"name": "none", "image": "none", "memory": 128}
    client.register_task_definition(family=f"{name}-none", containerDefinitions=[container])
    client.create_service(cluster="models", serviceName=name, taskDefinition=f"{name}-none", desiredCount=0)
if what == "revision":
    service, family = name.split("|")
    container = {"name": "model", "image": "theirs:latest", "memory": 128}
    made = client.register_task_definition(family=family, containerDefinitions=[container])
    client.update_service(cluster="models", service=service, taskDefinition=made["taskDefinition"]["taskDefinitionArn"])
