"""A real server on a real port, users with real wallets, and prices put in by hand."""

import asyncio
import hashlib
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from itertools import count
from typing import Any

import httpx2
import msgspec
from tests.wallets import SolanaWallet, Wallet

from pump_party.apps.api.server import serve
from pump_party.apps.workers import match_orders, relay_outbox
from pump_party.bootstrap.services import Services, build
from pump_party.config import Settings
from pump_party.domains.marketdata.contract import Book, Quote
from pump_party.kernel.ids import Market
from pump_party.platform.bus import TICK_CHANNEL

SOL = "SOL-USDC"
START_TIMEOUT_S = 20

_wallet_numbers = count(1_000)
_clone_numbers = count(1)


class Person:
    """A user of the API: a wallet, a session, and requests made with its token."""

    def __init__(self, api: "Api", wallet: Wallet, session: dict[str, Any]) -> None:
        self.api = api
        self.wallet = wallet
        self.token: str = session["token"]
        self.csrf_token: str = session["csrf_token"]
        self.session_id: str = session["session_id"]
        self.user_id: str = session["user_id"]
        self._keys = count()

    def request(self, method: str, path: str, *, headers: dict[str, str] | None = None, **options: Any) -> Any:
        bearer = {"Authorization": f"Bearer {self.token}"}
        return self.api.client.request(method, path, headers=bearer | (headers or {}), **options)

    def get(self, path: str, **options: Any) -> Any:
        return self.request("GET", path, **options)

    def delete(self, path: str, **options: Any) -> Any:
        return self.request("DELETE", path, **options)

    def patch(self, path: str, body: Any) -> Any:
        return self.request("PATCH", path, json=body)

    def put(self, path: str, body: Any) -> Any:
        return self.request("PUT", path, json=body)

    def post(self, path: str, body: Any = None, *, key: str | None = None, **options: Any) -> Any:
        key = key or f"{self.user_id}.{next(self._keys)}"
        return self.request("POST", path, json=body, headers={"Idempotency-Key": key}, **options)

    def open_account(self, rule_set: str | None = None) -> str:
        named = {} if rule_set is None else {"rule_set": rule_set}
        answer = self.post("/v1/accounts", {"kind": "practice"} | named)
        assert answer.status_code == 201, answer.text
        account_id: str = answer.json()["account_id"]
        return account_id

    def clone(self, name: str | None = None, *, bio: str = "") -> str:
        name = name or f"Clone {next(_clone_numbers)}"
        answer = self.post("/v1/clones", {"name": name, "bio": bio})
        assert answer.status_code == 201, answer.text
        clone_id: str = answer.json()["clone_id"]
        return clone_id

    def published_clone(self, strategy: Any, name: str | None = None) -> str:
        """A clone whose first version is this strategy."""
        clone_id = self.clone(name)
        body = {"strategy": strategy, "layout": {}, "base_version": None}
        answer = self.post(f"/v1/clones/{clone_id}/versions", body)
        assert answer.status_code == 201, answer.text
        return clone_id

    def api_key(self, scopes: Sequence[str], *, clone_id: str | None = None) -> str:
        body = {"name": "program", "scopes": list(scopes), "clone_id": clone_id}
        answer = self.post("/v1/api-keys", body)
        assert answer.status_code == 201, answer.text
        key: str = answer.json()["key"]
        return key


class Api:
    """The server under test, as its clients see it."""

    def __init__(self, services: Services, port: int, loop: asyncio.AbstractEventLoop) -> None:
        self.services = services
        self._loop = loop
        self.port = port
        no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
        self.client = httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=10, cookies=no_cookies)

    def sign_in(self, wallet: Wallet | None = None) -> Person:
        """A session of a wallet; of a new one by default."""
        wallet = wallet or SolanaWallet(next(_wallet_numbers))
        answer = self.client.post("/v1/auth/sessions", json=self.proof(wallet))
        assert answer.status_code == 201, answer.text
        return Person(self, wallet, answer.json())

    def proof(self, wallet: Wallet) -> dict[str, str]:
        challenge = self.client.post("/v1/auth/challenges", json={"chain": wallet.chain, "address": wallet.address})
        assert challenge.status_code == 201, challenge.text
        fields = challenge.json()
        return {"challenge_id": fields["challenge_id"], "signature": wallet.sign(fields["message"])}

    def tick(self, price: int, *, market: str = SOL) -> None:
        """Admit a tick and tell whoever matches orders, as the ingest worker does it."""
        quote = self.set_price(price, market=market)
        publishing = self.services.bus.publish(TICK_CHANNEL, [msgspec.json.encode([quote])])
        asyncio.run_coroutine_threadsafe(publishing, self._loop).result()

    def set_price(self, price: int, *, market: str = SOL) -> Quote:
        """Put the price into the cache: this many whole USDC, published now."""
        now_ms = self.services.clock.now_ms()
        quote = Quote(
            market=Market(market),
            mid_e8=price * 10**8,
            conf_e8=10**5,
            publish_ms=now_ms,
            recv_ms=now_ms,
            slot=now_ms,
            source="hyperliquid",
            tick_sha256=hashlib.sha256(str(now_ms).encode()).hexdigest(),
            feed="live",
        )
        self.services.quotes.put([quote])
        return quote

    def show_book(self, market: str = SOL) -> Book:
        now_ms = self.services.clock.now_ms()
        bids, asks = ((15_023_000_000, 50 * 10**9), (15_022_000_000, 10**8)), ((15_024_000_000, 40 * 10**9),)
        book = Book(Market(market), bids, asks, now_ms, now_ms, now_ms, "hyperliquid", "ab" * 32)
        self.services.books.put([book])
        return book


@contextmanager
def running_api(settings: Settings, *, matching: bool = False) -> Iterator[Api]:
    """A server on a free port until the block ends; with the workers that end the orders that wait, if wanted."""
    services = build(settings)
    bound = socket.create_server(("127.0.0.1", 0))
    # As uvloop does it in the product. Else the end of every answer waits 40 ms for the beginning to be acknowledged.
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    port = bound.getsockname()[1]
    started = threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def run() -> None:
        workers = [relay_outbox.run(services, stop=stop), match_orders.run(services, stop=stop)] if matching else []
        await asyncio.gather(serve(services, [bound], stop, started.set), *workers)

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    try:
        assert started.wait(START_TIMEOUT_S)
        api = Api(services, port, loop)
        with api.client:
            yield api
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(START_TIMEOUT_S)
        loop.close()
        services.close()
