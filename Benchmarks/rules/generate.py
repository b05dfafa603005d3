#!/usr/bin/env python3
"""Writes routes and events of the shapes that Gatehouse's matching is measured with.

usage: Benchmarks/rules/generate.py FOLDER [--events N] [SHAPE[:ROUTES] …]

Writes FOLDER/SHAPE-ROUTES.yaml, a file of routes, and FOLDER/SHAPE-ROUTES.ndjson, canonical events of about 1.3 KB, one
a line. Without shapes: all of them, at 100, 1000, 10000 and 100000 routes. The same call always writes the same.
"""

import argparse
import json
import pathlib
import random
import sys

SIZES = [100, 1_000, 10_000, 100_000]
TARGETS = 16


def quoted(text):
    return json.dumps(text)


def sites(index, count):
    return "{event: visitor.signin, site: [%s, %s]}" % (quoted(f"{index}"), quoted(f"{(index + 1) % count}"))


def value_prefix_not(index, _):
    return "{personal: {role: %s, Car Reg: {starts_with: %s}, badge: {not: %s}}}" % (
        quoted(f"role {index}"), quoted(f"AB{index} "), quoted(f"B-{index}"))


def not_value(index, _):
    return "{personal: {badge: {not: %s}, role: %s}}" % (quoted(f"B-{index}"), quoted(f"role {index}"))


def glob(index, _):
    return "{visitor: {email: {like: %s}}}" % quoted(f"v*{index}@*acme*")


def answers(index, count):
    values = max(1, count // 20)
    return "{additional: {%s: %s}}" % (quoted(f"Question {index % 20}"), quoted(f"answer {index // 20 % values}"))


def only_not(index, _):
    return "{personal: {badge: {not: %s}}}" % quoted(f"B-{index}")


SHAPES = {
    "sites": sites, "value-prefix-not": value_prefix_not, "not-value": not_value, "glob": glob, "answers": answers,
    "only-not": only_not,
}


def event(number, routes, chance):
    """One event that some route of every shape takes."""
    route = chance.randrange(routes)
    site = f"{chance.randrange(routes)}"
    values = max(1, routes // 20)
    personal = {
        "role": f"Role {route}", "Car Reg": f"AB{route} XYZ", "badge": f"B-{chance.randrange(routes)}",
        "Department": chance.choice(["Sales", "Facilities", "IT", "Finance"]), "Vehicle": "Van",
        "Emergency contact": "Jane Doe, +44 20 7946 0958",
    }
    data = {
        "vendor": "signinapp", "vendor_event": "visitor.signin", "source": "london",
        "received_at": "2024-07-30T09:00:01.123Z",
        "site": {"id": site, "name": f"Site {site}", "type": "standard", "timezone": "Europe/London"},
        "group": {"name": chance.choice(["Contractor", "Visitor", "Staff"])},
        "visitor": {
            "id": f"{100000 + number}", "name": "John Smith", "email": f"visitor.{chance.randrange(100)}x{route}@mail.acme.com",
            "phone": "+442079460958", "company": "Example Ltd", "returning": False, "pre_registered": False,
            "remote": False},
        "host": {"id": "8", "name": "Adele Vance", "role": "Retail Manager", "email": "adele.vance@example.com"},
        "personal": personal,
        "additional": {f"Question {place}": f"answer {chance.randrange(values)}" for place in range(20)},
    }
    return {
        "specversion": "1.0", "id": f"{number:032x}", "source": "/sources/london",
        "type": "visitor.signin" if chance.random() < 0.8 else "visitor.signout",
        "subject": f"visitor/{100000 + number}", "time": "2024-07-30T09:00:00.000Z",
        "datacontenttype": "application/json", "dataschema": "urn:gatehouse:event:1",
        "partitionkey": f"{site}/{100000 + number}", "data": data,
    }


def write(folder, shape, routes, events):
    chance = random.Random(f"{shape} {routes}")
    with open(folder / f"{shape}-{routes}.yaml", "w") as file:
        file.write("routes:\n")
        for index in range(routes):
            when = SHAPES[shape](index, routes)
            file.write("- {name: r%d, when: %s, to: t%d}\n" % (index, when, index % TARGETS))
    with open(folder / f"{shape}-{routes}.ndjson", "w") as file:
        for number in range(events):
            file.write(json.dumps(event(number, routes, chance), separators=(",", ":")) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--events", type=int, default=1000)
    parser.add_argument("shapes", nargs="*", help=", ".join(SHAPES))
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for wanted in arguments.shapes or SHAPES:
        shape, _, size = wanted.partition(":")
        if shape not in SHAPES:
            sys.exit(f"generate.py: there is no shape {shape}; there are {', '.join(SHAPES)}")
        for routes in [int(size)] if size else SIZES:
            write(arguments.folder, shape, routes, arguments.events)


main()
