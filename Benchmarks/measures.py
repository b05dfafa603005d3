"""What is measured of the intake, and with what. Everything is on loopback, on ports the kernel chose, in folders of one
run."""

import http.client
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time

SECRET = "benchmark-secret"
TOKEN = "benchmark-token"
BODY_BYTES = 575
CONNECTIONS = 64
BATCH_EVENTS = 20_000


class MeasureError(Exception):
    pass


def age(path):
    return time.time() - path.stat().st_mtime


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def wait_until(condition, seconds, what, pause=0.002):
    deadline = time.time() + seconds
    while not condition():
        if time.time() > deadline:
            raise MeasureError(f"{what} took longer than {seconds:g} s")
        time.sleep(pause)


def get(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except OSError:
        return 0, ""
    finally:
        connection.close()


def quantile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


class Gatehouse:
    """One running instance on a data folder of its own."""

    def __init__(self, bench, name, targets, routes, log="", sources="", files=None):
        """`log`: lines of the configuration, in place of the embedded log with its ids. `sources`: further ones. `files`:
        by their names, beside the configuration."""
        self.bench = bench
        self.targets = targets
        self.folder = bench.scratch / name
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        if not log:
            subprocess.run(["cp", "-a", "--reflink=auto", bench.filled, self.folder / "data"], check=True)
        # What the copy left to be written must not be written during the measure.
        os.sync()
        self.port, self.console = free_ports(2)
        (self.folder / "routes.yaml").write_text(routes)
        for file, text in (files or {}).items():
            (self.folder / file).write_text(text)
        self.configuration = self.folder / "gatehouse.yaml"
        self.configuration.write_text(
            f"listen: 127.0.0.1:{self.port}\n"
            f"console: 127.0.0.1:{self.console}\n"
            "data: ./data\n"
            f"{log}"
            "sources:\n"
            f"  london: {{vendor: signinapp, secrets: [\"{SECRET}\"], group: Contractor}}\n"
            f"  guests: {{vendor: netgraph, headers: {{x-portal-token: \"{TOKEN}\"}}}}\n"
            f"{sources}"
            f"{targets}"
            "routes: ./routes.yaml\n")
        self.process = None

    def start(self):
        """Seconds from the start of the process until it is ready."""
        log = open(self.folder / "log", "wb")
        begun = time.time()
        self.process = self.bench.spawn([self.bench.gatehouse, "run", "-c", self.configuration], log)
        wait_until(self.is_ready, 60, "the start of gatehouse", pause=0.001)
        return time.time() - begun

    def is_ready(self):
        if self.process.poll() is not None:
            raise MeasureError(f"gatehouse ended: {(self.folder / 'log').read_text()[-2000:]}")
        return get(self.console, "/readyz")[0] == 200

    def reset_peak(self):
        """The peak counts from here on."""
        with open(f"/proc/{self.process.pid}/clear_refs", "w") as file:
            file.write("5")

    def reload(self, targets):
        """With other targets in the configuration."""
        text = self.configuration.read_text()
        self.configuration.write_text(text.replace(self.targets, targets))
        self.targets = targets
        self.process.send_signal(signal.SIGHUP)

    def peak_mib(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) / 1024
        raise MeasureError("there is no VmHWM")

    def stop(self):
        self.bench.stop(self.process)

    def reconcile(self):
        command = [self.bench.gatehouse, "reconcile", "--json", "-c", self.configuration]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise MeasureError(f"reconcile: exit {done.returncode}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)


class Bench:
    def __init__(self, scratch, template, load, gatehouse, filled, seconds):
        self.scratch = scratch
        self.load_program = load
        self.gatehouse = gatehouse
        self.filled = filled
        self.seconds = seconds
        self.processes = []
        self.nginx_port, self.status_port = free_ports(2)
        self.start_nginx(template)

    # Processes

    def spawn(self, command, output):
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        self.processes.append(process)
        return process

    def stop(self, process):
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self.processes.remove(process)

    def stop_all(self):
        for process in list(self.processes):
            self.stop(process)

    def start_nginx(self, template):
        nginx = shutil.which("nginx") or "/usr/sbin/nginx"
        text = template.read_text().replace("@FOLDER@", str(self.scratch))
        text = text.replace("@PORT@", str(self.nginx_port)).replace("@STATUS_PORT@", str(self.status_port))
        configuration = self.scratch / "nginx.conf"
        configuration.write_text(text)
        self.spawn([nginx, "-p", self.scratch, "-c", configuration], open(self.scratch / "nginx-log", "wb"))
        wait_until(lambda: get(self.nginx_port, "/")[0] == 200, 10, "the start of nginx")

    # Measures

    def load(self, port, path, *options):
        return self.loaded(self.begin_load(port, path, *options))

    def begin_load(self, port, path, *options):
        """A load that goes on until `loaded` waits for its end."""
        command = [self.load_program, "--port", port, "--path", path, "--size", BODY_BYTES, "--connections", CONNECTIONS]
        process = subprocess.Popen(
            [str(part) for part in [*command, *options]], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.processes.append(process)
        return process

    def loaded(self, process):
        output, errors = process.communicate()
        self.processes.remove(process)
        if process.returncode != 0:
            raise MeasureError(f"{' '.join(process.args)} failed: {output}{errors}")
        return json.loads(output)

    def round(self):
        result = self.disk()
        result.update(self.nginx())
        result.update(self.intake())
        return result

    def disk(self):
        """How long a write of 4 KiB takes to be on the disk of the data folder."""
        path = self.scratch / "disk"
        block = secrets.token_bytes(4096)
        durations = []
        descriptor = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
        end = time.monotonic() + min(self.seconds, 2)
        while time.monotonic() < end:
            begun = time.monotonic()
            os.write(descriptor, block)
            os.fdatasync(descriptor)
            durations.append((time.monotonic() - begun) * 1000)
        os.close(descriptor)
        path.unlink()
        return {"fsync_p50_ms": quantile(durations, 0.5), "fsync_p99_ms": quantile(durations, 0.99)}

    def nginx(self):
        load = self.load(self.nginx_port, "/", "--seconds", self.seconds)
        return {
            "nginx_per_second": load["per_second"], "nginx_p50_ms": load["p50_ms"], "nginx_p99_ms": load["p99_ms"]}

    def intake(self):
        """Events that are verified, normalised, found new, and durable; then a batch on the same instance."""
        instance = Gatehouse(self, "intake", "", "routes: []\n")
        start = instance.start()
        load = self.load(instance.port, "/in/london", "--secret", SECRET, "--seconds", self.seconds)
        peak = instance.peak_mib()
        batch = self.batch(instance)
        peak_with_batch = instance.peak_mib()
        instance.stop()
        accepted = instance.reconcile()["accepted"]
        if accepted != load["answered"] + BATCH_EVENTS:
            raise MeasureError(f"{load['answered']} + {BATCH_EVENTS} events acknowledged, {accepted} in the log")
        return {
            "start_to_ready_seconds": start, "intake_per_second": load["per_second"],
            "intake_p50_ms": load["p50_ms"], "intake_p99_ms": load["p99_ms"], "peak_memory_mib": peak,
            "batch_seconds": batch, "peak_memory_with_batch_mib": peak_with_batch}

    def batch(self, instance):
        """Seconds until the answer to a list of events, all of them durable by then."""
        body = batch_body(secrets.token_hex(4))
        connection = http.client.HTTPConnection("127.0.0.1", instance.port, timeout=120)
        begun = time.monotonic()
        connection.request("POST", "/in/guests", body, {"x-portal-token": TOKEN, "content-type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        seconds = time.monotonic() - begun
        connection.close()
        if answer.status != 200:
            raise MeasureError(f"the batch was answered {answer.status}: {text.decode()}")
        return seconds


def batch_body(run):
    """A list as the captive portal posts it, of events nobody has seen."""
    events = (
        '{"event":"signin.session.created","timestamp":"2024-07-30T01:49:27.069Z",'
        '"context":{"id":"ctx-7","name":"Lobby Wi-Fi"},"session":{"id":"%s-%d","state":"active"},'
        '"guest":{"id":"g-%d","name":"Grace Guest","email":"grace.%d@example.com","phone":"+441632960123"},'
        '"device":{"mac":"02:00:00:%02x:%02x:%02x","ip":"192.0.2.7","hostname":"graces-phone"},'
        '"host":{"name":"Henry Host","email":"henry.host@example.com"},'
        '"terms":{"version":"3.1","accepted":true},"bytes":{"in":%d,"out":%d}}'
        % (run, index, index, index, index >> 16 & 255, index >> 8 & 255, index & 255, index * 37, index * 11)
        for index in range(BATCH_EVENTS))
    return "[" + ",".join(events) + "]"
