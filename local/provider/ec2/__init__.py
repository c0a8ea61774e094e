"""EC2: security groups, their rules, and VPC endpoints.

The real provider's waits are left out: here an endpoint is available and deleted immediately, a
group is found immediately, and no network interface of Lambda outlives its function. Deleting a
group in use fails immediately, while the real provider retries for 15 minutes.
"""
