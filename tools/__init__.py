"""Commands for whoever works on this project. Nothing imports them."""
