// The served description of the API, from which forms are made.

import { get } from "./api.js";

let read;

/** The description, read once. */
export function description() {
  read ??= get("/schema/", { format: "json" });
  // What failed is tried again the next time.
  read.catch(() => (read = undefined));
  return read;
}

/** The schema behind a reference; what stands beside the reference counts more. */
export function resolve(whole, schema) {
  if (!schema?.$ref) return schema ?? {};
  const name = schema.$ref.split("/").pop();
  const { $ref, ...beside } = schema;
  return { ...resolve(whole, whole.components.schemas[name]), ...beside };
}

/** The operation of this id: `{ method, path, request, parameters }`. */
export async function operation(operationId) {
  const whole = await description();
  for (const [path, methods] of Object.entries(whole.paths)) {
    for (const [method, it] of Object.entries(methods)) {
      if (it.operationId !== operationId) continue;
      const content = it.requestBody?.content ?? {};
      const body = content["application/json"] ?? content["multipart/form-data"];
      return {
        method: method.toUpperCase(),
        path,
        parameters: it.parameters ?? [],
        request: body ? resolve(whole, body.schema) : null,
      };
    }
  }
  throw new Error(`The API has no operation ${operationId}.`);
}

/** The words of an enumeration by its name in the description. */
export async function choices(name) {
  const whole = await description();
  return whole.components.schemas[name]?.enum ?? [];
}

/**
 * What a property is for a form: `{ kind, nullable, options, items, … }` beside what its schema says.
 * `kind` is one of `text`, `secret`, `number`, `integer`, `boolean`, `choice`, `choices`, `references`,
 * `reference`, `moment`, `object`, `lines`.
 */
export function shape(whole, property) {
  let schema = resolve(whole, property);
  let nullable = false;
  if (schema.oneOf) {
    nullable = schema.oneOf.some((it) => it.type === "null");
    const other = resolve(
      whole,
      schema.oneOf.find((it) => it.type !== "null"),
    );
    schema = { ...other, ...schema, oneOf: undefined };
  }
  let type = schema.type;
  if (Array.isArray(type)) {
    nullable ||= type.includes("null");
    type = type.find((it) => it !== "null");
  }
  if (type === "array") {
    const items = shape(whole, schema.items);
    const kinds = { choice: "choices", reference: "references" };
    return {
      ...schema,
      nullable,
      items,
      options: items.options,
      kind: kinds[items.kind] ?? "lines",
    };
  }
  return { ...schema, nullable, options: schema.enum, kind: kindOf(schema, type) };
}

function kindOf(schema, type) {
  if (schema.enum) return "choice";
  if (type === "boolean" || type === "integer" || type === "number") return type;
  if (type === "string") {
    if (schema.format === "uuid") return "reference";
    if (schema.format === "date-time") return "moment";
    return schema.writeOnly ? "secret" : "text";
  }
  return "object";
}
