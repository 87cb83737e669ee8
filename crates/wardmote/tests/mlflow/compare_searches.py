"""Random searches of two MLflow servers, compared: `compare_searches.py URL[,TOKEN] URL[,TOKEN] [--count 1000] [--seed 1]`.

Both are given the same runs, registered models and versions; then both are asked the same. Prints where they differ:
in the status, or in what was found and in which order. Not part of the tests, which have no second server.
"""

import argparse
import json
import random

import requests

API = "/api/2.0/mlflow/"
METRICS = {"auc": [0.1, 0.5, 0.5, 0.9], "loss": [-1.5, 0.0, 2.0, 1e20], "f1/macro": [0.25], "a b": [3.0, float("nan")]}
PARAMS = {"depth": ["1", "2", "10"], "kind": ["tree", "Tree", "forest", "näher"], "odd key": ["100%", "a_b", "it's"]}
TAGS = {"team": ["risk", "Risk", "fraud"], "a.b": ["x", ""], "né": ["é", "É"]}


class Server:
    def __init__(self, text):
        self.url, _, token = text.partition(",")
        self.session = requests.Session()
        if token:
            self.session.headers["Authorization"] = f"Bearer {token}"

    def post(self, path, body):
        return self.session.post(self.url + API + path, json=body, timeout=120)

    def must(self, path, body):
        answer = self.post(path, body)
        assert answer.status_code == 200, (self.url, path, body, answer.text)
        return answer.json()

    def fill(self, seed):
        chance = random.Random(seed)
        self.experiment = self.must("experiments/create", {"name": f"searched {random.random()}"})["experiment_id"]
        for number in range(24):
            body = {"experiment_id": self.experiment, "start_time": 1000 + number // 2, "run_name": f"run-{number}"}
            run = self.must("runs/create", body | {"user_id": chance.choice(["ada", "Ada", "bo"])})["run"]["info"]["run_id"]
            pairs = lambda known: [{"key": key, "value": chance.choice(values)} for key, values in known.items() if chance.random() < 0.6]
            metrics = [one | {"value": str(one["value"]) if one["value"] != one["value"] else one["value"], "timestamp": 1, "step": step} for step in range(2) for one in pairs(METRICS)]
            for one in metrics:
                if one["value"] == "nan":
                    one["value"] = "NaN"
            params = pairs(PARAMS)
            self.must("runs/log-batch", {"run_id": run, "metrics": metrics, "params": params, "tags": pairs(TAGS)})
            if chance.random() < 0.7:
                self.must("runs/update", {"run_id": run, "status": chance.choice(["FINISHED", "FAILED"]), "end_time": 2000 + number})


def literal(chance, text):
    quote = chance.choice("''\"")
    return f"{quote}{text}{quote}"


def key(chance, name):
    return f"`{name}`" if chance.random() < 0.3 or not name.replace("_", "").isalnum() else name


def comparison(chance):
    what = chance.randrange(10)
    if what < 3:
        name = chance.choice([*METRICS, "none"])
        value = chance.choice(["0.5", "0", "-1.5", "1e20", ".25", "'0.5'" if chance.random() < 0.1 else "3"])
        entity = chance.choice(["metrics", "metric"])
        return f"{entity}.{key(chance, name)} {chance.choice(['=', '!=', '>', '>=', '<', '<='])} {value}"
    if what < 8:
        entity, known = ("params", PARAMS) if what < 5 else ("tags", TAGS)
        name = chance.choice([*known, "none"])
        if chance.random() < 0.15:
            return f"{entity}.{key(chance, name)} IS {chance.choice(['', 'NOT '])}NULL"
        value = chance.choice([*known.get(name, ["x"]), "%", "_", "r%", "%e%", "%É%"])
        operator = chance.choice(["=", "!=", "LIKE", "ILIKE", "like", ">" if chance.random() < 0.2 else "="])
        return f"{entity}.{key(chance, name)} {operator} {literal(chance, value)}"
    if what == 8:
        name, value = chance.choice([("start_time", "1005"), ("end_time", "2010"), ("created", "1003")])
        return f"attributes.{name} {chance.choice(['=', '!=', '>', '>=', '<', '<='])} {value}"
    name, value = chance.choice([("run_name", "run-1%"), ("status", "FINISHED"), ("user_id", "ada"), ("run_name", "run-_"), ("status", "finished")])
    entity = chance.choice(["attributes.", "attribute.", "", "attr."])
    return f"{entity}{name} {chance.choice(['=', '!=', 'LIKE', 'ILIKE'])} {literal(chance, value)}"


def search(chance, experiment):
    body = {"experiment_ids": [experiment], "max_results": chance.choice([5, 1000, 1000])}
    if chance.random() < 0.9:
        body["filter"] = chance.choice([" AND ", " and "]).join(comparison(chance) for _ in range(chance.choice([1, 1, 2, 3])))
    orders = ["metrics.auc", "metrics.loss DESC", "metrics.`a b` ASC", "params.depth DESC", "tags.team ASC", "attributes.start_time DESC", "start_time ASC", "run_name DESC", "attributes.end_time", "status ASC", "colour"]
    # The names decide at last, or what is equal would come as it likes.
    body["order_by"] = [chance.choice(orders) for _ in range(chance.randrange(3))] + ["attributes.run_name ASC"]
    return body


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("servers", nargs=2)
    arguments.add_argument("--count", type=int, default=1000)
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    servers = [Server(text) for text in given.servers]
    for server in servers:
        server.fill(given.seed)
    chance, different, refused, found = random.Random(given.seed), 0, 0, 0
    for _ in range(given.count):
        state = chance.getstate()
        answers = []
        for server in servers:
            chance.setstate(state)
            body = search(chance, server.experiment)
            answer = server.post("runs/search", body)
            names = [run["info"]["run_name"] for run in answer.json().get("runs", [])] if answer.status_code == 200 else answer.json().get("error_code")
            answers.append((answer.status_code, names, answer.text))
        refused += answers[0][0] != 200
        found += bool(answers[0][0] == 200 and answers[0][1])
        if answers[0][:2] != answers[1][:2]:
            different += 1
            said = [text[:200] if status != 200 else "" for status, _, text in answers]
            print(json.dumps({"asked": body, "first": answers[0][:2], "second": answers[1][:2], "said": said}, ensure_ascii=False))
    print(f"{given.count} searches, {refused} refused and {found} with results by the first; {different} answered differently")


if __name__ == "__main__":
    main()
