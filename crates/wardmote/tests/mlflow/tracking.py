"""Experiments, runs, metrics, parameters, tags, artefacts and data sets."""

import os

import mlflow
import numpy as np
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from script import step

client = MlflowClient()


def wrote(name, text):
    path = os.path.join(step.folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


@step("default experiment")
def default():
    return client.get_experiment("0")


@step("no experiment of this name")
def none():
    return mlflow.get_experiment_by_name("churn")


@step("set_experiment makes it")
def churn():
    return mlflow.set_experiment("churn")


@step("set_experiment finds it again")
def again():
    return mlflow.set_experiment("churn")


@step("create_experiment with tags")
def fraud():
    return {"experiment_id": client.create_experiment("fraud/näherung 2", tags={"team": "risk", "tier": "gold"})}


@step("get_experiment with tags")
def fraud_found():
    return client.get_experiment(fraud["experiment_id"])


@step("set_experiment_tag")
def tagged():
    client.set_experiment_tag(fraud["experiment_id"], "owner", "ines@example.com")
    client.set_experiment_tag(fraud["experiment_id"], "tier", "silver")
    return client.get_experiment(fraud["experiment_id"]).tags


@step("rename_experiment")
def renamed():
    client.rename_experiment(fraud["experiment_id"], "fraud")
    return client.get_experiment_by_name("fraud")


@step("start_run")
def first():
    run = mlflow.start_run(run_name="baseline", description="first try", tags={"stage": "dev"})
    return {"info": run.info, "data": run.data.to_dictionary()}


@step("log_param and log_params")
def params():
    mlflow.log_param("C", 0.5)
    mlflow.log_params({"solver": "lbfgs", "max_iter": 200, "penalty": None, "text": "ü " * 1000})
    return mlflow.get_run(first["info"].run_id).data.params


@step("log_param the same again")
def same():
    mlflow.log_param("C", 0.5)


@step("log_param another value")
def another():
    mlflow.log_param("C", 0.7)


@step("log_metric with steps")
def metrics():
    for at in range(10):
        mlflow.log_metric("loss", 1.0 / (at + 1), step=at)
    mlflow.log_metric("loss", 0.3, step=4, timestamp=1_700_000_000_000)
    return mlflow.get_run(first["info"].run_id).data.metrics


@step("log_metrics")
def more():
    mlflow.log_metrics({"auc": 0.91, "f1/macro": 0.82, "huge": 1e300, "negative": -0.25}, step=3)
    return mlflow.get_run(first["info"].run_id).data.metrics


@step("metrics that are no numbers")
def odd():
    mlflow.log_metric("nan", float("nan"))
    mlflow.log_metric("up", float("inf"))
    mlflow.log_metric("down", float("-inf"))
    data = mlflow.get_run(first["info"].run_id).data.metrics
    return {name: str(data[name]) for name in ("nan", "up", "down")}


@step("get_metric_history")
def history():
    found = client.get_metric_history(first["info"].run_id, "loss")
    return [(metric.step, metric.value) for metric in sorted(found, key=lambda one: (one.step, one.value))]


@step("get_metric_history of no metric")
def no_history():
    return list(client.get_metric_history(first["info"].run_id, "none"))


@step("log_batch")
def batch():
    run = first["info"].run_id
    client.log_batch(
        run,
        metrics=[Metric("epoch_loss", 1 / (at + 1), 1_700_000_000_000 + at, at) for at in range(900)],
        params=[Param(f"layer_{at}", str(at)) for at in range(50)],
        tags=[RunTag("batch", "yes"), RunTag("note", "a\nb\tc")],
    )
    data = client.get_run(run).data
    count = len(client.get_metric_history(run, "epoch_loss"))
    return {"last": data.metrics["epoch_loss"], "count": count, "params": len(data.params), "note": data.tags["note"]}


@step("log_metrics without waiting")
def unwaited():
    mlflow.log_metrics({"late": 1.5}, step=1, synchronous=False).wait()
    return mlflow.get_run(first["info"].run_id).data.metrics["late"]


@step("set_tag, set_tags, delete_tag")
def tags():
    mlflow.set_tag("release", "2026.1")
    mlflow.set_tags({"framework": "sklearn", "mlflow.note.content": "# What it is", "gone": 1})
    mlflow.delete_tag("gone")
    return mlflow.get_run(first["info"].run_id).data.tags


@step("log_artifact")
def artifact():
    mlflow.log_artifact(wrote("notes.txt", "what we tried"))
    mlflow.log_artifact(wrote("rows.csv", "a,b\n1,2\n"), artifact_path="data/raw")
    return client.list_artifacts(first["info"].run_id)


@step("log_artifacts of a folder")
def artifacts():
    wrote("plots/roc curve.svg", "<svg/>")
    wrote("plots/deep/er/größe+1%.txt", "x" * 2000)
    wrote("plots/empty", "")
    mlflow.log_artifacts(os.path.join(step.folder, "plots"), artifact_path="plots")
    return client.list_artifacts(first["info"].run_id, "plots")


@step("log_text, log_dict, log_table")
def texts():
    mlflow.log_text("<h1>report</h1>", "report.html")
    mlflow.log_dict({"threshold": 0.4, "labels": ["yes", "no"]}, "config.json")
    mlflow.log_dict({"a": 1}, "config.yml")
    mlflow.log_table({"q": ["x", "y"], "a": [1, 2]}, "answers.json")
    return client.list_artifacts(first["info"].run_id)


@step("list_artifacts of a deep folder")
def listed():
    return client.list_artifacts(first["info"].run_id, "plots/deep/er")


@step("list_artifacts of a file")
def listed_file():
    return client.list_artifacts(first["info"].run_id, "report.html")


@step("list_artifacts of nothing")
def listed_nothing():
    return client.list_artifacts(first["info"].run_id, "no/such/folder")


@step("download_artifacts of one file")
def one_file():
    path = mlflow.artifacts.download_artifacts(run_id=first["info"].run_id, artifact_path="plots/deep/er/größe+1%.txt")
    return len(open(path, encoding="utf-8").read())


@step("download_artifacts of a folder")
def one_folder():
    path = mlflow.artifacts.download_artifacts(f"runs:/{first['info'].run_id}/plots")
    return sorted(
        (os.path.relpath(os.path.join(folder, name), path), os.path.getsize(os.path.join(folder, name)))
        for folder, _, names in os.walk(path)
        for name in names
    )


@step("load_text and load_dict")
def loaded():
    root = mlflow.get_run(first["info"].run_id).info.artifact_uri
    return [mlflow.artifacts.load_text(f"{root}/report.html"), mlflow.artifacts.load_dict(f"{root}/config.json")]


@step("download_artifacts of nothing")
def no_file():
    mlflow.artifacts.download_artifacts(run_id=first["info"].run_id, artifact_path="no-such-file.txt")


@step("overwrite an artefact")
def overwritten():
    mlflow.log_text("second", "report.html")
    return mlflow.artifacts.load_text(f"runs:/{first['info'].run_id}/report.html")


@step("log_input of a data set")
def dataset():
    frame = pd.DataFrame({"age": [31, 45, 52], "income": [2.5, 3.75, 4.0], "label": [0, 1, 1]})
    data = mlflow.data.from_pandas(frame, source="https://example.com/loans.csv", name="loans", targets="label")
    mlflow.log_input(data, context="training", tags={"quarter": "q3"})
    mlflow.log_input(mlflow.data.from_numpy(np.arange(6.0).reshape(3, 2), name="holdout"), context="evaluation")
    inputs = mlflow.get_run(first["info"].run_id).inputs.dataset_inputs
    found = [{"dataset": one.dataset, "tags": {tag.key: tag.value for tag in one.tags}} for one in inputs]
    return sorted(found, key=lambda one: one["dataset"].name)


@step("log_input of the same data set again")
def dataset_again():
    frame = pd.DataFrame({"age": [31, 45, 52], "income": [2.5, 3.75, 4.0], "label": [0, 1, 1]})
    data = mlflow.data.from_pandas(frame, source="https://example.com/loans.csv", name="loans", targets="label")
    mlflow.log_input(data, context="training")
    return len(mlflow.get_run(first["info"].run_id).inputs.dataset_inputs)


@step("end_run")
def ended():
    mlflow.end_run()
    info = client.get_run(first["info"].run_id).info
    return [info.status, info.end_time is not None, info.end_time >= info.start_time]


@step("nested runs")
def nested():
    with mlflow.start_run(run_name="sweep") as parent:
        for rate in (0.1, 0.01):
            with mlflow.start_run(run_name=f"rate-{rate}", nested=True) as child:
                mlflow.log_param("rate", rate)
                mlflow.log_metrics({"auc": 0.9 + rate, "loss": rate})
    return {"parent": parent.info.run_id, "child": child.info.run_id, "above": client.get_parent_run(child.info.run_id).info.run_name}


@step("a run that raises has failed")
def failed():
    try:
        with mlflow.start_run(run_name="broken") as run:
            raise ValueError("no data")
    except ValueError:
        return client.get_run(run.info.run_id).info


@step("resume a run")
def resumed():
    with mlflow.start_run(run_id=nested["child"]):
        mlflow.log_metric("auc", 0.99, step=1)
    return client.get_run(nested["child"]).info.status


@step("a run of the client")
def by_hand():
    run = client.create_run(fraud["experiment_id"], start_time=1_600_000_000_000, tags={"by": "hand"}, run_name="by hand")
    client.log_metric(run.info.run_id, "auc", 0.5, step=2)
    client.update_run(run.info.run_id, status="SCHEDULED", name="renamed")
    scheduled = client.get_run(run.info.run_id).info
    client.set_terminated(run.info.run_id, status="KILLED", end_time=1_600_000_001_000)
    killed = client.get_run(run.info.run_id)
    times = [killed.info.start_time, killed.info.end_time]
    return {"run": run.info.run_id, "scheduled": scheduled, "killed": killed.info, "times": [str(time) for time in times]}


@step("delete_run")
def deleted():
    client.delete_run(failed.run_id)
    return client.get_run(failed.run_id).info.lifecycle_stage


@step("log to a deleted run")
def to_deleted():
    client.log_metric(failed.run_id, "auc", 1.0)


@step("delete_run again")
def deleted_again():
    client.delete_run(failed.run_id)


@step("restore_run")
def restored():
    client.restore_run(failed.run_id)
    return client.get_run(failed.run_id).info.lifecycle_stage


@step("delete_experiment")
def experiment_deleted():
    client.delete_experiment(fraud["experiment_id"])
    run = client.get_run(by_hand["run"]).info.lifecycle_stage
    return [client.get_experiment(fraud["experiment_id"]).lifecycle_stage, run]


@step("set_experiment to a deleted one")
def to_deleted_experiment():
    mlflow.set_experiment("fraud")


@step("start_run in a deleted experiment")
def in_deleted_experiment():
    client.create_run(fraud["experiment_id"])


@step("create_experiment under the name of a deleted one")
def same_as_deleted():
    client.create_experiment("fraud")


@step("restore_experiment")
def experiment_restored():
    client.restore_experiment(fraud["experiment_id"])
    run = client.get_run(by_hand["run"]).info.lifecycle_stage
    return [client.get_experiment(fraud["experiment_id"]).lifecycle_stage, run]
