"""Registered models and their versions."""

import mlflow
from models import logged, same
from script import step
from tracking import client

# Since MLflow 3 a model is something of its own beside its run.
as_logged = {"model_id": logged["model"]} if logged["model"] else {}
source = client.get_run(logged["run"]).info.artifact_uri + "/model"


def version(name, number):
    return client.get_model_version(name, number)


@step("create_registered_model")
def created():
    return client.create_registered_model("loans", tags={"owner": "risk", "tier": "1"}, description="who pays back")


@step("create_registered_model again")
def created_again():
    client.create_registered_model("loans")


@step("create_model_version from a folder of a run")
def made():
    return client.create_model_version("loans", source, logged["run"], tags={"seed": "7"}, description="first")


@step("create_model_version from what log_model answered")
def made_second():
    return client.create_model_version("loans", logged["uri"], logged["run"], **as_logged)


@step("create_model_version without run")
def made_bare():
    return client.create_model_version("loans", source)


@step("update_registered_model and version")
def updated():
    client.update_registered_model("loans", "who pays back, and when")
    client.update_model_version("loans", "1", "the very first")
    return [client.get_registered_model("loans").description, version("loans", "1").description]


@step("tags of a registered model")
def tags():
    client.set_registered_model_tag("loans", "tier", "2")
    client.set_registered_model_tag("loans", "number", 5)
    client.delete_registered_model_tag("loans", "owner")
    return client.get_registered_model("loans").tags


@step("tags of a version")
def version_tags():
    client.set_model_version_tag("loans", "1", "validated", "true")
    client.set_model_version_tag("loans", "1", "seed", "8")
    client.set_model_version_tag("loans", "1", "gone", "1")
    client.delete_model_version_tag("loans", "1", "gone")
    client.delete_model_version_tag("loans", "1", "never there")
    return version("loans", "1").tags


@step("transition to a stage")
def staged():
    client.transition_model_version_stage("loans", "1", "Archived")
    return client.transition_model_version_stage("loans", "1", "staging")


@step("get_latest_versions")
def latest():
    found = client.get_latest_versions("loans")
    return sorted((one.version, one.current_stage) for one in found)


@step("get_latest_versions of a stage")
def latest_of_stage():
    return [one.version for one in client.get_latest_versions("loans", stages=["Staging"])]


@step("transition and archive the one before")
def archived():
    client.transition_model_version_stage("loans", "2", "Staging", archive_existing_versions=True)
    return [version("loans", number).current_stage for number in ("1", "2")]


@step("load_model by stage")
def by_stage():
    return same(mlflow.sklearn.load_model("models:/loans/Staging"))


@step("stages")
def stages():
    return client.get_model_version_stages("loans", "1")


@step("copy_model_version")
def copied():
    client.set_registered_model_alias("loans", "best", "2")
    return client.copy_model_version("models:/loans@best", "loans-prod")


@step("copy_model_version again")
def copied_again():
    return client.copy_model_version("models:/loans/1", "loans-prod").version


@step("load_model of a copy")
def copy_loaded():
    return same(mlflow.sklearn.load_model("models:/loans-prod/1"))


def models(query=None, **more):
    return [one.name for one in client.search_registered_models(filter_string=query, **more)]


for title, query in {
    "all": None,
    "name": "name = 'loans'",
    "name like": "name LIKE 'loans%'",
    "name ilike": "name ILIKE 'LOANS-%'",
    "name not": "name != 'loans'",
    "tag": "tags.tier = '2'",
    "tag and name": "tags.`tier` = '2' AND name LIKE 'lo%'",
    "tag that is elsewhere": "tags.tier != '2'",
    "two tags": "tags.tier = '2' AND tags.number = '5'",
    "two tags of which one is not": "tags.tier = '2' AND tags.number = '6'",
    "tag like": "tags.number LIKE '_'",
    "attribute": "attribute.name = 'loans'",
    "double quotes": 'name = "loans"',
    "refused: entity": "colour = 'red'",
    "refused: operator": "name > 'a'",
    "refused: or": "name = 'a' OR name = 'b'",
}.items():

    @step(f"search_registered_models by {title}")
    def models_searched():
        return sorted(models(query))


@step("search_registered_models in order and pages")
def model_pages():
    first = client.search_registered_models(max_results=2, order_by=["name DESC"])
    second = client.search_registered_models(max_results=2, order_by=["name DESC"], page_token=first.token)
    return [[one.name for one in first], [one.name for one in second], second.token]


@step("search_registered_models in order of nonsense")
def models_by_nonsense():
    return models(order_by=["colour"])


@step("search_registered_models with all that is in them")
def models_whole():
    return client.search_registered_models("name = 'loans'")


def versions(query=None, **more):
    return [(one.name, one.version) for one in client.search_model_versions(query, **more)]


for title, query in {
    "name": "name = 'loans'",
    "name like": "name LIKE 'loan%'",
    "name ilike": "name ILIKE 'LOANS-P%'",
    "run": f"run_id = '{logged['run']}'",
    "runs": f"run_id IN ('{logged['run']}', '00')",
    "number": "name = 'loans' and version_number > 1",
    "numbers": "name = 'loans' and version_number <= 1 and version_number != 2",
    "number as text": "version_number = '1'",
    "attribute": "attribute.name = 'loans'",
    "name not": "name != 'loans'",
    "two tags": "tags.validated = 'true' AND tags.seed = '8'",
    "tag": "tags.validated = 'true'",
    "tag and name": "name = 'loans' AND tags.`seed` = '8'",
    "tag not": "name = 'loans' AND tags.seed != '7'",
    "source": f"source_path = '{source}'",
    "refused: entity": "colour = 'red'",
    "refused: operator": "run_id LIKE 'none%'",
    "refused: or": "name = 'a' OR name = 'b'",
}.items():

    @step(f"search_model_versions by {title}")
    def versions_searched():
        return sorted(versions(query))


@step("search_model_versions in order and pages")
def version_pages():
    pages, token = [], None
    while True:
        page = client.search_model_versions(max_results=3, order_by=["name ASC", "version_number DESC"], page_token=token)
        pages.append([(one.name, one.version) for one in page])
        token = page.token
        if not token:
            return pages


@step("search_model_versions with all that is in them")
def versions_whole():
    return client.search_model_versions("name = 'loans'", order_by=["version_number ASC"])


@step("rename_registered_model")
def renamed():
    client.rename_registered_model("loans", "credit")
    return client.get_registered_model("credit").name


@step("the old name is gone")
def old_name():
    client.get_registered_model("loans")


@step("the new name keeps all")
def new_name():
    found = client.get_registered_model("credit")
    return {"aliases": found.aliases, "tags": found.tags, "versions": sorted(versions("name = 'credit'"))}


@step("rename to a name that is taken")
def taken():
    client.rename_registered_model("credit", "churn")


@step("delete_model_version")
def version_deleted():
    client.delete_model_version("credit", "2")
    client.get_model_version("credit", "2")


@step("numbers of deleted versions are not used again")
def number():
    client.delete_model_version("churn", "3")
    client.create_model_version("churn", source, logged["run"])
    return sorted(versions("name = 'churn'"))


@step("deleting a version takes its aliases")
def alias_gone():
    client.create_model_version("credit", logged["uri"], logged["run"], **as_logged)
    client.set_registered_model_alias("credit", "short-lived", "3")
    client.delete_model_version("credit", "3")
    return client.get_registered_model("credit").aliases


@step("delete_registered_model")
def deleted():
    client.delete_registered_model("credit")
    client.get_registered_model("credit")


@step("a deleted name can be taken again")
def taken_again():
    client.create_registered_model("credit")
    return client.create_model_version("credit", logged["uri"], logged["run"], **as_logged).version


@step("transition to production")
def in_production():
    return client.transition_model_version_stage("credit", "1", "production").current_stage


@step("an alias of production")
def aliased():
    client.set_registered_model_alias("credit", "production", "1")
    return client.get_registered_model("credit").aliases
