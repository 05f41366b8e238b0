import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { type Kind, providerText } from "../../sdk/remote";

// These bytes are in users' state: they may only ever be added to.
const frozen: Record<Kind, string> = {
  group:
    'exports.handler=()=>{try{return require(require.resolve("tenantry/runtime",{paths:["."]})).group}' +
    'catch(e){throw e.stack=e.message="tenantry is not installed here: run npm ci",e}}',
  tenantDatabase:
    'exports.handler=()=>{try{return require(require.resolve("tenantry/runtime",{paths:["."]})).tenantDatabase}' +
    'catch(e){throw e.stack=e.message="tenantry is not installed here: run npm ci",e}}',
  databaseToken:
    'exports.handler=()=>{try{return require(require.resolve("tenantry/runtime",{paths:["."]})).databaseToken}' +
    'catch(e){throw e.stack=e.message="tenantry is not installed here: run npm ci",e}}',
  schemaTemplate:
    'exports.handler=()=>{try{return require(require.resolve("tenantry/runtime",{paths:["."]})).schemaTemplate}' +
    'catch(e){throw e.stack=e.message="tenantry is not installed here: run npm ci",e}}',
  schemaRollout:
    'exports.handler=()=>{try{return require(require.resolve("tenantry/runtime",{paths:["."]})).schemaRollout}' +
    'catch(e){throw e.stack=e.message="tenantry is not installed here: run npm ci",e}}',
  previewBranch:
    'exports.handler=()=>{try{return require(require.resolve("tenantry/runtime",{paths:["."]})).previewBranch}' +
    'catch(e){throw e.stack=e.message="tenantry is not installed here: run npm ci",e}}',
  tenantFleet:
    'exports.handler=()=>{try{return require(require.resolve("tenantry/runtime",{paths:["."]})).tenantFleet}' +
    'catch(e){throw e.stack=e.message="tenantry is not installed here: run npm ci",e}}',
  member:
    'exports.handler=()=>{try{return require(require.resolve("tenantry/runtime",{paths:["."]})).member}' +
    'catch(e){throw e.stack=e.message="tenantry is not installed here: run npm ci",e}}',
  invite:
    'exports.handler=()=>{try{return require(require.resolve("tenantry/runtime",{paths:["."]})).invite}' +
    'catch(e){throw e.stack=e.message="tenantry is not installed here: run npm ci",e}}',
  apiToken:
    'exports.handler=()=>{try{return require(require.resolve("tenantry/runtime",{paths:["."]})).apiToken}' +
    'catch(e){throw e.stack=e.message="tenantry is not installed here: run npm ci",e}}',
};

describe("the stored provider text", () => {
  for (const [kind, text] of Object.entries(frozen)) {
    it(`of ${kind} is what state holds, in less than 200 bytes`, () => {
      assert.equal(providerText(kind as Kind), text);
      assert.ok(Buffer.byteLength(text) < 200, `${Buffer.byteLength(text)} bytes`);
    });
  }
});
