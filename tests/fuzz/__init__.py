"""Fuzzing of every parser: targets with seeds, a mutator, and a corpus of what was once wrong."""
