"""Every setting of the platform, read from the environment; docs/settings.md explains each one.

There is no development or production variant: deployments differ by their environment only.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import django_stubs_ext

from openagent.lib import data_dir, database_url, engine, env, log, own_addresses

# Lets models and admin classes name their type parameters at run time, as the type checker wants.
django_stubs_ext.monkeypatch()

BASE_DIR = data_dir.CHECKOUT
DATA = data_dir.current()
OPENAGENT_VERSION = "0.1.0"

# --- Where this installation is reached -------------------------------------------------------------------
DEBUG = env.flag("OPENAGENT_DEBUG")
OPENAGENT_PUBLIC_URL = env.text("OPENAGENT_PUBLIC_URL", "")
_public = urlsplit(OPENAGENT_PUBLIC_URL)
_https = _public.scheme == "https"
ALLOWED_HOSTS = [
    *("localhost", "127.0.0.1", "[::1]"),
    *env.words("OPENAGENT_ALLOWED_HOSTS"),
    *([_public.hostname] if _public.hostname else []),
]
CSRF_TRUSTED_ORIGINS = [f"{_public.scheme}://{_public.netloc}"] if _public.hostname else []
OPENAGENT_TRUSTED_PROXIES = env.number("OPENAGENT_TRUSTED_PROXIES", 0)
ALLAUTH_TRUSTED_PROXY_COUNT = OPENAGENT_TRUSTED_PROXIES
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if OPENAGENT_TRUSTED_PROXIES else None

# --- Secrets ----------------------------------------------------------------------------------------------
SECRET_KEY = env.secret("OPENAGENT_SECRET_KEY", default_file=DATA.secret_key)
OPENAGENT_KEYS_KEK = env.secret(
    "OPENAGENT_KEYS_KEK", default_file=DATA.key_encryption_key, required=not DEBUG
)
# Asked for at first-run set-up when we listen elsewhere than on loopback; `up` makes one.
OPENAGENT_SETUP_CODE = env.secret("OPENAGENT_SETUP_CODE", required=False)
OPENAGENT_METRICS_TOKEN = env.secret("OPENAGENT_METRICS_TOKEN", required=False)

# --- Applications -----------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "openagent.apps.OpenAgentConfig",
    "openagent.accounts",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "rest_framework",
    "django_filters",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "csp",
    "django_structlog",
    "allauth",
    "allauth.account",
    "allauth.headless",
    "keys_app",
    "sessions_app",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "openagent.lib.static.StaticFilesMiddleware",
    "csp.middleware.CSPMiddleware",
    "openagent.accounts.login_cookie.LoginCookieMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "openagent.lib.request_line.RequestLineMiddleware",
]

ROOT_URLCONF = "openagent.urls"
ASGI_APPLICATION = "openagent.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- Rows -------------------------------------------------------------------------------------------------
DATABASE_URL = env.secret("DATABASE_URL", required=False) or f"sqlite:///{DATA.database}"
_pool_size = env.number("OPENAGENT_DATABASE_POOL", 20, minimum=4)
DATABASES = {"default": database_url.parse(DATABASE_URL, pool_size=_pool_size)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Threads of the bridge from consumers to the database, so connections are bounded too.
OPENAGENT_DATABASE_THREADS = env.number("OPENAGENT_DATABASE_THREADS", 8, minimum=1)
# In the database, so that signing in and its rate limits do not depend on Redis. With more rows than this
# live counters are dropped too, and whoever guesses from many addresses could make that happen.
_rows = "django.core.cache.backends.db.DatabaseCache"
CACHES = {"default": {"BACKEND": _rows, "LOCATION": "openagent_cache", "OPTIONS": {"MAX_ENTRIES": 100_000}}}

# --- Wake-ups: Redis, Channels, Celery --------------------------------------------------------------------
REDIS_URL = env.secret("REDIS_URL", required=False) or f"unix://{DATA.redis_socket}"
CHANNEL_LAYERS: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL]},
    }
}
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_IGNORE_RESULT = CELERY_TASK_ACKS_LATE = CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = CELERY_WORKER_SEND_TASK_EVENTS = False
# What calls the driver: with Docker, a part of its own does that, and nothing else has the engine's socket.
CELERY_TASK_ROUTES = {
    f"sessions_app.tasks.{name}": {"queue": "instances"}
    for name in (
        *("launch_instance", "retire_instance", "check_instance", "read_logs"),
        *("reconcile", "purge", "tend_pool", "measure_disk", "measure_disks"),
    )
}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA.run / "beat-schedule")
OPENAGENT_DELETE_GRACE_SECONDS = env.seconds("OPENAGENT_DELETE_GRACE_SECONDS", 86400)
OPENAGENT_IDLE_SECONDS = env.seconds("OPENAGENT_IDLE_SECONDS", 15 * 60)
OPENAGENT_DOZE_SECONDS = env.seconds("OPENAGENT_DOZE_SECONDS", 5 * 60)
OPENAGENT_ASKING_SECONDS = env.seconds("OPENAGENT_ASKING_SECONDS", 86400)
OPENAGENT_IDLE_PASS_SECONDS = min(60.0, max(1.0, OPENAGENT_IDLE_SECONDS / 3))  # the reaper counts passes
# A pass that could not start before the next one is due is dropped: passes are all alike.
CELERY_BEAT_SCHEDULE = {
    name: {"task": f"sessions_app.tasks.{name}", "schedule": every, "options": {"expires": every}}
    for name, every in (
        ("reconcile", 15.0),
        ("reap_idle", OPENAGENT_IDLE_PASS_SECONDS),
        *((name, 60.0) for name in ("fold", "purge", "learn_registries_when_due")),
        ("measure_disks", 300.0),
    )
}
CELERY_BEAT_SCHEDULE["rewrap"] = {
    **{"task": "keys_app.tasks.rewrap", "schedule": 60.0},
    "options": {"expires": 60.0},
}

# --- Signing in -------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in (
        ("UserAttributeSimilarityValidator", {}),
        ("MinimumLengthValidator", {"min_length": 10}),  # As the forms of the frontend say.
        ("CommonPasswordValidator", {}),
        ("NumericPasswordValidator", {}),
    )
]
ACCOUNT_ADAPTER = "openagent.accounts.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
HEADLESS_ONLY = True
HEADLESS_CLIENTS = ("browser",)
HEADLESS_FRONTEND_URLS = {
    "account_confirm_email": "/sign-in",
    "account_reset_password": "/sign-in",
    "account_reset_password_from_key": "/sign-in",
    "account_signup": "/sign-in",
}
KNOX_TOKEN_MODEL = "accounts.AccessToken"
# Knox makes and hashes tokens for a model of ours; the table of its own would be empty, and in the way of
# every change of users on PostgreSQL.
MIGRATION_MODULES = {"knox": None}
REST_KNOX = {"TOKEN_PREFIX": "oat_", "AUTH_HEADER_PREFIX": "Bearer", "TOKEN_TTL": timedelta(days=90)}
SESSION_ENGINE = "openagent.accounts.login_store"
SESSION_COOKIE_AGE = round(env.seconds("OPENAGENT_LOGIN_SECONDS", 14 * 86400))
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"

# --- API --------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "openagent.accounts.authentication.BearerAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "openagent.accounts.permissions.HasScope",
    ],
    # For callers that are tempting to hammer; signing in has allauth's own limits.
    "DEFAULT_THROTTLE_RATES": {
        "setup": "10/min",
        "client_error": "30/min",
        "key_test": "20/min",
        "ws_ticket": "120/min",
    },
    "NUM_PROXIES": OPENAGENT_TRUSTED_PROXIES,
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["openagent.lib.json_body.JSONParser"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "openagent.lib.api.CursorPagination",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "openagent.lib.api.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "OpenAgent",
    "DESCRIPTION": "Run AI coding agents in isolated boxes. Errors are application/problem+json with a code.",
    "VERSION": OPENAGENT_VERSION,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {"EgressPolicyEnum": "sessions_app.models.EgressPolicy"},
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "openagent.lib.api.describe_problems",
    ],
}
# A request is at most a prompt with its attachments' names; files have their own route.
DATA_UPLOAD_MAX_MEMORY_SIZE = env.number("OPENAGENT_REQUEST_BYTES", 4 * 1024 * 1024)

# --- What a browser may do --------------------------------------------------------------------------------
# Inline styles are what xterm, CodeMirror and Base UI set; images never come from elsewhere, because a
# picture in an agent's markdown would carry data away.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:", "blob:"],
        "font-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "worker-src": ["'self'", "blob:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_HSTS_SECONDS = 31536000 if _https else 0
X_FRAME_OPTIONS = "DENY"

# --- Files that we serve ----------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = DATA.static
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
OPENAGENT_FRONTEND_DIST = env.path("OPENAGENT_FRONTEND_DIST", BASE_DIR / "frontend" / "dist")
WHITENOISE_ALLOW_ALL_ORIGINS = False

# --- Language and time ------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# --- Logs -------------------------------------------------------------------------------------------------
OPENAGENT_LOG_FORMAT = env.text("OPENAGENT_LOG_FORMAT", "json")
OPENAGENT_LOG_LEVEL = env.text("OPENAGENT_LOG_LEVEL", "INFO").upper()
LOGGING = log.configure(OPENAGENT_LOG_FORMAT, OPENAGENT_LOG_LEVEL)
log.protect(SECRET_KEY, OPENAGENT_SETUP_CODE, OPENAGENT_METRICS_TOKEN)
log.protect(*(word.rpartition(":")[2] for word in OPENAGENT_KEYS_KEK.replace(",", " ").split()))
DJANGO_STRUCTLOG_CELERY_ENABLED = True

# --- Provider keys ----------------------------------------------------------------------------------------
OPENAGENT_KEYS_KMS_ENDPOINT = env.text("OPENAGENT_KEYS_KMS_ENDPOINT", "")
# Provider id to base URL, for a proxy in front of a provider; such a host may be private.
OPENAGENT_PROVIDER_BASE_URLS = env.table("OPENAGENT_PROVIDER_BASE_URLS")
OPENAGENT_PROVIDER_SILENCE_SECONDS = env.seconds("OPENAGENT_PROVIDER_SILENCE_SECONDS", 240)

# --- Sessions and instances -------------------------------------------------------------------------------
OPENAGENT_DATA_DIR = DATA.root
OPENAGENT_LINK_SOCKET = env.path("OPENAGENT_LINK_SOCKET", DATA.link_socket)
OPENAGENT_SUPERVISOR_LOCK = DATA.supervisor_lock
OPENAGENT_STOPPING_FILE = DATA.stopping
OPENAGENT_STOPPED_FILE = DATA.stopped
OPENAGENT_AGENTS_DIR = env.path("OPENAGENT_AGENTS_DIR", DATA.agents)
OPENAGENT_DRIVER = env.text("OPENAGENT_DRIVER", DATA.chosen_driver)
OPENAGENT_CONCURRENT_STARTS = engine.concurrent_starts()
OPENAGENT_LIVE_SESSIONS = env.number("OPENAGENT_LIVE_SESSIONS", 50, minimum=1)
OPENAGENT_LIVE_SESSIONS_PER_USER = env.number("OPENAGENT_LIVE_SESSIONS_PER_USER", 10, minimum=1)
OPENAGENT_SESSIONS_PER_USER = env.number("OPENAGENT_SESSIONS_PER_USER", 2000, minimum=1)
# Whether a model without a price may be used under a budget of money.
OPENAGENT_BUDGET_UNPRICED = env.flag("OPENAGENT_BUDGET_UNPRICED")
OPENAGENT_POOL = env.numbers("OPENAGENT_POOL", "opencode=1")
# Tools of this host whose registries boxes may reach; "none" for none.
OPENAGENT_REGISTRIES_FROM = [
    tool for tool in env.words("OPENAGENT_REGISTRIES_FROM", ("pip", "npm", "apt")) if tool != "none"
]
# Addresses of this host that its interfaces do not tell, since the platform is in a container of its own.
OPENAGENT_HOST_ADDRESSES = own_addresses.named()
OPENAGENT_BOX_MEMORY_MB = env.number("OPENAGENT_BOX_MEMORY_MB", 2048, minimum=256)
OPENAGENT_SIDECAR_MEMORY_MB = env.number("OPENAGENT_SIDECAR_MEMORY_MB", 512, minimum=256)
OPENAGENT_BOX_PROCESSES = env.number("OPENAGENT_BOX_PROCESSES", 1024, minimum=64)
OPENAGENT_BOX_TMP_MB = env.number("OPENAGENT_BOX_TMP_MB", 512, minimum=16)
OPENAGENT_TERMINALS_PER_SESSION = env.number("OPENAGENT_TERMINALS_PER_SESSION", 16, minimum=1, maximum=64)
OPENAGENT_TERMINAL_RING_KB = env.number("OPENAGENT_TERMINAL_RING_KB", 2048, minimum=256, maximum=8192)
OPENAGENT_TERMINAL_RECORDING = env.flag("OPENAGENT_TERMINAL_RECORDING")
# Users of this host that belong to nobody: as root, every box and every sidecar gets one of its own.
OPENAGENT_UIDS_FIRST = env.number("OPENAGENT_UIDS_FIRST", 1_900_000_000, minimum=1000)
OPENAGENT_UIDS_COUNT = env.number("OPENAGENT_UIDS_COUNT", 200_000_000, minimum=2)
