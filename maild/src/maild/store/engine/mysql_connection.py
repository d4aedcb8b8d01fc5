"""One connection to MySQL or MariaDB: the binary protocol with prepared statements, and what its errors mean.

Bodies travel as raw bytes; the text protocol escapes each of them and costs 4-5 times as much at 100 KB, measured.
Every statement is prepared once a connection. Transactions are the engine's.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import mysql.connector
from mysql.connector.constants import ClientFlag
from mysql.connector.errors import get_exception

from maild.store.engine.base import Duplicate
from maild.store.engine.mysql_packets import execute, framed
from maild.store.engine.mysql_socket import ReadAhead
from maild.store.errors import NotDurable, SchemaMismatch, StoreError, StoreFull, StoreUnavailable
from maild.store.sql.statement import Named, Row, Rows, Statement, Value

CONNECT_SECONDS = 3
"""A server that does not even accept a connection in this time counts as away."""

SILENCE_SECONDS = 6
"""Longest wait for one answer: below the caller's patience (``maild.store.engine.base.ANSWER_SECONDS``)."""

LOCK_SECONDS = 3
"""innodb_lock_wait_timeout: a batch that waits longer is rolled back and repeated."""

LEAST_MYSQL = (8, 4)
LEAST_MARIADB = (10, 11)

LEAST_PACKET = 16 << 20
"""max_allowed_packet, in bytes: what MariaDB has by itself. A longer statement ends the connection without a reason."""

DEADLOCK, LOCK_TIMEOUT, DUPLICATE = 1213, 1205, 1062
FULL = frozenset({1021, 1114, 3}) | {28}
"""Disk full (ER_DISK_FULL), table full (ER_RECORD_FILE_FULL), error writing a file, ENOSPC."""

LOST = frozenset({1053, 1152, 1158, 1159, 1160, 1161, 1184, 1927, 2006, 2013, 2055, 3169, 4031})
"""The connection is over: shutdown, aborted, network errors, killed, gone away."""

ERROR, END = 0xFF, 0xFE
"""First byte of what comes in a row's place."""

REFUSED = frozenset({"22", "23"})
"""Classes of SQLSTATE that blame a value: out of range, too long, missing."""

UNREACHABLE = frozenset({2002, 2003, 2005, 2013})

_SESSION = (
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    f"SET SESSION innodb_lock_wait_timeout = {LOCK_SECONDS}, time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES'",
)
_VARIABLES = (
    "SELECT @@version, @@version_comment, @@innodb_flush_log_at_trx_commit, @@log_bin, @@sync_binlog,"
    " @@innodb_doublewrite, @@innodb_flush_method, @@max_allowed_packet"
)
_REDO_LOG = "SHOW GLOBAL STATUS LIKE 'Innodb_redo_log_enabled'"
_CLOCK = "SELECT CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where the server is and as whom to log in; the password is read anew for each connection."""

    host: str
    port: int
    user: str
    schema: str
    password: Callable[[], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What the server says it is."""

    product: str
    text: str

    @property
    def name(self) -> str:
        """``mysql 9.7.4``, ``mariadb 10.11.19``."""
        return f"{self.product} {self.text.split('-')[0]}"


class Lost(StoreUnavailable):
    """The connection broke; what it was doing may or may not have happened."""


class Again(StoreUnavailable):
    """Deadlock or lock timeout: the whole transaction is to be repeated."""


class Connection:
    """An open connection in one thread."""

    def __init__(self, server: Server, *, autocommit: bool) -> None:
        self._raw = _connect(server)
        self._raw._socket.sock = ReadAhead(self._raw._socket.sock)  # noqa: SLF001 - the driver has no buffer of its own
        self._prepared: dict[str, int] = {}
        self._behind: list[bytes] = []
        self._attributes = bool(self._raw._client_flags & ClientFlag.CLIENT_QUERY_ATTRIBUTES)  # noqa: SLF001
        try:
            for text in (*_SESSION, f"SET autocommit = {int(autocommit)}"):
                self.command(text)
            self.version = self._check()
        except BaseException:
            self.close()
            raise

    def command(self, text: str) -> None:
        """Runs a command without parameters or rows."""
        with _meant():
            self._raw.cmd_query(text)

    def rows(self, statement: Statement, named: Named | None) -> list[Row]:
        """All rows of a query."""
        columns = self._query(statement.text("mysql"), statement.values("mysql", named or {}))
        rows, _ = self._fetch(columns)
        return [_decoded(row, statement.texts) for row in rows] if statement.texts else rows

    def run(self, statement: Statement, named: Named | None) -> int:
        """Runs a change; returns the number of rows it matched."""
        done = self._execute(statement.text("mysql"), statement.values("mysql", named or {}))
        return int(done["affected_rows"])

    def insert(self, statement: Statement, named: Named) -> int:
        """Runs an insert; returns the automatic id."""
        return int(self._execute(statement.text("mysql"), statement.values("mysql", named))["insert_id"])

    def insert_rows(self, rows: Rows, values: Sequence[Sequence[Value]]) -> None:
        """Many rows in a few statements, sent together with the next one: what they answer is only yes or no."""
        for statement, flat in rows.split(values):
            self._behind.append(self._packet(statement.text("mysql"), flat))

    def flush(self) -> None:
        """Sends what is held back, and raises what it met."""
        if self._behind:
            self._run_all(self._behind)

    def roll_back(self) -> None:
        """Ends the transaction without a trace."""
        self._behind = []
        self.command("ROLLBACK")

    def pages(self, statement: Statement, size: int) -> Iterator[list[Row]]:
        """The rows of a query, so many at a time."""
        columns = self._query(statement.text("mysql"), statement.values("mysql", {}))
        while True:
            page, ended = self._fetch(columns, size)
            if page:
                yield [_decoded(row, statement.texts) for row in page]
            if ended:
                return

    def clock(self) -> int:
        """The server's clock in microseconds."""
        columns = self._query(_CLOCK, ())
        return int(self._fetch(columns)[0][0][0])

    def close(self) -> None:
        """Closes without waiting for the server."""
        self._prepared.clear()
        try:
            self._raw.disconnect()
        except Exception:  # noqa: BLE001 - the socket is given up whatever is wrong with it
            return

    def _query(self, text: str, values: Sequence[Value]) -> Any:
        """The columns of a result whose rows are to be read next."""
        _, columns, _ = self._execute(text, values)
        self._raw.unread_result = True
        return columns

    def _fetch(self, columns: Any, most: int | None = None) -> tuple[list[Row], bool]:
        """Rows of the result that is being read, and whether it has ended.

        The driver takes an error after the first row, a deadlock above all, for that row once more, and waits for
        others until it gives the connection up.
        """
        rows: list[Row] = []
        with _meant():
            while most is None or len(rows) < most:
                packet = bytes(self._raw._socket.recv(SILENCE_SECONDS))  # noqa: SLF001
                if packet[4] == ERROR:
                    self._raw.unread_result = False
                    raise get_exception(packet)
                if packet[4] == END:
                    self._raw.unread_result = False
                    return rows, True
                rows.append(self._raw._protocol._parse_binary_values(columns, packet[5:], "utf8"))  # noqa: SLF001
        return rows, False

    def _execute(self, text: str, values: Sequence[Value]) -> Any:
        return self._run_all([*self._behind, self._packet(text, values)])

    def _packet(self, text: str, values: Sequence[Value]) -> bytes:
        return execute(self._statement_id(text), values, attributes=self._attributes)

    def _statement_id(self, text: str) -> int:
        # The driver's own cursors reset a statement before each use, which is a round trip for nothing here.
        known = self._prepared.get(text)
        if known is None:
            with _meant():
                known = int(self._raw.cmd_stmt_prepare(text.encode())["statement_id"])
            self._prepared[text] = known
        return known

    def _run_all(self, payloads: list[bytes]) -> Any:
        """Sends statements in one go and reads their answers; the answer of the last one, or the first error."""
        self._behind = []
        failure: StoreError | None = None
        answer: Any = None
        with _meant():
            self._raw._socket.sock.settimeout(SILENCE_SECONDS)  # noqa: SLF001 - the driver has no pipelining of its own
            self._raw._socket.sock.sendall(b"".join([framed(payload) for payload in payloads]))  # noqa: SLF001
        for _ in payloads:
            try:
                with _meant():
                    reply = self._raw._socket.recv(SILENCE_SECONDS)  # noqa: SLF001
                    answer = self._raw._handle_binary_result(reply)  # noqa: SLF001
            except Lost:
                raise
            except StoreError as error:
                failure = failure or error
        if failure is not None:
            raise failure
        return answer

    def _check(self) -> Version:
        """Refuses a server that could lose an acknowledged commit, takes no large mail, or is older than the tests."""
        text, comment, flush, binlog, sync_binlog, doublewrite, method, packet = self._ask(_VARIABLES)[0]
        product = "mariadb" if "mariadb" in f"{text} {comment}".lower() else "mysql"
        least = LEAST_MARIADB if product == "mariadb" else LEAST_MYSQL
        if tuple(int(part) for part in str(text).split("-")[0].split(".")[:2]) < least:
            raise SchemaMismatch(f"{product} {text} is older than {least[0]}.{least[1]}")
        if int(packet) < LEAST_PACKET:
            raise SchemaMismatch(f"max_allowed_packet is {packet}, mail needs at least {LEAST_PACKET}")
        redo = self._ask(_REDO_LOG) or [("Innodb_redo_log_enabled", "ON")]
        faults = [
            fault
            for fault, wrong in (
                (f"innodb_flush_log_at_trx_commit is {flush}, not 1", int(flush) != 1),
                (f"sync_binlog is {sync_binlog}, not 1", bool(int(binlog)) and int(sync_binlog) != 1),
                ("innodb_doublewrite is off", str(doublewrite) in {"0", "OFF", "DETECT_ONLY"}),
                (f"innodb_flush_method is {method}", str(method) in {"nosync", "littlesync", "O_DIRECT_NO_FSYNC"}),
                ("the redo log is disabled", redo[0][1] != "ON"),
            )
            if wrong
        ]
        if faults:
            raise NotDurable("; ".join(faults))
        return Version(product=product, text=str(text))

    def _ask(self, text: str) -> list[Row]:
        with _meant():
            self._raw.cmd_query(text)
            return [_decoded(row, range(len(row))) for row in self._raw.get_rows()[0]]


@contextmanager
def _meant() -> Iterator[None]:
    """Turns whatever the driver raises into an error of the store."""
    try:
        yield
    except mysql.connector.Error as error:
        raise meaning(error) from error
    except Exception as error:
        # A socket that closes between two packets comes out as IndexError, struct.error and the like.
        raise Lost(f"MySQL: {type(error).__name__}: {error}") from error


def meaning(error: mysql.connector.Error) -> StoreError:
    """A driver's error as one of the store's."""
    cause = f"MySQL: {type(error).__name__}: {error}"
    if error.errno in {DEADLOCK, LOCK_TIMEOUT}:
        return Again(cause)
    if error.errno == DUPLICATE:
        return Duplicate(cause)
    if error.errno in FULL:
        return StoreFull(cause)
    # Only an error packet of the server has an SQLSTATE: after anything else (a timeout above all) an answer may still
    # come, and the next statement would take it for its own.
    if error.errno in LOST or not isinstance(error.sqlstate, str):
        return Lost(cause)
    # What is wrong with a row stays wrong: the committer looks for the message at fault.
    return StoreError(cause) if error.sqlstate[:2] in REFUSED else StoreUnavailable(cause)


def _connect(server: Server) -> Any:
    arguments: dict[str, Any] = {
        "host": server.host,
        "port": server.port,
        "user": server.user,
        "password": server.password(),
        "database": server.schema,
        "use_pure": True,
        "connection_timeout": CONNECT_SECONDS,
        "read_timeout": SILENCE_SECONDS,
        "write_timeout": SILENCE_SECONDS,
        "charset": "utf8mb4",
        "collation": "utf8mb4_bin",
        "client_flags": [ClientFlag.FOUND_ROWS],
    }
    try:
        if _is_loopback(server.host):
            try:
                return mysql.connector.connect(**arguments, ssl_disabled=True)
            except mysql.connector.Error as error:
                # caching_sha2_password wants TLS the first time it sees a user; afterwards the server remembers.
                if error.errno in UNREACHABLE:
                    raise
        return mysql.connector.connect(**arguments)
    except mysql.connector.Error as error:
        raise Lost(f"MySQL: {type(error).__name__}: {error}") from error
    except OSError as error:
        raise Lost(f"MySQL: {error}") from error


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _decoded(row: Row, texts: Sequence[int]) -> Row:
    values = list(row)
    for place in texts:
        if isinstance(values[place], bytes | bytearray):
            values[place] = values[place].decode()
    return tuple(values)
