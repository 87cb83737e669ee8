"""Nested stacks as CloudFormation's documentation describes them, and moto 5.2.5 does not (AWS CloudFormation User Guide, "Split
a template into reusable pieces using nested stacks"; API Reference, "CreateChangeSet", `IncludeNestedStacks`):
- a nested stack is named by its ARN, and tells its outputs as the attributes `Outputs.NAME`;
- a change set that includes nested stacks has one for each of them, which says what would change in it.
"""
import copy
import itertools
import json

from moto.cloudformation.models import Change, CloudFormationBackend
from moto.cloudformation.models import Stack
from moto.cloudformation.responses import CloudFormationResponse
from moto.cloudformation.utils import get_stack_from_s3_url

numbers = itertools.count(1)


def within(whole, name, changes):
    """The change set of a nested stack."""
    one = copy.copy(whole)
    one.change_set_id = one.change_set_name = f"{whole.change_set_id}-{name}-{next(numbers)}"
    one.stack_name, one.changes = name, changes
    return one


def changes(before, after):
    for name, resource in after.items():
        if name not in before:
            yield Change("Add", name, resource["Type"])
        elif before[name] != resource:
            yield Change("Modify", name, resource["Type"])
    for name in before.keys() - after.keys():
        yield Change("Remove", name, before[name]["Type"])


def resources(body):
    return json.loads(body).get("Resources", {})


def include(backend, found):
    """Adds the change sets of nested stacks to one."""
    known = {id: one for id, one in found.stack.resource_map._parsed_resources.items()}
    for name, resource in found.template_dict["Resources"].items():
        if resource["Type"] != "AWS::CloudFormation::Stack":
            continue
        url = resource["Properties"]["TemplateURL"]
        after = resources(get_stack_from_s3_url(url, account_id=backend.account_id, partition=backend.partition))
        there = known.get(name)
        before = resources(there.template) if there is not None else {}
        own = within(found, name, list(changes(before, after)))
        backend.nested[own.change_set_id] = own
        of_stack = [one for one in found.changes if one.logical_resource_id == name]
        if not of_stack and own.changes:
            of_stack = [Change("Modify", name, resource["Type"])]
            found.changes += of_stack
        for one in of_stack:
            one.change_set_id = own.change_set_id


def mend():
    create_call, describe = CloudFormationResponse.create_change_set, CloudFormationBackend.describe_change_set
    create = CloudFormationBackend.create_change_set

    def create_change_set_call(self):
        self.cloudformation_backend.including = self._get_param("IncludeNestedStacks") in (True, "true")
        return create_call(self)

    def create_change_set(self, *given, **others):
        made = create(self, *given, **others)
        self.nested = getattr(self, "nested", {})
        if getattr(self, "including", False):
            include(self, self.change_sets[made[0]])
        return made

    def describe_change_set(self, change_set_name):
        return getattr(self, "nested", {}).get(change_set_name) or describe(self, change_set_name)

    def attribute(self, name):
        wanted = name.removeprefix("Outputs.")
        told = {output["OutputKey"]: output["OutputValue"] for output in self.outputs or []}
        # What moto does not make has no name.
        return told.get(wanted, "not-made")

    CloudFormationResponse.create_change_set = create_change_set_call
    CloudFormationBackend.create_change_set = create_change_set
    CloudFormationBackend.describe_change_set = describe_change_set
    Stack.get_cfn_attribute = attribute
    Stack.physical_resource_id = property(lambda self: self.stack_id)
