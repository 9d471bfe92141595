"""Reading from a Prometheus server: pieces, metadata, and every way that it can fail."""

from __future__ import annotations

import json
import sys
from urllib.parse import parse_qs

import httpx
import pytest

from monitorlab.errors import MissingExtraError, MonitorlabWarning, SourceError, TimeError
from monitorlab.io import read_prometheus
from monitorlab.io.prometheus import MAX_POINTS
from monitorlab.model import Labels, Metric, MetricType, SeriesKey


class Server:
    """A server that knows one counter (its value is its time) and one histogram's sum."""

    def __init__(self, metadata=None, **answers):
        self.queries = []
        self.metadata = metadata
        self.answers = answers

    def __call__(self, request):
        if request.url.path.endswith("/metadata"):
            if self.metadata is None:
                return httpx.Response(404, text="no such page")
            return httpx.Response(200, json={"status": "success", "data": self.metadata})
        form = {k: v[0] for k, v in parse_qs(request.content.decode()).items()}
        self.queries.append(form)
        start, end, step = (float(form[name]) for name in ("start", "end", "step"))
        count = int((end - start) / step + 1e-9) + 1
        stamps = [start + step * i for i in range(count)]
        assert count <= MAX_POINTS
        series = [
            {
                "metric": {"__name__": form["query"], "job": "x"},
                "values": [[t, str(t)] for t in stamps],
            }
        ]
        data = {"resultType": "matrix", "result": series}
        return httpx.Response(200, json={"status": "success", "data": data, **self.answers})


def read(handler, match="up", start=0, end=60, step="15s", **options):
    client = httpx.Client(transport=httpx.MockTransport(handler))
    options.setdefault("metadata", False)
    return read_prometheus("http://p:9090/", match, start, end, step, client=client, **options)


def test_series():
    store = read(Server(), ["up", "down"])
    assert store.keys == [SeriesKey("down", Labels(job="x")), SeriesKey("up", Labels(job="x"))]
    assert store.select("up")[0].times.tolist() == [i * 15 * 10**9 for i in range(5)]
    assert store.select("up")[0].values.tolist() == [0.0, 15.0, 30.0, 45.0, 60.0]


def test_long_ranges_are_asked_in_pieces_on_one_grid():
    server = Server()
    store = read(server, end=25_000, step="1s")
    assert [(q["start"], q["end"]) for q in server.queries] == [
        ("0.000", "10999.000"),
        ("11000.000", "21999.000"),
        ("22000.000", "25000.000"),
    ]
    view = store.select()[0]
    assert view.values.tolist() == list(range(25_001))
    assert store.dropped == {}


def test_metadata():
    known = {
        "up": [{"type": "gauge", "help": "Is it up?", "unit": ""}],
        "hits_total": [{"type": "counter", "help": "Hits", "unit": ""}],
        "rpc": [{"type": "histogram", "help": "Calls", "unit": "seconds"}],
        "odd": [],
    }
    store = read(Server(known), ["up", "hits_total", "rpc_sum", "odd"], metadata=True)
    assert store.metrics == {
        "up": Metric("up", MetricType.GAUGE, "", "Is it up?"),
        "hits_total": Metric("hits_total", MetricType.COUNTER, "", "Hits"),
        "rpc_sum": Metric("rpc_sum", MetricType.COUNTER, "", "Calls"),
        "rpc": Metric("rpc", MetricType.HISTOGRAM, "seconds", "Calls"),
    }


def test_a_server_without_metadata():
    with pytest.warns(MonitorlabWarning, match="no types are known.*404"):
        store = read(Server(), metadata=True)
    assert store.metrics == {}


def test_warnings_of_the_server_are_passed_on():
    with pytest.warns(MonitorlabWarning, match="a store did not answer"):
        read(Server(warnings=["a store did not answer"]))


def respond(code=200, text="", **answer):
    return lambda request: httpx.Response(code, text=json.dumps(answer) if answer else text)


def fail(error):
    def handler(request):
        raise error

    return handler


@pytest.mark.parametrize(
    ("handler", "message"),
    [
        (respond(500, "out of\n memory"), "answered 500: out of memory"),
        (respond(502), r"answered 502: \(nothing\)"),
        (
            respond(400, status="error", error="parse error at char 3"),
            "answered 400: parse error at char 3",
        ),
        (respond(200, status="error", error="too many samples"), "too many samples"),
        (respond(200, "<html>hello"), "did not answer in JSON but: <html>hello"),
        (respond(200, "[1]"), "did not answer as Prometheus does"),
        (respond(200, status="success"), "cannot be read"),
        (
            respond(200, status="success", data={"resultType": "scalar", "result": [1, "1"]}),
            "gives a scalar, not series",
        ),
        (
            respond(
                200,
                status="success",
                data={"resultType": "matrix", "result": [{"metric": {}, "values": [[1, "x"]]}]},
            ),
            "cannot be read",
        ),
        (
            respond(200, status="success", data={"resultType": "matrix", "result": [3]}),
            "cannot be read",
        ),
        (fail(httpx.ConnectError("refused")), "cannot be reached: refused"),
        (fail(httpx.ReadTimeout("slow")), "did not answer in time"),
    ],
)
def test_failures(handler, message):
    with pytest.raises(SourceError, match=message) as caught:
        read(handler)
    assert "http://p:9090/api/v1/query_range" in str(caught.value) or "up" in str(caught.value)


def test_too_large_an_answer():
    with pytest.raises(SourceError, match="more than 0 MB"):
        read(Server(), max_bytes=10)


def test_ranges_are_checked_first():
    with pytest.raises(TimeError, match="ends before it starts"):
        read(Server(), start=60, end=0)
    with pytest.raises(TimeError, match="must be a millisecond or more"):
        read(Server(), step=0)


def test_expression_without_name_and_empty_series():
    data = {
        "resultType": "matrix",
        "result": [{"metric": {"a": "b"}, "values": [[0, "NaN"]]}, {"metric": {}, "values": []}],
    }
    store = read(respond(200, status="success", data=data), "rate(x[5m])")
    assert store.keys == [SeriesKey("rate(x[5m])", Labels(a="b"))]
    assert store.nan_count == 1


def test_httpx_is_optional(monkeypatch):
    monkeypatch.setitem(sys.modules, "httpx", None)
    with pytest.raises(MissingExtraError, match=r"monitorlab\[prometheus\]"):
        read_prometheus("http://p", "up", 0, 1)
