"""A real Prometheus for comparison: started on a free port, fed by remote write."""

from __future__ import annotations

import json
import socket
import struct
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

Series = tuple[dict[str, str], Iterable[tuple[int, float]]]  # labels, (milliseconds, value)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _field(number: int, payload: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(payload)) + payload


def write_request(series: Iterable[Series]) -> bytes:
    """Encode remote-write's protobuf message, framed as uncompressed snappy."""
    message = bytearray()
    for labels, samples in series:
        body = b"".join(
            _field(1, _field(1, name.encode()) + _field(2, labels[name].encode()))
            for name in sorted(labels)
        )
        for when, value in samples:
            bits = value if isinstance(value, bytes) else struct.pack("<d", value)
            body += _field(2, b"\x09" + bits + b"\x10" + _varint(when))
        message += _field(1, body)
    out = bytearray(_varint(len(message)))
    for start in range(0, len(message), 65_536):
        part = message[start : start + 65_536]
        out += b"\xf4" + struct.pack("<H", len(part) - 1) + part
    return bytes(out)


class Server:
    """Client of one running server."""

    def __init__(self, url: str) -> None:
        self.url = url

    def write(self, series: Iterable[Series]) -> None:
        request = urllib.request.Request(
            f"{self.url}/api/v1/write",
            write_request(series),
            {
                "Content-Encoding": "snappy",
                "Content-Type": "application/x-protobuf",
                "X-Prometheus-Remote-Write-Version": "0.1.0",
            },
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.status in (200, 204)

    def query_range(self, expr: str, start: float, end: float, step: float):
        """Give the answer as {labels: {milliseconds: value}}, or the error as text."""
        fields = {"query": expr, "start": start, "end": end, "step": step}
        data = urllib.parse.urlencode(fields).encode()
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/query_range", data, timeout=60) as raw:
                answer = json.load(raw)
        except urllib.error.HTTPError as error:
            return json.load(error).get("error", "error")
        return {
            tuple(sorted(row["metric"].items())): {
                round(t * 1000): float(v) for t, v in row["values"]
            }
            for row in answer["data"]["result"]
        }


@contextmanager
def running(folder: Path):
    """Start a server with an empty database in a folder; stop it at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "prometheus.yml").write_text("global: {}\n", encoding="utf-8")
    process = subprocess.Popen(
        [
            "prometheus",
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--web.enable-remote-write-receiver",
            "--storage.tsdb.retention.time=100y",
            "--log.level=error",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        for _ in range(150):
            try:
                with urllib.request.urlopen(f"{url}/-/ready", timeout=2) as answer:
                    if answer.status == 200:
                        break
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.1)
        else:
            msg = "the server did not become ready"
            raise RuntimeError(msg)
        yield Server(url)
    finally:
        process.terminate()
        process.wait(timeout=30)
