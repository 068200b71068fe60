"""A person at a browser: one page, wallets in it, and the account as the server tells it beside what the page shows."""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from playwright.sync_api import BrowserContext, Locator, Page, WebSocket, expect
from tests.e2e.extensions import EvmExtension, Extension, install
from tests.e2e.figures import signed_usd, usd
from tests.product import Client, Product


class Person:
    """Opens the product in one page. `frames` are what its sockets got, `problems` what Chrome logged as errors."""

    def __init__(self, product: Product, context: BrowserContext, extensions: Sequence[Extension]) -> None:
        self.product = product
        self.context = context
        self.problems: list[str] = []
        self._expected: list[re.Pattern[str]] = []
        self.context.expose_binding("reportViolation", lambda _, text: self.problems.append(f"policy: {text}"))
        self.context.add_init_script(
            "document.addEventListener('securitypolicyviolation', (event) =>"
            " reportViolation(`${event.effectiveDirective} ${event.blockedURI}`))"
        )
        install(context, extensions)
        self.sockets: list[WebSocket] = []
        self.frames: list[dict[str, Any]] = []
        self.page: Page = context.new_page()
        self.page.on("websocket", self._on_socket)
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.problems.append(f"page: {error}"))

    def expect_problem(self, pattern: str) -> None:
        """Let a test provoke what Chrome logs as a problem, such as a refused connection."""
        self._expected.append(re.compile(pattern))

    def unexpected_problems(self) -> list[str]:
        return [problem for problem in self.problems if not any(one.search(problem) for one in self._expected)]

    def _on_socket(self, socket: WebSocket) -> None:
        self.sockets.append(socket)
        socket.on("framereceived", lambda payload: self.frames.append(json.loads(payload)))

    def _on_console(self, message: Any) -> None:
        if message.type == "error":
            self.problems.append(f"console: {message.text} at {message.location['url']}")

    # --- pages ---

    def open(self, path: str = "/trade") -> None:
        self.page.goto(f"http://localhost:{self.product.port}{path}")

    def see(self, test_id: str) -> Locator:
        return self.page.get_by_test_id(test_id)

    def choose(self, extension: Extension) -> None:
        """Press the wallet in the list, then its chain where it offers several."""
        self.see(f"wallet-row-{extension.name}").click()
        if isinstance(extension, EvmExtension):
            self.see(f"chain-row-{extension.wallet.chain}").click()

    def sign_in(self, extension: Extension) -> None:
        self.see("sign-in-button").click()
        self.choose(extension)
        expect(self.see("session-menu")).to_be_visible()

    def begin_trading(self, extension: Extension, *, rule_set: str = "", path: str = "/trade") -> None:
        """Open the trade page, sign in and open a practice account, under the rule set of that name if one is given."""
        self.open(path)
        self.sign_in(extension)
        if rule_set:
            self.see(f"rule-set-{rule_set}").check()
        self.see("create-account").click()
        expect(self.see("cash")).to_have_text("10,000.00")
        expect(self.see("connection-state")).to_have_attribute("data-state", "live")

    def order(self, side: str, amount: str, *, unit: str = "quote") -> Locator:
        """Fill the ticket in and send it. Returns the result as shown."""
        self.see(f"side-{side}").click()
        self.see(f"amount-unit-{unit}").click()
        self.see("amount-input").fill(amount)
        self.see("submit-order").click()
        expect(self.see("order-result")).to_be_visible()
        return self.see("order-result")

    def expect_shown_as_told(self) -> Any:
        """The trade page shows exactly the account that the server has. Returns it."""
        account = self.account()
        held = [position for position in account["positions"] if position["quantity"] != "0"]
        expect(self.see("cash")).to_have_text(usd(account["cash"]))
        expect(self.see("equity")).to_have_text(usd(account["equity"]))
        rows = self.see("position-row")
        expect(rows).to_have_count(len(held))
        for row, position in zip(rows.all(), held, strict=True):
            expect(row).to_have_attribute("data-market", position["market"])
            expect(row.locator("td").nth(1)).to_have_text(position["quantity"])
            expect(row.locator("td").nth(4)).to_have_text(usd(position["value"]))
            expect(row.locator("td").nth(5)).to_contain_text(signed_usd(position["unrealised_pnl"]))
        return account

    def expect_fills_shown(self) -> list[Any]:
        """The trade page lists exactly the fills that the server has, newest first. Returns them."""
        account_id = self.account()["account_id"]
        fills = self.product.get(f"/v1/accounts/{account_id}/fills", self.token())["items"]
        rows = self.see("fill-row")
        expect(rows).to_have_count(len(fills))
        assert [row.get_attribute("data-fill") for row in rows.all()] == [fill["fill_id"] for fill in fills]
        return list(fills)

    def expect_socket_closed(self) -> None:
        if not self.sockets[-1].is_closed():
            self.sockets[-1].wait_for_event("close")

    # --- the server's side ---

    def token(self) -> str:
        cookies = {cookie["name"]: cookie["value"] for cookie in self.context.cookies()}
        return cookies["pp_session"]

    def client(self) -> Client:
        """A program that acts for the same person, beside the browser."""
        return Client(self.product.port, self.token())

    def account(self) -> Any:
        (listed,) = self.product.get("/v1/accounts", self.token())["items"]
        return self.product.get(f"/v1/accounts/{listed['account_id']}", self.token())


Meet = Callable[..., Person]
"""The fixture `meet`: wallets in, a person at a browser out."""
