"""The embedded AWS: the Pulumi program unchanged, on an emulator on loopback, IAM enforced."""
