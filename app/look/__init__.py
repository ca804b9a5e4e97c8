"""How everything on screen looks, and the keys."""
