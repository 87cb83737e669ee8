"""Deployments of ECS services as the documentation describes them, and moto 5.2.5 does not (Amazon ECS Developer Guide,
"Deploy Amazon ECS services by replacing tasks", "How the deployment circuit breaker detects failures", "How CloudWatch alarms
detect deployment failures"):
- an update begins a deployment: the new one is PRIMARY and IN_PROGRESS, the former one ACTIVE until the new one is COMPLETED;
- with the circuit breaker, or with one of the alarms on, the service goes back to what it ran, and an event says why;
- tasks of an image named `crashing` are never well;
- the newest of a family is the newest ACTIVE one, and one that is INACTIVE cannot be run.

How many looks a deployment takes is LOOKS; time does not pass here.
"""
from moto.core.responses import ActionResult
from moto.ecs.exceptions import EcsClientException
from moto.ecs.models import EC2ContainerServiceBackend
from moto.ecs.responses import EC2ContainerServiceResponse

import endpoints

LOOKS = 2
describe_tasks = EC2ContainerServiceBackend.describe_task_definition


def newest_active(self, task_definition_str):
    name = task_definition_str.split("/")[-1]
    if ":" not in name:
        active = [one for one in self.task_definitions.get(name, {}).values() if one.status == "ACTIVE"]
        if not active:
            raise EcsClientException("Unable to describe task definition.")
        return active[-1]
    return describe_tasks(self, name)


def deployment(service, status, tasks, state, running):
    return {
        "id": f"ecs-svc/{service.name}-{status}", "status": status, "taskDefinition": tasks, "rolloutState": state,
        "rolloutStateReason": f"ECS deployment {state.lower()}.", "runningCount": running, "pendingCount": 0,
        "desiredCount": service.desired_count, "failedTasks": 0,
    }


def settle(service, tasks):
    service.task_definition = tasks
    service.running_count = service.desired_count
    service.deployments = [deployment(service, "PRIMARY", tasks, "COMPLETED", service.desired_count)]
    service.change = None


def update_service(self):
    backend = self.ecs_backend
    cluster, name = self._get_param("cluster"), self._get_param("service").split("/")[-1]
    service = backend._get_service(cluster, name)
    if self._get_param("desiredCount") is not None:
        service.desired_count = int(self._get_param("desiredCount"))
    tasks = self._get_param("taskDefinition")
    if service.desired_count == 0:
        service.running_count, service.change = 0, None
        service.deployments = [deployment(service, "PRIMARY", service.task_definition, "COMPLETED", 0)]
        return ActionResult({"service": service})
    if tasks:
        found = backend.describe_task_definition(tasks)
        if found.status != "ACTIVE":
            raise EcsClientException("TaskDefinition is inactive")
        former, was = service.task_definition, service.running_count
        configuration = self._get_param("deploymentConfiguration") or {}
        service.change = {
            "looks": LOOKS, "to": found.arn, "from": former, "was": was,
            "breaker": configuration.get("deploymentCircuitBreaker", {}).get("rollback"),
            "alarms": configuration.get("alarms", {}).get("alarmNames", []),
            "crashing": any("/crashing@" in one["image"] for one in found.container_definitions),
        }
        service.deployments = [deployment(service, "PRIMARY", found.arn, "IN_PROGRESS", 0)]
        if was:
            service.deployments.append(deployment(service, "ACTIVE", former, "COMPLETED", was))
    return ActionResult({"service": service})


def advance(self, service):
    change = service.change
    if change["looks"] > 0:
        change["looks"] -= 1
        return
    on = endpoints.alarms_on(self, change["alarms"])
    why = f"alarm detected: {', '.join(on)}" if on else "tasks failed to start" if change["crashing"] else None
    if not why:
        return settle(service, change["to"])
    service.events.insert(0, {"id": "e", "message": f"(service {service.name}) deployment failed: {why}."})
    if change["breaker"] and change["was"]:
        return settle(service, change["from"])
    service.change = None
    service.deployments = [deployment(service, "PRIMARY", change["to"], "FAILED", 0)]


def describe_services(self):
    cluster, names = self._get_param("cluster", "default"), self._get_param("services", [])
    services, failures = self.ecs_backend.describe_services(cluster, names)
    for service in services:
        if getattr(service, "change", None):
            advance(self, service)
    return ActionResult({"services": services, "failures": failures})


def mend():
    EC2ContainerServiceBackend.describe_task_definition = newest_active
    EC2ContainerServiceResponse.update_service = update_service
    EC2ContainerServiceResponse.describe_services = describe_services
