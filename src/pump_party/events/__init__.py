"""What happened, in the past tense. One file per domain that emits; a field is never renamed, only added.

Each event says its KIND, the word under which the outbox and the bus carry it.
"""
