"""The API's document: every route is in it, and nothing that is no route."""

from typing import Any

from litestar.testing import TestClient

from appliance.pages.openapi import document, routes
from appliance.pages.operations import OPERATIONS


def test_every_operation_says_what_it_takes_and_answers(visitor: TestClient[Any]) -> None:
    there = {(method, path) for path, method, _ in routes(visitor.app)}
    assert there == set(OPERATIONS)


def test_every_operation_has_a_sentence_and_a_success(visitor: TestClient[Any]) -> None:
    for path, methods in document(visitor.app)["paths"].items():
        for method, about in methods.items():
            assert about["summary"].endswith("."), (method, path)
            assert any(status < "400" for status in about["responses"]), (method, path)


def test_references_lead_somewhere(visitor: TestClient[Any]) -> None:
    told = document(visitor.app)
    schemas = told["components"]["schemas"]

    def follow(value: Any) -> None:
        if isinstance(value, dict):
            if "$ref" in value:
                assert value["$ref"].removeprefix("#/components/schemas/") in schemas
            for one in value.values():
                follow(one)
        elif isinstance(value, list):
            for one in value:
                follow(one)

    follow(told)


def test_is_answered_as_json_and_as_a_page(visitor: TestClient[Any]) -> None:
    assert visitor.get("/api/v1/openapi.json").json()["openapi"] == "3.1.0"
    page = visitor.get("/help/api")
    assert page.status_code == 200
    assert "/api/v1/items/{number}" in page.text
