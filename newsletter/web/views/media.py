"""Uploaded pictures, for sites without a proxy that serves them."""

from __future__ import annotations

from errno import ENAMETOOLONG

from django.conf import settings
from django.core.exceptions import SuspiciousFileOperation
from django.http import Http404, HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe
from django.views.static import serve


@require_safe
def media(request: HttpRequest, path: str) -> HttpResponseBase:
    """Serve a file below MEDIA_ROOT.

    A path outside it, or one that can't be a file name, answers 404. Django would log an error with
    a traceback for each bot that tries one.
    """
    try:
        return serve(request, path, document_root=str(settings.MEDIA_ROOT))
    except SuspiciousFileOperation:
        raise Http404 from None
    except OSError as error:
        if error.errno != ENAMETOOLONG:
            raise
        raise Http404 from None
