"""The embedded AWS: the same Pulumi program on an emulator of AWS, on loopback, with IAM enforced."""
