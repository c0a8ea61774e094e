/* Runs a Node function in a process of its own, as Lambda's Node runtime does.
 *
 * `interpreters` names the command. Messages are lines of JSON on a socket that is inherited, as
 * `python_host` describes. What AWS's runtime does is in
 * https://github.com/aws/aws-lambda-nodejs-runtime-interface-client
 */
"use strict";

const fs = require("node:fs");
const net = require("node:net");
const path = require("node:path");
const readline = require("node:readline");
const util = require("node:util");

const { env } = process;
const channel = new net.Socket({ fd: Number(process.argv[2]), readable: true, writable: true });
process.argv.splice(2);

let requestId = "";
let marks = {}; // what is written around an event, and after those of an invocation
let pending = null; // the invocation that waits for its result

class InitError extends Error {
  constructor(name, message) {
    super(message);
    this.name = name;
  }
}

const reply = (message) => channel.write(`${JSON.stringify(message)}\n`);

function failureOf(error) {
  if (!util.types.isNativeError(error)) {
    const errorMessage = typeof error === "string" ? error : util.inspect(error);
    return { errorType: typeof error, errorMessage, trace: [] };
  }
  const trace = (error.stack || "").split("\n");
  return { errorType: error.name || "Error", errorMessage: error.message, trace };
}

const LEVELS = { debug: "DEBUG", error: "ERROR", info: "INFO", log: "INFO", trace: "TRACE", warn: "WARN" };
const ORDER = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
const isJson = (env.AWS_LAMBDA_LOG_FORMAT || "").toUpperCase() === "JSON";
const leastLevel = Math.max(0, ORDER.indexOf(env.AWS_LAMBDA_LOG_LEVEL || ""));

/* https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html */
function asJson(timestamp, level, items) {
  const error = items.find((item) => util.types.isNativeError(item));
  const message = items.length === 1 && !error ? items[0] : util.format(...items);
  const cause = error && {
    errorType: error.name,
    errorMessage: error.message,
    stackTrace: (error.stack || "").split("\n"),
  };
  return JSON.stringify({ timestamp, level, requestId, message, ...cause });
}

/* Each call is one event, however many lines it has. */
function formatConsole() {
  for (const [method, level] of Object.entries(LEVELS)) {
    console[method] = (...items) => {
      if (ORDER.indexOf(level) < leastLevel) return;
      const time = new Date().toISOString();
      const text = isJson ? asJson(time, level, items) : `${time}\t${requestId}\t${level}\t${util.format(...items)}`;
      process.stdout.write(`${marks.event}${text}\n${marks.end_of_event}`);
    };
  }
}

/* Import a module the way its name and its package.json ask for. */
async function importModule(file) {
  if (fs.existsSync(`${file}.mjs`)) return import(`${file}.mjs`);
  if (fs.existsSync(`${file}.js`)) {
    const folders = [];
    for (let at = path.dirname(file); at.startsWith(env.LAMBDA_TASK_ROOT); at = path.dirname(at)) {
      folders.push(at);
    }
    const manifest = folders.map((at) => path.join(at, "package.json")).find((at) => fs.existsSync(at));
    const isModule = manifest && JSON.parse(fs.readFileSync(manifest, "utf8")).type === "module";
    return isModule ? import(`${file}.js`) : require(`${file}.js`);
  }
  return require(fs.existsSync(`${file}.cjs`) ? `${file}.cjs` : file);
}

async function loadHandler(name) {
  const [, folder, module, members] = /^(.*\/)?([^./]+)\.(.+)$/.exec(name) || [];
  if (!module) throw new InitError("Runtime.MalformedHandlerName", "Bad handler");
  let loaded;
  try {
    loaded = await importModule(path.resolve(env.LAMBDA_TASK_ROOT, folder || "", module));
  } catch (error) {
    if (error instanceof SyntaxError) throw new InitError("Runtime.UserCodeSyntaxError", String(error));
    if (!["MODULE_NOT_FOUND", "ERR_MODULE_NOT_FOUND"].includes(error.code)) throw error;
    const hint = error.message.includes("@aws-sdk/")
      ? "\nLambda has the AWS SDK, and the embedded AWS does not: put it into the package."
      : "";
    throw new InitError("Runtime.ImportModuleError", `${error}${hint}`);
  }
  const named = (root) => members.split(".").reduce((found, member) => found && found[member], root);
  const handler = named(loaded) || named(loaded.default);
  if (typeof handler !== "function") {
    throw new InitError("Runtime.HandlerNotFound", `${name} is undefined or not exported`);
  }
  return handler;
}

/* https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html */
function contextOf(invocation, settle) {
  return {
    callbackWaitsForEmptyEventLoop: true,
    awsRequestId: invocation.request_id,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    invokedFunctionArn: invocation.function_arn,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    getRemainingTimeInMillis: () => Math.max(0, Math.floor(invocation.deadline_seconds * 1000 - Date.now())),
    done: settle,
    fail: (error) => settle(error || new Error("handled")),
    succeed: (result) => settle(null, result),
  };
}

function finish(message) {
  pending = null;
  channel.ref();
  fs.writeSync(2, marks.end_of_events);
  reply(message);
}

function fail(error) {
  const failure = failureOf(error);
  console.error("Invoke Error \t%s", JSON.stringify(failure));
  finish({ error: failure });
}

function succeed(result) {
  let text;
  try {
    text = JSON.stringify(result === undefined ? null : result);
  } catch (error) {
    fail(new InitError("Runtime.MarshalError", `Unable to stringify response body: ${error.message}`));
    return;
  }
  finish({ result: text === undefined ? null : JSON.parse(text) });
}

function invoke(handler, invocation) {
  requestId = invocation.request_id;
  env._X_AMZN_TRACE_ID = invocation.trace_id;
  const current = { answer: () => succeed(null) };
  pending = current;
  channel.unref(); // so that an event loop with nothing left of the function's is empty
  const settle = (error, result) => {
    if (pending !== current) return;
    current.answer = () => (error ? fail(error) : succeed(result));
    if (error || !context.callbackWaitsForEmptyEventLoop) current.answer();
  };
  const context = contextOf(invocation, settle);
  try {
    const returned = handler(invocation.event, context, settle);
    if (returned && typeof returned.then === "function") {
      const isCurrent = (answer) => (value) => pending === current && answer(value);
      returned.then(isCurrent(succeed), isCurrent(fail));
    }
  } catch (error) {
    if (pending === current) fail(error);
  }
}

/* An uncaught error ends the process, as on AWS. */
function dieOf(name, reason) {
  const failure = { ...failureOf(reason), ...(name && { errorType: name, errorMessage: String(reason) }) };
  console.error("%s \t%s", name || "Uncaught Exception", JSON.stringify(failure));
  if (pending) finish({ error: failure });
  channel.end(() => process.exit(1));
}

async function start(lines) {
  const initialisation = JSON.parse((await lines.next()).value);
  marks = initialisation;
  let handler;
  try {
    handler = await loadHandler(env._HANDLER);
  } catch (error) {
    const failure = failureOf(error);
    console.error("Uncaught Exception \t%s", JSON.stringify(failure));
    reply({ error: failure });
    channel.end();
    return;
  }
  fs.writeSync(2, marks.end_of_events);
  reply({ ready: true });
  for await (const line of lines) invoke(handler, JSON.parse(line));
  process.exit();
}

formatConsole();
process.on("uncaughtException", (error) => dieOf("", error));
process.on("unhandledRejection", (reason) => dieOf("Runtime.UnhandledPromiseRejection", reason));
process.on("beforeExit", () => pending && pending.answer());
start(readline.createInterface({ input: channel, crlfDelay: Infinity })[Symbol.asyncIterator]());
