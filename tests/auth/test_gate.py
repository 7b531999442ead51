from collections.abc import MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from fastapi import FastAPI

from app.auth import AccountFile, current_account, may, protect
from app.auth.gate import COOKIE, LINK_COOKIE, make_link
from app.auth.tokens import RENEW_S, Tokens, read_secret
from ingest.settings import read_settings
from tests.support.aio import run_alone
from twin.model.errors import ConfigError

GOOD = "Qingshui-2026"
HOST = "127.0.0.1:8050"


class Answer:
    def __init__(self, messages: list[MutableMapping[str, Any]]) -> None:
        self.messages = messages
        start = messages[0]
        self.status = start.get("status", start.get("code"))
        self.headers = [(k.decode().lower(), v.decode("latin-1")) for k, v in start.get("headers", [])]
        self.text = b"".join(m.get("body", b"") for m in messages[1:]).decode()

    def __getitem__(self, name: str) -> str:
        return next((v for k, v in self.headers if k == name), "")

    @property
    def cookie(self) -> str:
        return self["set-cookie"].split(";")[0]


class Site:
    """What stands behind the gate: it says who asks."""

    def __init__(self, data: Path, host: str = "127.0.0.1", **env: str) -> None:
        self.settings = read_settings({"CT_DATA": str(data), "CT_HOST": host, **env})
        self.file = AccountFile(data / "auth" / "accounts.json")
        self.app = FastAPI()

    def protected(self) -> "Site":
        protect(self.app, self.settings)
        self.app.router.default = self._inside
        return self

    async def _inside(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            return
        account = current_account(scope)
        said = f"{account.name if account else '-'} {may(scope, 'viewer')} {may(scope, 'operator')}"
        headers = [(b"content-type", b"text/plain")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": said.encode()})

    def ask(
        self,
        path: str,
        *,
        kind: str = "http",
        method: str = "GET",
        body: bytes = b"",
        scheme: str = "http",
        **said: str,
    ) -> Answer:
        headers = {"host": HOST, "accept": "text/html", **{k.replace("_", "-"): v for k, v in said.items()}}
        plain, _, query = path.partition("?")
        scope: dict[str, Any] = {"type": kind, "path": plain, "raw_path": plain.encode(), "scheme": scheme}
        scope |= {"query_string": query.encode(), "root_path": "", "http_version": "1.1"}
        scope |= {"client": ("10.0.0.9", 5), "server": ("127.0.0.1", 8050)}
        scope["headers"] = [(k.encode(), v.encode("latin-1")) for k, v in headers.items()]
        if kind == "http":
            scope["method"] = method
        messages: list[MutableMapping[str, Any]] = []
        first = (
            {"type": "websocket.connect"} if kind == "websocket" else {"type": "http.request", "body": body}
        )

        async def receive() -> dict[str, Any]:
            return first

        async def send(message: MutableMapping[str, Any]) -> None:
            messages.append(message)

        run_alone(self.app(scope, receive, send))
        return Answer(messages)

    def sign_in(self, name: str = "li", password: str = GOOD, **more: str) -> Answer:
        body = urlencode({"name": name, "password": password, "next": more.pop("next", "/heating")}).encode()
        return self.ask("/login", method="POST", body=body, origin=f"http://{HOST}", **more)


@pytest.fixture
def alone(tmp_path: Path) -> Site:
    """On loopback without accounts."""
    return Site(tmp_path).protected()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Listening beyond this machine, with two accounts."""
    site = Site(tmp_path, "0.0.0.0", CT_FRAME_ANCESTORS="https://portal.county")
    site.file.add("li", GOOD, "viewer")
    site.file.add("wang", GOOD, "operator")
    return site.protected()


def test_to_listen_elsewhere_it_demands_accounts_first(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="user add NAME --role admin"):
        Site(tmp_path, "0.0.0.0").protected()
    Site(tmp_path, "127.0.0.1").protected()


def test_alone_on_this_machine_all_is_allowed(alone: Site) -> None:
    assert alone.ask("/").text == "- True True"
    assert (
        alone.ask("/ws/live", kind="websocket", origin=f"http://{HOST}").messages[0]["type"]
        == "websocket.accept"
    )


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8050", "10.0.0.4:8050", "", "127.0.0.1.evil.example"]
)
def test_alone_a_foreign_host_name_is_refused(alone: Site, host: str) -> None:
    assert alone.ask("/", host=host).status == 403


@pytest.mark.parametrize("host", ["localhost:8050", "127.0.0.1", "[::1]:8050"])
def test_alone_every_name_of_this_machine_is_accepted(alone: Site, host: str) -> None:
    assert alone.ask("/", host=host).status == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:9999", "https://127.0.0.1.evil"]
)
def test_a_foreign_page_can_neither_change_nor_listen(alone: Site, origin: str) -> None:
    assert alone.ask("/_dash-update-component", method="POST", origin=origin).status == 403
    assert alone.ask("/ws/live", kind="websocket", origin=origin).messages[0]["type"] == "websocket.close"
    assert alone.ask("/_dash-update-component", method="POST", origin=f"http://{HOST}").status == 200


def test_a_cross_site_request_without_origin_is_refused(alone: Site) -> None:
    assert alone.ask("/x", method="POST", sec_fetch_site="cross-site").status == 403
    assert alone.ask("/x", method="POST").status == 200


def test_with_accounts_everything_is_denied_by_default(site: Site) -> None:
    page = site.ask("/heating?station=S01")
    assert (page.status, page["location"]) == (303, "/login?next=%2Fheating%3Fstation%3DS01")
    for path in (
        "/_dash-layout",
        "/assets/app.css",
        "/scene/spec.json",
        "/healthzz",
        "/publicity",
        "/embed/overview",
    ):
        assert site.ask(path, accept="*/*").status == 401, path
    assert site.ask("/_dash-update-component", method="POST").status == 401
    assert site.ask("/ws/live", kind="websocket").messages[0]["code"] == 4401


@pytest.mark.parametrize(
    "path", ["/healthz", "/public", "/public/data", "/favicon.ico", "/assets/public.css"]
)
def test_the_public_page_and_the_monitor_need_no_account(site: Site, path: str) -> None:
    assert site.ask(path).text == "- False False"


def test_on_an_open_path_who_has_signed_in_is_still_known(site: Site) -> None:
    assert site.ask("/healthz", cookie=site.sign_in("wang").cookie).text == "wang True True"


def test_accounts_are_demanded_on_loopback_too_once_there_are_some(alone: Site) -> None:
    alone.file.add("li", GOOD, "viewer")
    assert alone.ask("/").status == 303


def test_signing_in_opens_the_page_that_was_asked_for(site: Site) -> None:
    done = site.sign_in()
    assert (done.status, done["location"]) == (303, "/heating")
    assert done.cookie.startswith(f"{COOKIE}=") and "HttpOnly" in done["set-cookie"]
    assert "SameSite=Lax" in done["set-cookie"] and "Secure" not in done["set-cookie"]
    assert site.ask("/heating", cookie=f"a=b; {done.cookie}").text == "li True False"
    assert site.ask("/", cookie=site.sign_in("wang").cookie).text == "wang True True"
    assert (
        site.ask("/ws/live", kind="websocket", cookie=done.cookie).messages[0]["type"] == "websocket.accept"
    )


def test_behind_tls_the_cookie_is_for_tls_only(site: Site) -> None:
    body = urlencode({"name": "li", "password": GOOD}).encode()
    assert "Secure" in site.ask("/login", method="POST", body=body, scheme="https")["set-cookie"]


def test_a_wrong_password_is_said_and_five_lock_the_name(site: Site) -> None:
    for _ in range(5):
        wrong = site.sign_in(password="wrong-password")
        assert wrong.status == 401 and "账号或密码不对" in wrong.text and wrong.cookie == ""
    locked = site.sign_in()
    assert locked.status == 429 and "分钟后再试" in locked.text


def test_signing_in_from_a_foreign_page_is_refused(site: Site) -> None:
    body = urlencode({"name": "li", "password": GOOD}).encode()
    assert site.ask("/login", method="POST", body=body, origin="http://evil.example").status == 403


def test_signing_in_never_leads_elsewhere(site: Site) -> None:
    assert site.sign_in(next="//evil.example")["location"] == "/"


def test_a_long_form_is_refused(site: Site) -> None:
    assert site.ask("/login", method="POST", body=b"name=" + b"x" * 5000).status == 413


def test_the_sign_in_page_speaks_both_languages_and_escapes(site: Site) -> None:
    zh = site.ask('/login?next=/"><script>alert(1)</script>')
    assert "登录" in zh.text and "<script>alert" not in zh.text
    assert zh["cache-control"] == "no-store"
    assert "Sign in" in site.ask("/login?lang=en").text


def test_signing_out_and_removal_end_a_session(site: Site) -> None:
    cookie = site.sign_in().cookie
    assert "Max-Age=0" in site.ask("/logout", cookie=cookie)["set-cookie"]
    site.file.remove("li")
    assert site.ask("/", cookie=cookie).status == 303


def test_a_forged_cookie_opens_nothing(site: Site) -> None:
    forged = Tokens("guess").sign_session(site.file.accounts()["wang"])
    assert site.ask("/", cookie=f"{COOKIE}={forged}").status == 303


def test_a_session_in_use_is_renewed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    cookie, now = site.sign_in().cookie, time.time()
    assert site.ask("/", cookie=cookie)["set-cookie"] == ""
    monkeypatch.setattr("time.time", lambda: now + RENEW_S + 5)
    assert site.ask("/", cookie=cookie).cookie.startswith(f"{COOKIE}=")


def link_of(site: Site, path: str, expires: float = 9e9) -> str:
    tokens = Tokens(read_secret(site.settings.data / "auth" / "secret.key"))
    return make_link(f"http://{HOST}/", path, tokens, expires).removeprefix(f"http://{HOST}")


def test_a_signed_link_opens_its_view_and_what_it_is_made_of_to_look_at(site: Site) -> None:
    opened = site.ask(link_of(site, "/embed/overview"))
    assert opened.text == "link True False" and opened.cookie.startswith(f"{LINK_COOKIE}=")
    for path in ("/assets/app.css", "/api/meta", "/scene/spec.json", "/_dash-layout"):
        assert site.ask(path, cookie=opened.cookie).status == 200, path
    assert (
        site.ask("/ws/live", kind="websocket", cookie=opened.cookie).messages[0]["type"] == "websocket.accept"
    )
    assert site.ask("/heating", cookie=opened.cookie).status == 303
    assert site.ask("/embed/heating", cookie=opened.cookie).status == 303


def test_a_link_that_expired_or_belongs_to_another_view_opens_nothing(site: Site) -> None:
    assert site.ask(link_of(site, "/embed/overview", expires=1000.0)).status == 303
    key = link_of(site, "/embed/overview").split("?")[1]
    assert site.ask(f"/embed/heating?{key}").status == 303


def test_in_a_foreign_frame_behind_tls_the_link_is_kept_for_that_frame_only(site: Site) -> None:
    said = site.ask(link_of(site, "/embed/overview"), scheme="https")["set-cookie"]
    assert "SameSite=None; Secure; Partitioned" in said


def test_only_views_to_embed_may_stand_in_foreign_frames(site: Site) -> None:
    cookie = site.sign_in().cookie
    assert site.ask("/", cookie=cookie)["content-security-policy"].endswith("frame-ancestors 'self'")
    embed = site.ask(link_of(site, "/embed/overview"))["content-security-policy"]
    assert embed.endswith("frame-ancestors https://portal.county")
    assert site.ask("/login")["x-content-type-options"] == "nosniff"
