"""The shop: an aiohttp application on PostgreSQL, with Prometheus metrics.

Five customer routes, a background worker that processes placed orders, ``/metrics``, and
``/admin/fault`` through which the recorder switches the application-side faults on and off.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import hashlib
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import prometheus_client as prom
import uvloop
from aiohttp import web

ROUTES = {
    "/": "/",
    "/product/{id}": "/product",
    "/search": "/search",
    "/cart": "/cart",
    "/checkout": "/checkout",
}
CODES = ("200", "500", "503")
BUCKETS = (0.002, 0.003, 0.004, 0.006, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
POOL_MAX = 16
VERSION, SLOW_VERSION = "1.8.0", "1.9.0"

prom.disable_created_metrics()
prom.REGISTRY.unregister(prom.GC_COLLECTOR)
prom.REGISTRY.unregister(prom.PLATFORM_COLLECTOR)

DURATION = prom.Histogram(
    "http_request_duration_seconds",
    "Time to answer a request, by route.",
    ["route"],
    buckets=BUCKETS,
)
REQUESTS = prom.Counter(
    "http_requests", "Requests answered, by route and status code.", ["route", "code"]
)
IN_FLIGHT = prom.Gauge("http_requests_in_flight", "Requests being answered.")
POOL = prom.Gauge("db_pool_connections", "Connections of the database pool, by state.", ["state"])
POOL_LIMIT = prom.Gauge("db_pool_connections_max", "Largest allowed size of the database pool.")
POOL_WAIT = prom.Histogram(
    "db_pool_wait_seconds",
    "Time spent waiting for a pool connection.",
    buckets=(0.001, 0.01, 0.1, 0.5, 1.0),
)
POOL_TIMEOUTS = prom.Counter("db_pool_timeouts", "Waits for a pool connection that gave up.")
QUEUE = prom.Gauge("order_queue_length", "Placed orders that wait for the worker.")
PLACED = prom.Counter("orders_placed", "Orders placed by customers.")
PROCESSED = prom.Counter("orders_processed", "Orders processed by the worker.")
OLDEST = prom.Gauge("order_queue_oldest_age_seconds", "Age of the oldest order in the queue.")
LAG = prom.Gauge("event_loop_lag_seconds", "Lateness of a 100 ms timer, worst of the last second.")
SESSIONS = prom.Gauge("session_cache_entries", "Entries of the in-memory session cache.")
BUILD = prom.Gauge("app_build_info", "Always 1; the running release is the label.", ["version"])


class PlainConnection(asyncpg.Connection):
    """A connection that is returned to the pool without a reset round trip."""

    def get_reset_query(self) -> str:
        """Return no statements."""
        return ""


@dataclass
class Shop:
    """State of the running application, including which faults are switched on."""

    pool: asyncpg.Pool
    slowdown: float = 0.0
    error_route: str = ""
    error_share: float = 0.0
    leak_bytes: int = 0
    worker_stalled: bool = False
    leaked: list[Any] = field(default_factory=list)
    session_cache: list[bytes] = field(default_factory=list)
    waiting: dict[int, float] = field(default_factory=dict)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """Lend a pool connection and record how long it took to get one."""
        begin = time.perf_counter()
        try:
            connection = await self.pool.acquire(timeout=2.0)
        except TimeoutError:
            POOL_TIMEOUTS.inc()
            raise
        finally:
            POOL_WAIT.observe(time.perf_counter() - begin)
        try:
            yield connection
        finally:
            await self.pool.release(connection)


SHOP: web.AppKey[Shop] = web.AppKey("shop", Shop)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def render(rows: list[asyncpg.Record], rounds: int = 3000) -> web.Response:
    """Build a page from rows, with some honest processor work (a signed session)."""
    body = "".join(f"<li>{row[0]} {row[1]}</li>" for row in rows)
    token = hashlib.pbkdf2_hmac("sha256", body.encode(), b"shop", rounds).hex()
    return web.Response(text=f"<ul data-token='{token}'>{body}</ul>", content_type="text/html")


@web.middleware
async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Measure every customer request and apply the request-level faults."""
    resource = request.match_info.route.resource
    route = ROUTES.get(resource.canonical) if resource else None
    if route is None:
        return await handler(request)
    shop = request.app[SHOP]
    begin = time.perf_counter()
    IN_FLIGHT.inc()
    try:
        if shop.error_route == route and random.random() < shop.error_share:
            raise RuntimeError("price service returned an unexpected answer")
        response: web.StreamResponse = await handler(request)
        if shop.leak_bytes:
            shop.session_cache.append(b"s" * shop.leak_bytes)
        if shop.slowdown:
            await spend(shop.slowdown * (time.perf_counter() - begin))
    except TimeoutError:
        response = web.Response(status=503, text="busy")
    except (RuntimeError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        response = web.Response(status=500, text="error")
    finally:
        IN_FLIGHT.dec()
        DURATION.labels(route).observe(time.perf_counter() - begin)
    REQUESTS.labels(route, str(response.status)).inc()
    return response


async def spend(seconds: float) -> None:
    """Use up the given time: whole milliseconds asleep, the rest in the processor."""
    deadline = time.perf_counter() + seconds
    if seconds > 0.002:
        await asyncio.sleep(seconds - 0.001)
    while time.perf_counter() < deadline:
        pass


async def home(request: web.Request) -> web.StreamResponse:
    first = random.randrange(1, 199_000)
    async with request.app[SHOP].connection() as db:
        rows = await db.fetch(
            "SELECT name, price FROM products WHERE id BETWEEN $1 AND $1 + 19", first
        )
        await db.fetchval(
            "SELECT count(*) FROM cart_items WHERE customer_id = $1",
            int(request.query.get("customer", "1")),
        )
    return render(rows, 4000)


async def product(request: web.Request) -> web.StreamResponse:
    async with request.app[SHOP].connection() as db:
        rows = await db.fetch(
            "SELECT name, price, stock, description FROM products WHERE id = $1",
            int(request.match_info["id"]),
        )
    return render(rows)


async def search(request: web.Request) -> web.StreamResponse:
    async with request.app[SHOP].connection() as db:
        rows = await db.fetch(
            "SELECT name, price FROM products WHERE category = $1 AND price >= $2 "
            "ORDER BY price LIMIT 40",
            int(request.query["category"]),
            int(request.query["min_price"]),
        )
    return render(rows, 4000)


async def cart(request: web.Request) -> web.StreamResponse:
    customer = int(request.query["customer"])
    async with request.app[SHOP].connection() as db:
        await db.execute(
            "INSERT INTO cart_items VALUES ($1, $2, 1) ON CONFLICT (customer_id, product_id) "
            "DO UPDATE SET quantity = cart_items.quantity + 1",
            customer,
            int(request.query["product"]),
        )
        rows = await db.fetch(
            "SELECT p.name, c.quantity FROM cart_items c JOIN products p "
            "ON p.id = c.product_id WHERE c.customer_id = $1 LIMIT 50",
            customer,
        )
        await db.fetch(
            "SELECT id, status FROM orders WHERE customer_id = $1 "
            "ORDER BY created_at DESC LIMIT 10",
            customer,
        )
    return render(rows)


async def checkout(request: web.Request) -> web.StreamResponse:
    shop = request.app[SHOP]
    customer, item = int(request.query["customer"]), int(request.query["product"])
    await asyncio.sleep(random.lognormvariate(-3.5, 0.35))  # the payment provider, about 30 ms
    async with shop.connection() as db, db.transaction():
        rows = await db.fetch(
            "UPDATE products SET stock = stock - 1 WHERE id = $1 RETURNING name, price", item
        )
        order = await db.fetchval(
            "INSERT INTO orders (customer_id, product_id, quantity, status) "
            "VALUES ($1, $2, 1, 'new') RETURNING id",
            customer,
            item,
        )
        await db.execute("DELETE FROM cart_items WHERE customer_id = $1", customer)
        shop.waiting[order] = time.time()  # before the commit: the worker may be quicker than us
    PLACED.inc()
    return render(rows, 4000)


async def worker(shop: Shop) -> None:
    """Process placed orders in small batches, for ever."""
    while True:
        await asyncio.sleep(0.4)
        if shop.worker_stalled:
            continue
        try:
            async with shop.connection() as db:
                done = await db.fetch(
                    "UPDATE orders SET status = 'done' WHERE id IN (SELECT id FROM orders "
                    "WHERE status = 'new' ORDER BY id LIMIT 12 FOR UPDATE SKIP LOCKED) "
                    "RETURNING id"
                )
        except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            continue
        for row in done:
            shop.waiting.pop(row["id"], None)
        PROCESSED.inc(len(done))


async def watch_loop() -> None:
    """Publish how late the event loop runs its timers."""
    while True:
        worst = 0.0
        for _ in range(10):
            begin = time.perf_counter()
            await asyncio.sleep(0.1)
            worst = max(worst, time.perf_counter() - begin - 0.1)
        LAG.set(worst)


async def metrics(request: web.Request) -> web.Response:
    shop = request.app[SHOP]
    idle = shop.pool.get_idle_size()
    POOL.labels("idle").set(idle)
    POOL.labels("in_use").set(shop.pool.get_size() - idle)
    POOL_LIMIT.set(POOL_MAX)
    QUEUE.set(len(shop.waiting))
    OLDEST.set(time.time() - min(shop.waiting.values()) if shop.waiting else 0.0)
    SESSIONS.set(len(shop.session_cache))
    return web.Response(body=prom.generate_latest(), content_type="text/plain")


async def fault(request: web.Request) -> web.Response:
    """Switch a fault on or off; the answer tells the state that recovery is checked against."""
    shop, order = request.app[SHOP], await request.json()
    for name in ("slowdown", "error_route", "error_share", "leak_bytes", "worker_stalled"):
        if name in order:
            setattr(shop, name, order[name])
    if "slowdown" in order:
        BUILD.clear()
        BUILD.labels(SLOW_VERSION if shop.slowdown else VERSION).set(1)
    for _ in range(order.get("leak_connections", 0)):
        try:
            shop.leaked.append(await shop.pool.acquire(timeout=5.0))
        except TimeoutError:
            break
    if order.get("return_connections"):
        while shop.leaked:
            await shop.pool.release(shop.leaked.pop())
    if order.get("free_memory"):
        shop.session_cache.clear()
        ctypes.CDLL(None).malloc_trim(0)
    return web.json_response(
        {"leaked": len(shop.leaked), "queue": len(shop.waiting), "cached": len(shop.session_cache)}
    )


async def make_app(dsn: str) -> web.Application:
    """Connect to the database and build the application."""
    pool = await asyncpg.create_pool(
        dsn,
        min_size=4,
        max_size=POOL_MAX,
        command_timeout=5.0,
        connection_class=PlainConnection,
        max_inactive_connection_lifetime=60.0,
    )
    shop = Shop(pool)
    for row in await pool.fetch("SELECT id FROM orders WHERE status = 'new'"):
        shop.waiting[row["id"]] = time.time()
    for route in ROUTES.values():
        DURATION.labels(route)
        for code in CODES:
            REQUESTS.labels(route, code)
    BUILD.labels(VERSION).set(1)
    app = web.Application(middlewares=[observe])
    app[SHOP] = shop
    app.add_routes(
        [
            web.get("/", home),
            web.get("/product/{id}", product),
            web.get("/search", search),
            web.get("/cart", cart),
            web.post("/checkout", checkout),
            web.get("/metrics", metrics),
            web.post("/admin/fault", fault),
        ]
    )
    tasks = [asyncio.create_task(worker(shop)), asyncio.create_task(watch_loop())]
    app.on_cleanup.append(lambda _: stop(tasks, pool))
    return app


async def stop(tasks: list[asyncio.Task[None]], pool: asyncpg.Pool) -> None:
    for task in tasks:
        task.cancel()
    pool.terminate()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--dsn", required=True)
    options = parser.parse_args()
    uvloop.install()
    loop = asyncio.new_event_loop()
    web.run_app(
        make_app(options.dsn),
        host="127.0.0.1",
        port=options.port,
        loop=loop,
        access_log=None,
        print=None,
        shutdown_timeout=2.0,
    )


if __name__ == "__main__":
    main()
