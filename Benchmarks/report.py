"""How the figures are shown."""

import os
import platform
import subprocess

import kafka_log


def machine(folder, gatehouse):
    """What the figures hold for."""
    model = ""
    with open("/proc/cpuinfo") as lines:
        for line in lines:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
    with open("/proc/meminfo") as lines:
        memory = int(next(lines).split()[1]) // 1024
    disk = subprocess.run(
        ["df", "--output=source,fstype", folder], capture_output=True, text=True).stdout.splitlines()[-1].split()
    nginx = subprocess.run(
        "nginx -v || /usr/sbin/nginx -v", shell=True, capture_output=True, text=True).stderr.strip().split(" ")[-1]
    version = subprocess.run([gatehouse, "version"], capture_output=True, text=True).stdout.strip()
    return {
        "processor": model, "cores": os.cpu_count(), "memory_mib": memory, "kernel": platform.release(),
        "disk": disk[0], "file_system": disk[1], "nginx": nginx, "gatehouse": version}


def table(medians, machine, ids):
    m = medians
    rows = [
        ("nginx, `return 200`", f"{m['nginx_per_second']:,.0f} requests/s",
         f"p50 {m['nginx_p50_ms']:.2f} ms, p99 {m['nginx_p99_ms']:.2f} ms"),
        ("intake, signed and durable", f"{m['intake_per_second']:,.0f} requests/s",
         f"p50 {m['intake_p50_ms']:.2f} ms, p99 {m['intake_p99_ms']:.2f} ms; {ids:,} ids present"),
        ("intake / nginx", f"{m['intake_to_nginx_ratio']:.2f}", "aim 0.35"),
        ("peak memory under that load", f"{m['peak_memory_mib']:.1f} MiB", "aim 64 MiB"),
        ("accepted → webhook received", f"{m['end_to_end_per_second']:,.0f} events/s",
         f"{m['end_to_end_to_nginx_ratio']:.2f} of nginx; aim 20,000; while {m['end_to_end_intake_per_second']:,.0f}/s came "
         f"in; peak memory {m['end_to_end_peak_memory_mib']:.1f} MiB"),
        ("http in batches, out of a backlog", f"{m['batch_http_per_second']:,.0f} events/s",
         f"{m['batch_http_events_a_request']:.0f} a request; {m['batch_http_to_nginx_ratio']:.2f} of nginx's requests/s; "
         f"peak memory {m['batch_http_peak_memory_mib']:.1f} MiB"),
        ("accepted → delivered, at 2,000/s", f"p50 {m['delivery_p50_ms']:.2f} ms",
         f"p99 {m['delivery_p99_ms']:.2f} ms; aims 5 and 25 ms; nginx alone then answers in "
         f"{m['nginx_steady_p50_ms']:.2f} and {m['nginx_steady_p99_ms']:.2f} ms"),
        ("the same beside an ill target", f"p50 {m['delivery_beside_ill_p50_ms']:.2f} ms",
         f"p99 {m['delivery_beside_ill_p99_ms']:.2f} ms: {m['ill_neighbour_ratio']:.2f} of its own; aim 1.1"),
        ("a decision, at 200/s", f"p50 {m['decision_p50_ms']:.2f} ms", f"p99 {m['decision_p99_ms']:.2f} ms"),
        ("the same in a flood of notifications", f"p50 {m['decision_flooded_p50_ms']:.2f} ms",
         f"p99 {m['decision_flooded_p99_ms']:.2f} ms, by an address of its own {m['decision_apart_flooded_p99_ms']:.2f} ms; "
         f"aim 10 ms; while {m['decision_flood_per_second']:,.0f}/s came in"),
        ("a batch of 20 000 events", f"{m['batch_seconds']:.2f} s",
         f"aim 2 s; peak memory then {m['peak_memory_with_batch_mib']:.1f} MiB"),
        ("start to ready", f"{m['start_to_ready_seconds'] * 1000:.0f} ms", "aim 200 ms"),
        ("the disk's fdatasync of 4 KiB", f"{m['fsync_p50_ms']:.2f} ms", f"p99 {m['fsync_p99_ms']:.2f} ms"),
    ]
    rows += [
        (f"writing {name}, one core", f"{m[f'format_{name}_per_second']:,.0f} events/s", aim)
        for name, aim in [
            ("json", "aim 300,000"), ("cef", "aim 300,000"), ("leef", ""), ("ocsf", ""), ("ecs", "")]
    ]
    rows.append(
        ("syslog over one TLS connection", f"{m['syslog_tls_per_second']:,.0f} events/s",
         f"aim 100,000; to a receiver in the same process that drops them; {m['syslog_to_plain_tls_ratio']:.2f} of "
         f"{m['plain_tls_per_second']:,.0f}, ready messages by OpenSSL alone"))
    if "backlog_events" in m:
        rows.append(
            (f"a backlog of {m['backlog_events']:,} events", f"{m['backlog_per_second']:,.0f} events/s",
             f"peak memory {m['backlog_peak_memory_mib']:.1f} MiB; aims: no less than live, 128 MiB"))
    if "kafka_intake_per_second" in m:
        rows += kafka_log.rows(m)
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    lines = [f"{a:<{widths[0]}}  {b:>{widths[1]}}  {c}".rstrip() for a, b, c in rows]
    about = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in machine.items())
    return "\n".join([*lines, "", about])
