"""What is measured of decisions: how soon the sender of one who waits at a door is answered, alone and while notifications
flood the intake."""

import re
import time

import measures

API_KEY = "benchmark-key"
RATE = 200
RULES = 200
LISTED = 100_000


def rules():
    """Decisions that are all asked before the last one takes the visitor, and a list of many."""
    lines = ["decisions:", "  - {name: banned, when: {visitor: {email: {in_list: banned}}}, deny: \"Not today\"}"]
    lines += [
        f"  - {{name: group-{number}, when: {{group: \"Group {number}\", visitor: {{email: {{domain: d{number}.example}}}}}}, "
        "admit: {}}" for number in range(RULES)]
    lines.append("  - {name: guests, when: {group: Visitor}, admit: {visitor_notes: \"Welcome, {visitor.first_name}\"}}")
    return "\n".join([*lines, "lists: {banned: banned.txt}", ""])


def latency(bench):
    """Of an address that takes everything, and of one of the door's own."""
    (own_port,) = measures.free_ports(1)
    sources = (
        f"  doors: {{vendor: sine, api_key: \"{API_KEY}\"}}\n"
        f"  apart: {{vendor: sine, api_key: \"{API_KEY}\", listen: \"127.0.0.1:{own_port}\"}}\n")
    instance = measures.Gatehouse(
        bench, "decisions", "decisions: ./decisions.yaml\n", "routes: []\n", sources=sources,
        files={
            "decisions.yaml": rules(),
            "banned.txt": "".join(f"person{number}@example.org\n" for number in range(LISTED))})
    instance.start()
    alone = decide(bench, instance.port, "doors")
    flood = bench.begin_load(
        instance.port, "/in/london", "--secret", measures.SECRET, "--seconds", 2 * bench.seconds + 6)
    # Until it is at its full rate.
    time.sleep(2)
    beside = decide(bench, instance.port, "doors")
    apart = decide(bench, own_port, "apart")
    flooded = bench.loaded(flood)
    check(instance, alone["answered"] + beside["answered"] + apart["answered"])
    instance.stop()
    return {
        "decision_p50_ms": alone["p50_ms"], "decision_p99_ms": alone["p99_ms"],
        "decision_flooded_p50_ms": beside["p50_ms"], "decision_flooded_p99_ms": beside["p99_ms"],
        "decision_apart_flooded_p99_ms": apart["p99_ms"], "decision_flood_per_second": flooded["per_second"]}


def decide(bench, port, source):
    return bench.load(
        port, f"/in/{source}", "--api-key", API_KEY, "--rate", RATE, "--seconds", bench.seconds, "--connections", 8)


def check(instance, answered):
    """Every answer was a ruling, and none was the deadline's."""
    page = measures.get(instance.console, "/metrics")[1]
    ruled = sum(
        float(value) for value in
        re.findall(r'^gatehouse_decisions_total\{.*outcome="admit",reason="rule"\} (\S+)', page, re.M))
    overdue = sum(float(value) for value in re.findall(r"^gatehouse_decisions_overdue_total\{.*\} (\S+)", page, re.M))
    if ruled != answered or overdue:
        raise measures.MeasureError(f"{answered} decisions answered, {ruled:.0f} ruled, {overdue:.0f} overdue")
