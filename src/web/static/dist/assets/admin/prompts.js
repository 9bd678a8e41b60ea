// All prompts.

import { h, words } from "./h.js";
import { list } from "./list.js";
import { bar, maker } from "./page.js";
import { removal } from "./remove.js";
import { href } from "./router.js";
import { choices } from "./schema.js";

export const title = "Prompts";

export async function render(place) {
  const types = await choices("PromptTypeEnum");
  const prompts = list({
    path: "/stages/prompt/prompts/",
    caption: "Prompts",
    ordering: "name",
    filters: [{ name: "type", label: "Type", options: types.map((it) => [it, words(it)]) }],
    columns: [
      {
        name: "Name",
        sort: "name",
        of: (it) => h("a", { href: href(`/prompts/${it.pk}`) }, it.name),
      },
      { name: "Field", sort: "field_key", of: (it) => h("code", {}, it.field_key) },
      { name: "Label", sort: "label", of: (it) => it.label },
      { name: "Type", sort: "type", of: (it) => words(it.type) },
      { name: "Order", sort: "order", of: (it) => it.order },
      {
        name: "Stages",
        of: (it) => it.prompt_stages_obj.map((stage) => stage.name).join(", ") || "in none",
      },
    ],
    actions: (it) =>
      removal({ path: `/stages/prompt/prompts/${it.pk}/`, name: it.name, done: () => prompts.refresh() }),
  });
  place.append(
    bar(maker("New prompt", href("/prompts/new"), "/stages/prompt/prompts/")),
    h("section", {}, prompts),
  );
}
