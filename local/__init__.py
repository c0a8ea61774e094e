"""The embedded AWS: runs the unchanged Pulumi program on a local emulator that enforces IAM.

deployment          deploys one stack to the embedded AWS, and reads what was deployed
functions           the deployed functions: their config, and calls to them
expectations        what a function's response must contain
reload              deploys a function again when its code is saved
external_resources  creates the resources that a stack file names but does not create
networks            the same for VPCs
native_code         rebuilds functions with native code for this machine
outputs             prints checks, outputs and cost
config              the project and its stack files, read as the Pulumi CLI reads them
engines             Pulumi's own engine, and the built-in one
provider            the AWS provider that both engines use
aws                 starts the emulator, with one or more accounts
account             one account, its administrator, and boto3 clients for it
emulator            the emulator's process: ministack and our patches
extension           a local version of the AWS Parameters and Secrets Lambda Extension
databases           a PostgreSQL for the secrets that log in to one
proofs              the checks: what is done to a deployment to prove what it promises
"""
