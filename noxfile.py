"""Run the tests on every supported Python and Django. `make matrix` runs the short ones."""

from __future__ import annotations

import os

import nox

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
DJANGOS = {"5.2": "Django>=5.2.8,<5.3", "6.1": "Django>=6.1,<6.2"}
PAIRS = [
    nox.param(python, django, id=f"python{python}-django{django}")
    for python in PYTHONS
    for django in DJANGOS
    # Django 6 requires Python 3.12.
    if (python, django) != ("3.11", "6.1")
]

nox.options.error_on_missing_interpreters = False
nox.options.reuse_venv = "yes"


@nox.session
@nox.parametrize("python,django", PAIRS)
def tests(session: nox.Session, django: str) -> None:
    """Run pytest with the arguments after `--`, without the browser and chaos tests."""
    session.install("--quiet", "--require-hashes", "-r", "requirements-dev.lock")
    # The lock file pins the LTS release.
    session.install("--quiet", "--upgrade", DJANGOS[django])
    var_dir = os.path.join(session.create_tmp(), "var")
    session.run(
        *("python", "-m", "pytest", "-q", "-p", "no:cacheprovider"),
        *("--ignore=tests/e2e", "--ignore=tests/chaos", *session.posargs),
        env={"VAR_DIR": var_dir, "DJANGO_SETTINGS_MODULE": "newsletter.settings"},
    )
