"""The web process's WSGI entry point."""

import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.settings")
application = get_wsgi_application()
# Load the views now: two threads would do it at the same time, and the first reader would wait.
import_module(settings.ROOT_URLCONF)
