"""The second process of the end-to-end figures: signs users in, opens accounts, then sends orders as fast as answered.

Started by `LoadProcess`; it takes one JSON line per run on its standard input and answers with one.
"""

import asyncio
import json
import signal
import statistics
import subprocess
import sys
import time
from collections import Counter, deque
from types import TracebackType
from typing import Any, Self

import msgspec
import uvloop
from tests.services import die_with_parent
from tests.wallets import SolanaWallet

from benchmarks.connections import RestConnection, SocketConnection, client_frame, http_request
from benchmarks.exchange import frozen_garbage
from benchmarks.order_flow import OrderFlow
from pump_party.domains.marketdata.contract import MarketKind
from pump_party.domains.marketdata.registry import load_registry
from pump_party.domains.prop_interface.contract import PlaceOrder
from pump_party.kernel.ids import AccountId, UserId
from pump_party.kernel.money import format_nanos

USERS = 64
ACCOUNTS_PER_USER = 5
ANSWER_SECONDS_MAX = 30.0
PREPARED_PER_SECOND = 24_000


class Ports(msgspec.Struct, frozen=True):
    port: int
    ws_port: int


class Run(msgspec.Struct, frozen=True):
    """`window` orders are kept outstanding on each user's connection."""

    transport: str
    seconds: float
    window: int


class Outcome(msgspec.Struct, frozen=True):
    """`answered` orders, `rate` of them per second; latencies from handing the bytes over to having the answer."""

    answered: int
    rate: float
    p50_ms: float
    p99_ms: float
    load_cpu_share: float
    refused: dict[str, int]
    """Orders that did not fill, by code."""


class LoadProcess:
    """Handle on the load generator, for the benchmark's own process."""

    def __init__(self, ports: Ports) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.load", msgspec.json.encode(ports).decode()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            preexec_fn=lambda: die_with_parent(signal.SIGKILL),  # noqa: PLW1509 (one system call, no lock)
        )
        self._read()

    def run(self, run: Run) -> Outcome:
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(run) + b"\n")
        self._process.stdin.flush()
        return msgspec.json.decode(self._read(), type=Outcome)

    def _read(self) -> bytes:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the load generator stopped; its reason is above")
        return line

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None) -> None:
        self._process.kill()
        self._process.communicate()


# --- inside the process ----------------------------------------------------------------------


class User:
    """One signed-in wallet with its accounts, one connection per transport and one stream of orders."""

    def __init__(self, number: int, rest: RestConnection, ws_port: int) -> None:
        self.rest = rest
        self.socket: SocketConnection
        self._wallet = SolanaWallet(number)
        self._number = number
        self._ws_port = ws_port
        self._token = ""
        self.flow: OrderFlow

    async def sign_in(self) -> None:
        ask, wallet = self.rest.ask, self._wallet
        challenge = await ask("POST", "/v1/auth/challenges", {"chain": wallet.chain, "address": wallet.address})
        proof = {"challenge_id": challenge["challenge_id"], "signature": wallet.sign(challenge["message"])}
        session = await ask("POST", "/v1/auth/sessions", proof)
        self._token = f"Bearer {session['token']}"
        opened = [
            await ask("POST", "/v1/accounts", {"kind": "practice"}, Authorization=self._token, Idempotency_Key=f"a{n}")
            for n in range(ACCOUNTS_PER_USER)
        ]
        owners = [(UserId(session["user_id"]), AccountId(account["account_id"])) for account in opened]
        lots = {asset.market: asset.lot_nanos for asset in load_registry().assets() if asset.kind is MarketKind.SPOT}
        self.flow = OrderFlow(owners, lots, seed=self._number)
        await self._open_socket()

    async def _open_socket(self) -> None:
        loop = asyncio.get_running_loop()
        _, self.socket = await loop.create_connection(SocketConnection, "127.0.0.1", self._ws_port)
        await self.socket.upgrade("/v1/stream")
        ticket = await self.rest.ask("POST", "/v1/stream/tickets", Authorization=self._token)
        await self.socket.ask(type="authenticate", ticket=ticket["ticket"])

    def message(self, order: PlaceOrder, transport: str) -> bytes:
        assert order.quantity_nanos is not None
        body = {"market": order.market, "side": order.side.value, "quantity": format_nanos(order.quantity_nanos)}
        if transport == "socket":
            named = {"account_id": order.account_id, "idempotency_key": order.idempotency_key}
            return client_frame(
                json.dumps({"type": "place_order", "id": order.idempotency_key, **named, **body}).encode()
            )
        return http_request(
            "POST",
            f"/v1/accounts/{order.account_id}/orders",
            json.dumps(body).encode(),
            Authorization=self._token,
            Idempotency_Key=order.idempotency_key,
        )


class Lane:
    """One user's connection during one run. Answers come in the order of the orders, so latency needs no ids."""

    def __init__(self, user: User, run: Run) -> None:
        self._connection: Any = user.socket if run.transport == "socket" else user.rest
        self._connection.on_answer = self._answered
        count = int(PREPARED_PER_SECOND * run.seconds / USERS)
        self._user, self._run = user, run
        self._messages = deque(user.message(order, run.transport) for order in user.flow.prepare(count))
        self._sent: list[float] = []
        self.latencies: list[float] = []
        self.refused: Counter[str] = Counter()
        self.deadline = 0.0
        self.idle = asyncio.Event()

    def start(self, deadline: float) -> None:
        self.deadline = deadline
        for _ in range(self._run.window):
            self._send()

    def _send(self) -> None:
        order, messages = self._user.flow.next(), self._messages
        message = messages.popleft() if messages else self._user.message(order, self._run.transport)
        self._sent.append(time.perf_counter())
        self._connection.write(message)

    def _answered(self, _connection: object, body: bytes) -> None:
        now = time.perf_counter()
        latencies = self.latencies
        latencies.append(now - self._sent[len(latencies)])
        if b'"status":"filled"' not in body:
            self.refused[_code(body)] += 1
        if now < self.deadline:
            self._send()
        elif len(latencies) == len(self._sent):
            self.idle.set()


def _code(body: bytes) -> str:
    answer = json.loads(body)
    return str(answer.get("code") or answer.get("order", answer).get("reject_code"))


async def _drive(users: list[User], run: Run) -> Outcome:
    lanes = [Lane(user, run) for user in users]
    with frozen_garbage():
        started, cpu_started = time.perf_counter(), time.process_time()
        for lane in lanes:
            lane.start(started + run.seconds)
        async with asyncio.timeout(run.seconds + ANSWER_SECONDS_MAX):
            for lane in lanes:
                await lane.idle.wait()
        elapsed, cpu = time.perf_counter() - started, time.process_time() - cpu_started
    latencies = [latency for lane in lanes for latency in lane.latencies]
    cuts = statistics.quantiles(latencies, n=100)
    return Outcome(
        answered=len(latencies),
        rate=len(latencies) / elapsed,
        p50_ms=cuts[49] * 1e3,
        p99_ms=cuts[98] * 1e3,
        load_cpu_share=cpu / elapsed,
        refused=sum((lane.refused for lane in lanes), Counter()),
    )


async def _main(ports: Ports) -> None:
    loop = asyncio.get_running_loop()
    users = []
    for number in range(1, USERS + 1):
        _, rest = await loop.create_connection(RestConnection, "127.0.0.1", ports.port)
        users.append(User(number, rest, ports.ws_port))
    await asyncio.gather(*(user.sign_in() for user in users))
    _say(b"{}")

    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        _say(msgspec.json.encode(await _drive(users, msgspec.json.decode(line, type=Run))))


def _say(line: bytes) -> None:
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    uvloop.run(_main(msgspec.json.decode(sys.argv[1], type=Ports)))
