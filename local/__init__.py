"""The embedded AWS: the Pulumi program unchanged, on an emulator on loopback, IAM enforced.

deployment    one stack deployed into the embedded AWS, and what can be asked of it
functions     its functions: what config says of each, and calls of it
expectations  what an answer must contain
reload        deploys a function again when its code is saved
stand_ins     what a stack's file names and others own, made for the run
networks      the same for VPCs
native_code   functions that are built again for this machine
config        the project and its stack files, read as the CLI reads them
engines       Pulumi's own engine, and the built-in one
provider      the AWS provider of both engines
aws           starts the emulator, with one account or more
account       an account, its administrator, and clients for it
emulator      the emulator's process: ministack and the patches of it
extension     the stand-in of the AWS Parameters and Secrets Lambda Extension
databases     a PostgreSQL for the secrets that log in to one
proofs        what is done to a deployment to prove its promises
"""
