"""One product and one Chromium for the whole folder, a new browser profile for each test.

The scope is the folder and not the session: Playwright keeps an event loop running in this thread, in which other
tests could not run theirs.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright
from tests.e2e.extensions import EvmExtension, Extension, SolanaExtension
from tests.e2e.models import Models
from tests.e2e.people import Meet, Person
from tests.e2e.venue import Venue
from tests.product import Product
from tests.wallets import EvmWallet, SolanaWallet

PATIENCE_MS = 30_000
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESKTOP = (1280, 900)

_numbers = itertools.count(5_000)


@pytest.fixture(scope="package")
def own_venue() -> Iterator[Venue]:
    with Venue() as venue:
        yield venue


@pytest.fixture
def venue(own_venue: Venue) -> Venue:
    """Where the prices come from: 150 for SOL until a test moves it."""
    own_venue.reset()
    return own_venue


@pytest.fixture(scope="package")
def models() -> Iterator[Models]:
    """The language models that the product offers."""
    with Models() as models:
        yield models


@pytest.fixture(scope="package")
def product(own_venue: Venue, models: Models, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    folder = tmp_path_factory.mktemp("product")
    settings = models.settings() | {"binance_ws_url": own_venue.url, "rate_limits": "true"}
    started = Product(folder, feed="binance", **settings)
    started.start()
    yield started
    assert started.stop() == 0


@pytest.fixture(scope="package")
def browser(chromium: Path) -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=chromium, args=FLAGS)


@pytest.fixture
def meet(browser: Browser, product: Product, venue: Venue) -> Iterator[Meet]:
    """Meet a person at a browser with these wallets. No page of theirs may log an error the test did not expect."""
    people: list[Person] = []

    def meet(*extensions: Extension, size: tuple[int, int] = DESKTOP) -> Person:
        context = browser.new_context(viewport={"width": size[0], "height": size[1]})
        context.set_default_timeout(PATIENCE_MS)
        people.append(Person(product, context, extensions))
        return people[-1]

    yield meet
    for person in people:
        person.context.close()
    assert [person.unexpected_problems() for person in people] == [[] for _ in people]


@pytest.fixture
def solana() -> SolanaExtension:
    """A wallet that signs messages, with an address of its own."""
    return SolanaExtension(SolanaWallet(next(_numbers)))


@pytest.fixture
def solana_sign_in() -> SolanaExtension:
    """A wallet that writes the message itself and signs it."""
    return SolanaExtension(SolanaWallet(next(_numbers)), name="Moonlight", can_sign_in=True)


@pytest.fixture
def evm() -> EvmExtension:
    return EvmExtension(EvmWallet(next(_numbers)))
