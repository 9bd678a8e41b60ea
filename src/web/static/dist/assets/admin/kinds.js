// The kinds of stages and policies: how each is called, where it is in the API and what it takes.

import { get } from "./api.js";
import { description } from "./schema.js";

/** Of one family: `/stages` or `/policies`. */
export const STAGES = { base: "/stages", name: "stage", to: "/stages", added: /^authentik_stages_.*\.add_.*stage$/ };
export const POLICIES = { base: "/policies", name: "policy", to: "/policies", added: /^authentik_policies.*\.add_.*policy$/ };

/** All kinds that can be made: `{ model, name, description, path, schema }`. */
export async function kinds(family) {
  const [types, whole] = await Promise.all([get(`${family.base}/all/types/`), description()]);
  const places = new Map();
  for (const [path, methods] of Object.entries(whole.paths)) {
    const taken = methods.post?.requestBody?.content?.["application/json"]?.schema?.$ref
      ?.split("/")
      .pop();
    if (taken && path.startsWith(`${family.base}/`) && !path.includes("{"))
      places.set(taken.replace(/Request$/, "").toLowerCase(), { path, schema: taken });
  }
  return types
    .map((it) => ({
      model: it.model_name,
      name: it.name,
      description: it.description,
      ...places.get(it.model_name),
    }))
    .filter((it) => it.path)
    .sort((one, other) => one.name.localeCompare(other.name));
}

/** The kind of a model such as `emailstage` or `authentik_stages_email.emailstage`. */
export async function kindOf(family, model) {
  const name = model.split(".").pop();
  const found = (await kinds(family)).find((it) => it.model === name);
  if (!found) throw new Error(`There is no kind ${name}.`);
  return found;
}

/** One object of a family with all that its kind has, and that kind. */
export async function ofKind(family, pk) {
  const short = await get(`${family.base}/all/${pk}/`);
  const kind = await kindOf(family, short.meta_model_name);
  return { kind, object: await get(`${kind.path}${pk}/`) };
}
