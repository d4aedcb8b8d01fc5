from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.model import acl, sids
from lab.model.errors import HostError

CLOSED = "O:BAD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"


def test_the_sid_of_a_service_is_the_one_windows_computes():
    # TrustedInstaller's, as `sc.exe showsid TrustedInstaller` prints it on every Windows.
    assert sids.service_sid("TrustedInstaller") == "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"
    assert sids.service_sid("trustedinstaller") == sids.TRUSTED_INSTALLER


def test_a_protected_list_reads_back_as_it_was_written():
    owner, protected, aces = acl.parse(CLOSED)
    assert (owner, protected) == (sids.ADMINISTRATORS, True)
    assert acl.Descriptor(owner or "", protected, aces or ()).text() == CLOSED


@pytest.mark.parametrize(
    ("text", "mask"),
    [("FA", acl.FULL), ("0x1301bf", acl.MODIFY), ("GA", acl.FULL), ("0x10000000", acl.FULL), ("DCLC", 0x6)],
)
def test_rights_are_read_by_number_and_by_name(text: str, mask: int):
    assert acl.mask_of(text) == mask


@pytest.mark.parametrize(
    "text",
    ["", "D:(X;;FA;;;BA)", "D:(A;;FA;;;QQ)", "D:(A;ZZ;FA;;;BA)", "D:(A;;QQ;;;BA)", "D:(A;;FA;;BA)", "D:PAI(A;;FA;;;BA"],
)
def test_what_is_no_descriptor_is_refused(text: str):
    with pytest.raises(HostError):
        acl.parse(text)


@given(st.text(alphabet="OGDSAIP:();0x1fFABSYWDCO-", max_size=60))
def test_any_text_is_read_or_refused_and_nothing_else(text: str):
    with contextlib.suppress(HostError):
        acl.parse(text)


masks = st.sampled_from([acl.FULL, acl.MODIFY, acl.READ_EXECUTE, acl.READ, 0x4, 0x6])
flags = st.frozensets(st.sampled_from(["OI", "CI", "NP", "IO"]))
entries = st.builds(acl.Ace, st.sampled_from("AD"), flags, masks, st.sampled_from([*sids.ALIASES.values()]))


@given(st.lists(entries, max_size=6), st.booleans())
def test_a_descriptor_is_the_same_after_a_round_trip(aces: list[acl.Ace], protected: bool):
    text = acl.Descriptor(sids.ADMINISTRATORS, protected, tuple(aces)).text()
    assert acl.parse(text) == (sids.ADMINISTRATORS, protected, tuple(aces))


@given(st.lists(entries, max_size=6), st.booleans())
def test_what_is_inherited_is_marked_and_has_no_more_rights(aces: list[acl.Ace], directory: bool):
    for ace in acl.inherited(aces, directory, sids.ADMINISTRATORS):
        assert "ID" in ace.flags
        assert any(ace.mask == above.mask and ace.kind == above.kind for above in aces)
        assert directory or not ace.flags & {"OI", "CI"}


def test_a_denial_beats_a_grant_of_the_same_list():
    aces = [acl.Ace("A", frozenset(), acl.FULL, sids.USERS), acl.Ace("D", frozenset(), acl.WRITE, sids.USERS)]
    assert acl.allows(aces, [sids.USERS], acl.READ) is False
    assert acl.allows(aces, [sids.USERS], acl.EXECUTE & ~0x100000 & ~0x20000)


def test_an_entry_for_children_alone_grants_nothing_here():
    aces = [acl.Ace("A", frozenset({"OI", "CI", "IO"}), acl.FULL, sids.USERS)]
    assert not acl.allows(aces, [sids.USERS], acl.READ)
