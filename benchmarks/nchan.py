"""The peer of the fan-out figures: nginx with nchan, C from end to end, one worker process.

A publisher posts a message over HTTP and nchan writes it to every WebSocket subscriber.
"""

import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from scripts.setup import apt_install
from tests.services import ServiceMissing, die_with_parent, free_port

from benchmarks.connections import RestConnection, http_request
from benchmarks.product import cpu_seconds

MODULE = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
PACKAGES = ("nginx-light", "libnginx-mod-nchan")
CONNECTIONS_MAX = 16_384
START_SECONDS_MAX = 10.0

CONFIGURATION = """
load_module {module};
daemon off;
worker_processes 1;
worker_rlimit_nofile {connections_max};
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections {connections_max}; }}
http {{
    access_log off;
    client_body_temp_path {folder};
    proxy_temp_path {folder};
    fastcgi_temp_path {folder};
    uwsgi_temp_path {folder};
    scgi_temp_path {folder};
    keepalive_requests 1000000;
    nchan_shared_memory_size 64M;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location = /publish {{
            nchan_publisher http;
            nchan_channel_id prices;
            nchan_message_buffer_length 4;
            nchan_message_timeout 10s;
        }}
        location = /subscribe {{
            nchan_subscriber websocket;
            nchan_channel_id prices;
            nchan_subscriber_first_message newest;
            nchan_websocket_ping_interval 20s;
        }}
    }}
}}
"""


class Nchan:
    """An nginx of its own in a temporary folder."""

    def __init__(self) -> None:
        program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin")
        if program is None or not MODULE.exists():
            apt_install(PACKAGES, why="the fan-out figure is measured beside nchan")
            program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin")
        assert program is not None
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="pump-party-bench-"))
        configuration = self._folder / "nginx.conf"
        configuration.write_text(
            CONFIGURATION.format(module=MODULE, folder=self._folder, port=self.port, connections_max=CONNECTIONS_MAX)
        )
        self._process = subprocess.Popen(
            [program, "-c", configuration, "-p", self._folder, "-e", self._folder / "error.log"],
            preexec_fn=lambda: die_with_parent(signal.SIGTERM),  # noqa: PLW1509 (one system call, no lock)
        )
        self._worker_pid = self._find_worker()

    def _find_worker(self) -> int:
        deadline = time.monotonic() + START_SECONDS_MAX
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        while time.monotonic() < deadline and self._process.poll() is None:
            found = children.read_text().split()
            if found:
                return int(found[0])
            time.sleep(0.05)
        log = self._folder / "error.log"
        raise ServiceMissing(f"nginx did not start:\n{log.read_text() if log.exists() else ''}")

    def cpu_seconds(self) -> float:
        return cpu_seconds(self._worker_pid)

    def publish(self, connection: RestConnection, message: bytes) -> None:
        connection.write(http_request("POST", "/publish", message))

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None) -> None:
        self.close()
