"""The web process's entry point."""

import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.settings")
application = get_wsgi_application()
# Before there are threads, two of which would load the pages at once; and the first reader need
# not wait for it.
import_module(settings.ROOT_URLCONF)
