"""What only a governed registry does, seen by unmodified clients: `governed.py TRACKING_URI CHAPTER WORDS...`.

Each chapter is run by somebody; what was said to them is printed word by word.
"""

import os
import sys
import warnings

warnings.filterwarnings("ignore")

import mlflow
import mlflow.sklearn
import numpy as np
import requests
from mlflow import MlflowClient
from sklearn.linear_model import LogisticRegression
from steps import Steps

uri, chapter, *words = sys.argv[1:]
mlflow.set_tracking_uri(uri)
step = Steps(uri, sentences=True)
client = MlflowClient()
NAME = "credit-scoring"
rows = np.arange(12.0).reshape(6, 2)
model = LogisticRegression().fit(rows, [0, 0, 1, 0, 1, 1])


def what(version):
    return {"name": version.name, "version": version.version, "status": version.status, "stage": version.current_stage}


def register(snapshot=None):
    """Somebody logs a model and registers it under a name of the charter; the run may name what it was trained on."""

    @step("log a model and register it")
    def registered():
        mlflow.set_experiment("credit")
        name = {"name": "model"} if hasattr(client, "search_logged_models") else {"artifact_path": "model"}
        with mlflow.start_run(run_name="train"):
            if snapshot:
                called = {"source": snapshot} if snapshot.startswith("s3://") else {"name": snapshot}
                mlflow.log_input(mlflow.data.from_numpy(rows, **called), context="training")
            mlflow.log_metrics({"auc": 0.93, "accuracy": 0.81, "demographic_parity_difference by sex": 0.05})
            info = mlflow.sklearn.log_model(model, pip_requirements=["scikit-learn"], **name)
        return what(mlflow.register_model(info.model_uri, NAME))


def promote(version, alias="production"):
    """Somebody wants it in production."""

    @step(f"alias {alias} for version {version}")
    def aliased():
        client.set_registered_model_alias(NAME, alias, version)
        return client.get_registered_model(NAME).aliases

    @step(f"version {version} to the stage Production")
    def staged():
        return what(client.transition_model_version_stage(NAME, version, "Production"))


def load(*references):
    """A service loads what is a model of scikit-learn, and predicts."""
    for reference in references:

        @step(f"load models:/{NAME}{reference}")
        def loaded():
            found = mlflow.sklearn.load_model(f"models:/{NAME}{reference}")
            return (found.predict_proba(rows) == model.predict_proba(rows)).all().item()


def read():
    """Somebody looks."""

    @step("search the models")
    def searched():
        return [one.name for one in client.search_registered_models()]

    @step("read the model")
    def found():
        return client.get_registered_model(NAME).aliases

    @step("the same without the client")
    def raw():
        key = os.environ.get("MLFLOW_TRACKING_TOKEN")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        answer = requests.get(f"{uri}/api/2.0/mlflow/registered-models/get?name={NAME}", headers=headers, timeout=30)
        if answer.ok:
            return answer.status_code
        return [answer.status_code, answer.headers.get("content-type"), answer.headers.get("www-authenticate"), answer.json()]


def write():
    """Somebody whose role it is not wants to change things."""

    @step("create a registered model")
    def created():
        client.create_registered_model("side-door")

    @step("create a version")
    def version():
        client.create_model_version(NAME, "models:/credit-scoring/1")

    @step("delete a version")
    def deleted():
        client.delete_model_version(NAME, "1")

    @step("delete the model")
    def model_deleted():
        client.delete_registered_model(NAME)

    @step("start a run")
    def run():
        mlflow.set_experiment("side-door")


{"register": register, "promote": promote, "load": load, "read": read, "write": write}[chapter](*words)
