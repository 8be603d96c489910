"""The local mailbox in the browser, for people at this machine only."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from ipaddress import ip_address
from typing import Any, Concatenate, ParamSpec
from urllib.parse import quote

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST, require_safe

from newsletter.lib.environment import is_loopback
from newsletter.local import message_view
from newsletter.local.mailbox import Mailbox, parse

PER_PAGE = 50
WIDTHS = (600, 375)
P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def this_machine_only(view: View[P]) -> View[P]:
    """Refuse requests from elsewhere. One that comes through a local proxy shows by its
    X-Forwarded-For header or its host name."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        is_local = _is_loopback(request.META.get("REMOTE_ADDR", ""))
        if not is_local or "HTTP_X_FORWARDED_FOR" in request.META:
            raise PermissionDenied
        if not is_loopback(f"http://{request.get_host()}"):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def _mailbox() -> Mailbox:
    return Mailbox(settings.LOCAL_MAILBOX_DIR)


def _message(name: str) -> tuple[bytes, Any]:
    source = _mailbox().source(name)
    if source is None:
        raise Http404(_("Email not found."))
    return source, parse(source)


@this_machine_only
@never_cache
@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    """List all messages, newest first. ?to= selects by recipient."""
    recipient = request.GET.get("to", "").strip()
    page = Paginator(_mailbox().entries(recipient), PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "local/inbox.html", {"page": page, "recipient": recipient})


@this_machine_only
@require_POST
def clear(request: HttpRequest) -> HttpResponse:
    """Delete all messages."""
    _mailbox().clear()
    return HttpResponseRedirect(reverse("local:inbox"))


@this_machine_only
@never_cache
@require_safe
def message(request: HttpRequest, name: str) -> HttpResponse:
    """Show a message. ?view= html, text or source, ?look= light or dark, ?width= 600 or 375."""
    raw, parsed = _message(name)
    html, text = message_view.html(parsed), message_view.plain_text(parsed)
    available = [
        view for view, content in (("html", html), ("text", text), ("source", raw)) if content
    ]
    requested = request.GET.get("view", "")
    shown = requested if requested in available else available[0]
    width = next((w for w in WIDTHS if str(w) == request.GET.get("width")), WIDTHS[0])
    context = {
        "name": name,
        "message": parsed,
        "to": [entry.to for entry in _mailbox().entries() if entry.name == name],
        "views": available,
        "shown": shown,
        "look": "dark" if request.GET.get("look") == "dark" else "light",
        "width": width,
        "widths": WIDTHS,
        "text": text,
        "source": raw.decode("utf-8", "replace") if shown == "source" else "",
    }
    return render(request, "local/message.html", context)


@this_machine_only
@never_cache
@require_safe
@xframe_options_sameorigin
def html(request: HttpRequest, name: str) -> HttpResponse:
    """Return the message's HTML for the frame. Its policy allows no scripts, and images only from
    the message and this site."""
    _raw, parsed = _message(name)
    content = message_view.framed_html(
        message_view.html(parsed),
        dark=request.GET.get("look") == "dark",
        image_url=lambda cid: reverse("local:image", args=[name]) + "?cid=" + quote(cid),
    )
    response = HttpResponse(content)
    origin = f"{request.scheme}://{request.get_host()}"
    response["Content-Security-Policy"] = (
        f"default-src 'none'; img-src {origin} {settings.SITE_URL} data:; "
        "style-src 'unsafe-inline'; form-action 'none'; base-uri 'self'; frame-ancestors 'self'; "
        "sandbox allow-popups allow-popups-to-escape-sandbox "
        "allow-top-navigation-by-user-activation"
    )
    return response


@this_machine_only
@require_safe
def image(request: HttpRequest, name: str) -> HttpResponse:
    """Return an inline image. ?cid= is its Content-ID."""
    _raw, parsed = _message(name)
    found = message_view.inline_image(parsed, request.GET.get("cid", ""))
    if found is None:
        raise Http404(_("Picture not found."))
    kind, content = found
    return HttpResponse(content, content_type=kind)


@this_machine_only
@require_safe
def source(request: HttpRequest, name: str) -> HttpResponse:
    """Return the raw message as a file to download."""
    raw, _ = _message(name)
    headers = {"Content-Disposition": f'attachment; filename="{name}.eml"'}
    return HttpResponse(raw, content_type="message/rfc822", headers=headers)
