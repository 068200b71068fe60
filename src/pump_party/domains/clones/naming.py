"""Which names and bios a clone may have. One script, nothing invisible, and no two names that look alike."""

NAME_CHARS_MIN = 3
NAME_CHARS_MAX = 24
BIO_CHARS_MAX = 280
