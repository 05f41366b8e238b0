"use strict";
// Answers the engine's LanguageRuntime service for Node.js programs, where the official pulumi-language-nodejs cannot
// be had: its Go module is not published, so an engine built from source comes without it. Plain JavaScript: started
// by the engine, where nothing of ours is set up. It does not look for plugins of other packages in node_modules.
const { spawn } = require("node:child_process");
const net = require("node:net");
const path = require("node:path");

/** The engine starts this in the project's folder; the program's own copy of each module is the right one. */
const resolve = (name, folder) => require.resolve(name, { paths: [folder] });
const load = (name) => require(resolve(name, process.cwd()));
try {
  resolve("@pulumi/pulumi/package.json", process.cwd());
} catch {
  process.stderr.write(`@pulumi/pulumi is not installed in ${process.cwd()}: run npm install there\n`);
  process.exit(1);
}

const services = load("@pulumi/pulumi/proto/language_grpc_pb");
const messages = load("@pulumi/pulumi/proto/language_pb");
const { PluginInfo } = load("@pulumi/pulumi/proto/plugin_pb");
const { version } = load("@pulumi/pulumi/version");
// Its dependencies may lie below it instead of beside it.
const sdk = path.dirname(resolve("@pulumi/pulumi/package.json", process.cwd()));
const grpc = require(resolve("@grpc/grpc-js", sdk));
const { Empty } = require(resolve("google-protobuf/google/protobuf/empty_pb", sdk));

/** The last argument, as the engine's plugin protocol has it. */
const engine = process.argv[process.argv.length - 1];
/** A program ends with this code when it has told the user everything itself. */
const TOLD = 32;
const GIB = 2 ** 30;
const POLL_MS = 1_000;
const running = new Set();

function endPrograms() {
  for (const child of running) child.kill("SIGKILL");
}

function programArguments(request) {
  const flags = {
    monitor: request.getMonitorAddress(),
    engine,
    organization: request.getOrganization(),
    project: request.getProject(),
    stack: request.getStack(),
    "root-directory": request.getInfo().getRootDirectory(),
    pwd: request.getPwd() || request.getInfo().getProgramDirectory(),
    parallel: String(request.getParallel()),
  };
  const given = Object.entries(flags).filter(([, value]) => value !== "");
  const entry = request.getInfo().getEntryPoint() || ".";
  return [
    ...given.flatMap(([name, value]) => [`--${name}`, value]),
    ...(request.getDryrun() ? ["--dry-run"] : []),
    entry,
    ...request.getArgsList(),
  ];
}

/** runtime.options of Pulumi.yaml: typescript (default true), tsconfig, nodeargs. */
function programOptions(request) {
  const options = request.getInfo().getOptions()?.toJavaScript() ?? {};
  const env = {
    ...process.env,
    PULUMI_CONFIG: JSON.stringify(Object.fromEntries(request.getConfigMap().toArray())),
    PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
    PULUMI_NODEJS_TYPESCRIPT: String(options.typescript ?? true),
  };
  if (options.tsconfig) env.PULUMI_NODEJS_TSCONFIG_PATH = options.tsconfig;
  return {
    env,
    nodeArguments: String(options.nodeargs ?? "")
      .split(/\s+/)
      .filter(Boolean),
  };
}

function run(call, reply) {
  const request = call.request;
  const folder = request.getInfo().getProgramDirectory();
  const response = new messages.RunResponse();
  const failed = (why) => reply(null, response.setError(why));
  let runner;
  try {
    // Not from this repository: two copies of @pulumi/pulumi in one program do not know each other.
    runner = require.resolve("@pulumi/pulumi/cmd/run", { paths: [folder] });
  } catch {
    return failed(`@pulumi/pulumi is not installed for the program in ${folder}: run npm install there`);
  }
  const { env, nodeArguments } = programOptions(request);
  // The program writes to this process's own output, which the engine shows line by line.
  const child = spawn(process.execPath, [...nodeArguments, runner, ...programArguments(request)], {
    cwd: folder,
    env,
    stdio: ["ignore", "inherit", "inherit"],
  });
  running.add(child);
  call.on("cancelled", () => child.kill("SIGKILL"));
  child.on("error", (error) => failed(`the program could not be started: ${error.message}`));
  child.on("exit", (code, signal) => {
    running.delete(child);
    if (code === 0) reply(null, response);
    else if (code === TOLD) reply(null, response.setBail(true));
    else failed(signal ? `the program was ended by ${signal}` : `the program ended with exit code ${code}`);
  });
}

/** Everything not named here answers UNIMPLEMENTED. */
const service = {
  run,
  handshake: (call, reply) => reply(null, new messages.LanguageHandshakeResponse()),
  getPluginInfo: (call, reply) => reply(null, new PluginInfo().setVersion(version)),
  getRequiredPackages: (call, reply) => reply(null, new messages.GetRequiredPackagesResponse()),
  getRequiredPlugins: (call, reply) => reply(null, new messages.GetRequiredPluginsResponse()),
  about: (call, reply) =>
    reply(null, new messages.AboutResponse().setExecutable(process.execPath).setVersion(process.version)),
  getProgramDependencies: (call, reply) => {
    const sdk = new messages.DependencyInfo().setName("@pulumi/pulumi").setVersion(version);
    reply(null, new messages.GetProgramDependenciesResponse().setDependenciesList([sdk]));
  },
  cancel: (call, reply) => {
    endPrograms();
    reply(null, new Empty());
  },
};

function end() {
  endPrograms();
  process.exit(0);
}

/** A killed engine sends no signal. Its address answers as long as it lives. */
function watchEngine() {
  const [, host, port] = /^(.*):(\d+)$/.exec(engine) ?? [];
  if (!port) return;
  const socket = net.connect({ host, port: Number(port) });
  socket.on("error", end);
  socket.on("connect", () => {
    socket.destroy();
    setTimeout(watchEngine, POLL_MS);
  });
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, end);
const server = new grpc.Server({ "grpc.max_receive_message_length": GIB, "grpc.max_send_message_length": GIB });
server.addService(services.LanguageRuntimeService, service);
server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  process.stdout.write(`${port}\n`);
  watchEngine();
});
