"""How many events one core writes in each format: `gatehouse bench formats`, several times."""

import json
import subprocess


def measure(program, seconds, repeats):
    """Events a second by format, the most of all rounds."""
    most = {}
    for _ in range(repeats):
        run = subprocess.run(
            [program, "bench", "formats", "--seconds", str(seconds), "--json"], stdout=subprocess.PIPE, text=True,
            check=True)
        for line in run.stdout.splitlines():
            figure = json.loads(line)
            most[figure["format"]] = max(figure["per_second"], most.get(figure["format"], 0))
    return most
