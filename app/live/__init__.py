"""The live page: the player, the side panel, and what goes in and out."""
