"""Parameter Store: names, values, versions, filters, and the keys of SecureStrings."""
