# SPDX-License-Identifier: GPL-2.0-only
"""What the tests of the exporter share: requests, and parsing of the answers."""

import http.client
import re

from tooltest import patience, run

PORT = 9947
# bcrypt of "secret" at the lowest cost, which an emulated processor can compute quickly
HASH = "$2b$04$pgFkHQAAuuqNUx.ZKLrZSOIShc3Fu3Tio/GxXlr.n5f94jzAwrQWS"


def get(path, method="GET", port=PORT, **headers):
    """Status, headers and text of one request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=patience(30))
    connection.request(method, path, headers=headers)
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, response.headers, text


def samples(text):
    """{name: {((label, value), ...): number}} of a text without escapes in its labels."""
    found = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        name, labels, value = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line).groups()
        labels = tuple(sorted(re.findall(r'(\w+)="([^"]*)"', labels or "")))
        found.setdefault(name, {})[labels] = float(value)
    return found


def sample(found, name, **labels):
    return found[name][tuple(sorted(labels.items()))]


def load(*arguments):
    """Run map-load: {operation: (count, errors, bytes)}."""
    lines = run("map-load", *arguments).stdout.splitlines()
    return {fields[0]: tuple(map(int, fields[1:])) for fields in map(str.split, lines)}
