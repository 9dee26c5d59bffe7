"""Addresses: what is never connected to, in every spelling that leads there."""

import ipaddress
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.crawl.addresses import explain_refusal

REFUSED_ALWAYS = re.findall(r"\S+", """
0.0.0.0 0.1.2.3 169.254.169.254 169.254.170.2 100.100.100.200 168.63.129.16 192.0.0.192 224.0.0.1
239.255.255.255 240.0.0.1 255.255.255.255 :: ff02::1 ff0e::1 fd00:ec2::254 fd20:ce::254 ::ffff:169.254.169.254
::169.254.169.254 64:ff9b::a9fe:a9fe 2002:a9fe:a9fe:: ::ffff:0:a9fe:a9fe ::ffff:0.0.0.0 2600::5efe:a9fe:a9fe
2600::200:5efe:a9fe:a9fe
""")  # fmt: skip
PRIVATE = re.findall(r"\S+", """
10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.1.2.3 169.254.0.1 172.16.0.1 172.31.255.255
192.0.0.1 192.0.2.1 192.88.99.1 192.168.0.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 ::1 fe80::1
fe80::1%eth0 febf::1 fc00::1 fdff::1 2001::1 2001:2::1 2001:10::1 2001:db8::1 3fff::1 ::ffff:127.0.0.1
::ffff:10.0.0.1 ::ffff:192.168.1.1 ::127.0.0.1 64:ff9b::7f00:1 64:ff9b::10.0.0.1 2002:7f00:1::
2002:c0a8:101::1 2001:0:7f00:1:: 64:ff9b:1::1 ::ffff:0:127.0.0.1 2600::5efe:10.0.0.1
2600:0:0:0:200:5efe:7f00:1 fec0::1 100::1 4000::1 5f00::1
""")  # fmt: skip
PUBLIC = re.findall(r"\S+", """
1.1.1.1 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1 169.253.255.255
169.255.0.0 172.15.255.255 172.32.0.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 223.255.255.255
2600:: 2001:4860::8888 2a00:1450::1 ::ffff:8.8.8.8 64:ff9b::8.8.8.8 2002:808:808::1
""")  # fmt: skip


@pytest.mark.parametrize("address", REFUSED_ALWAYS + PRIVATE)
def test_this_machine_and_its_networks_are_refused(address: str) -> None:
    """By default nothing but the public web is connected to, whatever an address is wrapped in."""
    assert isinstance(explain_refusal(address), str)


@pytest.mark.parametrize("address", PUBLIC)
def test_the_public_web_is_not_refused(address: str) -> None:
    """The neighbours of every refused network are free."""
    assert explain_refusal(address) is None


@pytest.mark.parametrize("address", REFUSED_ALWAYS)
def test_metadata_and_multicast_stay_out_of_reach(address: str) -> None:
    """The setting for private networks does not open what nobody crawls."""
    assert isinstance(explain_refusal(address, allow_private=True), str)


@pytest.mark.parametrize("address", [a for a in PRIVATE if a != "64:ff9b:1::1"] + PUBLIC)
def test_the_setting_lifts_the_ban_on_private_networks(address: str) -> None:
    """Then this machine and its networks are hosts like others."""
    assert explain_refusal(address, allow_private=True) is None


def test_the_machine_s_own_public_address_is_refused() -> None:
    """A public address is this machine where an interface has it, in whatever form it is written."""
    own = {"8.8.8.8", "2600::1"}
    assert explain_refusal("8.8.8.8", own=own) == "this machine"
    assert explain_refusal("2600:0::1", own=own) == "this machine"
    assert explain_refusal("8.8.8.8", own=own, allow_private=True) is None


@pytest.mark.parametrize("text", ["", "localhost", "127.1", "0x7f000001", "2130706433", "0177.0.0.1", "[::1]"])
def test_what_is_no_address_is_refused(text: str) -> None:
    """Only an address that has one reading is looked at further."""
    assert explain_refusal(text) == "not an address"


@given(st.ip_addresses(v=4))
def test_a_carried_address_is_judged_as_the_bare_one(address: ipaddress.IPv4Address) -> None:
    """An IPv4 address is refused inside every IPv6 form that leads to it if and only if it is refused itself."""
    bare = explain_refusal(str(address)) is None
    number = int(address)
    carried = [
        (0xFFFF << 32) | number,
        (0xFFFF << 48) | number,
        (0x64FF9B << 96) | number,
        (0x2002 << 112) | (number << 80),
        (0x2600 << 112) | (0x5EFE << 32) | number,
        (0x2600 << 112) | (0x2005EFE << 32) | number,
    ]
    assert {explain_refusal(str(ipaddress.IPv6Address(form))) is None for form in carried} == {bare}
