"""The actions of WS-Management that a shell client uses, each a request in and a body out."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from xml.sax.saxutils import escape

from lab.wsman.shells import Quotas, Shells
from lab.wsman.soap import (
    IDENTIFY,
    SHELL,
    SHELL_ACTION,
    TRANSFER,
    Fault,
    Request,
    attribute,
    envelope,
    schema,
    seconds,
    timed_out,
)

CMD = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/cmd"
CONFIG = "http://schemas.microsoft.com/wbem/wsman/1/config"
ENVELOPE_OVERHEAD = 2048  # bytes of a Receive response that are not output
VENDOR = (
    '<wsmid:IdentifyResponse xmlns:wsmid="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd">'
    "<wsmid:ProtocolVersion>http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd</wsmid:ProtocolVersion>"
    "<wsmid:ProductVendor>Microsoft Corporation</wsmid:ProductVendor>"
    "<wsmid:ProductVersion>OS: 10.0.{build} SP: 0.0 Stack: 3.0</wsmid:ProductVersion></wsmid:IdentifyResponse>"
)


class Actions:
    """Answers requests on the shells of one host."""

    def __init__(self, shells: Shells, quotas: Callable[[], Quotas], build: Callable[[], int]) -> None:
        self._shells = shells
        self._quotas = quotas
        self._build = build
        self._served: dict[str, Callable[[Request], str]] = {
            f"{TRANSFER}/Create": self._create,
            f"{TRANSFER}/Delete": self._delete,
            f"{TRANSFER}/Get": self._get,
            f"{SHELL_ACTION}/Command": self._command,
            f"{SHELL_ACTION}/Send": self._send,
            f"{SHELL_ACTION}/Receive": self._receive,
            f"{SHELL_ACTION}/Signal": self._signal,
        }

    def answer(self, request: Request) -> bytes:
        """The response envelope; raises ``Fault``."""
        if request.body.find(IDENTIFY) is not None:
            return envelope("", request.message_id, VENDOR.format(build=self._build()))
        served = self._served.get(request.action)
        if served is None:
            raise Fault(2150858752, "a:ActionNotSupported", f"The action '{request.action}' is not supported.")
        return envelope(f"{request.action}Response", request.message_id, served(request))

    def _create(self, request: Request) -> str:
        if request.resource != CMD:
            raise Fault(2150858811, "a:DestinationUnreachable", f"The resource '{request.resource}' is not offered.")
        asked = request.body.find(f"{SHELL}Shell")
        if asked is None:
            raise schema("there is no Shell")
        idle = asked.findtext(f"{SHELL}IdleTimeOut")
        code_page = request.options.get("WINRS_CODEPAGE", "437")
        environment = {item.get("Name", ""): item.text or "" for item in asked.iter(f"{SHELL}Variable")}
        shell = self._shells.create(
            seconds(idle) if idle else None,
            int(code_page) if code_page.isdigit() else 437,
            environment,
            asked.findtext(f"{SHELL}WorkingDirectory"),
            asked.findtext(f"{SHELL}OutputStreams") or "stdout stderr",
            asked.get("ShellId", ""),
        )
        selectors = f'<w:SelectorSet><w:Selector Name="ShellId">{escape(shell.id)}</w:Selector></w:SelectorSet>'
        return (
            "<x:ResourceCreated><a:Address>http://127.0.0.1/wsman</a:Address><a:ReferenceParameters>"
            f"<w:ResourceURI>{CMD}</w:ResourceURI>{selectors}</a:ReferenceParameters></x:ResourceCreated>"
            f"<rsp:Shell><rsp:ShellId>{escape(shell.id)}</rsp:ShellId><rsp:ResourceUri>{CMD}</rsp:ResourceUri>"
            f"<rsp:InputStreams>stdin</rsp:InputStreams><rsp:OutputStreams>{escape(shell.streams)}</rsp:OutputStreams>"
            f"<rsp:IdleTimeOut>PT{shell.idle_timeout:.3f}S</rsp:IdleTimeOut></rsp:Shell>"
        )

    def _delete(self, request: Request) -> str:
        self._shells.remove(request.shell_id)
        return ""

    def _get(self, request: Request) -> str:
        if request.resource.startswith(CONFIG):
            quotas = self._quotas()
            return (
                f'<cfg:Config xmlns:cfg="{CONFIG}"><cfg:MaxEnvelopeSizekb>{quotas.envelope // 1024}'
                "</cfg:MaxEnvelopeSizekb><cfg:MaxTimeoutms>60000</cfg:MaxTimeoutms>"
                "<cfg:MaxBatchItems>32000</cfg:MaxBatchItems></cfg:Config>"
            )
        shell = self._shells.find(request.shell_id)
        return (
            f"<rsp:Shell><rsp:ShellId>{escape(shell.id)}</rsp:ShellId><rsp:State>Connected</rsp:State>"
            f"<rsp:IdleTimeOut>PT{shell.idle_timeout:.3f}S</rsp:IdleTimeOut></rsp:Shell>"
        )

    def _command(self, request: Request) -> str:
        shell = self._shells.find(request.shell_id)
        asked = request.body.find(f"{SHELL}CommandLine")
        if asked is None or not asked.findtext(f"{SHELL}Command"):
            raise schema("there is no Command")
        parts = [
            asked.findtext(f"{SHELL}Command") or "",
            *(item.text or "" for item in asked.findall(f"{SHELL}Arguments")),
        ]
        console = request.options.get("WINRS_CONSOLEMODE_STDIN", "FALSE").upper() == "TRUE"
        command = self._shells.command(shell, " ".join(parts), console, asked.get("CommandId", ""))
        return f"<rsp:CommandResponse><rsp:CommandId>{escape(command.id)}</rsp:CommandId></rsp:CommandResponse>"

    def _send(self, request: Request) -> str:
        shell = self._shells.find(request.shell_id)
        for stream in request.body.iter(f"{SHELL}Stream"):
            command = self._shells.command_of(shell, stream.get("CommandId", ""))
            try:
                data = base64.b64decode(stream.text or "", validate=True)
            except binascii.Error as error:
                raise schema("a stream is no base64") from error
            command.process.write(data, stream.get("End", "").lower() in ("true", "1"))
        return "<rsp:SendResponse/>"

    def _receive(self, request: Request) -> str:
        shell = self._shells.find(request.shell_id)
        wanted = request.body.find(f"{SHELL}Receive/{SHELL}DesiredStream")
        command = self._shells.command_of(shell, "" if wanted is None else wanted.get("CommandId", ""))
        most = (min(request.max_envelope, self._quotas().envelope) - ENVELOPE_OVERHEAD) // 4 * 3
        received = self._shells.receive(shell, command, most, request.timeout)
        if received is None:
            raise timed_out()
        streams, code = received
        name = attribute(command.id)
        parts = [
            f'<rsp:Stream Name="{stream}" CommandId={name}>{base64.b64encode(data).decode()}</rsp:Stream>'
            for stream, data in streams.items()
        ]
        if code is None:
            parts.append(f'<rsp:CommandState CommandId={name} State="{SHELL_ACTION}/CommandState/Running"/>')
        else:
            parts += [f'<rsp:Stream Name="{stream}" CommandId={name} End="true"/>' for stream in ("stdout", "stderr")]
            parts.append(
                f'<rsp:CommandState CommandId={name} State="{SHELL_ACTION}/CommandState/Done">'
                f"<rsp:ExitCode>{code}</rsp:ExitCode></rsp:CommandState>"
            )
        return f"<rsp:ReceiveResponse>{''.join(parts)}</rsp:ReceiveResponse>"

    def _signal(self, request: Request) -> str:
        shell = self._shells.find(request.shell_id)
        asked = request.body.find(f"{SHELL}Signal")
        if asked is None:
            raise schema("there is no Signal")
        code = (asked.findtext(f"{SHELL}Code") or "").rpartition("/")[2].lower()
        command = self._shells.command_of(shell, asked.get("CommandId", ""))
        if code == "terminate":
            command.process.terminate()
            shell.commands.pop(command.id.upper(), None)
        elif code in ("ctrl_c", "ctrl_break"):
            command.process.interrupt()
        else:
            raise schema(f"'{code}' is not a signal")
        return "<rsp:SignalResponse/>"
