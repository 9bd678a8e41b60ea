// All flows.

import { DESIGNATIONS } from "./flow_fields.js";
import { importFlow } from "./flow_import.js";
import { h } from "./h.js";
import { list } from "./list.js";
import { action, bar, button } from "./page.js";
import { removal } from "./remove.js";
import { href } from "./router.js";

export const title = "Flows";

export function render(place) {
  const flows = list({
    path: "/flows/instances/",
    caption: "Flows",
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
      h(
        "a",
        { class: "button", href: href(`/flows/${it.slug}/edit`), "aria-label": `Edit ${it.name}` },
        "Edit",
      ),
      removal({ path: `/flows/instances/${it.slug}/`, name: it.name, done: () => flows.refresh() }),
    ],
  });
  place.append(
    bar(
      button("New flow", href("/flows/new"), "primary"),
      action("Import", async () => (await importFlow()) && flows.refresh()),
    ),
    h("section", {}, flows),
  );
}
