"""What operators measure. Every metric of the product is declared here once; parts call the methods.

Names follow Prometheus: `pump_party_<what>_<unit>_total`. Labels have few values: never an id, an address or a path.
"""

from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

DURATION_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
DECISION_BUCKETS_S = (0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 30, 60)
BATCH_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

Admission = Literal["admitted", "refused"]


class Metrics:
    """The metrics of one process. Methods may be called from any thread."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        self._requests = Histogram(
            "pump_party_request_duration_seconds",
            "HTTP requests by route and status, with their duration",
            ["method", "route", "status"],
            buckets=DURATION_BUCKETS_S,
            registry=registry,
        )
        self._request_series: dict[tuple[str, str, int], Histogram] = {}
        self._requests_in_flight = Gauge(
            "pump_party_requests_in_flight", "HTTP requests being answered now", registry=registry
        )
        self._refusals = Counter(
            "pump_party_refusals_total", "Requests and frames refused, by code", ["code"], registry=registry
        )
        self._orders = Counter(
            "pump_party_orders_total",
            "Orders decided, by outcome: filled, accepted, cancelled or the reject code",
            ["outcome"],
            registry=registry,
        )
        self._order_batch = Histogram(
            "pump_party_order_batch_size", "Orders in one transaction", buckets=BATCH_BUCKETS, registry=registry
        )
        self._order_commit = Histogram(
            "pump_party_order_commit_seconds",
            "Duration of one order transaction",
            buckets=DURATION_BUCKETS_S,
            registry=registry,
        )
        self._ticks = Counter(
            "pump_party_ticks_total",
            "Observed ticks, by source and admission",
            ["source", "admission"],
            registry=registry,
        )
        self._ticks_given_up = Counter(
            "pump_party_ticks_given_up_total",
            "Admitted ticks that no listener could be sent in time",
            registry=registry,
        )
        self._ticks_matched = Counter(
            "pump_party_ticks_matched_total", "Admitted ticks brought to the orders that wait", registry=registry
        )
        self._ticks_unmatched = Counter(
            "pump_party_ticks_unmatched_total",
            "Admitted ticks that the matcher passed over because it lagged",
            registry=registry,
        )
        self._match = Histogram(
            "pump_party_match_seconds",
            "Duration of one round of ticks acting on the orders that wait",
            buckets=DURATION_BUCKETS_S,
            registry=registry,
        )
        self._match_lag = Histogram(
            "pump_party_match_lag_seconds",
            "From the receipt of a round's first tick until its fills were durable",
            buckets=DURATION_BUCKETS_S,
            registry=registry,
        )
        self._orders_ended = Counter(
            "pump_party_orders_ended_total", "Accepted orders that a tick or a deadline ended", registry=registry
        )
        self._orders_awaited = Gauge(
            "pump_party_orders_awaited", "Requests that wait for the end of an accepted order", registry=registry
        )
        self._price_age = Gauge(
            "pump_party_price_age_seconds", "Age of the newest price of a market", ["market"], registry=registry
        )
        self._sockets = Gauge("pump_party_sockets", "Open WebSocket connections", registry=registry)
        self._socket_closes = Counter(
            "pump_party_socket_closes_total", "Closed WebSocket connections, by close code", ["code"], registry=registry
        )
        self._frames = Counter(
            "pump_party_frames_sent_total", "WebSocket frames sent, by type", ["type"], registry=registry
        )
        self._outbox_sent = Counter("pump_party_outbox_sent_total", "Outbox events published", registry=registry)
        self._decisions = Counter(
            "pump_party_decisions_total", "Decision runs ended, by outcome", ["outcome"], registry=registry
        )
        self._decision_lag = Histogram(
            "pump_party_decision_seconds",
            "From a slot until its decision had ended",
            buckets=DECISION_BUCKETS_S,
            registry=registry,
        )
        self._model_calls = Counter(
            "pump_party_model_calls_total",
            "Calls of language models, by provider and outcome",
            ["provider", "outcome"],
            registry=registry,
        )
        self._model_latency = Histogram(
            "pump_party_model_call_seconds",
            "Duration of a call of a language model",
            ["provider"],
            buckets=DECISION_BUCKETS_S,
            registry=registry,
        )
        self._model_cost = Counter(
            "pump_party_model_cost_usd_total",
            "Cost of model calls whose price is known",
            ["provider"],
            registry=registry,
        )
        self._sealed_unreadable = Counter(
            "pump_party_sealed_unreadable_total",
            "Clones of which something sealed was found that cannot be opened, outside of a decision",
            ["what"],
            registry=registry,
        )
        self._worker_failures = Counter(
            "pump_party_worker_failures_total", "Rounds a worker could not finish", ["worker"], registry=registry
        )

    def request_answered(self, *, method: str, route: str, status: int, duration_s: float) -> None:
        series = self._request_series.get((method, route, status))
        if series is None:
            series = self._requests.labels(method, route, str(status))
            self._request_series[method, route, status] = series
        series.observe(duration_s)

    def requests_in_flight(self, count: int) -> None:
        self._requests_in_flight.set(count)

    def refused(self, code: str) -> None:
        self._refusals.labels(code).inc()

    def orders_decided(self, outcome: str, count: int) -> None:
        self._orders.labels(outcome).inc(count)

    def order_batch_committed(self, *, size: int, duration_s: float) -> None:
        self._order_batch.observe(size)
        self._order_commit.observe(duration_s)

    def tick_observed(self, source: str, admission: Admission) -> None:
        self._ticks.labels(source, admission).inc()

    def tick_given_up(self) -> None:
        self._ticks_given_up.inc()

    def ticks_matched(self, count: int, *, duration_s: float, lag_s: float) -> None:
        self._ticks_matched.inc(count)
        self._match.observe(duration_s)
        self._match_lag.observe(lag_s)

    def ticks_unmatched(self, count: int) -> None:
        self._ticks_unmatched.inc(count)

    def orders_ended(self, count: int) -> None:
        self._orders_ended.inc(count)

    def orders_awaited(self, count: int) -> None:
        self._orders_awaited.set(count)

    def price_age(self, market: str, age_s: float) -> None:
        self._price_age.labels(market).set(age_s)

    def sockets_open(self, count: int) -> None:
        self._sockets.set(count)

    def socket_closed(self, code: int) -> None:
        self._socket_closes.labels(str(code)).inc()

    def frames_sent(self, kind: str, count: int = 1) -> None:
        self._frames.labels(kind).inc(count)

    def outbox_sent(self, count: int) -> None:
        self._outbox_sent.inc(count)

    def decision_finished(self, outcome: str, *, lag_ms: int) -> None:
        self._decisions.labels(outcome).inc()
        self._decision_lag.observe(max(0, lag_ms) / 1000)

    def model_called(self, provider: str, outcome: str, *, latency_ms: int, micros: int | None) -> None:
        self._model_calls.labels(provider, outcome).inc()
        self._model_latency.labels(provider).observe(latency_ms / 1000)
        if micros is not None:
            self._model_cost.labels(provider).inc(micros / 1_000_000)

    def sealed_unreadable(self, what: str) -> None:
        self._sealed_unreadable.labels(what).inc()

    def worker_failed(self, worker: str) -> None:
        self._worker_failures.labels(worker).inc()

    def render(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self._registry)
