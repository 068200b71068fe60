"""Serves the built web app: hashed assets for ever, pages always fresh, any page route by index.html."""

import gzip
import hashlib
import mimetypes
from pathlib import Path
from typing import Final

import msgspec
from litestar.types import HTTPScope, Send

from pump_party.apps.api.calls import call_of
from pump_party.apps.api.errors import MethodNotAllowed
from pump_party.kernel.errors import NotFound

ASSETS = Path(__file__).parent / "assets"
ASSETS_BYTES_MAX: Final = 32 * 1024 * 1024
HASHED_FOLDER: Final = "/assets/"
COMPRESSED_SUFFIXES: Final = frozenset({".html", ".js", ".css", ".svg", ".json", ".webmanifest", ".txt", ".map"})
TYPES: Final = {".js": "text/javascript", ".webmanifest": "application/manifest+json", ".woff2": "font/woff2"}
FOR_EVER: Final = b"public, max-age=31536000, immutable"
ASK_AGAIN: Final = b"no-cache"

NOT_BUILT: Final = b"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Pump Party</title></head>
<body><h1>The web app is not built</h1>
<p>The API is running. <code>make run</code> builds the page and starts again.</p></body></html>
"""


class Asset(msgspec.Struct, frozen=True):
    """A file in memory. `compressed` is None where gzip does not help."""

    body: bytes
    compressed: bytes | None
    content_type: bytes
    etag: bytes
    cache_control: bytes


class WebApp:
    """Answers every path that is not the API's. Reads the folder once, at start."""

    def __init__(self, folder: Path = ASSETS) -> None:
        self._assets = load_assets(folder)

    async def __call__(self, scope: HTTPScope, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            raise MethodNotAllowed("GET, HEAD")
        asset = self._find(scope["path"])
        if asset is None:
            await _send_not_built(send)
        else:
            await _send_asset(asset, scope, send)

    def _find(self, path: str) -> Asset | None:
        asset = self._assets.get(path)
        if asset is not None:
            return asset
        if "." in path.rsplit("/", 1)[-1] or path.startswith(HASHED_FOLDER):
            raise NotFound("there is no such file", code="file_unknown")
        return self._assets.get("/index.html")


def load_assets(folder: Path) -> dict[str, Asset]:
    """All files below the folder by their URL path. Empty when the web app was not built."""
    files = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []
    assert sum(path.stat().st_size for path in files) <= ASSETS_BYTES_MAX, f"{folder} is too large to serve from memory"
    return {f"/{path.relative_to(folder).as_posix()}": _load(path, folder) for path in files}


def _load(path: Path, folder: Path) -> Asset:
    body = path.read_bytes()
    url = f"/{path.relative_to(folder).as_posix()}"
    smaller = gzip.compress(body, mtime=0) if path.suffix in COMPRESSED_SUFFIXES else body
    kind = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    charset = "; charset=utf-8" if kind.startswith("text/") else ""
    return Asset(
        body=body,
        compressed=smaller if len(smaller) < len(body) else None,
        content_type=f"{kind}{charset}".encode(),
        etag=f'"{hashlib.sha256(body).hexdigest()[:32]}"'.encode(),
        cache_control=FOR_EVER if url.startswith(HASHED_FOLDER) else ASK_AGAIN,
    )


async def _send_asset(asset: Asset, scope: HTTPScope, send: Send) -> None:
    headers = call_of(scope).headers
    common = [(b"etag", asset.etag), (b"cache-control", asset.cache_control), (b"vary", b"accept-encoding")]
    if asset.etag in headers.get(b"if-none-match", b""):
        await send({"type": "http.response.start", "status": 304, "headers": common})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        return
    body = asset.body
    if asset.compressed is not None and b"gzip" in headers.get(b"accept-encoding", b""):
        body = asset.compressed
        common.append((b"content-encoding", b"gzip"))
    common += [(b"content-type", asset.content_type), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": common})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body, "more_body": False})


async def _send_not_built(send: Send) -> None:
    headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-length", str(len(NOT_BUILT)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": NOT_BUILT, "more_body": False})
