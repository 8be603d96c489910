"""`python -m benchmarks.imports [--articles 2000] [--database sqlite|postgresql]`

Import a JSON file of many articles with a photograph each, in a separate process, and report how
long it took, and which part took how much. Each photograph is another JPEG of 1600 × 1067 pixels
and about 360 kB; each article has two or three translations of some 3 kB. The goal is less than 60
seconds for 2,000 articles (issue 12). On a busy machine, compare the CPU time instead.

Making the photographs takes longer than importing them. `--photographs FOLDER` keeps them for the
next run. The database is a temporary cluster or file.
"""

from __future__ import annotations

import argparse
import io
import itertools
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.processes import machine, peak_memory
from benchmarks.search import vocabulary
from tests.chaos.servers import Postgres

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).resolve().parent.parent
GOAL = 60.0
"""Seconds for 2,000 articles."""
SIZE = (1600, 1067)
PARAGRAPHS, WORDS = 6, 40
"""Of a body: together some 3 kB in Cyrillic letters."""
LANGUAGES = ("be", "ru", "en")
PARTS = {
    "parse_document": "reading JSON",
    "validated": "pictures and validation",
    "_store": "storing rows",
}
"""The functions of `newsletter.editorial.importing` that are timed, by what they do."""


# --- The document -------------------------------------------------------------------------------
def photograph(path: Path) -> None:
    """Write a JPEG with soft shapes, grain and metadata, unlike any other."""
    from PIL import Image, ImageFilter

    draw = random.Random(path.name)  # noqa: S311 - pixels, no secret

    def noise(width: int, height: int) -> Image.Image:
        return Image.frombytes("L", (width, height), draw.randbytes(width * height))

    def shapes(detail: int) -> Image.Image:
        return noise(detail, detail * 2 // 3).resize(SIZE, Image.Resampling.BICUBIC)

    grain = noise(*SIZE).filter(ImageFilter.BoxBlur(1))
    light = Image.blend(grain, shapes(40), 0.65)
    exif = Image.Exif()
    exif[0x010F] = "Camera of a reporter"
    exif.get_ifd(0x8825)[2] = (53.0, 54.0, 27.0)
    picture = Image.merge("YCbCr", (light, shapes(30), shapes(30))).convert("RGB")
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=88, exif=exif)
    path.write_bytes(content.getvalue())


def make_photographs(folder: Path, number: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{index}.jpg" for index in range(number)]
    with ProcessPoolExecutor() as pool:
        list(pool.map(photograph, (path for path in paths if not path.exists()), chunksize=20))


def document(number: int) -> dict[str, Any]:
    """Return a document with issues of ten articles; every other article has three languages."""
    draw = random.Random(1)  # noqa: S311 - text, no secret
    weights = list(itertools.accumulate(1 / rank for rank in range(1, 20_001)))
    words = {
        code: partial(draw.choices, vocabulary(code), cum_weights=weights) for code in LANGUAGES
    }
    articles = [_article(index, words) for index in range(number)]
    first = datetime(2026, 11, 9, tzinfo=UTC).date()
    issues = [
        {
            "starts_on": (first - timedelta(weeks=start // 10)).isoformat(),
            "articles": articles[start : start + 10],
        }
        for start in range(0, number, 10)
    ]
    newsletter = {"slug": "weekly", "languages": list(LANGUAGES), "name": {"en": "Weekly"}}
    categories = [{"slug": f"topic-{n}", "name": {"en": f"Topic {n}"}} for n in range(5)]
    return {"newsletter": newsletter, "categories": categories, "issues": issues}


def _article(index: int, words: Mapping[str, Callable[..., list[str]]]) -> dict[str, Any]:
    codes = LANGUAGES[: 2 + index % 2]
    return {
        "id": index,
        "category": f"topic-{index % 5}",
        "translations": {
            code: {
                "headline": f"{' '.join(words[code](k=6))} {index}",
                "lead": " ".join(words[code](k=25)),
                "body": "".join(
                    f"<p>{' '.join(words[code](k=WORDS))}</p>" for _ in range(PARAGRAPHS)
                ),
            }
            for code in codes
        },
        "image": {"file": f"photographs/{index}.jpg", "credit": f"Photographer {index % 40}"},
    }


# --- The import, in a separate process ----------------------------------------------------------
def run_import(path: Path) -> None:
    """Import the file, import it again, and print the facts as JSON."""
    import django

    django.setup()
    from newsletter.editorial import importing

    facts: dict[str, Any] = {}
    for name in ("first", "again"):
        parts: dict[str, float] = {}
        with ExitStack() as stack:
            for function, part in PARTS.items():
                stack.enter_context(_timed(importing, function, part, parts))
            facts[name] = _measured(partial(importing.import_file, path)) | {"parts": parts}
    facts["megabytes"] = peak_memory() // 1_000_000
    print(json.dumps(facts))


@contextmanager
def _timed(module: Any, name: str, part: str, parts: dict[str, float]) -> Iterator[None]:
    """Note how many seconds the function of that name takes."""
    original = getattr(module, name)

    def timed(*args: Any) -> Any:
        started = time.perf_counter()
        try:
            return original(*args)
        finally:
            parts[part] = time.perf_counter() - started

    setattr(module, name, timed)
    try:
        yield
    finally:
        setattr(module, name, original)


def _measured(work: Callable[[], Any]) -> dict[str, Any]:
    from newsletter.lib import sandbox

    started = time.perf_counter()
    before = [_cpu(resource.RUSAGE_SELF), _cpu(resource.RUSAGE_CHILDREN)]
    report = work()
    seconds = time.perf_counter() - started
    sandbox.stop()  # so that its CPU time is counted
    after = [_cpu(resource.RUSAGE_SELF), _cpu(resource.RUSAGE_CHILDREN)]
    return {
        "seconds": seconds,
        "cpu": after[0] - before[0],
        "sandbox": after[1] - before[1],
        "created": dict(report.created),
    }


def _cpu(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


# --- The whole run ------------------------------------------------------------------------------
def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.imports")
    parser.add_argument("--articles", type=int, default=2000)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--photographs", type=Path, help="keep the photographs in this folder")
    parser.add_argument("--import", dest="path", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.path:
        run_import(options.path)
        return 0
    folder = Path(tempfile.mkdtemp(prefix="tydzen-imports-"))
    folder.chmod(0o755)  # so that the database's user can enter it
    cluster = Postgres(folder) if options.database == "postgresql" else None
    try:
        if cluster is not None:
            cluster.start_and_wait()
        return _run(options, folder, cluster.url if cluster else "")
    finally:
        if cluster is not None:
            cluster.stop(signal.SIGINT)
        shutil.rmtree(folder)


def _run(options: argparse.Namespace, folder: Path, url: str) -> int:
    photographs = options.photographs or folder / "kept"
    make_photographs(photographs, options.articles)
    (folder / "photographs").mkdir()
    for index in range(options.articles):
        shutil.copyfile(photographs / f"{index}.jpg", folder / "photographs" / f"{index}.jpg")
    path = folder / "issues.json"
    path.write_text(json.dumps(document(options.articles), ensure_ascii=False), encoding="utf-8")
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
        "DJANGO_SETTINGS_MODULE": "newsletter.settings",
        "VAR_DIR": str(folder / "var"),
        **({"DATABASE_URL": url} if url else {}),
    }

    def python(*arguments: str) -> str:
        command = [sys.executable, *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True
        )
        return done.stdout

    python("manage.py", "migrate", "--verbosity=0")
    print(machine())
    facts = json.loads(python("-m", "benchmarks.imports", f"--import={path}").splitlines()[-1])
    for name in ("first", "again"):
        print(_line(f"{options.articles} articles, {options.database}, {name}", facts[name]))
    print(f"peak memory {facts['megabytes']} MB without the sandbox; load {os.getloadavg()[0]:.1f}")
    return int(facts["first"]["seconds"] > GOAL * max(1, options.articles / 2000))


def _line(title: str, facts: dict[str, Any]) -> str:
    parts = ", ".join(f"{name} {seconds:.1f}" for name, seconds in facts["parts"].items())
    return (
        f"{title}: {facts['seconds']:.1f} s ({parts});"
        f" CPU {facts['cpu']:.1f} s and {facts['sandbox']:.1f} s in the sandbox;"
        f" {sum(facts['created'].values())} rows added"
    )


if __name__ == "__main__":
    sys.exit(main())
