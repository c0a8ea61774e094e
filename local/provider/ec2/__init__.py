"""EC2: security groups, their rules, and endpoints of a VPC.

Left out, since nothing here is ever so: an endpoint is available and gone at once, a group is
found at once, and no interface of Lambda outlives its function. A group that something still uses
is refused at once; the provider asks again for its 15 minutes.
"""
