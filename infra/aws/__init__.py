"""Facts about AWS, each with the page that says so: limits, and versions of the extension."""
