"""What happened, in the past tense. One file per domain that emits; a field is never renamed, only added."""
