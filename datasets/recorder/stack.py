"""Start and stop everything that is recorded: PostgreSQL, relay, shop, nginx, load generator."""

from __future__ import annotations

import asyncio
import ctypes
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

HERE = Path(__file__).resolve().parent
LOG = logging.getLogger("recorder.stack")

NGINX_CONF = """
daemon off;
user www-data;
worker_processes 1;
pid {work}/nginx.pid;
error_log {work}/nginx-error.log warn;
events {{ worker_connections 2048; }}
http {{
    access_log off;
    client_body_temp_path {work}/nginx-body;
    proxy_temp_path {work}/nginx-proxy;
    fastcgi_temp_path {work}/nginx-fastcgi;
    uwsgi_temp_path {work}/nginx-uwsgi;
    scgi_temp_path {work}/nginx-scgi;
    upstream shop {{ server 127.0.0.1:{app} max_fails=0; keepalive 64; }}
    server {{
        listen 127.0.0.1:{nginx} backlog=1024;
        location = /nginx_status {{ stub_status; }}
        location = /metrics {{ return 404; }}
        location /admin/ {{ return 404; }}
        location / {{
            proxy_pass http://shop;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_read_timeout 10s;
            proxy_next_upstream off;
        }}
    }}
}}
"""

POSTGRES_CONF = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
shared_buffers = 192MB
max_connections = 60
max_parallel_workers_per_gather = 0
jit = off
max_wal_size = 256MB
checkpoint_timeout = 5min
autovacuum_naptime = 30s
track_io_timing = on
track_wal_io_timing = on
logging_collector = off
log_min_messages = fatal
"""


def die_with_parent() -> None:
    """Ask the kernel to end this child when the recorder dies (PR_SET_PDEATHSIG).

    The child also gets back the normal priority, which the recorder itself has raised.
    """
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
    os.setpriority(os.PRIO_PROCESS, 0, 0)


@dataclass
class Ports:
    """Loopback ports, counted up from the first one."""

    base: int

    def __getattr__(self, name: str) -> int:
        names = ("nginx", "app", "relay", "postgres", "load", "relay_control")
        if name not in names:
            raise AttributeError(name)
        return self.base + names.index(name)


@dataclass
class Stack:
    """The running system. Use :meth:`start` and, always, :meth:`stop`."""

    ports: Ports
    seed: int
    day: float
    work: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="shop-recorder-")))
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        """Data directory of the database."""
        return self.work / "postgres"

    @property
    def dsn(self) -> str:
        """Direct address of the database, around the relay."""
        return f"postgresql://postgres@127.0.0.1:{self.ports.postgres}/shop"

    def spawn(self, name: str, command: list[str], user: str | None = None) -> None:
        """Start a process that ends with the recorder; its output goes to the work directory."""
        with (self.work / f"{name}.log").open("ab") as out:
            self.processes[name] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd=self.work,
                user=user,
                group=user,
                extra_groups=[] if user else None,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - only a system call or two
            )

    def python(self, name: str, *arguments: str) -> None:
        """Start one of the programs beside this file."""
        self.spawn(name, [sys.executable, str(HERE / f"{name}.py"), *arguments])

    async def start(self, epoch: float) -> None:
        """Bring the whole system up; day 0 of the load begins at the given Unix time."""
        self.work.chmod(0o755)
        await self.start_postgres()
        ports = self.ports
        self.python(
            "relay",
            f"--port={ports.relay}",
            f"--target={ports.postgres}",
            f"--control={ports.relay_control}",
        )
        await self.wait_port("relay", ports.relay)
        await self.start_app()
        conf = self.work / "nginx.conf"
        conf.write_text(NGINX_CONF.format(work=self.work, app=ports.app, nginx=ports.nginx))
        self.spawn("nginx", ["nginx", "-p", str(self.work), "-c", str(conf)])
        await self.wait_port("nginx", ports.nginx)
        self.python(
            "load",
            f"--base=http://127.0.0.1:{ports.nginx}",
            f"--port={ports.load}",
            f"--epoch={epoch}",
            f"--day={self.day}",
            f"--seed={self.seed}",
        )
        await self.wait_port("load", ports.load)

    async def start_postgres(self) -> None:
        """Make a fresh cluster, start it and load the tables."""
        binaries = max(Path("/usr/lib/postgresql").glob("*/bin"))
        self.data.mkdir()
        shutil.chown(self.data, "postgres", "postgres")
        await asyncio.to_thread(
            subprocess.run,
            [
                str(binaries / "initdb"),
                "-D",
                str(self.data),
                "-A",
                "trust",
                "-U",
                "postgres",
                "--locale=C.UTF-8",
            ],
            user="postgres",
            group="postgres",
            extra_groups=[],
            check=True,
            cwd="/",
            stdout=subprocess.DEVNULL,
        )
        conf = self.data / "postgresql.conf"
        defaults = conf.read_text(encoding="utf-8")
        conf.write_text(defaults + POSTGRES_CONF.format(port=self.ports.postgres), encoding="utf-8")
        self.spawn("postgres", [str(binaries / "postgres"), "-D", str(self.data)], "postgres")
        await self.wait_port("postgres", self.ports.postgres)
        for database, script in (
            ("postgres", "CREATE DATABASE shop"),
            ("shop", (HERE / "schema.sql").read_text(encoding="utf-8")),
        ):
            db = await asyncpg.connect(self.dsn.rsplit("/", 1)[0] + "/" + database)
            for statement in script.split(";\n"):
                if statement.strip():
                    await db.execute(statement)
            await db.close()

    async def start_app(self) -> None:
        """Start the application; it reaches the database through the relay."""
        dsn = f"postgresql://postgres@127.0.0.1:{self.ports.relay}/shop?sslmode=disable"
        self.python("app", f"--port={self.ports.app}", f"--dsn={dsn}")
        await self.wait_port("app", self.ports.app)

    async def restart_app(self) -> None:
        """Last resort when a fault cannot be undone."""
        LOG.warning("restarting the application")
        await asyncio.to_thread(self.end, "app")
        await self.start_app()

    async def wait_port(self, name: str, port: int, seconds: float = 60.0) -> None:
        """Wait until a process listens; fail if it ends or takes too long."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if (code := self.processes[name].poll()) is not None:
                tail = (self.work / f"{name}.log").read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{name} ended with code {code}:\n{tail}")
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.1)
                continue
            writer.close()
            if name == "postgres":
                await asyncio.sleep(1.0)
            return
        raise RuntimeError(f"{name} does not listen on port {port}")

    def end(self, name: str) -> None:
        """End one process, by force if it does not go in 15 s."""
        process = self.processes.pop(name, None)
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGINT if name == "postgres" else signal.SIGTERM)
        try:
            process.wait(15.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5.0)

    def stop(self) -> None:
        """End everything in reverse order and remove the work directory."""
        for name in reversed(list(self.processes)):
            self.end(name)
        shutil.rmtree(self.work, ignore_errors=True)
        LOG.info("stopped, %s removed", os.fspath(self.work))
