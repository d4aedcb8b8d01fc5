"""Paths, accounts, access lists and command lines: pure forms, held against the model's own reading of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.model import acl as lab_acl
from lab.model import commandline
from lab.model.sids import service_sid as lab_service_sid
from pyinfra_winrm.kinds import Acl, Allow, InvalidResourceError
from pyinfra_winrm.kinds.accounts import service_sid, sid_of
from pyinfra_winrm.kinds.acl import parse_sddl
from pyinfra_winrm.kinds.paths import windows_path
from pyinfra_winrm.kinds.service import command_line, quoted

NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters='<>:"|?*/\\\x7f', min_codepoint=33), min_size=1, max_size=12
)


@pytest.mark.parametrize(
    ("given_path", "canonical"),
    [
        ("C:/Mailhost/etc", "C:\\Mailhost\\etc"),
        ("c:/mailhost//etc/", "C:\\mailhost\\etc"),
        ("C:\\Mailhost/데이터", "C:\\Mailhost\\데이터"),
        ("d:/", "D:\\"),
        ("C:", "C:\\"),
    ],
)
def test_a_path_gets_one_form(given_path: str, canonical: str) -> None:
    assert windows_path(given_path) == canonical


@pytest.mark.parametrize(
    "bad",
    ["Mailhost", "/etc", "C:/a/../b", "C:/a.", "C:/a ", "C:/con.txt", "C:/a:b", "C:/a*", "\\\\server\\share"],
)
def test_a_path_that_windows_would_change_is_refused(bad: str) -> None:
    with pytest.raises(InvalidResourceError, match="path"):
        windows_path(bad)


@given(st.lists(NAMES.filter(lambda name: name[-1] not in ". " and name.strip(".")), min_size=1, max_size=4))
def test_a_canonical_path_stays_as_it_is(names: list[str]) -> None:
    try:
        path = windows_path("C:/" + "/".join(names))
    except InvalidResourceError:
        return
    assert windows_path(path) == path


def test_the_sid_of_a_service_follows_from_its_name() -> None:
    known = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"
    assert service_sid("TrustedInstaller") == service_sid("trustedinstaller") == known
    assert sid_of("NT SERVICE\\TrustedInstaller") == known
    assert sid_of("nt service\\maild") == lab_service_sid("maild")


def test_a_localised_account_name_is_refused_with_what_to_give() -> None:
    with pytest.raises(InvalidResourceError, match="NT SERVICE"):
        sid_of("Administratoren")


RIGHTS = st.sampled_from(["full", "modify", "read", "write", 0x1200A9, 0x2])
ALLOWS = st.builds(
    Allow,
    st.sampled_from(["SYSTEM", "Administrators", "Users", "NT SERVICE\\maild", "S-1-5-21-1-2-3-500"]),
    RIGHTS,
    st.sampled_from(["tree", "folder", "files"]),
)


@given(st.lists(ALLOWS, min_size=1, max_size=5), st.booleans(), st.booleans())
def test_an_access_list_means_the_same_to_windows_and_to_us(allows: list[Allow], protected: bool, folder: bool) -> None:
    acl = Acl(tuple(allows), protected=protected)
    wanted = acl.descriptor(folder=folder)
    assert parse_sddl(acl.sddl(folder=folder)) == wanted
    owner, kept, entries = lab_acl.parse(acl.sddl(folder=folder))
    assert owner is not None
    assert entries is not None
    assert kept == protected
    assert parse_sddl(lab_acl.Descriptor(owner, kept, entries).text()) == wanted


@given(st.text(max_size=200))
def test_a_text_that_is_no_descriptor_raises_only_our_error(text: str) -> None:
    try:
        parse_sddl(text)
    except InvalidResourceError:
        return


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20), max_size=5))
def test_a_command_line_is_taken_apart_into_what_it_was_made_of(arguments: list[str]) -> None:
    line = command_line(("C:/Program Files/maild.exe", *arguments))
    assert line.startswith('"C:\\Program Files\\maild.exe"')
    assert commandline.split(line)[1:] == arguments


@pytest.mark.parametrize(
    ("argument", "text"),
    [("", '""'), ("plain", "plain"), ("a b", '"a b"'), ('a"b', '"a\\"b"'), ("a\\", "a\\"), ("a b\\", '"a b\\\\"')],
)
def test_an_argument_is_quoted_only_when_it_has_to_be(argument: str, text: str) -> None:
    assert quoted(argument) == text
