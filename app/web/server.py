"""The dashboard: Dash on FastAPI, pages chosen by address, live values beside it."""

import time
from pathlib import Path

import dash
from dash import Dash, Input, Output, State, dcc, html
from fastapi import FastAPI, Request
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import JSONResponse

from app.access import Access, register_access
from app.auth import may, protect
from app.complaints import Complaints, register_complaints
from app.documents import register_documents
from app.documents.service import Documents
from app.i18n import translate
from app.live import register_live
from app.pages import (
    access,
    balance,
    commands,
    complaints,
    data_quality,
    diagnosis,
    dispatch,
    documents,
    drill,
    heating,
    overview,
    point,
    public,
    rehearsal,
    report,
    twin_page,
)
from app.scene import register_scene_routes
from app.scene.tiles import register_tile_routes
from app.web.balance_routes import register_balance_routes
from app.web.command_routes import register_command_routes
from app.web.context import Context
from app.web.dispatch_routes import register_dispatch_routes
from app.web.finding_routes import register_finding_routes
from app.web.learning_routes import register_learning_routes
from app.web.rehearsal_routes import register_rehearsal_routes
from app.web.scene_routes import register_scene_time_routes
from app.web.search_routes import register_search_routes
from app.web.shell import draw_frame, read_view
from ingest.settings import Settings
from ingest.store.api import Store
from twin.model.county import County

ASSETS = Path(__file__).resolve().parents[2] / "assets"

PAGES = {
    "/": overview,
    "/heating": heating,
    "/diagnosis": diagnosis,
    "/twin": twin_page,
    "/rehearsal": rehearsal,
    "/drill": drill,
    "/dispatch": dispatch,
    "/balance": balance,
    "/complaints": complaints,
    "/report": report,
    "/access": access,
    "/point": point,
    "/data-quality": data_quality,
    "/commands": commands,
    "/documents": documents,
}
NAVIGATION = [
    ("nav.centre", "nav.overview", "/"),
    ("nav.platform", "nav.access", "/access"),
    ("nav.platform", "nav.point", "/point"),
    ("nav.platform", "nav.data", "/data-quality"),
    ("nav.platform", "nav.commands", "/commands"),
    ("nav.platform", "nav.documents", "/documents"),
    ("nav.apps", "nav.heating", "/heating"),
    ("nav.apps", "nav.twin", "/twin"),
    ("nav.apps", "nav.diagnosis", "/diagnosis"),
    ("nav.apps", "nav.rehearsal", "/rehearsal"),
    ("nav.apps", "nav.drill", "/drill"),
    ("nav.apps", "nav.dispatch", "/dispatch"),
    ("nav.apps", "nav.balance", "/balance"),
    ("nav.apps", "nav.complaints", "/complaints"),
    ("nav.apps", "nav.report", "/report"),
]


def create_app(settings: Settings, county: County, store: Store) -> FastAPI:
    """Everything wired; nothing is asked of the store before a screen comes."""
    server = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    server.add_middleware(GZipMiddleware, minimum_size=1500)
    context = Context(settings, county, store)
    hub = register_live(server, store, settings, lambda: context.county)
    server.state.scene = register_scene_routes(server, county, moments=True)
    register_tile_routes(server, settings.county)
    register_scene_time_routes(server, context)
    public.register(server, context)
    register_command_routes(server, context)
    register_dispatch_routes(server, context)
    register_rehearsal_routes(server, context)
    register_balance_routes(server, context)
    register_finding_routes(server, context)
    register_search_routes(server, context)
    register_learning_routes(server, context)
    register_access(server, Access(context))
    register_documents(server, Documents(context))
    register_complaints(server, Complaints(context))

    @server.get("/healthz")
    async def healthz(request: Request) -> JSONResponse:
        hub.start()
        said: dict[str, object] = {"ok": True, "t": time.time()}
        if may(request.scope, "viewer"):  # a stranger learns only that it runs
            said |= hub.status()
        return JSONResponse(said, headers={"Cache-Control": "no-store"})

    app = Dash(
        __name__,
        server=server,
        backend="fastapi",
        assets_folder=str(ASSETS),
        serve_locally=True,
        title=county.meta.name,
        update_title="",
        suppress_callback_exceptions=True,
        meta_tags=[{"name": "viewport", "content": "width=device-width, initial-scale=1"}],
    )
    app.layout = html.Div(
        [dcc.Location(id="address", refresh="callback-nav"), dcc.Store(id="selection"), html.Div(id="page")]
    )
    _register_router(app, context)
    for page in PAGES.values():
        page.register(app, context)
    # Dash lists its assets at the first request, and a second request that comes meanwhile gets a page
    # without them: list them now.
    app._setup_server()
    protect(server, settings)
    return server


def _register_router(app: Dash, context: Context) -> None:
    network = context.county.network
    known = {s.id for s in network.substations} | {s.id for s in network.sources}

    @app.callback(
        Output("page", "children"),
        Output("selection", "data"),
        Input("address", "pathname"),
        State("address", "search"),
    )
    def show_page(path: str | None, search: str | None) -> tuple[object, object]:
        view = read_view(path, search, context.settings.lang, known)
        page = PAGES.get(view.path)
        if page is None:
            body: list[object] = [html.P(translate("app.not_found", view.lang), className="ct-empty")]
        else:
            body = page.layout(view, context)
        mark = html.Div(
            id="ct-view", **{"data-lang": view.lang, "data-theme": "light" if view.light else "dark"}
        )
        return draw_frame(view, context, [mark, *body], NAVIGATION), view.selection or dash.no_update
