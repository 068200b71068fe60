"""The product as a real process, and people who sign in, trade and never give up on a request."""

import http.client
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

from tests.services import die_with_parent
from tests.wallets import SolanaWallet

COMMAND = Path(sys.executable).parent / "pump-party"
READY_WITHIN_S = 40
ANSWER_WITHIN_S = 15
RETRY_AFTER_S = 0.05
PORTS = range(20_000, 32_000)
"""Below those the kernel gives to outgoing connections, which could take a port while the product is down."""


class Product:
    """`pump-party up` on one folder and one set of ports, which can be killed and started again."""

    def __init__(self, folder: Path, *, feed: str = "synthetic:7", **settings: str) -> None:
        self.folder = folder
        self._feed = feed
        self.port, self.ws_port = _free_ports(2)
        self._settings = {f"PUMP_PARTY_{name.upper()}": value for name, value in settings.items()}
        self._process: subprocess.Popen[bytes] | None = None
        self.log = folder / "product.log"

    def start(self, command: Sequence[str | Path] = (COMMAND,)) -> None:
        """Start and wait until a price can be traded. `command` runs the product, if not as users do."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(*command, "up", "--data-dir", self.folder / "data", "--feed", self._feed),
                    *("--port", str(self.port), "--ws-port", str(self.ws_port)),
                ],
                env=os.environ
                | {"PUMP_PARTY_RATE_LIMITS": "false", "PUMP_PARTY_LOG_LEVEL": "warning"}
                | self._settings,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent,  # noqa: PLW1509 (one system call, no lock)
            )
        self.wait_until(lambda: self.get("/v1/markets/SOL-USDC")["state"] == "open", within_s=READY_WITHIN_S)

    def kill(self) -> None:
        """As the power of the kernel would: no warning, no cleaning up."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def expect_death(self, *, within_s: float) -> None:
        """It kills itself."""
        assert self._process is not None
        assert self._process.wait(timeout=within_s) == -signal.SIGKILL, self.log.read_text()[-3000:]

    def stop(self) -> int:
        """Ask it to end; returns its exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(timeout=20)

    def get(self, path: str, token: str = "") -> Any:
        status, body = Client(self.port, token).request("GET", path)
        assert status == 200, (status, body)
        return body

    def wait_until(self, condition: Any, *, within_s: float) -> float:
        """Returns the seconds it took. Fails with the product's last words, at once when it has ended."""
        assert self._process is not None
        started = time.monotonic()
        while time.monotonic() - started < within_s and self._process.poll() is None:
            try:
                if condition():
                    return time.monotonic() - started
            except (OSError, http.client.HTTPException, AssertionError):
                pass
            time.sleep(0.05)
        how = f"not within {within_s} s" if self._process.poll() is None else "the product has ended"
        raise AssertionError(f"{how}:\n{self.log.read_text()[-3000:]}")

    def check(self) -> Any:
        """`pump-party db check` on the same database."""
        done = subprocess.run(
            [COMMAND, "db", "check", "--data-dir", self.folder / "data", "--json"],
            env=os.environ | self._settings,
            capture_output=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, (done.stdout[-3000:], done.stderr[-3000:])
        return json.loads(done.stdout)


class Client:
    """One keep-alive connection."""

    def __init__(self, port: int, token: str = "") -> None:
        self._port = port
        self._headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        self._connection: http.client.HTTPConnection | None = None

    def request(self, method: str, path: str, body: Any = None, *, key: str = "") -> tuple[int, Any]:
        headers = self._headers | ({"Idempotency-Key": key} if key else {})
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=ANSWER_WITHIN_S)
        try:
            self._connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = self._connection.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            self._connection = None
            raise
        return response.status, json.loads(text) if text else None

    def insist(self, method: str, path: str, body: Any = None, *, key: str, give_up: threading.Event) -> Any:
        """Send the same request until it is answered for good; None when told to give up."""
        while not give_up.is_set():
            try:
                status, answer = self.request(method, path, body, key=key)
            except (OSError, http.client.HTTPException):
                status, answer = 0, None
            if status in (200, 201):
                return answer
            assert status in (0, 503), (status, answer)
            give_up.wait(RETRY_AFTER_S)
        return None


class Trader(threading.Thread):
    """Signs in with a wallet, opens an account, then buys and sells with a key per order until told to stop."""

    def __init__(self, product: Product, number: int) -> None:
        super().__init__(daemon=True)
        self._product = product
        self._wallet = SolanaWallet(1000 + number)
        self._enough = threading.Event()
        self.acknowledged: dict[str, Any] = {}
        self.failure: BaseException | None = None
        self.token = self._sign_in()
        self._client = Client(product.port, self.token)
        status, account = self._client.request("POST", "/v1/accounts", {"kind": "practice"}, key="open")
        assert status == 201, account
        self.account_id = account["account_id"]

    def run(self) -> None:
        number = 0
        never = threading.Event()
        try:
            while not self._enough.is_set():
                number += 1
                order = {"market": "SOL-USDC", "side": "buy" if number % 2 else "sell", "quantity": "0.1"}
                key = f"order-{number}"
                path = f"/v1/accounts/{self.account_id}/orders"
                self.acknowledged[key] = self._client.insist("POST", path, order, key=key, give_up=never)
        except BaseException as error:
            self.failure = error
            raise

    def finish(self) -> None:
        """Let the order under way be answered, then end."""
        self._enough.set()
        self.join(timeout=60)
        assert not self.is_alive()
        assert self.failure is None, self.failure

    def recorded(self) -> list[Any]:
        """Every order of the account, as the API lists them."""
        items: list[Any] = []
        cursor = ""
        while True:
            page = self._product.get(
                f"/v1/accounts/{self.account_id}/orders?limit=200" + (f"&cursor={cursor}" if cursor else ""), self.token
            )
            items.extend(page["items"])
            cursor = page["next_cursor"]
            if not cursor:
                return items

    def _sign_in(self) -> str:
        client = Client(self._product.port)
        wallet = {"chain": self._wallet.chain, "address": self._wallet.address}
        status, challenge = client.request("POST", "/v1/auth/challenges", wallet)
        assert status == 201, challenge
        proof = {"challenge_id": challenge["challenge_id"], "signature": self._wallet.sign(challenge["message"])}
        status, session = client.request("POST", "/v1/auth/sessions", proof)
        assert status == 201, session
        return str(session["token"])


def assert_nothing_lost_or_doubled(traders: list[Trader]) -> int:
    """Every acknowledged order is recorded exactly once, as acknowledged. Returns how many there are."""
    total = 0
    for trader in traders:
        recorded = {order["order_id"]: order for order in trader.recorded()}
        acknowledged = {order["order_id"]: order for order in trader.acknowledged.values()}
        assert len(acknowledged) == len(trader.acknowledged), "two keys gave one order"
        assert recorded == acknowledged
        total += len(recorded)
    return total


def _free_ports(count: int) -> list[int]:
    return list(itertools.islice(filter(_is_free, Random(os.urandom(8)).sample(PORTS, len(PORTS))), count))


def _is_free(port: int) -> bool:
    with socket.socket() as listener:
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
