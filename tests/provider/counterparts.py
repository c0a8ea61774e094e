"""Which CloudFormation property and which member of AWS's API an input of the provider is.

An input is the property or member of the same name, without regard to case, unless it is named
here. None says that AWS has nothing of the kind: the input steers the provider itself, or AWS has
it in another shape. `region` is always the provider's own.
"""

from collections.abc import Mapping
from typing import NamedTuple

Names = Mapping[str, str | None]
_NO_NAMES: Names = {}
_Names = dict[str, str | None]


class Counterpart(NamedTuple):
    """What AWS has for a type of the provider."""

    cloudformation: str | None
    """CloudFormation's type. None: AWS has calls only, and `changes` says what they change."""
    create: str
    """The call that makes it, such as `kms:CreateKey`; its required members are required."""
    changes: tuple[str, ...] = ()
    """Calls that change or delete one that is there, for inputs without a property."""
    properties: Names = _NO_NAMES
    """Input -> property, with a path such as `LifecycleConfiguration.Rules`."""
    members: Names = _NO_NAMES
    """Input -> member of one of the calls, with the same paths."""
    identity: frozenset[str] = frozenset()
    """Inputs without a property that say which one it is, so that another value replaces."""


_METRIC: _Names = {
    "metricQueries": "Metrics",
    "metricQueries.metric": "Metrics.MetricStat",
    **{
        f"metricQueries.metric.{name}": f"Metrics.MetricStat.Metric.{name}"
        for name in ("dimensions", "metricName", "namespace")
    },
}
_FUNCTION: _Names = {
    "codeSha256": None,
    "replaceSecurityGroupsOnDestroy": None,
    "replacementSecurityGroupIds": None,
    "skipDestroy": None,
    "snapStart.optimizationStatus": None,  # what AWS answers, and no input of its
    "sourceCodeHash": None,
    "vpcConfig.vpcId": None,  # the same
}
# A rule of a group holds lists here, one target in CloudFormation.
_GROUP_RULES: _Names = {
    f"{direction}.{name}": None
    for direction in ("egress", "ingress")
    for name in ("cidrBlocks", "ipv6CidrBlocks", "prefixListIds", "securityGroups", "self")
} | {
    "egress.protocol": "SecurityGroupEgress.IpProtocol",
    "ingress.protocol": "SecurityGroupIngress.IpProtocol",
}
_LIFECYCLE: _Names = {
    "rules": "LifecycleConfiguration.Rules",
    # Fields of their own here, mixed into the rule in CloudFormation.
    "rules.expiration": None,
    "rules.filter": None,
    "rules.noncurrentVersionTransitions.noncurrentDays": (
        "LifecycleConfiguration.Rules.NoncurrentVersionTransitions.TransitionInDays"
    ),
    "rules.transitions.date": "LifecycleConfiguration.Rules.Transitions.TransitionDate",
    "rules.transitions.days": "LifecycleConfiguration.Rules.Transitions.TransitionInDays",
    "timeouts": None,
    "transitionDefaultMinimumObjectSize": (
        "LifecycleConfiguration.TransitionDefaultMinimumObjectSize"
    ),
}
_SELECTORS: _Names = {
    f"advancedEventSelectors.fieldSelectors.{name}s": (
        f"AdvancedEventSelectors.FieldSelectors.{name}"
    )
    for name in ("endsWith", "notEndsWith", "notStartsWith", "startsWith")
}
_REPLICA: _Names = {  # what AWS answers, and no input of its
    "replicas.lastAccessedDate": None,
    "replicas.status": None,
    "replicas.statusMessage": None,
}
_PART: _Names = {"bucket": "BucketName"}
_OWNED_PART: _Names = _PART | {"expectedBucketOwner": None}
_RULE: _Names = {
    "securityGroupId": "GroupId",
    "cidrIpv4": "CidrIp",
    "tags": None,
}
_RULE_MEMBERS: _Names = {
    "securityGroupId": "GroupId",
    "cidrIpv4": "IpPermissions.IpRanges.CidrIp",
    "cidrIpv6": "IpPermissions.Ipv6Ranges.CidrIpv6",
    "description": "IpPermissions.IpRanges.Description",
    "fromPort": "IpPermissions.FromPort",
    "ipProtocol": "IpPermissions.IpProtocol",
    "prefixListId": "IpPermissions.PrefixListIds.PrefixListId",
    "referencedSecurityGroupId": "IpPermissions.UserIdGroupPairs.GroupId",
    "tags": None,
    "toPort": "IpPermissions.ToPort",
}

COUNTERPARTS: Mapping[str, Counterpart] = {
    "aws:cloudtrail/trail:Trail": Counterpart(
        "AWS::CloudTrail::Trail",
        "cloudtrail:CreateTrail",
        changes=("cloudtrail:PutEventSelectors", "cloudtrail:PutInsightSelectors"),
        properties={
            "cloudWatchLogsGroupArn": "CloudWatchLogsLogGroupArn",
            "enableLogging": "IsLogging",
            "name": "TrailName",
        }
        | _SELECTORS,
        members={
            "cloudWatchLogsGroupArn": "CloudWatchLogsLogGroupArn",
            "enableLogging": None,
            "tags": "TagsList",
        }
        | _SELECTORS,
    ),
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": Counterpart(
        "AWS::CloudWatch::CompositeAlarm", "cloudwatch:PutCompositeAlarm"
    ),
    "aws:cloudwatch/dashboard:Dashboard": Counterpart(
        "AWS::CloudWatch::Dashboard", "cloudwatch:PutDashboard"
    ),
    "aws:cloudwatch/eventRule:EventRule": Counterpart(
        "AWS::Events::Rule",
        "events:PutRule",
        changes=("events:DeleteRule",),
        properties={"forceDestroy": None},
        members={"forceDestroy": "Force"},
    ),
    "aws:cloudwatch/eventTarget:EventTarget": Counterpart(
        # A rule's own list; CloudFormation changes any of it in place.
        None,
        "events:PutTargets",
        changes=("events:PutTargets",),
        members={
            "arn": "Targets.Arn",
            "targetId": "Targets.Id",
        },
        identity=frozenset({"eventBusName", "rule", "targetId"}),
    ),
    "aws:cloudwatch/logGroup:LogGroup": Counterpart(
        "AWS::Logs::LogGroup",
        "logs:CreateLogGroup",
        changes=("logs:PutRetentionPolicy",),
        properties={"name": "LogGroupName", "skipDestroy": None},
        members={"name": "logGroupName", "skipDestroy": None},
    ),
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": Counterpart(
        "AWS::Logs::MetricFilter",
        "logs:PutMetricFilter",
        properties={
            "metricTransformation": "MetricTransformations",
            "metricTransformation.name": "MetricTransformations.MetricName",
            "metricTransformation.namespace": "MetricTransformations.MetricNamespace",
            "metricTransformation.value": "MetricTransformations.MetricValue",
            "name": "FilterName",
            "pattern": "FilterPattern",
        },
        members={
            "metricTransformation": "metricTransformations",
            "metricTransformation.name": "metricTransformations.metricName",
            "metricTransformation.namespace": "metricTransformations.metricNamespace",
            "metricTransformation.value": "metricTransformations.metricValue",
            "name": "filterName",
            "pattern": "filterPattern",
        },
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": Counterpart(
        "AWS::CloudWatch::Alarm",
        "cloudwatch:PutMetricAlarm",
        properties={
            "evaluateLowSampleCountPercentiles": "EvaluateLowSampleCountPercentile",
            "name": "AlarmName",
        }
        | _METRIC,
        members={
            "evaluateLowSampleCountPercentiles": "EvaluateLowSampleCountPercentile",
            "name": "AlarmName",
        }
        | _METRIC,
    ),
    "aws:ec2/securityGroup:SecurityGroup": Counterpart(
        "AWS::EC2::SecurityGroup",
        "ec2:CreateSecurityGroup",
        properties={
            "description": "GroupDescription",
            "egress": "SecurityGroupEgress",
            "ingress": "SecurityGroupIngress",
            "name": "GroupName",
            "revokeRulesOnDelete": None,
        }
        | _GROUP_RULES,
        members={
            "egress": None,
            "ingress": None,
            "name": "GroupName",
            "revokeRulesOnDelete": None,
            "tags": "TagSpecifications.Tags",
        },
    ),
    "aws:ec2/vpcEndpoint:VpcEndpoint": Counterpart(
        "AWS::EC2::VPCEndpoint",
        "ec2:CreateVpcEndpoint",
        changes=("ec2:ModifyVpcEndpoint",),
        properties={"policy": "PolicyDocument", "subnetConfigurations": None},
        members={"policy": "PolicyDocument", "tags": "TagSpecifications.Tags"},
    ),
    "aws:iam/policy:Policy": Counterpart(
        "AWS::IAM::ManagedPolicy",
        "iam:CreatePolicy",
        changes=("iam:TagPolicy",),
        properties={
            "delayAfterPolicyCreationInMs": None,
            "name": "ManagedPolicyName",
            "policy": "PolicyDocument",
            "tags": None,
        },
        members={
            "delayAfterPolicyCreationInMs": None,
            "name": "PolicyName",
            "policy": "PolicyDocument",
        },
    ),
    "aws:iam/role:Role": Counterpart(
        "AWS::IAM::Role",
        "iam:CreateRole",
        properties={
            "assumeRolePolicy": "AssumeRolePolicyDocument",
            "forceDetachPolicies": None,
            "inlinePolicies": "Policies",
            "inlinePolicies.name": "Policies.PolicyName",
            "inlinePolicies.policy": "Policies.PolicyDocument",
            "name": "RoleName",
        },
        members={
            "assumeRolePolicy": "AssumeRolePolicyDocument",
            "forceDetachPolicies": None,
            "inlinePolicies": None,
            "managedPolicyArns": None,
            "name": "RoleName",
        },
    ),
    "aws:iam/rolePolicy:RolePolicy": Counterpart(
        "AWS::IAM::RolePolicy",
        "iam:PutRolePolicy",
        properties={"name": "PolicyName", "policy": "PolicyDocument", "role": "RoleName"},
        members={"name": "PolicyName", "policy": "PolicyDocument", "role": "RoleName"},
    ),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": Counterpart(
        # CloudFormation has the list of the role or of the policy only; no call changes one.
        None,
        "iam:AttachRolePolicy",
        members={"role": "RoleName"},
    ),
    "aws:kms/alias:Alias": Counterpart(
        "AWS::KMS::Alias",
        "kms:CreateAlias",
        properties={"name": "AliasName"},
        members={"name": "AliasName"},
    ),
    "aws:kms/key:Key": Counterpart(
        "AWS::KMS::Key",
        "kms:CreateKey",
        changes=("kms:EnableKeyRotation", "kms:ScheduleKeyDeletion"),
        properties={
            "customerMasterKeySpec": "KeySpec",
            "deletionWindowInDays": "PendingWindowInDays",
            "isEnabled": "Enabled",
            "policy": "KeyPolicy",
        },
        members={
            "customerMasterKeySpec": "KeySpec",
            "deletionWindowInDays": "PendingWindowInDays",
            "enableKeyRotation": None,
            "isEnabled": None,
        },
    ),
    "aws:lambda/alias:Alias": Counterpart("AWS::Lambda::Alias", "lambda:CreateAlias"),
    "aws:lambda/function:Function": Counterpart(
        "AWS::Lambda::Function",
        "lambda:CreateFunction",
        changes=("lambda:UpdateFunctionCode", "lambda:PutFunctionConcurrency"),
        properties={
            "name": "FunctionName",
            "publish": None,
            "fileSystemConfig": "FileSystemConfigs",
            "fileSystemConfig.arn": "FileSystemConfigs.Arn",
            "fileSystemConfig.localMountPath": "FileSystemConfigs.LocalMountPath",
            "durableConfig.retentionPeriod": "DurableConfig.RetentionPeriodInDays",
            "sourceKmsKeyArn": "Code.SourceKMSKeyArn",
        }
        | _FUNCTION,
        members={
            "name": "FunctionName",
            "fileSystemConfig": "FileSystemConfigs",
            "fileSystemConfig.arn": "FileSystemConfigs.Arn",
            "fileSystemConfig.localMountPath": "FileSystemConfigs.LocalMountPath",
            "durableConfig.retentionPeriod": "DurableConfig.RetentionPeriodInDays",
            "sourceKmsKeyArn": "Code.SourceKMSKeyArn",
        }
        | _FUNCTION,
    ),
    "aws:lambda/invocation:Invocation": Counterpart(
        # A call that leaves nothing behind; nothing changes it.
        None,
        "lambda:Invoke",
        members={
            "input": "Payload",
            "lifecycleScope": None,
            "terraformKey": None,
            "triggers": None,
        },
    ),
    "aws:lambda/permission:Permission": Counterpart(
        # A statement of a policy; no call changes one.
        "AWS::Lambda::Permission",
        "lambda:AddPermission",
        properties={"function": "FunctionName", "qualifier": None, "statementId": None},
        members={"function": "FunctionName"},
    ),
    "aws:s3/bucket:Bucket": Counterpart(
        "AWS::S3::Bucket",
        "s3:CreateBucket",
        properties={"bucket": "BucketName", "forceDestroy": None},
        members={
            "forceDestroy": None,
            "objectLockEnabled": "ObjectLockEnabledForBucket",
            "tags": None,
        },
    ),
    # Parts of a bucket are properties of AWS::S3::Bucket, each with a call of its own.
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": Counterpart(
        "AWS::S3::Bucket",
        "s3:PutBucketLifecycleConfiguration",
        properties=_OWNED_PART | _LIFECYCLE,
        members={"rules": "LifecycleConfiguration.Rules", "timeouts": None},
        identity=frozenset({"expectedBucketOwner"}),
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": Counterpart(
        "AWS::S3::Bucket",
        "s3:PutBucketOwnershipControls",
        properties=_PART
        | {
            "rule": "OwnershipControls.Rules",
            "rule.objectOwnership": "OwnershipControls.Rules.ObjectOwnership",
        },
        members={
            "rule": "OwnershipControls.Rules",
            "rule.objectOwnership": "OwnershipControls.Rules.ObjectOwnership",
        },
    ),
    "aws:s3/bucketPolicy:BucketPolicy": Counterpart(
        "AWS::S3::BucketPolicy",
        "s3:PutBucketPolicy",
        properties={"policy": "PolicyDocument"},
    ),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": Counterpart(
        "AWS::S3::Bucket",
        "s3:PutPublicAccessBlock",
        properties=_PART
        | {"skipDestroy": None}
        | {
            each: f"PublicAccessBlockConfiguration.{each[0].upper()}{each[1:]}"
            for each in (
                "blockPublicAcls",
                "blockPublicPolicy",
                "ignorePublicAcls",
                "restrictPublicBuckets",
            )
        },
        members={
            each: f"PublicAccessBlockConfiguration.{each[0].upper()}{each[1:]}"
            for each in (
                "blockPublicAcls",
                "blockPublicPolicy",
                "ignorePublicAcls",
                "restrictPublicBuckets",
            )
        }
        | {"skipDestroy": None},
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        Counterpart(
            "AWS::S3::Bucket",
            "s3:PutBucketEncryption",
            properties=_OWNED_PART
            | {
                "rules": "BucketEncryption.ServerSideEncryptionConfiguration",
                "rules.applyServerSideEncryptionByDefault": (
                    "BucketEncryption.ServerSideEncryptionConfiguration"
                    ".ServerSideEncryptionByDefault"
                ),
            },
            members={"rules": "ServerSideEncryptionConfiguration.Rules"},
            identity=frozenset({"expectedBucketOwner"}),
        )
    ),
    "aws:s3/bucketVersioning:BucketVersioning": Counterpart(
        "AWS::S3::Bucket",
        "s3:PutBucketVersioning",
        changes=("s3:PutBucketVersioning",),
        properties=_OWNED_PART | {"mfa": None, "versioningConfiguration.mfaDelete": None},
        identity=frozenset({"expectedBucketOwner"}),
    ),
    "aws:secretsmanager/secret:Secret": Counterpart(
        "AWS::SecretsManager::Secret",
        "secretsmanager:CreateSecret",
        changes=(
            "secretsmanager:DeleteSecret",
            "secretsmanager:PutResourcePolicy",
            "secretsmanager:ReplicateSecretToRegions",
        ),
        properties={
            "forceOverwriteReplicaSecret": None,
            "policy": None,
            "recoveryWindowInDays": None,
            "replicas": "ReplicaRegions",
        }
        | _REPLICA,
        members={"policy": "ResourcePolicy", "replicas": "AddReplicaRegions"} | _REPLICA,
    ),
    "aws:secretsmanager/secretPolicy:SecretPolicy": Counterpart(
        "AWS::SecretsManager::ResourcePolicy",
        "secretsmanager:PutResourcePolicy",
        properties={"policy": "ResourcePolicy", "secretArn": "SecretId"},
        members={"policy": "ResourcePolicy", "secretArn": "SecretId"},
    ),
    "aws:secretsmanager/secretRotation:SecretRotation": Counterpart(
        "AWS::SecretsManager::RotationSchedule",
        "secretsmanager:RotateSecret",
        properties={"rotateImmediately": "RotateImmediatelyOnUpdate", "rotationEnabled": None},
        members={"rotationEnabled": None},
    ),
    "aws:secretsmanager/secretVersion:SecretVersion": Counterpart(
        # CloudFormation has one value, as a property of the secret. Here each is a version, of
        # which only the labels change.
        None,
        "secretsmanager:PutSecretValue",
        changes=("secretsmanager:UpdateSecretVersionStage",),
        members={"versionStages": "VersionStage"},
        identity=frozenset({"secretId"}),
    ),
    "aws:sns/topic:Topic": Counterpart(
        "AWS::SNS::Topic",
        "sns:CreateTopic",
        changes=("sns:SetTopicAttributes",),
        properties={"deliveryPolicy": None, "name": "TopicName", "policy": None},
        members={
            # Attributes by name, in a map without a model.
            "deliveryPolicy": "AttributeValue",
            "displayName": None,
            "fifoTopic": None,
            "kmsMasterKeyId": None,
            "policy": "AttributeValue",
            "signatureVersion": None,
            "tracingConfig": None,
        },
    ),
    "aws:sns/topicPolicy:TopicPolicy": Counterpart(
        "AWS::SNS::TopicInlinePolicy",
        "sns:SetTopicAttributes",
        properties={"arn": "TopicArn", "policy": "PolicyDocument"},
        members={"arn": "TopicArn", "policy": "AttributeValue"},
    ),
    "aws:sns/topicSubscription:TopicSubscription": Counterpart(
        "AWS::SNS::Subscription",
        "sns:Subscribe",
        properties={
            "confirmationTimeoutInMinutes": None,
            "endpointAutoConfirms": None,
            "topic": "TopicArn",
        },
        members={
            "confirmationTimeoutInMinutes": None,
            "deliveryPolicy": None,
            "endpointAutoConfirms": None,
            "filterPolicy": None,
            "filterPolicyScope": None,
            "rawMessageDelivery": None,
            "topic": "TopicArn",
        },
    ),
    "aws:ssm/parameter:Parameter": Counterpart(
        "AWS::SSM::Parameter",
        "ssm:PutParameter",
        changes=("ssm:PutParameter",),
        properties={"insecureValue": "Value", "keyId": None, "overwrite": None},
        members={"insecureValue": "Value"},
    ),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": Counterpart(
        "AWS::EC2::SecurityGroupEgress",
        "ec2:AuthorizeSecurityGroupEgress",
        properties=_RULE
        | {
            "prefixListId": "DestinationPrefixListId",
            "referencedSecurityGroupId": "DestinationSecurityGroupId",
        },
        members=_RULE_MEMBERS,
    ),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": Counterpart(
        "AWS::EC2::SecurityGroupIngress",
        "ec2:AuthorizeSecurityGroupIngress",
        properties=_RULE
        | {
            "prefixListId": "SourcePrefixListId",
            "referencedSecurityGroupId": "SourceSecurityGroupId",
        },
        members=_RULE_MEMBERS,
    ),
}
