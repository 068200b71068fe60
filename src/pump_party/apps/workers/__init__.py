"""Background loops, one file each."""
