"""Commands for developers of this project. Nothing imports them."""
