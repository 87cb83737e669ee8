"""The OpenSSF tool `model_signing`, by its own command line, on many folders in one process.

`check ROOT FLIPS` verifies each folder `ROOT/N/model` against `ROOT/N/model.sig` and `ROOT/key.pub`; then, FLIPS times,
with one bit of one file changed. `sign ROOT` makes keys of each curve and signs each folder with one of them.
"""

import json
import pathlib
import random
import sys

import model_signing._cli as cli
from click.testing import CliRunner
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec


def run(*words):
    result = CliRunner().invoke(cli.main, [str(word) for word in words])
    return result.exit_code == 0, result.output


def verify(root, folder):
    words = ["--signature", folder / "model.sig", "--public_key", root / "key.pub"]
    return run("verify", "key", *words, folder / "model")


def check(root, flips):
    folders = sorted(root.glob("*/model"))
    refused = [(folder.parent.name, said) for folder in folders for fine, said in [verify(root, folder.parent)] if not fine]
    chance, passed = random.Random(7), []
    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file() and path.stat().st_size]
    for _ in range(flips):
        path = chance.choice(files)
        whole = path.read_bytes()
        bit = chance.randrange(8 * len(whole))
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        folder = next(parent for parent in path.parents if parent.parent.parent == root).parent
        if verify(root, folder)[0]:
            passed.append(f"{path}, bit {bit}")
        path.write_bytes(whole)
    return {"folders": len(folders), "refused": refused, "flips": flips, "passed": passed}


def sign(root):
    curves = [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()]
    keys = [ec.generate_private_key(curve) for curve in curves]
    text = serialization.Encoding.PEM
    for index, key in enumerate(keys):
        private = key.private_bytes(text, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        public = key.public_key().public_bytes(text, serialization.PublicFormat.SubjectPublicKeyInfo)
        (root / f"{index}.key").write_bytes(private)
        (root / f"{index}.pub").write_bytes(public)
    failed = []
    for folder in sorted(root.glob("*/model")):
        key = int(folder.parent.name) % len(keys)
        words = ["--signature", folder.parent / "theirs.sig", "--private_key", root / f"{key}.key"]
        fine, said = run("sign", "key", *words, folder)
        failed += [] if fine else [said]
    return {"failed": failed, "curves": len(keys)}


root = pathlib.Path(sys.argv[2])
print(json.dumps(check(root, int(sys.argv[3])) if sys.argv[1] == "check" else sign(root)))
