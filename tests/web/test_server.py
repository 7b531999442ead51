"""What the server gives to whom: every route behind the gate, the right headers, no doors beside it."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from fastapi import FastAPI
from starlette.routing import Mount, Route, WebSocketRoute
from websockets.exceptions import InvalidStatus

from app.auth import AccountFile
from app.auth.gate import OPEN
from app.pages.data_quality import REDO_PATH
from app.web.server import PAGES
from tests.support.fake_store import FakeStore
from tests.support.system import free_port
from tests.web.conftest import Site, make_settings


@pytest.fixture
def guarded(store: FakeStore, tmp_path: Path) -> Iterator[Site]:
    """To listen beyond this machine, with an account nobody has signed in to."""
    settings = make_settings(tmp_path, CT_HOST="0.0.0.0")
    AccountFile(settings.data / "auth" / "accounts.json").add("li", "Qingshui-2026", "viewer")
    site = Site(store, settings, free_port())
    site.start()
    yield site
    site.stop()


def walk(app: FastAPI) -> list[tuple[str, set[str], bool]]:
    """(path with every place filled, methods, socket) of everything the server answers."""
    found = []
    for route in app.router.routes:
        path = getattr(route, "path", "")
        for name in getattr(route, "param_convertors", {}):
            path = path.replace("{" + name + "}", "x").replace("{" + name + ":path}", "x")
        path = "/" + path.lstrip("/")  # the catch-all is written without
        if isinstance(route, WebSocketRoute):
            found.append((path, set(), True))
        elif isinstance(route, Route):
            found.append((path, set(route.methods or {"GET"}), False))
        elif isinstance(route, Mount):
            found.append((path + "/x", {"GET"}, False))
    return found


def is_open(path: str) -> bool:
    return any(path == p or path.startswith(p + "/") for p in OPEN) or path in ("/login", "/logout")


def test_no_route_answers_a_stranger(guarded: Site) -> None:
    assert guarded.app is not None
    routes = walk(guarded.app)
    assert len(routes) > 15 and any(socket for _, _, socket in routes)
    for path, methods, socket in routes:
        if is_open(path):
            continue
        for method in () if socket else methods:
            said = guarded.ask(path, method, origin=guarded.url)
            assert said.status == 401, (method, path, said.status)
    with pytest.raises(InvalidStatus, match="403"):
        guarded.first_frame()
    page = guarded.ask("/heating", accept="text/html")
    assert (page.status, page.headers["location"]) == (303, "/login?next=%2Fheating")


def test_a_stranger_learns_only_that_it_runs_and_what_is_public(guarded: Site) -> None:
    assert set(json.loads(guarded.ask("/healthz").text)) == {"ok", "t"}
    public = json.loads(guarded.ask("/public/data").text)
    assert set(public) == {"available", "t", "outdoor_c", "room_c", "pass_share", "rooms", "supply_c"}
    assert guarded.ask("/public").status == guarded.ask("/assets/public.css").status == 200


def test_who_has_signed_in_sees_the_state_of_the_whole(guarded: Site) -> None:
    form = urlencode({"name": "li", "password": "Qingshui-2026"})
    said = guarded.ask("/login", "POST", form, origin=guarded.url)
    cookie = said.headers["set-cookie"].split(";")[0]
    assert guarded.ask("/heating", accept="text/html", cookie=cookie).status == 200
    assert "store" in json.loads(guarded.ask("/healthz", cookie=cookie).text)


def test_a_viewer_may_look_and_not_act(guarded: Site) -> None:
    form = urlencode({"name": "li", "password": "Qingshui-2026"})
    cookie = guarded.ask("/login", "POST", form, origin=guarded.url).headers["set-cookie"].split(";")[0]
    assert guarded.ask(REDO_PATH, "POST", cookie=cookie, origin=guarded.url).status == 403
    assert guarded.store.redo_wanted == []


def test_a_foreign_page_cannot_act(site: Site) -> None:
    assert site.ask(REDO_PATH, "POST", origin="http://evil.example").status == 403
    assert site.store.redo_wanted == []
    assert site.ask(REDO_PATH, "POST", origin=site.url).status == 200
    assert site.store.redo_wanted == [None]


def test_the_server_does_not_describe_itself(site: Site) -> None:
    for path in ("/docs", "/redoc", "/openapi.json"):
        text = site.ask(path).text.lower()
        assert "openapi" not in text and "swagger" not in text


def test_every_answer_forbids_other_hosts_and_guessing_of_types(site: Site) -> None:
    for path in (*PAGES, "/public", "/healthz", "/api/meta", "/assets/app.css", "/embed/heating"):
        headers = site.ask(path).headers
        policy = dict(rule.split(" ", 1) for rule in headers["content-security-policy"].split("; "))
        assert policy["default-src"] == policy["connect-src"] == "'self'", path
        assert policy["object-src"] == "'none'"
        assert "http" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"


def test_only_embedded_views_may_stand_in_the_frames_that_were_named(
    store: FakeStore, tmp_path: Path
) -> None:
    site = Site(store, make_settings(tmp_path, CT_FRAME_ANCESTORS="https://portal.county"), free_port())
    site.start()
    try:
        for path, allowed in (("/embed/heating", "https://portal.county"), ("/heating", "'self'")):
            policy = site.ask(path).headers["content-security-policy"]
            assert policy.endswith(f"frame-ancestors {allowed}")
    finally:
        site.stop()


def test_a_rebound_host_name_is_refused(site: Site) -> None:
    assert site.ask("/", host="evil.example").status == 403


def test_a_foreign_page_cannot_listen(site: Site) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        site.first_frame(origin="http://evil.example")
    assert site.first_frame()[:3] == b"CT\x01"


def test_pages_are_made_of_our_own_files_only(site: Site) -> None:
    html = site.ask("/").text
    sources = [part.split('"')[0] for part in html.replace("'", '"').split('src="')[1:]]
    assert len(sources) > 5
    assert [s for s in sources if not s.startswith("/") or s.startswith("//")] == []
    for name in ("app.js", "live.js", "scene.js", "app.css"):
        assert f"/assets/{name}" in html


def test_what_a_screen_must_know_of_points_is_complete(site: Site) -> None:
    meta = json.loads(site.ask("/api/meta").text)
    assert meta["ids"] == [p.id for p in site.store.county.points]
    assert len(meta["quantity"]) == len(meta["period_s"]) == len(meta["ids"])
    assert set(meta["words"]) == {"zh", "en"}
    assert meta["timezone"] == site.store.county.meta.timezone
