"""One settings file, driven by the environment. Every variable has a default that works on a fresh machine."""

import contextlib
import os
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import dj_database_url

from lab import logs

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(os.environ.get("ORRERY_DATA", BASE_DIR / ".data"))
DATA_DIR.mkdir(parents=True, exist_ok=True)


def _drawn(name: str, lot: Callable[[], str]) -> str:
    """What this lab drew once and keeps beside its data. Several of its processes may be the first at once: the file
    is there whole or not at all, and what the others drew is forgotten."""
    path = DATA_DIR / name
    if not path.exists():
        with tempfile.NamedTemporaryFile("w", dir=DATA_DIR) as file:  # for nobody else to read
            file.write(lot())
            file.flush()
            with contextlib.suppress(FileExistsError):
                os.link(file.name, path)
    return path.read_text()


SECRET_KEY = os.environ.get("SECRET_KEY") or _drawn("secret-key", lambda: secrets.token_urlsafe(48))
# Names this lab on an engine it shares with others: everything it makes there carries it as a label.
LAB_ID = os.environ.get("ORRERY_LAB_ID") or _drawn("lab-id", lambda: secrets.token_hex(4))
DEBUG = os.environ.get("DEBUG") == "1"
ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1],.localhost").split(",")
PORT = int(os.environ.get("ORRERY_PORT", "8088"))
TLS_PORT = int(os.environ.get("ORRERY_TLS_PORT", "8090").split("-")[0])  # of several web servers', the first
API = os.environ.get("ORRERY_API", f"http://127.0.0.1:{PORT}")  # the plain port, as the lab's own kubectl reaches it
HOST = os.environ.get("ORRERY_HOST", "127.0.0.1")
API_HOST = HOST if HOST not in ("0.0.0.0", "::", "localhost") else "127.0.0.1"  # of the TLS port, for this machine
ROOM = os.environ.get("ORRERY_ROOM", "")  # where learners come in: http://192.168.1.20:8091/; empty without a room
# Who may say at the room's port from where a request comes, and that it came by TLS (X-Forwarded-For, -Proto):
# addresses or networks of a reverse proxy, with commas between them. Nobody else is believed.
PROXIES = os.environ.get("ORRERY_PROXIES", "")
if _room := urlsplit(ROOM).hostname:
    ALLOWED_HOSTS.append(_room)
CSRF_TRUSTED_ORIGINS = [f"https://{urlsplit(ROOM).netloc}"] if ROOM.startswith("https://") else []
LESSONS_DIR = Path(os.environ.get("ORRERY_LESSONS", BASE_DIR / "lab" / "tutorials" / "lessons"))
PKI_DIR = DATA_DIR / "pki"  # the lab's own authority, and what it has signed: lab/management/pki.py
DEFAULT_CLUSTER = "default"

# auto: docker if an engine answers, else process. Otherwise one of docker, process, simulated.
RUNTIME = os.environ.get("ORRERY_RUNTIME", "auto")

INSTALLED_APPS = [
    "django.contrib.staticfiles",
    "channels",
    "django_htmx",
    "lab",
]
if ROOM:  # accounts of those who teach; nobody else pays for them in memory
    INSTALLED_APPS += ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"]
MIDDLEWARE = [
    "lab.middleware.SecurityMiddleware",
    "lab.middleware.StaticFilesMiddleware",
    "lab.middleware.CsrfViewMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "lab.middleware.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "lab.urls"
ASGI_APPLICATION = "lab.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_PASSWORD_VALIDATORS = [{"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"}]
SESSION_COOKIE_NAME = "orrery-staff"
USE_TZ = True
TIME_ZONE = "UTC"
APPEND_SLASH = False

TEMPLATES: list[dict] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]
if ROOM:
    TEMPLATES[0]["OPTIONS"]["context_processors"].append("lab.workshops.context.seated")
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Served straight from `static/` and from installed packages, so that there is no collecting step to forget.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False

# Connections stay; one that broke, for PostgreSQL was restarted, is noticed before it is used again.
_database = dj_database_url.config(
    default=f"sqlite:///{DATA_DIR / 'orrery.sqlite3'}", conn_max_age=None, conn_health_checks=True
)
DATABASES: dict[str, dict] = {"default": {**_database}}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # WAL lets readers read while one writes; IMMEDIATE takes the write lock at once instead of failing half-way.
    # What is deleted is overwritten, as Debian's SQLite does unasked: a class's names are not to be found in the file.
    # Every 10,000 pages (40 MB) whoever commits brings the log into the database, and all wait for two fsyncs: 50 to
    # 400 ms beside an engine that starts containers. With SQLite's 1,000 pages a class came to it each second.
    DATABASES["default"]["ENGINE"] = "lab.sqlite"
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY;"
        "PRAGMA secure_delete=ON; PRAGMA wal_autocheckpoint=10000;",
    }
else:
    # Whoever appends has the cluster's row. One whose machine is gone, or stands still, in the middle of it would have
    # it until the kernel gives the connection up, after two hours: PostgreSQL ends it, and nothing of it was written.
    _options = DATABASES["default"].setdefault("OPTIONS", {})
    _options["options"] = f"{_options.get('options', '')} -c idle_in_transaction_session_timeout=10s".lstrip()

REDIS_URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0")
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_TRANSPORT = "lab.broker:Transport"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A task whose worker was killed comes back after this, unless it is transient (below); kombu's own defaults take
# minutes. Tasks stay far shorter.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 60,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_timeout": 30,
    "global_keyprefix": f"orrery:{LAB_ID}:",  # several labs may share one Redis
    "priority_steps": [0],  # no task comes before others: of each queue one list is asked for, not four
}
CELERY_TASK_DEFAULT_QUEUE = "control-plane"
KUBELET_QUEUE = os.environ.get("ORRERY_KUBELET_QUEUE", "kubelet")
# Whether those live in this worker, too, of whom one acts in all workers: the tutor, the visitors' agent.
STANDBY = os.environ.get("ORRERY_STANDBY", "yes") == "yes"
# For `send_task`, in AMQP's words: what may be lost with the worker that has taken it, for its sender says it again.
# Of such a task the broker keeps no copy while it is under way (lab/broker.py).
TRANSIENT = {"delivery_mode": 1}
CELERY_BEAT_SCHEDULE = {
    "tick": {"task": "lab.tasks.tick", "schedule": 1.0, "options": {"expires": 5, **TRANSIENT}},
    "compact": {"task": "lab.tasks.compact_logs", "schedule": 600.0, "options": {"expires": 60, **TRANSIENT}},
    "rescue": {"task": "lab.tasks.rescue_clusters", "schedule": 5.0, "options": {"expires": 5, **TRANSIENT}},
    "forget": {"task": "lab.tasks.forget_workshops", "schedule": 600.0, "options": {"expires": 60, **TRANSIENT}},
}

# Where Kubernetes waits, the lab waits too, but short enough to watch. Seconds.
KUBERNETES_CLOCK = {
    "leader_lease": 15.0,  # of the controller manager and the scheduler: --leader-elect-lease-duration
    "node_lease_renew": 10.0,
    "node_grace": 40.0,  # missed heartbeats → NotReady: --node-monitor-grace-period
    "node_eviction": 10.0,  # in each zone the pods of one lost node in so many seconds: --node-eviction-rate
    "default_toleration": 300.0,  # NotReady → its pods are evicted: the tolerations every pod is given
    "crash_backoff_first": 10.0,
    "crash_backoff_most": 300.0,
    "image_backoff_first": 10.0,
    "image_backoff_most": 300.0,
    "job_backoff_first": 10.0,  # a failed pod of a Job is replaced so much later: DefaultJobPodFailureBackOff
    "job_backoff_most": 600.0,
    "pod_backoff_first": 1.0,  # the scheduler's, for a pod that fits nowhere: podInitialBackoffSeconds
    "pod_backoff_most": 10.0,
    "termination_grace": 30.0,  # the default of spec.terminationGracePeriodSeconds
    "event_ttl": 3600.0,
    "hpa_sync": 15.0,  # between two looks: --horizontal-pod-autoscaler-sync-period
    "hpa_downscale_stabilization": 300.0,  # a lower number has to be right for so long
    "hpa_cpu_initialization": 300.0,  # the CPU of a pod that begins is not judged: -cpu-initialization-period
    "hpa_initial_readiness": 30.0,  # nor is one that was ready at first only: -initial-readiness-delay
    "node_boot": 60.0,  # a bought node's, where its pool does not say; Kubernetes leaves it to the cloud
    "node_idle": 600.0,  # a node that nobody needs is given back: --scale-down-unneeded-time
    "node_provision": 900.0,  # a bought node that is not ready is given up: --max-node-provision-time
}
LAB_CLOCK = {
    "leader_lease": 4.0,
    "node_lease_renew": 2.0,
    "node_grace": 8.0,
    "node_eviction": 0.1,
    "default_toleration": 10.0,
    "crash_backoff_first": 2.0,
    "crash_backoff_most": 60.0,
    "image_backoff_first": 2.0,
    "image_backoff_most": 60.0,
    "job_backoff_first": 1.0,
    "job_backoff_most": 60.0,
    "pod_backoff_first": 0.25,
    "pod_backoff_most": 5.0,
    "termination_grace": 10.0,
    "event_ttl": 3600.0,
    "hpa_sync": 1.0,
    "hpa_downscale_stabilization": 15.0,
    "hpa_cpu_initialization": 5.0,
    "hpa_initial_readiness": 2.0,
    "node_boot": 5.0,
    "node_idle": 20.0,
    "node_provision": 60.0,
}
CLOCK = KUBERNETES_CLOCK if os.environ.get("ORRERY_CLOCK") == "kubernetes" else LAB_CLOCK

LOG_FORMAT = os.environ.get("ORRERY_LOG_FORMAT", "text")  # json: one object an event, lab/logs.py
LOGGING = logs.settings_of(LOG_FORMAT, os.environ.get("ORRERY_LOG", "INFO"))
