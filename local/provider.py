"""What stands in for Pulumi's AWS provider: makes resources with boto3, one function a type.

It creates, in an empty account. It neither reads back, nor updates, nor deletes.
"""

import io
import json
import secrets
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pulumi
from botocore.exceptions import BotoCoreError, ClientError

from local.aws import EmbeddedAws

Inputs = Mapping[str, Any]
Made = tuple[str, dict[str, Any]]
Create = Callable[["AwsProvider", str, Inputs], Made]


class DeploymentError(Exception):
    """AWS refused a resource; the text names the resource and gives AWS's reason."""


class AwsProvider:
    """Makes the resources of one region in the embedded AWS."""

    preview = False

    def __init__(self, aws: EmbeddedAws, region: str) -> None:
        self._aws = aws
        self._region = region

    def client(self, service: str, region: str | None = None) -> Any:  # noqa: ANN401 (boto3 makes its classes at run time)
        """Return the administrator's client in the region, or in another one."""
        return self._aws.client(service, region or self._region)

    def create(self, type_: str, name: str, inputs: Inputs) -> Made:
        """Make a resource.

        Raises:
            DeploymentError: AWS refused, or the type is not in the table below.

        """
        if type_ not in _TYPES:
            raise DeploymentError(
                f"{name}: the local run cannot make {type_}; add a function for it to"
                f" {Path(__file__).name}"
            )
        try:
            id_, outputs = _TYPES[type_](self, name, inputs)
        except (ClientError, BotoCoreError) as error:
            raise DeploymentError(f"{name} ({type_}): {error}") from error
        return id_, {**inputs, **outputs}

    def invoke(self, token: str, args: Inputs) -> dict[str, Any]:
        """Answer a provider function."""
        if token == "aws:ec2/getSubnet:getSubnet":  # noqa: S105 (a type token)
            (subnet,) = self.client("ec2").describe_subnets(SubnetIds=[args["id"]])["Subnets"]
            return {
                "id": subnet["SubnetId"],
                "vpcId": subnet["VpcId"],
                "availabilityZone": subnet["AvailabilityZone"],
            }
        if token != "aws:index/getCallerIdentity:getCallerIdentity":  # noqa: S105 (a type token)
            raise DeploymentError(f"the local run cannot answer {token}")
        identity = self.client("sts").get_caller_identity()
        return {
            "id": identity["Account"],
            "accountId": identity["Account"],
            "arn": identity["Arn"],
            "userId": identity["UserId"],
        }


def package(archive: pulumi.AssetArchive) -> bytes:
    """Zip the files of an archive; the bytes depend on names and contents only."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, asset in sorted(archive.assets.items()):
            if not isinstance(asset, pulumi.FileAsset):
                raise DeploymentError(f"{name}: the local run packs files only")
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(entry, Path(asset.path).read_bytes())
    return data.getvalue()


def _key(provider: AwsProvider, _: str, inputs: Inputs) -> Made:
    kms = provider.client("kms", inputs.get("region"))
    key = kms.create_key(
        Description=inputs["description"], Policy=inputs["policy"], Tags=_tags(inputs, "Tag")
    )["KeyMetadata"]
    if inputs.get("enableKeyRotation"):
        kms.enable_key_rotation(
            KeyId=key["KeyId"], RotationPeriodInDays=inputs["rotationPeriodInDays"]
        )
    return key["KeyId"], {"arn": key["Arn"], "keyId": key["KeyId"]}


def _key_alias(provider: AwsProvider, _: str, inputs: Inputs) -> Made:
    provider.client("kms", inputs.get("region")).create_alias(
        AliasName=inputs["name"], TargetKeyId=inputs["targetKeyId"]
    )
    return inputs["name"], {}


def _secret(provider: AwsProvider, _: str, inputs: Inputs) -> Made:
    optional = {
        "Description": inputs.get("description"),
        "KmsKeyId": inputs.get("kmsKeyId"),
        "AddReplicaRegions": [_capitalized(each) for each in inputs.get("replicas", [])],
    }
    secret = provider.client("secretsmanager").create_secret(
        Name=inputs["name"],
        Tags=_tags(inputs),
        **{key: value for key, value in optional.items() if value},
    )
    return secret["ARN"], {"arn": secret["ARN"]}


def _secret_version(provider: AwsProvider, _: str, inputs: Inputs) -> Made:
    version = provider.client("secretsmanager").put_secret_value(
        SecretId=inputs["secretId"], SecretString=inputs["secretString"]
    )
    id_ = f"{version['ARN']}|{version['VersionId']}"
    return id_, {"arn": version["ARN"], "versionId": version["VersionId"]}


def _secret_policy(provider: AwsProvider, _: str, inputs: Inputs) -> Made:
    secret = provider.client("secretsmanager").put_resource_policy(
        SecretId=inputs["secretArn"],
        ResourcePolicy=inputs["policy"],
        BlockPublicPolicy=inputs.get("blockPublicPolicy", False),
    )
    return secret["ARN"], {}


def _secret_rotation(provider: AwsProvider, _: str, inputs: Inputs) -> Made:
    secret = provider.client("secretsmanager").rotate_secret(
        SecretId=inputs["secretId"],
        RotationLambdaARN=inputs["rotationLambdaArn"],
        RotationRules=_capitalized(inputs["rotationRules"]),
        RotateImmediately=inputs.get("rotateImmediately", True),
    )
    return secret["ARN"], {"rotationEnabled": True}


def _role(provider: AwsProvider, name: str, inputs: Inputs) -> Made:
    role = provider.client("iam").create_role(
        RoleName=_physical(name),
        AssumeRolePolicyDocument=inputs["assumeRolePolicy"],
        Description=inputs.get("description", ""),
        Tags=_tags(inputs),
    )["Role"]
    return role["RoleName"], {"arn": role["Arn"], "name": role["RoleName"]}


def _policy(provider: AwsProvider, name: str, inputs: Inputs) -> Made:
    policy = provider.client("iam").create_policy(
        PolicyName=_physical(name),
        PolicyDocument=inputs["policy"],
        Description=inputs.get("description", ""),
        Tags=_tags(inputs),
    )["Policy"]
    return policy["Arn"], {"arn": policy["Arn"], "name": policy["PolicyName"]}


def _role_policy_attachment(provider: AwsProvider, name: str, inputs: Inputs) -> Made:
    provider.client("iam").attach_role_policy(
        RoleName=inputs["role"], PolicyArn=inputs["policyArn"]
    )
    return _physical(name), {}


def _role_policy(provider: AwsProvider, name: str, inputs: Inputs) -> Made:
    physical = _physical(name)
    provider.client("iam").put_role_policy(
        RoleName=inputs["role"], PolicyName=physical, PolicyDocument=inputs["policy"]
    )
    return f"{inputs['role']}:{physical}", {"name": physical}


def _log_group(provider: AwsProvider, _: str, inputs: Inputs) -> Made:
    logs = provider.client("logs")
    name = inputs["name"]
    logs.create_log_group(
        logGroupName=name, kmsKeyId=inputs["kmsKeyId"], tags=inputs.get("tags", {})
    )
    logs.put_retention_policy(logGroupName=name, retentionInDays=inputs["retentionInDays"])
    groups = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    (arn,) = [group["arn"] for group in groups if group["logGroupName"] == name]
    return name, {"arn": arn.removesuffix(":*")}


def _function(provider: AwsProvider, name: str, inputs: Inputs) -> Made:
    functions = provider.client("lambda")
    logging = inputs["loggingConfig"]
    function = functions.create_function(
        FunctionName=_physical(name),
        Role=inputs["role"],
        Code={"ZipFile": package(inputs["code"])},
        Handler=inputs["handler"],
        Runtime=inputs["runtime"],
        Architectures=inputs["architectures"],
        MemorySize=inputs["memorySize"],
        Timeout=inputs["timeout"],
        Layers=inputs.get("layers", []),
        Environment=_capitalized(inputs.get("environment", {})),
        VpcConfig=_capitalized(inputs.get("vpcConfig", {})),
        LoggingConfig={"LogFormat": logging["logFormat"], "LogGroup": logging["logGroup"]},
        TracingConfig=_capitalized(inputs.get("tracingConfig", {"mode": "PassThrough"})),
        Publish=bool(inputs.get("publish")),
        Tags=inputs.get("tags", {}),
    )
    physical = function["FunctionName"]
    functions.get_waiter("function_active_v2").wait(
        FunctionName=physical, WaiterConfig={"Delay": 0.05, "MaxAttempts": 200}
    )
    if (reserved := inputs.get("reservedConcurrentExecutions")) is not None:
        functions.put_function_concurrency(
            FunctionName=physical, ReservedConcurrentExecutions=reserved
        )
    # A published function is answered with its version's ARN; Pulumi's `arn` is unqualified.
    arn = ":".join(function["FunctionArn"].split(":")[:7])
    return physical, {"arn": arn, "name": physical, "version": function["Version"]}


def _function_alias(provider: AwsProvider, _: str, inputs: Inputs) -> Made:
    alias = provider.client("lambda").create_alias(
        Name=inputs["name"],
        FunctionName=inputs["functionName"],
        FunctionVersion=inputs["functionVersion"],
        Description=inputs.get("description", ""),
    )
    return alias["AliasArn"], {"arn": alias["AliasArn"]}


def _permission(provider: AwsProvider, name: str, inputs: Inputs) -> Made:
    statement_id = inputs.get("statementId") or _physical(name)
    keys = ("action", "principal", "sourceAccount", "sourceArn", "qualifier")
    provider.client("lambda").add_permission(
        FunctionName=inputs["function"],
        StatementId=statement_id,
        **_capitalized({key: inputs[key] for key in keys if inputs.get(key)}),
    )
    return statement_id, {"statementId": statement_id}


def _invocation(provider: AwsProvider, name: str, inputs: Inputs) -> Made:
    answer = provider.client("lambda").invoke(
        FunctionName=inputs["functionName"],
        Qualifier=inputs.get("qualifier", "$LATEST"),
        Payload=inputs["input"].encode(),
    )
    result = answer["Payload"].read().decode()
    if "FunctionError" in answer:
        # What the function raised; the functions here raise no values.
        reason = json.loads(result).get("errorMessage", answer["FunctionError"])
        raise DeploymentError(f"{name}: {inputs['functionName']} failed: {reason}")
    return _physical(name), {"result": result}


def _security_group(provider: AwsProvider, name: str, inputs: Inputs) -> Made:
    ec2 = provider.client("ec2")
    group = ec2.create_security_group(
        GroupName=_physical(name),
        Description=inputs["description"],
        VpcId=inputs["vpcId"],
        TagSpecifications=[{"ResourceType": "security-group", "Tags": _tags(inputs)}],
    )["GroupId"]
    # As Pulumi's provider does with the rule that lets everything out.
    anywhere = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.revoke_security_group_egress(GroupId=group, IpPermissions=[anywhere])
    return group, {}


def _security_group_rule(provider: AwsProvider, inputs: Inputs, direction: str) -> Made:
    about = {"Description": inputs.get("description", "")}
    rule: dict[str, Any] = {
        "IpProtocol": inputs["ipProtocol"],
        "FromPort": inputs["fromPort"],
        "ToPort": inputs["toPort"],
    }
    if group := inputs.get("referencedSecurityGroupId"):
        rule["UserIdGroupPairs"] = [{"GroupId": group, **about}]
    if prefix_list := inputs.get("prefixListId"):
        rule["PrefixListIds"] = [{"PrefixListId": prefix_list, **about}]
    authorize = getattr(provider.client("ec2"), f"authorize_security_group_{direction}")
    made = authorize(GroupId=inputs["securityGroupId"], IpPermissions=[rule])
    (id_,) = [each["SecurityGroupRuleId"] for each in made["SecurityGroupRules"]]
    return id_, {"securityGroupRuleId": id_}


def _egress_rule(provider: AwsProvider, _: str, inputs: Inputs) -> Made:
    return _security_group_rule(provider, inputs, "egress")


def _ingress_rule(provider: AwsProvider, _: str, inputs: Inputs) -> Made:
    return _security_group_rule(provider, inputs, "ingress")


def _vpc_endpoint(provider: AwsProvider, _: str, inputs: Inputs) -> Made:
    ec2, service = provider.client("ec2"), inputs["serviceName"]
    keys = ("vpcId", "vpcEndpointType", "privateDnsEnabled")
    lists = ("subnetIds", "securityGroupIds", "routeTableIds")
    endpoint = ec2.create_vpc_endpoint(
        ServiceName=service,
        PolicyDocument=inputs["policy"],
        TagSpecifications=[{"ResourceType": "vpc-endpoint", "Tags": _tags(inputs)}],
        **_capitalized({key: inputs[key] for key in (*keys, *lists) if key in inputs}),
    )["VpcEndpoint"]["VpcEndpointId"]
    named = [{"Name": "prefix-list-name", "Values": [service]}]
    found = ec2.describe_prefix_lists(Filters=named)["PrefixLists"]
    return endpoint, {"prefixListId": found[0]["PrefixListId"] if found else ""}


def _parameter(provider: AwsProvider, _: str, inputs: Inputs) -> Made:
    keys = ("name", "type", "description", "tier", "keyId")
    ssm, name = provider.client("ssm"), inputs["name"]
    ssm.put_parameter(
        Value=inputs.get("value") or inputs["insecureValue"],
        Tags=_tags(inputs),
        **_capitalized({key: inputs[key] for key in keys if inputs.get(key)}),
    )
    return name, {"arn": ssm.get_parameter(Name=name)["Parameter"]["ARN"]}


def _topic(provider: AwsProvider, name: str, inputs: Inputs) -> Made:
    physical = _physical(name)
    topic = provider.client("sns").create_topic(
        Name=physical,
        Attributes={"KmsMasterKeyId": inputs["kmsMasterKeyId"]},
        Tags=_tags(inputs),
    )
    return topic["TopicArn"], {"arn": topic["TopicArn"], "name": physical}


def _topic_policy(provider: AwsProvider, _: str, inputs: Inputs) -> Made:
    provider.client("sns").set_topic_attributes(
        TopicArn=inputs["arn"], AttributeName="Policy", AttributeValue=inputs["policy"]
    )
    return inputs["arn"], {}


def _topic_subscription(provider: AwsProvider, _: str, inputs: Inputs) -> Made:
    subscription = provider.client("sns").subscribe(
        TopicArn=inputs["topic"],
        Protocol=inputs["protocol"],
        Endpoint=inputs["endpoint"],
        ReturnSubscriptionArn=True,
    )
    return subscription["SubscriptionArn"], {"arn": subscription["SubscriptionArn"]}


def _metric_filter(provider: AwsProvider, name: str, inputs: Inputs) -> Made:
    metric, physical = inputs["metricTransformation"], _physical(name)
    transformation = {
        "metricNamespace": metric["namespace"],
        "metricName": metric["name"],
        "metricValue": metric["value"],
        "unit": metric["unit"],
    }
    if (default := metric.get("defaultValue")) is not None:
        transformation["defaultValue"] = float(default)
    provider.client("logs").put_metric_filter(
        logGroupName=inputs["logGroupName"],
        filterName=physical,
        filterPattern=inputs["pattern"],
        metricTransformations=[transformation],
    )
    return physical, {"name": physical}


def _metric_alarm(provider: AwsProvider, _: str, inputs: Inputs) -> Made:
    own = {"name", "okActions", "dimensions", "metricQueries", "tags"}
    alarm = _capitalized({key: value for key, value in inputs.items() if key not in own})
    if "metricQueries" in inputs:
        alarm["Metrics"] = [_metric_query(query) for query in inputs["metricQueries"]]
    if "dimensions" in inputs:
        alarm["Dimensions"] = _dimensions(inputs["dimensions"])
    return _alarm(
        provider,
        inputs["name"],
        lambda cloudwatch: cloudwatch.put_metric_alarm(
            AlarmName=inputs["name"],
            OKActions=inputs.get("okActions", []),
            Tags=_tags(inputs),
            **alarm,
        ),
    )


def _metric_query(query: Inputs) -> dict[str, Any]:
    asked = _capitalized({key: value for key, value in query.items() if key != "metric"})
    if "metric" in query:
        metric = query["metric"]
        asked["MetricStat"] = {
            "Metric": {
                "Namespace": metric["namespace"],
                "MetricName": metric["metricName"],
                "Dimensions": _dimensions(metric.get("dimensions", {})),
            },
            "Period": metric["period"],
            "Stat": metric["stat"],
        }
    return asked


def _dimensions(dimensions: Inputs) -> list[dict[str, str]]:
    return [{"Name": key, "Value": value} for key, value in dimensions.items()]


def _composite_alarm(provider: AwsProvider, _: str, inputs: Inputs) -> Made:
    return _alarm(
        provider,
        inputs["alarmName"],
        lambda cloudwatch: cloudwatch.put_composite_alarm(
            AlarmName=inputs["alarmName"],
            AlarmDescription=inputs["alarmDescription"],
            AlarmRule=inputs["alarmRule"],
            Tags=_tags(inputs),
        ),
    )


def _alarm(provider: AwsProvider, name: str, put: Callable[[Any], object]) -> Made:
    cloudwatch = provider.client("cloudwatch")
    put(cloudwatch)
    answer = cloudwatch.describe_alarms(
        AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
    )
    (alarm,) = answer["MetricAlarms"] + answer["CompositeAlarms"]
    return name, {"arn": alarm["AlarmArn"]}


def _dashboard(provider: AwsProvider, _: str, inputs: Inputs) -> Made:
    provider.client("cloudwatch").put_dashboard(
        DashboardName=inputs["dashboardName"], DashboardBody=inputs["dashboardBody"]
    )
    return inputs["dashboardName"], {}


def _event_rule(provider: AwsProvider, name: str, inputs: Inputs) -> Made:
    physical = _physical(name)
    rule = provider.client("events").put_rule(
        Name=physical,
        Description=inputs["description"],
        ScheduleExpression=inputs["scheduleExpression"],
        Tags=_tags(inputs),
    )
    return physical, {"arn": rule["RuleArn"], "name": physical}


def _event_target(provider: AwsProvider, name: str, inputs: Inputs) -> Made:
    target = _physical(name)
    provider.client("events").put_targets(
        Rule=inputs["rule"], Targets=[{"Id": target, "Arn": inputs["arn"]}]
    )
    return f"{inputs['rule']}-{target}", {"targetId": target}


def _trail(provider: AwsProvider, _: str, inputs: Inputs) -> Made:
    cloudtrail, name = provider.client("cloudtrail"), inputs["name"]
    trail = cloudtrail.create_trail(
        Name=name,
        S3BucketName=inputs["s3BucketName"],
        KmsKeyId=inputs["kmsKeyId"],
        EnableLogFileValidation=inputs["enableLogFileValidation"],
        IsMultiRegionTrail=inputs["isMultiRegionTrail"],
        IncludeGlobalServiceEvents=inputs["includeGlobalServiceEvents"],
        CloudWatchLogsLogGroupArn=inputs["cloudWatchLogsGroupArn"],
        CloudWatchLogsRoleArn=inputs["cloudWatchLogsRoleArn"],
        TagsList=_tags(inputs),
    )
    selectors = [_capitalized(selector) for selector in inputs["eventSelectors"]]
    cloudtrail.put_event_selectors(TrailName=name, EventSelectors=selectors)
    cloudtrail.start_logging(Name=name)
    return trail["TrailARN"], {"arn": trail["TrailARN"]}


def _bucket(provider: AwsProvider, name: str, inputs: Inputs) -> Made:
    s3, physical = provider.client("s3"), _physical(name)
    s3.create_bucket(Bucket=physical)
    s3.put_bucket_tagging(Bucket=physical, Tagging={"TagSet": _tags(inputs)})
    return physical, {"arn": f"arn:aws:s3:::{physical}", "bucket": physical}


def _bucket_versioning(provider: AwsProvider, _: str, inputs: Inputs) -> Made:
    provider.client("s3").put_bucket_versioning(
        Bucket=inputs["bucket"],
        VersioningConfiguration=_capitalized(inputs["versioningConfiguration"]),
    )
    return inputs["bucket"], {}


def _bucket_ownership_controls(provider: AwsProvider, _: str, inputs: Inputs) -> Made:
    provider.client("s3").put_bucket_ownership_controls(
        Bucket=inputs["bucket"], OwnershipControls={"Rules": [_capitalized(inputs["rule"])]}
    )
    return inputs["bucket"], {}


def _bucket_public_access_block(provider: AwsProvider, _: str, inputs: Inputs) -> Made:
    blocked = {key: value for key, value in inputs.items() if key != "bucket"}
    provider.client("s3").put_public_access_block(
        Bucket=inputs["bucket"], PublicAccessBlockConfiguration=_capitalized(blocked)
    )
    return inputs["bucket"], {}


def _sse(provider: AwsProvider, _: str, inputs: Inputs) -> Made:
    (rule,) = inputs["rules"]
    default = rule["applyServerSideEncryptionByDefault"]
    encryption = {
        "SSEAlgorithm": default["sseAlgorithm"],
        "KMSMasterKeyID": default["kmsMasterKeyId"],
    }
    provider.client("s3").put_bucket_encryption(
        Bucket=inputs["bucket"],
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": encryption}]
        },
    )
    return inputs["bucket"], {}


def _bucket_lifecycle(provider: AwsProvider, _: str, inputs: Inputs) -> Made:
    rules = []
    for given in inputs["rules"]:
        rule = {"ID": given["id"], "Status": given["status"], "Filter": {"Prefix": ""}}
        rule["Transitions"] = [_capitalized(each) for each in given["transitions"]]
        for key in ("expiration", "noncurrentVersionExpiration", "abortIncompleteMultipartUpload"):
            rule |= _capitalized({key: _capitalized(given[key])})
        rules.append(rule)
    provider.client("s3").put_bucket_lifecycle_configuration(
        Bucket=inputs["bucket"], LifecycleConfiguration={"Rules": rules}
    )
    return inputs["bucket"], {}


def _bucket_policy(provider: AwsProvider, _: str, inputs: Inputs) -> Made:
    provider.client("s3").put_bucket_policy(Bucket=inputs["bucket"], Policy=inputs["policy"])
    return inputs["bucket"], {}


def _physical(name: str) -> str:
    """Name a resource as Pulumi's auto-naming does: seven random hexadecimal digits."""
    return f"{name}-{secrets.token_hex(4)[:7]}"


def _tags(inputs: Inputs, prefix: str = "") -> list[dict[str, str]]:
    tags = inputs.get("tags", {}).items()
    return [{f"{prefix}Key": key, f"{prefix}Value": value} for key, value in tags]


def _capitalized(inputs: Inputs) -> dict[str, Any]:
    return {f"{key[0].upper()}{key[1:]}": value for key, value in inputs.items()}


_TYPES: dict[str, Create] = {
    "aws:cloudtrail/trail:Trail": _trail,
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": _composite_alarm,
    "aws:cloudwatch/dashboard:Dashboard": _dashboard,
    "aws:cloudwatch/eventRule:EventRule": _event_rule,
    "aws:cloudwatch/eventTarget:EventTarget": _event_target,
    "aws:cloudwatch/logGroup:LogGroup": _log_group,
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": _metric_filter,
    "aws:cloudwatch/metricAlarm:MetricAlarm": _metric_alarm,
    "aws:ec2/securityGroup:SecurityGroup": _security_group,
    "aws:ec2/vpcEndpoint:VpcEndpoint": _vpc_endpoint,
    "aws:iam/policy:Policy": _policy,
    "aws:iam/role:Role": _role,
    "aws:iam/rolePolicy:RolePolicy": _role_policy,
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": _role_policy_attachment,
    "aws:kms/alias:Alias": _key_alias,
    "aws:kms/key:Key": _key,
    "aws:lambda/alias:Alias": _function_alias,
    "aws:lambda/function:Function": _function,
    "aws:lambda/invocation:Invocation": _invocation,
    "aws:lambda/permission:Permission": _permission,
    "aws:s3/bucket:Bucket": _bucket,
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _bucket_lifecycle,
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _bucket_ownership_controls,
    "aws:s3/bucketPolicy:BucketPolicy": _bucket_policy,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _bucket_public_access_block,
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _sse,
    "aws:s3/bucketVersioning:BucketVersioning": _bucket_versioning,
    "aws:secretsmanager/secret:Secret": _secret,
    "aws:secretsmanager/secretPolicy:SecretPolicy": _secret_policy,
    "aws:secretsmanager/secretRotation:SecretRotation": _secret_rotation,
    "aws:secretsmanager/secretVersion:SecretVersion": _secret_version,
    "aws:sns/topic:Topic": _topic,
    "aws:sns/topicPolicy:TopicPolicy": _topic_policy,
    "aws:sns/topicSubscription:TopicSubscription": _topic_subscription,
    "aws:ssm/parameter:Parameter": _parameter,
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _egress_rule,
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _ingress_rule,
}
