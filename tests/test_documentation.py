"""The documentation agrees with the program and with itself (links, codes, commands)."""

from __future__ import annotations

import ast
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands

from newsletter import checks

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
RESULTS = ROOT / "benchmarks" / "results"
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "benchmarks/*.md", ".github/**/*.md")
    for path in ROOT.glob(pattern)
)
AUTOMATION = sorted([*ROOT.glob(".github/**/*.yml"), ROOT / ".pre-commit-config.yaml"])
CONFIGURATION = (DOCS / "configuration.md").read_text(encoding="utf-8")
REQUIREMENTS = (DOCS / "requirements.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (`[A-Z_]+`(?:, `[A-Z_]+`)*) \|", re.MULTILINE)

SKIPPED_FOLDERS = {".git", ".venv", "var", "node_modules", "results", "test-results", "htmlcov"}
"""Folders outside of version control, or with figures only."""
TEXT = {".py", ".html", ".mjml", ".txt", ".js", ".css", ".c", ".toml", ".md", ".yml", ".yaml", ""}

CODE = re.compile(r"""(?:(?<=\"\"\")|(?<![\w#%&<./"']))([A-IP][1-9]\d?)(?![\w%])""")
"""A cited requirement: (B4), A5, D1–D6. It excludes letters with numbers in words, strings, colours
and URLs."""
CITED_NAME = re.compile(r"\b([\w./-]+\.py):([A-Za-z_]\w*)")
DOCUMENT = re.compile(r"(?<![\w/.*-])((?:\.\./|[\w-]+/)*[\w-]+\.md)\b")
LINK = re.compile(r"\]\(([^)\s]+)\)")
PATH = re.compile(r"`((?:tests|newsletter|subscribers|benchmarks|docs|deploy)/[\w./-]*)[:`]")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def sources() -> Iterator[Path]:
    """Yield every text file of the repository."""
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [
            name for name in folders if name not in SKIPPED_FOLDERS and not name.endswith("cache")
        ]
        for name in files:
            path = Path(folder, name)
            if path.suffix in TEXT and not path.is_symlink():
                yield path


def texts() -> Iterator[tuple[str, str]]:
    """Yield (path, text) of each, without this file, whose patterns would match themselves."""
    for path in sources():
        if path != Path(__file__):
            yield name_of(path), path.read_text(encoding="utf-8", errors="replace")


def documented() -> set[str]:
    return {name.strip("`") for row in ROW.findall(CONFIGURATION) for name in row.split(", ")}


def anchors(text: str) -> set[str]:
    """Return the valid anchors of a page: explicit ones, and headings as GitHub slugs."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in headings}
    return slugs | set(re.findall(r'<a id="([^"]+)">', text))


def requirements() -> set[str]:
    return set(re.findall(r'<a id="([A-IP]\d+)">', REQUIREMENTS))


def defined_in(source: str) -> set[str]:
    """Return the functions, classes and variables that a module defines at any level."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names


# The parameter is called “guide” because `page` is Playwright's fixture, which starts a browser.


# --- Configuration, commands, checks ----------------------------------------------------------
def test_the_documented_variables_are_those_that_exist() -> None:
    assert documented() == set(settings.CONFIGURATION)


def test_every_check_is_documented() -> None:
    source = Path(checks.__file__).read_text(encoding="utf-8")
    ids = set(re.findall(r'id="(newsletter\.[EW]\d{3})"', source))
    assert ids == set(re.findall(r"`(newsletter\.[EW]\d{3})`", CONFIGURATION))


@pytest.mark.parametrize("guide", PAGES, ids=name_of)
def test_every_command_in_a_page_exists(guide: Path) -> None:
    text = guide.read_text(encoding="utf-8")
    assert set(re.findall(r"manage\.py ([a-z_]+)", text)) <= set(get_commands())
    assert set(re.findall(r"(?:`|^ {4,}|&& )make ([a-z-]+)", text, re.MULTILINE)) <= targets()


@pytest.mark.parametrize("file", AUTOMATION, ids=name_of)
def test_every_make_target_in_the_automation_exists(file: Path) -> None:
    assert set(re.findall(r"\bmake ([a-z-]+)", file.read_text(encoding="utf-8"))) <= targets()


def targets() -> set[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))


def test_every_variable_in_the_deployment_guide_exists() -> None:
    guide = (DOCS / "deploy.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^ {7,}([A-Z_]+)=", guide, re.MULTILINE))
    known = set(settings.CONFIGURATION)
    assert named
    # Each variable may have the suffix _FILE.
    assert {name for name in named if not known & {name, name.removesuffix("_FILE")}} == set()


def test_the_markers_are_documented() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lines = project["tool"]["pytest"]["ini_options"]["markers"]
    testing = (DOCS / "testing.md").read_text(encoding="utf-8")
    section = testing.partition("## Markers")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == {
        line.partition(":")[0] for line in lines
    }


# --- Links ------------------------------------------------------------------------------------
@pytest.mark.parametrize("guide", PAGES, ids=name_of)
def test_every_relative_link_in_a_page_resolves(guide: Path) -> None:
    broken = []
    for link in LINK.findall(guide.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = guide.parent / path if path else guide
        if not target.exists() or (anchor and anchor not in anchors(target.read_text("utf-8"))):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("guide", PAGES, ids=name_of)
def test_every_path_and_name_in_a_page_exists(guide: Path) -> None:
    text = guide.read_text(encoding="utf-8")
    assert [path for path in PATH.findall(text) if not (ROOT / path).exists()] == []
    for path, name in CITED_NAME.findall(text):
        assert name in defined_in((ROOT / path).read_text(encoding="utf-8")), f"{path}:{name}"


def test_a_missing_name_is_noticed() -> None:
    assert CITED_NAME.findall("see `a/b.py:gone`.") == [("a/b.py", "gone")]
    assert "gone" not in defined_in("def here(): there = 1")
    assert defined_in("def here(): there = 1") == {"here", "there"}


def test_every_cited_document_exists() -> None:
    missing = {
        f"{file}: {document}"
        for file, text in texts()
        for document in DOCUMENT.findall(text)
        if not any(
            (base / document).exists() for base in (ROOT, DOCS, RESULTS, (ROOT / file).parent)
        )
        or not inside_repository(file, document)
    }
    assert missing == set()


def inside_repository(file: str, document: str) -> bool:
    """Return whether a path that starts with `../` stays inside the repository."""
    if not document.startswith("../"):
        return True
    return ((ROOT / file).parent / document).resolve().is_relative_to(ROOT)


def test_no_file_points_outside_the_repository() -> None:
    outside = "../" + "shared"
    assert [file for file, text in texts() if outside in text] == []


# --- Requirements and decisions ---------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("one (B4), and A5.", ["B4", "A5"]),
        ("D1–D6, A1-A5", ["D1", "D6", "A1", "A5"]),
        ('"""E7: within 10 s."""', ["E7"]),
        ("# F5", ["F5"]),
        ("#A5 E001 UTF8 /by/B4 <H1> 'H1' %D0 P256 B4x", []),
    ],
)
def test_codes_are_told_from_lookalikes(text: str, codes: list[str]) -> None:
    assert CODE.findall(text) == codes


def test_every_cited_requirement_is_defined() -> None:
    known = requirements()
    cited = {(code, file) for file, text in texts() for code in CODE.findall(text)}
    assert len({code for code, _file in cited}) > 60
    assert {(code, file) for code, file in cited if code not in known} == set()


def test_requirements_have_no_gaps_and_state_their_status() -> None:
    for letter in "ABCDEFGHIP":
        numbers = [int(code[1:]) for code in requirements() if code[0] == letter]
        assert sorted(numbers) == list(range(1, len(numbers) + 1)), letter
    entries = re.findall(r"^- <a id=.+$", REQUIREMENTS, re.MULTILINE)
    assert len(entries) == len(requirements())
    unstated = [entry[:40] for entry in entries if not re.search(r"built|planned", entry.lower())]
    assert [entry for entry in unstated if not re.search(r'id="G', entry)] == []


def test_each_decision_is_complete_and_in_the_index() -> None:
    folder = DOCS / "decisions"
    records = sorted(path.name for path in folder.glob("[0-9]*.md"))
    assert [int(name[:4]) for name in records] == list(range(1, len(records) + 1))
    index = (folder / "README.md").read_text(encoding="utf-8")
    assert sorted(LINK.findall(index)) == records
    for name in records:
        text = (folder / name).read_text(encoding="utf-8")
        title = text.splitlines()[0].partition(". ")[2]
        assert f"[{name[:4]}]({name}): {title}" in index
        assert re.search(r"^Status: (Accepted|Superseded by \[\d{4}\])", text, re.MULTILINE), name
        parts = re.split(r"^## (?:Context|Decision|Consequence)$", text, flags=re.MULTILINE)
        assert len(parts) == 4, name
        assert all(part.strip() for part in parts), name
