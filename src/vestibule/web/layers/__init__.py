"""The ASGI layers that every request passes before it is routed: `fast_path`, `draining`,
`unread_body`, `headers`. See `order`.
"""
