"""Dashboards that CloudWatch refuses."""

import json

import pytest
from botocore.exceptions import ClientError

from local.aws import EmbeddedAws
from tests.local.reference import Refusal, assert_refused

BODY = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html"
WIDGET = {"type": "text", "properties": {"markdown": "text"}}


def refused(widget: object, *errors: tuple[str, str]) -> Refusal:
    listed = [{"dataPath": path, "message": message} for path, message in errors]
    count = f"{len(errors)} validation error{'s' if len(errors) > 1 else ''}"
    return Refusal(
        "PutDashboard",
        {"DashboardName": "refused", "DashboardBody": json.dumps({"widgets": [WIDGET, widget]})},
        "InvalidParameterInput",
        f"The dashboard body is invalid, there are {count}:\n{json.dumps(listed, indent=2)}",
        BODY,
    )


REFUSALS = {
    "a name with a colon": Refusal(
        "PutDashboard",
        {"DashboardName": "test:invalid", "DashboardBody": "{}"},
        "InvalidParameterValue",
        "The value for field DashboardName contains invalid characters. …",
        "localstack cloudwatch/test_cloudwatch.py::TestCloudwatch::test_invalid_dashboard_name",
    ),
    "a name with a blank": Refusal(
        "PutDashboard",
        {"DashboardName": "a b", "DashboardBody": "{}"},
        "InvalidParameterValue",
        None,
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html",
    ),
    "a body that is not JSON": Refusal(
        "PutDashboard",
        {"DashboardName": "refused", "DashboardBody": "nope"},
        "InvalidParameterInput",
        "The field DashboardBody must be a valid JSON object",
        BODY,
    ),
    "a wide widget": refused(WIDGET | {"width": 30}, ("/widgets/1/width", "Should be <= 24")),
    "an empty widget": refused(
        {"x": -1},
        ("/widgets/1", "Should have required property 'type'"),
        ("/widgets/1", "Should have required property 'properties'"),
        ("/widgets/1/x", "Should be >= 0"),
    ),
    "too many alarms": refused(
        {"type": "alarm", "properties": {"alarms": ["arn:a"] * 101}},
        ("/widgets/1/properties/alarms", "Should NOT have more than 100 items"),
    ),
    "no alarms": refused(
        {"type": "alarm", "properties": {"alarms": []}},
        ("/widgets/1/properties/alarms", "Should NOT have fewer than 1 items"),
    ),
}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS.keys())
def test_cloudwatch_answers_as_recorded(aws: EmbeddedAws, refusal: Refusal) -> None:
    assert_refused(aws, "cloudwatch", refusal)


@pytest.mark.parametrize(
    "body",
    [{"widgets": 5}, {"widgets": [5]}, {"widgets": [WIDGET | {"width": "6"}]}],
    ids=["no array", "no object", "no integer"],
)
def test_a_body_of_another_shape_is_invalid(aws: EmbeddedAws, unique: str, body: object) -> None:
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html
    cloudwatch = aws.client("cloudwatch", "us-east-1")
    with pytest.raises(ClientError) as raised:
        cloudwatch.put_dashboard(DashboardName=unique, DashboardBody=json.dumps(body))
    assert raised.value.response["Error"]["Code"] == "InvalidParameterInput"


def test_the_largest_widget_is_kept(aws: EmbeddedAws, unique: str) -> None:
    cloudwatch = aws.client("cloudwatch", "us-east-1")
    widget = WIDGET | {"x": 0, "y": 5000, "width": 24, "height": 1000}
    alarms = {"type": "alarm", "properties": {"alarms": ["arn:a"] * 100}}
    body = json.dumps({"widgets": [widget, alarms]})
    cloudwatch.put_dashboard(DashboardName=unique, DashboardBody=body)

    assert cloudwatch.get_dashboard(DashboardName=unique)["DashboardBody"] == body
    cloudwatch.delete_dashboards(DashboardNames=[unique])
