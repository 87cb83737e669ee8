"""Logging, registering and loading models."""

import os

import mlflow
import mlflow.sklearn
import numpy as np
import pandas as pd
from mlflow.models import infer_signature
from script import step
from sklearn.linear_model import LogisticRegression
from tracking import client

NEW = hasattr(client, "search_logged_models")
frame = pd.DataFrame({"age": [21.0, 35.0, 48.0, 62.0, 27.0, 55.0], "income": [1.1, 2.6, 3.9, 4.2, 1.9, 4.8]})
label = np.array([0, 0, 1, 1, 0, 1])
model = LogisticRegression(C=0.5).fit(frame, label)
# Requirements are given, so that nothing is inferred from the machine.
logged_as = {"pip_requirements": ["scikit-learn"]}


def same(found):
    """Does what was loaded predict what was trained?"""
    return (found.predict_proba(frame) == model.predict_proba(frame)).all().item()


@step("log_model with signature and example")
def logged():
    mlflow.set_experiment("churn")
    name = {"name": "model"} if NEW else {"artifact_path": "model"}
    with mlflow.start_run(run_name="train") as run:
        mlflow.log_params({"C": 0.5})
        mlflow.log_metric("auc", 0.93)
        signature = infer_signature(frame, model.predict(frame))
        info = mlflow.sklearn.log_model(model, signature=signature, input_example=frame.head(2), **name, **logged_as)
        mlflow.log_metric("after", 0.94)
    found = {"run": run.info.run_id, "uri": info.model_uri, "path": info.artifact_path, "flavors": sorted(info.flavors)}
    return found | {"model": getattr(info, "model_id", None), "signature": info.signature.to_dict()}


@step("list_artifacts of the model")
def files():
    return [file.path for file in client.list_artifacts(logged["run"], "model")]


@step("load_model from the run")
def from_run():
    return same(mlflow.sklearn.load_model(f"runs:/{logged['run']}/model"))


@step("load_model by what log_model answered")
def by_uri():
    return same(mlflow.sklearn.load_model(logged["uri"]))


@step("the run's outputs and history")
def outputs():
    run = client.get_run(logged["run"])
    found = getattr(run, "outputs", None)
    models = [output.model_id for output in found.model_outputs] if found else []
    return {"outputs": models, "metrics": run.data.metrics}


@step("register_model from the run")
def registered():
    return mlflow.register_model(f"runs:/{logged['run']}/model", "churn")


@step("register_model by what log_model answered")
def registered_by_uri():
    return mlflow.register_model(logged["uri"], "churn", tags={"approach": "linear"})


@step("log_model and register at once")
def at_once():
    name = {"name": "second"} if NEW else {"artifact_path": "second"}
    with mlflow.start_run(run_name="retrain"):
        info = mlflow.sklearn.log_model(model, registered_model_name="churn", input_example=frame.head(1), **name, **logged_as)
    return {"version": info.registered_model_version}


@step("get_model_version")
def version():
    return client.get_model_version("churn", "1")


@step("get_registered_model")
def model_of_three():
    return client.get_registered_model("churn")


@step("set_registered_model_alias")
def aliased():
    client.set_registered_model_alias("churn", "champion", "1")
    client.set_registered_model_alias("churn", "challenger", 2)
    return client.get_registered_model("churn").aliases


@step("get_model_version_by_alias")
def by_alias():
    return client.get_model_version_by_alias("churn", "champion")


@step("load_model by alias")
def loaded_by_alias():
    return same(mlflow.sklearn.load_model("models:/churn@champion"))


@step("load_model by version")
def loaded_by_version():
    return same(mlflow.sklearn.load_model("models:/churn/3"))


@step("load_model as a function of Python")
def as_function():
    found = mlflow.pyfunc.load_model("models:/churn@challenger")
    return {"same": (found.predict(frame) == model.predict(frame)).all().item(), "inputs": found.metadata.get_input_schema().to_dict()}


@step("load_model against its schema")
def against_schema():
    mlflow.pyfunc.load_model("models:/churn@champion").predict(frame[["age"]])


@step("load_model, latest")
def latest():
    return same(mlflow.sklearn.load_model("models:/churn/latest"))


@step("get_model_info")
def info():
    found = mlflow.models.get_model_info("models:/churn@champion")
    return {"run": found.run_id, "flavors": sorted(found.flavors), "example": found.saved_input_example_info is not None}


@step("get_model_version_download_uri")
def uri():
    # Where it leads is the server's own affair; that it leads somewhere is asked below.
    return client.get_model_version_download_uri("churn", "1").split(":")[0]


@step("download_artifacts of a version")
def downloaded():
    path = mlflow.artifacts.download_artifacts("models:/churn/1")
    return sorted(os.listdir(path))


@step("move the alias")
def moved():
    client.set_registered_model_alias("churn", "champion", "2")
    return [client.get_model_version("churn", version).aliases for version in ("1", "2", "3")]


@step("delete_registered_model_alias")
def alias_deleted():
    client.delete_registered_model_alias("churn", "challenger")
    client.delete_registered_model_alias("churn", "challenger")
    return client.get_registered_model("churn").aliases


if NEW:

    @step("get_logged_model")
    def logged_model():
        return client.get_logged_model(logged["model"])

    @step("search_logged_models")
    def logged_models():
        experiment = mlflow.get_experiment_by_name("churn").experiment_id
        found = client.search_logged_models([experiment], order_by=[{"field_name": "creation_timestamp"}])
        return [one.name for one in found]

    @step("search_logged_models by metric, param, name")
    def logged_models_found():
        experiment = mlflow.get_experiment_by_name("churn").experiment_id
        queries = ["metrics.auc > 0.9", "metrics.auc > 0.99", "params.C = '0.5'", "name = 'second'", "name LIKE 'mod%'"]
        return [[one.name for one in client.search_logged_models([experiment], query)] for query in queries]

    @step("search_logged_models in order and pages")
    def logged_model_pages():
        experiment = mlflow.get_experiment_by_name("churn").experiment_id
        order = [{"field_name": "name", "ascending": False}]
        first = client.search_logged_models([experiment], max_results=1, order_by=order)
        second = client.search_logged_models([experiment], max_results=1, order_by=order, page_token=first.token)
        return [[one.name for one in first], [one.name for one in second], second.token]

    @step("search_logged_models refused")
    def logged_models_refused():
        client.search_logged_models([mlflow.get_experiment_by_name("churn").experiment_id], "colour = 'red'")

    @step("tags of a logged model")
    def logged_model_tags():
        client.set_logged_model_tags(logged["model"], {"reviewed": "yes", "gone": "x"})
        client.delete_logged_model_tag(logged["model"], "gone")
        return client.get_logged_model(logged["model"]).tags

    @step("an external logged model")
    def external():
        made = mlflow.create_external_model(name="agent", model_type="agent", params={"temperature": "0"}, tags={"a": "b"})
        mlflow.log_metrics({"quality": 0.5}, model_id=made.model_id)
        return client.get_logged_model(made.model_id)

    @step("log_model without a run")
    def without_run():
        info = mlflow.sklearn.log_model(model, name="loose", params={"depth": 3}, **logged_as)
        return {"model": client.get_logged_model(info.model_id), "same": same(mlflow.sklearn.load_model(info.model_uri))}

    @step("a logged model in the making")
    def in_the_making():
        made = mlflow.initialize_logged_model(name="slow")
        ready = mlflow.finalize_logged_model(made.model_id, "FAILED")
        return [made.status, ready.status]

    @step("delete_logged_model")
    def logged_model_deleted():
        made = mlflow.initialize_logged_model(name="oops")
        client.delete_logged_model(made.model_id)
        client.get_logged_model(made.model_id)

    @step("get_logged_model of none")
    def no_logged_model():
        client.get_logged_model("m-" + "0" * 32)
