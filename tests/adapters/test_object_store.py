import asyncio
import hashlib
from pathlib import Path

import pytest
from tests.adapters.venues import HttpVenue, Reply, Request

from pump_party.adapters.object_store import ObjectStore
from pump_party.kernel.errors import Invalid, NotFound, Unavailable

BODY = b'{"price":"1"}'
HASH = hashlib.sha256(BODY).hexdigest()
OTHER_HASH = hashlib.sha256(b"other").hexdigest()


@pytest.fixture(params=["folder", "file url", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    folder = tmp_path / "objects"
    return ObjectStore({"folder": str(folder), "file url": f"file://{folder}", "memory": "memory://"}[request.param])


def test_what_was_put_is_got_back_by_its_hash(store: ObjectStore):
    assert store.put(HASH, BODY)
    assert store.get(HASH) == BODY


def test_an_object_is_written_once_and_putting_it_again_changes_nothing(store: ObjectStore):
    assert store.put(HASH, BODY)
    assert not store.put(HASH, BODY)
    assert store.get(HASH) == BODY


def test_an_object_that_was_never_put_is_not_found(store: ObjectStore):
    with pytest.raises(NotFound):
        store.get(OTHER_HASH)


def test_a_body_goes_under_no_other_hash_than_its_own(store: ObjectStore):
    with pytest.raises(AssertionError):
        store.put(OTHER_HASH, BODY)


def test_a_damaged_object_is_not_returned(tmp_path: Path):
    store = ObjectStore(str(tmp_path))
    store.put(HASH, BODY)
    (tmp_path / HASH[:2] / HASH[2:4] / HASH).write_bytes(b"tampered")
    with pytest.raises(Unavailable) as refused:
        store.get(HASH)
    assert refused.value.code == "object_damaged"


@pytest.mark.parametrize("url", ["gopher://somewhere", "s3://"])
def test_a_url_that_cannot_be_opened_stops_the_start(url: str):
    with pytest.raises(Invalid):
        ObjectStore(url)


def test_s3_is_asked_to_create_and_never_to_overwrite(monkeypatch: pytest.MonkeyPatch):
    objects: dict[str, bytes] = {}

    def answer(request: Request) -> Reply:
        if request.method == "GET":
            body = objects.get(request.path)
            headers = (
                f"content-length: {len(body or b'')}",
                'etag: "1"',
                "last-modified: Sun, 04 May 2025 15:33:00 GMT",
            )
            return Reply(200 if body is not None else 404, [body or b""], headers)
        assert (request.method, request.headers["if-none-match"]) == ("PUT", "*")
        if request.path in objects:
            return Reply(412, headers=("content-length: 0",))
        objects[request.path] = request.body
        return Reply(200, headers=("content-length: 0", 'etag: "1"'))

    async def scenario() -> None:
        async with HttpVenue(answer=answer).open() as s3:
            settings = {
                "AWS_ENDPOINT_URL": s3.url,
                "AWS_ALLOW_HTTP": "true",
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
                "AWS_REGION": "us-east-1",
            }
            for name, value in settings.items():
                monkeypatch.setenv(name, value)
            store = ObjectStore("s3://bucket/raw")
            assert await asyncio.to_thread(store.put, HASH, BODY)
            assert not await asyncio.to_thread(store.put, HASH, BODY)
            assert await asyncio.to_thread(store.get, HASH) == BODY
            with pytest.raises(NotFound):
                await asyncio.to_thread(store.get, OTHER_HASH)
        assert list(objects) == [f"/bucket/raw/{HASH[:2]}/{HASH[2:4]}/{HASH}"]

    asyncio.run(scenario())
