"""What the tests of stacks need beside the program.

    stack.py prepare URL PREFIX    the bucket of logs, and the parameter that names it
    stack.py lacks URL FILE        the types of a template that the emulator's CloudFormation does not make
    stack.py there URL STACK       the types of the resources of a stack, and how many
"""
import collections
import json
import sys
import warnings

import boto3

what, url, name = sys.argv[1:4]


def client(service):
    return boto3.client(
        service, endpoint_url=url, region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b"
    )


if what == "prepare":
    place = {"LocationConstraint": "eu-central-1"}
    try:
        client("s3").create_bucket(Bucket="log-archive", CreateBucketConfiguration=place)
    except client("s3").exceptions.BucketAlreadyOwnedByYou:
        pass  # another test made it
    client("ssm").put_parameter(Name=f"/{name}/log-archive", Value="log-archive", Type="String")
elif what == "lacks":
    import logging

    logging.disable()
    warnings.simplefilter("ignore")
    from moto.cloudformation.parsing import resource_class_from_type

    with open(name) as file:
        template = json.load(file)
    kinds = {resource["Type"] for resource in template["Resources"].values()}
    print("\n".join(sorted(kind for kind in kinds if resource_class_from_type(kind) is None)))
elif what == "there":
    summaries = client("cloudformation").list_stack_resources(StackName=name)["StackResourceSummaries"]
    # What the emulator does not make is listed without a type.
    made = [summary["ResourceType"] for summary in summaries if summary["ResourceType"]]
    kinds = collections.Counter(made)
    print("\n".join(f"{kind} {kinds[kind]}" for kind in sorted(kinds)))
