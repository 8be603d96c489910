"""Where mails are laid out: in a process of its own (newsletter.lib.apart). Everybody asks here.

`print_edition` and `print_letter` are `render.render` and `letter.render_letter` there; they raise
PressEnded besides.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec

from django.utils.translation import gettext as _

from newsletter.digest import letter, render
from newsletter.digest.content import Rendered, RenderError
from newsletter.lib import apart

P = ParamSpec("P")


class PressEnded(RenderError):  # noqa: N818 - names what happened
    """The process ended while it laid the mail out, or took too long; it may work next time."""


def _printed(lay_out: Callable[P, Rendered]) -> Callable[P, Rendered]:
    def printed(*args: P.args, **kwargs: P.kwargs) -> Rendered:
        try:
            return apart.call(lay_out, *args, **kwargs)
        except apart.Ended as error:
            message = _("The process that lays out mails ended: %(reason)s")
            raise PressEnded(message % {"reason": error}) from None

    return printed


print_edition = _printed(render.render)
print_letter = _printed(letter.render_letter)
