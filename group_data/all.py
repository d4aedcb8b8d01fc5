"""Every setting there is, with its default and the reason for it. Change a copy of a line in your inventory or in a
group of your own; a key that is not here is refused. Secrets never stand here: write {"env": "NAME"},
{"file": "~/path/outside/this/folder"} or {"prompt": "what to ask"}. A domain, with all it may have:

    domains = [{
        "name": "테스트.net",           readable or xn-- form, both are the same
        "aliases": ["테스트.co.kr"],    the same mailboxes under a second name (hMailServer: the 이름 tab)
        "former_aliases": [],           second names that are to go
        "mail_host": "smtp.테스트.net", MX target, certificate name, told to clients; default smtp.<domain>
        "dkim": {"selector": "dkim", "selector_ed25519": "dkim-ed",     where the first two keys are published
                 "key_file": None},     a PEM file on the host with the key in use, such as hMailServer's
                                        dkim_private.pem: taken over instead of a new one, its record stays
        "accounts": [{"address": "id", "name": "", "first_password": {"env": "ID_PASSWORD"}, "quota_mb": 0}],
        "forwards": [{"address": "info", "to": "id@테스트.net"}],
        "lists": [{"address": "all", "members": ["id@테스트.net"], "who": "members"}],
        "catch_all": None,              off: it collects spam
        "state": "present",             "absent" removes it; with mail in it also "purge": True. Accounts have both too
    }]
"""

# ---- Who reads the summary -------------------------------------------------------------------------------------
# English, because most tools around speak it; "ko" for the readers of the Korean tutorial.
language = "en"

# ---- Names and addresses ---------------------------------------------------------------------------------------
# The mail domains. There is no sensible default, so a real host must name at least one; see above.
domains = []
# Banner, EHLO and Received. None: the first domain's mail host. It must equal the PTR and the A record, or receivers
# take the server for a home computer.
hostname = None
# Completes a login without @. None: the first domain, as in the tutorial.
default_domain = None
# What the world sees; the server may stand behind a gateway, so it cannot be read off the host. SPF, the A record and
# the certificate's check follow it.
public_ipv4 = None
# None: no AAAA and no ip6 in SPF. An IPv6 address without PTR is refused by Gmail, so it is named only on purpose.
public_ipv6 = None

# ---- Where things live -----------------------------------------------------------------------------------------
# A folder of its own at the root, because its ACL must not be inherited; forward slashes everywhere.
root = "C:/Mailhost"
# Also the name of the account, NT SERVICE\maild.
service = "maild"

# ---- Listeners -------------------------------------------------------------------------------------------------
# 25 must be open to every server and takes no password; 465 and 587 are for people, 993 for their inbox. Nothing
# speaks clear text. 995, 110 and 143 are there but off, since few programs still need them; the last two would
# demand STARTTLS. 443 lets members leave mailing lists with one click (Gmail asks for it of those who send much); off,
# since a web server may have that port. "::" listens on IPv4 and IPv6 together.
listeners = {
    "smtp": {"protocol": "smtp", "port": 25, "tls": "starttls", "auth": "off"},
    "submissions": {"protocol": "smtp", "port": 465, "tls": "implicit", "auth": "required"},
    "submission": {"protocol": "smtp", "port": 587, "tls": "starttls-required", "auth": "required"},
    "imaps": {"protocol": "imap", "port": 993, "tls": "implicit", "auth": "required"},
    "pop3s": {"protocol": "pop3", "port": 995, "tls": "implicit", "auth": "required", "enabled": False},
    "pop3": {"protocol": "pop3", "port": 110, "tls": "starttls-required", "auth": "required", "enabled": False},
    "imap": {"protocol": "imap", "port": 143, "tls": "starttls-required", "auth": "required", "enabled": False},
    "https": {"protocol": "http", "port": 443, "tls": "implicit", "auth": "off", "enabled": False},
}
for _listener in listeners.values():
    _listener.update(bind="::", enabled=_listener.get("enabled", True))
# What Gmail takes with attachments in base64, rounded up to the next half hundred.
max_message_mb = 50
# Administration and webmail: off until somebody wants one more open port.
web = {"enabled": False, "port": 443}

# ---- Database --------------------------------------------------------------------------------------------------
database = {
    # MySQL, as in the tutorial; "sqlite" for a small server with nothing else to look after.
    "engine": "mysql",
    # install: our own beside whatever is there. existing: the one on the host; then name its service and port,
    # and say where its administrator's password is, to make the schema and one user that owns nothing else.
    "source": "install",
    # Only this machine: the database is never open to the network.
    "host": "127.0.0.1",
    "port": 3306,
    # Our own name, so that a MySQL that comes later does not collide.
    "service": "MailhostMySQL",
    "schema": "maild",
    "user": "maild",
    "administrator": "root",
    "administrator_password": None,
    # Half a gigabyte holds the index pages of some hundred busy mailboxes.
    "buffer_pool_mb": 512,
    # 8.4 is the long-term release. Tried in order: the second is where a release goes when a newer one comes out.
    "archive_urls": (
        "https://cdn.mysql.com/Downloads/MySQL-8.4/mysql-8.4.6-winx64.zip",
        "https://cdn.mysql.com/archives/mysql-8.4/mysql-8.4.6-winx64.zip",
    ),
    # None: MySQL publishes no SHA-256; the signature of mysqld.exe is checked instead. Pin one of your own here.
    "archive_sha256": None,
    # A file of this machine, uploaded instead: for a server that may not fetch from the internet.
    "archive_file": None,
    # mysqld.exe does not start without it; signed by Microsoft, checked by that signature.
    "runtime_urls": ("https://aka.ms/vs/17/release/vc_redist.x64.exe",),
    "runtime_file": None,
}

# ---- Certificates ----------------------------------------------------------------------------------------------
tls = {
    # "acme": Let's Encrypt and the like. "files": NAME-chain.pem and NAME-key.pem from `folder`, win-acme's names.
    # "self_signed": every client warns; for trying things out.
    "source": "acme",
    "folder": None,
    "acme": {
        # "production" and "staging" are Let's Encrypt's; any other authority by its URL.
        "directory": "production",
        # The authority writes here when something is wrong with a certificate.
        "contact": None,
        # The terms are the authority's; only you can accept them.
        "accept_terms": False,
        # "listener": our own answer on port 80 while a name is proven. Where IIS is found it has that port, and a
        # path of its site leads to a folder of ours instead. "webroot": another web server has it, and serves the
        # folder named below at /.well-known/acme-challenge.
        "challenge": "listener",
        "challenge_port": 80,
        "webroot": None,
        # The site of IIS that answers for the mail hosts on port 80.
        "site": "Default Web Site",
        # A name is fetched through its public address before it is ordered, because authorities count failures.
        # False where a server cannot reach itself by that address (a gateway without hairpin NAT).
        "check_reachable": True,
        # A private authority's root, as a path on the host.
        "ca_file": None,
    },
}

# ---- Who may send ----------------------------------------------------------------------------------------------
# hMailServer's own numbers: three wrong passwords within half an hour shut an address out for one.
auto_ban = {"enabled": True, "failures": 3, "within_minutes": 30, "ban_minutes": 60}
# Your office, so that a forgotten phone does not ban it: {"name": "office", "network":
# "203.0.113.0/24"}. The larger priority wins; auto-bans have 20. "send_without_login": True is for printers and
# application servers that cannot log in: from there alone, a sender of ours is taken at its word, and not screened.
ip_ranges = []
# SCRAM-SHA-256 beside passwords under TLS. Off: what the server must keep for it is easier to try passwords against
# than Argon2id, should the database be stolen, and mail programs do without it.
policy = {
    "scram": False,
    # What one user may send before further mail waits and the postmaster is told; 0: no bound. A stolen password then
    # costs some hundred messages.
    "messages_per_hour": 500,
    "recipients_per_day": 5000,
    # What strangers must show, each off as in hMailServer, because each now and then holds up honest mail too.
    # Greylisting puts off the first mail of an unknown sender by half an hour, unless it passes SPF.
    "greylisting": False,
    # DNS block lists, as "zen.spamhaus.org"; it answers no one who asks through a public resolver (dns_servers).
    "block_lists": [],
    # The name a server gives itself has an address; its own address has a name that leads back to it; the sender's
    # domain takes mail, so that it could be answered.
    "helo_must_resolve": False,
    "ptr_required": False,
    "sender_must_take_mail": False,
}
# Mail for one domain that goes to a named server instead of its MX: {"domain": "partner.example", "host":
# "mx.partner.example", "security": "starttls-optional"}; "starttls" and "tls" insist on TLS; "user", "password" log in,
# and with "login": "xoauth2" the password is an access token, to be deployed anew whenever it is renewed.
routes = []
# All mail to the outside through another server, where the provider blocks outbound 25: {"host": "smtp.example.com",
# "port": 587, "security": "starttls", "user": "id", "password": {"env": "SMART_HOST_PASSWORD"}}; "tls" for port 465.
smart_host = None

# ---- Who really sent it ----------------------------------------------------------------------------------------
# Reports to the domains that write here and ask for them (DMARC). Off: they tell others how much they write to you,
# and a small server's word is seldom missed. They come from a domain of their own, reports.<default_domain> unless
# named here, so that mail about them never harms yours; its records are in the summary once this is on.
dmarc = {"send_reports": False, "reports_domain": None}
# Forwarders and list hosts whose ARC seal is believed when their forwarding broke a sender's DMARC. None: such a seal
# is a stranger's word, and one that lies opens the door for every forged sender.
trusted_sealers = []

# ---- DNS and time ----------------------------------------------------------------------------------------------
# None named: the host's own resolvers.
dns_servers = []
# True: those in dns_servers check DNSSEC (unbound, knot-resolver) and nobody between them and this host can change an
# answer, best on the host itself or its own network. Mail to others then follows DANE. Off: a resolver that merely says
# so proves nothing.
dns_validating = False
# True: records are printed, not looked up.
dns_offline = False
# A primary name server that takes dynamic updates (RFC 2136), {"server": "192.0.2.53", "key_name": "updates",
# "key_secret": {"env": "TSIG_SECRET"}}: a change of signing keys then enters and removes its records itself. None:
# people do, as with most registrars.
dns_updates = None
# Mail servers that the host calls on port 25 before a deploy, because many providers block it until they are asked;
# two owners, so that one that is away is no finding. Nobody is called offline, with a smart host, or with none named.
outbound_check = ("gmail-smtp-in.l.google.com", "mx1.naver.com")
# Certificates, DKIM and log lines need the right time. Two names of different owners and one near Korea.
time_servers = ("time.windows.com", "kr.pool.ntp.org", "time.google.com")

# ---- Logs ------------------------------------------------------------------------------------------------------
# hMailServer's lines, which its readers know, and beside them JSON for machines. A file a day, and as many days as a
# reader goes back when somebody says "that mail never came".
logs = {"json": True, "debug": False, "keep_days": 30}

# ---- Backup ----------------------------------------------------------------------------------------------------
backup = {
    "enabled": True,
    # One more before a new release takes over, made by the old one; the upgrade waits for it. Without a recipient it
    # is not encrypted and lies where only administrators read. The last three stay.
    "before_upgrade": True,
    # When few people write mail.
    "at": "03:30",
    # Your age public key (age1...), from `make agekey FILE=~/mailhost.agekey`. Without it no daily backup is made,
    # because one that anybody can read is a leak.
    "recipient": None,
    # A share or folder outside the machine; `make backup` pulls one to ./backups as well.
    "copy_to": None,
    "keep_count": 14,
    "keep_days": 30,
}
# The same as operate/restore.py, for an empty server: the backup file here, and the age key file that opens it.
restore_from = None
restore_identity = None

# ---- What is put on the host -----------------------------------------------------------------------------------
python = {
    # The newest 3.13: the packages of the lock have Windows wheels for it.
    "version": "3.13.9",
    # NuGet's package is a full CPython that only needs unpacking; no installer, no entry in Programs.
    "urls": ("https://www.nuget.org/api/v2/package/python/{version}",),
    # None: checked by the Authenticode signature of its python.exe.
    "sha256": None,
    # A file of this machine, uploaded instead.
    "file": None,
}
release = {
    # Three stay, for a rollback over two mistakes.
    "keep": 3,
    # Another checkout's maild folder; None: this one's.
    "source": None,
    # "local": the packages of the machine that runs the lab.
    "platform": "win_amd64",
}
# "hmailserver": stop and disable the one that has the mail ports; its data stays. None: stop before any change.
take_over = None

# ---- The lab ---------------------------------------------------------------------------------------------------
# A lab listens at this number + port, because ports below 1024 belong to the administrator. None on a real server.
lab_port_base = None
# The folder of this machine that is a lab's drive C:, for the summary. None on a real server.
lab_drive = None
