"""What an invoice is, and where its key comes from."""
