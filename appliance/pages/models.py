"""The models: what is installed and in use, installing with its progress, checking, trying and removing one."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import msgspec
from litestar import Request, Response, delete, get, post, put, route
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from appliance.errors import ModelError, NotFoundError, ShoeboxError, StorageError
from appliance.modelstore import catalog, installed
from appliance.modelstore.need import memory_needed
from appliance.pages.access import needs
from appliance.pages.body import form_fields, whole
from appliance.pages.box import Box
from appliance.pages.errors import ModelOrderError, NothingWaitingError, RequestError
from appliance.pages.head import GET
from appliance.pages.templates import Templates, html
from appliance.records import Scope
from appliance.work import errand, installing

MOST = 4096  # bytes of a form or of a JSON body
MOST_FIELDS = 10
PAGE = "/settings/models"


@route(PAGE, http_method=GET, opt=needs(Scope.ADMIN))  # type: ignore[arg-type]
async def models_page(box: NamedDependency[Box], templates: NamedDependency[Templates]) -> Response[str]:
    """Answer the page."""
    return await asyncio.to_thread(_page, box, templates)


@post(PAGE, request_max_body_size=MOST, opt=needs(Scope.ADMIN))
async def models_form(
    request: Request[Any, Any, Any], box: NamedDependency[Box], templates: NamedDependency[Templates]
) -> Response[Any]:
    """Do what the button that was pressed names, `ACTION` or `ACTION MODEL`; what cannot be is told on the page."""
    action, _, model = form_fields(await whole(request), MOST_FIELDS).get("do", "").partition(" ")
    if action not in ACTIONS:
        raise RequestError("The form names nothing to do.", "Open the page again and send it from there.")
    return await asyncio.to_thread(_act, box, templates, action, model)


@get("/api/v1/models", opt=needs(Scope.ADMIN))
async def models_list(box: NamedDependency[Box]) -> dict[str, Any]:
    """Answer the models: installed, to be had, unusable; the latest installation and the latest errand."""
    return await asyncio.to_thread(_told, box)


@post("/api/v1/models", status_code=202, request_max_body_size=MOST, opt=needs(Scope.ADMIN))
async def models_install(request: Request[Any, Any, Any], box: NamedDependency[Box]) -> dict[str, Any]:
    """Install the model of the JSON object `{"name"}` and use it; answer the models, with how far it is."""
    return await _done(box, "install", await _word(request, "name"))


@delete("/api/v1/models/installation", status_code=200, opt=needs(Scope.ADMIN))
async def installation_cancel(box: NamedDependency[Box]) -> dict[str, Any]:
    """Stop the installation; what was downloaded is kept for the next. Answer the models."""
    return await _done(box, "cancel-install", "")


@put("/api/v1/models/in-use", request_max_body_size=MOST, opt=needs(Scope.ADMIN))
async def models_use(request: Request[Any, Any, Any], box: NamedDependency[Box]) -> dict[str, Any]:
    """Describe with the model of the JSON object `{"id"}` from the next item on; answer the models."""
    return await _done(box, "use", await _word(request, "id"))


@post("/api/v1/models/{model:str}/{kind:str}", status_code=202, opt=needs(Scope.ADMIN))
async def models_errand(model: FromPath[str], kind: FromPath[str], box: NamedDependency[Box]) -> dict[str, Any]:
    """Look a model over: `verify` its files and answers, or `try` it on photos of the library. Answer the models."""
    if kind not in {"verify", "try"}:
        raise NotFoundError("A model cannot be asked for that.", "Use verify or try.")
    return await _done(box, kind, model)


@delete("/api/v1/models/errand", status_code=200, opt=needs(Scope.ADMIN))
async def errand_cancel(box: NamedDependency[Box]) -> dict[str, Any]:
    """Stop looking a model over; answer the models."""
    return await _done(box, "cancel-errand", "")


@delete("/api/v1/models/{model:str}", status_code=200, opt=needs(Scope.ADMIN))
async def models_remove(model: FromPath[str], box: NamedDependency[Box]) -> dict[str, Any]:
    """Delete a model that is not in use; answer the models."""
    return await _done(box, "remove", model)


def _install(box: Box, name: str) -> None:
    installing.start(box.settings.data, name)


def _cancel_install(box: Box, _: str) -> None:
    if not installing.cancel(box.settings.data):
        raise NothingWaitingError("No model is being installed.", "It may be done already.")


def _use(box: Box, model: str) -> None:
    installed.use(box.models, model)


def _verify(box: Box, model: str) -> None:
    errand.start(box.settings.data, "verify", model)


def _try(box: Box, model: str) -> None:
    errand.start(box.settings.data, "try", model)


def _cancel_errand(box: Box, _: str) -> None:
    if not errand.cancel(box.settings.data):
        raise NothingWaitingError("No model is being looked over.", "It may be done already.")


def _remove(box: Box, model: str) -> None:
    installed.remove(box.models, model)


ACTIONS: dict[str, Callable[[Box, str], None]] = {
    "install": _install,
    "cancel-install": _cancel_install,
    "use": _use,
    "verify": _verify,
    "try": _try,
    "cancel-errand": _cancel_errand,
    "remove": _remove,
}


def _act(box: Box, templates: Templates, action: str, model: str) -> Response[Any]:
    try:
        ACTIONS[action](box, model)
    except (ModelError, StorageError, NothingWaitingError) as error:
        return _page(box, templates, error)
    return Redirect(PAGE, status_code=303)


async def _done(box: Box, action: str, model: str) -> dict[str, Any]:
    def do() -> dict[str, Any]:
        try:
            ACTIONS[action](box, model)
        except ModelError as error:
            raise ModelOrderError(error.message, error.next_step) from error
        return _told(box)

    return await asyncio.to_thread(do)


async def _word(request: Request[Any, Any, Any], name: str) -> str:
    try:
        return msgspec.json.decode(await whole(request), type=dict[str, str])[name]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, KeyError):
        raise RequestError("The body does not name the {name}.", 'Send {"{name}": "…"}.', name=name) from None


def _told(box: Box) -> dict[str, Any]:
    """Return what the API and the page tell of the models."""
    usable = installed.installed(box.models)
    used = box.model()
    entries = catalog.catalog()
    latest, found = errand.read(box.models), box.installation()
    if found is not None and found["state"] == "interrupted":
        found["error"] = installing.trouble(box.settings.data)
    return {
        "installed": [
            {name: value for name, value in asdict(model).items() if name != "folder"}
            | {"in_use": used is not None and model.id == used.id, "memory": memory_needed(model, entries)}
            for model in usable
        ],
        "available": [
            {"name": one.name, "title": one.title, "bytes": one.bytes, "licence": one.licence}
            for one in entries
            if not one.shipped and all(not model.id.startswith(f"{one.name}-") for model in usable)
        ],
        "problems": [{"name": one.name, "error": str(one.error)} for one in installed.problems(box.models)],
        "installation": found,
        "errand": None if latest is None else _errand(latest),
    }


def _errand(latest: errand.Errand) -> dict[str, Any]:
    told = msgspec.structs.asdict(latest) | {"state": latest.state}
    return told | {"pairs": [msgspec.structs.asdict(pair) for pair in latest.pairs]}


def _page(box: Box, templates: Templates, trouble: ShoeboxError | None = None) -> Response[str]:
    told = _told(box)
    names = {one["id"]: one["name"] for one in told["installed"]}
    titles = {one.name: one.title for one in catalog.catalog()}
    installation = told["installation"]
    if installation is not None:
        id = installation["model"]
        installation["name"] = names.get(id) or next((titles[name] for name in titles if id.startswith(name)), id)
    under_way = [one for one in (installation, told["errand"]) if one is not None and one["state"] == "running"]
    with box.library() as db:
        text = templates.page(
            "settings_models.html", box, db, "settings",
            **told, names=names, under_way=bool(under_way), trouble=trouble, photos=errand.PHOTOS,
        )  # fmt: skip
    return html(text, 200 if trouble is None else 409)
