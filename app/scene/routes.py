"""HTTP routes of the scene: spec, buffers, ground pictures and the renderer from the pydeck wheel."""

import gzip
import hashlib
import json
from functools import cache
from importlib import resources

from fastapi import FastAPI, HTTPException, Request, Response

from app.scene.assets import SceneLibrary
from app.scene.buffers import Blob
from app.scene.palette import PALETTES
from app.scene.spec import VIEWS, make_spec
from twin.model.county import County

FOREVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"
LANGUAGES = ("zh", "en")


@cache
def read_renderer() -> Blob:
    """The deck.gl bundle of the installed pydeck, compressed once (0.4 s).

    It is a universal module. In a page with an AMD loader it would register itself there and stay unseen;
    so it runs in a function that hides ``define``, ``module`` and ``require`` from it, and exports to the
    page: ``window.deck``, ``window.luma``.
    """
    source = resources.files("pydeck").joinpath("nbextension", "static", "index.js").read_bytes()
    # The reference to the source map would be a request for a file that is not served.
    source = source.rsplit(b"\n//# sourceMappingURL=", 1)[0]
    source = b"(function (define, module, exports, require) {\n" + source + b"\n})();\n"
    return Blob.make("deck.js", "text/javascript; charset=utf-8", source)


def renderer_url() -> str:
    """Address of the renderer; changes with the wheel's content."""
    return f"/scene/vendor/deck.js?v={read_renderer().digest}"


def _answer(request: Request, blob: Blob, *, digest: str = "") -> Response:
    """Serve ``blob``; for ever cacheable when the address names this very content."""
    tag = f'"{digest or blob.digest}"'
    known = request.query_params.get("v") == tag.strip('"')
    headers = {
        "Cache-Control": FOREVER if known else ASK_AGAIN,
        "ETag": tag,
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
    }
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    if blob.packed and "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(blob.packed, media_type=blob.media_type, headers=headers)
    return Response(blob.plain, media_type=blob.media_type, headers=headers)


def _spec_response(request: Request, library: SceneLibrary, moments: bool) -> Response:
    def choose(name: str, legal: tuple[str, ...]) -> str:
        value = request.query_params.get(name, legal[0])
        return value if value in legal else legal[0]

    spec = make_spec(
        library, choose("lang", LANGUAGES), choose("theme", tuple(PALETTES)), choose("view", tuple(VIEWS))
    )
    spec["scene"] |= {"renderer": renderer_url(), "moments": moments}
    plain = json.dumps(spec, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    tag = f'"{hashlib.sha256(plain).hexdigest()[:16]}"'
    headers = {"Cache-Control": ASK_AGAIN, "ETag": tag, "Vary": "Accept-Encoding"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        plain = gzip.compress(plain, compresslevel=5, mtime=0)
    return Response(plain, media_type="application/json", headers=headers)


def register_scene_routes(app: FastAPI, county: County, *, moments: bool = False) -> SceneLibrary:
    """Add the scene's routes to ``app``. Nothing is computed before the first request, or before somebody
    calls ``warm`` of what is returned.

    ``moments``: the app serves other times than now as well (``app.web.scene_routes``).
    A name that is not in the county's own list of buffers is 404: no path is ever built from a request.
    """
    library = SceneLibrary(county)

    @app.get("/scene/spec.json", include_in_schema=False)
    def read_spec(request: Request) -> Response:
        return _spec_response(request, library, moments)

    @app.get("/scene/buffers/{name}", include_in_schema=False)
    def read_buffer(request: Request, name: str) -> Response:
        blob = library.assets.blobs.get(name)
        if blob is None:
            raise HTTPException(404, "no such buffer of the scene")
        return _answer(request, blob)

    @app.get("/scene/ground/{picture}.webp", include_in_schema=False)
    def read_ground(request: Request, picture: str) -> Response:
        theme, near = picture.removesuffix("-near"), picture.endswith("-near")
        if theme not in PALETTES or (near and library.assets.near is None):
            raise HTTPException(404, f"no such ground picture; themes: {', '.join(PALETTES)}")
        return _answer(request, library.read_ground(theme, near), digest=library.ground_digest(theme))

    @app.get("/scene/vendor/deck.js", include_in_schema=False)
    def read_deck(request: Request) -> Response:
        return _answer(request, read_renderer())

    return library
