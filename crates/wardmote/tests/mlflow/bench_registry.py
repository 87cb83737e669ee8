"""Registry operations of several MLflow servers beside each other, in one run with the same client code.

    bench_registry.py [--seconds 4] [--connections 8] [--rounds 3] NAME=URL[,TOKEN] ...

Requests are those that the client of MLflow sends, over connections that stay open, without the client's own time. The
servers are asked by turns, so that what else the machine does meets all of them. `nothing` is a call that needs no
work: what this program itself can send. A call that a server refuses (under several writers at once `mlflow server` gives
errors of its database) is counted as refused and not as done. Prints a table, and with --json one line for each figure.
"""

import argparse
import http.client
import itertools
import json
import os
import statistics
import threading
import time
from urllib.parse import quote, urlsplit

API = "/api/2.0/mlflow/"


class Refused(Exception):
    """An answer that is no success."""


class Server:
    """One of the servers, with a model of 50 versions to begin with."""

    def __init__(self, text):
        self.name, _, rest = text.partition("=")
        self.url, _, token = rest.partition(",")
        self.address = urlsplit(self.url).netloc
        self.headers = {"Content-Type": "application/json"}
        if token:
            self.headers["Authorization"] = f"Bearer {token}"
        self.latencies = {}
        self.rates = {}
        self.refused = {}
        self.model = f"bench-{os.urandom(4).hex()}"
        self.prepare()

    def connect(self):
        return http.client.HTTPConnection(self.address, timeout=60)

    def call(self, connection, method, path, body=None):
        data = json.dumps(body) if body is not None else None
        connection.request(method, path, data, self.headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise Refused(f"{self.name}: {method} {path} {body} answered {answer.status}: {text[:300]!r}")
        return json.loads(text) if text[:1] == b"{" else text

    def prepare(self):
        connection = self.connect()
        run = self.call(connection, "POST", API + "runs/create", {"experiment_id": "0", "start_time": 1, "user_id": "bench"})
        info = run["run"]["info"]
        self.run = info["run_id"]
        self.source = info["artifact_uri"] + "/model"
        folder = info["artifact_uri"].removeprefix("mlflow-artifacts:").lstrip("/")
        path = f"/api/2.0/mlflow-artifacts/artifacts/{quote(folder)}/model/MLmodel"
        self.call(connection, "PUT", path, {"flavors": {}})
        self.call(connection, "POST", API + "registered-models/create", {"name": self.model})
        for _ in range(50):
            self.call(connection, "POST", API + "model-versions/create", self.version())
        alias = {"name": self.model, "alias": "champion", "version": "7"}
        self.call(connection, "POST", API + "registered-models/alias", alias)

    def version(self):
        return {"name": self.model, "source": self.source, "run_id": self.run, "tags": [{"key": "a", "value": "b"}]}


def operations(server, number):
    """What is measured: name, method, path, body. `number` counts calls, so that each write changes something."""
    name = quote(server.model)
    version = str(number % 50 + 1)
    search = quote(f"name = '{server.model}' AND tags.a = 'b'")
    tag = {"name": server.model, "version": version, "key": "checked", "value": f"value {number}"}
    alias = {"name": server.model, "alias": "challenger", "version": version}
    return {
        "nothing": ("GET", "/health", None),
        "get a version by its alias": ("GET", f"{API}registered-models/alias?name={name}&alias=champion", None),
        "search 20 versions by name and tag": (
            "GET",
            f"{API}model-versions/search?filter={search}&max_results=20&order_by=version_number+DESC",
            None,
        ),
        "set a tag of a version": ("POST", API + "model-versions/set-tag", tag),
        "set an alias": ("POST", API + "registered-models/alias", alias),
        "create a version": ("POST", API + "model-versions/create", server.version()),
    }


def stretch(server, operation, connections, seconds):
    """One stretch of one operation; keeps what each call took."""
    numbers = itertools.count()
    latencies, failures, refused = [], [], []
    start = threading.Barrier(connections + 1)

    def work():
        connection = server.connect()
        server.call(connection, *operations(server, next(numbers))["nothing"])
        own = []
        start.wait()
        end = time.perf_counter() + seconds
        try:
            while (begun := time.perf_counter()) < end:
                try:
                    server.call(connection, *operations(server, next(numbers))[operation])
                    own.append(time.perf_counter() - begun)
                except Refused as error:
                    refused.append(error)
        except Exception as error:
            failures.append(error)
        latencies.extend(own)

    threads = [threading.Thread(target=work) for _ in range(connections)]
    for thread in threads:
        thread.start()
    start.wait()
    begun = time.perf_counter()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    if not latencies:
        raise refused[0]
    server.refused[operation] = server.refused.get(operation, 0) + len(refused)
    server.latencies.setdefault(operation, []).extend(latencies)
    server.rates.setdefault(operation, []).append(len(latencies) / (time.perf_counter() - begun))


def figures(server, operation):
    latencies = sorted(server.latencies[operation])
    at = lambda share: latencies[min(len(latencies) - 1, int(len(latencies) * share))] * 1000
    return {"a_second": statistics.median(server.rates[operation]), "p50_ms": at(0.5), "p99_ms": at(0.99), "calls": len(latencies), "refused": server.refused[operation]}


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("servers", nargs="+", metavar="NAME=URL[,TOKEN]")
    arguments.add_argument("--seconds", type=float, default=4)
    arguments.add_argument("--connections", type=int, default=8)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--json", action="store_true")
    given = arguments.parse_args()
    servers = [Server(text) for text in given.servers]
    names = list(operations(servers[0], 0))
    for _ in range(given.rounds):
        for operation in names:
            for server in servers:
                stretch(server, operation, given.connections, given.seconds)
    print(f"{given.connections} connections; median of {given.rounds} stretches of {given.seconds:g} s; ratio: calls a second to those of {servers[-1].name}")
    for operation in names:
        last = figures(servers[-1], operation)
        for server in servers:
            found = figures(server, operation)
            ratio = found["a_second"] / last["a_second"]
            if given.json:
                print(json.dumps({"operation": operation, "server": server.name, "ratio": ratio} | found))
            else:
                print(f"{operation:36} {server.name:12} {found['a_second']:9.0f}/s  p50 {found['p50_ms']:8.2f} ms  p99 {found['p99_ms']:8.2f} ms  ratio {ratio:6.1f}  refused {found['refused']}")


if __name__ == "__main__":
    main()
