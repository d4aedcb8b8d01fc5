"""hMailServer as far as a deploy meets it: it has the mail ports and greets there, and takes no mail."""

from __future__ import annotations

import contextlib
import socketserver
import sys
import threading

GREETINGS = {
    25: b"220 mail.example.kr ESMTP\r\n",
    587: b"220 mail.example.kr ESMTP\r\n",
    110: b"+OK POP3\r\n",
    143: b"* OK IMAPrev1\r\n",
}
PATIENCE = 30.0  # seconds a client may be silent


def serve(bound: int, greeting: bytes) -> socketserver.ThreadingTCPServer:
    """One listener, which says goodbye to whatever is asked."""

    class Greeter(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.connection.settimeout(PATIENCE)
            with contextlib.suppress(OSError):
                self.wfile.write(greeting)
                self.rfile.readline(1024)

    socketserver.ThreadingTCPServer.allow_reuse_address = True
    server = socketserver.ThreadingTCPServer(("127.0.0.1", bound), Greeter)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def main(arguments: list[str]) -> int:
    """``BASE``: listens on the mail ports above it until it is ended."""
    servers = [serve(int(arguments[0]) + port, greeting) for port, greeting in GREETINGS.items()]
    threading.Event().wait()
    return len(servers)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
