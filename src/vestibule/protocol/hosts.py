"""Write hosts as URLs do."""


def in_url(host: str) -> str:
    """Return a host name or address as a URL has it: an IPv6 address in brackets (RFC 3986, section 3.2.2)."""
    return f"[{host}]" if ":" in host else host
