"""The web application: every route, and what all of them share."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide

from appliance.library import items
from appliance.pages import (
    account,
    activity,
    add,
    backups,
    chips,
    condition,
    disks,
    doctor,
    download,
    edits,
    events,
    files,
    form_upload,
    forms,
    health,
    help_pages,
    item,
    library,
    link,
    log_pages,
    login,
    metrics,
    models,
    notices,
    openapi,
    orders,
    people,
    people_api,
    queue,
    settings,
    tus,
    uploads,
    welcome,
)
from appliance.pages import items as items_api
from appliance.pages.box import Box
from appliance.pages.errors import ErrorAnswers
from appliance.pages.feed import Feed
from appliance.pages.security import add_headers, guard
from appliance.pages.spoken import spoken
from appliance.pages.static import static_routes
from appliance.pages.status import status
from appliance.pages.templates import Templates
from appliance.sentences import ENGLISH, Language, Sentence
from appliance.settings import Settings

# Python's own choice for four cores is eight: as many uploads waiting for a slow card would hold up every page.
THREADS = 32


def create_app(given: Settings, language: Language = ENGLISH) -> Litestar:
    """Return the application for a library that is already migrated; nothing is opened before it starts."""
    box = Box.at(given, language)
    templates = Templates(language)
    feed = Feed(box)
    doors = login.Doors()
    warmth = condition.Warmth()

    @asynccontextmanager
    async def running(app: Litestar) -> AsyncIterator[None]:
        box.store.prepare()
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, "pages"))
        # Held open as long as the process runs: the last connection to leave would fold the write-ahead log into the
        # database each time, and wear the card.
        with box.library() as db:
            items.revision(db)
            async with warmth.watched():
                yield
            await feed.stop()

    return Litestar(
        route_handlers=[
            library.library, item.item, add.add, form_upload.add_by_form, activity.activity, activity.activity_now,
            condition.condition_page, condition.condition, doctor.doctor_page, doctor.look_by_form, doctor.doctor,
            doctor.look, help_pages.overview, help_pages.help_page, log_pages.logs_page, log_pages.logs_text,
            settings.settings, settings.save, settings.listing, settings.change,
            uploads.upload, items_api.router, items_api.timeline, chips.filters, edits.trash_size, edits.empty_trash,
            edits.restore_trash, download.download, files.router,
            account.account_page, account.account_form, account.account, account.account_password,
            account.account_sessions_end, account.account_session_end, people.people_page, people.people_form,
            *people_api.HANDLERS, link.link_page, link.link_send, link.link_begin, link.link_go_on,
            events.events, events.changes, status, tus.begin, tus.go_on,
            login.login, login.sign_in, login.sign_out,
            welcome.welcome, welcome.begin, welcome.when, welcome.choose, welcome.phones, welcome.qr,
            disks.disk, disks.choose, disks.listing, disks.move,
            settings.reset, models.models_page, models.models_form, models.models_list, models.models_install,
            models.models_use, models.installation_cancel, models.errand_cancel, models.models_errand,
            models.models_remove, backups.backups_page, backups.back_up_by_form, backups.backups_list, backups.back_up,
            backups.backup_file, backups.restore_by_form, backups.restore, orders.order_by_form, orders.order_by_api,
            health.live, health.ready, metrics.metrics, queue.router, notices.dismiss, *static_routes(language),
            forms.edit, forms.trash_page, forms.restore_all, forms.empty, openapi.openapi_json, openapi.api_page,
        ],
        dependencies={
            "box": Provide(lambda: box, sync_to_thread=False),
            "templates": Provide(lambda: templates, sync_to_thread=False),
            "feed": Provide(lambda: feed, sync_to_thread=False),
            "doors": Provide(lambda: doors, sync_to_thread=False),
            "warmth": Provide(lambda: warmth, sync_to_thread=False),
        },
        type_encoders={Sentence: spoken},
        exception_handlers={Exception: ErrorAnswers(box, templates)},
        guards=[guard],
        before_send=[add_headers],
        lifespan=[running],
        state=State({"box": box, "feed": feed}),
        openapi_config=None,
        logging_config=None,
    )  # fmt: skip
