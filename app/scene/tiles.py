"""HTTP routes of the tile layers: the catalogue and the files of its layers, with range, cache and gzip.

A layer's address holds the hash of its content, so a browser may keep it for ever; only the catalogue is
asked for again. A path is taken apart and each part must look like a name that an import writes, and the
file that comes out must lie in the layer's folder whatever links there are: nothing else can be reached.
"""

import hashlib
import logging
import re
from pathlib import Path

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import FileResponse

from ingest.tiles.catalogue import read_catalogue, render_catalogue, tiles_folder
from twin.model.errors import InputError

log = logging.getLogger(__name__)
FOREVER = "private, max-age=31536000, immutable"
"""Private: what a county's photography shows is for those who may sign in, not for a proxy on the way."""
ASK_AGAIN = "no-cache"
MEDIA = {".json": "application/json", ".glb": "model/gltf-binary"}
_LAYER = re.compile(r"[a-z0-9][a-z0-9_-]{0,47}\Z")
_DIGEST = re.compile(r"[0-9a-f]{16}\Z")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+-]*(\.[A-Za-z0-9_+-]+)*\Z")
MAX_PATH = 512


def find_tile(county: Path, layer: str, digest: str, path: str) -> Path | None:
    """Return the file of an address, None for anything that is not a file of that layer."""
    parts = path.split("/")
    named = _LAYER.match(layer) and _DIGEST.match(digest) and all(_NAME.match(part) for part in parts)
    if not named or len(path) > MAX_PATH:
        return None
    folder = tiles_folder(county) / layer / digest
    file = folder.joinpath(*parts)
    if file.suffix not in MEDIA or not file.is_file():
        return None
    return file if file.resolve().is_relative_to(folder.resolve()) else None


def answer_file(request: Request, file: Path, tag: str) -> Response:
    """Serve a file of a layer: as its gzip copy where there is one, in ranges where they are asked for."""
    headers = {
        "Cache-Control": FOREVER,
        "ETag": tag,
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
    }
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    if file.suffix == ".json":  # the server packs text itself
        return FileResponse(file, headers=headers, media_type=MEDIA[".json"])
    packed = file.with_name(f"{file.name}.gz")
    wanted = "gzip" in request.headers.get("accept-encoding", "") and "range" not in request.headers
    if wanted and packed.is_file():
        headers |= {"Content-Encoding": "gzip", "Accept-Ranges": "none"}
        return FileResponse(packed, headers=headers, media_type=MEDIA[file.suffix])
    # Said aloud, so that the server does not pack pictures a second time at the price of a core.
    headers["Content-Encoding"] = "identity"
    return FileResponse(file, headers=headers, media_type=MEDIA[file.suffix])


def register_tile_routes(app: FastAPI, county: Path) -> None:
    """Add the routes below ``/scene/tiles/``; they stand behind the gate like everything else.

    Parameters
    ----------
    county : the county's folder; layers imported later are served without a restart
    """

    @app.api_route("/scene/tiles/catalogue.json", methods=["GET", "HEAD"], include_in_schema=False)
    def read_layers(request: Request) -> Response:
        try:
            body = render_catalogue(read_catalogue(county))
        except InputError as e:
            log.error("%s", e)
            raise HTTPException(500, "the catalogue of tiles cannot be read; the log says why") from e
        tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        headers = {"Cache-Control": ASK_AGAIN, "ETag": tag}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers, media_type=MEDIA[".json"])

    @app.api_route(
        "/scene/tiles/{layer}/{digest}/{path:path}", methods=["GET", "HEAD"], include_in_schema=False
    )
    def read_tile(request: Request, layer: str, digest: str, path: str) -> Response:
        file = find_tile(county, layer, digest, path)
        if file is None:
            raise HTTPException(404, "no such tile")
        tag = hashlib.sha256(f"{digest}/{path}".encode()).hexdigest()[:16]
        return answer_file(request, file, f'"{tag}"')
