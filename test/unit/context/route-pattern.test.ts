import { routePattern } from "../../../src/context/route-pattern"

describe("routePattern", () => {
  it.each<[string, string | undefined, unknown, string]>([
    ["a route", "", { path: "/devices/:id" }, "PATCH /devices/:id"],
    ["the root", "", { path: "/" }, "PATCH /"],
    ["a route of a router", "/dcim", { path: "/devices/:id" }, "PATCH /dcim/devices/:id"],
    ["the root of a router", "/dcim", { path: "/" }, "PATCH /dcim"],
    ["a regular expression", "", { path: /^\/v[12]$/ }, "PATCH /^\\/v[12]$/"],
    ["several patterns", "", { path: ["/devices", "/switches"] }, "PATCH /devices|/switches"],
    ["no route yet", "/dcim", undefined, "PATCH /dcim"],
    ["no route and no router", undefined, undefined, "PATCH"],
    ["a router on a number", "/projects/4711", { path: "/" }, "PATCH /projects/:value"],
    ["a router on a UUID", "/p/cccccccc-0000-4000-8000-000000000001", { path: "/" }, "PATCH /p/:value"],
    ["a router on a long word", `/reset/${"x".repeat(33)}`, { path: "/" }, "PATCH /reset/:value"],
    ["a router on a version", "/api/v2.1/dcim_core", { path: "/" }, "PATCH /api/v2.1/dcim_core"],
  ])("names %s", (_, baseUrl, route, expected) => {
    expect(routePattern({ method: "PATCH", baseUrl, route })).toBe(expected)
  })
})
