from pump_party.platform.metrics import Metrics


def test_every_metric_is_rendered_with_its_labels():
    metrics = Metrics()
    metrics.request_answered(method="GET", route="/v1/me", status=200, duration_s=0.003)
    metrics.request_answered(method="GET", route="/v1/me", status=200, duration_s=0.3)
    metrics.requests_in_flight(3)
    metrics.refused("rate_limited")
    metrics.orders_decided("filled", 1)
    metrics.order_batch_committed(size=64, duration_s=0.004)
    metrics.tick_observed("hyperliquid", "refused")
    metrics.price_age("SOL-USDC", 0.2)
    metrics.sockets_open(5)
    metrics.socket_closed(4008)
    metrics.frames_sent("price_update", 7)
    metrics.outbox_sent(9)
    metrics.worker_failed("relay_outbox")

    text = metrics.render().decode()

    for expected in (
        'pump_party_request_duration_seconds_count{method="GET",route="/v1/me",status="200"} 2.0',
        'pump_party_request_duration_seconds_bucket{le="0.005",method="GET",route="/v1/me",status="200"} 1.0',
        "pump_party_requests_in_flight 3.0",
        'pump_party_refusals_total{code="rate_limited"} 1.0',
        'pump_party_orders_total{outcome="filled"} 1.0',
        'pump_party_order_batch_size_bucket{le="64.0"} 1.0',
        "pump_party_order_commit_seconds_count 1.0",
        'pump_party_ticks_total{admission="refused",source="hyperliquid"} 1.0',
        'pump_party_price_age_seconds{market="SOL-USDC"} 0.2',
        "pump_party_sockets 5.0",
        'pump_party_socket_closes_total{code="4008"} 1.0',
        'pump_party_frames_sent_total{type="price_update"} 7.0',
        "pump_party_outbox_sent_total 9.0",
        'pump_party_worker_failures_total{worker="relay_outbox"} 1.0',
        "process_resident_memory_bytes",
    ):
        assert expected in text


def test_two_processes_in_one_interpreter_count_apart():
    first, second = Metrics(), Metrics()
    first.orders_decided("filled", 1)
    assert 'pump_party_orders_total{outcome="filled"}' not in second.render().decode()
