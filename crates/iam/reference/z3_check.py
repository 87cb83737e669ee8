#!/usr/bin/env python3
"""Compares the prover with z3 on random pairs of policies.

    pip install z3-solver
    python3 crates/iam/reference/z3_check.py target/release/wardmote 300

The encoding is written from the rules, not from the prover: action, resource and text keys are strings in regular
languages, numbers are reals, every key has a bit for its presence. Exit code 1 if the two disagree.
"""
import json
import random
import subprocess
import sys

import z3

ACTIONS = ["s3:Get*", "s3:GetObject", "s3:*", "*", "s3:PutObject", "s3:?etObject", "kms:Decrypt"]
RESOURCES = [
    "*", "arn:aws:s3:::b/*", "arn:aws:s3:::b/a*", "arn:aws:s3:::*/a", "arn:aws:s3:::b/?", "arn:aws:s3:::b/ab",
    "arn:*:s3:::b/*c", "arn:aws:s3:*:*:b/*",
]
TEXTS = ["a", "b", "ab"]
LIKES = ["a*", "*b", "?", "a?b", "*"]


def statement(rnd):
    made = {"Effect": rnd.choice(["Allow", "Allow", "Deny"])}
    made[rnd.choice(["Action"] * 7 + ["NotAction"])] = rnd.sample(ACTIONS, rnd.choice([1, 1, 2]))
    made[rnd.choice(["Resource"] * 7 + ["NotResource"])] = rnd.sample(RESOURCES, rnd.choice([1, 1, 2]))
    for _ in range(rnd.choice([0, 1, 1, 2])):
        operator, key, values = rnd.choice([
            (rnd.choice(["StringEquals", "StringNotEquals"]), "aws:PrincipalTag/t", rnd.sample(TEXTS, 2)),
            (rnd.choice(["StringLike", "StringNotLike"]), "aws:PrincipalTag/t", rnd.sample(LIKES, 2)),
            (rnd.choice(["StringLikeIfExists", "StringNotLikeIfExists"]), "aws:UserAgent", rnd.sample(LIKES, 1)),
            ("Null", rnd.choice(["aws:PrincipalTag/t", "s3:max-keys"]), [rnd.choice(["true", "false"])]),
            (rnd.choice(["NumericLessThan", "NumericGreaterThanEquals", "NumericNotEquals"]), "s3:max-keys",
             rnd.sample(["5", "10", "7.5"], 2)),
        ])
        made.setdefault("Condition", {}).setdefault(operator, {})[key] = values
    return made


def policy(rnd):
    return {"Version": "2012-10-17", "Statement": [statement(rnd) for _ in range(rnd.choice([1, 2, 3]))]}


ANY = z3.AllChar(z3.ReSort(z3.StringSort()))
NO_COLON = z3.Intersect(ANY, z3.Complement(z3.Re(":")))


def glob(text, char=ANY):
    parts = [z3.Star(char) if c == "*" else char if c == "?" else z3.Re(c) for c in text]
    return z3.Concat(parts) if len(parts) > 1 else parts[0] if parts else z3.Re("")


def arn(text):
    if text == "*":
        return z3.Star(ANY)
    fields = text.split(":", 5)
    parts = []
    for at, field in enumerate(fields):
        parts += [glob(field, NO_COLON if at < 5 else ANY)] + ([z3.Re(":")] if at < 5 else [])
    return z3.Concat(parts)


class Request:
    def __init__(self):
        self.action, self.resource = z3.Strings("action resource")
        self.present = {key: z3.Bool("has " + key) for key in ["aws:PrincipalTag/t", "aws:UserAgent", "s3:max-keys"]}
        self.text = {key: z3.String(key) for key in ["aws:PrincipalTag/t", "aws:UserAgent"]}
        self.number = z3.Real("s3:max-keys")

    def bounds(self):
        word = z3.Plus(z3.Union(z3.Range("a", "z"), z3.Range("0", "9"), z3.Re("-")))
        return z3.And(z3.InRe(self.action, z3.Concat(word, z3.Re(":"), word)), z3.Length(self.resource) > 0)

    def matches(self, made):
        any_of = lambda subject, made_of, texts: z3.Or([z3.InRe(subject, made_of(text)) for text in texts])
        parts = []
        for element, subject, made_of in [("Action", self.action, lambda t: glob(t.lower())), ("Resource", self.resource, arn)]:
            if element in made:
                parts.append(any_of(subject, made_of, made[element]))
            else:
                parts.append(z3.Not(any_of(subject, made_of, made["Not" + element])))
        for operator, keys in made.get("Condition", {}).items():
            parts += [self.holds(operator, key, values) for key, values in keys.items()]
        return z3.And(parts)

    def holds(self, operator, key, values):
        here = self.present[key]
        if operator == "Null":
            return z3.Not(here) if values[0] == "true" else here
        exists = operator.endswith("IfExists")
        base = operator.removesuffix("IfExists")
        inverted = "Not" in base
        if base.startswith("Numeric"):
            compare = {"NumericLessThan": lambda v: self.number < v, "NumericGreaterThanEquals": lambda v: self.number >= v,
                       "NumericNotEquals": lambda v: self.number == v}[base]
            fits = z3.Or([compare(z3.RealVal(value)) for value in values])
        else:
            made_of = glob if "Like" in base else z3.Re
            fits = z3.Or([z3.InRe(self.text[key], made_of(value)) for value in values])
        value = z3.Not(fits) if inverted else fits
        return z3.If(here, value, z3.BoolVal(exists or inverted))

    def lets_through(self, made):
        allow = [self.matches(s) for s in made["Statement"] if s["Effect"] == "Allow"]
        deny = [self.matches(s) for s in made["Statement"] if s["Effect"] == "Deny"]
        return z3.And(z3.Or(allow), z3.Not(z3.Or(deny)))


def difference(a, b):
    request = Request()
    solver = z3.Solver()
    solver.set("timeout", 5_000)
    solver.add(request.bounds(), request.lets_through(a), z3.Not(request.lets_through(b)))
    found = solver.check()
    return True if found == z3.sat else False if found == z3.unsat else None


def main():
    wardmote, count = sys.argv[1], int(sys.argv[2])
    rnd = random.Random(11)
    cases = []
    for at in range(count):
        a = policy(rnd)
        b = json.loads(json.dumps(a)) if rnd.random() < 0.5 else policy(rnd)
        b["Statement"][rnd.randrange(len(b["Statement"]))] = statement(rnd)
        cases.append({"id": at, "kind": "diff", "a": a, "b": b})
    lines = "\n".join(json.dumps(case) for case in cases)
    answers = subprocess.run([wardmote, "iam", "batch", "-"], input=lines, capture_output=True, text=True, check=True)
    agreed = unsure = 0
    for case, line in zip(cases, answers.stdout.splitlines()):
        answer = json.loads(line)
        for name, first, second in [("a_minus_b", "a", "b"), ("b_minus_a", "b", "a")]:
            theirs = difference(case[first], case[second])
            if theirs is None or answer[name] == "unknown":
                unsure += 1
            elif theirs == answer[name]:
                agreed += 1
            else:
                print(f"disagreement on {name}: wardmote {answer[name]}, z3 {theirs}\n{json.dumps(case)}\n{line}")
                sys.exit(1)
    print(f"{agreed} agreed, {unsure} not decided by one of the two")


main()
