"""The server as a Ray Serve application, for those who have a Ray cluster.

`FASHIONCNN_BUNDLES=/models/photo serve run fashioncnn.serving.ray:app`; several bundles are
separated by spaces, each as FOLDER or NAME=FOLDER. Each replica answers by itself, in batches;
Ray starts replicas anew, and spreads requests over them.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from ray import serve

from fashioncnn.bundles.bundle import open_bundle
from fashioncnn.serving.app import make_app
from fashioncnn.serving.in_process import InProcess
from fashioncnn.serving.limits import Limits
from fashioncnn.serving.named import named, told
from fashioncnn.serving.state import Server

BUNDLES = "FASHIONCNN_BUNDLES"


def build() -> FastAPI:
    """Return the application of one replica, its bundles opened. BundleError where one is not."""
    places = named(os.environ.get(BUNDLES, "").split())
    bundles = {name: open_bundle(Path(path), threads=1) for name, path in places.items()}
    for bundle in bundles.values():
        _ = bundle.session
    facts, pages = told(bundles)
    limits = Limits()
    token = os.environ.get("FASHIONCNN_TOKEN")
    return make_app(Server(facts, InProcess(bundles, limits), limits, _log, token, pages=pages))


def _log(line: dict[str, Any]) -> None:
    sys.stderr.write(json.dumps(line, ensure_ascii=False) + "\n")


@serve.deployment(max_ongoing_requests=128)
@serve.ingress(build)
class Predictor:
    """A replica."""


app = Predictor.bind()  # type: ignore[attr-defined]
