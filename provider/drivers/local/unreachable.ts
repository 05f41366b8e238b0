import type { Directory } from "../../platform/directory";
import { TenantryError, hasCode } from "../../platform/errors";
import type { Platform, PlatformDatabase } from "../../platform/platform";

export const startCommand = "npx tenantry local";

/** A refused connection means one thing here: the platform does not run. Every method says how to start it. */
export function explainUnreachable(platform: Platform): Platform {
  const explained =
    <Arguments extends unknown[], Result>(method: (...values: Arguments) => Promise<Result>) =>
    async (...values: Arguments): Promise<Result> => {
      try {
        return await method(...values);
      } catch (error) {
        throw notRunning(error);
      }
    };
  return {
    ...platform,
    scope: explained(platform.scope),
    account: explained(platform.account),
    usage: explained(platform.usage),
    listLocations: explained(platform.listLocations),
    listGroups: explained(platform.listGroups),
    getGroup: explained(platform.getGroup),
    createGroup: explained(platform.createGroup),
    configureGroup: explained(platform.configureGroup),
    deleteGroup: explained(platform.deleteGroup),
    async *listDatabases(filter): AsyncIterable<PlatformDatabase> {
      try {
        yield* platform.listDatabases(filter);
      } catch (error) {
        throw notRunning(error);
      }
    },
    getDatabase: explained(platform.getDatabase),
    createDatabase: explained(platform.createDatabase),
    getConfiguration: explained(platform.getConfiguration),
    configureDatabase: explained(platform.configureDatabase),
    deleteDatabase: explained(platform.deleteDatabase),
    mintToken: explained(platform.mintToken),
    rotateTokens: explained(platform.rotateTokens),
    metrics: platform.metrics && explained(platform.metrics),
    statistics: platform.statistics && explained(platform.statistics),
    instances: platform.instances && explained(platform.instances),
    directory: platform.directory && explainedDirectory(platform.directory, explained),
  };
}

type Explain = <Arguments extends unknown[], Result>(
  method: (...values: Arguments) => Promise<Result>,
) => (...values: Arguments) => Promise<Result>;

function explainedDirectory(directory: Directory, explained: Explain): Directory {
  return {
    listMembers: explained(directory.listMembers),
    getMember: explained(directory.getMember),
    addMember: explained(directory.addMember),
    setRole: explained(directory.setRole),
    removeMember: explained(directory.removeMember),
    listInvites: explained(directory.listInvites),
    invite: explained(directory.invite),
    revokeInvite: explained(directory.revokeInvite),
    listApiTokens: explained(directory.listApiTokens),
    createApiToken: explained(directory.createApiToken),
    revokeApiToken: explained(directory.revokeApiToken),
    async *auditLog() {
      try {
        yield* directory.auditLog();
      } catch (error) {
        throw notRunning(error);
      }
    },
    plan: explained(directory.plan),
  };
}

function notRunning(error: unknown): unknown {
  if (!hasCode(error, "unreachable") || error.fix?.includes(startCommand)) return error;
  // Something answers there: the certificate's own advice stays.
  if (error.fix?.includes("NODE_EXTRA_CA_CERTS")) return error;
  const { message, fix, requestId, afterLostReply } = error;
  const what = fix ? message.slice(0, -fix.length - 1) : message;
  return new TenantryError("unreachable", what, {
    fix: `If the local platform does not run, start it with \`${startCommand}\`.`,
    requestId,
    afterLostReply,
    cause: error.cause,
  });
}
