"""Windows command lines: split as CommandLineToArgvW does, joined as its callers should.

Pure functions; what the parts mean to a program is the launcher's.
"""

from __future__ import annotations

import re


def split(line: str) -> list[str]:
    """The arguments; quotes group, and backslashes count only before a quote."""
    arguments: list[str] = []
    current, quoted, started = "", False, False
    at = 0
    while at < len(line):
        char = line[at]
        if char == "\\":
            run = len(line) - at - len(line[at:].lstrip("\\"))
            at += run
            if at < len(line) and line[at] == '"':
                current += "\\" * (run // 2)
                if run % 2:
                    current += '"'
                    at += 1
            else:
                current += "\\" * run
            started = True
            continue
        if char == '"':
            quoted, started = not quoted, True
        elif char in " \t" and not quoted:
            if started:
                arguments.append(current)
            current, started = "", False
        else:
            current, started = current + char, True
        at += 1
    return [*arguments, current] if started else arguments


def quote(argument: str) -> str:
    """One argument as ``split`` reads it back."""
    if argument and not re.search(r'[\s"]', argument):
        return argument
    inner = re.sub(r'(\\*)"', r'\1\1\\"', argument)
    inner = re.sub(r"(\\+)$", r"\1\1", inner)
    return f'"{inner}"'


def join(arguments: list[str]) -> str:
    """A whole command line."""
    return " ".join(quote(argument) for argument in arguments)
