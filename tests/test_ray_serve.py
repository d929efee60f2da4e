"""The server on Ray Serve: a replica is killed under load, and another one answers."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import psutil
import pytest

from fashioncnn.opening.models import own_bundle
from test_serving import PNG, picture, wait_for

pytest.importorskip("ray.serve")

CODE = """
import logging, signal
import ray
from ray import serve
ray.init(
    address="local", num_cpus=2, include_dashboard=False,
    logging_level=logging.ERROR, log_to_driver=False,
)
serve.start(http_options={"port": PORT}, logging_config={"log_level": "ERROR"})
from fashioncnn.serving.ray import Predictor
serve.run(Predictor.options(num_replicas=2, ray_actor_options={"num_cpus": 0.5}).bind())
signal.sigwait([signal.SIGTERM])
serve.shutdown()
"""


@pytest.mark.alone
def test_a_replica_is_killed_under_load(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"FASHIONCNN_BUNDLES": f"net={own_bundle().path}"}
    with (tmp_path / "said").open("w") as said:
        process = subprocess.Popen(
            [sys.executable, "-c", CODE.replace("PORT", str(port))],
            env=environment, stdout=said, stderr=said, start_new_session=True,
        )  # fmt: skip
    address = f"http://127.0.0.1:{port}"

    def ask() -> int:
        try:
            return httpx.post(
                f"{address}/predict", content=picture(), headers=PNG, timeout=20
            ).status_code
        except httpx.TransportError:
            return 0

    try:
        wait_for(lambda: ask() == 200, 90)
        told = httpx.get(f"{address}/v2/models/net").json()
        assert told["inputs"][0]["shape"] == [-1, 28, 28, 1]
        assert httpx.post(f"{address}/predict", content=b"x", headers=PNG).status_code == 422
        stop, statuses = threading.Event(), []

        def keep_asking() -> None:
            while not stop.is_set():
                statuses.append(ask())

        threads = [threading.Thread(target=keep_asking) for _ in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(1)
        replicas = [
            one
            for one in psutil.process_iter(["cmdline"])
            if any("ServeReplica:default:Predictor" in word for word in one.info["cmdline"] or ())
        ]
        assert len(replicas) == 2
        replicas[0].kill()
        before = len(statuses)
        wait_for(lambda: len(statuses) > before + 50)
        stop.set()
        for thread in threads:
            thread.join()
        # Ray may lose what the killed one had; the other goes on, and clients see no nonsense.
        assert set(statuses) <= {200, 500, 503}
        assert statuses.count(200) > 0.9 * len(statuses)
        wait_for(lambda: ask() == 200)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
