"""The emulator's process: ministack, with the gaps closed that this project's promises meet.

One module or more per service. A patch is named for what it does, says what ministack does
instead, and wraps the function that does it: after an upgrade of ministack, an `AttributeError` at
the start or a test shows which patches may go. The process that starts the emulator imports
nothing of this.
"""

PATCHED_BY = (
    "ec2",
    "ec2_requests",  # after ec2: what is refused is refused first
    "ec2_zones",
    "event_entries",
    "event_targets",
    "events",
    "iam.access",
    "iam.documents",  # after iam.access: what is not a policy has no size
    "iam.roles",
    "kms.keys",
    "kms.rotation",
    "kms.states",
    "kms.ciphertexts",
    "kms.tags",
    "kms.policies",
    "kms.aliases",
    "kms.sharing",  # after all other modules of KMS: it finds the key for them
    "lambda_.layers",
    "lambda_.roles",
    "lambda_.configuration",
    "lambda_.code",
    "lambda_.tags",
    "lambda_.states",
    "lambda_.versions",
    "lambda_.aliases",
    "lambda_.permissions",
    "lambda_.concurrency",
    "runtimes.environment",
    "lambda_.invocations",  # after runtimes.environment, which runs what it is called with
    "lambda_.metrics",
    "lambda_.references",  # after all that take the name out of a request
    "lambda_.answers",
    "outage",
    "s3",
    "tagging",
    "sns",
    "sns_topics",
    "sns_messages",
    "sns_subscriptions",  # after sns: an invalid subscription is refused first
    "core.accounts",
    "kms.reencryption",  # after accounts: it names the action that accounts words a denial with
    "ssm.listing",
    "ssm.values",
    "ssm.keys",
    "ssm.versions",
    "ssm.names",  # after keys, values and versions: it finds the parameter for them
    "ssm.references",
    "cloudtrail.trails",
    "cloudtrail.events",
    "cloudwatch.alarm_actions",
    "cloudwatch.alarm_history",
    "cloudwatch.anomaly_detectors",
    "cloudwatch.dashboards",
    "cloudwatch.evaluation",
    "cloudwatch.metrics",
    "logs.metrics",
    "logs.groups",
    "logs.events",
    "secretsmanager.values",
    "secretsmanager.labels",
    "secretsmanager.versions",
    "secretsmanager.deletion",
    "secretsmanager.filters",
    "secretsmanager.tags",
    "secretsmanager.replication",  # after values: replicas need the ARN that it gives a secret
    "secretsmanager.resource_policies",  # after replication: a malformed policy is refused first
    "secretsmanager.rotation",  # after values: it refuses a caller without the key first
    "secretsmanager.dates",  # after values: a read that its key refuses leaves no date of access
    "secretsmanager.descriptions",  # after rotation: it omits what rotation does not add
    "secretsmanager.batches",  # after all that wrap GetSecretValue: it finds the secret for them
    "core.caller",  # after replication: it finds the secret for its operations, too
    "secretsmanager.requests",  # after all that answer requests: it checks them, and their errors
    "validation.door",
    "refusal",  # after cloudtrail.events: a refused operation leaves no event
)
"""The modules that patch ministack, in the order in which their patches are applied.

The order matters where several modules wrap the same handler, and only there: the last one to
wrap it is the first to see a request and the last to see the response.
"""
