"""The only place objects meet: Settings in, Services out. Whatever is missing stops the start here, with the reason.

One file per part that is built. Each is imported by itself: a command pays for the parts it needs.
"""
