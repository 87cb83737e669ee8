"""What OpenLineage's own client makes of our events, and what it sends us.

`events.py read FILE`: builds each event of FILE with the classes of the client, and says for each whether these write
the same event again. `events.py send URL KEY RUN NAMESPACE`: sends an event about a run.
"""
import datetime
import json
import pathlib
import sys
import uuid

from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import dataset_version_dataset, job_type_job, schema_dataset
from openlineage.client.generated.base import RunFacet
from openlineage.client.serde import Serde
from openlineage.client.transport.http import ApiKeyTokenProvider, HttpConfig, HttpTransport

what, *words = sys.argv[1:]


def bare(facet):
    return {name: value for name, value in facet.items() if not name.startswith("_")}


def producer(facet):
    return {"producer": facet["_producer"]}


def dataset(kind, given):
    facets = {}
    for name, facet in given["facets"].items():
        if name == "version":
            facets[name] = dataset_version_dataset.DatasetVersionDatasetFacet(**bare(facet), **producer(facet))
        elif name == "schema":
            fields = [schema_dataset.SchemaDatasetFacetFields(**field) for field in facet["fields"]]
            facets[name] = schema_dataset.SchemaDatasetFacet(fields=fields, **producer(facet))
        else:
            raise SystemExit(f"unknown facet {name}")
    return kind(namespace=given["namespace"], name=given["name"], facets=facets)


def built(event):
    record = event["run"]["facets"]["wardmote_record"]
    job_type = event["job"]["facets"]["jobType"]
    return RunEvent(
        eventType=RunState[event["eventType"]],
        eventTime=event["eventTime"],
        producer=event["producer"],
        run=Run(
            runId=event["run"]["runId"],
            facets={"wardmote_record": RunFacet(**producer(record)).with_additional_properties(**bare(record))},
        ),
        job=Job(
            namespace=event["job"]["namespace"],
            name=event["job"]["name"],
            facets={"jobType": job_type_job.JobTypeJobFacet(**bare(job_type), **producer(job_type))},
        ),
        inputs=[dataset(InputDataset, one) for one in event["inputs"]],
        outputs=[dataset(OutputDataset, one) for one in event["outputs"]],
    )


def without_nothing(value):
    """The classes write what is not there as empty."""
    if isinstance(value, dict):
        plain = {name: without_nothing(one) for name, one in value.items()}
        return {name: one for name, one in plain.items() if one not in (None, {}, [])}
    if isinstance(value, list):
        return [without_nothing(one) for one in value]
    return value


if what == "read":
    for line in pathlib.Path(words[0]).read_text().splitlines():
        event = json.loads(line)
        datetime.datetime.fromisoformat(event["eventTime"])
        uuid.UUID(event["run"]["runId"])
        theirs = without_nothing(json.loads(Serde.to_json(built(event))))
        ours = without_nothing(event)
        print("same" if theirs == ours else f"differs\n{json.dumps(ours, sort_keys=True)}\n{json.dumps(theirs, sort_keys=True)}")
else:
    url, key, run, namespace = words
    transport = HttpTransport(HttpConfig(url=url, auth=ApiKeyTokenProvider({"apiKey": key}), retry={"total": 0}))
    version = dataset_version_dataset.DatasetVersionDatasetFacet(datasetVersion="v7")
    OpenLineageClient(transport=transport).emit(
        RunEvent(
            eventType=RunState.COMPLETE,
            eventTime=datetime.datetime.now(datetime.timezone.utc).isoformat(),
            producer="https://scheduler.bank.example/1",
            run=Run(runId=str(uuid.UUID(run))),
            job=Job(namespace="airflow", name="nightly.train"),
            inputs=[
                InputDataset(namespace="s3://bank-lake", name="customers/2025", facets={"version": version}),
                InputDataset(namespace=namespace, name="credit-training/first"),
            ],
            outputs=[OutputDataset(namespace="s3://bank-lake", name="scores/2025")],
        )
    )
    print("sent")
