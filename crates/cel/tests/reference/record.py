"""Asks the C++ implementation of CEL what expressions are, and writes its answers into cases.json.

    python -m venv V && V/bin/pip install -r requirements.txt && V/bin/python record.py

The expressions are those of facts.txt, one a line, and as many random ones, always the same. Everything is dyn, so that
types are told apart when it is evaluated, as our evaluator does it.
"""

import json
import random
import struct
from pathlib import Path

from cel_expr_python import cel

FOLDER = Path(__file__).parent
WORLD = {
    "x": {"a": 1, "s": "text", "l": [1, 2, 3], "m": {"k": "v"}, "n": None, "b": True, "d": 1.5},
    "y": "acme-data",
    "z": [3, 1, 2],
}
ENV = cel.NewEnv(variables={name: cel.Type.DYN for name in WORLD})


def told(value):
    kind = str(value.type())
    plain = value.value()
    if kind == "ERROR":
        return "error"
    if kind in ("NULL", "BOOL"):
        return plain
    if kind in ("INT", "UINT"):
        return {kind.lower(): str(plain)}
    if kind == "DOUBLE":
        return {"double": "nan" if plain != plain else struct.pack(">d", plain).hex()}
    if kind == "STRING":
        return plain
    if kind == "BYTES":
        return {"bytes": bytes(plain).hex()}
    if kind.startswith("LIST"):
        return [told(item) for item in plain]
    if kind.startswith("MAP"):
        return {"map": sorted([str(key), told(item)] for key, item in plain.items())}
    if kind == "TYPE":
        return {"type": str(plain).split("<")[0].lower()}
    return {kind.lower(): repr(value)}


def answer(expression):
    try:
        value = ENV.compile(expression).eval(data=WORLD)
        return told(value)
    except RuntimeError:
        return "error"


LEAVES = {
    "int": ["0", "1", "2", "-1", "7", "9223372036854775807", "-9223372036854775808", "x.a", "x.l[0]", "z[1]", "0u", "1u", "18446744073709551615u"],
    "double": ["0.0", "1.0", "-1.5", "1e300", "x.d", "2.0"],
    "string": ["'a'", "'abc'", "''", "y", "x.s", "x.m.k", "'acme'"],
    "bool": ["true", "false", "x.b"],
    "list": ["[]", "[1, 2]", "['a', 'acme-data']", "z", "x.l", "[1, 1.0, 1u]"],
    "map": ["{}", "{'a': 1}", "x", "x.m", "{5: 'b', true: 2}"],
    "odd": ["null", "b'a'", "x.n", "x.q", "x.m.q", "z[5]", "int", "type(1)", "1 / 0"],
}
KINDS = ["int", "double", "string", "bool", "list", "map"]


def generate(dice, depth, names, kind=None):
    """An expression that is mostly of this type."""
    kind = kind or dice.choice(KINDS)
    if dice.random() < 0.04:
        kind = dice.choice(KINDS + ["odd"])
    if depth == 0 or kind == "odd" or dice.random() < 0.1:
        leaf = dice.choice(names) if names and dice.random() < 0.5 else dice.choice(LEAVES[kind])
        return f"dyn({leaf})"
    sub = lambda wanted=None: generate(dice, depth - 1, names, wanted)

    def fold(macro, wanted=None):
        name = f"v{len(names)}"
        body = generate(dice, depth - 1, names + [name], wanted)
        return f"dyn({sub(dice.choice(['list', 'list', 'map']))}.{macro}({name}, {body}))"

    def binary(signs, *kinds):
        return f"dyn({sub(kinds[0])} {dice.choice(signs)} {sub(kinds[-1])})"

    if dice.random() < 0.1:
        return f"dyn({sub('bool')} ? {sub(kind)} : {sub(kind)})"
    forms = {
        "int": [lambda: binary(["+", "-", "*", "/", "%"], "int"), lambda: f"dyn(size({sub(dice.choice(['list', 'string', 'map']))}))", lambda: f"dyn(int({sub('double')}))", lambda: f"dyn(-{sub('int')})", lambda: f"dyn({sub('list')}[{sub('int')}])"],
        "double": [lambda: binary(["+", "-", "*", "/"], "double"), lambda: f"dyn(double({sub('int')}))", lambda: f"dyn(-{sub('double')})"],
        "string": [lambda: binary(["+"], "string"), lambda: f"dyn(string({sub(dice.choice(['int', 'bool', 'string']))}))"],
        "bool": [
            lambda: binary(["==", "!="], dice.choice(KINDS), dice.choice(KINDS)),
            lambda: binary(["==", "!="], *[dice.choice(KINDS)] * 2),
            lambda: binary(["<", "<=", ">", ">="], dice.choice(["int", "double"]), dice.choice(["int", "double"])),
            lambda: binary(["<", "<=", ">", ">="], "string"),
            lambda: binary(["in"], None, dice.choice(["list", "map"])),
            lambda: binary(["&&", "||"], "bool"),
            lambda: f"dyn({sub('bool')} && {sub('bool')} && {sub('bool')} || {sub('bool')})",
            lambda: f"dyn(!{sub('bool')})",
            lambda: f"dyn({sub('string')}.{dice.choice(['contains', 'startsWith', 'endsWith'])}({sub('string')}))",
            lambda: fold(dice.choice(["all", "exists", "exists_one"]), "bool"),
            lambda: fold(dice.choice(["all", "exists"]), "bool"),
        ],
        "list": [lambda: binary(["+"], "list"), lambda: fold("map"), lambda: fold("filter", "bool"), lambda: f"dyn([{sub()}, {sub()}])"],
        "map": [lambda: f"dyn({{{sub('string')}: {sub()}, 'k': {sub()}}})", lambda: f"dyn({{{sub('int')}: {sub()}}})"],
    }
    return dice.choice(forms[kind])()


def main():
    lines = (FOLDER / "facts.txt").read_text().splitlines()
    expressions = [line for line in lines if line and not line.startswith("#")]
    dice = random.Random(20261121)
    while len(expressions) < 3000:
        one = generate(dice, dice.choice([2, 3, 3]), [], dice.choice(KINDS + ['bool'] * 3))
        # As deep as we take comprehensions, and no longer than needed.
        if sum(one.count(f".{fold}") for fold in ["all(", "exists", "map(", "filter("]) <= 2 and len(one) < 400:
            expressions.append(one)
    cases = [[one, answer(one)] for one in dict.fromkeys(expressions)]
    rows = ",\n".join(json.dumps(case) for case in cases)
    world = json.dumps(WORLD)
    (FOLDER / "cases.json").write_text(f'{{"world": {world},\n"cases": [\n{rows}\n]}}\n')


if __name__ == "__main__":
    main()
