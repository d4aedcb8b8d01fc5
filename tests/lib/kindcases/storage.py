"""Cases of the kinds that lie on drive C: folders, files, archives, installers, releases, what runs in them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lab.model.host import Host
from lab.model.programs import VC_RUNTIME
from pyinfra_winrm.kinds import (
    Acl,
    Allow,
    Archive,
    Directory,
    Download,
    File,
    Junction,
    Program,
    PythonRelease,
    Reconcile,
)
from pyinfra_winrm.secret import Secret
from tests.lib.kindcases.case import Case, Change
from tests.lib.kindcases.material import Material

ACL = Acl((Allow("SYSTEM", "full"), Allow("Administrators", "full")))


def _acl(**fields: object) -> Acl:
    return replace(ACL, **fields)  # type: ignore[arg-type]


def _one(**fields: object) -> Acl:
    changed = replace(ACL.entries[1], **fields)  # type: ignore[arg-type]
    return replace(ACL, entries=(ACL.entries[0], changed))


def directory() -> Case:
    base = Directory(path="C:/Case/폴더", acl=ACL)
    other = replace(base, path="C:/Case/other")

    def acl(line: str, wanted: Acl) -> Change:
        return Change(resource=replace(base, acl=wanted), lines=(line,))

    return Case(
        base=base,
        own=("acl/c:\\case\\폴더", "files/C:\\Case\\폴더"),
        around=(Directory(path="C:/Case/neighbour", acl=ACL), File(path="C:/Case/neighbour/file", content="n")),
        changes={
            "path": Change(
                resource=other,
                lines=("state",),
                own=("acl/c:\\case\\other", "files/C:\\Case\\other"),
                undo=(replace(other, state="absent"),),
            ),
            "acl.entries.account": acl("acl.entries", _one(account="NT SERVICE\\maild")),
            "acl.entries.rights": acl("acl.entries", _one(rights="modify")),
            "acl.entries.scope": acl("acl.entries", _one(scope="folder")),
            "acl.owner": acl("acl.owner", _acl(owner="SYSTEM")),
            "acl.protected": acl("acl.protected", _acl(protected=False)),
            "adopt": Change(resource=replace(base, adopt=False)),
            "purge": Change(resource=replace(base, purge=True)),
            "state": Change(resource=replace(base, state="absent"), lines=("state",)),
        },
    )


def file() -> Case:
    base = File(path="C:/Case/설정.toml", content="이름 = '하나'\n", acl=ACL)
    other = replace(base, path="C:/Case/other.toml")

    def acl(line: str, wanted: Acl) -> Change:
        return Change(resource=replace(base, acl=wanted), lines=(line,))

    return Case(
        base=base,
        own=("acl/c:\\case\\설정.toml", "files/C:\\Case\\설정.toml"),
        around=(Directory(path="C:/Case"), File(path="C:/Case/neighbour.toml", content=b"\x00\xff")),
        changes={
            "path": Change(
                resource=other,
                lines=("state",),
                own=("acl/c:\\case\\other.toml", "files/C:\\Case\\other.toml"),
                undo=(replace(other, state="absent"),),
            ),
            "content": Change(resource=replace(base, content=Secret("이름 = '둘'\n")), lines=("content",)),
            "acl.entries.account": acl("acl.entries", _one(account="NT SERVICE\\maild")),
            "acl.entries.rights": acl("acl.entries", _one(rights="read")),
            # a file hands nothing down
            "acl.entries.scope": Change(resource=replace(base, acl=_one(scope="folder"))),
            "acl.owner": acl("acl.owner", _acl(owner="SYSTEM")),
            "acl.protected": acl("acl.protected", _acl(protected=False)),
            "once": Change(resource=replace(base, once=True)),
            "state": Change(resource=replace(base, state="absent"), lines=("state",)),
        },
    )


def junction() -> Case:
    base = Junction(path="C:/Case/지금", target="C:/Case/하나")
    other = replace(base, path="C:/Case/other")
    folders = tuple(Directory(path=f"C:/Case/{name}") for name in ("하나", "둘"))
    return Case(
        base=base,
        own=("files/C:\\Case\\지금",),
        around=(Directory(path="C:/Case"), *folders, File(path="C:/Case/하나/file", content="stays")),
        changes={
            "path": Change(
                resource=other,
                lines=("state",),
                own=("files/C:\\Case\\other",),
                undo=(replace(other, state="absent"),),
            ),
            "target": Change(resource=replace(base, target="C:/Case/둘"), lines=("target",)),
            "state": Change(resource=replace(base, state="absent"), lines=("state",)),
        },
    )


def large_file(material: Material) -> Case:
    base = File(path="C:/Case/large.bin", source=material.large)
    return Case(
        name="uploaded",
        base=base,
        own=("acl/c:\\case\\large.bin", "files/C:\\Case\\large.bin"),
        around=(Directory(path="C:/Case"),),
        changes={"source": Change(resource=replace(base, source=material.other_large), lines=("content",))},
    )


def archive(material: Material) -> Case:
    base = Archive(path="C:/Case/archive", download=material.url("mysql.zip"))
    other = replace(base, path="C:/Case/other")
    wanted = base.download
    assert wanted is not None
    mirror = replace(wanted, urls=("https://mirror.invalid/mysql.zip", *wanted.urls))
    uploaded = replace(wanted, urls=(), source=material.folder / "mysql.zip")
    return Case(
        base=base,
        own=("acl/c:\\case\\archive", "files/C:\\Case\\archive"),
        around=(Directory(path="C:/Case"), File(path="C:/Case/beside.txt", content="n")),
        changes={
            "path": Change(
                resource=other,
                lines=("state",),
                own=("files/C:\\Case\\other",),
                undo=(replace(other, state="absent"),),
            ),
            "download.urls": Change(resource=replace(base, download=mirror)),
            "download.source": Change(resource=replace(base, download=uploaded)),
            "download.sha256": Change(
                resource=replace(base, download=material.url("python.zip")), lines=("download.sha256",)
            ),
            "strip": Change(resource=replace(base, strip=False), lines=("strip",)),
            "state": Change(resource=replace(base, state="absent"), lines=("state",)),
        },
    )


def signed_archive(material: Material) -> Case:
    def signed(path: Path, publisher: str) -> Download:
        return Download(source=path, publisher=publisher)

    base = Archive(
        path="C:/Case/signed", download=signed(material.signed, "Case Ltd."), signed="bin/case.exe", strip=True
    )
    other = signed(material.signed_other, "Other Ltd.")
    return Case(
        name="signed",
        base=base,
        own=("acl/c:\\case\\signed", "files/C:\\Case\\signed"),
        around=(Directory(path="C:/Case"),),
        changes={
            "download.publisher": Change(resource=replace(base, download=other), lines=("download.publisher",)),
            "signed": Change(resource=replace(base, signed="bin/more.exe"), lines=("signed",)),
        },
    )


def program(material: Material) -> Case:
    base = Program(
        name="vc_redist.x64",
        download=material.download("vc_redist.x64.exe"),
        detect_key=VC_RUNTIME.replace("\\", "/"),
        version="14.40",
    )
    url, pinned = material.url("vc_redist.x64.exe"), material.download("python.zip")
    signed = Download(source=base.download.source, publisher="Microsoft Corporation")
    runtime = "registry/hklm\\software\\microsoft\\"

    def older(host: Host) -> None:
        host.registry.set(VC_RUNTIME, "Version", "String", "v14.41.34120.00")

    return Case(
        base=base,
        own=(f"{runtime}visualstudio", f"{runtime}windows\\currentversion\\uninstall"),
        changes={
            "name": Change(resource=replace(base, name="vc_redist.other")),
            "download.urls": Change(resource=replace(base, download=url)),
            "download.source": Change(resource=replace(base, download=pinned), applies=False),
            "download.sha256": Change(resource=replace(base, download=pinned), applies=False),
            "download.publisher": Change(resource=replace(base, download=signed), applies=False),
            "detect_key": Change(
                resource=replace(base, detect_key="HKLM/SOFTWARE/No"), lines=("state",), applies=False
            ),
            "detect_value": Change(resource=replace(base, detect_value="No"), lines=("state",), applies=False),
            "version": Change(resource=replace(base, version="14.44"), lines=("version",), before=older),
            "arguments": Change(resource=replace(base, arguments=("/quiet",))),
            "uninstall": Change(resource=replace(base, uninstall=("/uninstall",))),
            "state": Change(resource=replace(base, state="absent"), lines=("state",)),
        },
    )


def release(material: Material) -> Case:
    base = PythonRelease(
        id="2026-01",
        folder="C:/Case/releases",
        python=material.download("python.zip"),
        requirements=material.requirements,
        wheels=material.wheels,
        keep=2,
    )
    assert base.python is not None
    newer, elsewhere = replace(base, id="2026-02"), replace(base, folder="C:/Case/other")
    own = ("acl/c:\\case\\", "files/C:\\Case\\releases\\2026-01")
    uploads = replace(base.python, urls=material.url("python.zip").urls, source=None)
    signed = Download(source=base.python.source, publisher="Python Software Foundation")
    return Case(
        base=base,
        own=own,
        generated=tuple(f"files/C:\\Case\\releases\\{made}\\manifest.json" for made in ("2026-01", "2025-12")),
        around=(Directory(path="C:/Case/releases"), replace(base, id="2025-12")),
        changes={
            "id": Change(
                resource=newer,
                lines=("state",),
                own=("files/C:\\Case\\releases\\",),
                undo=(replace(newer, state="absent"), replace(base, id="2025-12")),
            ),
            "folder": Change(
                resource=elsewhere,
                lines=("state",),
                own=("files/C:\\Case\\other",),
                before=lambda host: host.files.create_directory("C:\\Case\\other"),
                undo=(Directory(path="C:/Case/other", state="absent", purge=True),),
            ),
            "python.urls": Change(resource=replace(base, python=uploads)),
            "python.source": Change(resource=replace(base, python=uploads)),
            "python.sha256": Change(resource=replace(base, python=material.download("mysql.zip")), lines=("python",)),
            "python.publisher": Change(resource=replace(base, python=signed), lines=("python",)),
            "inside": Change(resource=replace(base, inside="tools/"), lines=("inside",)),
            "requirements": Change(
                resource=replace(base, requirements=f"# 잠금\n{material.requirements}"), lines=("requirements",)
            ),
            "wheels": Change(resource=replace(base, wheels=material.more_wheels), lines=("wheels",)),
            "keep": Change(
                resource=replace(base, keep=1),
                lines=("surplus",),
                own=("files/C:\\Case\\releases\\2025-12",),
                undo=(replace(base, id="2025-12"),),
            ),
            "state": Change(resource=replace(base, state="absent"), lines=("state",)),
        },
    )


def reconcile(material: Material) -> Case:
    made = PythonRelease(
        id="case",
        folder="C:/Case/releases",
        python=material.download("python.zip"),
        requirements=material.requirements,
        wheels=material.wheels,
    )
    command = ("C:/Case/releases/case/python.exe", "-X", "utf8", "-m", "case_reconciler")
    base = Reconcile(name="accounts", command=command, desired={"quota": 1, "이름": Secret("주문")}, folder="C:/Case")
    return Case(
        base=base,
        own=("files/C:\\Case\\releases\\case\\lib", "acl/c:\\case\\desired-"),
        around=(Directory(path="C:/Case/releases"), made),
        changes={
            "name": Change(resource=replace(base, name="other")),
            "command": Change(resource=replace(base, command=(*command, "--verbose"))),
            "desired": Change(
                resource=replace(base, desired={"quota": 2, "이름": "주문"}), lines=("account 주문@테스트.net.quota",)
            ),
            "folder": Change(resource=replace(base, folder="C:/Windows/Temp")),
            "timeout": Change(resource=replace(base, timeout=10)),
            "state": Change(resource=replace(base, state="absent"), lines=("account 주문@테스트.net.quota",)),
        },
    )


def cases(material: Material) -> list[Case]:
    """All of them."""
    return [
        directory(), file(), junction(), large_file(material), archive(material), signed_archive(material),
        program(material), release(material), reconcile(material),
    ]  # fmt: skip
