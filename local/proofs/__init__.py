"""What is done to a deployment to prove it: promises tried one by one, rotations, outages.

`make up` runs `checks`, then, with Pulumi's engine, `engine_checks`, each in its list's order.
`function_checks` are those of one function, whatever its code. `trial` deploys functions of ours
with the role of one: `probe` says what it may read, `reader` reads by the client. `traffic` calls
the functions meanwhile.
"""
