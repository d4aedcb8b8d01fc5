"""SOAP envelopes of WS-Management: read into a request, written as a response or a fault.

Only the headers that decide something are read. A request that is no envelope raises ``Fault`` with the code that
Windows would give (MS-WSMV 2.2.4, DSP0226).
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from lab.xmltext import ET, parse

SOAP = "{http://www.w3.org/2003/05/soap-envelope}"
ADDRESSING = "{http://schemas.xmlsoap.org/ws/2004/08/addressing}"
WSMAN = "{http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd}"
SHELL = "{http://schemas.microsoft.com/wbem/wsman/1/windows/shell}"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
SHELL_ACTION = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
FAULT_ACTION = "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"
ANONYMOUS = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"
IDENTIFY = "{http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd}Identify"
DEFAULT_TIMEOUT = 60.0  # seconds; MaxTimeoutms of an untouched server
SMALLEST_ENVELOPE = 8192  # bytes; WS-Management allows no smaller limit (DSP0226 R6.2)
_NAMESPACES = (
    'xml:lang="en-US" xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
    'xmlns:x="http://schemas.xmlsoap.org/ws/2004/09/transfer" '
    'xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" '
    'xmlns:rsp="http://schemas.microsoft.com/wbem/wsman/1/windows/shell" '
    'xmlns:p="http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd"'
)


class Fault(Exception):  # noqa: N818 - SOAP's own word
    """A SOAP fault: WSMan's number, the subcode, the sentence, and a WMI error where Windows sends one."""

    def __init__(self, code: int, subcode: str, reason: str, sender: bool = True, wmi: int | None = None) -> None:
        super().__init__(reason)
        self.code = code
        self.subcode = subcode
        self.reason = reason
        self.sender = sender
        self.wmi = wmi


def timed_out() -> Fault:
    """No output within the operation time-out: clients ask again (0x80338029)."""
    return Fault(2150858793, "w:TimedOut", "The WS-Management service cannot complete the operation within the time "
                 "specified in OperationTimeout.", sender=False)  # fmt: skip


def no_shell(shell: str) -> Fault:
    """The shell is gone, or never was (0x8033805B)."""
    return Fault(2150858843, "w:InvalidSelectors", "The request for the Windows Remote Shell with ShellId "
                 f"{shell} failed because the shell was not found on the server. Possible causes are: the specified "
                 "ShellId is incorrect or the shell no longer exists on the server.")  # fmt: skip


def too_large(limit: int) -> Fault:
    """The request does not fit MaxEnvelopeSizekb (0x80338043)."""
    return Fault(2150858819, "w:EncodingLimit", f"The size of the request exceeded the configured MaxEnvelopeSize "
                 f"quota of {limit} bytes.")  # fmt: skip


def schema(what: str) -> Fault:
    """The body is not what the action takes (0x80338041)."""
    return Fault(2150858817, "w:SchemaValidationError", "The WS-Management service cannot process a SOAP packet "
                 f"because it is not valid: {what}")  # fmt: skip


def quota(number: int, what: str) -> Fault:
    """A quota of the service or of its shells is used up."""
    return Fault(number, "w:QuotaLimit", f"This user is allowed {what}, which has been exceeded. Close existing "
                 "shells or raise the quota for this user.", wmi=number)  # fmt: skip


def access_denied(why: str) -> Fault:
    """Refused for who asks, or how."""
    return Fault(5, "w:AccessDenied", why)


@dataclass(frozen=True, slots=True)
class Request:
    """What an envelope asks for."""

    action: str
    resource: str
    message_id: str
    timeout: float
    max_envelope: int
    selectors: Mapping[str, str]
    options: Mapping[str, str]
    body: ET.Element

    @property
    def shell_id(self) -> str:
        """The selector that names a shell."""
        return self.selectors.get("ShellId", "")


def seconds(duration: str) -> float:
    """An xs:duration of days, hours, minutes and seconds."""
    matched = re.fullmatch(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?", duration.strip())
    if matched is None or not any(matched.groups()):
        raise schema(f"'{duration}' is not a duration")
    days, hours, minutes, rest = (float(part or 0) for part in matched.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + rest


def read(data: bytes) -> Request:
    """The request in an envelope."""
    try:
        envelope = parse(data)
    except ET.ParseError as error:
        raise schema(str(error)) from error
    header, body = envelope.find(f"{SOAP}Header"), envelope.find(f"{SOAP}Body")
    if body is None:
        raise schema("there is no body")
    if header is None:
        header = ET.Element("none")
    selectors = {item.get("Name", ""): item.text or "" for item in header.iter(f"{WSMAN}Selector")}
    options = {item.get("Name", "").upper(): item.text or "" for item in header.iter(f"{WSMAN}Option")}
    asked = header.findtext(f"{WSMAN}OperationTimeout")
    size = header.findtext(f"{WSMAN}MaxEnvelopeSize") or "153600"
    return Request(
        action=(header.findtext(f"{ADDRESSING}Action") or "").strip(),
        resource=(header.findtext(f"{WSMAN}ResourceURI") or "").strip(),
        message_id=(header.findtext(f"{ADDRESSING}MessageID") or "").strip(),
        timeout=seconds(asked) if asked else DEFAULT_TIMEOUT,
        max_envelope=max(SMALLEST_ENVELOPE, int(size)) if size.isdigit() else SMALLEST_ENVELOPE,
        selectors=selectors,
        options=options,
        body=body,
    )


def envelope(action: str, relates_to: str, body: str) -> bytes:
    """A response."""
    return (
        f"<s:Envelope {_NAMESPACES}><s:Header><a:Action>{action}</a:Action>"
        f"<a:MessageID>uuid:{str(uuid.uuid4()).upper()}</a:MessageID><a:To>{ANONYMOUS}</a:To>"
        f"<a:RelatesTo>{escape(relates_to)}</a:RelatesTo></s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def fault(error: Fault, relates_to: str) -> bytes:
    """The envelope of a fault."""
    value = "s:Sender" if error.sender else "s:Receiver"
    wmi = ""
    if error.wmi is not None:
        wmi = (
            '<p:MSFT_WmiError b:IsCIM_Error="true" xmlns:b="http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd" '
            'xmlns:p="http://schemas.microsoft.com/wbem/wsman/1/wmi/root/microsoft/windows/management/MSFT_WmiError">'
            f"<p:error_Code>{error.wmi}</p:error_Code></p:MSFT_WmiError>"
        )
    body = (
        f"<s:Fault><s:Code><s:Value>{value}</s:Value><s:Subcode><s:Value>{error.subcode}</s:Value></s:Subcode></s:Code>"
        f'<s:Reason><s:Text xml:lang="en-US">{escape(error.reason)}</s:Text></s:Reason><s:Detail>'
        '<f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" '
        f'Code="{error.code}" Machine="127.0.0.1"><f:Message>{escape(error.reason)}</f:Message></f:WSManFault>{wmi}'
        "</s:Detail></s:Fault>"
    )
    return envelope(FAULT_ACTION, relates_to, body)


def attribute(text: str) -> str:
    """A quoted attribute value."""
    return quoteattr(text)
