import { Hono } from "hono";
import { ApiProblem } from "../problem";

/** Where a group can say it lives. All of it is this machine; Turso's codes are here so that programs run unchanged. */
export const locations: Readonly<Record<string, string>> = {
  local: "This machine",
  "aws-ap-northeast-1": "AWS AP NorthEast (Tokyo)",
  "aws-ap-south-1": "AWS AP South (Mumbai)",
  "aws-eu-west-1": "AWS EU West (Ireland)",
  "aws-us-east-1": "AWS US East (Virginia)",
  "aws-us-east-2": "AWS US East (Ohio)",
  "aws-us-west-2": "AWS US West (Oregon)",
};

export function locationsApi(): Hono {
  return new Hono()
    .get("/", (c) => c.json({ locations }))
    .get("/:code", (c) => {
      const code = c.req.param("code");
      const description = Object.hasOwn(locations, code) ? locations[code] : undefined;
      if (description === undefined) throw new ApiProblem(404, "location not found");
      return c.json({ location: { code, description } });
    });
}
