"""KMS: key policies, states, ciphertexts, rotation, aliases and tags."""
