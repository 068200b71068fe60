import gzip
from pathlib import Path

import pytest
from tests.apps.api.stage import Api, running_api

from pump_party.apps.api import webapp
from pump_party.config import Settings

SCRIPT = "console.log('pump party')\n" * 50


@pytest.fixture
def built(sqlite_path: Path, tmp_path: Path, monkeypatch) -> Api:
    """A server whose web app is built."""
    folder = tmp_path / "assets"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>Pump Party</title>")
    (folder / "assets" / "index-a1b2c3.js").write_text(SCRIPT)
    (folder / "favicon.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    monkeypatch.setattr(webapp.WebApp.__init__, "__defaults__", (folder,))
    with running_api(Settings(data_dir=str(sqlite_path.parent))) as api:
        yield api


def test_every_page_route_is_the_one_page_and_always_asked_for_again(built: Api):
    for path in ("/", "/trade", "/portfolio", "/leaderboard", "/settings", "/trade/SOL-USDC"):
        answer = built.client.get(path)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert "<title>Pump Party</title>" in answer.text
        again = built.client.get(path, headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


def test_hashed_files_are_kept_for_ever_and_compressed_for_who_asks(built: Api):
    plain = built.client.get("/assets/index-a1b2c3.js", headers={"Accept-Encoding": "identity"})
    assert (plain.status_code, plain.text) == (200, SCRIPT)
    assert plain.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert plain.headers["content-type"] == "text/javascript; charset=utf-8"
    packed = built.client.get("/assets/index-a1b2c3.js", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.text == SCRIPT
    assert int(packed.headers["content-length"]) == len(gzip.compress(SCRIPT.encode(), mtime=0)) < len(SCRIPT)


def test_head_answers_headers_only(built: Api):
    answer = built.client.head("/favicon.svg")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == "image/svg+xml"


@pytest.mark.parametrize(
    "path", ["/assets/gone.js", "/missing.png", "/assets/gone", "/../config.py", "/%2e%2e/config.py"]
)
def test_a_file_that_is_not_there_is_not_found(built: Api, path):
    answer = built.client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "file_unknown")


def test_without_a_built_page_the_api_says_how_to_build_it(tmp_path, monkeypatch, sqlite_path):
    monkeypatch.setattr(webapp.WebApp.__init__, "__defaults__", (tmp_path / "nothing",))
    with running_api(Settings(data_dir=str(sqlite_path.parent))) as bare:
        answer = bare.client.get("/trade")
    assert answer.status_code == 503
    assert "make run" in answer.text
