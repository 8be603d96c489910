"""Import files: JSON in UTF-8 without repeated names (B4). Only imports load pydantic."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from newsletter.editorial.importing import import_document, read_document
from newsletter.editorial.models import ArticleTranslation, Issue
from tests.editorial.test_importing import DOCUMENT

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def document() -> dict[str, Any]:
    return copy.deepcopy(DOCUMENT)


def import_error(path: Path, content: str | bytes) -> str:
    """Return what the command says about a file with this content."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(CommandError) as error:
        call_command("import_issues", str(path))
    first, details = str(error.value).split("\n", 1)
    assert first == f"Nothing was imported from {path}. Correct it and try again:"
    return details


@pytest.mark.django_db
def test_a_repeated_name_is_refused(document: dict[str, Any], tmp_path: Path) -> None:
    text = json.dumps(document)
    text = text.replace('"headline": "Headline"', '"headline": "Headline",\n "headline": "Other"')
    text = text.replace('"categories": ', '"categories": [],\n "categories": ')
    text = text.replace('"schedule": {', '"schedule": {"weekday":\n "monday", ')
    errors = import_error(tmp_path / "issues.json", text).splitlines()
    repeated = "is there more than once. Keep one."
    assert errors[0] == f"newsletter.schedule.weekday (line 2): {repeated}"
    assert errors[1] == f"categories (line 3): {repeated}"
    assert errors[-1] == f"issues[1].articles[0].translations.en.headline (line 4): {repeated}"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{\n  "newsletter": {"slug": "x" "y"}\n}', "line 2, column 30: This is not valid JSON."),
        ('{"newsletter": {"slug": "x"', "line 1, column 28: This is not valid JSON."),
        ("", "line 1, column 1: This is not valid JSON."),
        ("{}\n{}", "line 2, column 1: This is not valid JSON."),
        ("{}".encode("utf-16-le"), "The file is in an encoding other than UTF-8 or UTF-16. Open"),
        ('{"a": "Тыдзень"}'.encode("cp1251"), "The file is in an encoding other than UTF-8"),
        ("{}".encode("utf-32"), "The file is in an encoding other than UTF-8 or UTF-16."),
        (b"\xff\xfe{\0}", "The file is in an encoding other than UTF-8 or UTF-16."),
        ("[" * 200_000, "The file is nested too deeply"),
        ("9" * 5000, "The file is nested too deeply, or contains a number that is too long."),
        ("[]", "must be an object, written {…}."),
        ("{}", "newsletter: is missing. Add it."),
    ],
)
@pytest.mark.django_db
def test_a_file_that_is_not_valid_json_is_refused(
    content: str | bytes, expected: str, tmp_path: Path
) -> None:
    assert import_error(tmp_path / "issues.json", content).startswith(expected)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.django_db
def test_a_byte_order_mark_and_utf_16_are_accepted(
    encoding: str, document: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "issues.json"
    path.write_bytes(json.dumps(document, ensure_ascii=False).encode(encoding))
    import_document(read_document(path), base=tmp_path)
    assert Issue.objects.count() == 2
    assert ArticleTranslation.objects.get(language="be").headline == "Загаловак"


# --- Memory -------------------------------------------------------------------------------------
@pytest.mark.slow
@pytest.mark.parametrize(
    "program",
    [
        "import newsletter.celery, django; django.setup();"
        "newsletter.celery.app.loader.import_default_modules()",
        "import newsletter.wsgi",
    ],
    ids=["worker", "web"],
)
def test_workers_and_the_site_do_not_load_pydantic(program: str, tmp_path: Path) -> None:
    """pydantic takes several megabytes, and only an import needs it."""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"{program}\nimport sys; print('django' in sys.modules,"
            " [name for name in sys.modules if name.startswith('pydantic')])",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "newsletter.settings",
            "VAR_DIR": str(tmp_path / "var"),
        },
    )
    assert done.stdout.split("\n")[0] == "True []"
