"""IAM: who may do what, and what a policy may say.

access     signatures, condition keys, quotas of policies, and managed policies
documents  the grammar of policies, and the refusals of those that break it
roles      the answers about roles and users
"""
