"""Stack config: `settings` reads it; `schema` has its keys, `rules` what they must keep to."""
