"""What is measured with Kafka as the log: one broker on this machine, librdkafka alone beside it, one instance and two."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import time

import deliveries
import measures

HERE = pathlib.Path(__file__).resolve().parent
STEADY_RATE = 1000


def cluster_program():
    """The script that starts brokers; None with the reason when there is none, or no Java to run it with."""
    named = os.environ.get("GATEHOUSE_TEST_KAFKA")
    path = pathlib.Path(named) if named else HERE.parent.parent / "shared" / "kafka" / "kafka"
    if path.is_dir():
        path = path / "kafka"
    if not os.access(path, os.X_OK):
        return None, f"there is no {path} to start a broker with (GATEHOUSE_TEST_KAFKA names another)"
    for program, package in [("java", "default-jre-headless"), ("kcat", "kcat")]:
        if not shutil.which(program):
            return None, f"there is no {program} (Debian: {package})"
    return path, None


class Broker:
    """One broker with a folder of its own, on the disk that is measured. It runs only while it is used: a Java machine
    has work to do even when it has none."""

    def __init__(self, program, folder):
        self.program = program
        self.folder = folder
        self.prefixes = 0

    def __enter__(self):
        started = subprocess.run([self.program, "start", self.folder, "1"], stdout=subprocess.PIPE, text=True)
        if started.returncode != 0:
            raise measures.MeasureError(f"the broker did not start: {started.stdout}")
        self.servers = started.stdout.strip().splitlines()[-1]
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        subprocess.run([self.program, "stop", self.folder], check=False, stdout=sys.stderr)

    def log(self):
        """`log:` of instances that share topics nobody has used before."""
        self.prefixes += 1
        self.prefix = f"bench{self.prefixes}"
        return f"log: {{kafka: {{brokers: [\"{self.servers}\"], prefix: {self.prefix}}}}}\n"

    def record_bytes(self):
        """Of one event as it lies in its topic: key, headers and value."""
        command = [
            "kcat", "-C", "-e", "-q", "-c", "1", "-b", self.servers, "-t", f"{self.prefix}.visitor.signin",
            "-f", "%K %S\\n"]
        lengths = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        if len(lengths) != 2:
            raise measures.MeasureError(f"kcat told no lengths: {lengths}")
        key, value = map(int, lengths)
        headers = subprocess.run([*command[:-1], "%h"], capture_output=True, text=True, check=True).stdout
        return key + len(headers) + value


class Measures:
    def __init__(self, bench, broker, producer):
        self.bench = bench
        self.broker = broker
        self.producer = producer

    def round(self):
        with self.broker:
            result = self.intake()
            result.update(self.librdkafka(int(result["kafka_record_bytes"])))
            result.update(self.end_to_end())
            result.update(self.steady())
            result.update(self.scaling())
        return result

    def instance(self, name, targets, routes, log):
        return measures.Gatehouse(self.bench, name, targets, routes, log=log)

    def intake(self):
        """Events that are verified, normalised, found new, and acknowledged by the broker."""
        instance = self.instance("kafka-intake", "", "routes: []\n", self.broker.log())
        start = instance.start()
        load = self.bench.load(
            instance.port, "/in/london", "--secret", measures.SECRET, "--seconds", self.bench.seconds)
        peak = instance.peak_mib()
        instance.stop()
        accepted = instance.reconcile()["accepted"]
        if accepted != load["answered"]:
            raise measures.MeasureError(f"{load['answered']} events acknowledged, {accepted} in Kafka")
        return {
            "kafka_start_to_ready_seconds": start, "kafka_intake_per_second": load["per_second"],
            "kafka_intake_p50_ms": load["p50_ms"], "kafka_intake_p99_ms": load["p99_ms"],
            "kafka_peak_memory_mib": peak, "kafka_record_bytes": self.broker.record_bytes()}

    def librdkafka(self, size):
        """The same bytes from a program that does nothing else: as fast as it can, and with as many records under way as
        the load has connections."""
        full = self.produce(size)
        paced = self.produce(size, "--in-flight", measures.CONNECTIONS)
        return {
            "librdkafka_per_second": full["per_second"], "librdkafka_paced_per_second": paced["per_second"],
            "librdkafka_paced_p50_ms": paced["p50_ms"], "librdkafka_paced_p99_ms": paced["p99_ms"]}

    def produce(self, size, *options):
        command = [
            self.producer, "--brokers", self.broker.servers, "--topic", f"{self.broker.prefix}.visitor.signin",
            "--size", size, "--seconds", self.bench.seconds, *options]
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
        if done.returncode != 0:
            raise measures.MeasureError(f"librdkafka alone failed: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)

    def end_to_end(self):
        """From the first event's acknowledgement to the last webhook's arrival."""
        events = int(2_000 * self.bench.seconds)
        targets = "targets:\n" + deliveries.webhook("receiver", self.bench.nginx_port)
        instance = self.instance("kafka-end-to-end", targets, deliveries.ROUTE, self.broker.log())
        instance.start()
        counter = deliveries.RequestCounter(self.bench.status_port)
        load = self.bench.load(instance.port, "/in/london", "--secret", measures.SECRET, "--requests", events)
        counter.wait_for(events)
        last = time.time()
        peak = instance.peak_mib()
        deliveries.check_received(instance, counter, events)
        return {
            "kafka_end_to_end_per_second": events / (last - load["first_answer"]),
            "kafka_end_to_end_peak_memory_mib": peak}

    def steady(self):
        """At a rate that no part of it has to hurry for: to the acknowledgement, and from there to the webhook."""
        (port,) = measures.free_ports(1)
        targets = "targets:\n" + deliveries.webhook("receiver", port)
        instance = self.instance("kafka-steady", targets, deliveries.ROUTE, self.broker.log())
        instance.start()
        load = self.bench.load(
            instance.port, "/in/london", "--secret", measures.SECRET, "--rate", STEADY_RATE, "--seconds",
            self.bench.seconds, "--receive", port)
        instance.stop()
        if load["repeated"] or load["unknown"]:
            raise measures.MeasureError(f"events arrived that should not have: {load}")
        return {
            "kafka_steady_p50_ms": load["p50_ms"], "kafka_steady_p99_ms": load["p99_ms"],
            "kafka_delivery_p50_ms": load["delivery_p50_ms"], "kafka_delivery_p99_ms": load["delivery_p99_ms"]}

    def scaling(self):
        """The same load on one instance and divided between two, which share topics; webhooks included."""
        events = int(2_000 * self.bench.seconds)
        alone, together = (self.shared_by(count, events) for count in (1, 2))
        return {"kafka_one_instance_per_second": alone, "kafka_two_instances_per_second": together}

    def shared_by(self, count, events):
        log = self.broker.log()
        targets = "targets:\n" + deliveries.webhook("receiver", self.bench.nginx_port)
        instances = [
            self.instance(f"kafka-{count}-{number}", targets, deliveries.ROUTE, log) for number in range(count)]
        for instance in instances:
            instance.start()
        counter = deliveries.RequestCounter(self.bench.status_port)
        begun = time.time()
        self.at_once([
            lambda port=instance.port: self.bench.load(
                port, "/in/london", "--secret", measures.SECRET, "--requests", events // count, "--connections",
                measures.CONNECTIONS // count)
            for instance in instances])
        counter.wait_for(events // count * count)
        seconds = time.time() - begun
        for instance in instances[1:]:
            instance.stop()
        deliveries.check_received(instances[0], counter, events // count * count)
        return events / seconds

    @staticmethod
    def at_once(calls):
        """Begun a moment apart: the load's events are told apart by the tenth of a second it begins in."""
        errors = []

        def guarded(call):
            try:
                call()
            except measures.MeasureError as error:
                errors.append(error)

        threads = [threading.Thread(target=guarded, args=(call,)) for call in calls]
        for thread in threads:
            thread.start()
            time.sleep(0.15)
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]


def ratios(medians):
    m = medians
    return {
        "kafka_intake_to_nginx_ratio": m["kafka_intake_per_second"] / m["nginx_per_second"],
        "kafka_intake_to_librdkafka_ratio": m["kafka_intake_per_second"] / m["librdkafka_per_second"],
        "kafka_intake_to_paced_librdkafka_ratio": m["kafka_intake_per_second"] / m["librdkafka_paced_per_second"],
        "kafka_end_to_end_to_nginx_ratio": m["kafka_end_to_end_per_second"] / m["nginx_per_second"],
        "kafka_end_to_end_to_librdkafka_ratio": m["kafka_end_to_end_per_second"] / m["librdkafka_per_second"],
        "kafka_two_to_one_ratio": m["kafka_two_instances_per_second"] / m["kafka_one_instance_per_second"]}


def rows(medians):
    m = medians
    return [
        ("librdkafka alone, acks=all, one broker", f"{m['librdkafka_per_second']:,.0f} records/s",
         f"{m['kafka_record_bytes']:,.0f} bytes each; with {measures.CONNECTIONS} under way "
         f"{m['librdkafka_paced_per_second']:,.0f}/s, p50 {m['librdkafka_paced_p50_ms']:.2f} ms, "
         f"p99 {m['librdkafka_paced_p99_ms']:.2f} ms"),
        ("intake to Kafka", f"{m['kafka_intake_per_second']:,.0f} requests/s",
         f"p50 {m['kafka_intake_p50_ms']:.2f} ms, p99 {m['kafka_intake_p99_ms']:.2f} ms to the acknowledgement; "
         f"peak memory {m['kafka_peak_memory_mib']:.1f} MiB"),
        ("intake to Kafka / nginx", f"{m['kafka_intake_to_nginx_ratio']:.2f}", ""),
        ("intake to Kafka / librdkafka alone", f"{m['kafka_intake_to_librdkafka_ratio']:.2f}",
         f"{m['kafka_intake_to_paced_librdkafka_ratio']:.2f} of it with {measures.CONNECTIONS} under way"),
        (f"to the acknowledgement, at {STEADY_RATE:,}/s", f"p50 {m['kafka_steady_p50_ms']:.2f} ms",
         f"p99 {m['kafka_steady_p99_ms']:.2f} ms; from there to the webhook p50 {m['kafka_delivery_p50_ms']:.2f} ms, "
         f"p99 {m['kafka_delivery_p99_ms']:.2f} ms"),
        ("Kafka → webhook received", f"{m['kafka_end_to_end_per_second']:,.0f} events/s",
         f"{m['kafka_end_to_end_to_nginx_ratio']:.2f} of nginx, {m['kafka_end_to_end_to_librdkafka_ratio']:.2f} of "
         f"librdkafka alone; peak memory {m['kafka_end_to_end_peak_memory_mib']:.1f} MiB"),
        ("two instances / one", f"{m['kafka_two_to_one_ratio']:.2f}",
         f"{m['kafka_two_instances_per_second']:,.0f} and {m['kafka_one_instance_per_second']:,.0f} events/s to the "
         f"webhook, on {os.cpu_count()} cores shared with the broker, the load and nginx"),
        ("start to ready, Kafka", f"{m['kafka_start_to_ready_seconds'] * 1000:.0f} ms", "topics created"),
    ]
