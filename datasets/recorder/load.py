"""Open-loop load generator: requests arrive at random at a rate that follows a short day.

Arrivals do not wait for answers, so a slow shop is felt as in real life. The generator has its
own ``/metrics`` (what the customers see) and ``POST /control`` (the traffic surge).
"""

from __future__ import annotations

import argparse
import asyncio
import math
import random
import time

import aiohttp
import prometheus_client as prom
import uvloop
from aiohttp import web

LOW, HIGH = 12.0, 60.0
MIX = {"/": 0.22, "/product": 0.38, "/search": 0.20, "/cart": 0.12, "/checkout": 0.08}
OUTCOMES = ("200", "500", "502", "503", "504", "timeout", "error", "dropped")
MAX_IN_FLIGHT = 400

prom.disable_created_metrics()
for collector in (prom.GC_COLLECTOR, prom.PLATFORM_COLLECTOR, prom.PROCESS_COLLECTOR):
    prom.REGISTRY.unregister(collector)

DURATION = prom.Histogram(
    "client_request_duration_seconds",
    "Time a customer waits for a page.",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5),
)
RESULTS = prom.Counter("client_requests", "Requests sent by customers, by outcome.", ["outcome"])
RATE = prom.Gauge("client_offered_requests_per_second", "Arrival rate the generator aims at.")
IN_FLIGHT = prom.Gauge("client_requests_in_flight", "Requests that wait for an answer.")


def day_shape(phase: float) -> float:
    """Traffic over the day, 0 to 1: quiet night, lunch hump, higher evening hump."""
    total = 0.0
    for centre, width, height in ((0.47, 0.11, 0.78), (0.82, 0.085, 1.0)):
        distance = (phase - centre + 0.5) % 1.0 - 0.5
        total += height * math.exp(-0.5 * (distance / width) ** 2)
    return min(1.0, total)


class Load:
    """The generator: its clock, its noise and its HTTP client."""

    def __init__(self, base: str, epoch: float, day: float, seed: int) -> None:
        self.base, self.epoch, self.day = base, epoch, day
        self.random = random.Random(seed)
        self.factor = 1.0
        self.noise = 0.0
        self.in_flight = 0

    def rate(self) -> float:
        """Arrivals per second at this moment."""
        phase = ((time.time() - self.epoch) / self.day) % 1.0
        return (LOW + (HIGH - LOW) * day_shape(phase)) * math.exp(self.noise) * self.factor

    async def drift(self) -> None:
        """Slow multiplicative noise: an AR(1) process with a time constant of about 15 s."""
        while True:
            self.noise = 0.935 * self.noise + self.random.gauss(0.0, 0.02)
            RATE.set(self.rate())
            IN_FLIGHT.set(self.in_flight)
            await asyncio.sleep(1.0)

    def request(self) -> tuple[str, str]:
        """Draw the next request: method and URL. Popular products are asked for more often."""
        route = self.random.choices(list(MIX), list(MIX.values()))[0]
        customer = self.random.randint(1, 20_000)
        item = 1 + int(199_999 * self.random.random() ** 3)
        if route == "/product":
            return "GET", f"/product/{item}"
        if route == "/search":
            category, price = self.random.randint(0, 399), self.random.randint(1, 450)
            return "GET", f"/search?category={category}&min_price={price}"
        if route in ("/cart", "/checkout"):
            method = "GET" if route == "/cart" else "POST"
            return method, f"{route}?customer={customer}&product={item}"
        return "GET", f"/?customer={customer}"

    async def send(self, session: aiohttp.ClientSession, method: str, path: str) -> None:
        """Send one request and note its outcome."""
        begin = time.perf_counter()
        self.in_flight += 1
        try:
            async with session.request(method, self.base + path) as response:
                await response.read()
                outcome = str(response.status)
        except TimeoutError:
            outcome = "timeout"
        except aiohttp.ClientError:
            outcome = "error"
        finally:
            self.in_flight -= 1
        DURATION.observe(time.perf_counter() - begin)
        RESULTS.labels(outcome).inc()

    async def arrivals(self) -> None:
        """Start requests at Poisson times, for ever."""
        timeout = aiohttp.ClientTimeout(total=6.0)
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=20.0)
        tasks: set[asyncio.Task[None]] = set()
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
            due = time.perf_counter()
            while True:
                due += self.random.expovariate(self.rate())
                pause = due - time.perf_counter()
                if pause > 0:
                    await asyncio.sleep(pause)
                elif pause < -1.0:
                    due = time.perf_counter()
                method, path = self.request()
                if self.in_flight >= MAX_IN_FLIGHT:
                    RESULTS.labels("dropped").inc()
                    continue
                task = asyncio.create_task(self.send(session, method, path))
                tasks.add(task)
                task.add_done_callback(tasks.discard)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--epoch", type=float, required=True)
    parser.add_argument("--day", type=float, default=480.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    load = Load(options.base, options.epoch, options.day, options.seed)
    for outcome in OUTCOMES:
        RESULTS.labels(outcome)

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=prom.generate_latest(), content_type="text/plain")

    async def control(request: web.Request) -> web.Response:
        load.factor = float((await request.json())["factor"])
        return web.json_response({"factor": load.factor})

    app = web.Application()
    app.add_routes([web.get("/metrics", metrics), web.post("/control", control)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", options.port).start()
    await asyncio.gather(load.drift(), load.arrivals())


if __name__ == "__main__":
    uvloop.run(main())
