"""What the server counts, in the form that Prometheus reads."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


class Metrics:
    """Counters of one server."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        self.requests = Counter(
            "fashioncnn_requests",
            "Requests by path and status.",
            ["path", "status"],
            registry=registry,
        )
        self.seconds = Histogram(
            "fashioncnn_request_seconds",
            "From the head of a request to its answer.",
            ["path"],
            buckets=SECONDS,
            registry=registry,
        )
        self.batch = Histogram(
            "fashioncnn_batch_pictures",
            "Pictures that were answered together, by request.",
            buckets=SIZES,
            registry=registry,
        )
        self.waiting = Gauge(
            "fashioncnn_waiting_requests", "Requests that wait for an answer.", registry=registry
        )
        self.answers = Counter(
            "fashioncnn_answers",
            'Pictures by model and answer; "not sure" is one.',
            ["model", "answer"],
            registry=registry,
        )
        self.restarts = Gauge(
            "fashioncnn_worker_restarts",
            "Times that the process that answers was started anew.",
            registry=registry,
        )

    def text(self) -> bytes:
        """Return all of them."""
        return generate_latest(self._registry)
