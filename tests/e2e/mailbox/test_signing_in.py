"""Signing in as a person does: an app's code, a passkey, a forgotten password, three languages."""

from __future__ import annotations

import hmac
import re
import struct
import time
from base64 import b32decode
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.site import Site

pytestmark = [pytest.mark.e2e, pytest.mark.server]
PASSWORD = "sign-me-in"
PEOPLE = f"""
from newsletter.editorial.models import Newsletter, User
for name in ("lena", "maksim", "nina"):
    User.objects.create_superuser(name, f"{{name}}@staff.example.org", {PASSWORD!r})
if not Newsletter.objects.exists():
    Newsletter.objects.create(slug="desk", languages=["en"], sender_address="desk@news.example.org")
"""


@pytest.fixture(scope="module")
def people(site: Site) -> Site:
    site.shell(PEOPLE)
    return site


@pytest.fixture
def context(people: Site, chromium: Browser) -> Iterator[BrowserContext]:
    # A passkey belongs to a host name, never to an IP address.
    url = people.url.replace("127.0.0.1", "localhost")
    with chromium.new_context(base_url=url, viewport={"width": 390, "height": 850}) as opened:
        opened.set_default_timeout(20_000)
        yield opened


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """Return a page; afterwards nothing may have been reported to the console (the CSP)."""
    opened, said = context.new_page(), []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    yield opened
    assert [text for text in said if "403" not in text] == []


def code_of(secret: str, *, period: int = 0) -> str:
    """Return what an app shows (RFC 6238) now, or in a period beside it: each works only once."""
    counter = struct.pack(">Q", int(time.time()) // 30 + period)
    digest = hmac.new(b32decode(secret), counter, "sha1").digest()
    start = digest[-1] & 15
    value = struct.unpack(">I", digest[start : start + 4])[0] & 0x7FFFFFFF
    return f"{value % 10**6:06}"


def enter_password(page: Page, name: str, password: str = PASSWORD) -> None:
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Continue").click()


def sign_out(page: Page) -> None:
    page.goto("/admin/")
    page.get_by_role("button", name="Log out").click()
    page.goto("/admin/")


def is_in(page: Page) -> None:
    expect(page.get_by_role("button", name="Log out")).to_be_visible()


def open_factor_page(page: Page, name: str) -> None:
    page.goto("/admin/login/?next=/admin/account/second-factor/")
    enter_password(page, name)
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()


def test_a_code_and_a_recovery_code(page: Page) -> None:
    open_factor_page(page, "lena")
    page.get_by_role("link", name="Set up an app").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    secret = page.get_by_label("Or enter this key in the app").input_value()
    page.get_by_label("Six digits").fill(code_of(secret, period=-1))
    page.get_by_role("button", name="Set up the app").click()
    codes = page.locator("#recovery_codes code").all_inner_texts()
    assert len(codes) == 10
    sign_out(page)
    enter_password(page, "lena")
    page.get_by_label("Six digits").fill("000000")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("The code is wrong")).to_be_visible()
    page.get_by_label("Six digits").fill(code_of(secret))
    page.get_by_role("button", name="Sign in").click()
    is_in(page)
    sign_out(page)
    enter_password(page, "lena")
    page.get_by_label("Six digits").fill(codes[0])
    page.get_by_role("button", name="Sign in").click()
    is_in(page)
    sign_out(page)
    enter_password(page, "lena")
    page.get_by_label("Six digits").fill(codes[0])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("The code is wrong")).to_be_visible()


def test_a_passkey_alone_opens_the_desk(context: BrowserContext, page: Page) -> None:
    tools = context.new_cdp_session(page)
    tools.send("WebAuthn.enable")
    tools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    open_factor_page(page, "maksim")
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_label("Name", exact=True).fill("Work laptop")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.locator("#recovery_codes code").first).to_be_visible()
    page.goto("/admin/account/passkeys/")
    expect(page.get_by_text("Work laptop").first).to_be_visible()
    sign_out(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    is_in(page)
    sign_out(page)
    enter_password(page, "maksim")
    page.get_by_role("button", name="Use a passkey").click()
    is_in(page)


def test_a_forgotten_password_in_belarusian(people: Site, page: Page) -> None:
    page.goto("/admin/login/")
    page.get_by_role("button", name="BE беларуская").click()
    page.get_by_role("link", name="Забылі пароль?").click()
    page.get_by_label("Адрас электроннай пошты").fill("nina@staff.example.org")
    page.get_by_role("button", name="Даслаць спасылку").click()
    expect(page.get_by_role("heading", name="Праверце пошту")).to_be_visible()

    email = people.email("nina@staff.example.org", "Выберыце новы пароль")
    body = email.get_body(("plain",))
    assert body
    link = re.search(r"/admin/password/\S+", body.get_content())
    assert link
    page.goto(link[0])
    new = "zusim novaje slova"
    page.locator("#id_new_password1").fill(new)
    page.locator("#id_new_password2").fill(new)
    page.get_by_role("button", name="Захаваць пароль").click()
    expect(page.get_by_text("Новы пароль захаваны")).to_be_visible()
