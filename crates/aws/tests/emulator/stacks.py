"""Change sets of CloudFormation as its documentation describes them, and moto 5.2.5 does not (AWS CloudFormation API
Reference, "CreateChangeSet", "DescribeChangeSet", "ExecuteChangeSet", "DeleteChangeSet", "DescribeStacks"; User Guide, "Stack
status codes"):
- a change set of a name that the stack knows is refused, and a second one for a stack under review is beside the first;
- one that is not there is said to be not there, and is deleted without a word;
- one is carried out once, and the others of its stack are gone then;
- a stack that changes is so for a while; one with the parameter `Fails` set to `yes` does not come to its end.

How many looks a change takes is LOOKS; time does not pass here.
"""
import copy

from moto.cloudformation.exceptions import AlreadyExistsException, CloudFormationError
from moto.cloudformation.models import CloudFormationBackend

LOOKS = 2
create = CloudFormationBackend.create_change_set
execute, delete = CloudFormationBackend.execute_change_set, CloudFormationBackend.delete_change_set
describe_stacks = CloudFormationBackend.describe_stacks


class ChangeSetNotFound(CloudFormationError):
    code = "ChangeSetNotFound"


class InvalidChangeSetStatus(CloudFormationError):
    code = "InvalidChangeSetStatus"


def named(self, name):
    found = [one for one in self.change_sets.values() if name in (one.change_set_id, one.change_set_name)]
    return found[0] if found else None


def create_change_set(self, stack_name, change_set_name, *more, **others):
    of_stack = [one for one in self.change_sets.values() if one.stack_name == stack_name and one.stack_id in self.stacks]
    if any(one.change_set_name == change_set_name for one in of_stack):
        raise AlreadyExistsException(f"ChangeSet {change_set_name} cannot be created due to a mismatch with existing attribute")
    review = [one for one in self.stacks.values() if one.name == stack_name and one.status == "REVIEW_IN_PROGRESS"]
    made = create(self, stack_name=stack_name, change_set_name=change_set_name, *more, **others)
    if review:
        change_set, surplus = self.change_sets[made[0]], made[1]
        change_set.stack, change_set.stack_id = review[0], review[0].stack_id
        self.stacks.pop(surplus)
        return made[0], review[0].stack_id
    return made


def describe_change_set(self, change_set_name):
    found = named(self, change_set_name)
    if found is None:
        raise ChangeSetNotFound(f"ChangeSet [{change_set_name}] does not exist")
    if found.execution_status == "EXECUTE_COMPLETE" and getattr(found.stack, "change", None):
        return seen_as(found, execution_status="EXECUTE_IN_PROGRESS")
    return found


def seen_as(one, **others):
    seen = copy.copy(one)
    seen.__dict__.update(others)
    return seen


def delete_change_set(self, change_set_name):
    if named(self, change_set_name) is not None:
        delete(self, change_set_name)


def execute_change_set(self, change_set_name, stack_name=None):
    found = named(self, change_set_name)
    if found is None:
        raise ChangeSetNotFound(f"ChangeSet [{change_set_name}] does not exist")
    if found.execution_status != "AVAILABLE":
        raise InvalidChangeSetStatus(f"ChangeSet [{change_set_name}] cannot be executed in its current status")
    stack = found.stack
    for other in [one for one in self.change_sets.values() if one.stack_id == stack.stack_id and one is not found]:
        self.change_sets.pop(other.change_set_id)
    if found.parameters.get("Fails") == "yes":
        found.execution_status = "EXECUTE_FAILED"
        stack._add_stack_event("CREATE_FAILED", resource_status_reason="The parameter Fails is yes")
        stack.status = "ROLLBACK_COMPLETE" if found.change_set_type == "CREATE" else "UPDATE_ROLLBACK_COMPLETE"
    else:
        execute(self, change_set_name, stack_name)
    stack.change = {"looks": LOOKS, "status": f"{found.change_set_type}_IN_PROGRESS"}


def describe_changing_stacks(self, name_or_stack_id):
    return [advance(stack) for stack in describe_stacks(self, name_or_stack_id)]


def advance(stack):
    change = getattr(stack, "change", None)
    if not change:
        return stack
    change["looks"] -= 1
    if change["looks"] < 0:
        stack.change = None
        return stack
    return seen_as(stack, status=change["status"])


def mend():
    for mended in (create_change_set, describe_change_set, delete_change_set, execute_change_set):
        setattr(CloudFormationBackend, mended.__name__, mended)
    CloudFormationBackend.describe_stacks = describe_changing_stacks
