// Signs a webhook. Nothing but what Node has: `fetch`, and the extension's port as AWS documents it.
// https://docs.aws.amazon.com/systems-manager/latest/userguide/ps-integration-lambda-extensions.html
import { createHmac } from "node:crypto";

const EXTENSION = "http://localhost:2773";

async function ask(path) {
  const response = await fetch(EXTENSION + path, {
    headers: { "X-Aws-Parameters-Secrets-Token": process.env.AWS_SESSION_TOKEN },
  });
  if (!response.ok) throw new Error(`the extension answered ${response.status}`);
  return response.json();
}

export const handler = async (event) => {
  const secretId = encodeURIComponent(process.env.SECRET_PREFIX + "webhook");
  const name = encodeURIComponent(process.env.PARAMETER_PREFIX + "webhook/url");
  const { SecretString: secret } = await ask(`/secretsmanager/get?secretId=${secretId}`);
  const { Parameter: url } = await ask(`/systemsmanager/parameters/get?name=${name}`);
  const body = JSON.stringify(event.order);
  return {
    statusCode: 200,
    body: JSON.stringify({
      url: url.Value,
      signature: createHmac("sha256", JSON.parse(secret).key).update(body).digest("hex"),
    }),
  };
};
