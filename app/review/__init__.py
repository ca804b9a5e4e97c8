"""The page Review: a logged session beside its clip."""
