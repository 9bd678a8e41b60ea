// The list of all stages or all policies.

import { h } from "./h.js";
import { list } from "./list.js";
import { mayAny } from "./may.js";
import { bar, button } from "./page.js";
import { removal } from "./remove.js";
import { href } from "./router.js";

/** Fills a page with the objects of a family; `last` is its last column. */
export function kindList(place, { family, caption, last }) {
  const objects = list({
    path: `${family.base}/all/`,
    caption,
    ordering: "name",
    columns: [
      {
        name: "Name",
        sort: "name",
        of: (it) => h("a", { href: href(`${family.to}/${it.pk}`) }, it.name),
      },
      { name: "Kind", of: (it) => it.verbose_name },
      last,
    ],
    actions: (it) =>
      removal({ path: `${family.base}/all/${it.pk}/`, name: it.name, done: () => objects.refresh() }),
  });
  place.append(
    bar(
      mayAny(family.added) && button(`New ${family.name}`, href(`${family.to}/new`), "primary"),
    ),
    h("section", {}, objects),
  );
}
