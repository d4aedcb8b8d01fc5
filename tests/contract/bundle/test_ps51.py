"""Every script that reaches a real host is held against Windows PowerShell 5.1, the check itself against bad lines."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pyinfra_winrm.scripts import bootstrap
from tests.lib.programs import ROOT, find_pwsh

pytestmark = pytest.mark.pwsh
PS51 = Path(__file__).parent / "ps51"
GENERATED = ROOT / "lab" / "pwsh" / "stubs.generated.ps1"

# what 5.1 would not take or would do otherwise, and a word of what is said about it
BAD = {
    "null coalescing": ("$a ?? 1", "'??'"),
    "ternary": ("$b ? 1 : 2", "?:"),
    "chain": ("Get-Item x && Get-Item y", "&&"),
    "null conditional": ("${a}?.Length", "'?.'"),
    "wrong parameter": ("New-NetFirewallRule -DisplayNam x", "-DisplayNam"),
    "later parameter": ("'x' | ForEach-Object -Parallel { $_ }", "-Parallel"),
    "wrong set": ("Register-ScheduledTask -TaskName x -Xml y -Action z", "together"),
    "unknown command": ("Remove-Service -Name x", "Remove-Service"),
    "alias": ("ls C:\\", "alias"),
    "later static": ("[System.IO.Path]::GetRelativePath('a', 'b')", "GetRelativePath"),
    "later static arguments": ("[System.IO.File]::Move('a', 'b', $true)", "3 arguments"),
    "link target": ("$x = Get-Item -LiteralPath y\n$x.LinkTarget", ".LinkTarget"),
    "link target of anything": ("$x.LinkTarget", ".LinkTarget"),
    "contains with comparison": ("$s = 'a'\n$s.Contains('a', 'Ordinal')", "2 arguments"),
    "contains of anything": ("$y.Contains('a', 'Ordinal')", "2 arguments"),
    "replace with comparison": ("'a'.Replace('a', 'b', 'Ordinal')", "3 arguments"),
    "replace of an expandable": ('"$s".Replace("a", "b", "Ordinal")', "3 arguments"),
    "replace of a parameter": ("function F([string]$t) { $t.Replace('a', 'b', 'Ordinal') }", "3 arguments"),
    "later member": ("$f = New-Object System.IO.FileInfo x\n$f.MoveTo('y', $true)", "2 arguments"),
    "split by a text": ("$x.EnumerateRunes()", "EnumerateRunes"),
    "byte order mark": ("Set-Content -Path x -Value y -Encoding UTF8", "byte order mark"),
    "byte order mark by Out-File": ("'a' | Out-File -Encoding utf8 x", "byte order mark"),
    "byte order mark of UTF-16": ("Set-Content -Path x -Value y -Encoding Unicode", "byte order mark"),
    "byte order mark by a colon": ("Add-Content -Path x -Value y -Encoding:utf8", "byte order mark"),
    "byte order mark by .NET": ("[System.IO.File]::WriteAllText('x', 'y', [System.Text.Encoding]::UTF8)", "byte order"),
    "byte order mark by a writer": ("[System.IO.StreamWriter]::new('x', $false, [Text.Encoding]::UTF8)", "byte order"),
    "text in UTF-16": ("'a' | Out-File x", "UTF-16"),
    "text in UTF-16 beside": ("'a' | Tee-Object -FilePath x", "UTF-16"),
    "redirection of errors": ("Get-Item x 2> errors.txt", "UTF-16"),
    "redirection of everything": ("Get-Item x *> all.txt", "UTF-16"),
    "redirection": ("'a' > x.txt", "UTF-16"),
    "appending redirection": ("'a' >> x.txt", "UTF-16"),
    "null for a text": ("[System.IO.File]::Replace('a', 'b', $null)", "NullString"),
    "null for a text of a constructor": ("[System.IO.FileInfo]::new($null)", "NullString"),
    "null for a text of a text": ("'a'.Replace('a', $null)", "NullString"),
    "null for a text of a variable": ("$s = 'a'\n$s.Insert(0, $null)", "NullString"),
    "not ASCII": ("'한글'", "ASCII"),
    "escape": ('"`u{1F600}"', "escape"),
    "later variable": ("if ($IsLinux) { 1 }", "IsLinux"),
}
GOOD = """
$x = Get-Item -LiteralPath 'C:\\x' -Force
[string]@($x.Target)[0]
'a'.Contains('b')
'a'.Replace('a', 'b').Trim().Split('\\', 2)
$s = New-Object -ComObject Schedule.Service
$s.Connect()
$s.GetFolder('\\').GetTask('x').Xml
[System.IO.File]::Replace('a', 'b', [NullString]::Value)
$null = Get-Item x 2> $null
Set-Content -Path x -Value 'y' -Encoding Ascii
[System.IO.File]::WriteAllText('x', 'y', (New-Object System.Text.UTF8Encoding $false))
[System.IO.File]::WriteAllBytes('x', [System.Text.Encoding]::UTF8.GetBytes('y'))
'a' | Tee-Object -Variable seen
$list = New-Object System.Collections.ArrayList
[void]$list.Add($null)
switch ($s) { 'a' { 1 } default { 2 } }
New-NetFirewallRule -DisplayName x -Name y -Direction Inbound
"""


def check(*files: Path) -> list[str]:
    program = find_pwsh()
    assert program is not None, "no PowerShell"
    command = [str(program), "-NoProfile", "-File", str(PS51 / "check.ps1"), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert not done.stderr, done.stderr
    return done.stdout.splitlines()


def test_every_script_that_reaches_a_host_is_51(tmp_path: Path) -> None:
    started = tmp_path / "bootstrap.ps1"
    started.write_text(bootstrap(), encoding="ascii")
    scripts = [*(ROOT / "pyinfra_winrm").rglob("*.ps1"), *(ROOT / "files").glob("*.ps1"), started]
    assert len(scripts) >= 18
    assert check(*scripts) == []


def test_every_bad_line_is_reported(tmp_path: Path) -> None:
    files = {}
    for number, (name, (text, _)) in enumerate(BAD.items()):
        files[name] = tmp_path / f"{number}.ps1"
        files[name].write_text(text + "\n", encoding="utf-8")
    said = check(*files.values())
    for name, (text, word) in BAD.items():
        about = [line for line in said if line.startswith(f"{files[name]}:")]
        assert any(word in line for line in about), f"{name}: {text!r} passes: {about}"


def test_good_lines_pass(tmp_path: Path) -> None:
    good = tmp_path / "good.ps1"
    good.write_text(GOOD, encoding="ascii")
    assert check(good) == []


def test_the_labs_stand_ins_are_what_the_facts_make() -> None:
    program = find_pwsh()
    assert program is not None, "no PowerShell"
    names = (ROOT / "lab" / "pwsh" / "commands.txt").read_text(encoding="utf-8").split()
    command = [str(program), "-NoProfile", "-File", str(PS51 / "stubs.ps1"), *names]
    made = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    assert made == GENERATED.read_text(encoding="utf-8")
