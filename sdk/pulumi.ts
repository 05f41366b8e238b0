/**
 * What we use of Pulumi's SDK. Its index also loads the serializer of closures, with a TypeScript compiler and npm's
 * resolver: half a second of a program's start, for code that our resources never send.
 */
export * as log from "@pulumi/pulumi/log";
export { RunError } from "@pulumi/pulumi/errors";
export { getOrganization, getProject, getRootDirectory, getStack } from "@pulumi/pulumi/metadata";
export { Output, all, output } from "@pulumi/pulumi/output";
export type { Input, Inputs, Unwrap } from "@pulumi/pulumi/output";
export { CustomResource, Resource, allAliases, createUrn } from "@pulumi/pulumi/resource";
export type { Alias, CustomResourceOptions, ResourceOptions } from "@pulumi/pulumi/resource";
export { allConfig } from "@pulumi/pulumi/runtime/config";
export { isDryRun, rpcKeepAlive } from "@pulumi/pulumi/runtime/settings";
