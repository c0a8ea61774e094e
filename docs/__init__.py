"""The project's documents, and what writes the generated parts of them."""
