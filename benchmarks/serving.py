"""Measure the server: alone, beside other servers, overloaded, killed, and over many requests.

Needs wrk (Debian's package), and for the peers litserve and ray[serve]. All run in turns on this
machine, the load beside them on the same cores. Answers are compared with those offline.

Usage: python benchmarks/serving.py RUN [--seconds 60] [--rounds 2] [--many 200000]
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
from PIL import Image

from fashioncnn.bundles.bundle import PROBABILITIES, Bundle
from fashioncnn.data.dataset import DataSet
from fashioncnn.workflows.export import export
from shared import ROOT, write_result

PEERS = ROOT / "benchmarks" / "serving_peers"
CLIENTS, PICTURES = 64, 256
# Each request is for one of the pictures, called by its number; each answer is looked at.
SCRIPT = """
local bodies, best, probability = {}, {}, {}
count, at, wrong = %(count)d, 0, 0
local kind = "%(kind)s"
for line in io.lines("%(expected)s") do
  local n, name, p = line:match("^(%%d+)\\t(.-)\\t(.+)$")
  best[tonumber(n)], probability[tonumber(n)] = name, tonumber(p)
end
local function file(n)
  local f = io.open("%(folder)s/" .. n, "rb"); local all = f:read("*a"); f:close(); return all
end
for n = 0, count - 1 do
  local png = file(n .. ".png")
  if kind == "form" or kind == "rate" then
    local b = "--frontier\\r\\nContent-Disposition: form-data; name=\\"files\\"; filename=\\"" ..
      n .. "\\"\\r\\nContent-Type: image/png\\r\\n\\r\\n" .. png .. "\\r\\n--frontier--\\r\\n"
    bodies[n] = wrk.format("POST", "/predict?not_sure_below=0",
      {["Content-Type"] = "multipart/form-data; boundary=frontier"}, b)
  else
    bodies[n] = wrk.format("POST", "/v2/models/%(model)s/infer", {
      ["Content-Type"] = "application/octet-stream",
      ["Inference-Header-Content-Length"] = tostring(#file(n .. ".head"))},
      file(n .. ".head") .. file(n .. ".raw"))
  end
end
statuses = {}
function request() at = (at + 1) %% count; return bodies[at] end
-- Looking at answers costs as much as giving them: where rates are compared, nothing is looked at.
if kind ~= "rate" then
  function response(status, headers, body)
    statuses[status] = (statuses[status] or 0) + 1
    if status ~= 200 then return end
    local n, p, name
    if kind == "form" then
      n = tonumber(body:match('"picture": "(%%d+)"'))
      name = body:match('"answer": "(.-)"')
      p = tonumber(body:match('"probability": ([%%d.e-]+)'))
      if not n or name ~= best[n] or math.abs(p - probability[n]) > 1e-4 then wrong = wrong + 1 end
    else
      n = tonumber(body:match('"id": "(%%d+)"'))
      p = 0
      for one in body:match('"data": %%[(.-)%%]'):gmatch("[%%d.e-]+") do
        p = math.max(p, tonumber(one))
      end
      if not n or math.abs(p - probability[n]) > 1e-4 then wrong = wrong + 1 end
    end
  end
end
local threads = {}
function setup(thread) table.insert(threads, thread) end
function init() _G.told = function() end end
function done(summary, latency)
  local all = threads[1]:get("statuses")
  local words = {}
  for status, n in pairs(all or {}) do table.insert(words, '"' .. status .. '": ' .. n) end
  io.write(string.format('TOLD {"requests": %%d, "seconds": %%f, "p50_milliseconds": %%f, ' ..
    '"p99_milliseconds": %%f, "socket_errors": %%d, "not_200": %%d, "statuses": {%%s}, ' ..
    '"wrong": %%d}\\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1000,
    latency:percentile(99) / 1000, summary.errors.connect + summary.errors.read +
    summary.errors.write + summary.errors.timeout, summary.errors.status, table.concat(words, ", "),
    threads[1]:get("wrong") or 0))
end
"""


class Load:
    """Requests for real test pictures, and what is to be answered."""

    def __init__(self, folder: Path, bundle: Bundle) -> None:
        self.folder, self.bundle = folder, bundle
        images = DataSet().test.images_NHWC[:PICTURES]
        (found,) = bundle.run(images, [PROBABILITIES])
        lines = []
        for number, (image, row) in enumerate(zip(images, found, strict=True)):
            file = io.BytesIO()
            Image.fromarray(image[..., 0]).save(file, "PNG")
            (folder / f"{number}.png").write_bytes(file.getvalue())
            shape = [1, *image.shape]
            tensor: dict[str, Any] = {"name": "images", "shape": shape, "datatype": "UINT8"}
            tensor["parameters"] = {"binary_data_size": image.size}
            head = {"id": str(number), "inputs": [tensor], "outputs": [{"name": "probabilities"}]}
            (folder / f"{number}.head").write_text(json.dumps(head))
            (folder / f"{number}.raw").write_bytes(image.tobytes())
            best = int(row.argmax())
            lines.append(f"{number}\t{bundle.class_names[best]}\t{row[best]:.9f}\n")
        (folder / "expected").write_text("".join(lines))

    def run(self, port: int, kind: str, seconds: float, clients: int = CLIENTS) -> dict[str, Any]:
        """Load a server for so long, and return what wrk and the script counted."""
        script = self.folder / f"{kind}.lua"
        facts: dict[str, object] = {"count": PICTURES, "kind": kind, "folder": self.folder}
        facts |= {"expected": self.folder / "expected", "model": self.bundle.facts.name}
        script.write_text(SCRIPT % facts)
        words: list[str | Path] = ["wrk", "-t1", f"-c{clients}", f"-d{max(1, round(seconds))}s"]
        words += ["--timeout", "30s", "-s", script]
        done = subprocess.run(
            [*words, f"http://127.0.0.1:{port}"], capture_output=True, text=True, check=True
        )
        (told,) = re.findall(r"^TOLD (.*)$", done.stdout, re.MULTILINE)
        found: dict[str, Any] = json.loads(told)
        found["requests_per_second"] = found["requests"] / found["seconds"]
        return found


def free_port() -> int:
    """Return a port that nobody has."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextlib.contextmanager
def served(command: list[str], environment: dict[str, str]) -> Iterator[psutil.Process]:
    """Run a server until it is no longer needed."""
    process = subprocess.Popen(
        command,
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(15)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def first_answer(port: int, seconds: float = 90) -> float:
    """Wait for the first answer to a picture; return after how many seconds it came."""
    started = time.monotonic()
    picture = io.BytesIO()
    Image.new("L", (28, 28)).save(picture, "PNG")
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
        while True:
            try:
                form = {"files": ("0", picture.getvalue(), "image/png")}
                if client.post("/predict", files=form).is_success:
                    return time.monotonic() - started
            except httpx.TransportError:
                pass
            if time.monotonic() - started > seconds:
                raise TimeoutError(f"no answer within {seconds:g} s")
            time.sleep(0.01)


def ours(bundle: Path, port: int, *words: str) -> list[str]:
    """Return the command line of our server."""
    program = [sys.executable, "-m", "fashioncnn", "serve", str(bundle), "--port", str(port)]
    return [*program, "--no-log-requests", *words]


def memory(process: psutil.Process) -> float:
    """Return the MiB that a process and its children hold for themselves and share."""
    everyone = [process, *process.children(recursive=True)]
    return float(sum(one.memory_full_info().pss for one in everyone)) / 2**20


def beside_peers(load: Load, run: Path, seconds: float, rounds: int) -> dict[str, Any]:
    """Load each server in turns; return rates, latencies, and ratios to ours round by round."""
    place = {"RUN": str(run), "BUNDLE": str(load.bundle.path)}
    names = ["fashioncnn serve", "plain_torch"]
    names += [one for one in ("litserve_onnx", "ray_onnx") if installed(one.partition("_")[0])]
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            port = free_port()
            command = [sys.executable, str(PEERS / f"{name}.py")]
            if name == "fashioncnn serve":
                command = ours(load.bundle.path, port)
            with served(command, place | {"PORT": str(port)}) as process:
                started = first_answer(port)
                load.run(port, "rate", 2)
                told = load.run(port, "rate", seconds)
                assert told["not_200"] == 0
                told |= {"memory_mib": memory(process), "first_answer_seconds": started}
            found[name].append(told)
            print(name, f"{told['requests_per_second']:.0f}/s", told, flush=True)
    rates = {
        name: [one["requests_per_second"] for one in several] for name, several in found.items()
    }
    ratios = {
        name: [mine / theirs for mine, theirs in zip(rates[names[0]], values, strict=True)]
        for name, values in rates.items()
    }
    return {"rounds": found, "ours_over_theirs": ratios}


def installed(module: str) -> bool:
    """Say whether a peer is there."""
    whole = {"litserve": "litserve", "ray": "ray.serve"}[module]
    return importlib.util.find_spec(whole) is not None


def right_answers(load: Load, seconds: float) -> dict[str, Any]:
    """Load with forms and with tensors; every answer is compared with the one offline."""
    port = free_port()
    with served(ours(load.bundle.path, port), {}):
        first_answer(port)
        found = {kind: load.run(port, kind, seconds) for kind in ("form", "v2")}
    print(found, flush=True)
    assert all(one["wrong"] == 0 and set(one["statuses"]) == {"200"} for one in found.values())
    return found


def overload(load: Load, seconds: float) -> dict[str, Any]:
    """Four times as many clients as the queue holds; then as before, at once."""
    port = free_port()
    with served(ours(load.bundle.path, port, "--queue", str(CLIENTS)), {}) as process:
        first_answer(port)
        before = load.run(port, "form", 5)
        held = memory(process)
        during = load.run(port, "form", seconds, 4 * CLIENTS)
        time.sleep(1)
        after = load.run(port, "form", 4)
        found: dict[str, Any] = {"before": before, "during": during, "after": after}
        found["memory_mib"] = [held, memory(process)]
    print(found, flush=True)
    assert set(during["statuses"]) <= {"200", "429", "503"}
    return found


def many(load: Load, requests: int) -> dict[str, Any]:
    """Return how memory goes over very many requests, in tenths."""
    port = free_port()
    with served(ours(load.bundle.path, port), {}) as process:
        first_answer(port)
        done, held = load.run(port, "form", 5)["requests"], []
        while done < requests:
            done += load.run(port, "form", 10)["requests"]
            held.append(memory(process))
            print(done, f"{held[-1]:.1f} MiB", flush=True)
    return {"requests": done, "memory_mib": held, "largest_over_first": max(held) / held[0]}


def killed(load: Load, times: int = 20) -> dict[str, Any]:
    """Kill the worker under load; count what clients see, and how long a new one takes."""
    port = free_port()
    took = []
    with served(ours(load.bundle.path, port), {}) as process:
        first_answer(port)
        told: dict[str, Any] = {}
        seconds = 2.5 * times
        thread = threading.Thread(
            target=lambda: told.update(load.run(port, "form", seconds, 16)), daemon=True
        )
        thread.start()
        for _ in range(times):
            time.sleep(1.2)
            (worker,) = process.children()
            worker.kill()
            started = time.monotonic()
            while not [one for one in process.children() if one.pid != worker.pid]:
                time.sleep(0.005)
            first_answer(port)
            took.append(time.monotonic() - started)
        thread.join()
    found: dict[str, Any] = {"times": times, "longest_seconds": max(took), "load": told}
    found["median_seconds"] = statistics.median(took)
    print(found, flush=True)
    return found


def terminated(load: Load, times: int = 20) -> dict[str, Any]:
    """Stop the server under load; every request that was accepted is answered."""
    statuses = []
    for _ in range(times):
        port = free_port()
        with served(ours(load.bundle.path, port), {}) as process:
            first_answer(port)
            told: dict[str, Any] = {}
            thread = threading.Thread(
                target=lambda told=told, port=port: told.update(load.run(port, "form", 2)),
                daemon=True,
            )
            thread.start()
            time.sleep(1)
            process.terminate()
            statuses.append(process.wait(30))
            thread.join()
            assert set(told["statuses"]) == {"200"}, told
    print("terminated", statuses, flush=True)
    return {"times": times, "exit_statuses": statuses}


def main() -> None:
    """Measure all of it, and write serving.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--many", type=int, default=200_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        bundle = export(given.run, Path(scratch) / "bundle")
        (folder := Path(scratch) / "load").mkdir()
        load = Load(folder, bundle)
        facts = {
            "command": f"python benchmarks/serving.py RUN --seconds {given.seconds:g} "
            f"--rounds {given.rounds} --many {given.many}",
            "recipe": bundle.facts.recipe,
            "clients": CLIENTS,
            "right_answers": right_answers(load, given.seconds),
            "beside_peers": beside_peers(load, given.run, given.seconds / 4, given.rounds),
            "overload": overload(load, given.seconds),
            "killed": killed(load),
            "terminated": terminated(load),
            "many": many(load, given.many),
        }
    write_result("serving", facts)


if __name__ == "__main__":
    main()
