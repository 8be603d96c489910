"""The entry point for rendering: it runs in a separate process (newsletter.lib.sandbox).

`render_edition` and `render_transactional` are `render.render` and
`transactional.render_transactional` in that process. They can also raise RenderServiceError.
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
    """The process crashed or timed out while rendering. Another attempt may succeed."""


def _in_sandbox(function: Callable[P, RenderedEmail]) -> Callable[P, RenderedEmail]:
    def call(*args: P.args, **kwargs: P.kwargs) -> RenderedEmail:
        try:
            return sandbox.run(function, *args, **kwargs)
        except sandbox.SandboxEndedError as error:
            message = _("The process that renders emails ended: %(reason)s")
            raise RenderServiceError(message % {"reason": error}) from None

    return call


render_edition = _in_sandbox(render.render)
render_transactional = _in_sandbox(transactional.render_transactional)
