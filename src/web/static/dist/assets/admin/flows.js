// All flows.

import { DESIGNATIONS } from "./flow_fields.js";
import { importFlow } from "./flow_import.js";
import { h } from "./h.js";
import { list } from "./list.js";
import { may } from "./may.js";
import { action, bar, editor, maker } from "./page.js";
import { ready } from "./ready.js";
import { removal } from "./remove.js";
import { href } from "./router.js";

export const title = "Flows";

export async function render(place) {
  const flows = list({
    path: "/flows/instances/",
    caption: "Flows",
    empty: "There is no flow.",
    ordering: "name",
    filters: [
      { name: "designation", label: "What it is for", options: Object.entries(DESIGNATIONS) },
    ],
    columns: [
      {
        name: "Name",
        sort: "name",
        of: (it) => h("a", { href: href(`/flows/${it.slug}`) }, it.name),
      },
      { name: "Title", sort: "title", of: (it) => it.title },
      { name: "Slug", sort: "slug", of: (it) => h("code", {}, it.slug) },
      {
        name: "What it is for",
        sort: "designation",
        of: (it) => DESIGNATIONS[it.designation] ?? it.designation,
      },
      { name: "Stages", of: (it) => it.stages.length },
    ],
    actions: (it) => [
      editor(href(`/flows/${it.slug}/edit`), it.name, "/flows/instances/"),
      removal({ path: `/flows/instances/${it.slug}/`, name: it.name, done: () => flows.refresh() }),
    ],
  });
  place.append(
    bar(
      maker("New flow", href("/flows/new"), "/flows/instances/"),
      may("authentik_blueprints.add_blueprintinstance") &&
        action("Import", async () => (await importFlow()) && flows.refresh()),
    ),
    h("section", {}, flows),
  );
  const made = await ready({ done: () => flows.refresh() });
  if (made) place.append(made);
}
