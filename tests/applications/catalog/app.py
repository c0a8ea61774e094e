"""An HTTP API with Powertools for AWS Lambda: its router, its logger, its parameters.

https://docs.aws.amazon.com/powertools/python/latest/
"""

import os
from hashlib import sha256
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.utilities import parameters
from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger(service="catalog")
app = APIGatewayHttpResolver()


@app.get("/products/<sku>")
def product(sku: str) -> dict[str, Any]:
    key: Any = parameters.get_secret(
        os.environ["SECRET_PREFIX"] + "supplier", transform="json", max_age=300
    )
    currency = parameters.get_parameter(os.environ["PARAMETER_PREFIX"] + "currency", max_age=300)
    logger.info("product found", sku=sku, currency=currency)
    supplier = sha256(key["token"].encode()).hexdigest()
    return {"sku": sku, "currency": currency, "supplier": supplier}


@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_HTTP)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.resolve(event, context)
