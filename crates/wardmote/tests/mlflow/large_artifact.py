"""A large artefact up and down again through an MLflow server, and how much memory the server took for it.

    large_artifact.py URL PID [--megabytes 2048] [--token TOKEN]

The bytes are made on the way and compared by their digest; parts of them are asked for as ranges. Prints one line of
JSON. PID is the process of the server; its peak of resident memory is read from /proc.
"""

import argparse
import hashlib
import json
import time

import requests

MEGABYTE = 1 << 20


def peak_megabytes(process):
    with open(f"/proc/{process}/status", encoding="ascii") as file:
        return int(next(line for line in file if line.startswith("VmHWM:")).split()[1]) / 1024


def block(number):
    """A megabyte that cannot be compressed, and is no other's."""
    return hashlib.shake_256(number.to_bytes(8, "big")).digest(4096) * 256


class Bytes:
    """What is sent: a file of a known length, made while it is read."""

    def __init__(self, megabytes):
        self.left, self.number, self.digest, self.rest = megabytes, 0, hashlib.sha256(), b""
        self.len = megabytes * MEGABYTE

    def __len__(self):
        return self.len

    def read(self, size=-1):
        if not self.rest and self.left:
            self.rest = block(self.number)
            self.digest.update(self.rest)
            self.number, self.left = self.number + 1, self.left - 1
        size = len(self.rest) if size is None or size < 0 else size
        part, self.rest = self.rest[:size], self.rest[size:]
        return part


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("url")
    arguments.add_argument("pid", type=int)
    arguments.add_argument("--megabytes", type=int, default=2048)
    arguments.add_argument("--token")
    given = arguments.parse_args()
    session = requests.Session()
    if given.token:
        session.headers["Authorization"] = f"Bearer {given.token}"
    api = f"{given.url}/api/2.0/mlflow"
    run = session.post(f"{api}/runs/create", json={"experiment_id": "0", "start_time": 1}, timeout=60)
    run.raise_for_status()
    folder = run.json()["run"]["info"]["artifact_uri"].removeprefix("mlflow-artifacts:").lstrip("/")
    place = f"{given.url}/api/2.0/mlflow-artifacts/artifacts/{folder}/large.bin"
    before = peak_megabytes(given.pid)

    sent, begun = Bytes(given.megabytes), time.perf_counter()
    answer = session.put(place, data=sent, headers={"Content-Type": "application/octet-stream"}, timeout=3600)
    answer.raise_for_status()
    up, after_up = time.perf_counter() - begun, peak_megabytes(given.pid)

    found, size, begun = hashlib.sha256(), 0, time.perf_counter()
    with session.get(place, stream=True, timeout=3600) as answer:
        answer.raise_for_status()
        for part in answer.iter_content(MEGABYTE):
            found.update(part)
            size += len(part)
    down = time.perf_counter() - begun
    assert size == sent.len and found.digest() == sent.digest.digest(), f"{size} bytes came back, and not the same"

    for first in (0, MEGABYTE - 7, sent.len // 2 + 3, sent.len - 100):
        part = session.get(place, headers={"Range": f"bytes={first}-{first + 99}"}, timeout=3600)
        number = first // MEGABYTE
        expected = (block(number) + block(number + 1))[first % MEGABYTE :][:100]
        assert part.status_code == 206 and part.content == expected, (first, part.status_code, len(part.content))
    print(
        json.dumps(
            {
                "megabytes": given.megabytes,
                "up_seconds": round(up, 2),
                "down_seconds": round(down, 2),
                "peak_megabytes": {"before": round(before, 1), "up": round(after_up, 1), "down": round(peak_megabytes(given.pid), 1)},
            }
        )
    )


if __name__ == "__main__":
    main()
