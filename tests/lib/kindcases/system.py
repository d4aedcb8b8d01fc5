"""Cases of the kinds that are state of Windows alone: registry, events, firewall, tasks, time, listeners, services."""

from __future__ import annotations

from dataclasses import replace

from lab.hosts.tutorial import SITE
from lab.model.host import Host
from lab.programs.iis import CONFIG
from pyinfra_winrm.kinds import (
    AtStartup,
    Daily,
    EventSource,
    FailureActions,
    FirewallGroup,
    FirewallRule,
    Greeting,
    IISVirtualDirectory,
    RegistryValue,
    ScheduledTask,
    Service,
    TimeSync,
    WinRMListener,
)
from tests.lib.kindcases.case import Case, Change

SERVICES = "registry/hklm\\system\\currentcontrolset\\services"
ONE, OTHER = "A" * 40, "B" * 40
PYTHON = "C:/Case/python/python.exe"
SLEEP = "import time; time.sleep(1000)"
OTHER_SITE = (
    '<site name="두 번째" id="2"><application path="/">'
    '<virtualDirectory path="/" physicalPath="C:\\Case" /></application></site>'
)


def registry_value() -> Case:
    base = RegistryValue(key="HKLM/SOFTWARE/Case", name="Wert 값", value="하나")
    elsewhere, other = replace(base, key="HKLM/SOFTWARE/Case2"), replace(base, name="Other")
    return Case(
        base=base,
        own=("registry/hklm\\software\\case/wert 값",),
        around=(RegistryValue(key="HKLM/SOFTWARE/Case", name="Neighbour", value=(1 << 32) - 1, type="dword"),),
        changes={
            "key": Change(
                resource=elsewhere,
                lines=("state",),
                own=("registry/hklm\\software\\case2",),
                undo=(replace(elsewhere, state="absent"),),
            ),
            "name": Change(
                resource=other,
                lines=("state",),
                own=("registry/hklm\\software\\case/other",),
                undo=(replace(other, state="absent"),),
            ),
            "value": Change(resource=replace(base, value="둘"), lines=("value",)),
            "type": Change(resource=replace(base, type="expand"), lines=("type",)),
            "state": Change(resource=replace(base, state="absent"), lines=("state",)),
        },
    )


def event_source() -> Case:
    base = EventSource(name="case")
    other = replace(base, name="other")
    return Case(
        base=base,
        own=(f"{SERVICES}\\eventlog\\application\\case", f"{SERVICES}\\eventlog\\system\\case"),
        around=(EventSource(name="neighbour"),),
        changes={
            "name": Change(
                resource=other,
                lines=("state",),
                own=(f"{SERVICES}\\eventlog\\application\\other",),
                undo=(replace(other, state="absent"),),
            ),
            "log": Change(resource=replace(base, log="System"), lines=("log",)),
            "message_file": Change(
                resource=replace(base, message_file="C:/Case/messages.dll"), lines=("message_file",)
            ),
            "state": Change(resource=replace(base, state="absent"), lines=("state",)),
        },
    )


def firewall_group() -> Case:
    rule = FirewallRule(name="smtp", ports=(25, "5000-5010"), description="받는 메일")
    base = FirewallGroup(name="Case", rules=(rule, FirewallRule(name="web", ports=(80,))))
    other = replace(base, name="Other")
    rules = f"{SERVICES}\\sharedaccess\\parameters\\firewallpolicy\\firewallrules"

    def changed(line: str, **fields: object) -> Change:
        return Change(resource=replace(base, rules=(replace(rule, **fields), base.rules[1])), lines=(line,))  # type: ignore[arg-type]

    return Case(
        base=base,
        own=(f"{rules}/case-",),
        around=(FirewallGroup(name="Neighbour", rules=(FirewallRule(name="smtp", ports=(25,)),)),),
        changes={
            "name": Change(
                resource=other, lines=("state",), own=(f"{rules}/other-",), undo=(replace(other, state="absent"),)
            ),
            "rules.name": Change(
                resource=replace(base, rules=(replace(rule, name="mail"), base.rules[1])), lines=("mail", "smtp")
            ),
            "rules.ports": changed("smtp.ports", ports=(587,)),
            "rules.protocol": changed("smtp.protocol", protocol="UDP"),
            "rules.display_name": changed("smtp.display_name", display_name="메일"),
            "rules.description": changed("smtp.description", description="other"),
            "rules.remote_addresses": changed(
                "smtp.remote_addresses", remote_addresses=("10.0.0.0/8", "2001:db8::/32")
            ),
            "rules.program": changed("smtp.program", program="C:/Case/maild.exe"),
            "rules.service": changed("smtp.service", service="maild"),
            "rules.profiles": changed("smtp.profiles", profiles=("domain", "private")),
            "rules.action": changed("smtp.action", action="block"),
            "rules.enabled": changed("smtp.enabled", enabled=False),
            "state": Change(resource=replace(base, state="absent"), lines=("state",)),
        },
    )


def _python(host: Host) -> None:
    host.programs.make_interpreter("C:\\Case\\python")


def scheduled_task() -> Case:
    triggers = (Daily("04:17", random_delay=60), AtStartup(2))
    base = ScheduledTask(
        name="일 작업",
        folder="/Case",
        command=(PYTHON, "-c", "print('a b')"),
        description="설명",
        triggers=triggers,
    )
    renamed, moved = replace(base, name="other"), replace(base, folder="/Other")

    def triggered(daily: Daily = triggers[0], startup: AtStartup = triggers[1]) -> Change:
        return Change(resource=replace(base, triggers=(daily, startup)), lines=("triggers",))

    def failed(host: Host) -> None:
        with host.state.changing():
            host.state.section("tasks")["\\case\\일 작업"]["last_result"] = 1

    return Case(
        base=base,
        own=("tasks/\\case\\일 작업", "registry/hklm\\software\\pyinfra-winrm\\tasks/\\case\\일 작업"),
        generated=("tasks/\\case\\일 작업/last_",),
        around=(ScheduledTask(name="neighbour", folder="/Case", command=(PYTHON, "-V")),),
        arrange=_python,
        changes={
            "name": Change(
                resource=renamed,
                lines=("state",),
                own=("tasks/\\case\\other", "registry/hklm\\software\\pyinfra-winrm\\tasks/\\case\\other"),
                undo=(replace(renamed, state="absent"),),
            ),
            "folder": Change(
                resource=moved,
                lines=("state",),
                own=("tasks/\\other\\", "registry/hklm\\software\\pyinfra-winrm\\tasks/\\other\\"),
                undo=(replace(moved, state="absent"),),
            ),
            "command": Change(resource=replace(base, command=(PYTHON, "-V")), lines=("command",)),
            "description": Change(resource=replace(base, description="other"), lines=("description",)),
            "working_directory": Change(
                resource=replace(base, working_directory="C:/Windows"), lines=("working_directory",)
            ),
            "account": Change(resource=replace(base, account="LOCAL SERVICE"), lines=("account",)),
            "highest": Change(resource=replace(base, highest=False), lines=("highest",)),
            "triggers.at": triggered(Daily("04:18", random_delay=60)),
            "triggers.every": triggered(Daily("04:17", every=2, random_delay=60)),
            "triggers.random_delay": triggered(Daily("04:17", random_delay=30)),
            "triggers.delay": triggered(startup=AtStartup(5)),
            "time_limit": Change(resource=replace(base, time_limit=90), lines=("time_limit",)),
            "enabled": Change(resource=replace(base, enabled=False), lines=("enabled",)),
            "rerun_failed": Change(resource=replace(base, rerun_failed=True), lines=("last_result",), before=failed),
            "state": Change(resource=replace(base, state="absent"), lines=("state",)),
        },
    )


def greeting() -> Case:
    base = Greeting(hosts=("mx.example.net", "mx.example.org"), port=25, expects="220")

    def blocked(host: Host) -> None:
        host.system.set("blocked_outbound", [2525])

    return Case(
        base=base,
        own=("system/blocked_outbound",),
        changes={
            "hosts": Change(resource=replace(base, hosts=("mx.example.org",))),
            "port": Change(resource=replace(base, port=2525), lines=("greeting",), applies=False, before=blocked),
            "expects": Change(resource=replace(base, expects="* OK"), lines=("greeting",), applies=False),
            "timeout": Change(resource=replace(base, timeout=9)),
        },
    )


def iis_virtual_directory() -> Case:
    base = IISVirtualDirectory(path="/.well-known/증명", folder="C:/Case/증명")
    deeper, elsewhere = replace(base, path="/other"), replace(base, site="두 번째")

    def sites(host: Host) -> None:
        host.files.create_directory(CONFIG.rpartition("\\")[0])
        host.drive.real(CONFIG).write_text(SITE.replace("<sites>", f"<sites>{OTHER_SITE}"), encoding="utf-8")

    return Case(
        base=base,
        own=(f"files/{CONFIG}",),
        around=(IISVirtualDirectory(path="/neighbour", folder="C:/Case"),),
        arrange=sites,
        changes={
            "path": Change(resource=deeper, lines=("state",), undo=(replace(deeper, state="absent"),)),
            "folder": Change(resource=replace(base, folder="C:/Case/둘"), lines=("folder",)),
            "site": Change(resource=elsewhere, lines=("state",), undo=(replace(elsewhere, state="absent"),)),
            "state": Change(resource=replace(base, state="absent"), lines=("state",)),
        },
    )


def time_sync() -> Case:
    base = TimeSync(servers=("time.example", "kr.pool.ntp.org"))
    return Case(
        base=base,
        own=(f"{SERVICES}\\w32time",),
        changes={
            "servers": Change(resource=replace(base, servers=("time.example",)), lines=("servers",)),
            "state": Change(resource=replace(base, state="absent"), lines=("state",)),
        },
    )


def winrm_listener() -> Case:
    base = WinRMListener(hostname="win-lab", thumbprint=ONE)

    def certificates(host: Host) -> None:
        for thumbprint in (ONE, OTHER):
            host.listeners.add_certificate(thumbprint, {"subject": "CN=win-lab", "names": ["win-lab"], "not_after": ""})

    return Case(
        base=base,
        own=("listeners/HTTPS",),
        around=(WinRMListener(transport="HTTP", port=5985),),
        arrange=certificates,
        changes={
            "transport": Change(resource=replace(base, transport="HTTP"), lines=("port",), applies=False),
            "address": Change(resource=replace(base, address="IP:10.0.0.1"), lines=("state",), applies=False),
            "port": Change(resource=replace(base, port=15986), lines=("port",)),
            "hostname": Change(resource=replace(base, hostname="other"), lines=("hostname",)),
            "thumbprint": Change(resource=replace(base, thumbprint=OTHER), lines=("thumbprint",)),
            "state": Change(resource=replace(base, state="absent"), lines=("state",)),
        },
    )


def service() -> Case:
    base = Service(
        name="case",
        command=(PYTHON, "-c", SLEEP),
        description="서비스",
        account="NT SERVICE\\case",
        failure=FailureActions(),
        environment={"CASE": "한 글"},
        restart_on="one",
    )
    other = replace(base, name="other", account="NT SERVICE\\other")
    running = f"{SERVICES}\\case"
    needed = Service(name="needed", command=(PYTHON, "-c", SLEEP))

    def changed(line: str, **fields: object) -> Change:
        return Change(resource=replace(base, **fields), lines=(line,))  # type: ignore[arg-type]

    return Case(
        base=base,
        own=(running,),
        around=(needed,),
        arrange=_python,
        changes={
            "name": Change(
                resource=other,
                lines=("state",),
                own=(f"{SERVICES}\\other",),
                undo=(replace(other, state="absent"),),
            ),
            "command": changed("command", command=(PYTHON, "-X", "utf8", "-c", SLEEP)),
            "display_name": changed("display_name", display_name="사례"),
            "description": changed("description", description='with "quotes" \\'),
            "account": changed("account", account="LocalSystem"),
            "start": changed("start", start="delayed"),
            "depends_on": changed("depends_on", depends_on=("needed",)),
            "failure.restart_after": changed("failure.restart_after", failure=FailureActions(restart_after=(1, 2))),
            "failure.reset_after": changed("failure.reset_after", failure=FailureActions(reset_after=60)),
            "failure_flag": changed("failure_flag", failure_flag=False),
            "sid_type": changed("sid_type", sid_type="restricted"),
            "environment": changed("environment", environment={"CASE": "한 글", "OTHER": "1"}),
            "status": changed("status", status="stopped"),
            "restart_on": changed("restart_on", restart_on="two"),
            "start_timeout": Change(resource=replace(base, start_timeout=30)),
            "state": changed("state", state="absent"),
        },
    )


def cases() -> list[Case]:
    """All of them."""
    return [
        registry_value(), event_source(), firewall_group(), greeting(), iis_virtual_directory(), scheduled_task(),
        time_sync(), winrm_listener(), service(),
    ]  # fmt: skip
