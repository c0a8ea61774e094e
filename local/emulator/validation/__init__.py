"""Requests are checked against the service models of botocore before ministack sees them.

door         the patch: the request of an offered operation is parsed, checked, and refused or not
parameters   parses a request by its operation's shape, in each of AWS's protocols
constraints  what of the parameters violates the model
deviations   where a service departs from its model, or answers in other words
refusals     the code and the text of each service
"""
