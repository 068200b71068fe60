"""ContestLifecycleService.

Owns: audition rules and their outcome, eligibility, scores and ranks of a race.
State: none.
Must not: price, trade or pay; it judges marks and metrics that others hand it.
"""
