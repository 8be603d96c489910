"""Where mails are laid out: in a process of its own (newsletter.lib.sandbox). Everybody asks here.

`print_edition` and `print_letter` are `render.render` and `letter.render_letter` there; they raise
PressEnded besides.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec

from django.utils.translation import gettext as _

from newsletter.digest import render, transactional
from newsletter.digest.content import RenderedEmail, RenderError
from newsletter.lib import sandbox

P = ParamSpec("P")


class RenderServiceError(RenderError):
    """The process ended while it laid the mail out, or took too long; it may work next time."""


def _rendered(lay_out: Callable[P, RenderedEmail]) -> Callable[P, RenderedEmail]:
    def printed(*args: P.args, **kwargs: P.kwargs) -> RenderedEmail:
        try:
            return sandbox.run(lay_out, *args, **kwargs)
        except sandbox.SandboxEndedError as error:
            message = _("The process that renders emails ended: %(reason)s")
            raise RenderServiceError(message % {"reason": error}) from None

    return printed


render_edition = _rendered(render.render)
render_transactional = _rendered(transactional.render_transactional)
