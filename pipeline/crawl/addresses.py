"""Which addresses are never connected to: this machine, its networks, and what is no host of the public web.

After the IANA special-purpose address registries (RFC 6890 and its updates), read here from a table, because what
Python's `is_global` says has changed between its releases.
"""

import ipaddress
from collections.abc import Collection

_V4 = ipaddress.IPv4Network
_V6 = ipaddress.IPv6Network

_NEVER_V4 = {
    _V4("0.0.0.0/8"): "an unspecified address",
    _V4("169.254.169.254/32"): "a cloud's metadata service",
    _V4("169.254.170.2/32"): "a cloud's metadata service",
    _V4("100.100.100.200/32"): "a cloud's metadata service",
    _V4("168.63.129.16/32"): "a cloud's metadata service",
    _V4("192.0.0.192/32"): "a cloud's metadata service",
    _V4("224.0.0.0/4"): "a multicast address",
    _V4("240.0.0.0/4"): "a reserved address",
}
_PRIVATE_V4 = {
    _V4("10.0.0.0/8"): "a private address",
    _V4("100.64.0.0/10"): "a carrier's internal address",
    _V4("127.0.0.0/8"): "this machine",
    _V4("169.254.0.0/16"): "a link-local address",
    _V4("172.16.0.0/12"): "a private address",
    _V4("192.0.0.0/24"): "an address of internet protocols",
    _V4("192.0.2.0/24"): "an address of documentation",
    _V4("192.88.99.0/24"): "a retired relay's address",
    _V4("192.168.0.0/16"): "a private address",
    _V4("198.18.0.0/15"): "an address of benchmarks",
    _V4("198.51.100.0/24"): "an address of documentation",
    _V4("203.0.113.0/24"): "an address of documentation",
}
_NEVER_V6 = {
    _V6("::/128"): "an unspecified address",
    _V6("fd00:ec2::254/128"): "a cloud's metadata service",
    _V6("fd20:ce::254/128"): "a cloud's metadata service",
    _V6("ff00::/8"): "a multicast address",
}
_PRIVATE_V6 = {
    _V6("::1/128"): "this machine",
    _V6("fe80::/10"): "a link-local address",
    _V6("fc00::/7"): "a private address",
    _V6("2001::/23"): "an address of internet protocols",
    _V6("2001:db8::/32"): "an address of documentation",
    _V6("3fff::/20"): "an address of documentation",
}
_GLOBAL_V6 = _V6("2000::/3")

# Prefixes behind which a translator or a tunnel reaches an IPv4 address, and the bits from the right where that stands.
_CARRIERS = {
    _V6("::ffff:0:0/96"): 0,
    _V6("::ffff:0:0:0/96"): 0,
    _V6("::/96"): 0,
    _V6("64:ff9b::/96"): 0,
    _V6("2002::/16"): 80,
}
_LOCAL_TRANSLATION = _V6("64:ff9b:1::/48")
_ISATAP = frozenset({0x00005EFE, 0x02005EFE})


def explain_refusal(address: str, *, allow_private: bool = False, own: Collection[str] = ()) -> str | None:
    """Why nothing is connected to at `address`, as a noun phrase, or None where it may be.

    `own` holds this machine's addresses, public ones included. `allow_private` lifts the ban on this machine and on
    networks that are nobody else's; metadata services, multicast and reserved addresses stay out of reach.
    """
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "not an address"
    if not allow_private and str(parsed) in own:
        return "this machine"
    if isinstance(parsed, ipaddress.IPv4Address):
        return _explain_v4(parsed, allow_private)
    return _explain_v6(parsed, allow_private)


def _explain_v4(address: ipaddress.IPv4Address, allow_private: bool) -> str | None:
    tables = [_NEVER_V4] if allow_private else [_NEVER_V4, _PRIVATE_V4]
    return next((why for table in tables for network, why in table.items() if address in network), None)


def _explain_v6(address: ipaddress.IPv6Address, allow_private: bool) -> str | None:
    tables = [_NEVER_V6] if allow_private else [_NEVER_V6, _PRIVATE_V6]
    why = next((why for table in tables for network, why in table.items() if address in network), None)
    if why or address == ipaddress.IPv6Address("::1"):
        return why
    inner = _carried(address)
    if inner is not None:
        within = _explain_v4(inner, allow_private)
        return f"{within} ({inner}, inside an IPv6 address)" if within else None
    if address in _GLOBAL_V6 or allow_private:
        return None
    return "an address of networks behind a translator" if address in _LOCAL_TRANSLATION else "a reserved address"


def _carried(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 address leads to, or None."""
    number = int(address)
    for network, shift in _CARRIERS.items():
        if address in network:
            return ipaddress.IPv4Address((number >> shift) & 0xFFFFFFFF)
    if (number >> 32) & 0xFFFFFFFF in _ISATAP:
        return ipaddress.IPv4Address(number & 0xFFFFFFFF)
    return None
