"""Settings from the environment, read by environs: typed, and each also from a file.

`NAME_FILE` names a file that contains NAME's value. `env` remembers every variable that it read,
so that a test can compare them with docs/configuration.md. An error names the variable, and never
shows a value that may be secret.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
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

_FURTHER_RATE = re.compile(r"[0-9]+/[smhd](&|$)")
"""What follows a comma within a transport's URL, as in rate=14/s,50000/d&connections=2."""

SECRET_VARIABLES = ("WEB_KEYS", "WORKER_KEYS", "WORKER_KEYS_PASSPHRASE")
OWN_PREFIXES = ("DISCREET_", "SEND_", "SIGN_UPS_")
"""Prefixes that no other program's variables have."""
MAX_INBOUND_DOMAIN = 80
"""List-Unsubscribe has two URLs on a line of 998 octets (newsletter.transport.template)."""
MIN_SIMILARITY = 0.87
"""How similar (difflib's ratio) an unknown name must be to a known one to suggest it."""


class Environment(FileAwareEnv):
    """Extends environs with plain functions as parsers, and errors that name the file."""

    def parsed(self, name: str, default: str, parse: Callable[[str], T]) -> T:
        """Return the variable `name`, parsed by `parse`.

        If `parse` raises ValueError, raises EnvError with the variable's name.
        """
        try:
            return parse(self.str(name, default))
        except EnvError:
            raise
        except ValueError as error:
            raise EnvError(f"{name}: {error}") from None

    def is_set(self, name: str) -> bool:
        """Return whether the variable is set, directly or through a file, even if it is empty."""
        return name in os.environ or f"{name}_FILE" in os.environ

    def names(self) -> list[str]:
        """Return the names of all variables that were read."""
        return list(self.dump())

    def _get_value(self, env_key: str, default: Any) -> Any:
        try:
            return super()._get_value(env_key, default)
        except ValueError as error:
            # environs names no file, and doesn't handle one that isn't text.
            why = getattr(error.__cause__, "strerror", None) or "not a text file"
            raise EnvError(
                f"{env_key}_FILE: {os.environ[f'{env_key}_FILE']}: {why}. Correct the path, or "
                "let this process's user read the file."
            ) from None


env = Environment(strip_whitespace=True)


def between(minimum: int, maximum: int) -> validators.Range:
    return validators.Range(minimum, maximum)


def one_of(*words: str) -> validators.OneOf:
    return validators.OneOf(words, error="Must be one of: {choices}.")


def suggest_names(names: list[str], environment: Mapping[str, str]) -> dict[str, str | None]:
    """Return the variables in `environment` that look misspelt.

    Maps each to the name in `names` that was probably meant, or None if no name is similar.
    """
    found: dict[str, str | None] = {}
    for given in sorted(environment):
        name = given.removesuffix("_FILE")
        if name in names:
            continue
        is_own = name.startswith(OWN_PREFIXES)
        match = get_close_matches(name, names, n=1, cutoff=0.6 if is_own else MIN_SIMILARITY)
        if match or is_own:
            found[given] = match[0] + given[len(name) :] if match else None
    return found


def require_folder(variable: str, path: Path, *, write: bool = False) -> None:
    """Create the folder if needed. Raise EnvError unless this process can read (or write) it."""
    mode = os.R_OK | os.X_OK | (os.W_OK if write else 0)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = error.strerror
    else:
        if os.access(path, mode):
            return
        why = f"this user cannot {'write to' if write else 'read'} it"
    raise EnvError(
        f"{variable}: the folder {path} cannot be used ({why}). Choose another one, or make this "
        f"user its owner: chown {os.geteuid()} {path}"
    )


def without_worker_keys(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for a process that must not have the worker's keys.

    WORKER_KEYS is set to nothing, so that the settings don't look for the key file either.
    """
    kept = {n: text for n, text in environment.items() if not n.startswith("WORKER_KEYS")}
    return {**kept, "WORKER_KEYS": ""}


def read_key_document(name: str) -> tuple[Path | None, str]:
    """Return the file that `name`_FILE names, or None, and the document's text ("" if not set)."""
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
    """Load a set of keys from its file, else from its text. Raises EnvError."""
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
    """Split a comma-separated list; empty entries are dropped."""
    return [word.strip() for word in text.split(",") if word.strip()]


def split_transports(text: str) -> list[str]:
    """Split a comma-separated list of transports' URLs; `rate=14/s,50000/d` is part of one."""
    urls: list[str] = []
    for word in split_list(text):
        if urls and _FURTHER_RATE.match(word):
            urls[-1] += f",{word}"
        else:
            urls.append(word)
    return urls


def parse_site_url(text: str) -> str:
    """Return the URL of a site: scheme and host, without a path. Raises ValueError."""
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path not in {"", "/"}:
        raise ValueError(f"{text!r} is not of the form https://news.example.org")
    return text.rstrip("/")


def parse_web_url(url: str) -> str:
    """Return the URL if it is one of a web page, or empty. Raises ValueError without repeating it,
    since it may be a secret."""
    parts = urlsplit(url)
    if url and (parts.scheme not in {"http", "https"} or not parts.hostname):
        raise ValueError("must be of the form https://host/path")
    return url


def host_of(url: str) -> str:
    """Return the host of a URL as it is written in a Host header."""
    host = str(urlsplit(url).hostname)
    return f"[{host}]" if ":" in host else host


def is_loopback(url: str) -> bool:
    """Return whether only this machine can reach the URL."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def parse_database(url: str) -> dict[str, Any]:
    """Return Django's configuration of a database.

    Raises ValueError, which never repeats the URL, since that may contain a password.
    """
    form = "must be of the form postgres://user@host/name or sqlite:////path"
    try:
        config: dict[str, Any] = dict(dj_database_url.parse(url, conn_health_checks=True))
    except (dj_database_url.UnknownSchemeError, ValueError):
        raise ValueError(f"not a database URL; it {form}") from None
    if config["ENGINE"] == "django.db.backends.sqlite3":
        config["OPTIONS"] = {
            # With Django's defaults, two processes that write get "database is locked".
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # FULL: what is committed before sending survives a power cut (P1).
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        }
    elif config["ENGINE"] == "django.db.backends.postgresql":
        # The same guarantee, whatever the default of the server or the role.
        config["OPTIONS"] = {
            "options": "-c synchronous_commit=on",
            # For newsletter.lib.prepared_statements alone: Django's cursors prepare nothing.
            "prepare_threshold": 3,
        }
    else:
        raise ValueError(f"Tydzen runs on PostgreSQL or SQLite; the URL {form}")
    return config


def parse_networks(text: str) -> list[Network]:
    """Parse a comma-separated list of IP addresses or networks. Raises ValueError."""
    found: list[Network] = []
    for word in split_list(text):
        try:
            found.append(ip_network(word))
        except ValueError:
            raise ValueError(f"{word!r} is neither an IP address nor a network") from None
    return found


def parse_languages(text: str) -> list[str]:
    """Parse a comma-separated list of language codes. Raises ValueError."""
    codes = split_list(text)
    unknown = [code for code in codes if "name_local" not in LANG_INFO.get(code, {})]
    if unknown or not codes:
        raise ValueError(f"{', '.join(unknown) or 'nothing'}: not a language code such as en or be")
    return codes


def parse_feedback_sender(text: str) -> str:
    """Return the SenderId of Feedback-ID: 5 to 15 characters, as Gmail requires (A9)."""
    if not re.fullmatch(r"[A-Za-z0-9]{5,15}", text):
        raise ValueError(f"{text!r} must be 5 to 15 letters and digits")
    return text


def parse_domain(text: str) -> str:
    """Return a domain in ACE form, or "". Raises ValueError."""
    if not text:
        return ""
    try:
        domain = idna.encode(text.strip().rstrip("."), uts46=True).decode()
    except idna.IDNAError:
        domain = ""
    if "." not in domain:
        raise ValueError(f"{text!r} is not a domain such as bounces.example.org")
    return domain


def parse_inbound_domain(text: str) -> str:
    """Parse a domain that is short enough for List-Unsubscribe, or "". Raises ValueError."""
    domain = parse_domain(text)
    if len(domain) > MAX_INBOUND_DOMAIN:
        raise ValueError(f"the domain has more than {MAX_INBOUND_DOMAIN} characters")
    return domain


def parse_age_recipients(text: str) -> list[str]:
    """Parse one or two age public keys, separated by a comma, or none. Raises ValueError."""
    keys = split_list(text)
    if not keys:
        return []
    # Every process reads the settings, but few need age, which takes 1.5 MB.
    from newsletter.lib import age

    return age.parse_recipients(keys)


def read_domains(path: str) -> frozenset[str]:
    """Return the domains in a file, one per line, in ACE form. A # starts a comment."""
    if not path:
        return frozenset()
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(
            f"{path}: {getattr(error, 'strerror', None) or 'not a text file'}"
        ) from None
    named = (line.partition("#")[0].strip().lower().strip(".") for line in lines)
    return frozenset(idna.encode(name, uts46=True).decode() for name in named if name)


def default_broker_socket(var: Path) -> str:
    """Return where the embedded broker listens: below `var`, if possible.

    The path of a socket has at most 107 bytes; a longer one is replaced by a path in /tmp whose
    name is derived from it.
    """
    path = str(var / "run" / "valkey.sock")
    if len(os.fsencode(path)) > 100:
        name = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
        path = f"/tmp/tydzen-{os.getuid()}-{name}/valkey.sock"  # noqa: S108
    return path


def parse_broker(url: str) -> str:
    """Return the URL of a broker. Raises ValueError unless it is one of Redis or Valkey."""
    if urlsplit(url).scheme not in {"redis", "rediss", "redis+socket"}:
        raise ValueError(
            "must be a Redis or Valkey server: redis://host:6379/0 or redis+socket:///path"
        )
    return url


def default_cache_url(broker_url: str) -> str:
    """Return the URL of a cache on the broker's server, in database 1."""
    if broker_url.startswith("redis+socket://"):
        return f"unix://{broker_url.removeprefix('redis+socket://')}?db=1"
    parts = urlsplit(broker_url)
    return parts._replace(path="/1").geturl()


def cache_config(url: str) -> dict[str, str]:
    """Return Django's configuration of a cache."""
    if url == "locmem://":
        return {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    return {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": url}
