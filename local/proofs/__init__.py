"""What is done to a deployment to prove it: promises tried one by one, rotations, outages.

`checks` and `engine_checks` are what `make up` proves; `traffic` calls the function meanwhile.
"""
