"""The operations that the embedded AWS offers; any other is refused by its name.

They are what the program, its provider, the functions, the checks and the tests use, with their
counterparts, and the operations of the same services that only read, where ministack has them.
"""

OFFERED = {
    service: frozenset(names.split())
    for service, names in {
        "cloudtrail": """
            AddTags CreateTrail DeleteResourcePolicy DeleteTrail DescribeTrails GetEventSelectors
            GetInsightSelectors GetResourcePolicy GetTrail GetTrailStatus ListTags ListTrails
            LookupEvents PutEventSelectors PutInsightSelectors PutResourcePolicy RemoveTags
            StartLogging StopLogging UpdateTrail
        """,
        "cloudwatch": """
            DeleteAlarms DeleteAnomalyDetector DeleteDashboards DescribeAlarmHistory
            DescribeAlarms DescribeAlarmsForMetric DescribeAnomalyDetectors DisableAlarmActions
            EnableAlarmActions GetDashboard GetMetricData GetMetricStatistics ListDashboards
            ListMetrics ListTagsForResource PutAnomalyDetector PutCompositeAlarm PutDashboard
            PutMetricAlarm PutMetricData SetAlarmState TagResource UntagResource
        """,
        "ec2": """
            AssociateRouteTable AttachInternetGateway AuthorizeSecurityGroupEgress
            AuthorizeSecurityGroupIngress CreateInternetGateway CreateNetworkInterface CreateRoute
            CreateRouteTable CreateSecurityGroup CreateSubnet CreateTags CreateVpc
            CreateVpcEndpoint DeleteInternetGateway DeleteNetworkInterface DeleteRoute
            DeleteRouteTable DeleteSecurityGroup DeleteSubnet DeleteTags DeleteVpc
            DeleteVpcEndpoints DescribeAddresses DescribeAddressesAttribute
            DescribeAvailabilityZones DescribeCapacityReservations DescribeCustomerGateways
            DescribeDhcpOptions DescribeEgressOnlyInternetGateways DescribeFleets DescribeFlowLogs
            DescribeIamInstanceProfileAssociations DescribeImageAttribute DescribeImages
            DescribeInstanceAttribute DescribeInstanceCreditSpecifications DescribeInstanceStatus
            DescribeInstanceTopology DescribeInstanceTypes DescribeInstances
            DescribeInternetGateways DescribeKeyPairs DescribeLaunchTemplateVersions
            DescribeLaunchTemplates DescribeManagedPrefixLists DescribeNatGateways
            DescribeNetworkAcls DescribeNetworkInterfaces DescribePlacementGroups
            DescribePrefixLists DescribeRegions DescribeRouteTables DescribeSecurityGroupRules
            DescribeSecurityGroups DescribeSnapshotAttribute DescribeSnapshots
            DescribeSpotInstanceRequests DescribeSubnets DescribeTags
            DescribeVerifiedAccessEndpoints DescribeVerifiedAccessGroups
            DescribeVerifiedAccessInstanceLoggingConfigurations DescribeVerifiedAccessInstances
            DescribeVerifiedAccessTrustProviders DescribeVolumeAttribute DescribeVolumeStatus
            DescribeVolumes DescribeVolumesModifications DescribeVpcAttribute
            DescribeVpcClassicLink DescribeVpcClassicLinkDnsSupport DescribeVpcEndpointServices
            DescribeVpcEndpoints DescribeVpcPeeringConnections DescribeVpcs DescribeVpnConnections
            DescribeVpnGateways DetachInternetGateway DisassociateRouteTable
            GetManagedPrefixListEntries GetVerifiedAccessEndpointPolicy
            GetVerifiedAccessGroupPolicy ModifySecurityGroupRules ModifySubnetAttribute
            ModifyVpcAttribute ModifyVpcEndpoint RevokeSecurityGroupEgress
            RevokeSecurityGroupIngress
        """,
        "events": """
            CreateConnection CreateEventBus DeleteEventBus DeleteRule DescribeApiDestination
            DescribeArchive DescribeConnection DescribeEndpoint DescribeEventBus
            DescribeEventSource DescribePartnerEventSource DescribeReplay DescribeRule DisableRule
            EnableRule ListApiDestinations ListArchives ListConnections ListEndpoints
            ListEventBuses ListEventSources ListPartnerEventSourceAccounts ListPartnerEventSources
            ListReplays ListRuleNamesByTarget ListRules ListTagsForResource ListTargetsByRule
            PutEvents PutPermission PutRule PutTargets RemovePermission RemoveTargets TagResource
            TestEventPattern UntagResource UpdateEventBus
        """,
        "iam": """
            AttachRolePolicy AttachUserPolicy CreateAccessKey CreateLoginProfile CreatePolicy
            CreatePolicyVersion CreateRole CreateUser DeleteAccessKey DeletePolicy
            DeletePolicyVersion DeleteRole DeleteRolePermissionsBoundary DeleteRolePolicy
            DeleteUser DeleteUserPermissionsBoundary DeleteUserPolicy DetachRolePolicy
            DetachUserPolicy GetAccessKeyLastUsed GetAccountAuthorizationDetails
            GetAccountPasswordPolicy GetAccountSummary GetCredentialReport GetGroup GetGroupPolicy
            GetInstanceProfile GetLoginProfile GetOpenIDConnectProvider GetPolicy GetPolicyVersion
            GetRole GetRolePolicy GetSAMLProvider GetServiceLastAccessedDetails
            GetServiceLinkedRoleDeletionStatus GetUser GetUserPolicy ListAccessKeys
            ListAccountAliases ListAttachedGroupPolicies ListAttachedRolePolicies
            ListAttachedUserPolicies ListEntitiesForPolicy ListGroupPolicies ListGroups
            ListGroupsForUser ListInstanceProfileTags ListInstanceProfiles
            ListInstanceProfilesForRole ListMFADevices ListOpenIDConnectProviders ListPolicies
            ListPolicyTags ListPolicyVersions ListRolePolicies ListRoleTags ListRoles
            ListSAMLProviders ListUserPolicies ListUserTags ListUsers ListVirtualMFADevices
            PutRolePermissionsBoundary PutRolePolicy PutUserPermissionsBoundary PutUserPolicy
            RemoveRoleFromInstanceProfile SetDefaultPolicyVersion SimulateCustomPolicy
            SimulatePrincipalPolicy TagPolicy TagRole TagUser UntagPolicy UntagRole UntagUser
            UpdateAccessKey UpdateAssumeRolePolicy UpdateRole UpdateRoleDescription
        """,
        "kms": """
            CancelKeyDeletion CreateAlias CreateGrant CreateKey Decrypt DeleteAlias DescribeKey
            DisableKey DisableKeyRotation EnableKey EnableKeyRotation Encrypt GenerateDataKey
            GenerateDataKeyPair GenerateDataKeyPairWithoutPlaintext
            GenerateDataKeyWithoutPlaintext GenerateMac GenerateRandom GetKeyPolicy
            GetKeyRotationStatus GetParametersForImport GetPublicKey ListAliases ListGrants
            ListKeyPolicies ListKeyRotations ListKeys ListResourceTags PutKeyPolicy ReEncrypt
            ReplicateKey RetireGrant RevokeGrant RotateKeyOnDemand ScheduleKeyDeletion Sign
            TagResource UntagResource UpdateAlias UpdateKeyDescription Verify VerifyMac
        """,
        "lambda": """
            AddLayerVersionPermission AddPermission CreateAlias CreateFunction DeleteAlias
            DeleteFunction DeleteFunctionCodeSigningConfig DeleteFunctionConcurrency
            DeleteLayerVersion DeleteResourcePolicy GetAccountSettings GetAlias
            GetEventSourceMapping GetFunction
            GetFunctionCodeSigningConfig GetFunctionConcurrency GetFunctionConfiguration
            GetFunctionEventInvokeConfig GetFunctionRecursionConfig GetFunctionUrlConfig
            GetLayerVersion GetLayerVersionByArn GetLayerVersionPolicy GetPolicy GetResourcePolicy
            Invoke InvokeWithResponseStream ListAliases ListEventSourceMappings
            ListFunctionEventInvokeConfigs ListFunctionUrlConfigs ListFunctions ListLayerVersions
            ListLayers ListTags ListVersionsByFunction PublishLayerVersion PublishVersion
            PutFunctionCodeSigningConfig PutFunctionConcurrency PutFunctionEventInvokeConfig
            PutFunctionRecursionConfig PutResourcePolicy RemoveLayerVersionPermission
            RemovePermission TagResource
            UntagResource UpdateAlias UpdateFunctionCode UpdateFunctionConfiguration
        """,
        "logs": """
            AssociateKmsKey CreateLogGroup CreateLogStream DeleteLogGroup DeleteLogStream
            DeleteMetricFilter DeleteResourcePolicy DeleteRetentionPolicy DeleteSubscriptionFilter
            DescribeDeliveries DescribeDeliveryDestinations DescribeDeliverySources
            DescribeDestinations DescribeLogGroups DescribeLogStreams DescribeMetricFilters
            DescribeResourcePolicies DescribeSubscriptionFilters DisassociateKmsKey
            FilterLogEvents GetDelivery GetDeliveryDestination GetDeliveryDestinationPolicy
            GetDeliverySource GetLogEvents GetLogGroupFields GetLogRecord GetQueryResults
            ListTagsForResource ListTagsLogGroup PutLogEvents PutMetricFilter PutResourcePolicy
            PutRetentionPolicy PutSubscriptionFilter StartLiveTail StartQuery StopQuery
            TagLogGroup TagResource UntagLogGroup UntagResource
        """,
        "organizations": "DescribeOrganization",
        "resourcegroupstaggingapi": "GetResources GetTagKeys GetTagValues",
        "s3": """
            AbortMultipartUpload CompleteMultipartUpload CopyObject CreateBucket
            CreateMultipartUpload DeleteBucket DeleteBucketEncryption DeleteBucketLifecycle
            DeleteBucketOwnershipControls DeleteBucketPolicy DeleteBucketReplication
            DeleteBucketTagging DeleteObject DeleteObjectTagging DeleteObjects
            DeletePublicAccessBlock GetBucketAcl GetBucketCors GetBucketEncryption
            GetBucketLifecycleConfiguration GetBucketLocation GetBucketLogging
            GetBucketNotification GetBucketOwnershipControls GetBucketPolicy GetBucketPolicyStatus
            GetBucketReplication GetBucketRequestPayment GetBucketTagging GetBucketVersioning
            GetBucketWebsite GetObject GetObjectAcl GetObjectAnnotation GetObjectAttributes
            GetObjectLegalHold GetObjectLockConfiguration GetObjectRetention GetObjectTagging
            GetPublicAccessBlock HeadBucket HeadObject ListBuckets ListMultipartUploads
            ListObjectAnnotations ListObjectVersions ListObjects ListObjectsV2 ListParts
            PutBucketAcl PutBucketEncryption PutBucketLifecycleConfiguration PutBucketLogging
            PutBucketOwnershipControls PutBucketPolicy PutBucketReplication
            PutBucketRequestPayment PutBucketTagging PutBucketVersioning PutObject PutObjectAcl
            PutObjectLegalHold PutObjectLockConfiguration PutObjectRetention PutObjectTagging
            PutPublicAccessBlock UploadPart UploadPartCopy
        """,
        "secretsmanager": """
            BatchGetSecretValue CancelRotateSecret CreateSecret DeleteResourcePolicy DeleteSecret
            DescribeSecret GetRandomPassword GetResourcePolicy GetSecretValue ListSecretVersionIds
            ListSecrets PutResourcePolicy PutSecretValue RemoveRegionsFromReplication
            ReplicateSecretToRegions RestoreSecret RotateSecret StopReplicationToReplica
            TagResource UntagResource UpdateSecret UpdateSecretVersionStage ValidateResourcePolicy
        """,
        "sns": """
            AddPermission ConfirmSubscription CreateTopic DeleteTopic GetEndpointAttributes
            GetPlatformApplicationAttributes GetSubscriptionAttributes GetTopicAttributes
            ListPlatformApplications ListSubscriptions ListSubscriptionsByTopic
            ListTagsForResource ListTopics Publish PublishBatch RemovePermission
            SetSubscriptionAttributes SetTopicAttributes Subscribe TagResource Unsubscribe
            UntagResource
        """,
        "sqs": """
            AddPermission ChangeMessageVisibility ChangeMessageVisibilityBatch CreateQueue
            DeleteMessage DeleteMessageBatch DeleteQueue GetQueueAttributes GetQueueUrl
            ListQueueTags ListQueues PurgeQueue ReceiveMessage RemovePermission SendMessage
            SendMessageBatch SetQueueAttributes TagQueue UntagQueue
        """,
        "ssm": """
            AddTagsToResource DeleteParameter DeleteParameters DeleteResourcePolicy
            DescribeInstanceInformation DescribeParameters GetCommandInvocation GetParameter
            GetParameterHistory GetParameters GetParametersByPath GetServiceSetting
            LabelParameterVersion ListCommands ListTagsForResource PutParameter PutResourcePolicy
            RemoveTagsFromResource UnlabelParameterVersion
        """,
        "sts": """
            AssumeRole AssumeRoleWithWebIdentity GetAccessKeyInfo GetCallerIdentity
            GetFederationToken GetSessionToken GetWebIdentityToken
        """,
    }.items()
}
"""A service's name in botocore -> its operations."""
