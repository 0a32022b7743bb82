"""Local statistics: what was shown, what became of it, how long it took. Counts only: no text, no paths.

`watched` and `lasting` judge one suggestion, `observer` follows a session, `days` keeps the counts in small
files, `recorder` brings them there, `figures` sums them up. Nothing leaves the machine.
"""
