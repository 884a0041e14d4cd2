"""What Prometheus reads: requests, seconds, pictures and batches; never a name or a value of a request."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """Counters of one service, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        name = {"registry": self.registry, "namespace": "striate"}
        self.requests = Counter(
            "requests", "Requests by route and status.", ["method", "route", "status"], **name
        )
        self.seconds = Histogram(
            "request_seconds", "Seconds from head to answer.", ["route"], buckets=SECONDS, **name
        )
        self.pictures = Counter("pictures", "Pictures answered, by outcome.", ["outcome"], **name)
        self.batch = Histogram("batch_pictures", "Pictures answered at once.", buckets=SIZES, **name)
        self.waiting = Gauge("pictures_waiting", "Pictures that are decoded or wait for an answer.", **name)

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self.registry)
