// Pairs of OpenAPI documents, and what `api-smart-diff` says of them.
//
// Prints one JSON object a line: the recorded document (`before`), the desired one (`after`), what was done
// (`done`), and what the other calls breaking (`breaks`). The package is that of `$MESHWRIGHT_NPM`, or of
// `tests/npm/node_modules`. Exits with 77 where it is not there.

import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import path from "node:path";

const PAIRS = 240;
const modules = process.env.MESHWRIGHT_NPM ?? fileURLToPath(new URL("../npm/node_modules", import.meta.url));

let apiCompare;
try {
  ({ apiCompare } = createRequire(path.join(modules, "package.json"))("api-smart-diff"));
} catch (error) {
  console.error(`api-smart-diff is not in ${modules}: ${error.code}`);
  process.exit(77);
}

// The same numbers every time: a linear congruential generator, of which the upper bits are taken.
let state = 20240601n;
function random(below) {
  state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn;
  return Number((state >> 33n) % BigInt(below));
}
const choose = (list) => list[random(list.length)];
const copy = (value) => JSON.parse(JSON.stringify(value));

const scalar = () =>
  copy(choose([
    { type: "string" }, { type: "string", maxLength: 20 }, { type: "string", enum: ["a", "b", "c"] },
    { type: "integer" }, { type: "integer", minimum: 0, maximum: 9 }, { type: "number" }, { type: "boolean" },
  ]));

function object() {
  const properties = { id: { type: "string" }, a: scalar(), b: scalar(), c: scalar() };
  return { type: "object", properties, required: ["id", "a"] };
}

const json = (schema) => ({ "application/json": { schema } });

function document() {
  return {
    openapi: "3.0.3",
    info: { title: "orders", version: "1.0.0" },
    paths: {
      "/orders": {
        get: {
          parameters: [
            { name: "limit", in: "query", schema: scalar() },
            { name: "since", in: "query", required: true, schema: scalar() },
          ],
          responses: {
            200: { description: "fine", headers: { "X-Count": { schema: { type: "integer" } } }, content: json(object()) },
            404: { description: "none" },
          },
        },
        post: {
          requestBody: { required: true, content: json(object()) },
          responses: { 201: { description: "made", content: json(object()) } },
        },
      },
      "/ping": { get: { responses: { 204: { description: "fine" } } } },
    },
  };
}

const get = (api) => api.paths["/orders"].get;
const post = (api) => api.paths["/orders"].post;
const asked = (api) => post(api).requestBody.content["application/json"].schema;
const answered = (api) => get(api).responses[200].content["application/json"].schema;
const another = (schema) => choose([{ type: "string" }, { type: "integer" }, { type: "boolean" }].filter((one) => one.type !== schema.type));

// What is done to a schema, wherever it stands.
const OF_SCHEMAS = {
  "property removed": (schema) => delete schema.properties.b,
  "optional property added": (schema) => (schema.properties.d = scalar()),
  "required property added": (schema) => {
    schema.properties.d = scalar();
    schema.required.push("d");
  },
  "became required": (schema) => schema.required.push("b"),
  "became optional": (schema) => (schema.required = ["id"]),
  "type changed": (schema) => (schema.properties.a = another(schema.properties.a)),
  "value of enum added": (schema) => (schema.properties.a = { type: "string", enum: ["a", "b", "c", "d"] }),
  "value of enum removed": (schema) => (schema.properties.a = { type: "string", enum: ["a", "b"] }),
  "bound raised": (schema) => (schema.properties.a = { type: "string", maxLength: 30 }),
  "bound lowered": (schema) => (schema.properties.a = { type: "string", maxLength: 10 }),
  "described": (schema) => (schema.properties.a.description = "something"),
};
// Those for which the recorded schema has to be of a kind.
const BEFORE = {
  "value of enum added": { type: "string", enum: ["a", "b", "c"] },
  "value of enum removed": { type: "string", enum: ["a", "b", "c"] },
  "bound raised": { type: "string", maxLength: 20 },
  "bound lowered": { type: "string", maxLength: 20 },
};
const OF_APIS = {
  "path removed": (api) => delete api.paths["/ping"],
  "path added": (api) => (api.paths["/pong"] = { get: { responses: { 204: { description: "fine" } } } }),
  "operation removed": (api) => delete api.paths["/orders"].post,
  "operation added": (api) => (api.paths["/ping"].post = { responses: { 204: { description: "fine" } } }),
  "operation deprecated": (api) => (get(api).deprecated = true),
  "parameter removed": (api) => get(api).parameters.shift(),
  "optional parameter added": (api) => get(api).parameters.push({ name: "sort", in: "query", schema: scalar() }),
  "required parameter added": (api) =>
    get(api).parameters.push({ name: "sort", in: "query", required: true, schema: scalar() }),
  "parameter became required": (api) => (get(api).parameters[0].required = true),
  "parameter became optional": (api) => delete get(api).parameters[1].required,
  "type of parameter changed": (api) => {
    get(api).parameters[1].schema = another(get(api).parameters[1].schema);
  },
  "success removed": (api) => {
    get(api).responses[202] = get(api).responses[200];
    delete get(api).responses[200];
  },
  "failure removed": (api) => delete get(api).responses[404],
  "status added": (api) => (get(api).responses[429] = { description: "too often" }),
  "media type removed": (api) => {
    const content = get(api).responses[200].content;
    content["text/csv"] = { schema: { type: "string" } };
    delete content["application/json"];
  },
  "media type added": (api) => (get(api).responses[200].content["text/csv"] = { schema: { type: "string" } }),
  "header removed": (api) => delete get(api).responses[200].headers["X-Count"],
  "header added": (api) => (get(api).responses[200].headers["X-Next"] = { schema: { type: "string" } }),
  "body became optional": (api) => (post(api).requestBody.required = false),
  "body removed": (api) => delete post(api).requestBody,
};

const schemas = Object.keys(OF_SCHEMAS).flatMap((what) => [["asked", what], ["answered", what]]);
const all = [...schemas, ...Object.keys(OF_APIS).map((what) => ["api", what])];

for (let index = 0; index < PAIRS; index += 1) {
  const [where, what] = all[index % all.length];
  const before = document();
  const schema = where === "asked" ? asked : answered;
  if (where !== "api" && BEFORE[what]) schema(before).properties.a = copy(BEFORE[what]);
  const after = copy(before);
  if (where === "api") OF_APIS[what](after);
  else OF_SCHEMAS[what](schema(after));
  // It works on what it is given.
  const { diffs } = apiCompare(copy(before), copy(after));
  const breaks = diffs.filter((one) => one.type === "breaking").map((one) => one.path.join("/"));
  const done = where === "api" ? what : `${where}: ${what}`;
  console.log(JSON.stringify({ before, after, done, breaks }));
}
