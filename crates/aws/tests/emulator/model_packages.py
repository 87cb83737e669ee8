"""What SageMaker does with model packages and moto 5.2.5 does not (Amazon SageMaker API Reference):
- cards and life cycles are kept, given back, and changed by UpdateModelPackage; an archived card is not changed;
- UpdateModelPackage leaves as it is what it does not name, and adds to the properties that are there;
- DeleteModelPackage, after which a number is not given again;
- what is longer than the service's model allows, or of other letters, is refused, and so is a card that is not of the
  schema of cards of packages (`package-card.json`, after the Developer Guide).
"""
import json
import pathlib
import re

import answers
import jsonschema
from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult
from moto.sagemaker.responses import SageMakerResponse

CARD = jsonschema.Draft202012Validator(json.loads(pathlib.Path(__file__).with_name("package-card.json").read_text()))
# Classes of letters that Python does not know by these names.
CLASSES = {r"\p{L}": "a-zA-Z\u00c0-\uffff", r"\p{M}": "\u0300-\u036f", r"\p{Z}": " ", r"\p{N}": "0-9",
           r"\p{S}": r"$+<=>^`|~", r"\p{P}": r"!-/:-@\[-`{-~"}


def refused(message):
    return JsonRESTError("ValidationException", message)


def pattern(text):
    text = re.sub(r"\)\$\{\d+,\d+\}$", ")", text)
    for name, letters in CLASSES.items():
        text = text.replace(name, letters)
    return text


def beyond(shape, value, place):
    """Where a value is beyond the limits of a shape."""
    limits = shape.metadata
    if shape.type_name in ("string", "list", "map"):
        size = len(value)
        if size < limits.get("min", 0) or size > limits.get("max", size):
            yield f"{place} has {size}, expected {limits.get('min', 0)} to {limits.get('max')}"
    if shape.type_name == "string" and "pattern" in limits and not re.fullmatch(pattern(limits["pattern"]), value):
        yield f"{place} does not match {limits['pattern']}"
    if shape.type_name == "structure":
        for name, member in value.items():
            yield from beyond(shape.members[name], member, f"{place}.{name}")
    elif shape.type_name == "list":
        for at, item in enumerate(value):
            yield from beyond(shape.member, item, f"{place}[{at}]")
    elif shape.type_name == "map":
        for name, member in value.items():
            yield from beyond(shape.key, name, f"{place} {name}")
            yield from beyond(shape.value, member, f"{place}.{name}")


def check(operation, given):
    shape = answers.model("sagemaker").operation_model(operation).input_shape
    found = list(answers.wrong(shape, given, operation)) or list(beyond(shape, given, operation))
    card = given.get("ModelCard", {}).get("ModelCardContent")
    if card is not None:
        found += [error.message for error in CARD.iter_errors(json.loads(card))]
    if found:
        raise refused("; ".join(found))


def package(self, name):
    backend = self.sagemaker_backend
    found = backend.model_packages.get(backend.model_package_name_mapping.get(name, name))
    if found is None:
        raise refused(f"Model package {name} not found")
    return found


original_create = SageMakerResponse.create_model_package


def create(self):
    given = json.loads(self.body)
    check("CreateModelPackage", given)
    # A number is given once, also when its package is deleted: moto counts those that are there.
    backend, gone = self.sagemaker_backend, getattr(self.sagemaker_backend, "gone_packages", {})
    backend.model_packages.update(gone)
    try:
        made = original_create(self)
    finally:
        for arn in gone:
            del backend.model_packages[arn]
    one = package(self, made.result["ModelPackageArn"])
    one.card, one.cycle = given.get("ModelCard"), given.get("ModelLifeCycle")
    return made


def update(self):
    given = json.loads(self.body)
    check("UpdateModelPackage", given)
    one = package(self, given["ModelPackageArn"])
    card = getattr(one, "card", None)
    if "ModelCard" in given:
        if card and card.get("ModelCardStatus") == "Archived":
            raise refused("Model Card is in Archived state.")
        one.card = {**(card or {}), **given["ModelCard"]}
    one.cycle = given.get("ModelLifeCycle", getattr(one, "cycle", None))
    one.model_approval_status = given.get("ModelApprovalStatus", one.model_approval_status)
    one.approval_description = given.get("ApprovalDescription", one.approval_description)
    properties = {**(one.customer_metadata_properties or {}), **given.get("CustomerMetadataProperties", {})}
    for name in given.get("CustomerMetadataPropertiesToRemove", []):
        properties.pop(name, None)
    one.customer_metadata_properties = properties or None
    one.modifications_done()
    return ActionResult({"ModelPackageArn": one.arn})


def describe(self):
    one = package(self, self._get_param("ModelPackageName"))
    more = {"ModelCard": getattr(one, "card", None), "ModelLifeCycle": getattr(one, "cycle", None)}
    return ActionResult({**one.gen_response_object(), **{name: value for name, value in more.items() if value}})


def delete(self):
    one = package(self, self._get_param("ModelPackageName"))
    backend = self.sagemaker_backend
    backend.gone_packages = {**getattr(backend, "gone_packages", {}), one.arn: backend.model_packages.pop(one.arn)}
    return ActionResult({})


SageMakerResponse.create_model_package = create
SageMakerResponse.update_model_package = update
SageMakerResponse.describe_model_package = describe
SageMakerResponse.delete_model_package = delete
