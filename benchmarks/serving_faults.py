"""Attack the server: requests made from its description, and damaged ones, counted by their answer.

The description's are made by schemathesis; the damaged ones are real requests of four kinds with
bytes changed, repeated, taken out, and cut off. Nothing may be answered with a server error, and
memory stays.

Usage: python benchmarks/serving_faults.py BUNDLE [--described 2000] [--mutants 10000] [--seed 0]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import re
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import psutil

from fashioncnn.bundles.bundle import open_bundle
from fuzz import mutate_bytes
from serving import Load, first_answer, free_port, memory, ours, served
from shared import write_result

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)
PATIENCE_SECONDS = 0.02


def counts(port: int) -> Counter[str]:
    """Return how many requests the server has answered, by status."""
    text = httpx.get(f"http://127.0.0.1:{port}/metrics").text
    line = r'^fashioncnn_requests_total\{path="(.*)",status="(\d+)"\} ([\d.e+]+)$'
    tally: Counter[str] = Counter()
    for path, status, number in re.findall(line, text, re.MULTILINE):
        # Those are our own.
        if path not in ("/metrics", "/openapi.json"):
            tally[status] += round(float(number))
    return tally


def described(port: int, requests: int, seed: int) -> dict[str, Any]:
    """Ask what the description allows and forbids, until so many requests are answered."""
    program = Path(sys.executable).with_name("st")
    before, rounds = counts(port), 0
    while (counts(port) - before).total() < requests:
        words = ["run", f"http://127.0.0.1:{port}/openapi.json", "--max-examples", "40"]
        words += ["--seed", str(seed + rounds), "--checks", ",".join(CHECKS)]
        done = subprocess.run([program, *words], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-6000:]
        rounds += 1
    tally = counts(port) - before
    return {"requests": tally.total(), "statuses": dict(sorted(tally.items())), "checks": CHECKS}


def requests_of(load: Load) -> list[bytes]:
    """Return whole requests: a picture, a form, and tensors as JSON and as bytes."""
    png = (load.folder / "0.png").read_bytes()
    tensor, raw = (load.folder / "0.head").read_bytes(), (load.folder / "0.raw").read_bytes()
    facts = json.loads(tensor)
    del facts["inputs"][0]["parameters"]
    facts["inputs"][0]["data"] = list(raw)
    form = b'--f\r\nContent-Disposition: form-data; name="files"; filename="0.png"\r\n'
    form += b"Content-Type: image/png\r\n\r\n" + png + b"\r\n--f--\r\n"
    infer = f"/v2/models/{load.bundle.facts.name}/infer"
    binary = f"application/octet-stream\r\nInference-Header-Content-Length: {len(tensor)}"
    kinds = [
        ("/predict?top=3", "image/png", png),
        ("/predict", "multipart/form-data; boundary=f", form),
        (infer, "application/json", json.dumps(facts).encode()),
        (infer, binary, tensor + raw),
    ]
    return [
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n".encode()
        + body
        for path, kind, body in kinds
    ]


def answer_to(port: int, content: bytes) -> bytes:
    """Send bytes, and return what the server sends.

    Where nothing comes in a moment, say that nothing more is sent: else the server waits for it.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=40) as connection:
        received = b""
        # The server may have left before all is sent.
        with contextlib.suppress(OSError):
            connection.sendall(content)
            connection.settimeout(PATIENCE_SECONDS)
            with contextlib.suppress(TimeoutError):
                received = connection.recv(65536)
            connection.settimeout(40)
            connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionError):
            while part := connection.recv(65536):
                received += part
        return received


def damaged(
    port: int, load: Load, mutants: int, chance: random.Random, server: psutil.Process
) -> dict[str, Any]:
    """Send damaged requests; count the first answer to each, and look at memory.

    Those cut short get none: the connection is closed. Now and then a whole one is sent, too.
    """
    whole, held = requests_of(load), []
    tally: Counter[str] = Counter()
    for number in range(mutants):
        if number % 100 == 0:
            assert answer_to(port, chance.choice(whole)).startswith(b"HTTP/1.1 200"), number
        content = mutate_bytes(chance.choice(whole), chance)
        answer = answer_to(port, content)
        status = answer[9:12].decode("latin-1") if answer.startswith(b"HTTP/1.1 ") else "closed"
        assert not status.startswith("5"), (status, content[:2000])
        assert b"Traceback" not in answer, content[:2000]
        tally[status] += 1
        if number % max(1, mutants // 10) == 0:
            held.append(round(memory(server), 1))
    return {"mutants": mutants, "statuses": dict(sorted(tally.items())), "memory_mib": held}


def main() -> None:
    """Attack it both ways, and write serving-faults.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--described", type=int, default=2000)
    parser.add_argument("--mutants", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    port = free_port()
    with tempfile.TemporaryDirectory() as scratch:
        load = Load(Path(scratch), open_bundle(given.bundle))
        with served(ours(given.bundle, port), {}) as server:
            first_answer(port)
            found = {
                "described": described(port, given.described, given.seed),
                "damaged": damaged(port, load, given.mutants, random.Random(given.seed), server),
            }
            first_answer(port)
    print(json.dumps(found, indent=2))
    words = f"--described {given.described} --mutants {given.mutants} --seed {given.seed}"
    facts = {"command": f"python benchmarks/serving_faults.py BUNDLE {words}"}
    write_result("serving-faults", facts | found)


if __name__ == "__main__":
    main()
