"""What is measured of delivery: how many, how soon, out of a backlog, and beside a neighbour that is ill."""

import http.client
import re
import socket
import time

import measures

WEBHOOK_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
LATENCY_RATE = 2000
ROUTE = "routes:\n  - {name: everything, to: [receiver]}\n"
ROUTE_TO_BOTH = "routes:\n  - {name: everything, to: [receiver, neighbour]}\n"


def webhook(name, port, more=""):
    return (
        f"  {name}: {{type: webhook, url: \"http://127.0.0.1:{port}/hook\", allow: [\"127.0.0.0/8\"], {more}\n"
        f"             sign: {{scheme: standard-webhooks, secrets: [\"{WEBHOOK_SECRET}\"]}}}}\n")


def end_to_end(bench):
    """From the first event's acknowledgement to the last webhook's arrival."""
    events = int(10_000 * bench.seconds)
    instance = measures.Gatehouse(bench, "end-to-end", "targets:\n" + webhook("receiver", bench.nginx_port), ROUTE)
    instance.start()
    counter = RequestCounter(bench.status_port)
    load = bench.load(instance.port, "/in/london", "--secret", measures.SECRET, "--requests", events)
    counter.wait_for(events)
    last = time.time()
    peak = instance.peak_mib()
    check_received(instance, counter, events)
    return {
        "end_to_end_per_second": events / (last - load["first_answer"]),
        "end_to_end_intake_per_second": load["per_second"], "end_to_end_peak_memory_mib": peak}


def check_received(instance, counter, events):
    """Every event once, and the books agree; the instance is stopped."""
    # What is sent twice would arrive about now.
    time.sleep(0.2)
    received = counter.count()
    instance.stop()
    balance = instance.reconcile()
    if received != events or balance["targets"]["receiver"]["delivered"] != events:
        raise measures.MeasureError(f"{events} events acknowledged, {received} webhooks received: {balance}")


def latency(bench):
    """From acknowledgement to arrival at a steady rate: alone, then beside a target that never answers."""
    nginx = bench.load(bench.nginx_port, "/", "--rate", LATENCY_RATE, "--seconds", bench.seconds)
    alone = delivery_latency(bench, "")
    ill = socket.socket()
    ill.bind(("127.0.0.1", 0))
    # Connections are made, and nothing more ever happens on them.
    ill.listen(4096)
    beside = delivery_latency(bench, webhook("neighbour", ill.getsockname()[1], "timeout: 1s,"))
    ill.close()
    return {
        "nginx_steady_p50_ms": nginx["p50_ms"], "nginx_steady_p99_ms": nginx["p99_ms"],
        "delivery_p50_ms": alone["delivery_p50_ms"], "delivery_p99_ms": alone["delivery_p99_ms"],
        "delivery_beside_ill_p50_ms": beside["delivery_p50_ms"],
        "delivery_beside_ill_p99_ms": beside["delivery_p99_ms"]}


def delivery_latency(bench, neighbour):
    (port,) = measures.free_ports(1)
    targets = "targets:\n" + webhook("receiver", port) + neighbour
    instance = measures.Gatehouse(bench, "latency", targets, ROUTE_TO_BOTH if neighbour else ROUTE)
    instance.start()
    load = bench.load(
        instance.port, "/in/london", "--secret", measures.SECRET, "--rate", LATENCY_RATE, "--seconds", bench.seconds,
        "--receive", port)
    instance.stop()
    if load["repeated"] or load["unknown"]:
        raise measures.MeasureError(f"events arrived that should not have: {load}")
    return load


def backlog(bench, events):
    """A target that was switched off while so many events came, and is switched on again."""
    on, off = (webhook("receiver", bench.nginx_port, more) for more in ("", "enabled: false,"))
    instance = measures.Gatehouse(bench, "backlog", "targets:\n" + off, ROUTE)
    instance.start()
    load = bench.load(instance.port, "/in/london", "--secret", measures.SECRET, "--requests", events)
    counter = RequestCounter(bench.status_port)
    instance.reset_peak()
    instance.reload("targets:\n" + on)
    measures.wait_until(lambda: counter.count() > 0, 30, "the reload")
    begun = time.time()
    counter.wait_for(events)
    seconds = time.time() - begun
    peak = instance.peak_mib()
    check_received(instance, counter, events)
    return {
        "backlog_events": events, "backlog_per_second": events / seconds, "backlog_peak_memory_mib": peak,
        "backlog_intake_per_second": load["per_second"]}


def batches(bench):
    """An http target that sends batches, out of a backlog so that the intake takes no part in it: from its first request
    until every event is delivered."""
    events = int(20_000 * bench.seconds)
    on, off = (http_batches("receiver", bench.nginx_port, more) for more in ("", "enabled: false,"))
    instance = measures.Gatehouse(bench, "batches", "targets:\n" + off, ROUTE)
    instance.start()
    bench.load(instance.port, "/in/london", "--secret", measures.SECRET, "--requests", events)
    counter = RequestCounter(bench.status_port)
    instance.reset_peak()
    instance.reload("targets:\n" + on)
    measures.wait_until(lambda: counter.count() > 0, 30, "the reload")
    begun = time.time()
    measures.wait_until(
        lambda: delivered(instance, "receiver") >= events, 60 + events / 1000, "the delivery of all events", pause=0.02)
    seconds = time.time() - begun
    peak = instance.peak_mib()
    requests = counter.count()
    instance.stop()
    balance = instance.reconcile()
    if balance["targets"]["receiver"]["delivered"] != events:
        raise measures.MeasureError(f"{events} events acknowledged, not all delivered: {balance}")
    return {
        "batch_http_per_second": events / seconds, "batch_http_events_a_request": events / requests,
        "batch_http_peak_memory_mib": peak}


def http_batches(name, port, more):
    """With the defaults of `batch:`, and the canonical events."""
    return (
        f"  {name}: {{type: http, url: \"http://127.0.0.1:{port}/events\", allow: [\"127.0.0.0/8\"], {more}\n"
        "             batch: {}}\n")


def delivered(instance, target):
    page = measures.get(instance.console, "/metrics")[1]
    found = re.search(rf'^gatehouse_target_delivered_total\{{target="{target}"\}} (\S+)', page, re.M)
    return float(found[1]) if found else 0


class RequestCounter:
    """Requests nginx has received since this was made, its own not counted."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        self.own = 0
        self.before = self.total()

    def total(self):
        self.connection.request("GET", "/")
        lines = self.connection.getresponse().read().decode().splitlines()
        self.own += 1
        return int(lines[2].split()[2]) - self.own

    def count(self):
        return self.total() - self.before

    def wait_for(self, events):
        measures.wait_until(
            lambda: self.count() >= events, 60 + events / 1000, "the delivery of all events", pause=0.02)
