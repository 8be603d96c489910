"""Preview: an issue as each group of readers would get it now."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar, cast

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp
from django.conf import settings
from django.core.files.storage import default_storage
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from newsletter.delivery.planning.editions import preview
from newsletter.delivery.planning.weight import Weight, weigh
from newsletter.desk.access.rows import get_issue
from newsletter.desk.dashboard import chain_name, readers_by_chain
from newsletter.desk.view_helpers import permission_required, render_page
from newsletter.digest.content import EditionOptions, Length, Pictures, RenderedEmail, RenderError
from newsletter.digest.render import size_warnings
from newsletter.editorial.email_weight import weight_warning
from newsletter.editorial.models import Newsletter
from newsletter.lib.fields import join_chain, split_chain
from newsletter.lib.languages import direction

EMAIL_POLICY = {
    "default-src": [NONE],
    "style-src": [UNSAFE_INLINE],
    # A sandboxed frame has an opaque origin, so SELF alone doesn't match our site.
    "img-src": [SELF, settings.SITE_URL, "data:"],
    "frame-ancestors": [SELF],
    "form-action": [NONE],
    "base-uri": [NONE],
    "sandbox": ["allow-popups"],
}
"""For an email's HTML in a frame: inline styles and our pictures, no scripts or forms."""
V = TypeVar("V", bound=Callable[..., HttpResponse])


def email_frame_policy(view: V) -> V:
    """Let the desk show the view's response, an email's HTML, in a frame."""
    return cast(V, xframe_options_sameorigin(csp(EMAIL_POLICY)(view)))


@dataclass(frozen=True)
class PreviewChoice:
    """A chain of languages and a length ("lead" or "full") that can be previewed."""

    chain: tuple[str, ...]
    length: str
    is_selected: bool

    @property
    def name(self) -> str:
        return chain_name(self.chain)

    @property
    def query(self) -> str:
        return f"chain={join_chain(self.chain)}&length={self.length}"


@require_safe
@permission_required("editorial.view_issue")
def overview(request: HttpRequest, issue_id: int) -> HttpResponse:
    """Show the choices, and the email of the selected one."""
    issue = get_issue(request, issue_id)
    selected = requested_choice(request, issue.newsletter)
    rendered, error = render_or_explain(partial(preview, issue), issue.newsletter, selected)
    return render_page(
        request,
        "desk/preview.html",
        title=_("Preview: %(issue)s") % {"issue": issue},
        issue=issue,
        choices=preview_choices(issue.newsletter, selected, lengths=Newsletter.Content.values),
        selected=selected,
        **preview_context(
            rendered,
            error,
            readers=sum(count for _name, count in readers_by_chain(issue.newsletter)),
        ),
    )


@require_safe
@permission_required("editorial.view_issue")
@email_frame_policy
def frame(request: HttpRequest, issue_id: int) -> HttpResponse:
    """Return the email's HTML alone, for the frames on the preview page."""
    issue = get_issue(request, issue_id)
    selected = requested_choice(request, issue.newsletter)
    rendered, _error = render_or_explain(partial(preview, issue), issue.newsletter, selected)
    return frame_response(rendered)


def preview_context(rendered: RenderedEmail | None, error: str, *, readers: int) -> dict[str, Any]:
    """Return the context of desk/email_preview.html, apart from `selected` and `frame` (a URL).

    `readers` is how many get such an email; the page shows what all of them weigh together.
    """
    weight = None
    if rendered:
        try:
            weight = weigh(rendered)
        except RenderError as missing:
            error = str(missing)
    return {
        "rendered": rendered,
        "error": error,
        "direction": direction(rendered.language) if rendered else "ltr",
        "warnings": email_warnings(rendered, weight) if rendered and weight else [],
        "weight": weight,
        "readers": readers,
        "weight_of_all": weight.total * readers if weight else 0,
    }


def email_warnings(rendered: RenderedEmail, weight: Weight) -> list[str]:
    """Return what editors should know about the email's size (A11, H4)."""
    heavy = weight_warning(weight.total)
    return [*size_warnings(rendered), *([heavy] if heavy else [])]


def frame_response(rendered: RenderedEmail | None) -> HttpResponse:
    """Return the HTML of a preview. Raises Http404 if nothing was rendered."""
    if rendered is None:
        raise Http404
    images = [{"cid": image.cid, "name": image.name} for image in rendered.images]
    return HttpResponse(load_embedded_images(rendered.html, images))


def load_embedded_images(html: str, images: list[dict[str, str]]) -> str:
    """Return an email's HTML with its embedded pictures loaded from the media storage."""
    for image in images:
        html = html.replace(f"cid:{image['cid']}", default_storage.url(image["name"]))
    return html


def preview_choices(
    newsletter: Newsletter, selected: PreviewChoice, *, lengths: Iterable[str]
) -> list[PreviewChoice]:
    return [
        PreviewChoice(
            chain, length, is_selected=(chain, length) == (selected.chain, selected.length)
        )
        for chain in dict.fromkeys(newsletter.chains())
        for length in lengths
    ]


def requested_choice(request: HttpRequest, newsletter: Newsletter) -> PreviewChoice:
    """Return the choice named in the query; the newsletter's defaults replace unknown values."""
    chain = split_chain(request.GET.get("chain", ""))
    if not chain or not set(chain) <= set(newsletter.languages):
        chain = newsletter.chains()[0]
    length = request.GET.get("length", "")
    known = length if length in Newsletter.Content.values else newsletter.content
    return PreviewChoice(chain, known, is_selected=True)


def render_or_explain(
    render: Callable[[EditionOptions], RenderedEmail | None],
    newsletter: Newsletter,
    choice: PreviewChoice,
) -> tuple[RenderedEmail | None, str]:
    """Return the email and "", or None and the reason why there is none."""
    options = EditionOptions(
        chain=choice.chain,
        page_language=choice.chain[0],
        length=cast(Length, choice.length),
        pictures=cast(Pictures, newsletter.pictures),
    )
    try:
        rendered = render(options)
    except RenderError as error:
        return None, str(error)
    if rendered is None:
        return None, _("These readers would not get an email: no article is ready for them.")
    return rendered, ""
