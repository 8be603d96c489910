"""Settings from the environment, read by environs: typed, and each also from a file.

`NAME_FILE` names a file that holds NAME's value. `env` remembers every variable that it was asked
for, so that a test can compare docs/configuration.md with them. An error names the variable and
never shows the value of one that may hold a secret.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import dj_database_url
import idna
from django.conf.locale import LANG_INFO
from environs import EnvError, FileAwareEnv
from environs import validate as validators

T = TypeVar("T")
Network = IPv4Network | IPv6Network

SECRET_VARIABLES = ("WEB_KEYS", "WORKER_KEYS", "WORKER_KEYS_PASSPHRASE")
OWN_PREFIXES = ("DISCREET_", "SEND_", "SIGN_UPS_")
"""Beginnings that only our variables have."""
MIN_SIMILARITY = 0.87
"""How alike (difflib's ratio) an unknown name is to the one that was probably meant."""


class Environment(FileAwareEnv):
    """environs, with parsers that are plain functions and errors that name the file."""

    def parsed(self, name: str, default: str, parse: Callable[[str], T]) -> T:
        """The variable `name` as `parse` understands it. A ValueError that `parse` raises becomes
        an EnvError with the variable's name."""
        try:
            return parse(self.str(name, default))
        except EnvError:
            raise
        except ValueError as error:
            raise EnvError(f"{name}: {error}") from None

    def is_set(self, name: str) -> bool:
        """Whether the variable was given in any form, even an empty one."""
        return name in os.environ or f"{name}_FILE" in os.environ

    def names(self) -> list[str]:
        """Every variable that was read."""
        return list(self.dump())

    def _get_value(self, env_key: str, default: Any) -> Any:
        try:
            return super()._get_value(env_key, default)
        except ValueError as error:
            # environs does not say which file, and lets a file that is not text pass through.
            why = getattr(error.__cause__, "strerror", None) or "not a text file"
            raise EnvError(
                f"{env_key}_FILE: {os.environ[f'{env_key}_FILE']}: {why}. Correct the path, or "
                "let this process's user read the file."
            ) from None


env = Environment(strip_whitespace=True)


def between(least: int, most: int) -> validators.Range:
    return validators.Range(least, most)


def one_of(*words: str) -> validators.OneOf:
    return validators.OneOf(words, error="Must be one of: {choices}.")


def suggest_names(names: list[str], environment: Mapping[str, str]) -> dict[str, str | None]:
    """Variables that are set and are probably meant as ours -> the name meant, if there is a
    likely one. Pure."""
    found: dict[str, str | None] = {}
    for given in sorted(environment):
        name = given.removesuffix("_FILE")
        if name in names:
            continue
        ours = name.startswith(OWN_PREFIXES)
        match = get_close_matches(name, names, n=1, cutoff=0.6 if ours else MIN_SIMILARITY)
        if match or ours:
            found[given] = match[0] + given[len(name) :] if match else None
    return found


def require_folder(variable: str, path: Path, *, write: bool = False) -> None:
    """Raise EnvError unless this process can look into the folder, and write to it if asked."""
    mode = os.R_OK | os.X_OK | (os.W_OK if write else 0)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = error.strerror
    else:
        if os.access(path, mode):
            return
        why = f"this user cannot {'write' if write else 'look'} there"
    raise EnvError(
        f"{variable}: the folder {path} cannot be used ({why}). Choose another one, or give it to "
        f"this user: chown {os.geteuid()} {path}"
    )


def without_worker_keys(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process that may not open anything: WORKER_KEYS is set, to nothing, so
    that settings do not look for the file either."""
    kept = {n: text for n, text in environment.items() if not n.startswith("WORKER_KEYS")}
    return {**kept, "WORKER_KEYS": ""}


def read_key_document(name: str) -> tuple[Path | None, str]:
    """The file that `name`_FILE names, or None, and the document's text ("" if not set)."""
    text = env.str(name, "")
    path = os.environ.get(f"{name}_FILE", "")
    return (Path(path) if path and text else None), text


def load_keys(
    name: str,
    path: Path | None,
    document: str,
    from_file: Callable[[Path], T],
    from_text: Callable[[str], T],
) -> T:
    """A set of keys from its file, else from its text; the error names the variable."""
    try:
        return from_file(path) if path else from_text(document)
    except OSError as error:
        raise EnvError(
            f"{name}: {path}: {error.strerror}. Correct {name}_FILE, or let this process's user "
            "read the file."
        ) from None
    except ValueError as error:
        raise EnvError(f"{name}: {error}") from None


def split_list(text: str) -> list[str]:
    """A comma-separated list; empty entries are dropped."""
    return [word.strip() for word in text.split(",") if word.strip()]


def parse_site_url(text: str) -> str:
    """The address of a site: scheme and host, without a path."""
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path not in {"", "/"}:
        raise ValueError(f"{text!r} is not of the form https://news.example.org")
    return text.rstrip("/")


def host_of(url: str) -> str:
    """The host of a URL as a Host header has it."""
    host = str(urlsplit(url).hostname)
    return f"[{host}]" if ":" in host else host


def parse_database(url: str) -> dict[str, Any]:
    """Django's configuration of a database. No error repeats the URL, which may hold a password."""
    form = "must be of the form postgres://user@host/name or sqlite:////path"
    try:
        config: dict[str, Any] = dict(dj_database_url.parse(url, conn_health_checks=True))
    except (dj_database_url.UnknownSchemeError, ValueError):
        raise ValueError(f"not a database URL; it {form}") from None
    if config["ENGINE"] == "django.db.backends.sqlite3":
        config["OPTIONS"] = {
            # Django's defaults answer "database is locked" as soon as two processes write.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # FULL: what was committed before a send survives a power cut (P1).
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        }
    elif config["ENGINE"] == "django.db.backends.postgresql":
        # The same promise, whatever the server's or the role's default.
        config["OPTIONS"] = {
            "options": "-c synchronous_commit=on",
            # For newsletter.lib.prepared_statements alone: Django's cursors prepare nothing.
            "prepare_threshold": 3,
        }
    else:
        raise ValueError(f"Tydzen runs on PostgreSQL or SQLite; the URL {form}")
    return config


def parse_networks(text: str) -> list[Network]:
    """A comma-separated list of addresses or networks."""
    found: list[Network] = []
    for word in split_list(text):
        try:
            found.append(ip_network(word))
        except ValueError:
            raise ValueError(f"{word!r} is neither an IP address nor a network") from None
    return found


def parse_languages(text: str) -> list[str]:
    codes = split_list(text)
    unknown = [code for code in codes if "name_local" not in LANG_INFO.get(code, {})]
    if unknown or not codes:
        raise ValueError(f"{', '.join(unknown) or 'nothing'}: not a language code such as en or be")
    return codes


def parse_feedback_sender(text: str) -> str:
    """The SenderId of Feedback-ID: 5 to 15 characters (Gmail's rule, A9)."""
    if not re.fullmatch(r"[A-Za-z0-9]{5,15}", text):
        raise ValueError(f"{text!r}: 5 to 15 letters and digits")
    return text


def parse_age_recipients(text: str) -> list[str]:
    """One or two age public keys, separated by a comma, or nothing."""
    keys = split_list(text)
    if not keys:
        return []
    # Every process reads the settings, and few of them need age: it costs 1.5 MB.
    from newsletter.lib import age

    return age.parse_recipients(keys)


def read_domains(path: str) -> frozenset[str]:
    """The domains in a file, one a line, in ACE form; after a # comes a comment."""
    if not path:
        return frozenset()
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: {getattr(error, 'strerror', None) or 'not a text'}") from None
    named = (line.partition("#")[0].strip().lower().strip(".") for line in lines)
    return frozenset(idna.encode(name, uts46=True).decode() for name in named if name)


def default_broker_socket(var: Path) -> str:
    """Where the embedded broker listens: below `var`, or, as a socket's path is limited to 107
    bytes, under a name made from it in the folder for temporary files."""
    path = str(var / "run" / "valkey.sock")
    if len(os.fsencode(path)) > 100:
        name = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
        path = f"/tmp/tydzen-{os.getuid()}-{name}/valkey.sock"  # noqa: S108
    return path


def parse_broker(url: str) -> str:
    if urlsplit(url).scheme not in {"redis", "rediss", "redis+socket"}:
        raise ValueError("a Redis or Valkey server: redis://host:6379/0 or redis+socket:///path")
    return url


def default_cache_url(broker_url: str) -> str:
    """The cache on the broker's server: database 1 where the broker uses 0."""
    if broker_url.startswith("redis+socket://"):
        return f"unix://{broker_url.removeprefix('redis+socket://')}?db=1"
    parts = urlsplit(broker_url)
    return parts._replace(path="/1").geturl()


def cache_config(url: str) -> dict[str, str]:
    if url == "locmem://":
        return {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    return {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": url}
