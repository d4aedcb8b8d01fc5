"""What the lab changes: the tutorial's example, on ports that need no administrator and with no internet behind it."""

import os
import shutil
from pathlib import Path

from lab import config, downloads
from tasks.agekey import public_key
from tasks.packing import cache_folder

# The tutorial's two names and two mailboxes, one of them with a Korean address. Their passwords come from the
# environment when they are there and are made on the host otherwise.
domains = [
    {
        "name": "테스트.net",
        "aliases": ["테스트.co.kr"],
        "accounts": [
            {"address": address, "name": name}
            | ({"first_password": {"env": variable}} if variable in os.environ else {})
            for address, name, variable in (
                ("id", "홍길동", "MAILHOST_LAB_ID_PASSWORD"),
                ("주문", "주문 담당", "MAILHOST_LAB_ORDER_PASSWORD"),
            )
        ],
    }
]
language = os.environ.get("MAILHOST_LAB_LANGUAGE", "en")
# An address that is nobody's (RFC 5737), where the tutorial writes 299.299.299.299.
public_ipv4 = "192.0.2.25"
# Only this machine reaches a lab.
listeners = {
    name: {"bind": "127.0.0.1"}
    for name in ("smtp", "submissions", "submission", "imaps", "pop3s", "pop3", "imap", "https")
}
_lab = config.load(config.default_folder())
lab_port_base = _lab.port_base if _lab else 20000
lab_drive = str(config.default_folder() / "c")
# A private MariaDB stands in for the MySQL that a real server gets, where there is one; SQLite otherwise.
# MAILHOST_LAB_DATABASE=sqlite asks for the latter.
_mariadb = os.environ.get("MAILHOST_LAB_DATABASE") != "sqlite" and shutil.which(
    "mariadbd", path=os.environ.get("PATH", "") + os.pathsep + "/usr/sbin"
)
_stand_ins = downloads.make(cache_folder() / "lab")
database = {
    "engine": "mysql" if _mariadb else "sqlite",
    "port": lab_port_base + 3306,
    "buffer_pool_mb": 64,
    "archive_file": str(_stand_ins / downloads.MYSQL),
    "runtime_file": str(_stand_ins / downloads.RUNTIME),
}
python = {"file": str(_stand_ins / downloads.PYTHON)}
# No authority can reach a lab. With the URL of a private one (pebble) certificates are ordered there.
_directory = os.environ.get("MAILHOST_LAB_ACME")
tls = (
    {
        "source": "acme",
        "acme": {
            "directory": _directory,
            "contact": "id@xn--9t4b11yi5a.net",
            "accept_terms": True,
            "ca_file": os.environ.get("MAILHOST_LAB_ACME_CA"),
            "challenge_port": int(os.environ.get("MAILHOST_LAB_ACME_PORT", lab_port_base + 80)),
        },
    }
    if _directory
    else {"source": "self_signed"}
)
# The records of the example belong to somebody else; a name server of the tests can be named.
dns_servers = [server for server in os.environ.get("MAILHOST_LAB_DNS", "").split(",") if server]
dns_offline = not dns_servers
# Encrypted to a key of the lab's own, made beside it; MAILHOST_LAB_BACKUP_KEY names another key file.
_key = os.environ.get("MAILHOST_LAB_BACKUP_KEY")
backup = {"recipient": public_key(Path(_key) if _key else config.default_folder() / "backup-key.txt")}
# The lab's programs are real ones of this machine, so a release there has this machine's packages. Another checkout's
# maild can be tried by naming its folder.
release = {"platform": "local", "source": os.environ.get("MAILHOST_LAB_MAILD") or None}
