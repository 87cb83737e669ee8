"""Somebody changes an endpoint by hand: what serves, how much of it, by which weights, the model, the artefact."""
import sys

import boto3

what, url, words = sys.argv[1:]
endpoint, release, bucket = words.split("|")
named = {"endpoint_url": url, "region_name": "eu-central-1", "aws_access_key_id": "a", "aws_secret_access_key": "b"}
client, store = boto3.client("sagemaker", **named), boto3.client("s3", **named)


def variant(name, model, weight):
    return {"VariantName": name, "ModelName": model, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1,
            "InitialVariantWeight": weight}


if what == "artefact":
    key = store.list_objects_v2(Bucket=bucket)["Contents"][0]["Key"]
    store.put_object(Bucket=bucket, Key=key, Body=b"something else")
if what == "model":
    client.delete_model(ModelName=release)
    client.create_model(ModelName=release, ExecutionRoleArn="arn:aws:iam::123456789012:role/other",
                        PrimaryContainer={"Image": "scorer:latest"})
if what == "weights":
    client.create_model(ModelName="theirs", ExecutionRoleArn="arn:aws:iam::123456789012:role/other",
                        PrimaryContainer={"Image": "scorer:latest"})
    config = client.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
    served = client.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"][0]["ModelName"]
    client.create_endpoint_config(EndpointConfigName=f"{endpoint}-two", ProductionVariants=[
        variant("v1", served, 0.75), variant("other", "theirs", 0.25)])
    client.update_endpoint(EndpointName=endpoint, EndpointConfigName=f"{endpoint}-two")
if what == "config":
    client.create_endpoint_config(EndpointConfigName=f"{endpoint}-theirs", ProductionVariants=[
        variant("v1", "theirs", 1)])
    client.update_endpoint(EndpointName=endpoint, EndpointConfigName=f"{endpoint}-theirs")
if what == "weigh":
    variants = client.describe_endpoint(EndpointName=endpoint)["ProductionVariants"]
    client.update_endpoint_weights_and_capacities(EndpointName=endpoint, DesiredWeightsAndCapacities=[
        {"VariantName": one["VariantName"], "DesiredWeight": weight} for one, weight in zip(variants, (63, 37))])
