"""Whom webhooks may call: public addresses, and of private ones those that the server was given.

The address is looked up once and then called itself, so that a name cannot lead elsewhere between check and call.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection

import httpx

SHARED_ADDRESSES = ipaddress.ip_network("100.64.0.0/10")


class Refused(Exception):
    """A receiver that must not be called."""


def post(
    url: str,
    content: bytes,
    headers: dict[str, str],
    *,
    allowed: Collection[str],
    timeout: float,
    verify: bool,
) -> httpx.Response:
    """Post to a receiver. Raises `Refused` where it is private and not among the `allowed`, and `httpx.HTTPError`.

    `allowed`: `host` or `host:port`, as written in the URL.
    """
    target = httpx.URL(url)
    port = target.port or (443 if target.scheme == "https" else 80)
    is_given = target.host in allowed or f"{target.host}:{port}" in allowed
    address = _address(target.host, port, private=is_given)
    # Without what the environment says of proxies: they would reach what must not be reached.
    with httpx.Client(timeout=timeout, verify=verify, trust_env=False) as client:
        return client.post(
            target.copy_with(host=address),
            content=content,
            headers=headers | {"Host": target.netloc.decode()},
            extensions={"sni_hostname": target.host},
        )


def _address(host: str, port: int, *, private: bool) -> str:
    """An address of a host that may be called."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpx.ConnectError(f"{host}: {error}") from None
    addresses = [str(entry[4][0]) for entry in found]
    if not private and not all(is_public(address) for address in addresses):
        raise Refused(f"{host} is a private address; name it to the server to allow it.")
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether an address lies in the public internet."""
    given = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(given, "ipv4_mapped", None) or getattr(given, "sixtofour", None) or given
    return mapped.is_global and not mapped.is_multicast and mapped not in SHARED_ADDRESSES
