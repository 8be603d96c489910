from typing import Any

from django.http import HttpRequest


def newsroom(request: HttpRequest) -> dict[str, Any]:
    return {}
