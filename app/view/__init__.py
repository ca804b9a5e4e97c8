"""The live picture and everything that is painted on it and under it."""
