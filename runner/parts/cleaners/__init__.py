"""Cleaners: what `clean` of a data set may name; each mends, keeps or drops texts."""
