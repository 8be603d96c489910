"""Settings, driven by the environment. docs/configuration.md describes every variable.

With nothing set, everything stays on this machine: SQLite and an embedded Valkey below `var/`, and
email goes to the local mailbox.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import django
import django_stubs_ext
from csp.constants import NONCE, NONE, SELF, UNSAFE_INLINE
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _
from js_asset import static_lazy

from newsletter.delivery.feedback import providers
from newsletter.desk.sign_in.allauth_settings import *  # noqa: F403 - Django reads names from here
from newsletter.lib import environment, key_documents, keys, logs, mailbox_url
from newsletter.lib.environment import between, env, one_of
from newsletter.lib.language_names import language_name

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = env.path("VAR_DIR", BASE_DIR / "var")
DEBUG = env.bool("DEBUG", default=False)


# --- The site ---------------------------------------------------------------------------------
PORT = env.int("PORT", 8000, validate=between(1, 65_000))
BIND = env.str("BIND", "127.0.0.1")
SITE_URL = env.parsed("SITE_URL", f"http://127.0.0.1:{PORT}", environment.parse_site_url)
ALLOWED_HOSTS = [
    environment.host_of(SITE_URL),
    *env.parsed("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]", environment.split_list),
]
CSRF_TRUSTED_ORIGINS = [SITE_URL]

# --- Keys -------------------------------------------------------------------------------------
KEYS_DIR = VAR_DIR / "keys"
WEB_KEYS_PATH, _web_document = environment.read_key_document("WEB_KEYS")
WORKER_KEYS_PATH, _worker_document = environment.read_key_document("WORKER_KEYS")
WORKER_KEYS_PASSPHRASE = env.str("WORKER_KEYS_PASSPHRASE", "")
KEYS_ARE_TEMPORARY = False
if not _web_document and (KEYS_DIR / "web.json").exists():
    # The keys that `make setup` created. A process whose WORKER_KEYS is set, even to nothing,
    # doesn't get the worker's.
    WEB_KEYS_PATH = KEYS_DIR / "web.json"
    if not env.is_set("WORKER_KEYS") and (KEYS_DIR / "worker.json").exists():
        WORKER_KEYS_PATH = KEYS_DIR / "worker.json"
elif not _web_document:
    # Good enough for commands that touch no reader; newsletter.E001 stops all others.
    KEYS_ARE_TEMPORARY = True
    _web_document, _worker_document = keys.generate_temporary()
    WEB_KEYS_PATH = WORKER_KEYS_PATH = None
WEB_KEYS = environment.load_keys(
    "WEB_KEYS", WEB_KEYS_PATH, _web_document, keys.load_web_keys, keys.parse_web_keys
)


def _unlock(document: str) -> str:
    return key_documents.unlock(document, WORKER_KEYS_PASSPHRASE)


WORKER_KEYS = None
if WORKER_KEYS_PATH or _worker_document:
    WORKER_KEYS = environment.load_keys(
        "WORKER_KEYS",
        WORKER_KEYS_PATH,
        _worker_document,
        lambda path: keys.load_worker_keys(path, unlock=_unlock),
        lambda document: keys.parse_worker_keys(_unlock(document)),
    )
SECRET_KEY = WEB_KEYS.secret_key
# age public keys of the one or two people who can decrypt exported lists; two people only together.
EXPORT_RECIPIENTS = env.parsed("EXPORT_RECIPIENTS", "", environment.parse_age_recipients)

# --- Applications -----------------------------------------------------------------------------
INSTALLED_APPS = [
    "newsletter.desk.apps.DeskAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.sitemaps",
    "django_prose_editor",
    "js_asset",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "newsletter.editorial",
    "subscribers",
    "newsletter.delivery",
    "newsletter.web",
    "newsletter.desk.apps.DeskConfig",
    "newsletter.local",
]
AUTH_USER_MODEL = "editorial.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "newsletter.urls"
PUBLIC_URLCONF = "newsletter.public_urls"
WSGI_APPLICATION = "newsletter.wsgi.application"

MIDDLEWARE = [
    "newsletter.web.middleware.no_body_for_head",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "subscribers.discreet_domain.DiscreetDomainMiddleware",
    "newsletter.web.middleware.no_nul",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "newsletter.web.middleware.small_public_forms",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "newsletter.desk.sign_in.middleware.SessionMiddleware",
    "newsletter.desk.sign_in.middleware.SecondFactorMiddleware",
]

THEME_DIR = env.parsed("THEME_DIR", "", lambda text: Path(text) if text else None)
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # A theme's templates override ours, and ours override those of the installed apps.
        "DIRS": [*([THEME_DIR / "templates"] if THEME_DIR else []), BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "newsletter.web.context.newsroom",
                "subscribers.discreet_domain.reader_frame",
            ],
        },
    },
]

# --- Database, broker, cache ------------------------------------------------------------------
environment.require_folder("VAR_DIR", VAR_DIR)
DATABASES = {
    "default": env.parsed(
        "DATABASE_URL", f"sqlite:///{VAR_DIR / 'tydzen.sqlite3'}", environment.parse_database
    )
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # SQLite writes its journal next to the database.
    environment.require_folder(
        "DATABASE_URL", Path(DATABASES["default"]["NAME"]).parent, write=True
    )
    # A file, as in production: in memory, threads would share one cache with its table locks.
    DATABASES["default"]["TEST"] = {"NAME": str(VAR_DIR / "test.sqlite3")}

BROKER_SOCKET = environment.default_broker_socket(VAR_DIR)
BROKER_URL = env.parsed("BROKER_URL", f"redis+socket://{BROKER_SOCKET}", environment.parse_broker)
CACHE_URL = env.str("CACHE_URL", environment.default_cache_url(BROKER_URL))
CACHES = {"default": environment.cache_config(CACHE_URL)}
SESSION_ENGINE = "django.contrib.sessions.backends.db"

CELERY_BROKER_URL = BROKER_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 600
CELERY_TASK_SOFT_TIME_LIMIT = 540
# Far above the time limit: a task that the broker delivers again would find its batch claimed, but
# it would occupy a worker (E4).
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "socket_connect_timeout": 5,
    # Otherwise a wake-up would block for as long as the broker is down.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_PUBLISH_RETRY = False

# --- Delivery ---------------------------------------------------------------------------------
LOCAL_MAILBOX_DIR = VAR_DIR / "mailbox"
MAILBOX_PORT = env.int("MAILBOX_PORT", PORT + 25, validate=between(1, 65_535))
DELIVERY_TRANSPORTS = env.parsed(
    "DELIVERY_TRANSPORTS", f"smtp://127.0.0.1:{MAILBOX_PORT}", environment.split_transports
)
USES_LOCAL_MAILBOX = f"smtp://127.0.0.1:{MAILBOX_PORT}" in DELIVERY_TRANSPORTS
SEND_BATCH_SIZE = env.int("SEND_BATCH_SIZE", 1000, validate=between(1, 5000))
SEND_STEP = env.int("SEND_STEP", 50, validate=between(1, 1000))
SEND_LEASE_SECONDS = env.int("SEND_LEASE_SECONDS", 120, validate=between(2, 540))
SEND_RETRY_SECONDS = env.int("SEND_RETRY_SECONDS", 300, validate=between(1, 86_400))
SEND_GIVE_UP_HOURS = env.int("SEND_GIVE_UP_HOURS", 24, validate=between(1, 168))
RETENTION_DAYS = env.int("RETENTION_DAYS", 90, validate=between(1, 3650))
LATE_HOURS = env.int("LATE_HOURS", 12, validate=between(1, 168))
# Notified of failures by Apprise, besides the email to staff.
ALERT_URLS = env.parsed("ALERT_URLS", "", str.split)
# Where bounces and unsubscriptions arrive by email (A7, D6).
BOUNCE_MAILBOX = env.parsed("BOUNCE_MAILBOX", "", mailbox_url.parse_mailbox)
INBOUND_DOMAIN = env.parsed("INBOUND_DOMAIN", "", environment.parse_inbound_domain)
HEARTBEAT_URL = env.parsed("HEARTBEAT_URL", "", environment.parse_web_url)
FEEDBACK_SENDER_ID = env.parsed("FEEDBACK_SENDER_ID", "tydzen", environment.parse_feedback_sender)
# Providers whose webhooks are taken at /hooks/NAME/, and what proves where each POST comes from.
WEBHOOKS = env.parsed(
    "WEBHOOKS", providers.hooks_of_transports(DELIVERY_TRANSPORTS), providers.parse_hooks
)
WEBHOOK_SECRETS = {name: env.str(f"WEBHOOK_SECRET_{name.upper()}", "") for name in providers.HOOKS}
WEBHOOK_SES_TOPICS = env.parsed("WEBHOOK_SES_TOPICS", "", environment.split_list)
WEBHOOK_MAX_BYTES = env.int("WEBHOOK_MAX_BYTES", 5_000_000, validate=between(10_000, 100_000_000))
# Nothing sends through Django's email functions; errors are logged, not emailed (G3).
_console = "django.core.mail.backends.console.EmailBackend"
if django.VERSION >= (6, 1):
    MAILERS = {"default": {"BACKEND": _console}}
else:  # deprecated since 6.1
    EMAIL_BACKEND = _console

# --- Sign-ups: limits against list bombing (B4); 0 means no limit -------------------------------
SIGN_UPS_PER_NETWORK = env.int("SIGN_UPS_PER_NETWORK", 30, validate=between(0, 1_000_000))
SIGN_UPS_PER_DOMAIN = env.int("SIGN_UPS_PER_DOMAIN", 300, validate=between(0, 1_000_000))
SIGN_UPS_IN_ALL = env.int("SIGN_UPS_IN_ALL", 3000, validate=between(0, 1_000_000))
SIGN_UP_SECONDS = env.int("SIGN_UP_SECONDS", 2, validate=between(0, 60))
# Disposable addresses (B6): a file with one domain on each line; readers are warned or refused.
DISPOSABLE_DOMAINS = env.parsed("DISPOSABLE_DOMAINS", "", environment.read_domains)
DISPOSABLE_ACTION = env.str("DISPOSABLE_ACTION", "warn", validate=one_of("warn", "block"))
TRUSTED_PROXIES = env.parsed("TRUSTED_PROXIES", "127.0.0.0/8,::1", environment.parse_networks)

# --- Discreet readers: a second, neutral domain ------------------------------------------------
DISCREET_URL = env.parsed(
    "DISCREET_URL", "", lambda text: environment.parse_site_url(text) if text else ""
)


def _discreet_sender(text: str) -> str:
    if DISCREET_URL and "@" not in text.strip("@"):
        raise ValueError("must be an email address, because DISCREET_URL is set")
    return text


DISCREET_SENDER = env.parsed("DISCREET_SENDER", "", _discreet_sender)
DISCREET_NAME = env.str("DISCREET_NAME", "Letter")
if DISCREET_URL:
    ALLOWED_HOSTS.append(environment.host_of(DISCREET_URL))

# --- Languages --------------------------------------------------------------------------------
LANGUAGES = [
    (code, language_name(code))
    for code in env.parsed("SITE_LANGUAGES", "en,be,ru", environment.parse_languages)
]
LANGUAGE_CODE = LANGUAGES[0][0]
# Only the desk has a choice that is kept: readers' pages have their language in the URL.
LANGUAGE_COOKIE_PATH = "/admin/"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
# Our own texts, and our changes to Django's (docs/decisions/0062).
LOCALE_PATHS = [BASE_DIR / "locale", BASE_DIR / "locale-django"]
FORMAT_MODULE_PATH = ["newsletter.lib.formats"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# --- Staff ------------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = ["newsletter.desk.sign_in.backend.ThrottledBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    # For passwords that were set before; each is hashed again at the next sign-in.
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
    )
]
LOGIN_URL = reverse_lazy("admin:login")
# Where a sign-in without ?next= leads; Django's default page doesn't exist here.
LOGIN_REDIRECT_URL = reverse_lazy("admin:index")
# A session ends a day after signing in, however much it is used.
SESSION_COOKIE_AGE = 24 * 3600
# How long a link for choosing a forgotten password works.
PASSWORD_RESET_TIMEOUT = 3600
# Whose accounts need a second factor: on one's own machine nobody's, on a server those of people
# who can send to readers.
SECOND_FACTOR_REQUIRED = env.str(
    "SECOND_FACTOR_REQUIRED",
    "nobody" if environment.is_loopback(SITE_URL) else "senders",
    validate=one_of("nobody", "senders", "everyone"),
)
MFA_TRUST_COOKIE_PATH = LANGUAGE_COOKIE_PATH
# Browsers offer passkeys on http://localhost, too.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = environment.is_loopback(SITE_URL)

# --- Rich text: our extensions of the editor (newsletter/digest/rich_text/table.py) --------------
_extensions_of = {
    "structure": ["QuoteSource", "Credit", "Language", "Passage"],
    "notes": ["NoteReference", "Note", "Notes"],
    "paste": ["CleanPaste"],
    "figure": ["Figure"],
    "menu": ["Menu"],
}
DJANGO_PROSE_EDITOR_EXTENSIONS = [
    {
        "js": [static_lazy(f"desk/rich_text/{module}.js")],
        # Only for the package's own cleaning, which we don't use.
        "extensions": dict.fromkeys(extensions, "newsletter.desk.fields.without_cleaning"),
    }
    for module, extensions in _extensions_of.items()
]

# --- Files ------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [
    *([THEME_DIR / "static"] if THEME_DIR and (THEME_DIR / "static").is_dir() else []),
    BASE_DIR / "newsletter" / "web" / "assets",
]
MEDIA_URL = "/media/"
MEDIA_ROOT = env.path("MEDIA_DIR", VAR_DIR / "media")
STORAGES = {
    "default": {"BACKEND": "newsletter.lib.media_storage.AtomicFileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_MANIFEST_STRICT = False
# Django refuses larger form posts before it reads them. An article that is too long has to get as
# far as its form, so that the page can show the text with a message. Ends below the proxy's limit.
DATA_UPLOAD_MAX_MEMORY_SIZE = 20_000_000
# For visitors who aren't signed in as staff. Webhooks have a separate limit.
PUBLIC_FORM_MAX_BYTES = 2_500_000
# Uploads stay in memory: a list of subscribers must never touch the disk (G5).
FILE_UPLOAD_HANDLERS = ["newsletter.lib.uploads.LimitedMemoryUploadHandler"]
FILE_UPLOAD_MAX_MEMORY_SIZE = 20_000_000

# --- Security ---------------------------------------------------------------------------------
_https = SITE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = _https
SECURE_SSL_REDIRECT = False  # the proxy redirects; health checks come without TLS
SECURE_HSTS_SECONDS = 31_536_000 if _https else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _https else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DEFAULT_EXCEPTION_REPORTER_FILTER = "newsletter.web.errors.WithoutPostedDataFilter"
CSRF_FAILURE_VIEW = "newsletter.web.errors.csrf_failure"
# Readers' URLs contain tokens, so pages load nothing from elsewhere and can't be framed.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        # The editor sets style attributes.
        "style-src": [SELF, UNSAFE_INLINE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "frame-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    }
}

# --- Logs: IDs and actions, never an address (G8) ----------------------------------------------
LOGGING = logs.configuration()

CONFIGURATION = env.names()
"""Every variable that the settings read. A test compares docs/configuration.md with it."""

ADMIN_TITLE = _("Newsletter desk")
