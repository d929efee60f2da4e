"""Which names and addresses are of this machine alone."""

from __future__ import annotations

import ipaddress
import re

HOST = re.compile(r"(?P<name>\[[^\]]*\]|[^:]*)(:\d{1,5})?")


def is_loopback(name: str) -> bool:
    """Say whether a host's name or address is of this machine alone."""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name.lower() == "localhost"


def names_loopback(host: str) -> bool:
    """Say the same of a Host header, which may have a port, and brackets around IPv6."""
    match = HOST.fullmatch(host)
    return match is not None and is_loopback(match["name"].strip("[]"))
