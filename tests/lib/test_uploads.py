"""Uploads stay in memory up to a limit, and a larger one is never taken for none (H4)."""

from __future__ import annotations

from typing import Any

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest
from django.test import RequestFactory
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from newsletter.lib.uploads import OversizedUpload, refuse_oversized

LIMIT = 100_000


@pytest.fixture(autouse=True)
def small_limit(settings: Any) -> None:
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = LIMIT


def _request(**sizes: int) -> HttpRequest:
    files = {name: SimpleUploadedFile(f"{name}.bin", b"x" * size) for name, size in sizes.items()}
    body = encode_multipart(BOUNDARY, {**files, "credit": "A. Pen"})
    return RequestFactory().generic("POST", "/", body, content_type=MULTIPART_CONTENT)


def test_a_file_below_the_limit_arrives_whole() -> None:
    request = _request(one=LIMIT)
    assert request.FILES["one"].read() == b"x" * LIMIT  # type: ignore[union-attr]
    assert request.POST["credit"] == "A. Pen"


def test_a_file_above_the_limit_arrives_as_one_that_is_too_large() -> None:
    request = _request(one=LIMIT + 1)
    file = request.FILES["one"]
    assert isinstance(file, OversizedUpload)
    assert (file.name, file.received, file.read()) == ("one.bin", LIMIT + 1, b"")
    assert request.POST["credit"] == "A. Pen"
    with pytest.raises(ValidationError, match=r"has 0.1 MB\. The limit is 0.1 MB"):
        refuse_oversized(file)


def test_all_files_of_a_request_share_the_limit() -> None:
    request = _request(one=60_000, two=60_000, three=30_000)
    large = {name for name, file in request.FILES.items() if isinstance(file, OversizedUpload)}
    assert large == {"two"}


def test_a_field_that_knows_nothing_of_it_refuses_it_too() -> None:
    class Form(forms.Form):
        one = forms.FileField(required=False)

    form = Form({}, _request(one=LIMIT + 1).FILES)
    assert not form.is_valid()
    assert "one" in form.errors
