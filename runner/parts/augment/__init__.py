"""Augmentations: what `augment` of a data set may name; each makes new training rows out of others."""
