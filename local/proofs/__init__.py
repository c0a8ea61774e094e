"""What is done to a deployment to prove it: promises tried one by one, rotations, outages.

`make up` runs `checks`, then, with Pulumi's engine, `engine_checks`, each in its list's order.
`traffic` calls the function meanwhile.
"""
