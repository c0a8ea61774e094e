"""The parameters of a form, for handlers of services that speak AWS's query protocol."""
# ruff: noqa: SLF001 (ministack is untyped, and its gaps sit behind private names)

from collections.abc import Mapping
from typing import Any

from ministack.core import responses

from local.emulator.core.requests import Request
from local.emulator.validation.parameters import parse


def parse_form(service: str, operation: str, form: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters by their names in the model. `service` is ministack's name."""
    model = responses._service_model(service).operation_model(operation)
    return parse(model, Request("POST", "/", {}, b"", form))
