"""What offered operations do not do as AWS does; of any other, no difference is known.

`make docs` writes it into docs/emulator-operations.md.
"""

_ALWAYS_EMPTY = "always empty: the operations that create one are refused"

SIMPLIFIED = {
    service: {
        operation: how for how, operations in rows.items() for operation in operations.split()
    }
    for service, rows in {
        "cloudtrail": {
            "lists an event as soon as the call is answered; data events are not recorded, nor "
            "the single reads of a batch": "LookupEvents",
            "keeps what the trail looks for; no insight is ever found": "PutInsightSelectors",
        },
        "cloudwatch": {
            "an alarm on metric math or on anomaly detection stays in INSUFFICIENT_DATA; data "
            "older than the evaluation periods is not looked at": "PutMetricAlarm",
            "keeps the detector; nothing trains it": "PutAnomalyDetector",
            "one page": "GetMetricData ListMetrics",
        },
        "ec2": {
            "no packet is filtered by it": (
                "AuthorizeSecurityGroupEgress AuthorizeSecurityGroupIngress CreateVpcEndpoint "
                "ModifyVpcEndpoint ModifySecurityGroupRules"
            ),
            _ALWAYS_EMPTY: (
                "DescribeCapacityReservations DescribeCustomerGateways DescribeFleets "
                "DescribeFlowLogs DescribeInstances DescribeKeyPairs DescribeLaunchTemplates "
                "DescribeSnapshots DescribeSpotInstanceRequests DescribeVolumes "
                "DescribeVpnConnections DescribeVpnGateways"
            ),
        },
        "events": {
            _ALWAYS_EMPTY: (
                "ListApiDestinations ListArchives ListEndpoints ListEventSources "
                "ListPartnerEventSourceAccounts ListPartnerEventSources ListReplays"
            ),
        },
        "iam": {
            "the statements and the results per resource are missing": (
                "SimulateCustomPolicy SimulatePrincipalPolicy"
            ),
            _ALWAYS_EMPTY: (
                "ListGroups ListGroupsForUser ListInstanceProfiles ListMFADevices "
                "ListOpenIDConnectProviders ListSAMLProviders ListVirtualMFADevices"
            ),
        },
        "lambda": {
            "container images, SnapStart and code signing have no effect; the memory size is no "
            "limit": "CreateFunction UpdateFunctionCode UpdateFunctionConfiguration",
            "runs Python and Node of this machine": "Invoke InvokeWithResponseStream",
            _ALWAYS_EMPTY: "ListEventSourceMappings",
        },
        "logs": {
            "the commands `fields`, `filter`, `sort` and `limit` only": "StartQuery",
        },
        "s3": {
            "keeps the rules; nothing expires": "PutBucketLifecycleConfiguration",
        },
        "secretsmanager": {
            "keeps the schedule and answers when it is due; nothing rotates by it": "RotateSecret",
        },
    }.items()
}
"""A service, named as in botocore -> its operation -> what is simplified."""
