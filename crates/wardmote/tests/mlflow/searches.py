"""Searching experiments and runs: filters, order, pages."""

import mlflow
from mlflow.entities import ViewType
from script import step
from tracking import churn, client, fraud

names = [f"grid-{number}" for number in range(5)]


def runs(query="", **more):
    found = client.search_runs([churn.experiment_id], query, **more)
    return [run.info.run_name for run in found]


@step("five runs to search")
def five():
    for number, name in enumerate(names):
        with mlflow.start_run(run_name=name, tags={"group": "odd" if number % 2 else "even", "a.b c": "dotted"}):
            mlflow.log_params({"depth": number, "kind": "tree" if number < 3 else "Forest"})
            mlflow.log_metrics({"auc": 0.5 + number / 10, "cost in euros": number})
    return len(names)


for title, query in {
    "metric above": "metrics.auc > 0.75",
    "metric between": "metrics.auc >= 0.6 and metrics.auc < 0.8",
    "metric of a quoted name": "metrics.`cost in euros` = 2",
    "metric not equal": "metrics.\"auc\" != 0.5 and tags.group = 'even'",
    "param equal": "params.kind = 'tree'",
    "param not equal": "params.kind != 'tree'",
    "param like": "params.kind LIKE 'For%'",
    "param ilike": "params.kind ILIKE 'for%'",
    "param compares as text": "params.depth = '3'",
    "tag of a quoted name": "tags.`a.b c` = 'dotted' AND params.kind = 'tree'",
    "attribute run_name": "attributes.run_name LIKE 'grid-%' and attributes.status = 'FINISHED'",
    "run_name without attribute": "run_name = 'grid-4'",
    "status of failed": "attributes.status = 'FAILED'",
    "start_time": "attributes.start_time > 1500000000000 and run_name ILIKE 'GRID-1'",
    "run in a list": "attributes.run_name IN ('grid-1', 'baseline')",
    "data set name": "datasets.name = 'loans'",
    "data set context": "dataset.context = 'evaluation'",
    "nested runs by parent": "tags.mlflow.parentRunId LIKE '%'",
    "tag is null": "tags.group IS NOT NULL AND params.depth = '1'",
    "tag is missing": "tags.group IS NULL AND params.rate = '0.1'",
    "param is missing": "params.depth IS NULL AND attributes.status = 'FAILED'",
    "singular words": "metric.auc > 0.75 AND param.kind = 'Forest' AND tag.group = 'odd'",
    "parameters and attr": "parameters.kind = 'tree' AND attr.run_name = 'grid-2'",
    "run as an entity": "run.status = 'FINISHED' AND run.run_name = 'grid-2'",
    "double quotes": 'params.kind = "tree" AND run_name = "grid-2"',
    "small letters and spaces": "  params.kind   like  'Fo%'   and   metrics.auc>=0.8 ",
    "a number without zero": "metrics.auc > .85 AND run_name LIKE 'grid%'",
    "a number with exponent": "metrics.huge > 1e299",
    "a negative number": "metrics.negative < -0.2",
    "a metric of a slashed name": "metrics.`f1/macro` = 0.82",
    "an underscore is any letter": "run_name LIKE 'grid_1'",
    "like minds capitals": "run_name LIKE 'GRID%'",
    "not equal status": "status != 'FINISHED'",
    "attribute in quotes": "attributes.`Run name` = 'grid-3'",
    "created": "created > 0 AND run_name = 'grid-3'",
    "end_time": "attributes.end_time > 1500000000000 AND run_name = 'grid-3'",
    "tag of the client": "tags.`mlflow.runName` = 'grid-3'",
    "data set digest like": "dataset.digest LIKE '%' AND dataset.name = 'holdout'",
    "latest value, not the largest": "metrics.loss = 0.1",
    "nothing": "metrics.auc > 2",
}.items():

    @step(f"search_runs: {title}")
    def searched():
        return sorted(runs(query))


for title, query in {
    "no such entity": "colour = 'red'",
    "no such attribute": "attributes.colour = 'red'",
    "no operator": "metrics.auc",
    "metric is no number": "metrics.auc > 'high'",
    "unquoted text": "params.kind = tree",
    "or": "metrics.auc > 1 or metrics.auc < 0",
    "wrong operator for a tag": "tags.group > 'even'",
    "unclosed quote": "tags.group = 'even",
    "trailing and": "metrics.auc > 1 and",
    "parentheses": "(metrics.auc > 1)",
    "metric is a quoted number": "metrics.auc = '0.5'",
    "start_time is text": "attributes.start_time > 'yesterday'",
    "param is a number": "params.depth = 3",
    "like for a metric": "metrics.auc LIKE '0.%'",
    "list of nothing": "attributes.run_id IN ()",
    "two in a row": "metrics.auc > 0.1 metrics.auc < 0.9",
    "a key without a name": "metrics. > 1",
    "data set of nothing": "datasets.colour = 'red'",
}.items():

    @step(f"search_runs refused: {title}")
    def refused():
        return runs(query)


@step("search_runs by ids")
def by_ids():
    ids = [run.info.run_id for run in client.search_runs([churn.experiment_id], "run_name LIKE 'grid-%'")]
    several = ", ".join(f"'{one}'" for one in ids[:3])
    return [
        len(runs(f"attributes.run_id IN ({several})")),
        len(runs(f"run_id = '{ids[0]}'")),
        len(runs(f"run_id NOT IN ({several}) AND run_name LIKE 'grid-%'")),
        len(runs(f"run_id LIKE '{ids[0][:8]}%'")),
    ]


@step("search_runs in order of a metric")
def by_metric():
    return runs("metrics.auc > 0", order_by=["metrics.auc DESC", "attributes.run_name"])


@step("search_runs in order of a param and a tag")
def by_param():
    return runs("run_name LIKE 'grid-%'", order_by=["tags.group DESC", "params.depth ASC"])


@step("search_runs, missing values last")
def missing_last():
    return runs("run_name LIKE 'grid-%' ", order_by=["metrics.none ASC", "attributes.run_name DESC"])


@step("search_runs in order of time")
def by_time():
    return runs("run_name LIKE 'grid-%'", order_by=["attributes.start_time ASC"])


@step("search_runs refused: order")
def by_nonsense():
    return runs(order_by=["colour"])


@step("search_runs in pages")
def pages():
    all_pages, token = [], None
    while True:
        page = client.search_runs(
            [churn.experiment_id], "run_name LIKE 'grid-%'", max_results=2, page_token=token, order_by=["attributes.run_name"]
        )
        all_pages.append([run.info.run_name for run in page])
        token = page.token
        if not token:
            return all_pages


@step("search_runs refused: page token")
def bad_token():
    return runs(page_token="nonsense")


@step("search_runs refused: too many")
def too_many():
    return runs(max_results=50001)


@step("search_runs of deleted ones")
def deleted():
    client.delete_run(client.search_runs([churn.experiment_id], "run_name = 'grid-0'")[0].info.run_id)
    only = runs("run_name LIKE 'grid-%'", run_view_type=ViewType.DELETED_ONLY)
    both = runs("run_name LIKE 'grid-%'", run_view_type=ViewType.ALL, order_by=["run_name"])
    return {"deleted": only, "all": both, "active": runs("run_name LIKE 'grid-%'", order_by=["run_name"])}


@step("search_runs of several experiments")
def several():
    ids = [churn.experiment_id, fraud["experiment_id"]]
    return [run.info.run_name for run in client.search_runs(ids, "metrics.auc = 0.5", order_by=["attributes.run_name"])]


@step("search_runs of no experiment")
def no_experiment():
    return client.search_runs([])


@step("search_runs as a table")
def table():
    found = mlflow.search_runs(experiment_names=["churn"], filter_string="metrics.auc > 0.75", order_by=["metrics.auc"])
    columns = [name for name in found.columns if not name.startswith(("tags.mlflow.", "params.layer_"))]
    return {"columns": sorted(columns), "auc": found["metrics.auc"].tolist()}


def experiments(query=None, **more):
    return [one.name for one in client.search_experiments(filter_string=query, **more)]


@step("search_experiments")
def all_experiments():
    client.create_experiment("archive", tags={"team": "risk"})
    return sorted(experiments())


for title, query in {
    "name": "name = 'churn'",
    "name not": "name != 'churn' and attribute.name LIKE 'fr%'",
    "name ilike": "name ILIKE 'CH%'",
    "tag": "tags.team = 'risk'",
    "tag and name": "tags.`team` = 'risk' AND name = 'fraud'",
    "creation time": "creation_time > 1000",
    "refused: entity": "colour = 'red'",
    "refused: or": "name = 'a' OR name = 'b'",
}.items():

    @step(f"search_experiments by {title}")
    def experiments_searched():
        return sorted(experiments(query))


@step("search_experiments in order and pages")
def experiment_pages():
    first = client.search_experiments(max_results=2, order_by=["name DESC"])
    second = client.search_experiments(max_results=2, order_by=["name DESC"], page_token=first.token)
    return [[one.name for one in first], [one.name for one in second], second.token]


@step("search_experiments that are deleted")
def deleted_experiments():
    client.delete_experiment(client.get_experiment_by_name("archive").experiment_id)
    only = experiments(view_type=ViewType.DELETED_ONLY)
    return [only, sorted(experiments(view_type=ViewType.ALL)), sorted(experiments())]
