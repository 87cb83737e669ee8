"""Endpoints of SageMaker as its documentation describes them, and moto 5.2.5 does not (Amazon SageMaker API Reference,
"CreateModel", "UpdateEndpoint", "DescribeEndpoint"; Developer Guide, "Auto-rollback configuration and monitoring"):
- a model, a configuration or an endpoint of a name that is taken is refused;
- a model keeps EnableNetworkIsolation;
- an endpoint is Creating, then InService; one that is updated is Updating, with the configuration that it goes to, and
  cannot be updated meanwhile;
- an update is taken back if one of its alarms is on: then the endpoint serves what it served before, and says why;
- weights are moved while the endpoint is Updating, and cannot be moved meanwhile;
- an endpoint with the tag `wardmote-tests:fails` fails when it is made.

How many looks a change takes is LOOKS; time does not pass here.
"""
from moto.cloudwatch.models import cloudwatch_backends
from moto.core.responses import ActionResult
from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.responses import SageMakerResponse

LOOKS = 2
create_model = SageMakerResponse.create_model
create_config = SageMakerResponse.create_endpoint_config
create_endpoint = SageMakerResponse.create_endpoint
describe = SageMakerResponse.describe_endpoint


def free(taken, name, what):
    if name in taken:
        raise ValidationError(message=f"Cannot create already existing {what} \"{name}\".")


def create_isolated_model(self):
    name = self._get_param("ModelName")
    free(self.sagemaker_backend._models, name, "model")
    created = create_model(self)
    model = self.sagemaker_backend._models[name]
    model.enable_network_isolation = bool(self._get_param("EnableNetworkIsolation"))
    return created


def create_new_config(self):
    free(self.sagemaker_backend.endpoint_configs, self._get_param("EndpointConfigName"), "endpoint configuration")
    return create_config(self)


def create_new_endpoint(self):
    name = self._get_param("EndpointName")
    free(self.sagemaker_backend.endpoints, name, "endpoint")
    created = create_endpoint(self)
    endpoint = self.sagemaker_backend.endpoints[name]
    fails = any(tag["Key"] == "wardmote-tests:fails" for tag in endpoint.tags)
    endpoint.change = {"status": "Creating", "looks": LOOKS, "then": "Failed" if fails else "InService"}
    return created


def alarms_on(self, names):
    alarms = cloudwatch_backends[self.current_account][self.region].alarms
    return [name for name in names if name in alarms and alarms[name].state_value == "ALARM"]


def update_endpoint(self):
    name, config = self._get_param("EndpointName"), self._get_param("EndpointConfigName")
    self.sagemaker_backend.describe_endpoint_config(config)
    self.sagemaker_backend.describe_endpoint(name)
    endpoint = self.sagemaker_backend.endpoints[name]
    if getattr(endpoint, "change", None):
        raise ValidationError(message=f"Cannot update in-progress endpoint \"{endpoint.arn}\".")
    deployment = self._get_param("DeploymentConfig") or {}
    watched = deployment.get("AutoRollbackConfiguration", {}).get("Alarms", [])
    endpoint.change = {
        "status": "Updating", "looks": LOOKS, "config": config, "then": "InService",
        "alarms": [alarm["AlarmName"] for alarm in watched],
    }
    return ActionResult({"EndpointArn": endpoint.arn})


def update_weights(self):
    name, wanted = self._get_param("EndpointName"), self._get_param("DesiredWeightsAndCapacities")
    self.sagemaker_backend.describe_endpoint(name)
    endpoint = self.sagemaker_backend.endpoints[name]
    if getattr(endpoint, "change", None):
        raise ValidationError(message=f"Cannot update in-progress endpoint \"{endpoint.arn}\".")
    variants = {variant["VariantName"] for variant in endpoint.production_variants}
    if not variants >= {one["VariantName"] for one in wanted}:
        raise ValidationError(message="The variant name(s) are not present within endpoint configuration.")
    weights = {one["VariantName"]: one["DesiredWeight"] for one in wanted}
    endpoint.change = {"status": "Updating", "looks": LOOKS, "weights": weights, "then": "InService"}
    return ActionResult({"EndpointArn": endpoint.arn})


def advance(self, endpoint):
    change = endpoint.change
    if change["looks"] > 0:
        change["looks"] -= 1
        return change["status"]
    on = alarms_on(self, change.get("alarms", []))
    if on and change["status"] == "Updating":
        endpoint.failure_reason = f"One or more configured alarm(s) have been tripped: {', '.join(on)}"
        change.update({"status": "RollingBack", "looks": 0, "config": None, "alarms": []})
        return "RollingBack"
    if change["status"] != "RollingBack":
        endpoint.failure_reason = None
    if change.get("config"):
        config = self.sagemaker_backend.describe_endpoint_config(change["config"])
        endpoint.endpoint_config_name = change["config"]
        endpoint.production_variants = endpoint._process_production_variants(config["ProductionVariants"])
        endpoint.data_capture_config = config.get("DataCaptureConfig")
    for variant in endpoint.production_variants:
        weight = change.get("weights", {}).get(variant["VariantName"])
        if weight is not None:
            variant["CurrentWeight"] = variant["DesiredWeight"] = weight
    endpoint.change = None
    if change["then"] == "Failed":
        endpoint.failure_reason = "The primary container for production variant v1 did not pass the ping health check."
    endpoint.endpoint_status = change["then"]
    return change["then"]


def describe_endpoint(self):
    name = self._get_param("EndpointName")
    endpoint = self.sagemaker_backend.endpoints.get(name)
    if endpoint is None or not getattr(endpoint, "change", None):
        return describe(self)
    status = advance(self, endpoint)
    change = endpoint.change
    said = dict(self.sagemaker_backend.describe_endpoint(name))
    said.pop("Change", None)
    said["EndpointStatus"] = status
    if change and change.get("config"):
        said["PendingDeploymentSummary"] = {"EndpointConfigName": change["config"]}
    if status == "Creating":
        said.pop("ProductionVariants", None)
    return ActionResult(said)


def mend():
    SageMakerResponse.create_model = create_isolated_model
    SageMakerResponse.create_endpoint_config = create_new_config
    SageMakerResponse.create_endpoint = create_new_endpoint
    SageMakerResponse.update_endpoint = update_endpoint
    SageMakerResponse.update_endpoint_weights_and_capacities = update_weights
    SageMakerResponse.describe_endpoint = describe_endpoint
