"""The server through its own door: answers, limits, signals, and clients that mean no good."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import logging
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import warnings
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
import pytest
from PIL import Image, ImageDraw

import fashioncnn as fc
from fashioncnn.bundles.bundle import EMBEDDING, ENERGY, PROBABILITIES, open_bundle
from fashioncnn.data.images import Shape
from fashioncnn.errors import BundleError, ServingError
from fashioncnn.opening.models import own_bundle
from fashioncnn.serving.answering import QUICK_FILE_BYTES, is_quick
from fashioncnn.serving.limits import Limits
from fashioncnn.serving.log import LINES_WAITING, Log
from fashioncnn.serving.messages import Job, Reply, pack, read
from fashioncnn.serving.worker import Worker
from fashioncnn.serving.workers import Workers, _Process
from fashioncnn.workflows.serve import serve

PNG = {"Content-Type": "image/png"}
Words = Callable[..., tuple[int, str, str]]


def picture(seed: int = 0) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (28, 28), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


class Server:
    """A server of its own process."""

    def __init__(
        self,
        *words: object,
        environment: dict[str, str] | None = None,
        code: str | None = None,
    ) -> None:
        command = [sys.executable, "-m", "fashioncnn", "serve", *map(str, words), "--port", "0"]
        if code:
            command = [sys.executable, "-c", code]
        self.process = subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True, env=os.environ | (environment or {})
        )
        self.lines: list[dict[str, Any]] = []
        threading.Thread(target=self._listen, daemon=True).start()
        started = time.monotonic()
        while not any(line["event"] == "serving" for line in self.lines):
            assert self.process.poll() is None, self.lines
            assert time.monotonic() - started < 60
            time.sleep(0.02)
        self.address = next(one["address"] for one in self.lines if one["event"] == "serving")
        self.client = httpx.Client(base_url=self.address, timeout=30)

    def _listen(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            with contextlib.suppress(ValueError):
                self.lines.append(json.loads(line))

    @property
    def place(self) -> tuple[str, int]:
        host, _, port = self.address.removeprefix("http://").rpartition(":")
        return host, int(port)

    def workers(self) -> list[psutil.Process]:
        return list(psutil.Process(self.process.pid).children())

    def ask(self, content: bytes, **query: Any) -> httpx.Response:
        return self.client.post("/predict", content=content, headers=PNG, params=query)

    def infer(self, body: object, **headers: str) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.post("/v2/models/photo/infer", content=content, headers=headers)

    def send(self, content: bytes, *, and_go: bool = True) -> bytes:
        """Send bytes as they are, and return what comes back before the connection ends.

        Where we `and_go`, the server hears at once that nothing more comes.
        """
        with socket.create_connection(self.place, timeout=30) as connection:
            # It may be closed before all is sent.
            with contextlib.suppress(OSError):
                connection.sendall(content)
                if and_go:
                    connection.shutdown(socket.SHUT_WR)
            with contextlib.suppress(ConnectionError):
                return b"".join(iter(lambda: connection.recv(65536), b""))
        return b""

    def stop(self) -> int:
        self.client.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(60)
        assert self.process.stderr
        time.sleep(0.05)
        self.process.stderr.close()
        return status


@contextlib.contextmanager
def serving(*words: object, **how: Any) -> Iterator[Server]:
    server = Server(*words, **how)
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(own_bundle().path, "--max-body-mb", 4, "--max-megapixels", 2) as one:
        yield one


def test_it_answers_as_offline(server: Server) -> None:
    pictures = [picture(seed) for seed in range(40)]
    images = np.stack([np.asarray(Image.open(io.BytesIO(one)))[..., None] for one in pictures])
    wanted, energies = own_bundle().run(images, [PROBABILITIES, ENERGY])
    needed = own_bundle().sureness
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda one: server.ask(one, top=10), pictures))
    for answer, row, energy in zip(answers, wanted, energies, strict=True):
        assert answer.status_code == 200
        (told,) = answer.json()["pictures"]
        found = {one["class"]: one["probability"] for one in told["probabilities"]}
        assert [found[name] for name in own_bundle().class_names] == pytest.approx(row, abs=1e-5)
        best = told["probabilities"][0]["class"]
        sure = row.max() >= needed.probability and energy >= needed.energy
        assert told["answer"] == (best if sure else None)
    form = [("files", (f"{at}.png", one)) for at, one in enumerate(pictures)]
    together = server.client.post("/predict", files=form).json()["pictures"]
    assert [one["picture"] for one in together] == [f"{at}.png" for at in range(40)]
    alone = [answer.json()["pictures"][0]["answer"] for answer in answers]
    assert [one["answer"] for one in together] == alone


def test_photographs_are_converted_as_by_predict(server: Server, tmp_path: Path) -> None:
    photo = Image.new("RGB", (400, 400), (200, 190, 180))
    ImageDraw.Draw(photo).rectangle((120, 80, 280, 330), fill=(40, 60, 120))
    photo.save(tmp_path / "shirt.jpg")
    (offline,) = fc.predict([tmp_path / "shirt.jpg"])
    content = (tmp_path / "shirt.jpg").read_bytes()
    (told,) = server.client.post("/predict", files={"files": ("shirt.jpg", content)}).json()[
        "pictures"
    ]
    assert told["answer"] == offline.answer
    assert told["probabilities"][0]["probability"] == pytest.approx(
        offline.probabilities[0][1], abs=1e-6
    )


def test_a_file_that_cannot_be_read_spoils_no_other(server: Server) -> None:
    form = [("files", ("a.png", picture())), ("files", ("b.txt", b"hello"))]
    answer = server.client.post("/predict", files=form)
    assert answer.status_code == 200
    good, bad = answer.json()["pictures"]
    assert good["fault"] is None
    assert bad["fault"] == "b.txt: not a picture, or damaged"


def test_tritonclient_works_unchanged(server: Server) -> None:
    triton = pytest.importorskip("tritonclient.http")
    client = triton.InferenceServerClient(server.address.removeprefix("http://"))
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("photo")
    assert not client.is_model_ready("nothing")
    assert client.get_server_metadata()["name"] == "fashioncnn"
    told = client.get_model_metadata("photo")
    assert told["inputs"] == [{"name": "images", "datatype": "UINT8", "shape": [-1, 28, 28, 1]}]
    assert {one["name"] for one in told["outputs"]} == {
        *("logits", "probabilities", "energy", "embedding")
    }
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28, 1), np.uint8)
    (wanted,) = own_bundle().run(images, [PROBABILITIES])
    for binary in (True, False):
        given = triton.InferInput("images", list(images.shape), "UINT8")
        given.set_data_from_numpy(images, binary_data=binary)
        asked = [triton.InferRequestedOutput("probabilities", binary_data=binary)]
        found = client.infer("photo", [given], outputs=asked, request_id="one")
        np.testing.assert_allclose(found.as_numpy("probabilities"), wanted, atol=1e-6)
        assert found.get_response()["id"] == "one"
        assert client.infer("photo", [given]).as_numpy("energy").shape == (3,)
    wrong = triton.InferInput("images", [1, 27, 28, 1], "UINT8")
    wrong.set_data_from_numpy(images[:1, :27])
    with pytest.raises(triton.InferenceServerException, match=r"shape must be \[n, 28, 28, 1\]"):
        client.infer("photo", [wrong])
    with pytest.raises(triton.InferenceServerException, match="no model 'other'"):
        client.infer("other", [given])
    client.close()


def tensor(**changes: Any) -> dict[str, Any]:
    given = {"name": "images", "shape": [1, 28, 28, 1], "datatype": "UINT8", "data": [0] * 784}
    return {"inputs": [given | changes]}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "not JSON"),
        (b"[" * 150_000, "nested too deeply"),
        (b"\xff\xfe", "not JSON"),
        ([], "inputs must be a list"),
        ({"inputs": {}}, "inputs must be a list"),
        (tensor(name="other"), "the input must be 'images'"),
        (tensor(datatype="FP32"), "UINT8"),
        (tensor(shape=[0, 28, 28, 1]), "0 pictures"),
        (tensor(shape=[10**9, 28, 28, 1]), "1 to 1024"),
        (tensor(shape=[-1, 28, 28, 1]), "-1 pictures"),
        (tensor(shape="all"), "shape must be"),
        (tensor(shape=[1.0, 28, 28, 1]), "shape must be"),
        (tensor(data=[0] * 783), "784 numbers"),
        (tensor(data=[256] * 784), "whole numbers, 0 to 255"),
        (tensor(data=[True] * 784), "whole numbers, 0 to 255"),
        (tensor(data=[0.5] * 784), "whole numbers, 0 to 255"),
        (tensor(data="no"), "784 numbers"),
        (tensor(parameters={"binary_data_size": 784}), "0 follow the JSON"),
        (tensor() | {"outputs": [{"name": "other"}]}, "outputs must be among"),
        (tensor() | {"outputs": [{}]}, "outputs must be among"),
        (tensor() | {"outputs": 1}, "outputs must be a list"),
        (tensor() | {"outputs": [{"name": []}]}, "outputs must be among"),
        (tensor(shape=[10**4000, 28, 28, 1]), "1 to 1024"),
        (tensor() | {"id": 5}, "id must be a string"),
        (tensor() | {"parameters": {"binary_data_output": 1}}, "must be true or false"),
    ],
)
def test_tensors_that_do_not_fit_are_told(server: Server, body: object, says: str) -> None:
    answer = server.infer(body)
    assert answer.status_code == 400
    assert says in answer.json()["error"]


def test_bytes_behind_json_are_bounded_by_their_header(server: Server) -> None:
    for size in ("9999", "-1", "x", "1" * 30):
        answer = server.infer(tensor(), **{"Inference-Header-Content-Length": size})
        assert answer.status_code == 400, size


def png_header(width: int, height: int) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunk = b"IHDR" + head
    crc = struct.pack(">I", zlib.crc32(chunk))
    data = struct.pack(">I", 9) + b"IDAT" + bytes(13)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", len(head)) + chunk + crc + data


def text_bomb() -> bytes:
    png = picture()
    chunk = b"zTXt" + b"k\x00\x00" + zlib.compress(b"0" * (200 << 20), 9)
    size, crc = struct.pack(">I", len(chunk) - 4), struct.pack(">I", zlib.crc32(chunk))
    return png[:33] + size + chunk + crc + png[33:]


@pytest.mark.parametrize(
    ("content", "kind", "status", "says"),
    [
        (b"", "image/png", 400, "the body is empty"),
        (b"hello", "image/png", 422, "not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml", 422, "not a picture"),
        (b"hello", "text/plain", 415, "send a picture"),
        (b"{}", "application/json", 415, "send a picture"),
        (b"hello", "", 415, "send a picture"),
        (picture()[:200], "image/png", 422, "not a picture, or damaged"),
        (png_header(50_000, 50_000), "image/png", 422, "at most 2,000,000"),
        (png_header(1500, 1500), "image/png", 422, "at most 2,000,000"),
        (b"x" * (5 << 20), "image/png", 413, "larger than 4,194,304 bytes"),
        (b"hello", "multipart/form-data", 400, "no boundary"),
        (b"hello", "multipart/form-data; boundary=b", 400, "the form is"),
        (b"--b\r\n\r\nx\r\n--b--\r\n", "multipart/form-data; boundary=b", 400, "no file"),
        (b"--b--\r\n", "multipart/form-data; boundary=b", 400, "the form"),
    ],
)
def test_bodies_that_are_no_pictures_are_told(
    server: Server, content: bytes, kind: str, status: int, says: str
) -> None:
    headers = {"Content-Type": kind} if kind else {}
    answer = server.client.post("/predict", content=content, headers=headers)
    assert answer.status_code == status, answer.text
    assert says in answer.json()["error"]
    assert "Traceback" not in answer.text


def test_a_small_file_of_many_pixels_holds_nobody_up(server: Server) -> None:
    """It is read beside, as every file that takes long is."""
    pixels = io.BytesIO()
    Image.new("1", (1400, 1400)).save(pixels, "PNG")
    shape = Shape(1, 28, 28)

    def quick(body: bytes, shape: Shape = shape) -> bool:
        return is_quick(Job("predict", "photo", body, "image/png"), shape)

    colour = io.BytesIO()
    Image.new("RGB", (28, 28)).save(colour, "PNG")
    # The header of another file within does not hide its own.
    two = pixels.getvalue() + picture()
    slow = (pixels.getvalue(), colour.getvalue(), two, two[::-1])
    assert len(two) < QUICK_FILE_BYTES
    assert quick(picture())
    assert quick(colour.getvalue(), Shape(3, 28, 28))
    assert not any(map(quick, slow))
    assert server.ask(pixels.getvalue()).status_code == 200


def test_bombs_cost_no_memory(server: Server) -> None:
    before = sum(one.memory_info().rss for one in server.workers())
    assert server.ask(text_bomb()).status_code in (200, 422)
    tiff = io.BytesIO()
    Image.new("L", (1400, 1400)).save(tiff, "TIFF", compression="tiff_deflate")
    # Small ones can have millions of strips: the server takes none.
    assert server.ask(tiff.getvalue()).status_code == 422
    jpeg = io.BytesIO()
    Image.new("L", (64, 64)).save(jpeg, "JPEG", progressive=True)
    scan = b"\xff\xda\x00\x08\x01\x01\x00\x00\x00\x01\x00"
    scans = jpeg.getvalue()[:-2] + 8000 * scan + b"\xff\xd9"
    assert "scans" in server.ask(scans).json()["error"]
    after = sum(one.memory_info().rss for one in server.workers())
    assert after - before < 100 << 20


@pytest.mark.parametrize(
    ("query", "says"),
    [({"top": 0}, "top"), ({"top": "x"}, "top"), ({"not_sure_below": 2}, "not_sure_below")],
)
def test_parameters_are_bounded(server: Server, query: dict[str, Any], says: str) -> None:
    answer = server.ask(picture(), **query)
    assert answer.status_code == 422
    assert answer.json()["error"].startswith(says)


def test_addresses_that_are_not_there(server: Server) -> None:
    for path, status in (
        ("/nothing", 404),
        ("/v2/models/x", 404),
        ("/v2/models/photo/versions/2", 404),
    ):
        answer = server.client.get(path)
        assert (answer.status_code, list(answer.json())) == (status, ["error"])
    assert server.client.get("/predict").status_code == 405
    assert server.ask(picture(), model="x").json() == {"error": "no model 'x'; there are: photo"}
    assert server.client.get("/models").json() == {"models": ["photo"]}
    assert server.client.get("/v2/models/photo/config").json()["recipe"] == "photo"


def test_broken_requests_are_answered_or_closed(server: Server) -> None:
    answer = server.send(b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400")
    random = np.random.default_rng(0)
    head = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"
    whole = head + b"Content-Length: %d\r\n\r\n" % len(picture()) + picture()
    for _ in range(150):
        mutant = bytearray(whole)
        for place in random.integers(0, len(whole), random.integers(1, 6)):
            mutant[place] = random.integers(0, 256)
        answer = server.send(bytes(mutant[: random.integers(1, len(whole) + 1)]))
        assert not answer.startswith(b"HTTP/1.1 5"), mutant
        assert b"Traceback" not in answer
    assert server.ask(picture()).status_code == 200


def test_heads_are_bounded(server: Server) -> None:
    length = b"Content-Length: " + 5000 * b"0" + b"5\r\n"
    head = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"
    whole = head + b"Connection: close\r\n" + length + b"\r\nhello"
    assert server.send(whole, and_go=False).startswith(b"HTTP/1.1 422")
    large = head + b"".join(b"X-%d: %s\r\n" % (at, b"y" * 100) for at in range(20_000))
    answer = server.send(large)
    assert not answer or answer.startswith(b"HTTP/1.1 400")
    assert server.ask(picture()).status_code == 200


def test_ids_and_lines_of_the_log(server: Server) -> None:
    answer = server.client.post(
        "/predict?top=2", content=picture(), headers=PNG | {"X-Request-ID": "mine-1"}
    )
    assert answer.headers["x-request-id"] == "mine-1"
    made = server.ask(picture()).headers["x-request-id"]
    assert re.fullmatch(r"[0-9a-f]{32}", made)
    time.sleep(0.2)
    (line,) = [one for one in server.lines if one.get("id") == "mine-1"]
    assert (line["method"], line["path"], line["status"]) == ("POST", "/predict", 200)
    assert line["milliseconds"] > 0


@pytest.mark.parametrize("blocking", [True, False])
def test_a_log_that_nobody_reads_holds_nothing_up(blocking: bool) -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, blocking)
    log = Log(writing, requests=False)
    log({"event": "request", "path": "left out"})
    sent = LINES_WAITING + 2000
    started = time.monotonic()
    for number in range(sent):
        log({"event": "one", "number": number, "words": "x" * 100})
    assert time.monotonic() - started < 10
    lines: list[dict[str, Any]] = []

    def listen() -> None:
        with os.fdopen(reading, encoding="utf-8") as stream:
            lines.extend(json.loads(line) for line in stream)

    listening = threading.Thread(target=listen)
    listening.start()
    log.close(60)
    os.close(writing)
    listening.join()
    dropped = [one["lines"] for one in lines if "dropped" in one["event"]]
    numbers = [one["number"] for one in lines if one["event"] == "one"]
    assert numbers == sorted(numbers)
    assert len(numbers) + sum(dropped) == sent
    assert sum(dropped) > 1000


def test_a_log_on_a_full_disk_goes_on_with_nothing() -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    log = Log(full)
    for _ in range(100):
        log({"event": "one"})
        time.sleep(0.001)
    reading, writing = os.pipe()
    # The disk has room again, as it were.
    os.dup2(writing, full)
    log({"event": "last"})
    log.close(60)
    for one in (writing, full):
        os.close(one)
    with os.fdopen(reading, encoding="utf-8") as stream:
        lines = [json.loads(line) for line in stream]
    assert sum(line.get("lines", 0) for line in lines) >= 100
    assert lines[-1]["event"] == "last"


def test_a_server_whose_log_nobody_reads_answers_and_ends() -> None:
    command = [sys.executable, "-m", "fashioncnn", "serve", "photo", "--port", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr
    try:
        line: dict[str, Any] = {}
        while line.get("event") != "serving":
            line = json.loads(process.stderr.readline())
        with httpx.Client(base_url=line["address"], timeout=30) as client:
            # A pipe takes 64 KiB; each line repeats the name of the request.
            for number in range(700):
                name = f"{number:0128}"
                answer = client.get("/v2/health/live", headers={"X-Request-ID": name})
                assert answer.status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def test_what_the_worker_writes_is_a_line_of_the_log() -> None:
    with serving("photo", environment={"PYTHONPROFILEIMPORTTIME": "1"}) as server:
        said = [line["message"] for line in server.lines if line["event"] == "message"]
    assert any("fashioncnn.serving.worker" in one or "onnxruntime" in one for one in said), said


def test_what_libraries_say_is_a_line_of_the_log() -> None:
    reading, writing = os.pipe()
    log = Log(writing)
    with log.messages():
        logging.getLogger("uvicorn.error").warning("%s is odd", "this")
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("and this", UserWarning, stacklevel=1)
    log.text('{"event": "job failed", "level": "error"}')
    log.text("[W:onnxruntime] words")
    log.close()
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as stream:
        lines = [json.loads(line) for line in stream]
    assert [one.get("message", one["event"])[:11] for one in lines[:1]] == ["this is odd"]
    assert "and this" in lines[1]["message"]
    assert [one["event"] for one in lines] == ["message", "message", "job failed", "message"]
    assert all(one["time"] > 1e9 for one in lines)


def test_metrics_count(server: Server) -> None:
    def value(name: str) -> float:
        text = server.client.get("/metrics").text
        return sum(
            float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(name)
        )

    name = 'fashioncnn_requests_total{path="/predict",status="200"}'
    before, answered = value(name), value("fashioncnn_answers_total")
    server.ask(picture())
    assert value(name) == before + 1
    assert value("fashioncnn_answers_total") == answered + 1
    assert value("fashioncnn_waiting_requests") == 0


def test_the_description_tells_the_truth(server: Server) -> None:
    """Requests made from the OpenAPI description by schemathesis."""
    program = Path(sys.executable).with_name("st")
    checks = "not_a_server_error,status_code_conformance,content_type_conformance"
    words = ["run", f"{server.address}/openapi.json", "--max-examples", "15", "--seed", "1"]
    done = subprocess.run(
        [program, *words, "--checks", f"{checks},response_schema_conformance"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:]
    assert server.ask(picture()).status_code == 200


def test_names_bent_to_this_machine_are_not_answered(server: Server) -> None:
    for host in ("evil.example", "127.0.0.1.evil.example", "localhost:80:80"):
        answer = server.client.get("/models", headers={"Host": host})
        assert answer.status_code == 403
    for host in ("localhost", "LOCALHOST:8000", "127.0.0.2:1", "[::1]:8000", "[::1]"):
        assert server.client.get("/models", headers={"Host": host}).status_code == 200
    # An address with a slash behind it is not led elsewhere.
    assert server.client.get("/models/").status_code == 404


def test_it_needs_its_token(tmp_path: Path) -> None:
    del tmp_path
    with serving(own_bundle().path, environment={"FASHIONCNN_TOKEN": "secret"}) as server:
        refused = server.ask(picture())
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
        for given in ("Bearer secre", "Bearer secret2", "secret", "Basic secret"):
            headers = PNG | {"Authorization": given}
            answer = server.client.post("/predict", content=picture(), headers=headers)
            assert answer.status_code == 401
        headers = PNG | {"Authorization": "bearer secret"}
        assert server.client.post("/predict", content=picture(), headers=headers).is_success
        assert server.client.get("/metrics").status_code == 401
        assert server.client.get("/v2/health/live").status_code == 200
        told = server.client.head("/models")
        assert (told.status_code, told.content) == (200, b"")
        assert server.client.get("/ask").status_code == 200
        assert server.client.get("/").headers["location"] == "/ask"


def test_a_worker_that_starts_anew_and_its_server_say_the_same(tmp_path: Path) -> None:
    place = Path(shutil.copytree(own_bundle().path, tmp_path / "bundle"))
    with serving(f"photo={place}") as server:
        other = open_bundle("tiny")
        shutil.copytree(other.path, place, dirs_exist_ok=True)
        (worker,) = server.workers()
        worker.kill()
        psutil.wait_procs([worker], timeout=10)
        wait_for(lambda: server.ask(picture()).status_code == 200)
        outputs = server.client.get("/v2/models/photo").json()["outputs"]
        (width,) = (one["shape"][1] for one in outputs if one["name"] == EMBEDDING)
        assert width == other.facts.features


def test_two_bundles_and_a_new_one_at_sighup(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for place in (first, second):
        shutil.copytree(own_bundle().path, place)
    with serving(f"a={first}", f"b={second}") as server:
        assert server.client.get("/models").json() == {"models": ["a", "b"]}
        assert server.ask(picture(), model="b").json()["model"] == "b"
        config = json.loads((second / "config.json").read_text())
        config["facts"]["not_sure_below"] = 1.0
        stop, answers = threading.Event(), []

        def keep_asking() -> None:
            with httpx.Client(base_url=server.address, timeout=30) as client:
                while not stop.is_set():
                    answer = client.post("/predict?model=b", content=picture(3), headers=PNG)
                    answers.append(answer.status_code)

        asking = threading.Thread(target=keep_asking)
        asking.start()
        try:
            (second / "config.json").write_text(json.dumps(config))
            server.process.send_signal(signal.SIGHUP)
            wait_for(lambda: any(one["event"] == "reloaded" for one in server.lines))
            (told,) = server.ask(picture(3), model="b").json()["pictures"]
            assert told["answer"] is None
            # What cannot be opened changes nothing.
            (second / "model.onnx").write_bytes(b"")
            server.process.send_signal(signal.SIGHUP)
            wait_for(lambda: any(one["event"] == "not reloaded" for one in server.lines))
            assert server.ask(picture(), model="b").status_code == 200
        finally:
            stop.set()
            asking.join()
        assert set(answers) == {200}
        assert len(server.workers()) == 1


def wait_for(condition: Any, seconds: float = 30) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.02)


def test_a_killed_worker_is_replaced_and_loses_nothing() -> None:
    with serving(own_bundle().path) as server:
        stop, statuses = threading.Event(), []

        def keep_asking() -> None:
            with httpx.Client(base_url=server.address, timeout=30) as client:
                while not stop.is_set():
                    statuses.append(
                        client.post("/predict", content=picture(), headers=PNG).status_code
                    )

        threads = [threading.Thread(target=keep_asking) for _ in range(4)]
        for thread in threads:
            thread.start()
        took = []
        for _ in range(4):
            (worker,) = server.workers()
            worker.send_signal(signal.SIGKILL)
            killed = time.monotonic()
            psutil.wait_procs([worker], timeout=10)
            assert server.ask(picture()).status_code in (200, 503)
            wait_for(lambda: server.ask(picture()).status_code == 200)
            took.append(time.monotonic() - killed)
        stop.set()
        for thread in threads:
            thread.join()
        assert set(statuses) <= {200, 503}
        assert statuses.count(200) > 0.9 * len(statuses)
        assert max(took) < 5


def test_a_worker_that_hangs_is_replaced() -> None:
    code = f"""
from fashioncnn.serving.limits import Limits
from fashioncnn.workflows.serve import serve
serve([{str(own_bundle().path)!r}], port=0, limits=Limits(answer_seconds=0.5), log_requests=False)
"""
    with serving(code=code) as server:
        (worker,) = server.workers()
        worker.suspend()
        refused = server.ask(picture())
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        wait_for(lambda: server.ask(picture()).status_code == 200)
        assert worker.pid not in [one.pid for one in server.workers()]


def test_sigterm_answers_what_was_accepted() -> None:
    with serving(own_bundle().path) as server:
        statuses: list[int] = []
        broken: list[str] = []

        def keep_asking() -> None:
            while server.process.poll() is None:
                try:
                    # A connection for each request: one that is taken is answered.
                    answer = httpx.post(
                        f"{server.address}/predict", content=picture(), headers=PNG, timeout=30
                    )
                    statuses.append(answer.status_code)
                except httpx.ConnectError:
                    return
                except httpx.TransportError as wrong:
                    broken.append(repr(wrong))
                    return

        threads = [threading.Thread(target=keep_asking) for _ in range(4)]
        for thread in threads:
            thread.start()
        wait_for(lambda: len(statuses) > 20)
        workers = server.workers()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(30) == 0
        for thread in threads:
            thread.join()
        assert set(statuses) == {200}
        # What waited in the kernel, not yet accepted, is refused by it.
        assert all("ReadError" in one or "RemoteProtocol" in one for one in broken)
        assert not any(one.is_running() for one in workers)


def test_too_many_are_told_to_come_again() -> None:
    with serving(own_bundle().path, "--queue", 2, "--no-log-requests") as server:
        form = [("files", (f"{at}.png", picture(at))) for at in range(64)]
        with ThreadPoolExecutor(24) as pool:
            asked = [
                pool.submit(httpx.post, f"{server.address}/predict", files=form, timeout=60)
                for _ in range(48)
            ]
            answers = [one.result() for one in asked]
        assert {one.status_code for one in answers} == {200, 429}
        refused = next(one for one in answers if one.status_code == 429)
        assert refused.headers["retry-after"] == "1"
        assert "ask again" in refused.json()["error"]
        assert server.ask(picture()).status_code == 200
        assert not [line for line in server.lines if line["event"] == "request"]


def test_slow_clients_are_left() -> None:
    """With short waits, for which the command line has no option."""
    code = f"""
from fashioncnn.serving.limits import Limits
from fashioncnn.workflows.serve import serve
limits = Limits(head_seconds=0.4, body_seconds=0.4)
serve([{str(own_bundle().path)!r}], port=0, limits=limits, log_requests=False)
"""
    head = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"
    with serving(code=code) as server:

        def answer(*parts: bytes) -> bytes:
            with socket.create_connection(server.place, timeout=10) as connection:
                for part in parts:
                    connection.sendall(part)
                    time.sleep(0.1)
                with contextlib.suppress(ConnectionError):
                    return b"".join(iter(lambda: connection.recv(65536), b""))
            return b""

        started = time.monotonic()
        assert answer().startswith(b"HTTP/1.1 408")
        assert answer(head).startswith(b"HTTP/1.1 408")
        slow = answer(head + b"Content-Length: 500\r\n\r\n", b"x")
        assert slow.startswith(b"HTTP/1.1 408")
        assert b"the body did not arrive within 0.4 s" in slow
        # After an answer, a byte is no request.
        live = b"GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\n"
        assert answer(live + b"\r\n", b"\r\n").startswith(b"HTTP/1.1 200")
        assert answer(live + b"Content-Length: 9\r\n\r\n", b"x").startswith(b"HTTP/1.1 200")
        assert time.monotonic() - started < 8


def test_an_empty_token_is_none(words_of: Words, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of a secret that was made without a value: the server is not left open."""
    monkeypatch.setenv("FASHIONCNN_TOKEN", "")
    status, _, said = words_of("serve", own_bundle().path, "--port", 0)
    assert (status, said.count("\n")) == (2, 1)
    assert said.startswith("error: the token must be 1 to 512 letters")


def test_starting_fails_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(ServingError, match="name a bundle"):
        serve([])
    with pytest.raises(BundleError, match="no such bundle"):
        serve([tmp_path / "none"])
    place = own_bundle().path
    with pytest.raises(ServingError, match="two bundles are called photo"):
        serve([place, place])
    with pytest.raises(ServingError, match="the token must be"):
        serve([place], token="a b")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ServingError, match="cannot be had: Address already in use"):
            serve([place], port=taken.getsockname()[1])
    broken = Path(shutil.copytree(place, tmp_path / "broken"))
    model = (broken / "model.onnx").read_bytes()
    (broken / "model.onnx").write_bytes(model[:-1])
    with pytest.raises(BundleError, match="are said"):
        serve([f"x={broken}"], port=0)


def test_frames_survive_the_journey() -> None:
    job = Job("predict", "photo", b"\x00{\n", "image/png", 5, 0.5)
    reply = Reply(200, b"", headers={"a": "b"}, answers={"Bag": 2}, batch=3)
    stream = io.BytesIO(pack(1, job) + pack(2, reply) + b"\x00\x00")
    number, head, body = read(stream) or (0, {}, b"")
    assert (number, Job(body=body, **head)) == (1, job)
    number, head, body = read(stream) or (0, {}, b"")
    assert (number, Reply(body=body, **head)) == (2, reply)
    assert read(stream) is None


def test_it_runs_without_torch(server: Server) -> None:
    assert server.ask(picture()).status_code == 200
    for process in (psutil.Process(server.process.pid), *server.workers()):
        maps = Path(f"/proc/{process.pid}/maps").read_text()
        assert "libtorch" not in maps
    assert Limits().queue == 128
    assert open_bundle(own_bundle().path).facts.photographs


@pytest.mark.parametrize("busy", [True, False])
def test_a_process_that_has_too_much_to_do_is_kept_and_one_that_hangs_is_not(busy: bool) -> None:
    killed: list[bool] = []

    class Silent:
        stdin = io.BytesIO()

        def kill(self) -> None:
            killed.append(True)

    async def asked() -> int:
        workers = Workers({}, Limits(answer_seconds=0.2), 1, Log(os.open(os.devnull, os.O_WRONLY)))
        current = workers._current = _Process(Silent())  # type: ignore[arg-type]
        workers._here.set()
        waiting = asyncio.create_task(workers.ask(Job("predict", "x", b"")))
        await asyncio.sleep(0.1)
        if busy:
            current.last_answer = time.monotonic()
        return (await waiting).status

    assert asyncio.run(asked()) == 503
    assert bool(killed) is not busy


def test_what_nobody_waits_for_any_more_is_not_answered() -> None:
    opened = own_bundle()
    asked, told = os.pipe(), os.pipe()
    image = picture()
    jobs = [
        Job("predict", opened.facts.name, image, "image/png", until=time.monotonic() + seconds)
        for seconds in (-1.0, 60.0)
    ]
    with os.fdopen(asked[1], "wb") as sending:
        for number, job in enumerate(jobs):
            sending.write(pack(number, job))
    with os.fdopen(asked[0], "rb") as incoming, os.fdopen(told[1], "wb") as outgoing:
        Worker({opened.facts.name: opened}, Limits(), incoming, outgoing).run()
    with os.fdopen(told[0], "rb") as replies:
        found = read(replies)
        assert found is not None
        assert (found[0], found[1]["status"], found[1]["batch"]) == (1, 200, 1)
        assert read(replies) is None


@pytest.mark.parametrize(("left", "answered"), [(2.0, False), (6.0, True)])
def test_a_request_is_read_only_where_there_is_time_for_it(left: float, answered: bool) -> None:
    opened = own_bundle()
    told = os.pipe()
    with os.fdopen(told[1], "wb") as outgoing:
        worker = Worker({opened.facts.name: opened}, Limits(), io.BytesIO(), outgoing)
        worker._reading_seconds = 3.0
        until = time.monotonic() + left
        worker._read(0, Job("predict", opened.facts.name, picture(), "image/png", until=until))
        assert worker._waiting.empty() is not answered
    os.close(told[0])
