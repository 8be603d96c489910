"""Settings from the environment: typed, a secret also from a file, a bad value named.

Every read is remembered in `READ`, so that a test can hold docs/configuration.md against it.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import idna
from django.conf.locale import LANG_INFO
from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")
Network = IPv4Network | IPv6Network

READ: dict[str, str] = {}
"""Name of each variable that was asked for -> its default, as text."""


def value(name: str, default: str, read: Callable[[str], T]) -> T:
    """The variable `name`, read by `read`.

    Raises ImproperlyConfigured with the variable's name and the reader's own words.
    """
    READ[name] = default
    text = os.environ.get(name, default)
    try:
        return read(text)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}") from None


def secret(name: str) -> str:
    """A secret from `name`, or from the file that `name`_FILE names; "" where neither is set.

    The value never appears in the error.
    """
    READ[name] = READ[f"{name}_FILE"] = ""
    path = os.environ.get(f"{name}_FILE", "")
    if not path:
        return os.environ.get(name, "")
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ImproperlyConfigured(f"{name}_FILE: {path}: {error.strerror}") from None


def without_worker_keys(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process that may not open anything: WORKER_KEYS is set, to nothing, so
    that settings do not look for the file either."""
    kept = {n: text for n, text in environment.items() if not n.startswith("WORKER_KEYS")}
    return {**kept, "WORKER_KEYS": ""}


def secret_document(name: str) -> tuple[Path | None, str]:
    """The file that `name`_FILE names, or None, and the secret's text; as `secret`."""
    text = secret(name)
    path = os.environ.get(f"{name}_FILE", "")
    return (Path(path) if path and text else None), text


def key_set(
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
        raise ImproperlyConfigured(f"{name}: {path}: {error.strerror}") from None
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}") from None


def boolean(text: str) -> bool:
    match text.strip().lower():
        case "1" | "true" | "yes" | "on":
            return True
        case "0" | "false" | "no" | "off" | "":
            return False
    raise ValueError(f"{text!r} is neither true nor false")


def integer(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.strip().lstrip("-").isdigit() or not least <= int(text) <= most:
            raise ValueError(f"{text!r} is not a whole number from {least} to {most}")
        return int(text)

    return read


def words(text: str) -> list[str]:
    """A comma-separated list; empty entries are dropped."""
    return [word.strip() for word in text.split(",") if word.strip()]


def networks(text: str) -> list[Network]:
    """A comma-separated list of addresses or networks."""
    found: list[Network] = []
    for word in words(text):
        try:
            found.append(ip_network(word))
        except ValueError:
            raise ValueError(f"{word!r} is neither an IP address nor a network") from None
    return found


def is_set(name: str) -> bool:
    """Whether the secret `name` was given in any form, even an empty one."""
    return name in os.environ or f"{name}_FILE" in os.environ


def languages(text: str) -> list[str]:
    codes = words(text)
    unknown = [code for code in codes if "name_local" not in LANG_INFO.get(code, {})]
    if unknown or not codes:
        raise ValueError(f"{', '.join(unknown) or 'nothing'}: not a language code such as en or be")
    return codes


def feedback_sender(text: str) -> str:
    """The SenderId of Feedback-ID: 5 to 15 characters (Gmail's rule, A9)."""
    if not re.fullmatch(r"[A-Za-z0-9]{5,15}", text):
        raise ValueError(f"{text!r}: 5 to 15 letters and digits")
    return text


def age_recipients(text: str) -> list[str]:
    """One or two age public keys, separated by a comma, or nothing."""
    keys = words(text)
    if not keys:
        return []
    # Every process reads the settings, and few of them need age: it costs 1.5 MB.
    from newsletter.lib import age

    return age.recipients(keys)


def one_of(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"{text!r} is none of {', '.join(words)}")
        return text

    return read


def domains_in(path: str) -> frozenset[str]:
    """The domains in a file, one a line, in ACE form; after a # comes a comment."""
    if not path:
        return frozenset()
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: {getattr(error, 'strerror', None) or 'not a text'}") from None
    named = (line.partition("#")[0].strip().lower().strip(".") for line in lines)
    return frozenset(idna.encode(name, uts46=True).decode() for name in named if name)


def broker_socket(var: Path) -> str:
    """Where the embedded broker listens: below `var`, or, as a socket's path is limited to 107
    bytes, under a name made from it in the folder for temporary files."""
    path = str(var / "run" / "valkey.sock")
    if len(os.fsencode(path)) > 100:
        name = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
        path = f"/tmp/tydzen-{os.getuid()}-{name}/valkey.sock"  # noqa: S108
    return path


def broker(url: str) -> str:
    if urlsplit(url).scheme not in {"redis", "rediss", "redis+socket"}:
        raise ValueError("a Redis or Valkey server: redis://host:6379/0 or redis+socket:///path")
    return url


def cache_beside(broker_url: str) -> str:
    """The cache on the broker's server: database 1 where the broker uses 0."""
    if broker_url.startswith("redis+socket://"):
        return f"unix://{broker_url.removeprefix('redis+socket://')}?db=1"
    parts = urlsplit(broker_url)
    return parts._replace(path="/1").geturl()


def cache(url: str) -> dict[str, str]:
    if url == "locmem://":
        return {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    return {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": url}
